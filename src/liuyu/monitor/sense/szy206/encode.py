"""From a message to the bytes of its frame, and the frames that stations and centres send."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.szy206.decode import CLOCK, OFFSET, VOLTAGE
from liuyu.monitor.sense.szy206.frame import Envelope, build_frame
from liuyu.monitor.sense.szy206.messages import Message, Stamp
from liuyu.monitor.sense.szy206.tables import kinds
from liuyu.monitor.sense.szy206.values import digits_of, read


def encode(message: Message) -> bytes:
    """The frame of a message: its data, and behind them the parts of the tail that it has. Raises BadInput."""
    up, divided = message.direction == "up", message.part is not None
    control = up << 7 | divided << 6 | (message.counter & 3) << 4 | (message.kind & 15)
    data = message.data
    for word in (message.alarm, message.state):
        if word is not None and not 0 <= word <= 0xFFFF:
            raise BadInput(f"alarm or state {word} does not fit into two bytes")
        data += b"" if word is None else word.to_bytes(2, "little")
    if message.password is not None:
        data += _password(message.password)
    if message.stamp is not None and message.function != CLOCK:
        data += _tag(message.stamp)
    return build_frame(Envelope(control, message.part, message.station, message.function, data))


def _password(password: tuple[int, int]) -> bytes:
    key, word = password
    if not 0 <= key <= 9 or not 0 <= word <= 999:
        raise BadInput(f"password {key}, {word}; the key is one digit and the word three")
    return bytes.fromhex(f"{key}{word:03d}")


def _tag(stamp: Stamp) -> bytes:
    parts = [stamp.second, stamp.minute, stamp.hour, stamp.day]
    if stamp.month is not None and stamp.year is not None:
        parts += [stamp.month, stamp.year - 2000]
    if any(not 0 <= part <= 99 for part in parts) or not 0 <= stamp.delay <= 255:
        raise BadInput(f"{stamp} cannot be written in two digits a part")
    return bytes.fromhex("".join(f"{part:02d}" for part in parts)) + bytes([stamp.delay])


def stamp_of(seconds: int, *, long: bool = True, delay: int = 0, offset: int = OFFSET) -> Stamp:
    """The tag of a time [s UTC]: seven bytes as in SL/T 427-2021, or five as in SZY 206-2016."""
    wall = datetime.fromtimestamp(seconds + offset, UTC)
    month, year = (wall.month, wall.year) if long else (None, None)
    return Stamp(
        day=wall.day, hour=wall.hour, minute=wall.minute, second=wall.second, month=month, year=year, delay=delay
    )


def report(
    station: str,
    kind: int,
    values: Sequence[float | None],
    stamp: Stamp,
    *,
    function: int = 0xC0,
    alarm: int = 0,
    state: int = 0,
    volumes: Sequence[float | None] = (),
) -> Message:
    """A report of values of one type [unit of the type]: C0H, or 81H alarm, 82H manual entry.

    volumes: for flow (type 3), what each meter has counted [m3].
    """
    known = kinds().get(kind)
    if known is None or known.bytes == 0 or known.code in (8, 10):
        raise BadInput(f"type {kind} has no plain values; known: {', '.join(map(str, kinds()))}")
    signed = known.signed == "yes"
    parts = [digits_of(each, known.bytes, known.decimals, signed=signed) for each in values]
    if volumes:
        pairs = zip(parts, volumes, strict=True)
        parts = [part + digits_of(volume, 5, 0, signed=True) for part, volume in pairs]
    data = b"".join(parts)
    elements = read(kind, data) or ()
    return Message(
        station=station,
        function=function,
        kind=kind,
        data=data,
        elements=elements,
        alarm=alarm,
        state=state,
        stamp=stamp,
    )


def heartbeat(station: str, what: int = 0xF2) -> Message:
    """A link check: F0H login, F1H logout, F2H still here."""
    return Message(station=station, function=0x02, data=bytes([what]))


def voltage(station: str, volts: float) -> Message:
    """A report of the supply voltage [V]."""
    return Message(station=station, function=VOLTAGE, kind=13, data=digits_of(volts, 2, 2, signed=False))


def confirm(message: Message) -> Message:
    """The centre's answer to a report: the same function downward, and a byte of 0."""
    return Message(
        station=message.station,
        function=message.function,
        direction="down",
        kind=message.kind,
        counter=message.counter,
        data=b"\0",
    )


def order(
    station: str,
    function: int,
    data: bytes = b"",
    *,
    kind: int = 0,
    password: tuple[int, int] | None = None,
    stamp: Stamp | None = None,
) -> Message:
    """What the centre sends: queries (50H and above) plain, settings and orders with a password and a tag."""
    return Message(
        station=station,
        function=function,
        direction="down",
        kind=kind,
        data=data,
        password=password,
        stamp=stamp,
    )


def set_clock(station: str, now: int, password: tuple[int, int], offset: int = OFFSET) -> Message:
    """11H: set the clock to `now` [s UTC]."""
    wall = datetime.fromtimestamp(now + offset, UTC)
    month = (wall.isoweekday() << 5) | (wall.month // 10 << 4) | wall.month % 10
    data = bytes.fromhex(wall.strftime("%S%M%H%d")) + bytes([month]) + bytes.fromhex(wall.strftime("%y"))
    return order(station, 0x11, data, password=password, stamp=stamp_of(now, offset=offset))


def divide(message: Message, size: int = 200) -> list[Message]:
    """The frames of a message whose data are too long for one; each counts how many are still to come."""
    parts = [message.data[at : at + size] for at in range(0, len(message.data), size)] or [b""]
    if len(parts) > 255:
        raise BadInput(f"{len(message.data)} bytes in parts of {size}: more than 255 parts")
    return [
        msgspec.structs.replace(message, data=part, part=len(parts) - place, elements=())
        for place, part in enumerate(parts)
    ]
