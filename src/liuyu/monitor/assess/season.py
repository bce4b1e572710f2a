"""Flood-season statistics of one series: what a year's record is reduced to, so that years can be ranked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.places import Season, Threshold
from liuyu.basin.series import Series

LONGEST_HOLD = 6 * HOUR


class Exceedance(msgspec.Struct, frozen=True, kw_only=True):
    """A season against one threshold: hours on its dangerous side, the first and last time there, separate spells."""

    kind: str
    value: float
    hours: float
    first: datetime | None
    last: datetime | None
    count: int


class SeasonStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One flood season of one series. `coverage` [0, 1] is the share of the season's hours so far that are known;
    `rank` places its maximum among the seasons that were given, 1 the highest."""

    station: str
    quantity: str
    year: int
    start: datetime
    end: datetime
    count: int
    coverage: float
    maximum: float
    maximum_time: datetime
    minimum: float
    minimum_time: datetime
    mean: float
    rank: int
    exceedances: tuple[Exceedance, ...]


def season_statistics(
    series: Series, thresholds: Sequence[Threshold], zone: tzinfo, season: Season
) -> tuple[SeasonStatistics, ...]:
    """Statistics of every flood season that a series touches, oldest first; only usable values count.

    A value holds until the next, for LONGEST_HOLD [s] at most, so that a gap adds no hours. A spell ends where a value
    leaves the dangerous side. Thresholds with a season of their own count within it alone.
    """
    usable = series.usable()
    days = [moment(int(each), zone) for each in usable.time]
    inside = np.array([season.holds(day.date()) for day in days], np.bool_)
    years = np.array([_year(day, season) for day in days], np.int64)
    found = []
    for year in np.unique(years[inside]):
        rows = np.flatnonzero(inside & (years == year))
        found.append(_one(series, usable.time[rows], usable.value[rows], thresholds, zone, int(year)))
    peaks = sorted((each.maximum for each in found), reverse=True)
    return tuple(msgspec.structs.replace(each, rank=peaks.index(each.maximum) + 1) for each in found)


def _year(day: datetime, season: Season) -> int:
    """The year in which the day's season began."""
    over_new_year = season.start > season.end
    return day.year - 1 if over_new_year and (day.month, day.day) <= season.end else day.year


def _one(
    series: Series,
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    thresholds: Sequence[Threshold],
    zone: tzinfo,
    year: int,
) -> SeasonStatistics:
    held = np.minimum(np.diff(time, append=time[-1] + HOUR), LONGEST_HOLD) / HOUR
    top, bottom = int(np.argmax(value)), int(np.argmin(value))
    return SeasonStatistics(
        station=series.station,
        quantity=series.quantity,
        year=year,
        start=moment(int(time[0]), zone),
        end=moment(int(time[-1]), zone),
        count=len(time),
        coverage=round(float(held.sum() * HOUR / (time[-1] - time[0] + HOUR)), 4),
        maximum=float(value[top]),
        maximum_time=moment(int(time[top]), zone),
        minimum=float(value[bottom]),
        minimum_time=moment(int(time[bottom]), zone),
        mean=round(float(np.average(value, weights=held)), 6),
        rank=0,
        exceedances=tuple(_against(each, time, value, held, zone) for each in thresholds),
    )


def _against(
    line: Threshold, time: NDArray[np.int64], value: NDArray[np.float64], held: NDArray[np.float64], zone: tzinfo
) -> Exceedance:
    beyond = value >= line.value if line.side == "above" else value <= line.value
    if line.season is not None:
        beyond &= np.array([line.season.holds(moment(int(each), zone).date()) for each in time], np.bool_)
    spells = int((np.diff(beyond.astype(np.int8), prepend=0) == 1).sum())
    rows = np.flatnonzero(beyond)
    return Exceedance(
        kind=line.kind,
        value=line.value,
        hours=round(float(held[beyond].sum()), 3),
        first=moment(int(time[rows[0]]), zone) if rows.size else None,
        last=moment(int(time[rows[-1]]), zone) if rows.size else None,
        count=spells,
    )
