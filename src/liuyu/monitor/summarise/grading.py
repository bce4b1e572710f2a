"""How good the forecasts were: every issue of the period against what was then observed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, leading
from liuyu.basin.series import Series
from liuyu.monitor.summarise.contents import Grade, Track
from liuyu.monitor.summarise.period import Period, at_times, codes, text_of

Floats = NDArray[np.float64]
_FEWEST = 3
TRACK_H = 72


class Permissible(msgspec.Struct, frozen=True):
    """Permissible error: a share of the observed change, and its floors."""

    share_of_change: float
    floor_level_m: float
    floor_discharge: float


class GradeLimit(msgspec.Struct, frozen=True):
    """A grade and what a series of forecasts must reach for it."""

    name: str
    name_en: str
    qualified: float
    determination: float


class Profile(msgspec.Struct, frozen=True, rename={"grades": "grade"}):
    """A grading table, by name and version."""

    name: str
    version: str
    leads_h: tuple[int, ...]
    permissible: Permissible
    grades: tuple[GradeLimit, ...]


@cache
def profile(name: str = "gbt22482-2008") -> Profile:
    """The grading table of a name, from `profiles/`."""
    text = files("liuyu.monitor.summarise").joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), Profile)


@dataclass(frozen=True, slots=True)
class Graded:
    """Grades of every forecast series by lead, tracks, the number of issues, the models that made them."""

    grades: tuple[Grade, ...]
    tracks: tuple[Track, ...]
    issues: int
    models: tuple[str, ...]


def grade(period: Period) -> Graded:
    """Hold every forecast of the period against what was observed.

    Station by station, so that no more than one station's ensembles are in memory at once.
    """
    found: list[Grade] = []
    tracks: list[Track] = []
    issues: set[int] = set()
    models: set[str] = set()
    for station in codes(period.basin):
        by_series: dict[str, list[Forecast]] = {}
        for forecast in leading(period.store.forecasts(period.start, period.end, station=station)):
            by_series.setdefault(forecast.quantity, []).append(forecast)
            issues.add(epoch(forecast.issued))
            models.add(f"{forecast.model} ({forecast.provenance.version})")
        for name in sorted(by_series):
            found += _grade_series(period, station, name, by_series[name])
        if period.basin.station_by_code[station].rank == 1 and "water_level" in by_series:
            tracks.append(_track(period, station, by_series["water_level"]))
    return Graded(tuple(found), tuple(tracks), len(issues), tuple(sorted(models)))


def grade_series(period: Period, station: str, name: str) -> list[Grade]:
    """One series of one station by lead, every issue of the period together."""
    issues = leading(period.store.forecasts(period.start, period.end, station=station))
    return _grade_series(period, station, name, [each for each in issues if each.quantity == name])


def _track(period: Period, station: str, forecasts: list[Forecast]) -> Track:
    issued, members = _at_lead(forecasts, TRACK_H * HOUR)
    low, median, high = np.nanquantile(members, (0.1, 0.5, 0.9), axis=1) if len(members) else np.empty((3, 0))
    return Track(station, text_of(period.basin, station), TRACK_H, issued + TRACK_H * HOUR, low, median, high)


def _grade_series(period: Period, station: str, name: str, forecasts: list[Forecast]) -> list[Grade]:
    observed = period.series(station, name)
    if not len(observed):
        return []
    rows = [_grade(period, station, name, forecasts, observed, lead) for lead in profile().leads_h]
    return [each for each in rows if each is not None]


def _grade(
    period: Period, station: str, name: str, forecasts: list[Forecast], observed: Series, lead: int
) -> Grade | None:
    issued, members = _at_lead(forecasts, lead * HOUR)
    then, now = at_times(observed, issued + lead * HOUR), at_times(observed, issued)
    known = np.isfinite(then) & np.isfinite(now)
    if known.sum() < _FEWEST:
        return None
    then, now, members = then[known], now[known], members[known]
    error, reference = np.nanmedian(members, axis=1) - then, now - then
    spread = float(((then - then.mean()) ** 2).sum())
    determination = 1 - float((error**2).sum()) / spread if spread > 0 else np.nan
    qualified = float((np.abs(error) <= permissible(name, then, now)).mean())
    mse, mse_reference = float((error**2).mean()), float((reference**2).mean())
    return Grade(
        station=station,
        name=text_of(period.basin, station),
        quantity=name,
        unit=quantity(name).unit,
        lead_h=lead,
        n=len(then),
        rmse=mse**0.5,
        bias=float(error.mean()),
        persistence=mse_reference**0.5,
        skill=1 - mse / mse_reference if mse_reference > 0 else np.nan,
        qualified=qualified,
        determination=determination,
        crps=float(crps(members, then).mean()),
        grade=grade_of(qualified, determination),
    )


def _at_lead(forecasts: list[Forecast], lead: int) -> tuple[NDArray[np.int64], Floats]:
    """The forecasts that have a value exactly `lead` [s] ahead.

    Returns issue times (n,) [s UTC] and members (n, m), NaN where a forecast has fewer than the largest.
    """
    issued, columns = [], []
    for forecast in forecasts:
        start = epoch(forecast.issued)
        at = int(np.searchsorted(forecast.time, start + lead))
        if at < len(forecast.time) and forecast.time[at] == start + lead:
            issued.append(start)
            columns.append(forecast.members[:, at])
    members = np.full((len(columns), max(map(len, columns), default=0)), np.nan)
    for row, column in enumerate(columns):
        members[row, : len(column)] = column
    return np.asarray(issued, np.int64), members


def permissible(name: str, then: Floats, now: Floats) -> Floats:
    """Permissible error of each forecast [unit]: 20 % of the observed change over the lead, with a floor.

    Source: GB/T 22482-2008 as reported; see the profile for what is not verified.
    """
    table = profile().permissible
    floor = np.full(len(then), table.floor_level_m) if name == "water_level" else table.floor_discharge * np.abs(then)
    return np.maximum(table.share_of_change * np.abs(then - now), floor)


def grade_of(qualified: float, determination: float) -> str:
    """The best grade whose limits are both reached; a DC that cannot be computed does not count against it."""
    for each in profile().grades:
        if qualified >= each.qualified and not determination < each.determination:
            return each.name
    return profile().grades[-1].name


def crps(members: Floats, value: Floats) -> Floats:
    """Continuous ranked probability score of each of n ensembles: E|X - y| - E|X - X'| / 2, (n,) [unit].

    Args:
        members: (n, m) [unit], NaN where there is no member.
        value: what was observed, (n,) [unit].

    Source: Gneiting and Raftery 2007, J. Am. Stat. Assoc. 102, eq. 21, members taken as the distribution itself.

    >>> crps(np.array([[1.0, 3.0]]), np.array([2.0])).tolist()
    [0.5]
    """
    ordered = np.sort(members, axis=1)
    count = np.isfinite(ordered).sum(axis=1)
    weight = 2.0 * np.arange(1, members.shape[1] + 1) - count[:, None] - 1
    spread = np.nansum(weight * ordered, axis=1) / count**2
    scores: Floats = np.nanmean(np.abs(ordered - value[:, None]), axis=1) - spread
    return scores
