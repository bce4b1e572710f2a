"""What people decided, ordered and handed on, put together from the log: responses, orders, shifts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.directives import Delivery, Dispatch, Handover, Receipt, Response
from liuyu.basin.events import Event, record
from liuyu.monitor.summarise.period import Period

Text = Mapping[str, str]
_LEVELS = ("", "IV", "III", "II", "I")


@dataclass(frozen=True, slots=True)
class Move:
    """A step of an emergency response: proposed, started, adjusted, terminated or declined."""

    time: int
    state: str
    level: str
    proposed: str
    by: str
    why: tuple[Text, ...]
    note: str
    seq: int


@dataclass(frozen=True, slots=True)
class ResponseCourse:
    """An emergency response from its proposal to its end; `highest` is the gravest level in force, "" for none."""

    id: str
    title: Text
    version: str
    highest: str
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Addressed:
    """An order at one of its recipients: when it was acknowledged and reported, by whom; how it was delivered."""

    name: Text
    acknowledged: int | None
    reported: int | None
    by: str
    note: str
    sent: int
    failed: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class DispatchCourse:
    """An order or notification from its draft to the last report. `late_h` is by how many hours an answer is late."""

    id: str
    form: str
    number: Text
    title: Text
    state: str
    drafted: int
    signed: int | None
    signed_by: str
    due: int | None
    late_h: float | None
    recipients: tuple[Addressed, ...]
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift handed over: when it was offered and taken, by whom, and how much was open."""

    offered: int
    taken: int | None
    given_by: str
    taken_by: str
    open: int
    note: str
    seqs: tuple[int, ...]


def responses(period: Period) -> tuple[ResponseCourse, ...]:
    """Every emergency response that was proposed or in force in the period, by its first event."""
    return tuple(_response(events) for events in period.courses("response"))


def _response(events: Sequence[Event]) -> ResponseCourse:
    records = [record(event, Response) for event in events]
    in_force = [each.level for each in records]
    return ResponseCourse(
        id=events[0].id,
        title=records[-1].title,
        version=records[-1].version,
        highest=max(in_force, key=_LEVELS.index),
        moves=tuple(_move(event, each) for event, each in zip(events, records, strict=True)),
    )


def _move(event: Event, each: Response) -> Move:
    by = each.proposed_by if event.state == "proposed" else each.approved_by
    return Move(epoch(event.time), event.state, each.level, each.proposed_level, by, each.why, each.note, event.seq)


def dispatches(period: Period) -> tuple[DispatchCourse, ...]:
    """Every order and notification of the period, by its draft."""
    sent: dict[str, list[tuple[str, Delivery]]] = {}
    for event in (*period.earlier, *period.events):
        if event.kind == "delivery":
            each = record(event, Delivery)
            sent.setdefault(each.dispatch, []).append((event.state, each))
    return tuple(_dispatch(events, sent.get(events[0].id, ()), period.end) for events in period.courses("dispatch"))


def _dispatch(events: Sequence[Event], sent: Iterable[tuple[str, Delivery]], end: int) -> DispatchCourse:
    last = record(events[-1], Dispatch)
    sent = list(sent)
    addressed = tuple(
        _addressed(last, each.code, each.name, [(s, d) for s, d in sent if d.recipient == each.code])
        for each in last.recipients
    )
    over = events[-1].state == "cancelled"
    return DispatchCourse(
        id=last.id,
        form=last.form,
        number=last.number,
        title=last.title,
        state=events[-1].state,
        drafted=epoch(events[0].time),
        signed=epoch(last.signed) if last.signed else None,
        signed_by=last.signed_by,
        due=epoch(last.due) if last.due else None,
        late_h=_late(last, addressed, epoch(events[-1].time) if over else end),
        recipients=addressed,
        seqs=tuple(dict.fromkeys((events[0].seq, events[-1].seq))),
    )


def _addressed(order: Dispatch, code: str, name: Text, sent: Sequence[tuple[str, Delivery]]) -> Addressed:
    receipts = [each for each in order.receipts if each.recipient == code]
    acknowledged, reported = (_first(receipts, what) for what in ("acknowledged", "reported"))
    newest = max(receipts, key=lambda each: each.at, default=None)
    return Addressed(
        name=name,
        acknowledged=acknowledged,
        reported=reported,
        by=newest.by if newest else "",
        note=newest.note if newest else "",
        sent=sum(state == "sent" for state, _ in sent),
        failed=sum(state == "failed" for state, _ in sent),
        duplicates=sum(state == "sent" and each.duplicate for state, each in sent),
    )


def _first(receipts: Iterable[Receipt], what: str) -> int | None:
    return min((epoch(each.at) for each in receipts if each.what == what), default=None)


def _late(order: Dispatch, addressed: Iterable[Addressed], end: int) -> float | None:
    """Hours by which the latest answer, to the order or on its execution, came after its deadline."""
    if order.signed is None:
        return None
    late = []
    for each in addressed:
        answered = each.acknowledged if each.acknowledged is not None else each.reported
        for due, when in ((order.due, answered), (order.report_due, each.reported)):
            if due is not None:
                late.append((end if when is None else when) - epoch(due))
    worst = max(late, default=0)
    return worst / HOUR if worst > 0 else None


def shifts(period: Period) -> tuple[Shift, ...]:
    """Every shift that was handed over in the period."""
    return tuple(_shift(events) for events in period.courses("handover"))


def _shift(events: Sequence[Event]) -> Shift:
    first, last = record(events[0], Handover), record(events[-1], Handover)
    return Shift(
        offered=epoch(events[0].time),
        taken=epoch(events[-1].time) if events[-1].state == "taken" else None,
        given_by=first.given_by,
        taken_by=last.taken_by,
        open=len(first.open),
        note=last.note or first.note,
        seqs=tuple(dict.fromkeys(event.seq for event in events)),
    )
