"""The stage: events of the step in, incidents and tasks out.

One flood is one incident, however many gauges tell of it. Changes are gathered so that its log can be read; a rise of
its level, a numbered flood and a release proposal are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.directives import Response
from liuyu.basin.events import SEVERITIES, Alert, Event, Incident, Notice, NumberedFlood, Proposal, announce, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond import words
from liuyu.monitor.respond.contingency.form import Plan
from liuyu.monitor.respond.contingency.stage import Contingency
from liuyu.monitor.respond.memory import Case, Member, Memory
from liuyu.monitor.respond.playbook import Playbook
from liuyu.monitor.respond.tasks import Tasks

Text = dict[str, str]
_ALERT_STANDS = {"raised", "changed", "acknowledged", "escalated"}
_NOTICE_STANDS = {"issued", "updated"}
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


class Respond:
    """Stage: keeps one incident a flood, hands out its tasks, and watches their deadlines."""

    name = "respond"

    def __init__(self, basin: Basin, playbook: Playbook, plans: Sequence[Plan] = ()) -> None:
        self._basin, self._playbook = basin, playbook
        self._rules = playbook.incident
        self._rivers = list(dict.fromkeys(each.river for each in basin.stations))
        self._cases: list[Case] = []
        self._tasks = Tasks(basin, playbook)
        self.contingency = Contingency(basin, plans, self._tasks)

    def step(self, events: Sequence[Event], now: int) -> list[Event]:
        """Take in what happened and return what follows: incidents opened, moved and closed; tasks given and late."""
        out: list[Event] = []
        for event in events:
            if event.kind in {"alert", "notice"}:
                out += self._alert_or_notice(event, now)
            elif event.kind == "numbered_flood":
                out += self._flood(event, now)
            elif event.kind == "proposal":
                out += self._proposal(event, now)
            elif event.kind == "source" and event.state == "silent":
                out += self._silence(event, now)
            elif event.kind == "response":
                out += self._response(event, now)
        told: list[Event] = []
        for case in list(self._cases):
            told += self._move(case, now)
            if case.state != "closed":
                out += self._tasks.reach(case, now)
        responses = self.contingency.step(events, now, self.incident)
        asked = [task for event in responses if event.kind == "response" for task in self._response(event, now)]
        return told + out + responses + asked + self._tasks.overdue(now)

    def owners(self) -> dict[str, Text]:
        """What each owner of the playbook is called."""
        return {each.code: {"zh": each.name.zh, "en": each.name.en} for each in self._playbook.owners}

    @property
    def incident(self) -> str:
        """The id of the open incident, the oldest where there are several; "" where there is none."""
        return self._cases[0].id if self._cases else ""

    def update_task(self, task: str, state: str, user: str, note: str, now: int) -> Event:
        """Set a task to acknowledged, done or cancelled.

        Raises NotFound for a task that was never given, BadInput for another state or a task that is over.
        """
        return self._tasks.update(task, state, user, note, now)

    def dump(self) -> bytes:
        """Every open incident and every task that may still change."""
        return msgspec.msgpack.encode(Memory(self._cases, self._tasks.jobs, self.contingency.dump()))

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        memory = msgspec.msgpack.decode(blob, type=Memory)
        self._cases, self._tasks.jobs = memory.cases, memory.jobs
        if memory.contingency:
            self.contingency.load(memory.contingency)

    # what happened

    def _alert_or_notice(self, event: Event, now: int) -> list[Event]:
        item = record(event, Alert) if event.kind == "alert" else record(event, Notice)
        station = item.subject if isinstance(item, Alert) else item.station
        stands = event.state in (_ALERT_STANDS if event.kind == "alert" else _NOTICE_STANDS)
        if isinstance(item, Alert) and item.inhibited_by:
            stands = False
        if not stands:
            for each in self._cases:
                if each.members.pop(event.id, None) and not each.fresh.pop(event.id, None):
                    each.ended.append(dict(item.title))
            return []
        opens = item.threshold in self._rules.thresholds
        if not opens and item.threshold not in self._rules.joining:
            return []
        strong = SEVERITIES.index(item.severity) >= SEVERITIES.index(self._rules.opens_at)
        case = self._case(station, now, item.severity if opens and strong else "")
        if case is None:
            return []
        if event.id not in case.members:
            case.fresh[event.id] = dict(item.title)
            case.pressing = case.pressing or case.state == "closing"
        known = case.members.get(event.id)
        severity = known.severity if known and event.state == "escalated" else item.severity  # late, not graver
        case.members[event.id] = Member(event.kind, station, item.threshold, severity, dict(item.title))
        self._include(case, station)
        if event.kind == "notice" and event.state == "issued":
            return self._tasks.trigger(case, "notice", event.id, station, item.severity, now)
        return []

    def _flood(self, event: Event, now: int) -> list[Event]:
        flood = record(event, NumberedFlood)
        case = self._case(flood.station, now, self._rules.flood_level)
        if case is None or event.id in case.floods:
            return []
        case.floods[event.id] = {"zh": flood.name, "en": flood.name_en}
        case.said.append(words.flood_numbered(flood.name, flood.name_en))
        case.pressing = True
        self._include(case, flood.station)
        return self._tasks.trigger(case, "flood", event.id, flood.station, "red", now)

    def _proposal(self, event: Event, now: int) -> list[Event]:
        proposal = record(event, Proposal)
        place = next((each for each in self._basin.reservoirs if each.code == proposal.reservoir), None)
        station = place.station if place else proposal.reservoir
        case, title = self._open_case(station), dict(proposal.title)
        out = self._tasks.settle(event, proposal, now) if event.state != "proposed" else []
        if case is None:
            return out
        if event.state != "lapsed" and case.proposed.get(proposal.reservoir) != (
            told := f"{event.state}:{title['zh']}"
        ):
            case.proposed[proposal.reservoir] = told
            case.said.append(words.proposal_said(event.state, title, proposal.decided_by))
            case.pressing = True
        trigger = {"proposed": "proposal", "accepted": "accepted"}.get(event.state, "")
        return out + self._tasks.trigger(case, trigger, event.id, station, "red", now)

    def _silence(self, event: Event, now: int) -> list[Event]:
        station = self._basin.station_by_code.get(event.subject)
        if station is not None and station.rank > 2:
            return []
        case = self._open_case(event.subject) if station else next(iter(self._cases), None)
        return self._tasks.trigger(case, "silence", event.id, event.subject, "red", now) if case else []

    def _response(self, event: Event, now: int) -> list[Event]:
        """What became of a response belongs in the log of its incident, and a proposal wants a decision."""
        response = record(event, Response)
        out = self._tasks.settle_response(event.id, response.approved_by, response.note, now)
        for case in self._cases:
            if case.id != response.incident and len(self._cases) > 1:
                continue
            title = dict(response.title)
            case.said.append(words.response_said(title, response.approved_by))
            case.pressing = True
            if event.state == "proposed":
                cause = f"{event.id}@{event.time:%Y%m%dT%H%MZ}"
                return out + self._tasks.trigger(case, "response", cause, "", "red", now, named=title)
        return out

    # incidents

    def _group(self, station: str) -> str:
        if self._rules.group_by == "basin":
            return self._basin.code
        found = self._basin.station_by_code.get(station)
        return f"{self._basin.code}-{self._rivers.index(found.river) + 1}" if found else self._basin.code

    def _open_case(self, station: str) -> Case | None:
        group = self._group(station)
        return next((each for each in self._cases if each.group == group), None)

    def _case(self, station: str, now: int, level: Any) -> Case | None:
        """The open incident that a station belongs to, or a new one if a level is given for it."""
        found = self._open_case(station)
        if found is None and level and self._rules.thresholds:
            group = self._group(station)
            title = self._title(station, now)
            found = Case(f"incident:{group}:{moment(now):%Y%m%dT%H%MZ}", group, title, now, level)
            self._cases.append(found)
        return found

    def _title(self, station: str, now: int) -> Text:
        local = moment(now).astimezone(self._basin.zone)
        place = self._basin.station_by_code.get(station)
        river = place.river if place else ""
        given, title = {"river": river, "year": local.year}, self._rules.title
        return {
            "zh": title.zh.format(basin=self._basin.name, month=local.month, **given),
            "en": title.en.format(basin=self._basin.name_en, month=_MONTHS[local.month - 1], **given),
        }

    def _include(self, case: Case, station: str) -> None:
        if station not in case.stations:
            case.stations.append(station)
            case.stations.sort()

    def _move(self, case: Case, now: int) -> list[Event]:
        """Let one incident take its next state, and tell it where there is something to tell."""
        if case.told == now:  # a person acted after the step of this moment: two events would be one to the log
            return []
        before, worst = case.level, case.worst()
        case.calm = (now if case.calm < 0 else case.calm) if not case.members else -1
        calm_h = (now - case.calm) / HOUR if case.calm >= 0 else 0.0
        if not case.state:
            case.level = worst
            return self._tell(case, "opened", [words.opened(case.title, worst, self._causes(case))], now)
        if calm_h >= self._rules.closed_after_h:
            return self._close(case, now)
        if calm_h >= self._rules.closing_after_h and case.state != "closing":
            return self._tell(case, "closing", [*self._changes(case), words.closing(round(calm_h))], now)
        rises = SEVERITIES.index(worst) > SEVERITIES.index(before)
        if not (rises or case.pressing or now - case.told >= self._rules.gather_h * HOUR):
            return []
        lines = self._changes(case)
        if worst != before:
            case.level = worst
            lines.insert(0, words.level_moved(before, worst))
        return self._tell(case, "updated", lines, now) if lines else []

    def _causes(self, case: Case) -> list[Text]:
        return [*case.said, *case.fresh.values()]

    def _changes(self, case: Case) -> list[Text]:
        """What happened since the incident was last told, as lines."""
        lines = list(case.said)
        if case.fresh:
            lines.append(words.joined(list(case.fresh.values())))
        if case.ended:
            lines.append(words.left(case.ended, len(case.members)))
        return lines

    def _close(self, case: Case, now: int) -> list[Event]:
        self._cases.remove(case)
        cancelled = self._tasks.close(case, now)
        calm_h = round((now - case.calm) / HOUR)
        return [*self._tell(case, "closed", [*self._changes(case), words.closed(calm_h)], now), *cancelled]

    def _tell(self, case: Case, state: str, lines: Iterable[Text], now: int) -> list[Event]:
        case.state, case.told, case.pressing = state, now, False
        case.fresh, case.ended, case.said = {}, [], []
        notices = sum(each.kind == "notice" for each in case.members.values())
        incident = Incident(
            id=case.id,
            title=case.title,
            level=case.level,
            opened=moment(case.opened),
            stations=tuple(case.stations),
            alerts=tuple(sorted(case.members)),
            floods=tuple(case.floods),
            summary=words.summary(case.lines(), notices, list(case.floods.values()), self._tasks.open_of(case.id)),
            entry=words.sentence(lines),
        )
        return [announce(incident, state=state, time=moment(now), subject=self._basin.code)]
