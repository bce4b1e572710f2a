"""Thousands of simulated MQTT loggers in one process."""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import Callable

import numpy as np

from liuyu.monitor.sense.fleet.faults import Faults
from liuyu.monitor.sense.fleet.fleet import DIALS, Fleet
from liuyu.monitor.sense.fleet.mqtt_logger import LoggerLine, SimulatedLogger
from liuyu.monitor.sense.fleet.scripts import Report, Script
from liuyu.monitor.sense.mqtt.client import Address


class MqttFleet(Fleet):
    """Plays a script to an MQTT broker, as `Fleet` plays it to a station server: same dice, same faults, same outcome.

    basin: the code that stands in the topics. tls: whom to trust, where the system's authorities do not do.
    """

    def __init__(
        self,
        script: Script,
        address: Address,
        basin: str,
        *,
        speed: float = math.inf,
        start: int = 0,
        faults: Faults | None = None,
        seed: int = 0,
        timeout: float = 5.0,
        confirmed: Callable[[Report], None] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__({}, address.host, address.port, speed=speed, start=start, confirmed=confirmed)
        self._script = script
        self._tls = tls or (ssl.create_default_context() if address.safe else None)
        self._stations = [
            SimulatedLogger(
                each,
                np.random.default_rng((seed, place)),
                faults or Faults(),
                basin=basin,
                user=address.user,
                password=address.password,
                open_line=self._open_line,
                told=self._hear,
                count=self._count,
                timeout=timeout,
            )
            for place, each in enumerate(script)
        ]

    async def _open_line(self, line: LoggerLine) -> None:
        self._dialling = self._dialling or asyncio.Semaphore(DIALS)
        async with self._dialling:
            loop = asyncio.get_running_loop()
            await loop.create_connection(lambda: line, self._host, self._port, ssl=self._tls)
