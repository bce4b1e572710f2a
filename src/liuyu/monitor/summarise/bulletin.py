"""The forecast bulletin (水情预报): what was issued last, station by station, with what it rests on and its grade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import numpy as np

import liuyu
from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.errors import NotFound
from liuyu.basin.events import ForecastRun, Notice, newest, record
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast
from liuyu.monitor.summarise.contents import Grade, Logged, Text
from liuyu.monitor.summarise.grading import grade_series, profile
from liuyu.monitor.summarise.period import Period, text_of
from liuyu.store.interface import Store

DAYS = (1, 2, 3, 5, 7)
_JUDGED_DAYS = 15
_PLACE = {"water_level": 0, "reservoir_inflow": 1, "discharge": 2}


class Crest(Protocol):
    """Heights [unit] and times [s UTC], each early or low, median, late or high; `open` still rise at the end."""

    @property
    def heights(self) -> tuple[float, float, float]:
        """Low, median and high [unit]."""
        ...

    @property
    def times(self) -> tuple[int, int, int]:
        """Early, median and late [s UTC]."""
        ...

    @property
    def open(self) -> float:
        """Share of members still at their highest at the end."""
        ...


class Crossing(Protocol):
    """What an ensemble says of a line."""

    @property
    def chance(self) -> float:
        """Share of members that cross [0, 1]."""
        ...

    @property
    def times(self) -> tuple[int, int, int] | None:
        """Early, median and late time of crossing [s UTC]; None where no member crosses."""
        ...

    @property
    def crest(self) -> Crest:
        """The peak."""
        ...


class Cross(Protocol):
    """Holds a forecast against a line; `liuyu.outlook.warn.crossing` does."""

    def __call__(self, forecast: Forecast, line: float, *, horizon_h: int, side: str) -> Crossing:
        """What the ensemble says of a line [unit] within some hours."""
        ...


@dataclass(frozen=True, slots=True)
class Value:
    """A value to come at 8:00 of a day: median and 80 % range [unit]."""

    time: int
    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line: how far the expected peak stands beyond it [unit], the chance of reaching it, and when.

    `passed` where the river stands beyond it already when the forecast is issued.
    """

    kind: str
    value: float
    side: str
    beyond: float
    chance: float
    times: tuple[int, int, int] | None
    passed: bool


@dataclass(frozen=True, slots=True)
class Foretold:
    """The forecast of one quantity of one station.

    `now` and `day_before` are the values at issue and a day earlier. `skill` are rows of the model's verification,
    `grades` those of the issues of the last days in this log.
    """

    station: str
    name: Text
    river: str
    quantity: str
    unit: str
    now: tuple[int, float] | None
    day_before: float | None
    values: tuple[Value, ...]
    heights: tuple[float, float, float]
    times: tuple[int, int, int]
    open: float
    lines: tuple[Line, ...]
    inputs: tuple[Mapping[str, Any], ...]
    skill: tuple[Mapping[str, Any], ...]
    grades: tuple[Grade, ...]


@dataclass(frozen=True, slots=True)
class Bulletin:
    """A whole bulletin. `valid` are the times of its values; `notices` are in force when it is issued."""

    basin: Text
    code: str
    time_zone: str
    synthetic: bool
    issued: int
    until: int
    model: str
    parameters: str
    members: int
    valid: tuple[int, ...]
    rows: tuple[Foretold, ...]
    notices: tuple[tuple[int, Notice], ...]
    assumption: Text
    missing: tuple[Mapping[str, Any], ...]
    names: Mapping[str, Text]
    grading: str
    attribution: Text
    version: str
    log: tuple[Logged, ...]


def bulletin(basin: Basin, store: Store, at: int, cross: Cross, stations: Sequence[str] = ()) -> Bulletin:
    """The bulletin of the newest forecast issued at or before a time [s UTC].

    Of the stations named; without any of the main ones (rank 1), of all where no main one is forecast. Only what the
    store holds goes in. Raises NotFound where nothing was issued so far, or for none of the stations.
    """
    runs = store.events(kinds=["forecast"], end=at + 1, newest_first=True, limit=1)
    if not runs:
        raise NotFound("no forecast was issued so far; ask for a later moment, or run the twin on")
    run = record(runs[0], ForecastRun)
    issued = epoch(run.issued)
    found = _chosen(basin, store.forecasts(issued, issued + 1), run.model, stations)
    if not found:
        asked = ", ".join(stations) or "any station"
        raise NotFound(f"the forecast of {run.issued:%Y-%m-%d %H:%M}Z holds nothing for {asked}; leave the choice out")
    valid = _mornings(basin, issued, int(found[0].time[-1]))
    period = Period(basin, store, issued - _JUDGED_DAYS * DAY, issued + 1)
    rows = tuple(_row(period, each, valid, cross) for each in found)
    codes = {each.station for each in rows}
    told = [each for each in newest(store.events(kinds=["notice"], end=issued + 1)).values() if each.subject in codes]
    standing = [each for each in told if each.state in {"issued", "updated"}]
    cited = [runs[0], *standing]
    return Bulletin(
        basin={"zh": basin.name, "en": basin.name_en},
        code=basin.code,
        time_zone=basin.time_zone,
        synthetic=basin.synthetic,
        issued=issued,
        until=int(found[0].time[-1]),
        model=run.model,
        parameters=found[0].provenance.parameters,
        members=len(found[0].members),
        valid=valid,
        rows=rows,
        notices=tuple((each.seq, record(each, Notice)) for each in standing),
        assumption=found[0].drivers.get("assumption", {}),
        missing=tuple(each for each in found[0].drivers.get("missing", ()) if isinstance(each, Mapping)),
        names={each.code: text_of(basin, each.code) for each in basin.stations},
        grading=profile().name,
        attribution={"zh": basin.attribution_zh or basin.attribution, "en": basin.attribution},
        version=liuyu.__version__,
        log=tuple(Logged(each.seq, epoch(each.time), each.kind, each.id, each.state) for each in cited),
    )


def _chosen(basin: Basin, found: Sequence[Forecast], model: str, stations: Sequence[str]) -> list[Forecast]:
    """Forecasts of the run for the stations wanted: levels and inflows first, in the order of the roster."""
    mine = [each for each in found if each.model == model and each.quantity in _PLACE]
    main = {each.code for each in basin.stations if each.rank == 1}
    wanted = set(stations) or ({each.station for each in mine} & main) or {each.station for each in mine}
    number = basin.roster.number
    kept = [each for each in mine if each.station in wanted]
    return sorted(kept, key=lambda each: (number[each.station], _PLACE[each.quantity]))


def _mornings(basin: Basin, issued: int, last: int) -> tuple[int, ...]:
    """8:00 of the days after the issue, the hour at which the field tells values, as far as the forecast goes."""
    here = moment(issued, basin.zone).replace(hour=8, minute=0, second=0, microsecond=0)
    first = here if epoch(here) > issued else here + timedelta(days=1)
    times = (epoch(first + timedelta(days=day - 1)) for day in DAYS)
    return tuple(each for each in times if each <= last)


def _row(period: Period, forecast: Forecast, valid: Sequence[int], cross: Cross) -> Foretold:
    basin, station, name = period.basin, forecast.station, forecast.quantity
    issued = epoch(forecast.issued)
    observed = period.series(station, name)
    before = int(np.searchsorted(observed.time, issued - DAY, side="right")) - 1
    fresh = len(observed) > 0 and issued - int(observed.time[-1]) <= DAY
    day = forecast.issued.astimezone(basin.zone).date()
    lines = basin.thresholds_of(station, name, day)
    horizon = int(forecast.time[-1] - issued) // HOUR
    crossed = [(each, cross(forecast, each.value, horizon_h=horizon, side=each.side)) for each in lines]
    here = float(observed.value[-1]) if fresh else None
    highest = cross(forecast, np.inf, horizon_h=horizon, side="above").crest
    low, median, high = forecast.quantile((0.1, 0.5, 0.9))
    places = [int(np.searchsorted(forecast.time, each)) for each in valid]
    return Foretold(
        station=station,
        name=text_of(basin, station),
        river=basin.station_by_code[station].river,
        quantity=name,
        unit=quantity(name).unit,
        now=None if here is None else (int(observed.time[-1]), here),
        day_before=float(observed.value[before]) if fresh and before >= 0 else None,
        values=tuple(
            Value(at, float(low[place]), float(median[place]), float(high[place]))
            for at, place in zip(valid, places, strict=True)
        ),
        heights=highest.heights,
        times=highest.times,
        open=highest.open,
        lines=tuple(
            Line(
                each.kind,
                each.value,
                each.side,
                found.crest.heights[1] - each.value,
                found.chance,
                found.times,
                here is not None and (here >= each.value if each.side == "above" else here <= each.value),
            )
            for each, found in crossed
        ),
        inputs=tuple(each for each in forecast.drivers.get("inputs", ()) if isinstance(each, Mapping)),
        skill=tuple(each for each in forecast.drivers.get("skill", ()) if isinstance(each, Mapping)),
        grades=tuple(grade_series(period, station, name)),
    )
