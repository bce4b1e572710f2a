"""What an ensemble says about one line: how likely it is crossed by when, at what time, and how high the water gets."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.records import Forecast

LEADS_H = (6, 12, 24, 36, 48, 72, 96, 120, 144, 168, 192, 216, 240)
_INTERVAL = (0.1, 0.5, 0.9)


class Crest(msgspec.Struct, frozen=True, kw_only=True):
    """The highest value of an ensemble within a horizon, the lowest where the danger lies below.

    `heights` [unit of the quantity] and `times` [s UTC, whole hours]: 80 % of the members lie between the first and the
    last, half below the second. `open` is the share of members that are at their highest at the very end: for them the
    peak may still be to come, and its time is only the earliest possible.
    """

    heights: tuple[float, float, float]
    times: tuple[int, int, int]
    open: float


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A line against an ensemble.

    `times` are the early, median and late time of crossing [s UTC], whole hours; None where no member crosses.
    `chances` pairs leads [h] with the chance of a crossing by then.
    """

    chance: float
    times: tuple[int, int, int] | None
    chances: tuple[tuple[int, float], ...]
    crest: Crest

    @property
    def peak(self) -> float:
        """Median of the highest value [unit of the quantity]."""
        return self.crest.heights[1]

    @property
    def peak_time(self) -> int:
        """Median of the time of the highest value [s UTC]."""
        return self.crest.times[1]


def crossing(forecast: Forecast, line: float, *, horizon_h: int = 168, side: str = "above") -> Crossing:
    """Chance, time and height of a crossing within a horizon.

    The chance is the share of members that are beyond `line` [unit] at any time of the horizon. The time is the median
    over the members that cross, each interpolated between its steps; 80 % of those lie between early and late.

    Args:
        forecast: members (m, n) [unit] at times (n,) [s UTC].
        line: the value that counts as crossed [unit].
        horizon_h: hours after the issue that count.
        side: "above" or "below": where the danger lies.
    """
    sign = 1.0 if side == "above" else -1.0
    issued = epoch(forecast.issued)
    within = forecast.time <= issued + horizon_h * HOUR
    time, members = forecast.time[within], sign * forecast.members[:, within]
    if not len(time):
        return Crossing(chance=0.0, times=None, chances=(), crest=_no_crest(issued))
    beyond = members > sign * line
    crosses = beyond.any(axis=1)
    when = _first_times(time, members[crosses], beyond[crosses], sign * line)
    early, median, late = (_hour(each) for each in np.quantile(when, _INTERVAL)) if len(when) else (0, 0, 0)
    return Crossing(
        chance=float(crosses.mean()),
        times=(early, median, late) if len(when) else None,
        chances=_by_lead(time - issued, beyond, (lead for lead in LEADS_H if lead <= horizon_h)),
        crest=_crest(time, members, sign),
    )


def crest(forecast: Forecast, *, horizon_h: int = 240, side: str = "above") -> Crest:
    """The highest value of the members within a horizon [h], the lowest where `side` is "below", and when."""
    sign = 1.0 if side == "above" else -1.0
    within = forecast.time <= epoch(forecast.issued) + horizon_h * HOUR
    if not within.any():
        return _no_crest(epoch(forecast.issued))
    return _crest(forecast.time[within], sign * forecast.members[:, within], sign)


def _crest(time: NDArray[np.int64], members: NDArray[np.float64], sign: float) -> Crest:
    low, median, high = np.quantile(members.max(axis=1), _INTERVAL)
    place = members.argmax(axis=1)
    early, usual, late = (_hour(each) for each in np.quantile(time[place], _INTERVAL))
    heights = (float(low), float(median), float(high)) if sign > 0 else (-float(high), -float(median), -float(low))
    return Crest(heights=heights, times=(early, usual, late), open=float((place == len(time) - 1).mean()))


def _no_crest(issued: int) -> Crest:
    return Crest(heights=(np.nan, np.nan, np.nan), times=(issued, issued, issued), open=0.0)


def _by_lead(
    elapsed: NDArray[np.int64], beyond: NDArray[np.bool_], leads: Iterable[int]
) -> tuple[tuple[int, float], ...]:
    """The share of members that have been beyond the line by each lead [h]; leads past the last step are left out."""
    share = np.logical_or.accumulate(beyond, axis=1).mean(axis=0)
    last = int(elapsed[-1])
    steps = ((lead, int(np.searchsorted(elapsed, lead * HOUR, side="right"))) for lead in leads if lead * HOUR <= last)
    return tuple((lead, float(share[step - 1]) if step else 0.0) for lead, step in steps)


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
    return round(float(seconds) / HOUR) * HOUR
