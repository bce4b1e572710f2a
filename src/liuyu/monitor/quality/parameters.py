"""The numbers of quality control that hold for every station: one row per quantity, and the costs of the path.

A station's own numbers (how fast it moves, how wide it ranges) are learned from its data; these are where learning
begins and the floors below which no change is doubted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.quantities import quantities

BACK = 28
"""Values that a fault may last and still be seen live as one departure and return; in hindsight see Law.memory."""

RING = 40
"""Values kept per series in the live pipeline; when full, the oldest RING_DROP go."""

RING_DROP = 10

BESIDE = 3
"""Gauges beside a gauge that its level is held against."""

BANDS = 32
"""Bands of level, one metre each, in which a station's rating is learned."""

LONG = 2000
"""Values after which a record is long enough to know its lowest and its rarer changes."""

LOW_SHARE = 0.1
"""A discharge below this share of the lowest of a long record is not credible."""

BINS = 64
"""Half-octave bins of the histogram of changes, from 0.001 [unit/h^0.75] up."""


class Law(NamedTuple):
    """What a change of a quantity is held against.

    A change over `dt` hours is free up to `floor + share * |value| + scale * dt^0.75`. `scale` is `stretch` times the
    95 % quantile of the series' changes, or for levels the 98 % quantile if that is more; it is learned from
    `prior + prior_share * |first value|`, which weighs as much as `prior_weight` values. `hold` is what a departure
    costs for each doubling of its length, `memory` the values that it may last in hindsight. `stuck` is 1 where values
    that stand still and jut out of a calm run are looked for. A motion that goes on is no fault: of the change before,
    up to `surge` [unit/h^0.75] or four scales are free again. `path` is 0 where changes are not judged at all.
    """

    path: int
    floor: float
    share: float
    prior: float
    prior_share: float
    prior_weight: int
    stretch: float
    hold: float
    memory: int
    stuck: int
    surge: float


PATH, FLOOR, SHARE, PRIOR, PRIOR_SHARE, PRIOR_WEIGHT, STRETCH, HOLD, SPAN, STUCK, SURGE, LOWER, UPPER = range(13)
"""Places of a law's numbers in a row of `law_table`."""

NO_LAW = Law(0, 0.0, 0.0, 0.0, 0.0, 0, 0.0, 0.0, 0, 0, 0.0)
LAWS: dict[str, Law] = {
    #                      path floor share prior prior_share weight stretch hold memory stuck surge
    "water_level": Law(1, 0.04, 0.000, 0.10, 0.00, 20, 1.95, 0.3, 120, 1, 0.8),
    "discharge": Law(1, 0.50, 0.030, 0.50, 0.05, 20, 2.5, 1.5, 32, 0, 0.0),
    "reservoir_inflow": Law(1, 5.0, 0.050, 5.0, 0.20, 50, 3.0, 1.5, 32, 0, 0.0),
    "reservoir_outflow": Law(1, 5.0, 0.050, 5.0, 0.20, 50, 3.0, 1.5, 32, 0, 0.0),
    "reservoir_storage": Law(1, 1e4, 0.002, 1e4, 0.005, 20, 3.0, 1.5, 32, 0, 0.0),
    "groundwater_depth": Law(1, 0.05, 0.0, 0.10, 0.0, 20, 3.0, 0.3, 120, 1, 0.8),
}
"""Laws by quantity. Quantities without a row are held against their range alone."""


def law_table() -> NDArray[np.float64]:
    """(numbers, 13): by quantity number, the eleven numbers of its law, then its lower and upper bound [unit]."""
    rows = quantities()
    table = np.zeros((max(row.number for row in rows) + 1, UPPER + 1))
    table[:, LOWER], table[:, UPPER] = -np.inf, np.inf
    for row in rows:
        table[row.number] = (*LAWS.get(row.name, NO_LAW), row.lower, row.upper)
    return table
