"""The courses of alerts, notices, incidents, tasks and alternatives, put together from their events in the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.events import SEVERITIES, Alert, Event, Incident, Notice, Proposal, RehearsalRun, Task, record
from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise.contents import (
    AlertSpan,
    Alternative,
    Entry,
    IncidentCourse,
    NoticeCourse,
    TaskCourse,
    Text,
)
from liuyu.monitor.summarise.period import Period, text_of

_OPENING, _CLOSING = {"raised"}, {"cleared"}


def alerts(period: Period) -> tuple[AlertSpan, ...]:
    """Every alert that stood at some time of the period, by its start."""
    found: list[AlertSpan] = []
    for events in period.courses("alert"):
        run: list[Event] = []
        for event in events:
            if event.state in _OPENING and run:
                found.append(_span(run))
                run = []
            run.append(event)
            if event.state in _CLOSING:
                found.append(_span(run))
                run = []
        if run:
            found.append(_span(run))
    inside = [each for each in found if each.end is None or each.end > period.start]
    return tuple(sorted(inside, key=lambda each: (each.start, each.id)))


def _span(run: Sequence[Event]) -> AlertSpan:
    records = [record(event, Alert) for event in run]
    graded = [each for each, event in zip(records, run, strict=True) if event.state != "escalated"] or records
    worst = max(graded, key=lambda each: SEVERITIES.index(each.severity))
    acknowledged = next((epoch(event.time) for event in run if event.state == "acknowledged"), None)
    return AlertSpan(
        id=run[0].id,
        station=worst.subject,
        threshold=worst.threshold,
        severity=worst.severity,
        title=records[0].title,
        start=epoch(run[0].time),
        end=epoch(run[-1].time) if run[-1].state in _CLOSING else None,
        acknowledged=acknowledged,
        escalated=any(event.state == "escalated" for event in run),
        seq=run[0].seq,
    )


def notices(period: Period) -> tuple[NoticeCourse, ...]:
    """Every notice that was issued, withdrawn or verified in the period, by its first issue."""
    found = [_notice(period, events) for events in period.courses("notice")]
    return tuple(sorted(found, key=lambda each: (each.issued, each.id)))


def _notice(period: Period, events: Sequence[Event]) -> NoticeCourse:
    first, last = record(events[0], Notice), record(events[-1], Notice)
    withdrawn = [event for event in events if event.state == "withdrawn"]
    return NoticeCourse(
        id=first.id,
        station=text_of(period.basin, first.station),
        threshold=first.threshold,
        threshold_value=first.threshold_value,
        unit=quantity(first.quantity).unit,
        near=last.near,
        severity=last.severity,
        issued=epoch(first.issued),
        chance=first.chance,
        crossing=epoch(first.crossing) if first.crossing else None,
        updates=sum(event.state == "updated" for event in events),
        withdrawn=epoch(withdrawn[-1].time) if withdrawn else None,
        outcome=last.outcome or ("withdrawn" if events[-1].state == "withdrawn" else ""),
        crossed_at=epoch(last.crossed_at) if last.crossed_at else None,
        lead_h=last.lead_h,
        seqs=tuple(dict.fromkeys((events[0].seq, events[-1].seq))),
    )


def incidents(period: Period) -> tuple[IncidentCourse, ...]:
    """Every incident of the period with its log and its tasks."""
    tasks: dict[str, list[TaskCourse]] = {}
    for events in period.courses("task"):
        tasks.setdefault(str(events[0].body["incident"]), []).append(_task(events, period.end))
    return tuple(_incident(events, tuple(tasks.get(events[0].id, ()))) for events in period.courses("incident"))


def _incident(events: Sequence[Event], tasks: tuple[TaskCourse, ...]) -> IncidentCourse:
    records = [record(event, Incident) for event in events]
    ranks = [SEVERITIES.index(each.level) for each in records]
    return IncidentCourse(
        id=events[0].id,
        title=records[0].title,
        opened=epoch(records[0].opened),
        closed=epoch(events[-1].time) if events[-1].state == "closed" else None,
        level=records[-1].level,
        highest=SEVERITIES[max(ranks)],
        stations=len(records[-1].stations),
        entries=tuple(
            Entry(epoch(event.time), event.state, each.level, each.entry, event.seq)
            for event, each in zip(events, records, strict=True)
        ),
        tasks=tasks,
    )


def _task(events: Sequence[Event], end: int) -> TaskCourse:
    first, last = record(events[0], Task), record(events[-1], Task)
    done = next((epoch(event.time) for event in events if event.state == "done"), None)
    due, state = epoch(last.due), events[-1].state
    until = done if done is not None else (epoch(events[-1].time) if state == "cancelled" else end)
    return TaskCourse(
        id=first.id,
        title=first.title,
        owner=first.owner_name or {"zh": first.owner, "en": first.owner},
        given=epoch(events[0].time),
        due=due,
        done=done,
        state=state,
        late_h=(until - due) / HOUR if until > due else None,
        escalated_to=last.escalated_to,
        seqs=tuple(dict.fromkeys((events[0].seq, events[-1].seq))),
    )


def alternatives(period: Period) -> tuple[Alternative, ...]:
    """What-ifs that were run and proposals that were made, in the order of the log."""
    found = [_rehearsal(event) for event in period.events if event.kind == "rehearsal"]
    found += [_proposal(events) for events in period.courses("proposal")]
    return tuple(sorted(found, key=lambda each: (each.time, each.seqs)))


def _rehearsal(event: Event) -> Alternative:
    run = record(event, RehearsalRun)
    return _alternative("rehearsal", run.name, event, {}, run.results, run.binding, ("", ""), (event.seq,))


def _proposal(events: Sequence[Event]) -> Alternative:
    last = record(events[-1], Proposal)
    seqs = tuple(dict.fromkeys((events[0].seq, events[-1].seq)))
    said = (last.decided_by, last.note)
    made = _alternative("proposal", last.title, events[0], last.reason, last.compared, last.binding, said, seqs)
    if events[-1].state == "proposed":
        return made
    return dataclasses.replace(made, state=events[-1].state, decided=epoch(events[-1].time))


def _alternative(
    kind: str,
    title: Text,
    event: Event,
    reason: Text,
    rows: Sequence[Any],
    binding: tuple[Text, ...],
    decided: tuple[str, str],
    seqs: tuple[int, ...],
) -> Alternative:
    return Alternative(
        kind=kind,
        title=title,
        time=epoch(event.time),
        state=event.state,
        reason=reason,
        rows=tuple(dict(row) for row in rows),
        binding=binding,
        decided_by=decided[0],
        note=decided[1],
        decided=epoch(event.time),
        seqs=seqs,
    )
