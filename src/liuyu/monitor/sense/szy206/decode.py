"""From the bytes of a frame to a message, by its function, direction and type of value."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from liuyu.monitor.sense.szy206.frame import Envelope, open_frame
from liuyu.monitor.sense.szy206.messages import Element, Message, Refusal, Stamp
from liuyu.monitor.sense.szy206.values import decimal, read

OFFSET, DAY = 8 * 3600, 86400
TAILED = frozenset([0xC0, 0x81, 0x82])
VOLTAGE, CLOCK, PRESENT = 0x84, 0x51, 0xB0
VALUELESS = frozenset([0, 13])
Edition = Literal["auto", "2016", "2021"]
SIZES: dict[Edition, tuple[int, ...]] = {"auto": (7, 5), "2016": (5,), "2021": (7,)}
PLAUSIBLE = (1262304000, 2524608000)


def decode(frame: bytes, now: int | None = None, offset: int = OFFSET, edition: Edition = "auto") -> Message | Refusal:
    """What a frame says, or why it is not taken. Never raises, whatever the bytes are.

    now: the centre's clock [s UTC]; with it a tag without month and year becomes the latest such time that is not
    more than a day ahead. offset: seconds by which the station's wall clock is ahead of UTC. edition: 2016 for tags of
    five bytes, 2021 for seven; auto takes the one with which all fits, and seven where both do.

    >>> said = decode(bytes.fromhex("681A68B35303810D00C00059000000826110000001106000004508090A3516"))
    >>> [(each.value, each.unit) for each in said.elements], said.stamp.hour
    ([(5.9, 'm3/s'), (106182.0, 'm3')], 8)
    """
    envelope = open_frame(frame)
    if isinstance(envelope, Refusal):
        return envelope
    remarks = ["trailing"] if envelope.trailing else []
    up = bool(envelope.control & 0x80)
    kind = envelope.control & 15
    facts: dict[str, Any] = {"data": envelope.data}
    if envelope.part is None:
        sizes = SIZES[edition]
        facts = _up(envelope, kind, sizes, remarks) if up else _down(envelope, sizes)
    stamp = facts.get("stamp")
    sent = time_of(stamp, now, offset) if isinstance(stamp, Stamp) else None
    if sent is not None and (not PLAUSIBLE[0] <= sent < PLAUSIBLE[1] or (now is not None and abs(sent - now) > DAY)):
        remarks.append("clock")
    return Message(
        station=envelope.station,
        function=envelope.function,
        direction="up" if up else "down",
        kind=kind,
        counter=envelope.control >> 4 & 3,
        part=envelope.part,
        sent=sent,
        remarks=tuple(dict.fromkeys(remarks)),
        **facts,
    )


def _up(envelope: Envelope, kind: int, sizes: tuple[int, ...], remarks: list[str]) -> dict[str, Any]:
    data = envelope.data
    if envelope.function in TAILED:
        facts = _tailed(data, kind, sizes)
        if facts is None:
            remarks.append("tail")
            return {"data": data}
    elif envelope.function == VOLTAGE and len(data) == 2:
        value = decimal(data, 2, signed=False)
        volt = Element(id="84", name="voltage", value=value, unit="V", quantity="battery_voltage", raw=data)
        facts = {"data": data, "elements": (volt,)}
    elif envelope.function == PRESENT:
        facts = _present(data, kind)
    elif envelope.function == CLOCK and len(data) == 6:
        facts = {"data": data, "stamp": _clock(data)}
    else:
        return {"data": data}
    elements = facts.get("elements", ())
    if any(each.value is None and each.raw.strip(b"\xaa") and each.raw.strip(b"\xff") for each in elements):
        remarks.append("not-decimal")
    return facts


def _tailed(data: bytes, kind: int, sizes: tuple[int, ...]) -> dict[str, Any] | None:
    """Values, alarm, state and tag. The tag has seven bytes or five: the one with which all fits is meant."""
    for size in sizes:
        if len(data) < size + 4:
            continue
        stamp, rest = read_stamp(data[-size:]), data[: -size - 4]
        elements = read(kind, rest) if rest or kind not in VALUELESS else ()
        if stamp is not None and elements is not None:
            words = data[-size - 4 : -size]
            return {
                "data": rest,
                "elements": elements,
                "alarm": int.from_bytes(words[:2], "little"),
                "state": int.from_bytes(words[2:], "little"),
                "stamp": stamp,
            }
    return None


def _present(data: bytes, kind: int) -> dict[str, Any]:
    """The answer to a query of present values, with alarm and state behind it at some stations."""
    elements = read(kind, data)
    if elements is None and len(data) > 4 and (less := read(kind, data[:-4])) is not None:
        alarm, state = (int.from_bytes(data[at : at + 2 or None], "little") for at in (-4, -2))
        return {"data": data[:-4], "elements": less, "alarm": alarm, "state": state}
    return {"data": data, "elements": elements or ()}


def _down(envelope: Envelope, sizes: tuple[int, ...]) -> dict[str, Any]:
    """Settings and orders (10H to 4FH, 90H and above) end with a password and a tag."""
    data = envelope.data
    if 0x10 <= envelope.function < 0x50 or 0x90 <= envelope.function < 0xB0:
        for size in sizes:
            if len(data) < size + 2:
                continue
            stamp, password = read_stamp(data[-size:]), read_password(data[-size - 2 : -size])
            if stamp is not None and password is not None:
                return {"data": data[: -size - 2], "password": password, "stamp": stamp}
    return {"data": data}


def read_password(raw: bytes) -> tuple[int, int] | None:
    """Key and word of a password: one digit and three."""
    digits = raw.hex()
    return (int(digits[0]), int(digits[1:])) if len(raw) == 2 and digits.isdecimal() else None


def read_stamp(raw: bytes) -> Stamp | None:
    """A time tag of five or seven bytes, None where it is no time."""
    digits, long = raw[:-1].hex(), len(raw) == 7
    if not digits.isdecimal():
        return None
    parts = [int(digits[at : at + 2]) for at in range(0, len(digits), 2)]
    second, minute, hour, day = parts[:4]
    month, year = (parts[4], 2000 + parts[5]) if long else (None, None)
    longest = calendar.monthrange(year, month)[1] if month and year and month < 13 else 31
    if second > 59 or minute > 59 or hour > 23 or not 1 <= day <= longest or month == 0 or (month or 1) > 12:
        return None
    return Stamp(day=day, hour=hour, minute=minute, second=second, month=month, year=year, delay=raw[-1])


def _clock(raw: bytes) -> Stamp | None:
    """The clock's answer: seconds to day, then month below the weekday's three bits, then year."""
    return read_stamp(raw[:4] + bytes([raw[4] & 0x1F]) + raw[5:] + b"\0")


def time_of(stamp: Stamp, now: int | None = None, offset: int = OFFSET) -> int | None:
    """The time of a tag [s UTC]; None where it has no month and there is no clock to supply one."""
    if stamp.month is not None and stamp.year is not None:
        wall = datetime(stamp.year, stamp.month, stamp.day, stamp.hour, stamp.minute, stamp.second, tzinfo=UTC)
        return int(wall.timestamp()) - offset
    if now is None:
        return None
    latest = datetime.fromtimestamp(now + offset, UTC) + timedelta(days=1)
    first = latest.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(3):
        if stamp.day <= calendar.monthrange(first.year, first.month)[1]:
            found = first.replace(day=stamp.day, hour=stamp.hour, minute=stamp.minute, second=stamp.second)
            if found <= latest:
                return int(found.timestamp()) - offset
        first = (first - timedelta(days=1)).replace(day=1)
    return None
