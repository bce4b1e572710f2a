"""The life of a notice: issued, updated, withdrawn, verified.

Each rule and threshold make one line that is watched. Forecasts open and close notices on it; observations tell how it
ended: a hit, a false alarm, or a miss where the line was crossed and no notice was in force.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.events import SEVERITIES, Event, Notice, announce
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Threshold
from liuyu.basin.quantities import quantities, quantity
from liuyu.basin.records import Forecast
from liuyu.basin.series import Batch
from liuyu.outlook.warn import words
from liuyu.outlook.warn.crossing import Crossing, crossing
from liuyu.outlook.warn.rules import Step, WarningRule, WarningRules


class _Line(NamedTuple):
    """A rule laid on a threshold; `value` is where it counts as crossed."""

    key: str
    rule: WarningRule
    threshold: Threshold
    value: float

    def passed(self, value: float) -> bool:
        return value >= self.value if self.threshold.side == "above" else value <= self.value


class _Watch(msgspec.Struct):
    """What is remembered of one line. `notice` is as it was last told; `since` is when it came into force.

    Times [s UTC]; -1 for never. `first` is the first forecast of the line; `low` counts issues in a row below the
    limit; `until` is when a crossing is due; `told` when the notice was last told.
    """

    passed: bool = False
    seen: int = -1
    left: int = -1
    first: int = -1
    chance: float = 0.0
    notice: Notice | None = None
    open: bool = False
    since: int = -1
    told: int = -1
    until: int = -1
    low: int = 0


class _Memory(msgspec.Struct):
    watches: dict[str, _Watch]
    known: bytes


class Warn:
    """Stage: forecasts and observations in, events of notices out."""

    name = "warn"

    def __init__(self, basin: Basin, rules: WarningRules) -> None:
        self._basin, self._rules = basin, rules
        self._lines = _lines(basin, rules)
        self._line_by_key = {line.key: line for lines in self._lines.values() for line in lines}
        self._watches: dict[str, _Watch] = {}
        shape = (len(basin.roster), 1 + max(each.number for each in quantities()))
        self._lowest, self._highest = np.full(shape, np.inf), np.full(shape, -np.inf)
        self._busy, self._known = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        for line in (line for lines in self._lines.values() for line in lines):
            at = self._at(line)
            if line.threshold.side == "above":
                self._lowest[at] = min(self._lowest[at], line.value)
            else:
                self._highest[at] = max(self._highest[at], line.value)

    def step(self, forecasts: Sequence[Forecast], now: int) -> list[Event]:
        """Hold every forecast against its station's lines; where several models speak of a series, the first counts.

        Returns the notices issued, updated, withdrawn, and those that a crossing failed to bear out.
        """
        events, done = [], set[tuple[str, str]]()
        for forecast in forecasts:
            series = (forecast.station, forecast.quantity)
            if series not in done:
                done.add(series)
                for line in self._in_force(series, now):
                    found = crossing(forecast, line.value, horizon_h=line.rule.horizon_h, side=line.threshold.side)
                    events += self._weigh(line, forecast, found, now)
        return events + self._expire(now)

    def observe(self, assessed: Assessments | Batch, now: int) -> list[Event]:
        """Verify notices against what was observed, assessed or a plain batch. Only usable values count."""
        batch = assessed if isinstance(assessed, Batch) else assessed.batch
        events: list[Event] = []
        usable = (batch.flag <= Flag.NOT_EVALUATED) & np.isfinite(batch.value)
        at = (batch.station, batch.quantity)
        matters = usable & ((batch.value >= self._lowest[at]) | (batch.value <= self._highest[at]) | self._busy[at])
        rows = np.flatnonzero(matters)
        for row in rows[np.argsort(batch.time[rows], kind="stable")]:
            events += self._answer(batch, int(row), now)
        self._known[batch.station[usable], batch.quantity[usable]] = True
        return events + self._expire(now)

    def dump(self) -> bytes:
        """Every watch, and which series have been seen."""
        return msgspec.msgpack.encode(_Memory(self._watches, np.packbits(self._known).tobytes()))

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        memory = msgspec.msgpack.decode(blob, type=_Memory)
        self._watches = memory.watches
        bits: NDArray[np.uint8] = np.unpackbits(np.frombuffer(memory.known, np.uint8), count=self._known.size)
        self._known = bits.astype(np.bool_).reshape(self._known.shape)
        for lines in self._lines.values():
            self._mark(lines[0])

    # forecasts

    def _weigh(self, line: _Line, forecast: Forecast, found: Crossing, now: int) -> list[Event]:
        """One line after a new issue: nothing, or one event."""
        watch = self._watch(line)
        watch.chance = found.chance
        watch.first = now if watch.first < 0 else watch.first
        if watch.passed:
            return []
        if watch.notice is not None and watch.open:
            return self._hold(line, watch.notice, forecast, found, now)
        if found.times is None or found.chance <= line.rule.limit or self._outranked(line):
            return []
        event = self._tell(line, forecast.model, found, found.times, "issued", now)
        watch.since, watch.open = now, True
        return [event]

    def _hold(self, line: _Line, told: Notice, forecast: Forecast, found: Crossing, now: int) -> list[Event]:
        """A notice that is out: leave it, tell it anew or withdraw it."""
        watch = self._watch(line)
        watch.low = watch.low + 1 if found.chance < line.rule.withdraw_below else 0
        if watch.low >= self._rules.withdraw_after:
            return [self._withdraw(line, told, found.chance, now)]
        if watch.low or found.times is None:
            return []
        watch.until = found.times[2]
        if self._moved(told, found, found.times[1], watch.told, self._step(line, found.chance)):
            return [self._tell(line, forecast.model, found, found.times, "updated", now)]
        return []

    def _tell(
        self, line: _Line, model: str, found: Crossing, times: tuple[int, int, int], state: str, now: int
    ) -> Event:
        """Issue a notice or tell it anew. One that was withdrawn and comes back keeps its id."""
        watch, told, step = self._watch(line), self._watch(line).notice, self._step(line, found.chance)
        watch.low, watch.until, watch.told = 0, times[2], now
        milder = self._milder(line, step) if state == "issued" else told
        title = words.expected(self._basin, line.threshold, line.rule.near, self._local(moment(times[1])), found.chance)
        if milder is not None and milder.severity != step.severity:
            title = words.changed(title, milder.severity, step.severity)
        watch.notice = Notice(
            id=told.id if told else f"notice:{line.key}:{moment(now):%Y%m%dT%H%MZ}",
            issued=told.issued if told else moment(now),
            severity=step.severity,
            title=title,
            model=model,
            limit=round(step.limit, 4),
            action=step.action,
            escalates=told.escalates if told else milder.id if milder else "",
            **_line_of(line),
            **_said(line, found, times),
        )
        self._mark(line)
        return self._event(watch.notice, state, now)

    def _step(self, line: _Line, chance: float) -> Step:
        """The last action whose limit the chance passes. A step once taken is left only when the chance falls well
        below its limit, by `chance_moved`."""
        watch, steps = self._watch(line), line.rule.steps
        held = watch.notice.severity if watch.notice is not None and watch.open else ""
        taken = max((place for place, each in enumerate(steps) if each.severity == held), default=-1)
        passed = (
            place
            for place, each in enumerate(steps)
            if chance > each.limit - (self._rules.chance_moved if place <= taken else 0.0)
        )
        return steps[max(passed, default=0)]

    def _milder(self, line: _Line, step: Step) -> Notice | None:
        """The gravest open notice of the same series that is less severe than a step: this one goes beyond it."""
        series = (line.threshold.station, line.threshold.quantity)
        watches = [self._watches.get(each.key) for each in self._lines[series] if each.key != line.key]
        found = [each.notice for each in watches if each is not None and each.open and each.notice is not None]
        lower = [each for each in found if SEVERITIES.index(each.severity) < SEVERITIES.index(step.severity)]
        return max(lower, key=lambda each: SEVERITIES.index(each.severity), default=None)

    def _withdraw(self, line: _Line, told: Notice, chance: float, now: int) -> Event:
        watch = self._watch(line)
        watch.open, watch.low = False, 0
        title = words.withdrawn(self._basin, line.threshold, line.rule.near, chance)
        watch.notice = msgspec.structs.replace(told, chance=round(chance, 4), chances={}, title=title)
        return self._event(watch.notice, "withdrawn", now)

    def _moved(self, told: Notice, found: Crossing, median: int, told_at: int, step: Step) -> bool:
        """True where what was told last would now mislead."""
        rules, classes = self._rules, self._rules.chance_classes
        other_class = bisect(classes, found.chance) != bisect(classes, told.chance)
        surer = other_class and abs(found.chance - told.chance) >= rules.chance_moved
        due = epoch(told.crossing) if told.crossing else median
        left = max(due - told_at, 0)
        shifted = abs(median - due) > max(rules.crossing_moved_h * HOUR, rules.crossing_moved_share * left)
        return surer or shifted or told.severity != step.severity

    def _outranked(self, line: _Line) -> bool:
        """True while the rule named in `unless` has a notice out at this station, or sees its line passed."""
        if not line.rule.unless:
            return False
        key = f"{line.rule.unless}:{line.threshold.station}:{line.threshold.quantity}"
        other = self._watches.get(key)
        return other is not None and (other.open or other.passed)

    # observations

    def _answer(self, batch: Batch, row: int, now: int) -> list[Event]:
        """What one observation says of the lines of its series."""
        station, number = int(batch.station[row]), int(batch.quantity[row])
        series = (batch.roster.codes[station], quantity(number).name)
        time, value, events = int(batch.time[row]), float(batch.value[row]), []
        known = bool(self._known[station, number])
        for line in self._in_force(series, time):
            watch = self._watch(line)
            if time <= watch.seen:
                continue
            watch.seen = time
            if line.passed(value):
                if not watch.passed and known:
                    events += self._crossed(line, time, value, now)
                watch.passed, watch.left = True, -1
            elif watch.passed:
                watch.left = time if watch.left < 0 else watch.left
                watch.passed = time - watch.left < self._rules.rearm_after_h * HOUR
            self._mark(line)
        return events

    def _crossed(self, line: _Line, time: int, value: float, now: int) -> list[Event]:
        """The line was crossed: a hit or a miss. What no forecast covers, or a graver notice does, is not judged."""
        watch, told = self._watch(line), self._watch(line).notice
        judged = watch.first >= 0 and time - watch.first >= self._rules.judged_after_h * HOUR
        if told is None and (not judged or self._outranked(line)):
            return []
        local = self._local(moment(time))
        if told is not None and watch.open:
            lead = max(0.0, (time - watch.since) / HOUR)
            title = words.hit(self._basin, line.threshold, line.rule.near, local, lead)
            told = msgspec.structs.replace(
                told, outcome="hit", lead_h=round(lead, 2), crossed_at=moment(time), title=title
            )
        else:
            told = self._missed(line, told or self._unsaid(line, time, value), time)
        watch.notice, watch.open, watch.low = None, False, 0
        return [self._event(told, "verified", now)]

    def _missed(self, line: _Line, told: Notice, time: int) -> Notice:
        chance = self._watch(line).chance
        local = self._local(moment(time))
        title = words.miss(self._basin, line.threshold, line.rule.near, local, chance)
        return msgspec.structs.replace(told, outcome="miss", crossed_at=moment(time), title=title)

    def _unsaid(self, line: _Line, time: int, value: float) -> Notice:
        """The notice that should have been: what a miss is told with."""
        when = moment(time)
        return Notice(
            id=f"notice:{line.key}:{when:%Y%m%dT%H%MZ}",
            severity=line.rule.severity,
            issued=when,
            chance=round(self._watch(line).chance, 4),
            crossing=None,
            crossing_from=None,
            crossing_to=None,
            peak=round(value, quantity(line.threshold.quantity).decimals),
            peak_time=when,
            title={},
            limit=round(line.rule.limit, 4),
            **_line_of(line),
        )

    def _expire(self, now: int) -> list[Event]:
        """Notices whose time has gone by without a crossing: false alarms."""
        events = []
        for key, watch in self._watches.items():
            line = self._line_by_key.get(key)
            if line is None or watch.notice is None or now <= watch.until + self._rules.grace_h * HOUR:
                continue
            title = words.false_alarm(self._basin, line.threshold, line.rule.near)
            told = msgspec.structs.replace(watch.notice, outcome="false_alarm", title=title)
            watch.notice, watch.open, watch.low = None, False, 0
            events.append(self._event(told, "verified", now))
        return events

    # bookkeeping

    def _in_force(self, series: tuple[str, str], now: int) -> list[_Line]:
        """The lines of a series whose season it is."""
        day = moment(now).astimezone(self._basin.zone).date()
        found = self._lines.get(series, ())
        return [each for each in found if each.threshold.season is None or each.threshold.season.holds(day)]

    def _watch(self, line: _Line) -> _Watch:
        return self._watches.setdefault(line.key, _Watch())

    def _at(self, line: _Line) -> tuple[int, int]:
        return self._basin.roster.number[line.threshold.station], quantity(line.threshold.quantity).number

    def _mark(self, line: _Line) -> None:
        """Note whether observations of this series matter even when no line is passed."""
        series = (line.threshold.station, line.threshold.quantity)
        watches = [self._watches.get(each.key) for each in self._lines[series]]
        self._busy[self._at(line)] = any(each is not None and each.passed for each in watches)

    def _local(self, when: datetime) -> datetime:
        return when.astimezone(self._basin.zone)

    def _event(self, notice: Notice, state: str, now: int) -> Event:
        return announce(notice, state=state, time=moment(now), subject=notice.station)


def _line_of(line: _Line) -> dict[str, Any]:
    """What a notice says of its line."""
    return {
        "station": line.threshold.station,
        "quantity": line.threshold.quantity,
        "threshold": line.threshold.kind,
        "threshold_value": line.threshold.value,
        "near": line.rule.near,
    }


def _said(line: _Line, found: Crossing, times: tuple[int, int, int]) -> dict[str, Any]:
    """What a notice says of the forecast: chance by lead, time of crossing, and the peak, each with its interval."""
    early, median, late = (moment(each) for each in times)
    low, middle, high = (round(each, quantity(line.threshold.quantity).decimals) for each in found.crest.heights)
    first, usual, last = (moment(each) for each in found.crest.times)
    return {
        "chance": round(found.chance, 4),
        "chances": {str(lead): round(chance, 4) for lead, chance in found.chances},
        "crossing": median,
        "crossing_from": early,
        "crossing_to": late,
        "peak": middle,
        "peak_from": low,
        "peak_to": high,
        "peak_time": usual,
        "peak_time_from": first,
        "peak_time_to": last,
        "peak_open": round(found.crest.open, 4),
    }


def _lines(basin: Basin, rules: WarningRules) -> dict[tuple[str, str], tuple[_Line, ...]]:
    """Every line by series; rules that name another in `unless` come after the rest."""
    found: dict[tuple[str, str], list[_Line]] = {}
    for rule in sorted(rules.rules, key=lambda each: bool(each.unless)):
        for threshold in basin.thresholds:
            if threshold.kind != rule.threshold:
                continue
            if rule.quantities and threshold.quantity not in rule.quantities:
                continue
            if rule.stations and threshold.station not in rule.stations:
                continue
            key = f"{rule.name}:{threshold.station}:{threshold.quantity}"
            value = threshold.value - rule.near if threshold.side == "above" else threshold.value + rule.near
            found.setdefault((threshold.station, threshold.quantity), []).append(_Line(key, rule, threshold, value))
    return {series: tuple(lines) for series, lines in found.items()}
