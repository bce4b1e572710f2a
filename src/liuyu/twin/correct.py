"""What the regressions that correct the routed forecast read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.model import Model
from liuyu.twin.present import Present

Floats = NDArray[np.float64]
LOOK_H = (6, 24, 48, 72, 120, 168)
OWN_PAST_H = (3, 6, 12, 24, 48, 72)
LEVEL_PAST_H = (6, 12, 24, 36, 48, 72)


def correction_features(here: Present, base: Floats, rows: NDArray[np.int64], model: Model) -> Floats:
    """Per target: the change that routing expects at some leads, its own recent change, that of every level.

    base: (series, hours); rows: which series are corrected. Returns (targets, k), in the units of the series.
    """
    value = here.window.value
    now = value[:, -1:]
    expected = base[np.ix_(rows, [min(lead, base.shape[1]) - 1 for lead in LOOK_H])] - now[rows]
    own = now[rows] - value[rows][:, [-1 - hours for hours in OWN_PAST_H]]
    levels = np.array([place for place, each in enumerate(model.series) if each.quantity == "water_level"], np.int64)
    around = (now[levels] - value[levels][:, [-1 - hours for hours in LEVEL_PAST_H]]).ravel()
    return np.concatenate([expected, own, np.broadcast_to(around, (len(rows), len(around)))], axis=1)
