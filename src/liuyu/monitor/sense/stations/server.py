"""The station server: takes frames in, has them kept in groups, and confirms only what is durable.

    sockets -> frames -> queue -> raw log and sink, a group at a time, in a thread -> confirmations

A station that is not answered sends again, so whatever fails on the way is simply not confirmed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import cast

from liuyu.basin.errors import BadInput, InboxFull, StoreFailed
from liuyu.monitor.sense.sl651 import (
    Dialects,
    Message,
    Piece,
    ask_again,
    confirm,
    encode,
)
from liuyu.monitor.sense.sl651.messages import ETB, NAK
from liuyu.monitor.sense.stations import meters
from liuyu.monitor.sense.stations.asking import Asking, Contact, Nobody, Outbox
from liuyu.monitor.sense.stations.downlinks import Said, Standard
from liuyu.monitor.sense.stations.hearing import Hearing
from liuyu.monitor.sense.stations.links import Datagrams, Link, Session
from liuyu.monitor.sense.stations.raw import Kept, RawLog
from liuyu.monitor.sense.stations.received import Limits, Received, Sink
from liuyu.monitor.sense.stations.transfers import Step

HEARTBEAT = 0x2F
_log = logging.getLogger("liuyu.stations")


@dataclass(slots=True)
class Counts:
    """What has happened since the start. `connections` is how many stand now; datagrams that were let go are `dropped`.

    frames: whole ones; confirmed: answers sent; refused: noise and frames that are not taken; failed: frames that could
    not be kept and were not confirmed; held: times that there was no room; groups: commits; turned_away: connections
    over the limit; pauses: how often a socket was left unread; lost: messages in packets given up.
    """

    connections: int = 0
    frames: int = 0
    confirmed: int = 0
    heartbeats: int = 0
    refused: int = 0
    failed: int = 0
    held: int = 0
    groups: int = 0
    turned_away: int = 0
    pauses: int = 0
    dropped: int = 0
    lost: int = 0


class StationServer:
    """Listens to stations of SL 651 and meters of SZY 206 over TCP and UDP, on one port.

    sink: where readings are kept. raw: where frames are kept as they came, before the sink sees them. clock: the
    centre's time [s UTC]. Use it within one running event loop.
    """

    def __init__(
        self,
        sink: Sink,
        clock: Callable[[], int],
        *,
        raw: RawLog | None = None,
        dialects: Dialects | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.limits = limits or Limits()
        self.counts = Counts()
        self._sink, self._clock, self._raw = sink, clock, raw
        self._dialects = dialects or Dialects()
        self._hearing = Hearing(self._dialects, self.limits)
        self._asking, self._outbox = Asking(self._dialects, self.limits.stations), cast(Outbox, Nobody())
        self._queue: deque[tuple[Received, Link]] = deque()
        self._arrived, self._drained = asyncio.Event(), asyncio.Event()
        self._worker = ThreadPoolExecutor(1, "stations")
        self._sessions: set[Session] = set()
        self._paused: set[Session] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._tcp: asyncio.Server | None = None
        self._udp: asyncio.DatagramTransport | None = None
        self._stopping = self._failing = self._no_room = False
        self._logged = 0  # of the frames that wait, the first so many are in the raw log

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen on a port for both, 0 for a free one; returns the port. Raises BadInput where it is taken."""
        loop = asyncio.get_running_loop()
        try:
            self._tcp = await loop.create_server(lambda: Session(self), host, port, backlog=4096)
            port = self._tcp.sockets[0].getsockname()[1]
            self._udp, _ = await loop.create_datagram_endpoint(lambda: Datagrams(self), (host, port))
        except OSError as fault:
            if self._tcp is not None:
                self._tcp.close()
            raise BadInput(f"cannot listen on {host}:{port} ({fault.strerror}); choose another port") from None
        self._tasks = [loop.create_task(self._keep_groups()), loop.create_task(self._watch())]
        return port

    async def stop(self, patience: float = 10.0) -> None:
        """Take nothing more, keep and confirm what has come, and close every connection. Again: nothing."""
        if self._stopping:
            return
        self._stopping = True
        if self._tcp is not None:
            self._tcp.close()
        for session in self._sessions:
            session.stop_reading()
        self._drained.clear()
        self._arrived.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._drained.wait(), patience)
        for session in list(self._sessions):
            session.close()
        if self._udp is not None:
            self._udp.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._asking.cancel()
        self._worker.shutdown()
        if self._raw is not None:
            self._raw.close()

    async def order(self, message: Said, timeout: float = 30.0, *, resends: int = 0) -> Said:
        """Send a station an order and wait for its answer, which is kept like any report.

        It is sent again at most `resends` times, whenever `timeout` [s] have passed. An answer that ends with NAK is a
        refusal. Raises NotFound where the station is not on line or does not answer, BadInput where the same order is
        under way.
        """
        return await self._asking.order(message, timeout, resends)

    def attend(self, outbox: Outbox) -> None:
        """Tell whoever has orders when their stations are heard."""
        self._outbox = outbox

    def contact(self, station: str) -> Contact | None:
        """Where a station was last heard, and how it spoke."""
        return self._asking.contact(station)

    @property
    def stations(self) -> tuple[str, ...]:
        """The addresses of the stations that can be reached now."""
        return self._asking.reachable

    # what links tell

    @property
    def full(self) -> bool:
        """Whether no more should be read now."""
        return self._stopping or self._no_room or len(self._queue) >= self.limits.queue

    def opened(self, link: Session) -> bool:
        """Count a connection in, unless it is one too many."""
        if self._stopping or len(self._sessions) >= self.limits.connections:
            self.counts.turned_away += 1
            return False
        self._sessions.add(link)
        self.counts.connections = len(self._sessions)
        return True

    def closed(self, link: Session) -> None:
        """Forget a connection."""
        self._sessions.discard(link)
        self._paused.discard(link)
        self.counts.connections = len(self._sessions)
        self._asking.closed(link)

    def pause(self, link: Session) -> None:
        """Remember who is to be read again later."""
        self.counts.pauses += 1
        self._paused.add(link)

    def dropped(self) -> None:
        """Count a datagram that was let go."""
        self.counts.dropped += 1

    def take(self, link: Link, pieces: Sequence[Piece]) -> None:
        """Queue what a link brought."""
        if not pieces:
            return
        now = self._clock()
        for piece in pieces:
            self._put(link, self._understood(link, piece, now))

    def _put(self, link: Link, received: Received) -> None:
        link.waiting += 1
        self._queue.append((received, link))
        self._arrived.set()

    def _understood(self, link: Link, piece: Piece, now: int) -> Received:
        received, step = self._hearing.hear(link, piece, now)
        if received.head is None:
            self.counts.refused += 1
            return received
        self.counts.frames += 1
        self._asking.hold(link, received.head)
        if step is not None and received.head.packet is not None:
            self._follow(link, received.head, step, now)
        return received

    def _follow(self, link: Link, packet: Message, step: Step, now: int) -> None:
        """Ask for what is missing; what is given up goes to the dead letters."""
        for number in step.wanted:
            link.send(encode(ask_again(packet, number, now), self._dialects.of(packet.station)))
        if step.lost:
            self.counts.lost += 1
            reason = f"packets: {len(step.lost)} of {step.lost[0].packet.total if step.lost[0].packet else 0} arrived"
            for each in step.lost:
                self._put(link, Received(now, link.name, encode(each), None, reason))

    # keeping and confirming

    async def _keep_groups(self) -> None:
        """Keep what has come, a group at a time, for as long as the server runs."""
        loop = asyncio.get_running_loop()
        while True:
            if not self._queue:
                self._arrived.clear()
                if self._stopping:
                    self._drained.set()
                await self._arrived.wait()
            if len(self._queue) < self.limits.group and not self._stopping:
                await asyncio.sleep(self.limits.group_wait)
            group = [self._queue.popleft() for _ in range(min(len(self._queue), self.limits.group))]
            if not group:
                continue
            logged, self._logged = self._logged, 0
            try:
                await loop.run_in_executor(self._worker, self._keep, [received for received, _ in group], logged)
            except InboxFull as fault:
                self._hold_up(group, fault)
                await asyncio.sleep(self.limits.retry_wait)
                self._no_room = bool(self._queue)
            except Exception as fault:
                self._not_kept(group, fault)
                await asyncio.sleep(self.limits.retry_wait)
            else:
                self._kept(group)
            self._read_again()

    def _keep(self, group: list[Received], logged: int) -> None:
        """In the worker: the raw log first, where the first `logged` are already, then the sink.

        A reading that the sink chokes on is set aside alone.
        """
        if self._raw is not None:
            self._raw.append([Kept(each.at, each.peer, each.frame) for each in group[logged:]])
        try:
            self._sink.keep(group)
        except (StoreFailed, OSError):
            raise
        except Exception as fault:
            _log.exception("a group of %d frames could not be read; taking them one by one: %s", len(group), fault)
            for each in group:
                self._keep_alone(each)

    def _keep_alone(self, received: Received) -> None:
        try:
            self._sink.keep([received])
        except (StoreFailed, OSError):
            raise
        except Exception as fault:
            reason = f"unreadable: {type(fault).__name__}: {fault}"
            self._sink.keep([received._replace(head=None, whole=None, reason=reason)])

    def _not_kept(self, group: Sequence[tuple[Received, Link]], fault: Exception) -> None:
        self.counts.failed += len(group)
        for _, link in group:
            link.settle()
        if not self._failing:
            _log.error("readings cannot be kept, so stations are not confirmed and will send again: %s", fault)
        self._failing = True

    def _hold_up(self, group: Sequence[tuple[Received, Link]], fault: InboxFull) -> None:
        """What came over connections waits for room, and nothing more is read; datagrams are let go and sent again."""
        stay = [(received, link) for received, link in group if link.stands]
        for _, link in group:
            if not link.stands:
                link.settle()
                self.dropped()
        self._queue.extendleft(reversed(stay))
        self._logged = len(stay)
        self.counts.held += 1
        if not self._failing:
            _log.error("there is no room for readings, so stations are left unread and unconfirmed: %s", fault)
        self._failing = self._no_room = True

    def _kept(self, group: Sequence[tuple[Received, Link]]) -> None:
        if self._failing:
            _log.warning("readings are kept again")
        self._failing = self._no_room = False
        self.counts.groups += 1
        now = self._clock()
        for received, link in group:
            if received.head is not None:
                self._answer(received, received.head, link, now)
            link.settle()

    def _answer(self, received: Received, head: Message, link: Link, now: int) -> None:
        self._asking.settle(received, head)
        frame = meters.answer(received.meter) if received.meter else self._confirmation(received, head, now)
        if head.function == HEARTBEAT:
            self.counts.heartbeats += 1
        if frame is not None and link.open:
            link.send(frame)
            self.counts.confirmed += 1
        self._outbox.met(head.station)

    def _confirmation(self, received: Received, head: Message, now: int) -> bytes | None:
        """The frame that confirms, with which a station that is to get an order is told to stay on line."""
        more = head.packet is not None and received.whole is None
        reply = confirm(head if more else received.whole or head, now, stay=self._outbox.wants(head.station))
        if reply is None or (more and head.end != ETB) or head.end == NAK:
            return None
        return encode(reply, self._dialects.of(head.station))

    def _read_again(self) -> None:
        if self._stopping or self._no_room or len(self._queue) > self.limits.queue // 2:
            return
        for link in [each for each in self._paused if each.waiting <= self.limits.unconfirmed // 2]:
            self._paused.discard(link)
            link.resume()

    # the watch

    async def _watch(self) -> None:
        """Once a second: packets that have stopped coming, and connections that have fallen silent."""
        turn = 0
        while True:
            await asyncio.sleep(1.0)
            turn += 1
            now = self._clock()
            for packet, step in self._hearing.transfers.overdue(now):
                contact = self._asking.contact(packet.station)
                self._follow(contact.link if contact else _Nowhere(), packet, step, now)
            if turn % 10 == 0 or self.limits.idle < 10:
                self._close_idle()

    def _close_idle(self) -> None:
        before = asyncio.get_running_loop().time() - self.limits.idle
        for session in [each for each in self._sessions if each.heard < before and not each.waiting]:
            session.close()


class _Nowhere:
    """Where the station of a broken transfer has gone."""

    name, waiting, open, heard, stands = "gone", 0, False, 0.0, False
    protocol: Standard = "sl651"

    def send(self, data: bytes) -> None:
        """Nobody hears it."""

    def resume(self) -> None:
        """Nothing is read."""

    def settle(self) -> None:
        """Nothing waits."""
