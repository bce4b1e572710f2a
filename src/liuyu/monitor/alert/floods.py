"""Numbered floods, after 全国主要江河洪水编号规定 (2019): when a flood of the main river gets the year's next number.

Each section of the river (such as upstream, middle and lower) is judged by itself; the numbers run over all of them.
A value at a criterion station's line begins a flood of its section, unless that flood is one that

- goes on: some criterion was met less than `rest` ago, or the last number is less than `apart` old, or the water has
  not stood `fall` below the line since, so that a level that flickers about its line makes no new number;
- arrives: the flood of the section above, numbered already, was at its line less than `within` ago;
- was never seen to begin: the station's record starts at the line, as in an archive that begins in mid-flood. The count
  of the year then starts at the known floods, or at 1 where none is known, and nothing is announced.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from typing import Literal

import msgspec
import numpy as np

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import epoch, moment, parse_time
from liuyu.basin.events import Event, NumberedFlood, Text, announce
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.alert import wording
from liuyu.monitor.alert.language import Criterion, FloodRule, Section, fill, seconds

Ruling = Literal["new", "goes on", "joins", "begun before"]


class StationMemory(msgspec.Struct, kw_only=True):
    """A criterion station: its last borne-out value, one still in doubt, and the lowest since its section's flood."""

    last: float | None = None
    doubted: tuple[int, float] | None = None
    lowest: float | None = None


class SectionMemory(msgspec.Struct, kw_only=True):
    """A section: when it was last at a line, and when its last flood was numbered [s UTC]."""

    at_line: int | None = None
    numbered: int | None = None


class Memory(msgspec.Struct, kw_only=True):
    """The count and what it rests on. `year` is the year of the newest value judged."""

    began: int | None = None
    year: int = 0
    count: int = 0
    stations: dict[str, StationMemory] = {}
    sections: dict[str, SectionMemory] = {}


class FloodCount:
    """The count of one river's floods."""

    def __init__(self, basin: Basin, rule: FloodRule) -> None:
        self.basin = basin
        self.rule = rule
        self._criteria: dict[tuple[int, int], list[tuple[Section, Criterion]]] = {}
        self._line: dict[str, float] = {}
        for section in rule.sections:
            for each in section.criterion:
                line = line_of(each, basin)
                self._line[_key(each)] = inf if line is None else line
                key = (basin.roster.number[each.station], quantity(each.quantity).number)
                self._criteria.setdefault(key, []).append((section, each))
        self._mine = np.zeros(len(basin.roster), np.bool_)
        self._mine[[station for station, _ in self._criteria]] = True
        self._memory = self._fresh()

    def _fresh(self) -> Memory:
        stations = {_key(each): StationMemory() for section in self.rule.sections for each in section.criterion}
        return Memory(stations=stations, sections={each.code: SectionMemory() for each in self.rule.sections})

    def step(self, assessed: Assessments, now: int) -> list[Event]:
        """The floods that a step's values number, by time. The event's time is when the gauge met the criterion."""
        batch = assessed.batch
        if self._memory.began is None:
            self._begin(int(batch.time[0]) if len(batch) else now)
        rows = np.flatnonzero(assessed.current & self._mine[batch.station])
        rows = rows[np.lexsort((batch.quantity[rows], batch.station[rows], batch.time[rows]))]
        found: list[NumberedFlood] = []
        for row in rows:
            key = (int(batch.station[row]), int(batch.quantity[row]))
            for section, criterion in self._criteria.get(key, ()):
                for time, value in self._borne_out(criterion, int(batch.time[row]), float(batch.value[row])):
                    found += self._judge(section, criterion, time, value)
        return [announce(each, state="numbered", time=each.time, subject=each.station) for each in found]

    def _begin(self, start: int) -> None:
        """Take the known floods of the year up to the start as the state to count on from."""
        memory, year = self._memory, moment(start, self.basin.zone).year
        memory.began, memory.year = start, year
        for flood in self.basin.known_floods:
            time = epoch(parse_time(flood.time, self.basin.zone))
            if flood.year == year and time <= start:
                memory.count = max(memory.count, flood.number)
                if flood.section in memory.sections:
                    section = memory.sections[flood.section]
                    section.numbered = max(section.numbered or time, time)
                    section.at_line = section.numbered

    def _borne_out(self, criterion: Criterion, time: int, value: float) -> list[tuple[int, float]]:
        """The values to judge: this one if it follows from the last, with the one before that waited for it."""
        memory = self._memory.stations[_key(criterion)]
        if memory.last is not None and abs(value - memory.last) <= criterion.jump:
            memory.last, memory.doubted = value, None
            return [(time, value)]
        doubted = memory.doubted
        if doubted is not None and abs(value - doubted[1]) <= criterion.jump and time > doubted[0]:
            memory.last, memory.doubted = value, None
            return [doubted, (time, value)]
        memory.doubted = (time, value)
        return []

    def _judge(self, section: Section, criterion: Criterion, time: int, value: float) -> list[NumberedFlood]:
        station = self._memory.stations[_key(criterion)]
        if value < self._line[_key(criterion)]:
            station.lowest = value if station.lowest is None else min(station.lowest, value)
            return []
        year = moment(time, self.basin.zone).year
        if year > self._memory.year:
            self._memory.year, self._memory.count = year, 0
        ruling, why = self._rule_on(section, criterion, station, time)
        here = self._memory.sections[section.code]
        here.at_line = max(here.at_line or time, time)
        for each in section.criterion:
            self._memory.stations[_key(each)].lowest = None
        if ruling == "begun before":
            self._memory.count = max(self._memory.count, 1)
        if ruling != "new":
            return []
        self._memory.count += 1
        here.numbered = time
        return [self._flood(section, criterion, time, value, why)]

    def _rule_on(
        self, section: Section, criterion: Criterion, station: StationMemory, time: int
    ) -> tuple[Ruling, tuple[Text, ...]]:
        """What a value at the line is: a new flood, or which of the reasons why not; with the reasons in words."""
        here = self._memory.sections[section.code]
        if here.at_line is not None and time - here.at_line < seconds(section.rest):
            return "goes on", ()
        if here.numbered is not None and time - here.numbered < seconds(section.apart):
            return "goes on", ()
        if station.lowest is None or station.lowest > self._line[_key(criterion)] - criterion.fall:
            return ("goes on" if here.at_line is not None else "begun before"), ()
        for joins in section.joins:
            above = self._memory.sections[joins.section].at_line
            if above is not None and 0 <= time - above <= seconds(joins.within):
                return "joins", ()
        return "new", (_rested(section, here, time, self.basin),)

    def _flood(
        self, section: Section, criterion: Criterion, time: int, value: float, why: tuple[Text, ...]
    ) -> NumberedFlood:
        words = wording.names(self.basin, criterion.station, criterion.quantity)
        measure, when = wording.unit(criterion.quantity), wording.clock(time, self.basin.zone)
        shown, line = (wording.number(each, criterion.quantity) for each in (value, self._line[_key(criterion)]))
        named: Mapping[str, int] = {"year": self._memory.year, "number": self._memory.count}
        met = {
            "zh": f"{when} {words['zh']['station']}{words['zh']['quantity']} {shown} {measure}，"
            f"达到编号标准 {line} {measure}",
            "en": f"{when}: {words['en']['quantity']} at {words['en']['station']} {shown} {measure}, "
            f"criterion {line} {measure}",
        }
        return NumberedFlood(
            id=f"flood:{self.basin.code}:{self._memory.year}:{self._memory.count}",
            name=fill(self.rule.name["zh"], named),
            name_en=fill(self.rule.name["en"], named),
            year=self._memory.year,
            number=self._memory.count,
            section=section.code,
            station=criterion.station,
            quantity=criterion.quantity,
            value=value,
            threshold_value=self._line[_key(criterion)],
            time=moment(time),
            why=(met, *why),
        )

    def dump(self) -> bytes:
        """The whole memory of the count."""
        return msgspec.msgpack.encode(self._memory)

    def load(self, blob: bytes) -> None:
        """Take the memory back; stations and sections that the rule has gained start afresh."""
        memory, fresh = msgspec.msgpack.decode(blob, type=Memory), self._fresh()
        memory.stations = fresh.stations | {key: each for key, each in memory.stations.items() if key in fresh.stations}
        memory.sections = fresh.sections | {key: each for key, each in memory.sections.items() if key in fresh.sections}
        self._memory = memory


def line_of(criterion: Criterion, basin: Basin) -> float | None:
    """The line of a criterion [unit]: its own, else the station's threshold of kind flood_number, else None."""
    if criterion.reaches is not None:
        return criterion.reaches
    lines = basin.thresholds_of(criterion.station, criterion.quantity)
    return next((each.value for each in lines if each.kind == "flood_number"), None)


def _key(criterion: Criterion) -> str:
    return f"{criterion.station}/{criterion.quantity}"


def _rested(section: Section, here: SectionMemory, time: int, basin: Basin) -> Text:
    """Why this is a flood of its own."""
    if here.at_line is None:
        return {
            "zh": f"{section.name['zh']}此前未达编号标准",
            "en": f"no criterion of the {section.name['en']} was met before",
        }
    rest, last = wording.span(time - here.at_line), wording.clock(here.at_line, basin.zone)
    return {
        "zh": f"{section.name['zh']}上次达到标准为 {last}，间隔 {rest}",
        "en": f"the {section.name['en']} last met a criterion at {last}, {rest} before",
    }
