"""Receives from a broker elsewhere: a persistent session of MQTT 3.1.1 that confirms a message once it is kept.

The broker keeps for us what was not confirmed, also while we are away: under our client's name, which must stay the
same and belong to one twin alone. paho-mqtt can confirm by hand too; aiomqtt cannot. We speak ourselves what the
embedded broker has to speak anyway, so that a confirmation can never leave on a later line than its message came on,
where the same number may mean another message.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, SourceNote, announce
from liuyu.monitor.sense.mqtt.delivery import Deliver, Delivery
from liuyu.monitor.sense.mqtt.packets import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PUBACK,
    PUBLISH,
    SUBACK,
    Packet,
    Reader,
    Unspeakable,
    connect,
    numbered,
    packet,
    read_publish,
    subscribe,
)
from liuyu.monitor.sense.mqtt.payloads import Payloads

KEEP_ALIVE = 30
SILENT_AFTER = 3
_LARGEST = 8 << 20
_PATIENCE = 10.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_REFUSALS = {1: "it does not speak MQTT 3.1.1", 2: "it refuses our name", 3: "it is not available"}
_REFUSALS |= {4: "it refuses user or password", 5: "it does not let us in"}
_log = logging.getLogger("liuyu.mqtt")


class Address(NamedTuple):
    """Where a broker is, and as whom to come."""

    host: str
    port: int
    safe: bool
    user: str
    password: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.safe else 'mqtt'}://{host}:{self.port}"


class _Lost(Exception):
    """The line is gone, or was refused."""


def read_address(url: str, password: str = "") -> Address:
    """The address in mqtt://user@host:1883 or mqtts://user@host:8883. Raises BadInput.

    >>> str(read_address("mqtts://office@broker.example"))
    'mqtts://broker.example:8883'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        shown = url.rpartition("@")[2]
        raise BadInput(f"{shown!r} is not the address of a broker; write it as mqtt://user@host:1883")
    safe = parts.scheme == "mqtts"
    user, told = unquote(parts.username or ""), unquote(parts.password or "")
    return Address(parts.hostname, port or (8883 if safe else 1883), safe, user, password or told)


def _reason(error: Exception) -> tuple[str, str]:
    """Why a broker cannot be heard, in both languages."""
    if isinstance(error, TimeoutError):
        return "没有应答", "no answer"
    if isinstance(error, ConnectionRefusedError):
        return "拒绝连接", "nobody listens there"
    if isinstance(error, socket.gaierror):
        return "主机名无法解析", "its name is not known"
    return str(error), str(error)


class Client:
    """Receives what a broker has for one basin, until it is stopped.

    deliver: returns once a parcel is durable. clock: the time [s UTC]. told: hears the event that the broker is
    silent, after three tries in vain, and the one that it is back. name: our client's, the same for as long as the
    session is to last. tls: for mqtts, where the system's authorities do not do.
    """

    def __init__(
        self,
        address: Address,
        name: str,
        subject: str,
        payloads: Payloads,
        deliver: Deliver,
        clock: Callable[[], int],
        *,
        told: Callable[[Event], None] = lambda _: None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._address, self._name, self._subject = address, name, subject
        self._filters, self._clock, self._told = payloads.filters, clock, told
        self._tls = tls or (ssl.create_default_context() if address.safe else None)
        self._delivery = Delivery(payloads, deliver, clock, self._hold)
        self._room = asyncio.Event()
        self._room.set()
        self._last = clock()
        self._dice = random.Random(name)
        self._silent = self._welcome = self._stopped = False

    @property
    def counts(self) -> Counter[str]:
        """What has happened so far."""
        return self._delivery.counts

    async def run(self, stop: asyncio.Event) -> None:
        """Receive until `stop`; then keep and confirm what has come, and leave."""
        keeping = asyncio.create_task(self._delivery.run())
        receiving = asyncio.create_task(self._receive())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({stopping, keeping, receiving}, return_when=asyncio.FIRST_COMPLETED)
        self._stopped = True
        self._room.clear()
        self._delivery.end()
        try:
            await keeping
        finally:
            stopping.cancel()
            receiving.cancel()
            with suppress(asyncio.CancelledError):
                await receiving

    async def _receive(self) -> None:
        failures = 0
        while True:
            self._welcome = False
            try:
                await self._session()
            except (_Lost, Unspeakable, OSError, TimeoutError) as error:
                failures = 1 if self._welcome else failures + 1
                self._fail(failures, error)
            self._delivery.clear()
            wait = min(_FIRST_WAIT * 2 ** min(failures - 1, 10), _LONGEST_WAIT)
            await asyncio.sleep(wait * self._dice.uniform(0.5, 1.0))

    async def _session(self) -> None:
        """Connect, subscribe and listen. Ends by _Lost, Unspeakable, OSError or TimeoutError alone."""
        where, reader = self._address, Reader(_LARGEST)
        async with asyncio.timeout(_PATIENCE):
            stream, line = await asyncio.open_connection(where.host, where.port, ssl=self._tls)
        pinging = asyncio.create_task(self._ping(line))
        try:
            line.write(
                connect(self._name, clean=False, keep_alive=KEEP_ALIVE, user=where.user, password=where.password)
            )
            while True:
                await self._room.wait()
                async with asyncio.timeout(KEEP_ALIVE * 1.5 if self._welcome else _PATIENCE):
                    data = await stream.read(1 << 16)
                if not data:
                    raise _Lost("it hung up")
                for each in reader.feed(data):
                    self._hear(each, line)
        finally:
            pinging.cancel()
            line.write(packet(DISCONNECT))
            line.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(line.wait_closed(), _PATIENCE)

    async def _ping(self, line: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(KEEP_ALIVE / 2)
            line.write(packet(PINGREQ))

    def _hear(self, each: Packet, line: asyncio.StreamWriter) -> None:
        if each.kind == CONNACK:
            code = each.body[1] if len(each.body) > 1 else 3
            if code:
                raise _Lost(_REFUSALS.get(code, f"it refuses us with code {code}"))
            line.write(subscribe(1, self._filters, 1))
        elif each.kind == SUBACK:
            if 0x80 in each.body[2:]:
                refused = [self._filters[place] for place, code in enumerate(each.body[2:]) if code == 0x80]
                raise _Lost(f"it does not let us subscribe to {', '.join(refused)}")
            self._welcome = True
            self._return()
        elif each.kind == PUBLISH:
            message = read_publish(each, 4)
            self._last = self._clock()

            def kept() -> None:
                if message.qos and not line.is_closing():
                    line.write(numbered(PUBACK, message.packet))

            self._delivery.add(message.topic, message.payload, kept)

    def _hold(self, still: bool) -> None:
        if still:
            self._room.clear()
        elif not self._stopped:
            self._room.set()

    def _fail(self, failures: int, error: Exception) -> None:
        self.counts["failures"] += 1
        if failures < SILENT_AFTER or self._silent:
            return
        self._silent = True
        why_zh, why = _reason(error)
        _log.warning("MQTT broker %s is silent: %s", self._address, why)
        zh, en = f"MQTT 服务器 {self._address} 中断：{why_zh}", f"MQTT broker {self._address} is silent: {why}"
        self._announce("silent", zh, en)

    def _return(self) -> None:
        if not self._silent:
            return
        self._silent = False
        minutes = max(0, self._clock() - self._last) // 60
        _log.warning("MQTT broker %s has returned after %d minutes", self._address, minutes)
        zh = f"MQTT 服务器 {self._address} 恢复，中断 {minutes} 分钟"
        self._announce("returned", zh, f"MQTT broker {self._address} has returned after {minutes} minutes")

    def _announce(self, state: str, zh: str, en: str) -> None:
        name = f"source:mqtt:{self._address.host}:{self._address.port}"
        note = SourceNote(id=name, station="", last=moment(self._last), title={"zh": zh, "en": en})
        self._told(announce(note, state=state, time=moment(self._clock()), subject=self._subject))
