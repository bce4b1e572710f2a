"""One simulated station: a line, a serial number, reports that wait for their confirmation, and its own dice.

Every order of the centre is answered (memory.py), also while reports are under way. What is too long for a frame goes
in packets, of which those that the centre misses are sent again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from typing import Literal

import msgspec
import numpy as np

from liuyu.monitor.sense.fleet.faults import Faults
from liuyu.monitor.sense.fleet.lines import Line
from liuyu.monitor.sense.fleet.memory import DELAY, Memory
from liuyu.monitor.sense.fleet.scripts import Report
from liuyu.monitor.sense.sl651 import Message, encode, in_packets
from liuyu.monitor.sense.sl651.encode import body_of
from liuyu.monitor.sense.sl651.messages import ENQ, EOT, ESC, NAK

Mode = Literal["M1", "M2", "M4"]
TIMED, HEARTBEAT, PICTURE = 0x32, 0x2F, 0x36
DAY, HOUR = 86400, 3600
WHOLE = 1000  # bytes of a body that still goes in one frame
ALIVE = 40.0  # between two heartbeats [s]
ATTEMPTS = 3
ROUNDS = 3
AT_ONCE = 500


class Nature(msgspec.Struct, frozen=True, kw_only=True):
    """How a station works. M1 reports and asks for no confirmation, M2 waits for it, M4 speaks only when it is asked.

    pictures: whether it sends one in packets when its reports are out. packet: bytes of each.
    """

    mode: Mode = "M2"
    pictures: bool = False
    packet: int = 200
    password: str = "0000"


class SimulatedStation:
    """Sends reports and resends what is not confirmed, at most twice, then keeps it for later.

    dial: opens a line, or raises OSError. told: hears each report that was confirmed, and how long that took [s].
    count: hears the name of everything that happens. timeout: how long a confirmation is waited for [s]. nature: how it
    works. clock: the true time [s UTC]; without it that of the newest report.
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
        nature: Nature | None = None,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.address = address
        self._nature, self._clock = nature or Nature(), clock
        self.kept: list[Report] = []
        self._dice, self._faults, self._timeout = dice, faults, timeout
        self._dial, self._told, self._count = dial, told, count
        self._line = Line(self._heard)
        self._serial = self._silent = 0
        self._waiting: dict[int, tuple[Report, float]] = {}
        self._answered = asyncio.Event()
        self._packets: dict[int, list[Message]] = {}
        self._sent_whole: set[int] = set()
        self._beating: asyncio.Task[None] | None = None
        shift = int(dice.choice((-7, -5, 5, 7))) * HOUR if self._chance(faults.drift) else 0
        self.memory = Memory(address, dice, password=self._nature.password, shift=shift)
        if shift:
            count("drifting_clocks")

    async def play(self, reports: Iterable[Report], due: Callable[[Report], Awaitable[None]]) -> None:
        """Deliver reports, each when it is due; then, a few times over, what is still kept."""
        for report in reports:
            await due(report)
            self._count("reports")
            self.memory.keep(report)
            if self._nature.mode == "M4":
                await self.connect()
                continue
            self.kept.append(report)
            if self._holds_back():
                continue
            await self._deliver()
        for _ in range(ROUNDS):
            if self.kept:
                await self._deliver()
        if self._nature.pictures:
            await self._send_picture()

    async def connect(self) -> bool:
        """Make sure that the line stands."""
        if self._line.open:
            return True
        self._line = Line(self._heard)
        try:
            await self._dial(self._line)
        except OSError:
            return False
        self._count("connections")
        if self._nature.mode == "M4":
            self._beat()
        return True

    def hang_up(self) -> None:
        """End the connection."""
        if self._beating is not None:
            self._beating.cancel()
        self._line.close()

    def _beat(self) -> None:
        """Tell the centre now and every so often that the station is there."""
        if self._beating is not None:
            self._beating.cancel()

        async def beat() -> None:
            while self._line.open:
                self._count("heartbeats")
                message = Message(
                    function=HEARTBEAT, station=self.address, password=self.memory.password, serial=0, sent=self._now()
                )
                self._line.write(encode(message))
                await asyncio.sleep(ALIVE)

        self._beating = asyncio.create_task(beat())

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
        for attempt in range(ATTEMPTS):
            if await self.connect():
                self._answered.clear()
                for serial in [each for each in frames if each in self._waiting]:
                    if attempt:
                        self._count("resent")
                        self._waiting[serial] = (self._waiting[serial][0], loop.time())
                    self._write(frames[serial])
                if self._nature.mode == "M1":
                    self._count("unasked")
                    for serial in frames:
                        self._waiting.pop(serial, None)
                    return []
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
        if self._line.transport is None:
            return
        self._count("frames")
        self._line.write(self._on_its_way(frame))
        if self._chance(self._faults.duplicates):
            self._count("duplicates")
            self._line.write(frame)

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
        return encode(self.memory.report(report, TIMED, serial, shift))

    # packets

    async def _send_picture(self) -> None:
        """Send a picture in packets until the centre has it whole, with three attempts at its last packet."""
        self._serial = self._serial % 65535 + 1
        packets = in_packets(self.memory.picture(self._serial, self._now()), self._nature.packet)
        for attempt in range(ATTEMPTS):
            if not await self.connect():
                await asyncio.sleep(self._timeout / ATTEMPTS)
                continue
            self._sent_whole.discard(PICTURE)
            if attempt:
                self._write(encode(packets[-1]))
            else:
                self._count("pictures")
                self._in_packets(PICTURE, packets)
            if await self._has_all(PICTURE):
                self._count("pictures_confirmed")
                return

    async def _has_all(self, code: int) -> bool:
        """Whether the centre says within the time that it has the whole message; what it misses is sent meanwhile."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeout):
                while code not in self._sent_whole:
                    self._answered.clear()
                    await self._answered.wait()
        return code in self._sent_whole

    def _in_packets(self, code: int, packets: list[Message]) -> None:
        self._packets[code] = packets
        for each in packets:
            self._count("packets")
            if self._chance(self._faults.packets):
                self._count("packets_lost")
            else:
                self._line.write(encode(each))

    # what the centre says

    def _heard(self, said: Message) -> None:
        if said.end == NAK and said.packet is not None:
            self._again(said.function, said.packet.number)
        elif said.end in (EOT, ESC):
            self._told_done(said)
        elif said.end == ENQ:
            self._answer(said)

    def _told_done(self, said: Message) -> None:
        if said.function in self._packets:
            self._sent_whole.add(said.function)
            self._answered.set()
        elif said.serial in self._waiting:
            report, since = self._waiting.pop(said.serial)
            self._told(report, asyncio.get_running_loop().time() - since)
            self._answered.set()

    def _again(self, code: int, number: int) -> None:
        packets = self._packets.get(code, [])
        if 1 <= number <= len(packets):
            self._count("packets_resent")
            self._line.write(encode(packets[number - 1]))

    def _answer(self, order: Message) -> None:
        answer = self.memory.answer(order, self._now())
        if answer is None:
            self._count("orders_ignored")
            return
        self._count("orders_refused" if answer.end == NAK else "orders_answered")
        if len(body_of(answer)) > WHOLE:
            self._in_packets(order.function, in_packets(answer, self._nature.packet))
        else:
            self._line.write(encode(answer))

    def _now(self) -> int:
        latest = self.memory.latest
        return self._clock() if self._clock else latest.observed + DELAY if latest else 0

    def _chance(self, share: float) -> bool:
        return share > 0.0 and bool(self._dice.random() < share)
