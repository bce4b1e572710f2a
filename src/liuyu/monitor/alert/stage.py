"""The stage: rules over assessed values, from the condition that begins to hold to the alert that clears.

A first pass over columns finds the series of which a rule's state could change; Python objects are made for these
alone. On a quiet river fifty thousand values cost a few comparisons each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from operator import itemgetter

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.assessments import Assessments, SeriesIndex
from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.monitor.alert.conditions import highest, watched
from liuyu.monitor.alert.desk import Desk
from liuyu.monitor.alert.floods import FloodCount
from liuyu.monitor.alert.language import Rule, Rules, seconds
from liuyu.monitor.alert.memory import Kept, Pending

_NEVER = np.iinfo(np.int64).min // 2


class Alert:
    """Alerts and numbered floods of a basin. Suspect, missing and outdated values change nothing."""

    name = "alert"

    def __init__(self, basin: Basin, rules: Rules) -> None:
        self.index = SeriesIndex.of(basin)
        self.rules = inhibitors_first(rules.alerts)
        self._member = [watched(rule.match, basin, self.index) for rule in self.rules]
        self._level = np.zeros((len(self.rules), len(self.index)), np.int8)
        self._waiting = np.zeros((len(self.rules), len(self.index)), np.bool_)
        self._pending: dict[tuple[int, int], Pending] = {}
        self._newest = np.full(len(self.index), _NEVER, np.int64)
        self._holds_for = [seconds(rule.holds_for) for rule in self.rules]
        self._clear_for = [seconds(rule.clear_for) for rule in self.rules]
        self.desk = Desk(basin, self.rules, self.index)
        self.floods = [FloodCount(basin, rule) for rule in rules.floods]

    def step(self, assessed: Assessments, now: int) -> list[Event]:
        """What a step's values, and the passing of time up to `now` [s UTC], change: alerts, then floods by time."""
        place = self.index.places(assessed.batch)
        rows = np.flatnonzero(assessed.current & (place >= 0))
        np.maximum.at(self._newest, place[rows], assessed.batch.time[rows])
        for rule, row, at, strict, eased in self._loud(assessed, rows, place):
            self._judge(rule, row, at, strict, eased, assessed, now)
        self.desk.pass_time(self._newest, now)
        events = self.desk.drain()
        return events + [event for count in self.floods for event in count.step(assessed, now)]

    def acknowledge(self, id: str, user: str, note: str, now: int) -> Event:
        """Acknowledge a standing alert. Raises NotFound with near ids, BadInput if that was done already."""
        return self.desk.acknowledge(id, user, note, now)

    def silence(self, match: Mapping[str, str], until: int | datetime, user: str, note: str, now: int) -> Event:
        """Keep the alerts that match (id, subject, rule, severity, quantity, group) from being told until a time.

        They are raised and cleared all the same, with `inhibited_by` naming the silence. Raises BadInput for an empty
        or unknown match, or a time that has passed.
        """
        return self.desk.silence(match, epoch(until) if isinstance(until, datetime) else until, user, note, now)

    def _loud(
        self, assessed: Assessments, rows: NDArray[np.int64], place: NDArray[np.int64]
    ) -> list[tuple[int, int, int, int, int]]:
        """Rows that could change a rule's state: (rule, row, place, level that holds, level that holds with slack)."""
        found: list[tuple[int, int, int, int, int]] = []
        for number, rule in enumerate(self.rules):
            mine = rows[self._member[number][place[rows]]]
            if not mine.size:
                continue
            at = place[mine]
            strict = highest(rule, assessed, mine, relaxed=False)
            eased = highest(rule, assessed, mine, relaxed=True)
            level = self._level[number, at]
            loud = (strict > level) | (eased < level) | self._waiting[number, at]
            if loud.any():
                keep = np.flatnonzero(np.isin(at, at[loud]))
                columns = (mine[keep], at[keep], strict[keep], eased[keep])
                found += [(number, *each) for each in zip(*(one.tolist() for one in columns), strict=True)]
        times = assessed.batch.time
        return sorted(found, key=lambda each: (int(times[each[1]]), each[2], each[0]))

    def _judge(
        self, number: int, row: int, place: int, strict: int, eased: int, assessed: Assessments, now: int
    ) -> None:
        """Carry one rule's state over one value."""
        time, level = int(assessed.batch.time[row]), int(self._level[number, place])
        pending = self._pending.get((number, place)) or Pending()
        new, since = _move(
            pending, level, strict, max(eased, strict), time, self._holds_for[number], self._clear_for[number]
        )
        self._waiting[number, place] = not pending.idle
        if pending.idle:
            self._pending.pop((number, place), None)
        else:
            self._pending[number, place] = pending
        if new != level:
            self._level[number, place] = new
            self.desk.change(number, place, new, since, assessed, row, now)

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        return msgspec.msgpack.encode(
            Kept(
                newest=self._newest.tobytes(),
                standing=list(self.desk.standing.values()),
                pending=[(self.rules[rule].name, place, each) for (rule, place), each in self._pending.items()],
                quiets=self.desk.quiets,
                floods=[count.dump() for count in self.floods],
            )
        )

    def load(self, blob: bytes) -> None:
        """Take the memory back, but for alerts of rules that are no longer there. Raises BadInput for another basin."""
        kept = msgspec.msgpack.decode(blob, type=Kept)
        if len(kept.newest) != self._newest.nbytes:
            raise BadInput(f"the memory is of {len(kept.newest) // 8} series, this basin has {len(self.index)}")
        self._newest = np.frombuffer(kept.newest, np.int64).copy()
        numbers = {rule.name: number for number, rule in enumerate(self.rules)}
        self._level[:], self._waiting[:] = 0, False
        self._pending = {(numbers[name], place): each for name, place, each in kept.pending if name in numbers}
        for key in self._pending:
            self._waiting[key] = True
        self.desk.restore([each for each in kept.standing if each.rule in numbers], kept.quiets)
        for key, each in self.desk.standing.items():
            self._level[key] = each.level
        for count, memory in zip(self.floods, kept.floods, strict=False):
            count.load(memory)


def _move(
    pending: Pending, level: int, strict: int, eased: int, time: int, holds_for: int, clear_for: int
) -> tuple[int, int]:
    """The level after a value, and since when; what must still last is noted in `pending`."""
    if strict > level:
        pending.rise_to = strict if pending.rise_since is None else min(pending.rise_to, strict)
        pending.rise_since = time if pending.rise_since is None else pending.rise_since
        pending.fall_since = None
        if time - pending.rise_since >= holds_for:
            new, since, pending.rise_since = pending.rise_to, pending.rise_since, None
            return new, since
        return level, time
    pending.rise_since = None
    if eased < level:
        pending.fall_to = eased if pending.fall_since is None else max(pending.fall_to, eased)
        pending.fall_since = time if pending.fall_since is None else pending.fall_since
        if time - pending.fall_since >= clear_for:
            new, since, pending.fall_since = pending.fall_to, pending.fall_since, None
            return new, since
        return level, time
    pending.fall_since = None
    return level, time


def inhibitors_first(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules in an order in which each comes after those that inhibit it, so that it is never told needlessly."""
    by_name = {rule.name: rule for rule in rules}
    depth: dict[str, int] = {}

    def deep(name: str, above: tuple[str, ...] = ()) -> int:
        if name in above:
            return 0
        if name not in depth:
            over = [rule.name for rule in rules if name in rule.inhibits]
            depth[name] = 1 + max((deep(each, (*above, name)) for each in over), default=-1)
        return depth[name]

    ranked = [(deep(name), number, rule) for number, (name, rule) in enumerate(by_name.items())]
    return tuple(rule for _, _, rule in sorted(ranked, key=itemgetter(0, 1)))
