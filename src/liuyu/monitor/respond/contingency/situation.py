"""What a plan is held against: the newest values, the newest forecasts, the alerts, notices and floods that stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
import numpy as np

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import DAY, HOUR, epoch
from liuyu.basin.events import Alert, Event, Notice, NumberedFlood, record
from liuyu.basin.places import Basin, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast
from liuyu.monitor.respond.contingency.form import Condition, Plan

Series = tuple[str, str]
_ALERT_STANDS = {"raised", "changed", "acknowledged", "escalated"}
_NOTICE_STANDS = {"issued", "updated"}
_REMEMBERED = 400 * DAY


class Reading(msgspec.Struct):
    """The newest usable value of a series at a time [s UTC], its change [unit/h] and its return period [years]."""

    time: int
    value: float
    rate: float | None
    years: float | None


class Outlook(msgspec.Struct):
    """The highest and lowest value of each member of a forecast within some hours, and when the median has its peak."""

    issued: int
    highest: list[float]
    lowest: list[float]
    peak_time: int


class Standing(msgspec.Struct):
    """An alert that stands, or a notice in force."""

    station: str
    threshold: str
    severity: str
    rule: str
    chance: float
    since: int
    title: dict[str, str]


class Flood(msgspec.Struct):
    """A flood that was numbered."""

    time: int
    station: str
    name: str
    name_en: str


class Memory(msgspec.Struct):
    """All of it, as it is kept. `since` says from when on a condition has been met without a break."""

    readings: dict[str, Reading] = {}
    outlooks: dict[str, Outlook] = {}
    alerts: dict[str, Standing] = {}
    notices: dict[str, Standing] = {}
    floods: dict[str, Flood] = {}
    since: dict[str, int] = {}


class Situation:
    """How things stand in a basin, as far as its plans ask."""

    def __init__(self, basin: Basin, plans: Iterable[Plan]) -> None:
        self.basin = basin
        self.memory = Memory()
        self._ahead: set[tuple[str, str, int]] = set()
        self._wanted: dict[int, Series] = {}
        self.watch(plans)

    def watch(self, plans: Iterable[Plan]) -> None:
        """Attend to what these plans ask for, beside what is attended to already."""
        for plan in plans:
            for condition in conditions_of(plan):
                for station in stations_of(condition, self.basin):
                    if condition.kind == "forecast":
                        self._ahead.add((station, condition.quantity, condition.within_h))
                    elif condition.kind in {"observed", "rising", "return_period"}:
                        place = self.basin.roster.number[station] * 1000 + quantity(condition.quantity).number
                        self._wanted[place] = (station, condition.quantity)

    def observe(self, assessed: Assessments) -> None:
        """Take in what was assessed: of each series that a plan asks for, the newest usable value."""
        batch = assessed.batch
        if not len(batch) or not self._wanted:
            return
        places = batch.station.astype(np.int64) * 1000 + batch.quantity
        rows = np.flatnonzero(assessed.current & np.isin(places, list(self._wanted)))
        for row in rows:
            series = self._wanted[int(places[row])]
            slope, years = float(assessed.tendency[row]), float(assessed.return_period[row])
            self.memory.readings["/".join(series)] = Reading(
                int(batch.time[row]),
                round(float(batch.value[row]), 4),
                round(slope, 4) if np.isfinite(slope) else None,
                round(years, 2) if np.isfinite(years) else None,
            )

    def foresee(self, forecasts: Sequence[Forecast]) -> None:
        """Take in an issue of forecasts."""
        known = {(each.station, each.quantity): each for each in forecasts}
        for station, name, hours in sorted(self._ahead):
            found = known.get((station, name))
            if found is None:
                continue
            inside = found.time <= epoch(found.issued) + hours * HOUR
            if not inside.any():
                continue
            members, middle = found.members[:, inside], found.quantile(0.5)[inside]
            self.memory.outlooks[f"{station}/{name}/{hours}"] = Outlook(
                epoch(found.issued),
                [round(float(each), 4) for each in np.sort(members.max(axis=1))],
                [round(float(each), 4) for each in np.sort(members.min(axis=1))],
                int(found.time[inside][int(np.argmax(middle))]),
            )

    def hear(self, events: Iterable[Event], now: int) -> None:
        """Take in what was announced: alerts, notices, numbered floods."""
        memory = self.memory
        for event in events:
            if event.kind == "alert":
                alert = record(event, Alert)
                if event.state in _ALERT_STANDS and not alert.inhibited_by:
                    memory.alerts[event.id] = Standing(
                        alert.subject, alert.threshold, alert.severity, alert.rule, 1.0, now, dict(alert.title)
                    )
                else:
                    memory.alerts.pop(event.id, None)
            elif event.kind == "notice":
                notice = record(event, Notice)
                if event.state in _NOTICE_STANDS:
                    memory.notices[event.id] = Standing(
                        notice.station, notice.threshold, notice.severity, "", notice.chance, now, dict(notice.title)
                    )
                else:
                    memory.notices.pop(event.id, None)
            elif event.kind == "numbered_flood":
                flood = record(event, NumberedFlood)
                memory.floods[event.id] = Flood(epoch(flood.time), flood.station, flood.name, flood.name_en)
        memory.floods = {key: each for key, each in memory.floods.items() if now - each.time <= _REMEMBERED}


def conditions_of(plan: Plan) -> tuple[Condition, ...]:
    """Every single condition of a plan: of its levels, their endings and its detention basins."""
    tops = [each for level in plan.levels for each in (*level.conditions, *level.ends.also)]
    tops += [each for basin in plan.detention for each in basin.conditions]
    return tuple(leaf for each in tops for leaf in each.leaves())


def stations_of(condition: Condition, basin: Basin) -> tuple[str, ...]:
    """The codes of the stations that a condition looks at; those that do not exist are left out."""
    if condition.reservoir:
        return tuple(each.station for each in basin.reservoirs if each.code == condition.reservoir)
    if condition.station or condition.stations:
        named = (condition.station, *condition.stations) if condition.station else condition.stations
        return tuple(each for each in named if each in basin.station_by_code)
    found = [each for each in basin.stations if condition.river in {"", each.river}]
    if condition.kind in {"notice", "alert", "numbered_flood"}:
        return tuple(each.code for each in found)
    kinds = {condition.above, condition.below} - {None}
    return tuple(
        each.code
        for each in found
        if condition.quantity in each.quantities
        and all(
            isinstance(kind, float | int)
            or any(line.kind == kind for line in basin.thresholds_of(each.code, condition.quantity))
            for kind in kinds
        )
    )


def threshold_of(basin: Basin, station: str, name: str, kind: str, day: object) -> Threshold | None:
    """The threshold of a kind that is in force on a day; None where there is none."""
    found = [each for each in basin.thresholds_of(station, name, day) if each.kind == kind]  # type: ignore[arg-type]
    return found[-1] if found else None


def names_of(basin: Basin, station: str) -> Mapping[str, str]:
    """What a station is called in a sentence."""
    place = basin.station_by_code.get(station)
    if place is None:
        return {"zh": station, "en": station}
    bare = place.name.endswith(("站", "库", "湖", "闸"))
    return {"zh": place.name if bare else f"{place.name}站", "en": place.name_en}
