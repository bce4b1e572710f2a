"""How well runoff is simulated: scores over the days on which there is an observation."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput

Floats = NDArray[np.float64]


class Scores(msgspec.Struct, frozen=True):
    """Scores of a period.

    nse: Nash-Sutcliffe efficiency; dc: the 确定性系数 of GB/T 22482, the same quantity; kge: Kling-Gupta efficiency of
    2009; bias: simulated over observed volume, less one; days: observed days.
    """

    nse: float
    kge: float
    dc: float
    bias: float
    days: int


def nse(simulated: Floats, observed: Floats) -> Floats:
    """1 - sum (s - o)^2 / sum (o - mean o)^2 along the last axis. simulated: (..., n); observed: (n,), without gaps."""
    scatter = ((observed - observed.mean()) ** 2).sum()
    return np.asarray(1.0 - ((simulated - observed) ** 2).sum(-1) / scatter)


def kge(simulated: Floats, observed: Floats) -> Floats:
    """1 - sqrt((r - 1)^2 + (std ratio - 1)^2 + (mean ratio - 1)^2) along the last axis [Gupta et al. 2009]."""
    mean, spread = simulated.mean(-1), np.maximum(simulated.std(-1), 1e-12)
    against = (observed - observed.mean()) / observed.std()
    r = ((simulated - mean[..., None]) * against).mean(-1) / spread
    return np.asarray(
        1.0 - np.sqrt((r - 1.0) ** 2 + (spread / observed.std() - 1.0) ** 2 + (mean / observed.mean() - 1.0) ** 2)
    )


def score(simulated: Floats, observed: Floats) -> Scores:
    """Scores of one series; days without observation (NaN) are left out.

    Raises BadInput where fewer than 30 days are observed or nothing ever changes.
    """
    there = np.isfinite(observed)
    o, s = observed[there], simulated[there]
    if len(o) < 30 or o.std() == 0.0 or o.mean() <= 0.0:
        raise BadInput(f"{len(o)} observed days with a flow that changes are too few to score; lengthen the period")
    efficiency = round(float(nse(s, o)), 4)
    return Scores(
        nse=efficiency,
        kge=round(float(kge(s, o)), 4),
        dc=efficiency,
        bias=round(float(s.sum() / o.sum() - 1.0), 4),
        days=len(o),
    )
