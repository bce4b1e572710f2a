"""What the duty officer has before him at a moment: the water and its last day, what is expected, what is under way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

import liuyu
from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event, Incident, newest, record
from liuyu.basin.places import Basin, Reservoir, Station
from liuyu.basin.series import Series
from liuyu.monitor.summarise.bulletin import Bulletin, Cross, bulletin
from liuyu.monitor.summarise.contents import AlertSpan, Flood, IncidentCourse, Logged, NoticeCourse, Silence, Text
from liuyu.monitor.summarise.courses import alerts, incidents, notices
from liuyu.monitor.summarise.data_quality import silences
from liuyu.monitor.summarise.decisions import DispatchCourse, ResponseCourse, dispatches, responses
from liuyu.monitor.summarise.period import Period, text_of
from liuyu.monitor.summarise.water import floods
from liuyu.store.interface import Store

_STEADY = 0.005  # [m/h] below which a level counts as steady
_FRESH = DAY
OVER = ("done", "cancelled")
"""States of a task about which nothing is left to do."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A value now, and what it was six hours and a day before; None where nothing was usable [unit]."""

    time: int
    value: float
    six_before: float | None
    day_before: float | None

    @property
    def change(self) -> float | None:
        """Over the last day [unit]."""
        return None if self.day_before is None else self.value - self.day_before

    @property
    def tendency(self) -> int:
        """1 rising, -1 falling, 0 steady over the last six hours."""
        if self.six_before is None or abs(self.value - self.six_before) < 6 * _STEADY:
            return 0
        return 1 if self.value > self.six_before else -1


@dataclass(frozen=True, slots=True)
class Gauge:
    """A station: its level against the lines in force that day, and its discharge."""

    station: str
    name: Text
    river: str
    level: Reading
    lines: Mapping[str, float]
    discharge: Reading | None

    def above(self, kind: str) -> float | None:
        """How far the level stands above a line [m], None where there is no such line."""
        return self.level.value - self.lines[kind] if kind in self.lines else None


@dataclass(frozen=True, slots=True)
class Pool:
    """A reservoir: level, inflow, outflow, and the volume in it by the curve [m3], now and a day before."""

    name: Text
    level: Reading | None
    inflow: Reading | None
    outflow: Reading | None
    lines: Mapping[str, float]
    storage: float | None
    stored_in_day: float | None


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything that a bulletin of the duty room shows. Times [s UTC]."""

    basin: Text
    code: str
    time_zone: str
    synthetic: bool
    at: int
    gauges: tuple[Gauge, ...]
    pools: tuple[Pool, ...]
    alerts: tuple[AlertSpan, ...]
    notices: tuple[NoticeCourse, ...]
    incidents: tuple[IncidentCourse, ...]
    responses: tuple[ResponseCourse, ...]
    dispatches: tuple[DispatchCourse, ...]
    floods: tuple[Flood, ...]
    silences: tuple[Silence, ...]
    forecast: Bulletin | None
    attribution: Text
    version: str
    log: tuple[Logged, ...]

    @property
    def current(self) -> IncidentCourse | None:
        """The incident that is open, the latest where there are several."""
        still = [each for each in self.incidents if each.closed is None]
        return max(still, key=lambda each: each.opened, default=None)

    @property
    def in_force(self) -> tuple[ResponseCourse, ...]:
        """Responses with a level in force."""
        return tuple(each for each in self.responses if each.moves and each.moves[-1].level)


def watch(basin: Basin, store: Store, at: int, cross: Cross) -> Watch:
    """What there is at a moment [s UTC]: only what the store held by then goes in."""
    period = Period(basin, store, at - DAY, at + 1)
    told = newest(store.events(kinds=["incident"], end=at + 1)).values()
    opened = min((epoch(record(each, Incident).opened) for each in told if each.state != "closed"), default=at)
    since = period if opened >= period.start else Period(basin, store, opened - DAY, at + 1)
    cases = incidents(since)
    ordered, acted, warned = dispatches(since), responses(since), notices(since)
    spans = tuple(each for each in alerts(period) if each.end is None)
    numbered = floods(since)
    try:
        expected = bulletin(basin, store, at, cross)
    except NotFound:
        expected = None
    cited = {each.seq for each in spans} | {each.seq for each in numbered}
    cited |= {seq for each in ordered for seq in each.seqs}
    cited |= {seq for each in warned if each.outcome == "" for seq in each.seqs}
    cited |= {move.seq for each in acted for move in each.moves}
    cited |= {entry.seq for each in cases for entry in each.entries if entry.time > at - DAY}
    cited |= {seq for each in cases for task in each.tasks if task.state not in OVER for seq in task.seqs}
    events = {each.seq: each for each in (*since.earlier, *since.events)}
    return Watch(
        basin={"zh": basin.name, "en": basin.name_en},
        code=basin.code,
        time_zone=basin.time_zone,
        synthetic=basin.synthetic,
        at=at,
        gauges=tuple(_gauges(period)),
        pools=tuple(each for place in basin.reservoirs if (each := _pool(period, place)) is not None),
        alerts=spans,
        notices=tuple(each for each in warned if each.outcome == ""),
        incidents=cases,
        responses=acted,
        dispatches=ordered,
        floods=numbered,
        silences=tuple(each for each in silences(period) if each.returned is None),
        forecast=expected,
        attribution={"zh": basin.attribution_zh or basin.attribution, "en": basin.attribution},
        version=liuyu.__version__,
        log=_log(events[seq] for seq in sorted(cited) if seq in events),
    )


def _log(events: Iterable[Event]) -> tuple[Logged, ...]:
    return tuple(Logged(each.seq, epoch(each.time), each.kind, each.id, each.state) for each in events)


def _gauges(period: Period) -> Iterable[Gauge]:
    """Stations of the first two ranks that are no reservoirs and have a level of the last day, in roster order."""
    for station in period.basin.stations:
        level = _reading(period, station.code, "water_level")
        if station.rank > 2 or station.code in period.basin.reservoir_by_station or level is None:
            continue
        yield Gauge(
            station=station.code,
            name=text_of(period.basin, station.code),
            river=station.river,
            level=level,
            lines=_lines(period, station),
            discharge=_reading(period, station.code, "discharge"),
        )


def _pool(period: Period, place: Reservoir) -> Pool | None:
    level, inflow, outflow = (
        _reading(period, place.station, name) for name in ("water_level", "reservoir_inflow", "reservoir_outflow")
    )
    if level is None and inflow is None:
        return None
    now = _storage(place, level.value) if level else None
    before = _storage(place, level.day_before) if level and level.day_before is not None else None
    return Pool(
        name={"zh": place.name, "en": place.name_en},
        level=level,
        inflow=inflow,
        outflow=outflow,
        lines=_lines(period, period.basin.station_by_code[place.station]),
        storage=now,
        stored_in_day=now - before if now is not None and before is not None else None,
    )


def _storage(place: Reservoir, level: float) -> float | None:
    levels, volumes = zip(*place.curve, strict=True)
    return float(np.interp(level, levels, volumes)) if levels[0] <= level <= levels[-1] else None


def _lines(period: Period, station: Station) -> dict[str, float]:
    day = moment(period.end - 1, period.basin.zone).date()
    found = period.basin.thresholds_of(station.code, "water_level", day)
    return {each.kind: each.value for each in found if each.side == "above"}


def _reading(period: Period, station: str, name: str) -> Reading | None:
    series = period.series(station, name)
    now = period.end - 1
    if len(series) == 0 or now - int(series.time[-1]) > _FRESH:
        return None
    last = int(series.time[-1])
    return Reading(last, float(series.value[-1]), _at(series, last - 6 * HOUR), _at(series, last - DAY, HOUR))


def _at(series: Series, time: int, within: int = 3 * HOUR) -> float | None:
    """The value nearest to a time, if there is one within some seconds."""
    apart = np.abs(series.time - time)
    nearest = int(np.argmin(apart))
    return float(series.value[nearest]) if apart[nearest] <= within else None
