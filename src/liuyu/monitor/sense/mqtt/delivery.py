"""From messages to the inbox, a group at a time: each message is told that it is durable, and only then."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from liuyu.basin.errors import StoreFailed
from liuyu.monitor.sense.mqtt.payloads import Payloads
from liuyu.store.inbox.interface import Parcel

Deliver = Callable[[Parcel], None]
FULL = 16 << 20  # bytes of messages that may wait; beyond them lines are left unread
_GROUP = 4 << 20
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0
_log = logging.getLogger("liuyu.mqtt")


class Waiting(NamedTuple):
    """A message that waits to be kept, and what is to be done once it is."""

    topic: str
    payload: bytes
    kept: Callable[[], None]


class Delivery:
    """Hands messages to `deliver`, which returns once its parcel is durable, and runs in a thread of its own.

    While one group is being kept the next one gathers, so that one forced write serves all that came meanwhile. Where
    `deliver` raises StoreFailed it is asked again, ever less often, and nobody is confirmed; one line in the log says
    so, and one when it is over. clock tells the time [s UTC]. full: hears True when too much waits, False when it does
    not any more.
    """

    def __init__(
        self, payloads: Payloads, deliver: Deliver, clock: Callable[[], int], full: Callable[[bool], None]
    ) -> None:
        self._payloads, self._deliver, self._clock, self._full = payloads, deliver, clock, full
        self._waiting: deque[Waiting] = deque()
        self._bytes = 0
        self._some = asyncio.Event()
        self._ended = False
        self.is_full = False
        self.counts: Counter[str] = Counter()

    def add(self, topic: str, payload: bytes, kept: Callable[[], None]) -> None:
        """Take a message in; `kept` is called once it is durable."""
        self._waiting.append(Waiting(topic, payload, kept))
        self._bytes += len(payload)
        self.counts["messages"] += 1
        self._some.set()
        if self._bytes > FULL and not self.is_full:
            self.is_full = True
            self._full(True)

    def clear(self) -> None:
        """Forget what waits: its line is gone, and it will be sent again."""
        self._waiting.clear()
        self._bytes = 0

    async def run(self) -> None:
        """Keep what comes until `end`; then what has come by then, unless it cannot be kept at once."""
        while True:
            await self._some.wait()
            self._some.clear()
            while group := self._next():
                if not await self._keep(group):
                    return
            if self._ended:
                return

    def end(self) -> None:
        """Take nothing more in."""
        self._ended = True
        self._some.set()

    def _next(self) -> list[Waiting]:
        group, size = [], 0
        while self._waiting and size < _GROUP:
            group.append(self._waiting.popleft())
            size += len(group[-1].payload)
        self._bytes -= size
        if self.is_full and self._bytes < FULL // 2:
            self.is_full = False
            self._full(False)
        return group

    async def _keep(self, group: list[Waiting]) -> bool:
        """Keep a group and say so to each; False where it could not be kept before the end."""
        messages = [(each.topic, each.payload) for each in group]
        parcel = await asyncio.to_thread(self._payloads.parcel, messages, self._clock())
        wait = _FIRST_WAIT
        while True:
            try:
                if len(parcel.batch) or parcel.asides:
                    await asyncio.to_thread(self._deliver, parcel)
                break
            except StoreFailed as error:
                self.counts["delayed"] += 1
                if wait == _FIRST_WAIT:
                    _log.warning("Messages cannot be kept and are not confirmed: %s", error)
                if self._ended:
                    return False
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)
        if wait > _FIRST_WAIT:
            _log.warning("Messages are kept again")
        self.counts.update(values=len(parcel.batch), asides=len(parcel.asides))
        for each in group:
            each.kept()
        return True
