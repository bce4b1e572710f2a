"""One simulated MQTT logger: the same habits and faults as a station of SL 651, another language."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.clock import moment
from liuyu.monitor.sense.fleet.faults import Faults
from liuyu.monitor.sense.fleet.scripts import Report
from liuyu.monitor.sense.fleet.station import ATTEMPTS, DAY, SimulatedStation
from liuyu.monitor.sense.mqtt.packets import (
    CONNACK,
    DISCONNECT,
    PUBACK,
    Publish,
    Reader,
    Unspeakable,
    connect,
    number_of,
    packet,
    publish,
)
from liuyu.monitor.sense.sl651.tables import elements

_LARGEST = 1 << 16
_AGAIN = 8  # the bit of a PUBLISH that says so


class LoggerLine(asyncio.Protocol):
    """The logger's end of a connection. acknowledged: hears the number of each message that was."""

    def __init__(self, acknowledged: Callable[[int], None]) -> None:
        self._acknowledged, self._reader = acknowledged, Reader(_LARGEST)
        self.transport: asyncio.Transport | None = None
        self.welcome: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hear what the broker says."""
        try:
            for each in self._reader.feed(data):
                if each.kind == PUBACK:
                    self._acknowledged(number_of(each))
                elif each.kind == CONNACK and not self.welcome.done():
                    self.welcome.set_result(each.body[1:2] == b"\0")
        except Unspeakable:
            self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone."""
        if self.transport is not None:
            self.transport.abort()
        self.transport = None
        if not self.welcome.done():
            self.welcome.set_result(False)


class SimulatedLogger(SimulatedStation):
    """Publishes a report as one message of quality 1 on liuyu/BASIN/STATION, and sends again what is not acknowledged.

    A flipped bit is not noticed on the way, for MQTT has no check code of its own: the broken payload comes first, is
    acknowledged as any other, and the report follows. A report from a wrong clock is told as it was sent.
    """

    def __init__(
        self,
        address: str,
        dice: np.random.Generator,
        faults: Faults,
        *,
        basin: str,
        user: str,
        password: str,
        open_line: Callable[[LoggerLine], Awaitable[None]],
        told: Callable[[Report, float], None],
        count: Callable[[str], None],
        timeout: float,
    ) -> None:
        super().__init__(address, dice, faults, dial=_never, told=told, count=count, timeout=timeout)
        self._topic, self._user, self._password = f"liuyu/{basin}/{address[2:]}", user, password
        self._open = open_line
        self._logger_line: LoggerLine | None = None

    async def connect(self) -> bool:
        """Make sure that the line stands and the broker has let us in."""
        line = self._logger_line
        if line is not None and line.transport is not None and not line.transport.is_closing():
            return True
        line = self._logger_line = LoggerLine(self._acknowledged)
        try:
            async with asyncio.timeout(self._timeout):
                await self._open(line)
                assert line.transport is not None
                line.transport.write(connect(f"logger-{self.address}", user=self._user, password=self._password))
                if not await line.welcome:
                    self._count("refused")
                    return False
        except (OSError, TimeoutError):
            return False
        self._count("connections")
        return True

    def hang_up(self) -> None:
        """Say good-bye."""
        if self._logger_line is not None and self._logger_line.transport is not None:
            self._logger_line.transport.write(packet(DISCONNECT))
            self._logger_line.transport.close()

    async def _send(self, reports: Sequence[Report]) -> list[Report]:
        """Publish until all are acknowledged, at most three times; what is left."""
        loop = asyncio.get_running_loop()
        messages = {}
        for report in reports:
            self._serial = self._serial % 65535 + 1
            sent = self._by_its_clock(report)
            messages[self._serial] = Publish(self._topic, payload_of(sent), 1, self._serial)
            self._waiting[self._serial] = (sent, loop.time())
        kept = dict(zip(messages, reports, strict=True))
        for attempt in range(ATTEMPTS):
            if await self.connect():
                self._answered.clear()
                for serial in [each for each in messages if each in self._waiting]:
                    if attempt:
                        self._count("resent")
                        self._waiting[serial] = (self._waiting[serial][0], loop.time())
                    self._publish(messages[serial]._replace(again=attempt > 0))
                await self._confirmed(messages)
            else:
                await asyncio.sleep(self._timeout / ATTEMPTS)
            if not any(each in self._waiting for each in messages):
                break
        left = [each for each in messages if self._waiting.pop(each, None) is not None]
        return [kept[each] for each in left]

    def _publish(self, message: Publish) -> None:
        line = self._logger_line
        if line is None or line.transport is None:
            return
        self._count("messages")
        if self._chance(self._faults.bitflips):
            self._count("bitflips")
            self._serial = self._serial % 65535 + 1
            broken = message._replace(payload=self._broken_payload(message.payload), packet=self._serial)
            line.transport.write(publish(broken))
        data = publish(message)
        line.transport.write(data)
        if self._chance(self._faults.duplicates):
            self._count("duplicates")
            line.transport.write(bytes([data[0] | _AGAIN]) + data[1:])

    def _by_its_clock(self, report: Report) -> Report:
        shift = self.memory.shift
        if self._chance(self._faults.clock):
            self._count("wrong_clocks")
            shift += int(self._dice.choice((-30, -3, 3))) * DAY
        return report._replace(observed=report.observed + shift)

    def _broken_payload(self, payload: bytes) -> bytes:
        """The payload with one bit flipped, such that it is no JSON any more."""
        while True:
            place, bit = int(self._dice.integers(len(payload))), int(self._dice.integers(8))
            broken = payload[:place] + bytes([payload[place] ^ 1 << bit]) + payload[place + 1 :]
            try:
                msgspec.json.decode(broken)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return broken

    def _acknowledged(self, number: int) -> None:
        if number in self._waiting:
            report, since = self._waiting.pop(number)
            self._told(report, asyncio.get_running_loop().time() - since)
            self._answered.set()


def payload_of(report: Report) -> bytes:
    """A report as JSON: its time and its values by quantity, in our units."""
    told = told_of(report)
    return msgspec.json.encode({"time": told["time"], "values": told["values"]})


def told_of(report: Report) -> dict[str, Any]:
    """A report as JSON values: the station's code, the time of observation, and values by quantity, in our units."""
    values = {elements()[name].quantity: float(value) for name, value in report.values if elements()[name].quantity}
    return {"station": report.station[2:], "time": moment(report.observed).isoformat(), "values": values}


async def _never(_: object) -> None:
    raise OSError
