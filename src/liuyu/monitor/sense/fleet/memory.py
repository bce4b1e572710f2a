"""What a simulated station knows and how it answers each order of the centre, as SL 651-2014, 6.6.4 has it."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.fleet.scripts import Report
from liuyu.monitor.sense.sl651 import Element, Group, Message, element, parameter
from liuyu.monitor.sense.sl651.messages import ETX, NAK
from liuyu.monitor.sense.sl651.tables import elements, parameters

RIVER, DELAY = 0x48, 30
KEPT = 5000  # reports that a station's own memory holds
LONGEST = 1000  # values of a period
VERSION = "LIUYU-SIM 1.0"
EVENTS = 32
CLEARED, CONFIGURED, PASSWORD = 0, 1, 4  # places in the record of events
SUPPLIED = 0b1000_0000 | 0b100_0000_0000  # door closed, pump stopped, AC on
_FACTORY: dict[str, float | str] = {
    "01": "01000000",
    "0C": 2.0,
    "0D": "0000000000000000",
    "20": 1.0,
    "21": 5.0,
    "22": 8.0,
    "23": 300.0,
    "24": 5.0,
    "25": 0.5,
    "26": 1.0,
    "27": 1.0,
    "28": 0.0,
    "30": 0.0,
    "38": 30.0,
    "40": 0.1,
    "41": 0.2,
}


class Memory:
    """A station's readings, settings, password and clock.

    shift: by how much its clock is ahead of the true time [s]. An order with another password is not heard.
    """

    def __init__(self, address: str, dice: np.random.Generator, *, password: str = "0000", shift: int = 0) -> None:
        self.address, self.password, self.shift = address, password, shift
        self._dice = dice
        self._history: deque[Report] = deque(maxlen=KEPT)
        self._settings = dict(_FACTORY)
        self._events = [0] * EVENTS
        self._answers: dict[int, Callable[[Message, int], Message]] = {
            0x36: self._picture,
            0x37: self._present,
            0x38: self._period,
            0x39: self._manual,
            0x3A: self._elements,
            **dict.fromkeys((0x40, 0x42), self._set),
            **dict.fromkeys((0x41, 0x43), self._read),
            0x44: self._pumps,
            0x45: lambda order, now: self._told(order, now, text=VERSION),
            0x46: self._state,
            0x47: self._clear,
            0x48: self._restore,
            0x49: self._change_password,
            0x4A: self._set_clock,
            **dict.fromkeys(range(0x4B, 0x50), self._control),
            0x50: lambda order, now: self._told(order, now, events=tuple(self._events)),
            0x51: self._told,
        }

    def keep(self, report: Report) -> None:
        """Remember a report."""
        self._history.append(report)

    @property
    def latest(self) -> Report | None:
        """The newest report."""
        return self._history[-1] if self._history else None

    def clock(self, now: int) -> int:
        """What the station's clock shows at the true time `now` [s UTC]."""
        return now + self.shift

    def answer(self, order: Message, now: int) -> Message | None:
        """The answer to an order, NAK where it makes no sense, None where the station does not listen to it."""
        if order.password != self.password:
            return None
        try:
            return self._answers.get(order.function, self._refused)(order, now)
        except (BadInput, ValueError):
            return self._refused(order, now)

    def report(self, report: Report, code: int, serial: int, shift: int = 0) -> Message:
        """The message of a report; `shift` [s] is a fault of this one frame."""
        late = self.shift + shift
        values = tuple(element(name, value) for name, value in report.values)
        group = Group(station=self.address, category=RIVER, observed=report.observed + late, elements=values)
        return self._message(code, serial, report.observed + DELAY + late, (group,))

    def picture(self, serial: int, now: int) -> Message:
        """A picture of now, as a message too long for one frame."""
        return self._message(0x36, serial, self.clock(now), (self._image(now),))

    def _message(self, code: int, serial: int, sent: int, groups: tuple[Group, ...] = (), end: int = ETX) -> Message:
        return Message(
            function=code,
            station=self.address,
            password=self.password,
            serial=serial,
            sent=sent,
            groups=groups,
            end=end,
        )

    def _told(
        self,
        order: Message,
        now: int,
        groups: tuple[Group, ...] = (),
        *,
        text: str = "",
        events: tuple[int, ...] = (),
        payload: bytes = b"",
    ) -> Message:
        """An answer; without groups of its own it names the station alone."""
        return Message(
            function=order.function,
            station=self.address,
            centre=order.centre,
            password=self.password,
            serial=order.serial or 0,
            sent=self.clock(now),
            groups=groups or (Group(station=self.address),),
            text=text,
            events=events,
            payload=payload,
        )

    def _refused(self, order: Message, now: int) -> Message:
        return self._message(order.function, order.serial or 0, self.clock(now), end=NAK)

    def _observed(self, order: Message, now: int, told: tuple[Element, ...]) -> Message:
        latest = self.latest
        at = self.clock(now) if latest is None else latest.observed + self.shift
        group = Group(station=self.address, category=RIVER, observed=at, elements=told)
        return self._told(order, now, (group,))

    # queries

    def _present(self, order: Message, now: int) -> Message:
        values = self.latest.values if self.latest else ()
        return self._observed(order, now, tuple(element(name, value) for name, value in values))

    def _elements(self, order: Message, now: int) -> Message:
        there = dict(self.latest.values) if self.latest else {}
        asked = tuple(each[:4] if each.startswith("FF") else each[:2] for each in order.wanted)
        return self._observed(order, now, tuple(element(each, there.get(each)) for each in asked))

    def _period(self, order: Message, now: int) -> Message:
        if order.period is None or not order.wanted or order.period.step <= 0:
            raise BadInput("a query of a period names no period, no element or no step; give them")
        name = order.wanted[0][:2]
        known = {each.observed: dict(each.values).get(name) for each in self._history}
        times = range(order.period.start, order.period.end + 1, order.period.step)[:LONGEST]
        step = element("04", order.period.step / 60)
        told = (step, element(name, [known.get(each) for each in times]))
        group = Group(station=self.address, category=RIVER, observed=order.period.start, elements=told)
        return self._told(order, now, (group,))

    def _manual(self, order: Message, now: int) -> Message:
        return self._observed(order, now, (element("F2", f"RG {self.address}"),))

    def _pumps(self, order: Message, now: int) -> Message:
        volts = tuple(element(each, 380.0) for each in ("70", "71", "72"))
        amperes = tuple(element(each, 12.5) for each in ("73", "74", "75"))
        return self._observed(order, now, volts + amperes)

    def _state(self, order: Message, now: int) -> Message:
        return self._told(order, now, (Group(station=self.address, elements=(element("45", float(SUPPLIED)),)),))

    def _picture(self, order: Message, now: int) -> Message:
        return self._told(order, now, (self._image(now),))

    def _image(self, now: int) -> Group:
        """Water, sky and some noise, as a small JPEG."""
        sky, water = (150, 180, 210), (90, 110, 100)
        paint = np.where(np.arange(120)[:, None, None] < 55, sky, water) + self._dice.integers(-20, 20, (120, 160, 1))
        stream = io.BytesIO()
        Image.fromarray(paint.astype(np.uint8)).save(stream, "JPEG", quality=60)
        held = elements()["F3"]
        told = Element(id="F3", definition=0xF3, raw=stream.getvalue(), values=(held.name_en,), times=(None,))
        return Group(station=self.address, category=RIVER, observed=self.clock(now) // 60 * 60, elements=(told,))

    # settings

    def _read(self, order: Message, now: int) -> Message:
        asked = tuple(each[:2] for each in order.wanted)
        return self._settings_of(order, now, asked)

    def _set(self, order: Message, now: int) -> Message:
        for identifier, value in _given(order):
            if identifier == "03":
                self.password = str(value)
                self._events[PASSWORD] += 1
            self._settings[identifier] = value
        self._events[CONFIGURED] += 1
        return self._settings_of(order, now, tuple(identifier for identifier, _ in _given(order)))

    def _settings_of(self, order: Message, now: int, asked: tuple[str, ...]) -> Message:
        known = {**self._settings, "02": self.address, "03": self.password}
        if missing := [each for each in asked if each not in known]:
            raise BadInput(f"parameter {missing[0]} is not set here; ask for another")
        told = tuple(parameter(each, known[each]) for each in asked)
        return self._told(order, now, (Group(station=self.address, elements=told),))

    def _clear(self, order: Message, now: int) -> Message:
        self._history.clear()
        self._events[CLEARED] += 1
        return self._told(order, now, (Group(station=self.address, elements=(parameter("97", ""),)),))

    def _restore(self, order: Message, now: int) -> Message:
        self._settings = dict(_FACTORY)
        self._events[CONFIGURED] += 1
        return self._told(order, now, (Group(station=self.address, elements=(parameter("98", ""),)),))

    def _change_password(self, order: Message, now: int) -> Message:
        (_, old), (_, new) = _given(order)
        if old != self.password:
            return self._refused(order, now)
        self.password = str(new)
        self._events[PASSWORD] += 1
        return self._told(order, now, (Group(station=self.address, elements=(parameter("03", self.password),)),))

    def _set_clock(self, order: Message, now: int) -> Message:
        if order.sent is None:
            return self._refused(order, now)
        self.shift = order.sent - now
        return self._told(order, now)

    def _control(self, order: Message, now: int) -> Message:
        return self._told(order, now, payload=order.payload)


def _given(order: Message) -> Iterator[tuple[str, float | str]]:
    """The parameters that an order sets. Raises BadInput for a value that is none."""
    for _, each in order.elements():
        value = each.values[0] if each.values else None
        if each.id not in parameters() or value is None:
            raise BadInput(f"parameter {each.id} cannot be set to {value!r}; send a value")
        yield each.id, value
