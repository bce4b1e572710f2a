"""From a signed paper to its recipients: at least once, never lost, and marked where it may be the second time.

In the transaction that logs the signature a job is queued for each recipient and channel (`Postbox`). A thread for each
channel claims jobs under a lease, sends, and logs the outcome (`Deliverer`). What died between sending and logging is
sent again when the lease has run out, with the same key, and says that it may be a duplicate.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from liuyu.app.links import Links
from liuyu.basin.clock import epoch, moment
from liuyu.basin.directives import Delivery, Dispatch, Recipient
from liuyu.basin.errors import LiuyuError
from liuyu.basin.events import Event, announce, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.channels import LOGGED, Channel, Message, NobodyThere, NotSent
from liuyu.monitor.respond.channels.message import Occasion
from liuyu.monitor.respond.dispatch import Contact, Directory, document, silent
from liuyu.store.interface import Job, Store

KIND = "delivery"
SPARE = 15  # beyond the patience of a channel [s], until another may take its job
LOOK = 1.0  # between two looks at the queue [s]
FIRST_PAUSE, LONGEST_PAUSE = 5, 600  # between two attempts [s]
_OVER = ("cancelled", "reported")
_log = logging.getLogger("liuyu.outbox")
Target = Recipient | Contact


class Parcel(msgspec.Struct, frozen=True, kw_only=True):
    """What a job holds: a message as it stood when its paper was logged, but for attempt and time.

    `linked`: the address that answers it is put in when it is sent, so that the store never holds it.
    """

    channel: str
    message: Message
    linked: bool = False


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a job's attempts: how many certainly failed, and the last reason that was logged."""

    certain: int = 0
    reason: str = ""


class Postbox:
    """Queues what follows from papers that were logged. `clock` is this machine's [s UTC].

    `outgoing`: whether anything leaves the house. In a replay it does not, unless that is asked for.
    """

    def __init__(
        self,
        basin: Basin,
        channels: Mapping[str, Channel],
        links: Links | None,
        clock: Callable[[], int],
        *,
        outgoing: bool = True,
    ) -> None:
        self._basin, self.channels, self._links, self.clock = basin, channels, links, clock
        self._outgoing = outgoing
        self.posted = threading.Event()

    def post(self, store: Store, events: Iterable[Event], directory: Directory) -> list[Event]:
        """Queue a job for each recipient and channel, in the transaction that is open; returns deliveries to be logged.

        The page and the feed are served by the log itself: to them it is delivered.
        """
        said: list[Event] = []
        for event in events:
            for occasion, targets in _due(event, directory):
                said += self._post(store, event, occasion, targets, directory)
        if said:
            self.posted.set()
        return said

    def _post(
        self, store: Store, event: Event, occasion: Occasion, targets: Sequence[Target], directory: Directory
    ) -> list[Event]:
        dispatch = record(event, Dispatch)
        text = document(dispatch, self._basin.zone, old=_old(store, dispatch))
        count, digest = store.chain_head()
        addresses = {each.code: each.address for each in directory.contacts}
        said = []
        for target in targets:
            linked = bool(self._links and occasion == "order" and self._links.issue(store, dispatch.id, target.code))
            for channel in target.channels:
                if channel not in LOGGED and channel not in self.channels:
                    continue
                message = Message(
                    key=f"{dispatch.id}:{dispatch.version}:{target.code}:{channel}",
                    dispatch=dispatch.id,
                    occasion=occasion,
                    recipient=target.code,
                    name=_both(target.name),
                    address=addresses.get(target.code, {}).get(channel, ""),
                    number=dispatch.number,
                    title=dispatch.title,
                    text=text,
                    body=event.body,
                    time=epoch(event.time),
                    at=0,
                    exercise=dispatch.exercise,
                    head=f"log {count}:{digest[:32]}",
                )
                if channel in LOGGED:
                    said.append(_told(message, channel, "sent", epoch(event.time)))
                elif not self._outgoing:
                    why = "演练：回放中不外发 / exercise: a replay sends nothing out"
                    said.append(_told(message, channel, "withheld", epoch(event.time), reason=why))
                else:
                    parcel = msgspec.json.encode(Parcel(channel=channel, message=message, linked=linked))
                    store.submit(f"{KIND}:{channel}", message.key, parcel, now=self.clock())
                    self.posted.set()
        return said

    def opened(self, parcel: Parcel) -> Message:
        """The message of a job, with the address that answers it."""
        message = parcel.message
        if not parcel.linked or self._links is None:
            return message
        return msgspec.structs.replace(message, link=self._links.address_of(message.dispatch, message.recipient))


class Deliverer:
    """Threads that send what is queued. `now` is the twin's time [s UTC], at which outcomes are logged."""

    def __init__(
        self,
        store: Store,
        postbox: Postbox,
        now: Callable[[], int],
        tell: Callable[[Sequence[Event]], None],
        *,
        first_pause: int = FIRST_PAUSE,
        spare: int = SPARE,
    ) -> None:
        self._store, self._postbox, self._now, self._tell = store, postbox, now, tell
        self._first_pause, self._spare = first_pause, spare
        self._worker = f"{socket.gethostname()}:{os.getpid()}"
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, args=(name, each), name=f"liuyu-{name}", daemon=True)
            for name, each in postbox.channels.items()
        ]

    def start(self) -> None:
        """Begin to send; first of all what an earlier process left."""
        for each in self._threads:
            each.start()

    def stop(self) -> None:
        """End after the message in hand."""
        self._stopping.set()
        for each in self._threads:
            if each.is_alive():
                each.join()

    def turn(self, name: str, channel: Channel) -> bool:
        """Send one message of a channel, if one is due; False where there is none."""
        kind = [f"{KIND}:{name}"]
        if not self._store.jobs(kinds=kind, states=["queued", "claimed"], limit=1):
            return False
        now = self._postbox.clock()
        job = self._store.claim(kind, self._worker, now=now, lease=round(channel.patience) + self._spare)
        if job is None:
            return False
        message = self._postbox.opened(msgspec.json.decode(job.payload, type=Parcel))
        past = self._past(job)
        message = msgspec.structs.replace(
            message, attempt=job.attempts, at=now, duplicate=job.attempts - 1 > past.certain
        )
        why = self._needless(message)
        if why:
            self._close(job, message, name, "withheld", why)
            return True
        try:
            channel.send(message)
        except NobodyThere as fault:
            self._close(job, message, name, "withheld", str(fault))
        except NotSent as fault:
            self._failed(job, message, name, past, fault)
        except Exception as fault:  # a fault of ours must not keep an order from going out at the next attempt
            _log.exception("channel %s failed at %s", name, message.key)
            self._failed(job, message, name, past, NotSent(f"{type(fault).__name__}: {fault}", doubt=True))
        else:
            self._close(job, message, name, "sent", "")
        return True

    def _serve(self, name: str, channel: Channel) -> None:
        troubled = False
        while not self._stopping.is_set():
            try:
                worked = self.turn(name, channel)
                troubled = False
            except LiuyuError as fault:  # the store, most likely: what was sent is sent again, and marked
                if not troubled:
                    _log.error("deliveries by %s cannot be kept, and are tried again: %s", name, fault)
                worked, troubled = False, True
            except Exception:  # whatever it was: the others go on, and this one is tried again
                _log.exception("a delivery by %s cannot be read; it waits, and the next goes on", name)
                worked, troubled = False, True
            if not worked:
                self._stopping.wait(LOOK if not troubled else 5 * LOOK)

    def _past(self, job: Job) -> Past:
        blob = self._store.load_state(f"outbox/{job.id}") if job.attempts > 1 else None
        return msgspec.json.decode(blob, type=Past) if blob else Past()

    def _needless(self, message: Message) -> str:
        """Why a message need not go out any more: what it tells is over."""
        found = self._store.events(id=message.dispatch, kinds=["dispatch"], newest_first=True, limit=1)
        state = found[0].state if found else ""
        if message.occasion == "order" and state == "cancelled":
            return "已撤销 / cancelled before it was sent"
        if message.attempt > 1 and message.occasion != "cancelled" and state in _OVER:
            return "已办结 / the paper is over"
        return ""

    def _close(self, job: Job, message: Message, channel: str, state: str, why: str) -> None:
        with self._store.transaction():
            self._store.finish(job, state.encode(), now=self._postbox.clock())
            said = self._store.append([_told(message, channel, state, self._now(), reason=why)])
        self._tell(said)

    def _failed(self, job: Job, message: Message, channel: str, past: Past, fault: NotSent) -> None:
        """Keep the reason; it is logged when it is the first of its kind, and when there will be no other attempt."""
        why, now = str(fault)[:500], self._postbox.clock()
        kept = Past(certain=past.certain + (not fault.doubt), reason=why)
        pause = min(self._first_pause * 2 ** min(job.attempts - 1, 16), LONGEST_PAUSE)
        said: list[Event] = []
        with self._store.transaction():
            self._store.fail(job, why, now=now, retry_at=None if fault.final else now + pause)
            self._store.save_state(f"outbox/{job.id}", msgspec.json.encode(kept))
            if fault.final or why != past.reason:
                told = _told(message, channel, "failed", self._now(), reason=why, final=fault.final)
                said = self._store.append([told])
        _log.warning("%s by %s, attempt %d: %s", message.key, channel, job.attempts, why)
        self._tell(said)


def _due(event: Event, directory: Directory) -> list[tuple[Occasion, Sequence[Target]]]:
    """Whom an event is to be told to, and as what."""
    if event.kind != "dispatch" or not event.body.get("signed_by"):
        return []
    dispatch = record(event, Dispatch)
    if event.state == "signed" and not dispatch.receipts:
        return [("order", dispatch.recipients)]
    if event.state == "cancelled":
        return [("cancelled", dispatch.recipients)]
    if event.state == "overdue" and not _answering(dispatch, event):
        what = "reported" if dispatch.report_due and event.time > dispatch.report_due else "acknowledged"
        return [("overdue", directory.superiors(silent(dispatch, what)))]
    return []


def _answering(dispatch: Dispatch, event: Event) -> bool:
    """Whether an overdue paper is told because somebody answered it, not because a deadline went by."""
    return any(each.at == moment(epoch(event.time)) for each in dispatch.receipts)


def _told(message: Message, channel: str, state: str, now: int, *, reason: str = "", final: bool = False) -> Event:
    delivery = Delivery(
        id=f"delivery:{message.key}:{message.attempt}",
        dispatch=message.dispatch,
        recipient=message.recipient,
        channel=channel,
        attempt=message.attempt,
        reason=reason,
        duplicate=message.duplicate,
        key=message.key,
        occasion=message.occasion,
        final=final,
    )
    return announce(delivery, state=state, time=moment(now), subject=message.dispatch)


def _old(store: Store, dispatch: Dispatch) -> Dispatch | None:
    if not dispatch.supersedes:
        return None
    found = store.events(id=dispatch.supersedes, kinds=["dispatch"], newest_first=True, limit=1)
    return record(found[0], Dispatch) if found else None


def _both(name: object) -> Mapping[str, str]:
    return name if isinstance(name, Mapping) else {"zh": getattr(name, "zh", ""), "en": getattr(name, "en", "")}
