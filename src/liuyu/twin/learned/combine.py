"""How much of the data-driven and how much of the routed forecast: weights learned on errors of years left out.

For errors e (data-driven) and r (routed) the weight of the routed forecast with the least squared error is
sum e (e - r) / sum (e - r)^2 (Bates and Granger 1969, Oper. Res. Q. 20, 451). It is held within 0 and 1, drawn towards
the mean of its series, and smoothed over the leads, for it is itself an estimate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SHRINK = 0.3


@dataclass(frozen=True, slots=True)
class Combined:
    """weight: (targets, leads) of the routed forecast; out: (n, targets, leads) the combination."""

    weight: Floats
    out: Floats


def combine(learned: Floats, routed: Floats, truth: Floats, judge: NDArray[np.bool_]) -> Combined:
    """Weights from forecasts of years left out, over the issues in `judge`: each (n, targets, leads) [unit]."""
    error, other = learned[judge] - truth[judge], routed[judge] - truth[judge]
    apart = error - other
    good = np.isfinite(apart)
    up = np.where(good, error * apart, 0.0).sum(axis=0)
    weight = np.clip(up / np.maximum(np.where(good, apart**2, 0.0).sum(axis=0), 1e-12), 0.0, 1.0)
    weight += _SHRINK * (weight.mean(axis=1, keepdims=True) - weight)
    padded = np.pad(weight, ((0, 0), (1, 1)), mode="edge")
    weight = 0.25 * padded[:, :-2] + 0.5 * weight + 0.25 * padded[:, 2:]
    return Combined(weight, weight * routed + (1.0 - weight) * learned)
