"""The river as it would have run had the reservoirs passed on what came: what their operation did to the levels.

What came from outside is known for the past as observed minus routed. It is routed once more with the releases that
were made, and once with each release equal to the inflow of its hour; what parts the two is laid upon the observed
levels. A reservoir that passes on its inflow stands for the valley without it: that the valley itself would have held
back and delayed a wave between the inflow section and the dam is left out, and the effect is therefore an upper bound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR
from liuyu.basin.series import Batch
from liuyu.twin.flow import RESERVOIR, run, warm
from liuyu.twin.present import Plumbing, present, shift_of
from liuyu.twin.river import RiverTwin
from liuyu.twin.window import complete, table

Floats = NDArray[np.float64]
_SHIFT_EVERY = 24  # [h] between two looks at how far a law is off
_MOST_ABSENT = 0.25


@dataclass(frozen=True, slots=True)
class Naturalised:
    """Hourly courses from the second hour of a period on. time: (n,) [s UTC].

    level, without: by station, (n,) [m]: as observed, and without operation. inflow, outflow, held: by reservoir
    station, (n,) [m3/s, m3/s, m3]: what came and went, and the volume held back since the start.
    """

    time: NDArray[np.int64]
    level: Mapping[str, Floats]
    without: Mapping[str, Floats]
    inflow: Mapping[str, Floats]
    outflow: Mapping[str, Floats]
    held: Mapping[str, Floats]


def naturalise(twin: RiverTwin, batch: Batch, start: int, end: int) -> Naturalised | None:
    """The period from `start` to `end` [s UTC] without the operation of any reservoir, from its observations.

    None where the basin has no reservoir, the period is shorter than two days, or more than a quarter of the series
    are absent.
    """
    plumbing, model = twin.plumbing, twin.model
    net = plumbing.network
    hours = (end - start) // HOUR
    places = np.flatnonzero((net.kind == RESERVOIR) & (plumbing.flow_row >= 0)).tolist()
    if not places or hours < 48:
        return None
    window = complete(table(batch, end, model, hours), end, model)
    if (window.age > hours).mean() > _MOST_ABSENT:
        return None
    here = present(window, plumbing, laws=False)
    seen, levels = (
        np.where(rows[:, None] >= 0, window.value[rows], 0.0) for rows in (plumbing.flow_row, plumbing.level_row)
    )
    state = net.new_state()
    warm(net.kind, seen[:, :1], *net.arrays, state)
    local = np.ascontiguousarray(here.driver[: len(net.codes), 1:])
    release = np.zeros_like(local)
    for place in places:
        release[place] = seen[place, 1:]
    shifted = net.shifted(_shift(plumbing, seen, levels))
    laws = (shifted.kind, shifted.law, shifted.backwater, shifted.lake, shifted.curve, *shifted.arrays)
    _, inflow, _, stage = run(*laws, state.copy(), levels[:, 0].copy(), local, release)
    passed = release.copy()
    for place in places:  # from the source to the mouth: what one passes on the next receives
        passed[place] = run(*laws, state.copy(), levels[:, 0].copy(), local, passed)[1][place]
    _, _, _, still = run(*laws, state.copy(), levels[:, 0].copy(), local, passed)
    codes = {place: net.codes[place] for place in range(len(net.codes))}
    gauged = [p for p in codes if plumbing.level_row[p] >= 0 and net.kind[p] != RESERVOIR and net.law[p, 0] > 0]
    return Naturalised(
        time=end + HOUR * np.arange(1 - hours, 1, dtype=np.int64),
        level={codes[p]: levels[p, 1:] for p in gauged},
        without={codes[p]: levels[p, 1:] + still[p] - stage[p] for p in gauged},
        inflow={codes[p]: inflow[p] for p in places},
        outflow={codes[p]: release[p] for p in places},
        held={codes[p]: np.cumsum(inflow[p] - release[p]) * HOUR for p in places},
    )


def _shift(plumbing: Plumbing, seen: Floats, levels: Floats) -> Floats:
    """By how much each law must be raised to meet its gauge: the median over the period [m], (nodes,)."""
    net = plumbing.network
    out = np.zeros(len(levels))
    for place in np.flatnonzero((net.law[:, 0] > 0) & (plumbing.level_row >= 0) & (plumbing.flow_row >= 0)):
        below = levels[net.backwater[place]] if net.backwater[place] >= 0 else np.zeros(levels.shape[1])
        at = range(0, levels.shape[1], _SHIFT_EVERY)
        out[place] = np.median([shift_of(seen[place, k], levels[place, k], below[k], net.law[place]) for k in at])
    return out
