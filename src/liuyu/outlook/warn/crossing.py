"""What an ensemble says about one line: how likely it is crossed, when, and how high the water gets."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.records import Forecast


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A line against an ensemble.

    `times` are the early, median and late time of crossing [s UTC], whole hours; None where no member crosses. `peak`
    is in the unit of the quantity.
    """

    chance: float
    times: tuple[int, int, int] | None
    peak: float
    peak_time: int


def crossing(forecast: Forecast, line: float, *, horizon_h: int = 168, side: str = "above") -> Crossing:
    """Chance, time and height of a crossing within a horizon.

    The chance is the share of members that are beyond `line` [unit] at any time of the horizon. The time is the median
    over the members that cross, each interpolated between its steps; 80 % of those lie between early and late. `peak`
    is the median over members of the highest value (the lowest where `side` is "below"), `peak_time` the median of
    when.

    Args:
        forecast: members (m, n) [unit] at times (n,) [s UTC].
        line: the value that counts as crossed [unit].
        horizon_h: hours after the issue that count.
        side: "above" or "below": where the danger lies.
    """
    sign = 1.0 if side == "above" else -1.0
    within = forecast.time <= epoch(forecast.issued) + horizon_h * HOUR
    time, members = forecast.time[within], sign * forecast.members[:, within]
    if not len(time):
        return Crossing(chance=0.0, times=None, peak=np.nan, peak_time=epoch(forecast.issued))
    beyond = members > sign * line
    crosses = beyond.any(axis=1)
    when = _first_times(time, members[crosses], beyond[crosses], sign * line)
    early, median, late = np.quantile(when, (0.1, 0.5, 0.9)) if len(when) else (0.0, 0.0, 0.0)
    return Crossing(
        chance=float(crosses.mean()),
        times=(_hour(early), _hour(median), _hour(late)) if len(when) else None,
        peak=float(sign * np.median(members.max(axis=1))),
        peak_time=_hour(float(np.median(time[members.argmax(axis=1)]))),
    )


def _first_times(
    time: NDArray[np.int64], members: NDArray[np.float64], beyond: NDArray[np.bool_], line: float
) -> NDArray[np.float64]:
    """The moment at which each member first meets the line, (m,) [s UTC], linear between steps."""
    first = beyond.argmax(axis=1)
    before = np.maximum(first - 1, 0)
    rows = np.arange(len(first))
    low, high = members[rows, before], members[rows, first]
    rise = np.where(high > low, high - low, 1.0)
    share = np.where(first > before, np.clip((line - low) / rise, 0.0, 1.0), 1.0)
    found: NDArray[np.float64] = time[before] + share * (time[first] - time[before])
    return found


def _hour(seconds: float) -> int:
    return round(seconds / HOUR) * HOUR
