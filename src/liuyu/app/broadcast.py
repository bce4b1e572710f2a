"""Messages from the thread that runs the pipeline to every page that listens, without one waiting for another."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

from liuyu.web.ports import Message

BACKLOG = 1000


class Broadcast:
    """Anyone may publish from any thread; every listener gets each message, or is cut off if it falls too far behind.

    A page that is cut off connects again and asks for what it missed, so that nothing is lost by it.
    """

    def __init__(self) -> None:
        self._listeners: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Queue[Message | None]]] = {}
        self._lock = threading.Lock()
        self._next = 0

    def publish(self, message: Message) -> None:
        """Send a message to every listener."""
        with self._lock:
            listeners = list(self._listeners.values())
        for loop, queue in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_put, queue, message)

    def close(self) -> None:
        """End every listener's stream."""
        with self._lock:
            listeners = list(self._listeners.values())
        for loop, queue in listeners:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_end, queue)

    async def listen(self) -> AsyncIterator[Message]:
        """Messages from now on, until the listener leaves, is too slow, or the twin closes."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue(BACKLOG)
        with self._lock:
            number, self._next = self._next, self._next + 1
            self._listeners[number] = (asyncio.get_running_loop(), queue)
        try:
            while (message := await queue.get()) is not None:
                yield message
        finally:
            with self._lock:
                del self._listeners[number]


def _put(queue: asyncio.Queue[Message | None], message: Message) -> None:
    if queue.qsize() >= BACKLOG - 1:
        _end(queue)
    else:
        queue.put_nowait(message)


def _end(queue: asyncio.Queue[Message | None]) -> None:
    while queue.full():
        queue.get_nowait()
    queue.put_nowait(None)
