"""How good forecasts were: scores of one series at one lead from every issue that can be judged.

rmse, mae, bias     of the mean of the members, bias = mean(forecast - observed) [unit]
skill               1 - (rmse / rmse_persistence)^2, persistence being the last value at issue [1]
nse, dc             1 - sum(e^2) / sum((o - mean o)^2) over the valid times (Nash and Sutcliffe [2]); GB/T 22482 names
                    this number the determination coefficient (确定性系数)
qr                  share of forecasts within the permissible error of the grading profile [%] (合格率)
crps                mean|X - o| - mean|X - X'| / 2 over the members X [unit] [3]

[1] Murphy 1988, Mon. Weather Rev. 116, 2417; [2] J. Hydrol. 10, 282; [3] Gneiting and Raftery 2007, JASA 102, 359.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.grading import Profile

Floats = NDArray[np.float64]
RANK_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """Forecasts of a series at a lead beside what came. members: (n, m); at_issue, observed: (n,) [unit]."""

    station: str
    quantity: str
    lead_h: int
    members: Floats
    at_issue: Floats
    observed: Floats


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table of `liuyu forecast verify`; None where nothing could be judged."""

    stcd: str
    quantity: str
    lead_h: int
    n: int
    rmse: float | None = None
    mae: float | None = None
    bias: float | None = None
    rmse_persistence: float | None = None
    skill: float | None = None
    nse: float | None = None
    dc: float | None = None
    qr: float | None = None
    grade: str = ""
    crps: float | None = None


class Reliability(msgspec.Struct, frozen=True, kw_only=True):
    """How far a spread may be trusted: share of values inside the central intervals, CRPS beside that of persistence
    (its absolute error), skill of the CRPS, and the rank histogram in ten bins of equal expectation (shares)."""

    stcd: str
    quantity: str
    lead_h: int
    n: int
    coverage_50: float | None = None
    coverage_80: float | None = None
    coverage_90: float | None = None
    width_80: float | None = None
    crps: float | None = None
    crps_persistence: float | None = None
    crpss: float | None = None
    ranks: tuple[float, ...] = ()


def score(judged: Judged, profile: Profile) -> Score:
    """The scores of a series at a lead."""
    name = {"stcd": judged.station, "quantity": judged.quantity, "lead_h": judged.lead_h, "n": len(judged.observed)}
    if not len(judged.observed):
        return Score(**name)  # type: ignore[arg-type]
    observed, error = judged.observed, judged.members.mean(axis=1) - judged.observed
    change = observed - judged.at_issue
    flat, spread = float(np.mean(change**2)), float(np.sum((observed - observed.mean()) ** 2))
    squares = float(np.mean(error**2))
    dc = 1.0 - squares * len(observed) / spread if spread > 0.0 else None
    qualified = np.abs(error) <= profile.permissible(judged.quantity, change, observed) + 1e-9  # 0.1 m is 0.1 m
    qr = 100.0 * float(qualified.mean())
    return Score(
        **name,  # type: ignore[arg-type]
        rmse=squares**0.5,
        mae=float(np.mean(np.abs(error))),
        bias=float(np.mean(error)),
        rmse_persistence=flat**0.5,
        skill=1.0 - squares / flat if flat > 0.0 else None,
        nse=dc,
        dc=dc,
        qr=qr,
        grade=profile.grade(qr, dc) if dc is not None else "",
        crps=float(crps(judged.members, observed).mean()),
    )


def reliability(judged: Judged) -> Reliability:
    """How reliable the spread of a series at a lead was."""
    name = {"stcd": judged.station, "quantity": judged.quantity, "lead_h": judged.lead_h, "n": len(judged.observed)}
    if not len(judged.observed):
        return Reliability(**name)  # type: ignore[arg-type]
    members, observed = np.sort(judged.members, axis=1), judged.observed
    low, high = ({p: np.quantile(members, q, axis=1) for p, q in pairs} for pairs in _ENDS)
    inside = {p: float(((observed >= low[p]) & (observed <= high[p])).mean()) for p in low}
    mean, flat = float(crps(members, observed).mean()), float(np.mean(np.abs(observed - judged.at_issue)))
    return Reliability(
        **name,  # type: ignore[arg-type]
        coverage_50=inside[50],
        coverage_80=inside[80],
        coverage_90=inside[90],
        width_80=float((high[80] - low[80]).mean()),
        crps=mean,
        crps_persistence=flat,
        crpss=1.0 - mean / flat if flat > 0.0 else None,
        ranks=_ranks(members, observed),
    )


_ENDS = (((50, 0.25), (80, 0.1), (90, 0.05)), ((50, 0.75), (80, 0.9), (90, 0.95)))


def crps(members: Floats, observed: Floats) -> Floats:
    """Continuous ranked probability score of each forecast: members (n, m), observed (n,), to (n,) [unit].

    >>> crps(np.array([[1.0, 3.0]]), np.array([2.0])).tolist()
    [0.5]
    """
    ranked = np.sort(members, axis=1)
    count = ranked.shape[1]
    weight = 2.0 * np.arange(1, count + 1) - count - 1.0
    return np.asarray(np.abs(ranked - observed[:, None]).mean(axis=1) - (ranked @ weight) / count**2, np.float64)


def _ranks(ranked: Floats, observed: Floats) -> tuple[float, ...]:
    """Share of values in tenths of the members' order; ties and the ends count half to either side."""
    below = (ranked < observed[:, None]).sum(axis=1) + 0.5 * (ranked == observed[:, None]).sum(axis=1)
    place = (below + 0.5) / (ranked.shape[1] + 1)
    found = np.histogram(place, np.linspace(0.0, 1.0, RANK_BINS + 1))[0] / len(observed)
    return tuple(float(each) for each in found)
