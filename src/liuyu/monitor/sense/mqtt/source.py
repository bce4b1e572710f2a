"""MQTT as one source: the embedded broker, or a broker elsewhere, behind the same few calls."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future

from liuyu.basin.events import Event
from liuyu.monitor.sense.mqtt.broker import Broker
from liuyu.monitor.sense.mqtt.client import Address, Client
from liuyu.monitor.sense.mqtt.delivery import Deliver
from liuyu.monitor.sense.mqtt.payloads import Payloads
from liuyu.monitor.sense.mqtt.users import Checker

_GLANCE = 0.1  # [s] between two looks at whether to stop


class MqttSource:
    """Receives what loggers publish for one basin.

    With an address it goes to that broker under `name`; without one it is itself the broker, on `host` and `port`.
    users: who may publish to the embedded one; tls: the certificate of the embedded broker, or whom to trust elsewhere.
    told: hears that a broker elsewhere is silent, and that it is back.
    """

    def __init__(
        self,
        subject: str,
        payloads: Payloads,
        *,
        address: Address | None = None,
        name: str = "",
        host: str = "127.0.0.1",
        port: int = 1883,
        users: Checker | None = None,
        tls: ssl.SSLContext | None = None,
        told: Callable[[Event], None] = lambda _: None,
    ) -> None:
        self._subject, self._payloads, self._told = subject, payloads, told
        self._address, self._name = address, name or f"liuyu-{subject}"
        self._host, self._port, self._users, self._tls = host, port, users, tls
        self._where: Future[str] = Future()
        self.counts: Counter[str] = Counter()

    def run(self, deliver: Deliver, clock: Callable[[], int], stop: threading.Event) -> None:
        """Receive until told to stop: the body of a thread.

        `deliver` returns once a parcel is durable or raises StoreFailed, and only then is anybody confirmed. Raises
        BadInput where the embedded broker cannot listen.
        """
        asyncio.run(self._run(deliver, clock, stop))

    def started(self, patience: float) -> str:
        """Wait, at most `patience` [s], until it is at work, and say where. Raises BadInput where it cannot be."""
        return self._where.result(patience)

    async def _run(self, deliver: Deliver, clock: Callable[[], int], stop: threading.Event) -> None:
        try:
            if self._address is not None:
                await self._receive(self._address, deliver, clock, stop)
            else:
                await self._serve(deliver, clock, stop)
        except Exception as error:
            if self._where.done():
                raise
            self._where.set_exception(error)

    async def _serve(self, deliver: Deliver, clock: Callable[[], int], stop: threading.Event) -> None:
        broker = Broker(self._payloads, deliver, clock, users=self._users, tls=self._tls)
        port = await broker.start(self._host, self._port)
        self.counts = broker.counts
        self._at(f"{'mqtts' if self._tls else 'mqtt'}://{self._host}:{port}")
        while not (stop.is_set() or broker.failed):
            await asyncio.sleep(_GLANCE)
        await broker.stop()

    async def _receive(
        self, address: Address, deliver: Deliver, clock: Callable[[], int], stop: threading.Event
    ) -> None:
        client = Client(
            address, self._name, self._subject, self._payloads, deliver, clock, told=self._told, tls=self._tls
        )
        self.counts = client.counts
        self._at(str(address))
        ended = asyncio.Event()
        receiving = asyncio.create_task(client.run(ended))
        while not (stop.is_set() or receiving.done()):
            await asyncio.sleep(_GLANCE)
        ended.set()
        await receiving

    def _at(self, where: str) -> None:
        if not self._where.done():
            self._where.set_result(where)
