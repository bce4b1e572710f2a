"""A connection to NATS that plain threads can use: its loop runs in a thread of its own, and it connects again."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import urlsplit

from nats.aio.client import Client
from nats.errors import Error as NatsError

from liuyu.basin.errors import BadInput, StoreFailed

T = TypeVar("T")
OLDEST = (2, 12)
_PAUSE = 0.1
_log = logging.getLogger("liuyu.messages")
logging.getLogger("nats.aio.client").addHandler(logging.NullHandler())


def shown(url: str) -> str:
    """An address without its user and password, fit for a log.

    >>> shown("nats://liuyu:secret@127.0.0.1:4222")
    'nats://127.0.0.1:4222'
    """
    return re.sub(r"(?<=//)[^/@\s]*@", "", url)


class NatsLink:
    """A connection to one server or a cluster (addresses parted by commas), made when it is first needed.

    `patience` [s] is how long `do` keeps trying before it raises StoreFailed. When the server goes away one line in the
    log says so, and one when it is back.
    """

    def __init__(self, url: str, patience: float) -> None:
        self._urls = [each.strip() for each in url.split(",")]
        for each in self._urls:
            if urlsplit(each).scheme not in ("nats", "tls", "ws", "wss") or not urlsplit(each).hostname:
                raise BadInput(
                    f"{shown(each)!r} is not the address of a NATS server; write it as nats://127.0.0.1:4222"
                )
        self.largest = 1_048_576  # bytes of a message, as the server last said
        self._client: Client | None = None
        self._patience, self._away = patience, ""
        self._connecting: asyncio.Lock | None = None
        self._lost: asyncio.Event | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="liuyu-nats", daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where the server is, without passwords."""
        return ", ".join(map(shown, self._urls))

    @property
    def client(self) -> Client:
        """The connection, for coroutines that `do` runs."""
        assert self._client is not None
        return self._client

    def do(self, work: Callable[[], Awaitable[T]], otherwise: str) -> T:
        """Run a coroutine, again and again while the connection fails and patience lasts.

        Raises StoreFailed, which says `otherwise`, what follows from that. Errors of our own pass through at once.
        """
        if not self._thread.is_alive():
            raise StoreFailed(f"the connection to {self.address} is closed; {otherwise}")
        return asyncio.run_coroutine_threadsafe(self._do(work, otherwise), self._loop).result()

    async def _do(self, work: Callable[[], Awaitable[T]], otherwise: str) -> T:
        end = self._loop.time() + self._patience
        while True:
            try:
                async with asyncio.timeout_at(end):
                    await self._connected()
                return await self._unless_lost(work)
            except (NatsError, OSError, TimeoutError) as error:
                why = self._away or str(error) or type(error).__name__
                if self._loop.time() >= end - _PAUSE:
                    text = f"NATS at {self.address} does not answer ({why}); {otherwise}, and see that it runs"
                    raise StoreFailed(text) from None
            await asyncio.sleep(_PAUSE)

    async def _unless_lost(self, work: Callable[[], Awaitable[T]]) -> T:
        """What work gives, which bounds its own waiting. Raises ConnectionError as soon as the server goes away."""
        self._lost = self._lost or asyncio.Event()
        self._lost.clear()
        working, losing = asyncio.ensure_future(work()), asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            raise ConnectionError("it went away")
        finally:
            working.cancel()
            losing.cancel()

    async def _connected(self) -> None:
        self._connecting = self._connecting or asyncio.Lock()
        async with self._connecting:
            if self._client is None or self._client.is_closed:
                self._client = await self._connect()
        while not self._client.is_connected:
            await asyncio.sleep(_PAUSE / 4)

    async def _connect(self) -> Client:
        client = Client()
        settings: dict[str, Any] = {
            "servers": self._urls,
            "name": "liuyu",
            "connect_timeout": 2,
            "reconnect_time_wait": _PAUSE,
            "max_reconnect_attempts": -1,
            "pending_size": 0,
            "error_cb": self._failed,
            "disconnected_cb": self._gone,
            "reconnected_cb": self._returned,
        }
        try:
            await client.connect(**settings)
        except asyncio.CancelledError:
            with suppress(NatsError, OSError):
                await client.close()
            raise
        version = client.connected_server_version
        if (version.major, version.minor) < OLDEST:
            await client.close()
            wanted = ".".join(map(str, OLDEST))
            raise StoreFailed(f"NATS at {self.address} is {version}; install {wanted} or newer there")
        self.largest, self._away = client.max_payload, ""
        return client

    async def _failed(self, error: Exception) -> None:
        self._away = shown(str(error)) or type(error).__name__

    async def _gone(self) -> None:
        if self._lost is not None:
            self._lost.set()
        if self._client is not None and not self._client.is_closed:
            _log.warning("NATS at %s is away", self.address)

    async def _returned(self) -> None:
        self._away = ""
        _log.warning("NATS at %s is back", self.address)

    def close(self) -> None:
        """Hang up."""
        if not self._thread.is_alive():
            return

        async def hang_up() -> None:
            client, self._client = self._client, None
            with suppress(NatsError, OSError, TimeoutError):
                if client is not None:
                    await asyncio.wait_for(client.close(), 2)

        asyncio.run_coroutine_threadsafe(hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
