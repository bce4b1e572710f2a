"""Server-sent events: what happens in the twin, encoded once, to every page that listens.

Each listener has a queue of its own. One that falls too far behind is cut off, connects again by itself, and gets the
events that it missed by their numbers; so a slow page never holds up another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from litestar.concurrency import sync_to_thread

from liuyu.basin.events import Event
from liuyu.basin.series import Batch
from liuyu.web.columns import values_of
from liuyu.web.errors import Refused
from liuyu.web.ports import Message, Twin
from liuyu.web.reply import encode_json

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
BACKLOG = 500
MOST_LISTENERS = 1000
MOST_MISSED = 2000

_Queue = asyncio.Queue[bytes | None]


class Hub:
    """The one listener to the twin, and the many pages that listen to it."""

    def __init__(self, twin: Twin, *, heartbeat: float = HEARTBEAT, backlog: int = BACKLOG, pause: float = 1.0) -> None:
        self._twin = twin
        self._heartbeat = heartbeat
        self._backlog = backlog
        self._pause = pause
        self._queues: set[_Queue] = set()

    @asynccontextmanager
    async def running(self, _: Any) -> AsyncIterator[None]:
        """Listen to the twin while the server runs."""
        task = asyncio.create_task(self._listen(), name="stream hub")
        try:
            yield
        finally:
            task.cancel()
            self._cut_off_all()
            await asyncio.gather(task, return_exceptions=True)

    def admit(self) -> None:
        """Raises Refused (503) where too many listen already."""
        if len(self._queues) >= MOST_LISTENERS:
            raise Refused(
                503, f"{MOST_LISTENERS} pages listen already", "close one, or try later", {"Retry-After": "30"}
            )

    async def follow(self, last_seen: int | None) -> AsyncGenerator[bytes, None]:
        """The stream of one page: the clock, the events it missed, then all that happens, and a beat when it is still.

        `last_seen` is the number of the last event that the page has, where it connects again.
        """
        queue: _Queue = asyncio.Queue(self._backlog)
        self._queues.add(queue)
        try:
            yield b"retry: 2000\n\n" + encode(Message(topic="clock", data=self._twin.clock()))
            if last_seen is not None:
                for event in await sync_to_thread(self._missed, last_seen):
                    yield encode(Message(topic="event", data=event))
            while True:
                try:
                    part = await asyncio.wait_for(queue.get(), self._heartbeat)
                except TimeoutError:
                    part = b": still here\n\n"
                if part is None:
                    return
                yield part
        finally:
            self._queues.discard(queue)

    def _missed(self, last_seen: int) -> list[Event]:
        return self._twin.store.events(after=last_seen, limit=MOST_MISSED)

    async def _listen(self) -> None:
        while True:
            try:
                async for message in self._twin.messages():
                    self._spread(encode(message))
            except Exception:
                log.exception("the twin's messages broke off; listening anew")
            self._cut_off_all()
            await asyncio.sleep(self._pause)

    def _spread(self, part: bytes) -> None:
        for queue in list(self._queues):
            if queue.full():
                self._cut_off(queue)
            else:
                queue.put_nowait(part)

    def _cut_off(self, queue: _Queue) -> None:
        self._queues.discard(queue)
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _cut_off_all(self) -> None:
        for queue in list(self._queues):
            self._cut_off(queue)


def encode(message: Message) -> bytes:
    """A message in the form of server-sent events; an event carries its number, so that a page can ask for the rest."""
    data = values_of(message.data) if isinstance(message.data, Batch) else message.data
    number = data.seq if isinstance(data, Event) else data.get("seq", 0) if isinstance(data, dict) else 0
    head = f"id: {number}\n" if message.topic == "event" and number else ""
    return f"{head}event: {message.topic}\ndata: ".encode() + encode_json(data) + b"\n\n"
