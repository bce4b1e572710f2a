"""Late values reopen what was assessed without them: would an alert have been raised, or not have been?

The values of the stations concerned are taken out of the store as they stand now, and assessed again in the order in
which they were observed, on a memory of their own. What that course says is held against what the log says. The past is
not rewritten: the difference is told in one event for each alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from itertools import pairwise

import msgspec
import numpy as np

from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.events import Alert as AlertRecord
from liuyu.basin.events import Event, LateData, announce, record
from liuyu.basin.places import Basin
from liuyu.basin.series import Batch
from liuyu.monitor.alert import Alert, Rules
from liuyu.monitor.assess import Assess
from liuyu.store.interface import Store

REACH = 10 * DAY
LEAD = 3 * DAY
FOREVER = 2**40
AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Spell:
    """A time during which a rule held at a station: from when to when it was observed to [s UTC]."""

    alert: AlertRecord
    start: int
    end: int

    def meets(self, other: Spell) -> bool:
        """Whether both are of one rule and station, and touch."""
        mine, theirs = self.alert, other.alert
        same = (mine.rule, mine.subject) == (theirs.rule, theirs.subject)
        return same and self.start <= other.end and other.start <= self.end


class _Memory(msgspec.Struct, array_like=True):
    """What outlives the process: alerts that were told of, and stations to be assessed again: since when, values."""

    told: dict[str, int]
    waiting: dict[str, tuple[int, int]]


class Reopen:
    """Tells of alerts that late values make or unmake. Values of more than REACH ago are left to the report.

    A step assesses AT_ONCE stations again at most, those first that have waited longest.
    """

    name = "reopen"

    def __init__(self, basin: Basin, rules: Rules) -> None:
        self._basin, self._rules = basin, rules
        self._told: dict[str, int] = {}
        self._waiting: dict[str, tuple[int, int]] = {}

    def step(self, late: Batch, store: Store, now: int) -> list[Event]:
        """What late values change in what was told up to `now` [s UTC]; they are in the store."""
        self._wait(late.take((late.time > now - REACH) & (late.time <= now)))
        if not self._waiting:
            return []
        codes = list(self._waiting)[:AT_ONCE]
        reopened = {code: self._waiting.pop(code) for code in codes}
        start = min(first for first, _ in reopened.values())
        again = self._again(store.window(codes, (), start - LEAD, now + 1, self._basin.roster))
        logged = list(_spells(store.events(kinds=["alert"], start=start - LEAD - REACH, end=now)))
        events = []
        for code, (since, count) in reopened.items():
            mine = [each for each in again if each.alert.subject == code and each.end >= since]
            told = [each for each in logged if each.alert.subject == code and each.start >= since]
            missed = [each for each in mine if not any(each.meets(one) for one in logged)]
            needless = [each for each in told if not any(each.meets(one) for one in again)]
            events += [self._note(each, "missed", since, count, now) for each in missed if self._news(each, now)]
            events += [self._note(each, "needless", since, count, now) for each in needless if self._news(each, now)]
        return events

    def _wait(self, late: Batch) -> None:
        """Have the stations of late values assessed again."""
        if not self._rules.alerts:
            return
        for place in np.unique(late.station).tolist():
            times = late.time[late.station == place]
            code = self._basin.roster.codes[place]
            first, count = self._waiting.get(code, (int(times.min()), 0))
            self._waiting[code] = (min(first, int(times.min())), count + len(times))

    def _again(self, batch: Batch) -> list[Spell]:
        """The spells of alerts as the values say by themselves, in their own order, hour by hour."""
        batch = batch.usable().ordered()
        assess, alert = Assess(self._basin), Alert(self._basin, self._rules)
        hour = batch.time // HOUR
        starts = [0, *(np.flatnonzero(np.diff(hour)) + 1).tolist(), len(batch)]
        events: list[Event] = []
        for start, end in pairwise(starts):
            part = batch.take(slice(start, end))
            if len(part):
                then = int(part.time[-1])
                events += alert.step(assess.step(part, then), then)
        return list(_spells(events))

    def _news(self, spell: Spell, now: int) -> bool:
        """Whether this was not told before; what is older than can be reopened is forgotten."""
        self._told = {key: at for key, at in self._told.items() if at > now - 2 * REACH}
        key = spell.alert.id
        fresh = key not in self._told
        self._told[key] = now
        return fresh

    def _note(self, spell: Spell, what: str, first: int, count: int, now: int) -> Event:
        station = self._basin.station_by_code[spell.alert.subject]
        since = f"{moment(spell.start, self._basin.zone):%Y-%m-%d %H:%M}"
        zh, en = spell.alert.title["zh"], spell.alert.title["en"]
        title = {
            "missed": {
                "zh": f"补报数据重新评估：{station.name}站自{since}起本应预警“{zh}”，当时未发",
                "en": f"Late values, assessed again: {station.name_en} would have been alerted from {since} on: {en}",
            },
            "needless": {
                "zh": f"补报数据重新评估：{station.name}站{since}起的预警“{zh}”不成立",
                "en": f"Late values, assessed again: the alert at {station.name_en} from {since} on falls: {en}",
            },
        }[what]
        note = LateData(
            id=f"late:{spell.alert.id.removeprefix('alert:')}",
            station=station.code,
            first=moment(first).astimezone(UTC),
            count=count,
            title=title,
        )
        return announce(note, state=what, time=moment(now), subject=station.code)

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        return msgspec.msgpack.encode(_Memory(self._told, self._waiting))

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        memory = msgspec.msgpack.decode(blob, type=_Memory)
        self._told, self._waiting = memory.told, memory.waiting


def _spells(events: Sequence[Event]) -> Iterator[Spell]:
    """From the events of alerts, in their order, when each rule held."""
    standing: dict[str, AlertRecord] = {}
    for event in events:
        if event.kind != "alert":
            continue
        alert = record(event, AlertRecord)
        if event.state == "cleared":
            begun = standing.pop(alert.id, alert)
            yield Spell(begun, epoch(begun.since), epoch(event.time))
        else:
            standing[alert.id] = alert
    for alert in standing.values():
        yield Spell(alert, epoch(alert.since), FOREVER)
