"""What a data-driven forecast reads of the last hours, for one issue or for many at once.

now        every series at issue
change     every series now less some hours ago, dense in the last hours
season     two harmonics of the year
week       two harmonics of the day and the day of the week: power is wanted by the clock
state      changes times the level of the pivot gauge: rivers answer otherwise when they are high
tide       harmonics of the main constituents, and the same times the level of the tidal gauge: floods drown the tide
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR

Floats = NDArray[np.float64]
Target = tuple[str, str]

CONSTITUENTS_H = (
    12.4206012,
    12.0,
    12.65834751,
    23.93447213,
    25.81933871,
    354.3670666,
    327.8599387,
    11.96723606,
    26.86835,
)
"""Periods [h] of M2, S2, N2, K1, O1, MSf, Mf, K2, Q1 (Doodson and Warburg 1941, Admiralty Manual of Tides)."""
_YEAR = 365.2425 * DAY


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What is read and how strongly it is held back.

    `pivot` and `tidal` name gauges by station, each by its water level with a centre and a spread [m]; without a tidal
    gauge there is no tide. `penalty` is the ridge penalty per issue on standardised features a day ahead; it grows with
    the lead to the power `growth`, for what comes later is less sure, and is `state_factor` times as large for changes
    times the pivot's level. `clock_h` is how far the clock of the basin is ahead of UTC.
    """

    pivot: str
    pivot_range: tuple[float, float] = (0.0, 1.0)
    tidal: str = ""
    tidal_range: tuple[float, float] = (0.0, 1.0)
    lags_h: tuple[int, ...] = (1, 2, 3, 4, 6, 9, 12, 18, 24, 30, 36, 48, 60, 72)
    state_lags_h: tuple[int, ...] = (6, 12, 24, 48, 72)
    leads_h: tuple[int, ...] = (1, 6, 12, 24, 48, 72, 120, 168)
    penalty: float = 0.03
    growth: float = 1.3
    state_factor: float = 30.0
    clock_h: float = 0.0

    def penalties(self, series: int) -> Floats:
        """Penalty of each feature at each lead: (leads, k)."""
        factor = np.array([self.state_factor if kind == "state" else 1.0 for kind in blocks(series, self)])
        leads = self.penalty * (np.array(self.leads_h) / 24.0) ** self.growth
        return np.asarray(leads[:, None] * factor, np.float64)


def features(value: Floats, now: NDArray[np.int64], series: tuple[Target, ...], recipe: Recipe) -> Floats:
    """The features of n issues: (n, k).

    value: (n, series, hours) hourly values without gaps, the last at issue [unit]; now: (n,) [s UTC].
    """
    here = value[:, :, -1]
    parts = [here, *(here - value[:, :, -1 - lag] for lag in recipe.lags_h), _season(now), _week(now, recipe.clock_h)]
    high = _level(here, series, recipe.pivot, recipe.pivot_range)
    parts += [high * (here - value[:, :, -1 - lag]) for lag in recipe.state_lags_h]
    if recipe.tidal:
        tide = _harmonics(now / HOUR, CONSTITUENTS_H)
        parts += [tide, tide * _level(here, series, recipe.tidal, recipe.tidal_range)]
    return np.concatenate(parts, axis=1)


def blocks(series: int, recipe: Recipe) -> tuple[str, ...]:
    """The kind of each feature, in the order of `features`."""
    count = {"now": series, "change": series * len(recipe.lags_h), "season": 4, "week": 11}
    count |= {"state": series * len(recipe.state_lags_h), "tide": 4 * len(CONSTITUENTS_H) if recipe.tidal else 0}
    return tuple(kind for kind, many in count.items() for _ in range(many))


def _season(now: NDArray[np.int64]) -> Floats:
    return _harmonics(now.astype(np.float64), (_YEAR, _YEAR / 2.0))


def _week(now: NDArray[np.int64], clock_h: float) -> Floats:
    clock = now + round(clock_h * HOUR)
    day = np.eye(7)[(clock // DAY + 3) % 7]
    return np.concatenate([_harmonics(clock / HOUR, (24.0, 12.0)), day], axis=1)


def _harmonics(time: Floats, periods: tuple[float, ...]) -> Floats:
    angle = 2.0 * np.pi * time[:, None] / np.array(periods)
    return np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _level(here: Floats, series: tuple[Target, ...], station: str, bounds: tuple[float, float]) -> Floats:
    centre, spread = bounds
    return (here[:, [series.index((station, "water_level"))]] - centre) / spread
