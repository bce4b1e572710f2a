"""Values low byte first: binary coded decimal, with F in the top digit for a minus; AA and FF stand for nothing."""

from __future__ import annotations

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.szy206.messages import Element
from liuyu.monitor.sense.szy206.tables import COMBINED, FLOW, QUALITY, WIND, Kind, kinds, qualities

POWERS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6)
COLIFORM = 24


def decimal(raw: bytes, decimals: int, *, signed: bool) -> float | None:
    """The number that some bytes write, None where they write none.

    >>> decimal(bytes.fromhex("00590000f0"), 3, signed=True)
    -5.9
    """
    digits = raw[::-1].hex()
    minus = signed and digits[:1] == "f" and raw.strip(b"\xff") != b""
    digits = digits[1:] if minus else digits
    if not digits.isdecimal():
        return None
    value = int(digits) / POWERS[decimals]
    return -value if minus else value


def digits_of(value: float | None, size: int, decimals: int, *, signed: bool) -> bytes:
    """The bytes of a number; None is sent as AA. Raises BadInput where it does not fit."""
    if value is None:
        return b"\xaa" * size
    whole = round(abs(value) * 10**decimals)
    width = size * 2 - 1 if signed else size * 2
    text = f"{whole:0{width}d}"
    if len(text) > width or (value < 0 and not signed):
        raise BadInput(f"{value} does not fit into {size} bytes with {decimals} decimals")
    return bytes.fromhex((("f" if value < 0 else "0") if signed else "") + text)[::-1]


def read(kind: int, data: bytes) -> tuple[Element, ...] | None:
    """The values of a type, None where the bytes are not those of whole values."""
    if kind == COMBINED:
        return _combined(data)
    if kind == QUALITY:
        return _quality(data)
    known = kinds().get(kind)
    if known is None or known.bytes == 0 or not data or len(data) % known.bytes:
        return None
    parts = [data[at : at + known.bytes] for at in range(0, len(data), known.bytes)]
    if known.many == "no" and len(parts) > 1:
        return None
    if kind == WIND:
        return _wind(known, parts[0])
    paired = kind == FLOW and len(parts) % 2 == 0
    return tuple(_volume(part) if paired and place % 2 else _one(known, part) for place, part in enumerate(parts))


def _one(kind: Kind, raw: bytes) -> Element:
    value = decimal(raw, kind.decimals, signed=kind.signed == "yes")
    return Element(
        id=f"{kind.code:02X}", name=kind.name_en, value=value, unit=kind.unit, quantity=kind.quantity, raw=raw
    )


def _volume(raw: bytes) -> Element:
    """A meter sends its flow and then the volume it has counted."""
    value = decimal(raw, 0, signed=True)
    return Element(id="03", name="volume", value=value, unit="m3", quantity=None, raw=raw)


def _wind(kind: Kind, raw: bytes) -> tuple[Element, ...]:
    """Speed, and in the top digit one of sixteen directions."""
    speed = raw[:-1] + bytes([raw[-1] & 15])
    value = None if raw in (b"\xaa\xaa\xaa", b"\xff\xff\xff") else decimal(speed, kind.decimals, signed=False)
    way = None if value is None else float(raw[-1] >> 4)
    return (
        Element(id="08", name=kind.name_en, value=value, unit=kind.unit, quantity=kind.quantity, raw=raw),
        Element(id="08", name="wind direction, sixteenths from north", value=way, unit="", quantity=None, raw=raw),
    )


def _quality(data: bytes) -> tuple[Element, ...] | None:
    """A list of forty bits, then four bytes for each parameter in it, five for coliform."""
    if len(data) < 5:
        return None
    listed = int.from_bytes(data[:5], "little")
    found, place = [], 5
    for bit in range(40):
        if not listed >> bit & 1:
            continue
        size = 5 if bit == COLIFORM else 4
        raw, known = data[place : place + size], qualities().get(bit)
        if len(raw) < size:
            return None
        value = decimal(raw, known.decimals, signed=False) if known else None
        name, unit = (known.name_en, known.unit) if known else (f"quality {bit}", "")
        quantity = known.quantity if known else None
        found.append(Element(id=f"0A.{bit:02d}", name=name, value=value, unit=unit, quantity=quantity, raw=raw))
        place += size
    return tuple(found) if place == len(data) else None


def _combined(data: bytes) -> tuple[Element, ...] | None:
    """A byte that lists types, then one value of each, from its low bit up."""
    if not data:
        return None
    found: list[Element] = []
    place = 1
    for each in sorted(
        (one for one in kinds().values() if one.combined is not None), key=lambda one: one.combined or 0
    ):
        if not data[0] >> (each.combined or 0) & 1:
            continue
        size = each.bytes if each.code != QUALITY else _quality_size(data[place:])
        values = read(each.code, data[place : place + size])
        if values is None:
            return None
        found.extend(values)
        place += size
    return tuple(found) if place == len(data) else None


def _quality_size(data: bytes) -> int:
    listed = int.from_bytes(data[:5], "little")
    return 5 + 4 * listed.bit_count() + (listed >> COLIFORM & 1)
