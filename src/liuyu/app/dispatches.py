"""The duty office of a running twin: orders and notifications drafted, signed, answered; satisfies `web.papers`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from liuyu.app.links import follow
from liuyu.app.pipeline import Pipeline
from liuyu.basin.directives import Delivery, Dispatch
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import Event, Proposal, newest, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.channels import LOGGED
from liuyu.monitor.respond.dispatch import Dispatches, Wish, answered, document, runs, silent
from liuyu.store.interface import Store
from liuyu.web.papers import Answer, DeliverySheet, DirectorySheet, DispatchSheet, GroupSheet, PaperSheet
from liuyu.web.ports import Role, User


class Running(Protocol):
    """A pipeline on its way."""

    @property
    def pipeline(self) -> Pipeline:
        """Its stages."""
        ...

    @property
    def now(self) -> int:
        """Where its time stands [s UTC]."""
        ...


class Act(Protocol):
    """How something is done to the twin: in one transaction, audited, announced."""

    def __call__(
        self, user: User, action: str, target: str, detail: Mapping[str, Any], do: Callable[[int], Event]
    ) -> Event:
        """Returns the event that was logged."""
        ...


Need = Callable[[User, Role, str], None]


class DispatchOffice:
    """Orders and notifications of one twin. `run` gives the run as it stands."""

    def __init__(self, basin: Basin, store: Store, act: Act, need: Need, run: Callable[[], Running]) -> None:
        self._basin, self._store, self._act, self._need, self._run = basin, store, act, need, run

    # looking

    def listed(
        self, *, state: str, form: str, incident: str, proposal: str, response: str, limit: int
    ) -> list[DispatchSheet]:
        """Papers, newest first, narrowed."""
        last = newest(self._store.events(kinds=["dispatch"]))
        wanted = {"form": form, "incident": incident, "proposal": proposal, "response": response}
        found = [
            each
            for each in last.values()
            if state in ("", each.state)
            and all(not value or each.body[name] == value for name, value in wanted.items())
        ]
        return [self._sheet(each) for each in sorted(found, key=lambda each: -each.seq)[:limit]]

    def find(self, id: str) -> DispatchSheet:
        """One paper. Raises NotFound."""
        return self._sheet(self._newest(id))

    def directory(self) -> DirectorySheet:
        """Who may be written to."""
        stage = self._stage
        found, postbox = stage.directory, self._run().pipeline.postbox
        return DirectorySheet(
            office={"zh": found.office.name.zh, "en": found.office.name.en},
            acknowledge_h=found.office.acknowledge_h,
            report_h=found.office.report_h,
            sign_role=found.office.sign_role,
            recipients=found.resolve(each.code for each in found.contacts),
            lists=tuple(
                GroupSheet(code=each.code, name={"zh": each.name.zh, "en": each.name.en}, recipients=each.recipients)
                for each in found.groups
            ),
            channels=(*LOGGED, *(postbox.channels if postbox else ())),
            exercise=stage.exercise,
        )

    def paper(self, token: str) -> PaperSheet:
        """What an address leads to. Raises NotFound."""
        to = follow(self._store, token)
        sheet = self.find(to.dispatch)
        recipient = next(each for each in sheet.dispatch.recipients if each.code == to.recipient)
        return PaperSheet(
            sheet=sheet,
            recipient=recipient,
            acknowledged=answered(sheet.dispatch, to.recipient, "acknowledged"),
            reported=answered(sheet.dispatch, to.recipient, "reported"),
        )

    # doing

    def draft(self, user: User, wish: Wish, proposal: str) -> DispatchSheet:
        """A draft, of an accepted proposal or by hand. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "draft an order")
        source = self._proposal(proposal) if proposal else None
        detail = {"proposal": proposal, "form": wish.form or "order"}

        def do(now: int) -> Event:
            return self._stage.draft(wish, user.name, now, proposal=source)

        return self._sheet(self._act(user, "draft", proposal or "dispatch", detail, do))

    def amend(self, user: User, id: str, wish: Wish) -> DispatchSheet:
        """Change a draft. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "change a draft")
        detail = {"changed": [name for name in wish.__struct_fields__ if getattr(wish, name) is not None]}
        return self._do(user, "amend", id, detail, lambda now: self._stage.amend(id, wish, user.name, now))

    def sign(self, user: User, id: str, note: str) -> DispatchSheet:
        """Number, sign and send. Needs the role that the office asks for. Raises NotFound, BadInput."""
        self._need(user, self._stage.directory.office.sign_role, "sign an order")
        return self._do(user, "sign", id, {"note": note}, lambda now: self._stage.sign(id, user.name, note, now))

    def cancel(self, user: User, id: str, note: str) -> DispatchSheet:
        """Cancel; whoever has been sent it is told. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "cancel an order")
        return self._do(user, "cancel", id, {"note": note}, lambda now: self._stage.cancel(id, user.name, note, now))

    def receive(self, user: User, id: str, recipient: str, what: Answer, by: str, note: str) -> DispatchSheet:
        """Note that a recipient has it, or has carried it out. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "note the answer to an order")
        who = f"{by}（{user.name}代记）" if by and by != user.name else user.name
        detail = {"recipient": recipient, "what": what, "by": by, "note": note}
        return self._do(
            user, "receipt", id, detail, lambda now: self._stage.receive(id, recipient, what, who, note, now)
        )

    def answer(self, token: str, what: Answer, by: str, note: str) -> PaperSheet:
        """Answer by an address; the same answer again changes nothing. Raises NotFound, BadInput."""
        before = self.paper(token)
        id, recipient = before.sheet.id, before.recipient
        if not (before.reported if what == "reported" else before.acknowledged):
            who = by.strip()[:80] or recipient.name["zh"]
            detail = {"recipient": recipient.code, "what": what, "by": who, "note": note}
            user = User(f"link:{recipient.code}", "viewer")
            self._do(
                user, "receipt", id, detail, lambda now: self._stage.receive(id, recipient.code, what, who, note, now)
            )
        return self.paper(token)

    # the rest

    @property
    def _stage(self) -> Dispatches:
        return self._run().pipeline.dispatch

    def _do(
        self, user: User, action: str, id: str, detail: Mapping[str, Any], do: Callable[[int], Event]
    ) -> DispatchSheet:
        """Do something to a paper. Raises BadInput, not NotFound, for one that is over."""

        def done(now: int) -> Event:
            if self._stage.standing(id) is None:
                state = self._newest(id).state
                raise BadInput(f"{id!r} is {state}, and over; nothing was changed")
            return do(now)

        return self._sheet(self._act(user, action, id, detail, done))

    def _newest(self, id: str) -> Event:
        found = self._store.events(id=id, kinds=["dispatch"], newest_first=True, limit=1)
        if not found:
            raise NotFound(f"no order or notification {id[:120]!r}; see GET /api/dispatches")
        return found[0]

    def _proposal(self, id: str) -> Proposal:
        found = self._store.events(id=id, kinds=["proposal"], newest_first=True, limit=1)
        if not found:
            raise NotFound(f"no proposal {id[:120]!r}; see GET /api/board")
        if found[0].state != "accepted":
            raise BadInput(f"proposal {id!r} is {found[0].state}; accept one, then draft its order")
        return record(found[0], Proposal)

    def _sheet(self, event: Event) -> DispatchSheet:
        dispatch = record(event, Dispatch)
        old = record(self._newest(dispatch.supersedes), Dispatch) if dispatch.supersedes else None
        held = runs(event.state, dispatch.report_due)
        acts = ("amend", "sign", "cancel") if event.state == "drafted" else ("cancel", "receipt") if held else ()
        must_report = dispatch.report_due is not None and event.state != "drafted"
        return DispatchSheet(
            id=event.id,
            state=event.state,  # type: ignore[arg-type]  # the log holds nothing else of this kind
            time=event.time,
            seq=event.seq,
            dispatch=dispatch,
            document=document(dispatch, self._basin.zone, old=old),
            waiting=tuple(silent(dispatch, "acknowledged")) if event.state != "drafted" else (),
            unreported=tuple(silent(dispatch, "reported")) if must_report else (),
            deliveries=self._deliveries(dispatch),
            acts=acts,  # type: ignore[arg-type]
        )

    def _deliveries(self, dispatch: Dispatch) -> tuple[DeliverySheet, ...]:
        """The last of each recipient, channel and occasion; what is still in the queue as far as it has come."""
        if dispatch.signed is None:
            return ()
        found: dict[str, DeliverySheet] = {}
        for event in self._store.events(kinds=["delivery"], subject=dispatch.id):
            each = record(event, Delivery)
            open_still = event.state == "failed" and not each.final
            found[each.key] = DeliverySheet(
                recipient=each.recipient,
                channel=each.channel,
                occasion=each.occasion,  # type: ignore[arg-type]
                state="queued" if open_still else event.state,  # type: ignore[arg-type]
                attempts=each.attempt,
                at=event.time,
                reason=each.reason,
                duplicate=each.duplicate,
            )
        for recipient in dispatch.recipients:
            self._waiting(dispatch, recipient.code, recipient.channels, found)
        return tuple(sorted(found.values(), key=lambda each: (each.recipient, each.channel, each.occasion)))

    def _waiting(
        self, dispatch: Dispatch, code: str, channels: tuple[str, ...], found: dict[str, DeliverySheet]
    ) -> None:
        """Add what is queued of the order itself and has not been tried yet."""
        tried = {(each.recipient, each.channel) for each in found.values()}
        postbox = self._run().pipeline.postbox
        for channel in channels:
            if postbox is None or channel not in postbox.channels or (code, channel) in tried:
                continue
            found[f"{code}/{channel}"] = DeliverySheet(
                recipient=code, channel=channel, occasion="order", state="queued", attempts=0
            )
