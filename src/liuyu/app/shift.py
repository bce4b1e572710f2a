"""The shift of a running twin: handing over, files laid to what happens, browsers to be told; see `web.papers`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec

from liuyu.app.dispatches import Act, Need, Running
from liuyu.basin.clock import DAY, moment
from liuyu.basin.directives import Attachment, Handover
from liuyu.basin.errors import BadInput, NotFound, StoreFailed
from liuyu.basin.events import Event, announce, newest, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.channels import push
from liuyu.monitor.respond.dispatch import OPEN_KINDS, open_items, shift_of
from liuyu.monitor.respond.dispatch.files import media_type, plain_name
from liuyu.store.interface import Store
from liuyu.web.papers import HandoverSheet
from liuyu.web.ports import User

TARGETS = ("incident", "task", "dispatch", "response", "alert", "notice", "proposal", "numbered_flood", "handover")
_LOOKED_BACK = 90 * DAY
_SHOWN = 20


class Shift:
    """What the watch does beside orders. `run` gives the run as it stands."""

    def __init__(self, basin: Basin, store: Store, act: Act, need: Need, run: Callable[[], Running]) -> None:
        self._basin, self._store, self._act, self._need, self._run = basin, store, act, need, run

    # handing over

    def handover(self) -> HandoverSheet:
        """Where the watch stands."""
        now = self._run().now
        made = newest(self._store.events(kinds=["handover"], start=now - _LOOKED_BACK))
        return HandoverSheet(
            shift=shift_of(moment(now), self._basin.zone),
            open=self._open(now),
            handovers=tuple(reversed(made.values()))[:_SHOWN],
        )

    def offer(self, user: User, note: str, by: str = "") -> Event:
        """Hand over: what is open is written down. Needs duty_officer. Raises BadInput where one is open already."""
        self._need(user, "duty_officer", "hand over the watch")
        who = by.strip() or user.name

        def do(now: int) -> Event:
            made = newest(self._store.events(kinds=["handover"]))
            waiting = [each for each in made.values() if each.state == "offered"]
            if waiting:
                raise BadInput(f"{waiting[-1].id!r} is offered already and not taken; have it taken first")
            handover = Handover(
                id=f"handover:{moment(now):%Y%m%dT%H%MZ}:{len(made) + 1}",
                shift=shift_of(moment(now), self._basin.zone),
                given_by=who,
                open=self._open(now),
                note=note,
            )
            return announce(handover, state="offered", time=moment(now), subject=self._basin.code)

        return self._act(user, "handover", "shift", {"by": who, "note": note}, do)

    def take(self, user: User, id: str, note: str, by: str = "") -> Event:
        """Take over, somebody else than who hands over. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "take over the watch")
        who = by.strip() or user.name

        def do(now: int) -> Event:
            found = self._store.events(id=id, kinds=["handover"], newest_first=True, limit=1)
            if not found:
                raise NotFound(f"no handover {id[:120]!r}; see GET /api/handover")
            given = record(found[0], Handover)
            if found[0].state != "offered":
                raise BadInput(f"{id!r} was taken by {given.taken_by} already; nothing was changed")
            if who == given.given_by:
                raise BadInput(
                    f"{who!r} hands over and cannot take over; sign in as the next, or say who it is in `by`"
                )
            taken = msgspec.structs.replace(given, taken_by=who, note="\n".join(filter(None, (given.note, note))))
            return announce(taken, state="taken", time=moment(now), subject=self._basin.code)

        return self._act(user, "take over", id, {"by": who, "note": note}, do)

    def _open(self, now: int) -> tuple[dict[str, str], ...]:
        events = self._store.events(kinds=OPEN_KINDS, start=now - _LOOKED_BACK)
        return open_items(events, self._basin.zone)

    # files

    def attach(self, user: User, target: str, name: str, content: bytes, note: str) -> Event:
        """Lay a file to a thing. Needs duty_officer. Raises NotFound, BadInput for a type that is not taken."""
        self._need(user, "duty_officer", "attach a file")
        if not self._store.events(id=target, kinds=TARGETS, limit=1):
            raise NotFound(f"nothing {target[:120]!r} to attach to; give the id of an incident, a task or an order")
        name = plain_name(name)
        kind = media_type(name, content)
        digest = hashlib.sha256(content).hexdigest()
        made = Attachment(
            id=f"attachment:{hashlib.sha256(msgspec.json.encode([target, name, digest])).hexdigest()[:20]}",
            target=target,
            name=name,
            media_type=kind,
            size=len(content),
            digest=digest,
            added_by=user.name,
            note=note,
        )

        def do(now: int) -> Event:
            if self._store.events(id=made.id, limit=1):
                raise BadInput(f"{name!r} is attached to {target!r} already; nothing was changed")
            self._store.put_file(content)
            return announce(made, state="added", time=moment(now), subject=target)

        return self._act(user, "attach", target, {"name": name, "size": len(content), "sha256": digest}, do)

    def attachments(self, target: str) -> list[Event]:
        """The files of a thing, or of all, newest first."""
        return self._store.events(kinds=["attachment"], subject=target or None, newest_first=True, limit=1000)

    def attachment(self, id: str) -> tuple[Attachment, bytes]:
        """A file. Raises NotFound, StoreFailed where its bytes are not those that were attached."""
        found = self._store.events(id=id, kinds=["attachment"], limit=1)
        made = record(found[0], Attachment) if found else None
        content = self._store.file(made.digest) if made else None
        if made is None or content is None:
            raise NotFound(f"no attachment {id[:120]!r}; see GET /api/attachments")
        if hashlib.sha256(content).hexdigest() != made.digest:
            raise StoreFailed(f"the bytes of {id!r} are not those that were attached; take it from a copy of the store")
        return made, content

    # browsers

    def push_key(self) -> str:
        """The public key for web push. Raises NotFound where the twin has no such channel."""
        return self._push().public_key

    def subscribe(self, user: User, endpoint: str, p256dh: str, auth: str, recipient: str) -> None:
        """Have a browser told what goes to a recipient. Needs duty_officer. Raises NotFound, BadInput.

        What it is told holds the address that answers in the recipient's name.
        """
        self._need(user, "duty_officer", "be told what goes to a recipient")
        channel = self._push()
        self._run().pipeline.dispatch.directory.contact(recipient)
        if not channel.admits(endpoint):
            raise BadInput(f"{endpoint[:80]!r} is of no known push service; name its host in [[channels]] hosts")
        asked = push.Subscription(endpoint=endpoint, p256dh=p256dh, auth=auth, user=user.name, recipient=recipient)
        with self._store.transaction():
            push.subscribe(self._store, asked)
            self._note(user, "subscribe", recipient)

    def unsubscribe(self, user: User, endpoint: str) -> None:
        """Leave a browser in peace. Raises NotFound."""
        with self._store.transaction():
            if not push.forget(self._store, endpoint):
                raise NotFound("this browser has not subscribed; nothing was changed")
            self._note(user, "unsubscribe", user.name)

    def _push(self) -> push.Push:
        postbox = self._run().pipeline.postbox
        found = [each for each in postbox.channels.values() if isinstance(each, push.Push)] if postbox else []
        if not found:
            raise NotFound('this twin sends no web push; add [[channels]] kind = "push" to its configuration')
        return found[0]

    def _note(self, user: User, action: str, target: str) -> None:
        self._store.audit(
            at=self._run().now, user=f"{user.name} ({user.role})", action=action, target=target, detail={}
        )
