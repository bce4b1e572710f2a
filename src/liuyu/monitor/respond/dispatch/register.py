"""The register of orders and notifications: drafted, numbered and signed, answered, handed up when late, cancelled.

    drafted -> signed -> acknowledged (by all) -> reported (by all); overdue once for each deadline; cancelled

Every change is an event with the whole paper as it then stood, so that the log holds each version. What happens in one
second of the twin's clock is told some microseconds apart, one for each version: all of it stays in the log, in order.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.directives import Dispatch, Receipt, Recipient
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import Event, Proposal, announce, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.dispatch import words
from liuyu.monitor.respond.dispatch.notify import notice_of
from liuyu.monitor.respond.dispatch.recipients import Directory
from liuyu.monitor.respond.dispatch.steps import Hold, holds, hourly
from liuyu.monitor.respond.dispatch.wish import Wish

Text = dict[str, str]


class Held(msgspec.Struct):
    """A paper that may still change. `editor` changed its draft last; `told` names the deadlines that it missed."""

    dispatch: Dispatch
    state: str
    editor: str = ""
    told: list[str] = []


class Memory(msgspec.Struct):
    """The whole memory: what is open, the last number of each form and year, how many were drafted, the incident."""

    open: dict[str, Held] = {}
    serials: dict[str, int] = {}
    drafted: int = 0
    incident: str = ""


class Dispatches:
    """Stage: the papers of one basin. `exercise` marks all that is drafted as binding nobody."""

    name = "dispatch"

    def __init__(self, basin: Basin, directory: Directory, *, exercise: bool = False) -> None:
        self._basin, self.directory, self.exercise = basin, directory, exercise or basin.synthetic
        self._memory = Memory()

    def step(self, events: Sequence[Event], now: int) -> list[Event]:
        """What follows from what happened: a draft for an accepted proposal, notifications of a response, papers late.

        A signed order that replaces another cancels it in the same breath.
        """
        out: list[Event] = []
        for event in events:
            if event.kind == "incident":
                self._memory.incident = "" if event.state == "closed" else event.id
            elif event.kind == "proposal" and event.state == "accepted" and self.directory.contacts:
                proposal = record(event, Proposal)
                out.append(self.draft(Wish(), proposal.decided_by, now, proposal=proposal))
            elif event.kind == "response" and event.body.get("notify"):
                out += self._notify(event, now)
            elif event.kind == "dispatch" and event.state == "signed" and event.body.get("supersedes"):
                out += self._replaced(event, now)
        return [*out, *self._late(now)]

    # what people do

    def draft(self, wish: Wish, user: str, now: int, *, proposal: Proposal | None = None) -> Event:
        """A draft in the standard form, from an accepted proposal or by hand. Raises NotFound, BadInput."""
        schedule, effective = self._schedule(wish, proposal, now)
        recipients = (
            self.directory.resolve(wish.recipients) if wish.recipients is not None else self.directory.running(schedule)
        )
        form = wish.form or "order"
        title = _both(wish.title) or words.title(self._basin, sorted(schedule))
        reason = dict(proposal.title) if proposal else {}
        wording = _both(wish.wording) or words.body(
            self._basin, self.directory.office, recipients, schedule, effective or moment(now), reason
        )
        if form == "notification" and (wish.title is None or wish.wording is None):
            raise BadInput(
                "a notification needs its own title and wording, zh and en; only orders have a standard text"
            )
        if form == "order" and not schedule and wish.wording is None:
            raise BadInput("the order says nothing: give releases, a proposal, or its wording in zh and en")
        self._check_superseded(wish.supersedes or "")
        dispatch = Dispatch(
            id=self._next_id(now),
            form=form,
            number=words.UNNUMBERED,
            title=title,
            wording=wording,
            recipients=recipients,
            incident=wish.incident if wish.incident is not None else self._memory.incident,
            proposal=proposal.id if proposal else "",
            response=wish.response or "",
            releases={code: hourly(each) for code, each in schedule.items()},
            effective=effective,
            due=wish.due,
            report_due=wish.report_due,
            drafted_by=user,
            note=wish.note or "",
            supersedes=wish.supersedes or "",
            exercise=self.exercise,
            office=_both(self.directory.office.name) or {},
        )
        self._memory.open[dispatch.id] = held = Held(dispatch, "drafted", user)
        return self._event(held, now)

    def amend(self, id: str, wish: Wish, user: str, now: int) -> Event:
        """Change a draft; the log keeps the version before. Raises NotFound, BadInput for one that is signed."""
        held = self._find(id)
        if held.state != "drafted":
            raise BadInput(
                f"{id!r} is {held.state}: what is signed is not changed; cancel it, or draft one to replace it"
            )
        if wish.form is not None and wish.form != held.dispatch.form:
            raise BadInput(f"{id!r} is drafted as {held.dispatch.form}; draft the {wish.form} anew")
        given = {
            name: getattr(wish, name) for name in ("due", "report_due", "incident", "response", "note", "supersedes")
        }
        changes: dict[str, Any] = {name: each for name, each in given.items() if each is not None}
        self._check_superseded(wish.supersedes or "", but=id)
        if wish.recipients is not None:
            changes["recipients"] = self.directory.resolve(wish.recipients)
        if wish.title is not None:
            changes["title"] = _both(wish.title)
        changes |= self._rescheduled(held.dispatch, wish, now, changes.get("recipients", held.dispatch.recipients))
        if wish.wording is not None:
            changes["wording"] = _both(wish.wording)
        self._change(held, **changes)
        held.editor = user
        return self._event(held, now)

    def sign(self, id: str, user: str, note: str, now: int) -> Event:
        """Number and sign a draft: from now on it holds. Raises NotFound, BadInput."""
        held, office = self._find(id), self.directory.office
        if held.state != "drafted":
            raise BadInput(f"{id!r} is {held.state} already; only a draft can be signed")
        dispatch = held.dispatch
        if not dispatch.recipients:
            raise BadInput(f"{id!r} names no recipient; add some with amend before it is signed")
        if office.two_persons and user == held.editor:
            raise BadInput(f"{user!r} drafted {id!r}; this office has another person sign ([office] two_persons)")
        report = now + office.report_h * HOUR if dispatch.form == "order" else None
        due = epoch(dispatch.due) if dispatch.due else now + office.acknowledge_h * HOUR
        report = epoch(dispatch.report_due) if dispatch.report_due else report
        for name, deadline in (("due", due), ("report_due", report)):
            if deadline is not None and deadline <= now:
                raise BadInput(f"{name} of {id!r} has passed already; amend it to a later time")
        self._change(
            held,
            number=self._number(dispatch.form, now),
            signed_by=user,
            signed=moment(now),
            due=moment(due),
            report_due=moment(report) if report is not None else None,
            note=note or dispatch.note,
        )
        held.state = "signed"
        return self._event(held, now)

    def cancel(self, id: str, user: str, note: str, now: int, *, by: str = "") -> Event:
        """Cancel a draft or a signed paper; `by` is the one that replaces it. Raises NotFound, BadInput."""
        held = self._find(id)
        self._memory.open.pop(id)
        held.state = "cancelled"
        self._change(held, note=note or f"{user}", superseded_by=by)
        return self._event(held, now)

    def receive(
        self, id: str, recipient: str, what: Literal["acknowledged", "reported"], by: str, note: str, now: int
    ) -> Event:
        """A recipient says that it has a paper, or that it was carried out. Raises NotFound, BadInput."""
        held = self._find(id)
        dispatch = held.dispatch
        if held.state == "drafted":
            raise BadInput(f"{id!r} is a draft; only what is signed can be {what}")
        codes = [each.code for each in dispatch.recipients]
        if recipient not in codes:
            raise NotFound(f"{recipient[:80]!r} is no recipient of {id!r}; it went to {', '.join(codes)}")
        if answered(dispatch, recipient, what):
            raise BadInput(f"{recipient!r} has {what} {id!r} already; nothing was changed")
        receipts = [*dispatch.receipts]
        if what == "reported" and not answered(dispatch, recipient, "acknowledged"):
            receipts.append(Receipt(recipient=recipient, what="acknowledged", at=moment(now), by=by))
        receipts.append(Receipt(recipient=recipient, what=what, at=moment(now), by=by, note=note))
        self._change(held, receipts=tuple(receipts))
        held.state = self._state(held)
        if not runs(held.state, dispatch.report_due):
            self._memory.open.pop(id)
        return self._event(held, now)

    def standing(self, id: str) -> tuple[Dispatch, str] | None:
        """An open paper and its state; None for one that is over or never was."""
        held = self._memory.open.get(id)
        return (held.dispatch, held.state) if held else None

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        return msgspec.msgpack.encode(self._memory)

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        self._memory = msgspec.msgpack.decode(blob, type=Memory)

    # what follows

    def _notify(self, event: Event, now: int) -> list[Event]:
        """Notifications of a response: drafted and signed at once, in the name of who approved the response."""
        made = notice_of(event, self._basin)
        wish = Wish(
            form="notification", title=made.title, wording=made.wording, response=event.id, incident=made.incident
        )
        drafted = self.draft(wish, made.by, now)
        held = self._memory.open[drafted.id]
        self._change(held, recipients=made.recipients, number=self._number("notification", now), signed_by=made.by)
        due = now + self.directory.office.acknowledge_h * HOUR
        self._change(held, signed=moment(now), due=moment(due))
        held.state = "signed"
        return [self._event(held, now)]

    def _replaced(self, event: Event, now: int) -> list[Event]:
        old, new = str(event.body["supersedes"]), str(event.body["number"]["zh"])
        if old not in self._memory.open:
            return []
        return [
            self.cancel(old, str(event.body["signed_by"]), f"由{new}替代 / replaced by {event.id}", now, by=event.id)
        ]

    def _late(self, now: int) -> list[Event]:
        """Papers whose deadline went by, told once for each, with who stands above those that have not answered."""
        out = []
        for held in self._memory.open.values():
            missed = _missed(held.dispatch, now)
            if held.state == "drafted" or not missed or missed in held.told:
                continue
            held.told.append(missed)
            above = self.directory.superiors(silent(held.dispatch, missed))
            names = {
                "zh": "、".join(each.name.zh for each in above) or self.directory.office.name.zh,
                "en": "; ".join(each.name.en for each in above) or self.directory.office.name.en,
            }
            self._change(held, escalated_to=names)
            held.state = "overdue"
            out.append(self._event(held, now))
        return out

    # the rest

    def _find(self, id: str) -> Held:
        held = self._memory.open.get(id)
        if held is None:
            near = difflib.get_close_matches(id, self._memory.open, n=1)
            raise NotFound(f"no open order {id[:120]!r}; " + (f"did you mean {near[0]!r}?" if near else "see the list"))
        return held

    def _state(self, held: Held) -> str:
        dispatch = held.dispatch
        if not silent(dispatch, "reported"):
            return "reported"
        if "reported" in held.told or ("acknowledged" in held.told and silent(dispatch, "acknowledged")):
            return "overdue"
        return "signed" if silent(dispatch, "acknowledged") else "acknowledged"

    def _schedule(
        self, wish: Wish, proposal: Proposal | None, now: int
    ) -> tuple[dict[str, tuple[Hold, ...]], datetime | None]:
        """The steps by reservoir and when they begin: of a proposal the hours that are yet to come."""
        wanted: Mapping[str, Sequence[float]] = wish.releases if wish.releases is not None else {}
        effective = wish.effective
        if wish.releases is None and proposal is not None:
            if effective is not None:
                raise BadInput("a proposal says itself when it begins; leave effective out, or give the releases too")
            gone = max(0, -(-(now - epoch(proposal.issued)) // HOUR))
            wanted = {code: series[gone:] for code, series in proposal.releases.items() if series[gone:]}
            effective = proposal.issued + timedelta(hours=gone)
        known = [each.code for each in self._basin.reservoirs]
        for code in wanted:
            if code not in known:
                near = difflib.get_close_matches(code, known, n=1)
                raise BadInput(
                    f"no reservoir {code[:80]!r}; "
                    + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}")
                )
        if wanted and effective is None:
            effective = moment(-(-now // HOUR) * HOUR)
        return {code: holds(series) for code, series in wanted.items()}, effective

    def _rescheduled(
        self, dispatch: Dispatch, wish: Wish, now: int, recipients: tuple[Recipient, ...]
    ) -> dict[str, Any]:
        """What changes with other releases or another start, and the standard text that says them and to whom."""
        if dispatch.form == "notification" or (wish.releases is None and wish.effective is None):
            return {"wording": words.addressed(dispatch.wording, dispatch.recipients, recipients)}
        kept = wish.releases if wish.releases is not None else dispatch.releases
        start = wish.effective or dispatch.effective
        schedule, effective = self._schedule(Wish(releases=kept, effective=start), None, now)
        text = words.body(self._basin, self.directory.office, recipients, schedule, effective or moment(now), {})
        return {
            "releases": {code: hourly(each) for code, each in schedule.items()},
            "effective": effective,
            "wording": text,
        }

    def _check_superseded(self, old: str, *, but: str = "") -> None:
        if old and (old == but or old not in self._memory.open or self._memory.open[old].state == "drafted"):
            raise BadInput(f"supersedes={old[:120]!r} is no signed order that still runs; leave it out, or name one")

    def _number(self, form: str, now: int) -> Text:
        office = self.directory.office
        pattern = office.order_number if form == "order" else office.notification_number
        year = moment(now, self._basin.zone).year
        serial = self._memory.serials.get(f"{form}/{year}", 0) + 1
        self._memory.serials[f"{form}/{year}"] = serial
        return {"zh": pattern.zh.format(year=year, serial=serial), "en": pattern.en.format(year=year, serial=serial)}

    def _next_id(self, now: int) -> str:
        self._memory.drafted += 1
        return f"dispatch:{moment(now):%Y%m%dT%H%MZ}:{self._memory.drafted}"

    def _change(self, held: Held, **changes: Any) -> None:
        held.dispatch = msgspec.structs.replace(held.dispatch, **changes)

    def _event(self, held: Held, now: int) -> Event:
        version = held.dispatch.version
        time = moment(now) + timedelta(microseconds=version)
        said = announce(held.dispatch, state=held.state, time=time, subject=self._basin.code)
        self._change(held, version=version + 1)
        return said


def runs(state: str, report_due: object) -> bool:
    """Whether a signed paper still asks something of its recipients."""
    return state in ("signed", "overdue") or (state == "acknowledged" and report_due is not None)


def answered(dispatch: Dispatch, recipient: str, what: str) -> bool:
    """Whether a recipient has acknowledged or reported; who has reported has acknowledged too."""
    return any(each.recipient == recipient and each.what in (what, "reported") for each in dispatch.receipts)


def silent(dispatch: Dispatch, what: str) -> list[str]:
    """The recipients that have not acknowledged, or not reported."""
    return [each.code for each in dispatch.recipients if not answered(dispatch, each.code, what)]


def _missed(dispatch: Dispatch, now: int) -> str:
    """The deadline that went by with somebody silent: reported before acknowledged, "" for none."""
    for what, deadline in (("reported", dispatch.report_due), ("acknowledged", dispatch.due)):
        if deadline is not None and now > epoch(deadline) and silent(dispatch, what):
            return what
    return ""


def _both(text: Any) -> Text | None:
    return {"zh": text.zh, "en": text.en} if text is not None else None
