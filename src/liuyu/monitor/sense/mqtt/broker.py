"""The embedded broker: loggers publish here without any other program, and are confirmed once a message is durable.

It is a receiver first. A message of quality 1 or 2 is confirmed (PUBACK, PUBREC) when the inbox has it on its disk; of
what a broker must remember for publishers nothing else is needed, so that `kill -9` loses nothing that was confirmed.
Whoever subscribes hears what comes while connected, with quality 0; messages are not retained and sessions of
subscribers not kept, which version 5 clients are told. amqtt was tried and left: it confirms before any plugin hears of
a message.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import ssl
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.monitor.sense.mqtt.delivery import Deliver, Delivery
from liuyu.monitor.sense.mqtt.line import Line
from liuyu.monitor.sense.mqtt.packets import Connect, Publish
from liuyu.monitor.sense.mqtt.payloads import Payloads
from liuyu.monitor.sense.mqtt.users import Checker

MOST = 12_000
_SWEEP = 5.0
_log = logging.getLogger("liuyu.mqtt")


class Broker:
    """An MQTT 3.1.1 and 5 server for the loggers of one basin. Satisfies `House`.

    deliver: returns once a parcel is durable, or raises StoreFailed. users: who may connect; without it everybody,
    which is allowed on loopback alone. tls: certificate and key, for mqtts.
    """

    def __init__(
        self,
        payloads: Payloads,
        deliver: Deliver,
        clock: Callable[[], int],
        *,
        users: Checker | None = None,
        tls: ssl.SSLContext | None = None,
        most: int = MOST,
    ) -> None:
        self._users, self._tls, self._most = users, tls, most
        self._lines: dict[str, Line] = {}
        self._open: set[Line] = set()
        self._delivery = Delivery(payloads, deliver, clock, self._pause)
        self._server: asyncio.Server | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._checks = asyncio.Semaphore(2)

    @property
    def counts(self) -> Counter[str]:
        """What has happened so far."""
        return self._delivery.counts

    @property
    def failed(self) -> bool:
        """Whether it can keep nothing any more, for a reason that `stop` raises."""
        return bool(self._tasks) and self._tasks[0].done()

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port. Raises BadInput where the address cannot be used, or would be open to everybody."""
        if self._users is None and not is_loopback(host):
            raise BadInput(f"MQTT on {host} would be open to everybody; name a password file, or listen on 127.0.0.1")
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(self._new_line, host, port, ssl=self._tls, backlog=1024)
        except OSError as error:
            raise BadInput(f"MQTT cannot listen on {host}:{port} ({error}); choose another host or port") from None
        self._tasks = [asyncio.create_task(self._delivery.run()), asyncio.create_task(self._sweep())]
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take nothing more in, keep and confirm what has come, and hang up."""
        if self._server is not None:
            self._server.close()
        self._pause(True)
        self._delivery.end()
        keeping, sweeping = self._tasks
        sweeping.cancel()
        try:
            await keeping
        finally:
            for each in list(self._open):
                each.close()
            await asyncio.sleep(0)

    def _new_line(self) -> Line:
        line = Line(self)
        self._open.add(line)
        return line

    async def admit(self, line: Line, said: Connect) -> str:
        """Why a client is refused, empty where it is welcome."""
        if len(self._open) > self._most:
            return "busy"
        if said.level < 5 and not said.client and not said.clean:
            return "name"
        if self._users is None:
            return ""
        async with self._checks:
            try:
                right = await asyncio.to_thread(self._users.check, said.user, said.password)
            except (LiuyuError, OSError) as error:
                _log.warning("Nobody is let in: %s", error)
                return "busy"
        return "" if right else "password"

    def welcome(self, line: Line) -> None:
        """A client is in; the one of its name that was is cut off (3.1.4)."""
        before = self._lines.pop(line.client, None)
        if before is not None:
            self.count("taken over")
            before.close()
        self._lines[line.client] = line
        line.pause(self._delivery.is_full)

    def heard(self, line: Line, message: Publish) -> None:
        """Keep a message, confirm it, and pass it on."""

        def kept() -> None:
            line.confirm(message)
            self._pass_on(message)

        self._delivery.add(message.topic, message.payload, kept)

    def gone(self, line: Line, will: Publish | None) -> None:
        """A line is closed."""
        self._open.discard(line)
        if self._lines.get(line.client) is line:
            del self._lines[line.client]
        if will is not None:
            self._pass_on(will)

    def count(self, name: str) -> None:
        """Something happened."""
        self._delivery.counts[name] += 1

    def _pass_on(self, message: Publish) -> None:
        said = Publish(message.topic, message.payload)
        for each in self._lines.values():
            if each.filters and each.wants(message.topic):
                each.send(said)

    def _pause(self, still: bool) -> None:
        for each in self._open:
            each.pause(still)

    async def _sweep(self) -> None:
        """Cut off who has not been heard for too long."""
        while True:
            await asyncio.sleep(_SWEEP)
            now = asyncio.get_running_loop().time()
            for each in [line for line in self._open if line.deadline < now and not self._delivery.is_full]:
                self.count("silent")
                each.close()


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def server_tls(certificate: Path, key: Path) -> ssl.SSLContext:
    """The context of a server with a certificate. Raises BadInput."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"certificate {certificate} with key {key} cannot be used ({error}); give PEM files") from None
    return context
