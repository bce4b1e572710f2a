"""One simulated station: a line, a serial number, reports that wait for their confirmation, and its own dice."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress

import numpy as np

from liuyu.monitor.sense.fleet.faults import Faults
from liuyu.monitor.sense.fleet.scripts import Report
from liuyu.monitor.sense.sl651 import Framer, Group, Message, decode, element, encode
from liuyu.monitor.sense.sl651.messages import ENQ, EOT, ESC

TIMED, PRESENT = 0x32, 0x37
RIVER, DAY, DELAY = 0x48, 86400, 30
ATTEMPTS = 3
ROUNDS = 3
AT_ONCE = 500


class Line(asyncio.Protocol):
    """The station's end of a connection."""

    def __init__(self, heard: Callable[[Message], None]) -> None:
        self._heard, self._framer = heard, Framer()
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Hand on every message of the centre."""
        for piece in self._framer.feed(data):
            said = decode(piece.data) if piece.whole else None
            if isinstance(said, Message) and said.direction == "down":
                self._heard(said)

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone."""
        self.transport = None


class SimulatedStation:
    """Sends reports and resends what is not confirmed, at most twice, then keeps it for later.

    dial: opens a line, or raises OSError. told: hears each report that was confirmed, and how long that took [s].
    count: hears the name of everything that happens. timeout: how long a confirmation is waited for [s].
    """

    def __init__(
        self,
        address: str,
        dice: np.random.Generator,
        faults: Faults,
        *,
        dial: Callable[[Line], Awaitable[None]],
        told: Callable[[Report, float], None],
        count: Callable[[str], None],
        timeout: float,
    ) -> None:
        self.address = address
        self.kept: list[Report] = []
        self._dice, self._faults, self._timeout = dice, faults, timeout
        self._dial, self._told, self._count = dial, told, count
        self._line = Line(self._heard)
        self._serial = self._silent = 0
        self._waiting: dict[int, tuple[Report, float]] = {}
        self._answered = asyncio.Event()
        self._last: Report | None = None

    async def play(self, reports: Iterable[Report], due: Callable[[Report], Awaitable[None]]) -> None:
        """Deliver reports, each when it is due; then, a few times over, what is still kept."""
        for report in reports:
            await due(report)
            self._count("reports")
            self.kept.append(report)
            if self._holds_back():
                continue
            await self._deliver()
        for _ in range(ROUNDS):
            if self.kept:
                await self._deliver()

    async def connect(self) -> bool:
        """Make sure that the line stands."""
        if self._line.transport is not None and not self._line.transport.is_closing():
            return True
        self._line = Line(self._heard)
        try:
            await self._dial(self._line)
        except OSError:
            return False
        self._count("connections")
        return True

    def hang_up(self) -> None:
        """End the connection."""
        if self._line.transport is not None:
            self._line.transport.close()

    def _holds_back(self) -> bool:
        """Whether the station says nothing now: it has fallen silent, or this report waits for the next."""
        if self._silent:
            self._silent -= 1
            return True
        if self._chance(self._faults.silence):
            self._silent = int(self._dice.integers(0, 4))
            self._count("silences")
            return True
        if self._chance(self._faults.reorder):
            self._count("reordered")
            return True
        return False

    async def _deliver(self) -> None:
        """Send what is kept, newest first if it was held back, together or one after another.

        After a report that nobody confirms, the rest waits for another time.
        """
        batch, rest = self.kept[:AT_ONCE], self.kept[AT_ONCE:]
        if self._faults.reorder:
            batch.reverse()
        together = len(batch) > 1 and self._chance(self._faults.burst)
        left: list[Report] = []
        for part in [batch] if together else [[each] for each in batch]:
            left += part if left else await self._send(part)
        self.kept = sorted(left + rest, key=lambda each: each.observed)

    async def _send(self, reports: Sequence[Report]) -> list[Report]:
        """Send until all are confirmed, at most three times; what is left."""
        loop = asyncio.get_running_loop()
        frames = {}
        for report in reports:
            self._serial = self._serial % 65535 + 1
            frames[self._serial] = self._frame(report, self._serial)
            self._waiting[self._serial] = (report, loop.time())
            self._last = report
        for attempt in range(ATTEMPTS):
            if await self.connect():
                self._answered.clear()
                for serial in [each for each in frames if each in self._waiting]:
                    if attempt:
                        self._count("resent")
                        self._waiting[serial] = (self._waiting[serial][0], loop.time())
                    self._write(frames[serial])
                await self._confirmed(frames)
            else:
                await asyncio.sleep(self._timeout / ATTEMPTS)
            if not any(each in self._waiting for each in frames):
                break
        return [self._waiting.pop(each)[0] for each in frames if each in self._waiting]

    async def _confirmed(self, serials: Iterable[int]) -> None:
        """Until all are confirmed, or the time is up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                while any(each in self._waiting for each in serials):
                    await self._answered.wait()
                    self._answered.clear()

    def _write(self, frame: bytes) -> None:
        transport = self._line.transport
        if transport is None:
            return
        self._count("frames")
        transport.write(self._on_its_way(frame))
        if self._chance(self._faults.duplicates):
            self._count("duplicates")
            transport.write(frame)

    def _on_its_way(self, frame: bytes) -> bytes:
        if not self._chance(self._faults.bitflips):
            return frame
        self._count("bitflips")
        place, bit = int(self._dice.integers(len(frame))), int(self._dice.integers(8))
        return frame[:place] + bytes([frame[place] ^ 1 << bit]) + frame[place + 1 :]

    def _frame(self, report: Report, serial: int) -> bytes:
        shift = 0
        if self._chance(self._faults.clock):
            self._count("wrong_clocks")
            shift = int(self._dice.choice((-30, -3, 3))) * DAY
        return encode(self._message(TIMED, report, serial, shift))

    def _message(self, code: int, report: Report | None, serial: int, shift: int = 0) -> Message:
        sent = (report.observed if report else 0) + DELAY + shift
        groups: tuple[Group, ...] = ()
        if report is not None:
            values = tuple(element(name, value) for name, value in report.values)
            groups = (Group(station=self.address, category=RIVER, observed=report.observed + shift, elements=values),)
        return Message(function=code, station=self.address, serial=serial, sent=sent, groups=groups)

    def _heard(self, said: Message) -> None:
        if said.end in (EOT, ESC) and said.serial in self._waiting:
            report, since = self._waiting.pop(said.serial)
            self._told(report, asyncio.get_running_loop().time() - since)
            self._answered.set()
        elif said.end == ENQ and said.function == PRESENT and self._line.transport is not None:
            self._line.transport.write(encode(self._message(PRESENT, self._last, said.serial or 0)))

    def _chance(self, share: float) -> bool:
        return share > 0.0 and bool(self._dice.random() < share)
