"""Peaks, judged per issued trajectory: height and time together, persistence beside.

A trajectory counts where a peak came within it: the highest observed value of the horizon lies between its ends, no
lower than the values around it, and clearly above the value at issue. The forecast's peak is the highest value of the
mean of its members. A peak is met where its height is within the permissible error of the observed rise and its time
within that of the lead. Persistence says that the value at issue is the highest, and that it is reached now.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.grading import Profile

Floats = NDArray[np.float64]
BANDS = ((1, 24), (25, 72), (73, 120), (121, 240))
_EDGE_H = 6
_KNOWN = 0.8


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The peak of one issued trajectory: hours after issue, heights [unit], and whether it was met."""

    stcd: str
    quantity: str
    issued: int
    at_issue: float
    observed_h: int
    observed: float
    forecast_h: int
    forecast: float
    met: bool
    met_by_persistence: bool


class PeakScore(msgspec.Struct, frozen=True, kw_only=True):
    """Peaks of a series that came some hours after issue: errors of height [unit] and time [h], share met [%]."""

    stcd: str
    quantity: str
    lead_from_h: int
    lead_to_h: int
    n: int
    height_rmse: float
    height_bias: float
    time_rmse_h: float
    time_bias_h: float
    met: float
    height_rmse_persistence: float
    time_rmse_persistence_h: float
    met_persistence: float


def find_peak(
    station: str, quantity: str, issued: int, at_issue: float, trajectory: Floats, observed: Floats, profile: Profile
) -> Peak | None:
    """The peak of a trajectory (hours,) beside what came (hours,), NaN where unknown; None where no peak came."""
    real = np.isfinite(observed)
    if real.mean() < _KNOWN:
        return None
    top = int(np.nanargmax(observed))
    height = float(observed[top])
    rise = height - at_issue
    least = float(profile.permissible(quantity, np.array(0.0), np.array(height)))
    inside = _EDGE_H <= top < len(observed) - _EDGE_H
    last = observed[real][-1]
    if not inside or rise <= 2.0 * least or height - last <= least:
        return None
    hour = int(np.argmax(trajectory))
    allowed = float(profile.permissible(quantity, np.array(rise), np.array(height)))
    allowed_h = float(profile.permissible_time(np.array(top + 1.0)))
    met = abs(float(trajectory[hour]) - height) <= allowed and abs(hour - top) <= allowed_h
    return Peak(
        stcd=station,
        quantity=quantity,
        issued=issued,
        at_issue=at_issue,
        observed_h=top + 1,
        observed=height,
        forecast_h=hour + 1,
        forecast=float(trajectory[hour]),
        met=met,
        met_by_persistence=rise <= allowed and top + 1 <= allowed_h,
    )


def score_peaks(peaks: Sequence[Peak]) -> tuple[PeakScore, ...]:
    """Scores by series and by how long after issue the peak came."""
    found = []
    for key in dict.fromkeys((each.stcd, each.quantity) for each in peaks):
        for low, high in BANDS:
            mine = [each for each in peaks if (each.stcd, each.quantity) == key and low <= each.observed_h <= high]
            if mine:
                found.append(_score(key, low, high, mine))
    return tuple(found)


def _score(key: tuple[str, str], low: int, high: int, mine: Sequence[Peak]) -> PeakScore:
    height = np.array([each.forecast - each.observed for each in mine])
    hours = np.array([each.forecast_h - each.observed_h for each in mine], np.float64)
    flat = np.array([each.at_issue - each.observed for each in mine])
    now = np.array([each.observed_h for each in mine], np.float64)
    return PeakScore(
        stcd=key[0],
        quantity=key[1],
        lead_from_h=low,
        lead_to_h=high,
        n=len(mine),
        height_rmse=_rms(height),
        height_bias=float(height.mean()),
        time_rmse_h=_rms(hours),
        time_bias_h=float(hours.mean()),
        met=100.0 * float(np.mean([each.met for each in mine])),
        height_rmse_persistence=_rms(flat),
        time_rmse_persistence_h=_rms(now),
        met_persistence=100.0 * float(np.mean([each.met_by_persistence for each in mine])),
    )


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(values**2)))
