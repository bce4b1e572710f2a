"""From a message to the bytes of its frame, and from values to elements: the way back of `decode`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sl651.body import PICTURE, TEXT, meaning_of
from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect
from liuyu.monitor.sense.sl651.frame import Envelope, build_frame
from liuyu.monitor.sense.sl651.messages import ETB, STX, SYN, Element, Form, Group, Message, Packet, Value
from liuyu.monitor.sense.sl651.tables import Field, elements, parameters

RAIN_LIMIT = 254


def encode(message: Message, dialect: Dialect = STANDARD) -> bytes:
    """The frame of a message. Raises BadInput where a part does not fit, and names it.

    An element goes out as its `raw` bytes, so what was decoded is encoded to the same frame; make new ones with
    `element` and `parameter`.
    """
    packet = message.packet
    head = b""
    if packet is not None:
        if not 1 <= packet.number <= packet.total <= 0xFFF:
            raise BadInput(f"packet {packet.number} of {packet.total}; they run from 1 to at most 4095")
        head = (packet.total << 12 | packet.number).to_bytes(3, "big")
        head = head if message.form == "hex" else head.hex().upper().encode()
    return build_frame(
        Envelope(
            form=message.form,
            direction=message.direction,
            centre=message.centre,
            station=message.station,
            password=message.password,
            function=message.function,
            start=STX if packet is None else SYN,
            body=head + body_of(message, dialect),
            end=message.end,
        )
    )


def body_of(message: Message, dialect: Dialect = STANDARD) -> bytes:
    """The body of a message, without the place of its packet."""
    if message.packet is not None and message.direction == "up":
        return message.payload
    if message.serial is None or message.sent is None:
        raise BadInput(f"a message of function {message.function:02X}H needs a serial number and a time of sending")
    if not 0 <= message.serial <= 0xFFFF:
        raise BadInput(f"serial number {message.serial}; it runs from 1 to 65535 and begins again")
    head = message.serial.to_bytes(2, "big") + wall_time(message.sent, 6, dialect.offset)
    if message.form == "ascii":
        words = " ".join(_words(message.groups, dialect)).encode("gb18030")
        return head.hex().upper().encode() + (b" " + words if words else b"") + message.payload
    return head + _asked(message, dialect) + _grouped(message.groups, dialect) + _told(message) + message.payload


def wall_time(seconds: int, length: int, offset: int = STANDARD.offset) -> bytes:
    """A time as decimal digits YYMMDDHHmmSS, cut to `length` bytes. Raises BadInput outside 2000 to 2099.

    >>> wall_time(1500346816, 6).hex()
    '170718110016'
    """
    try:
        wall = datetime.fromtimestamp(seconds + offset, UTC)
    except (OverflowError, OSError, ValueError):
        wall = None
    if wall is None or not 2000 <= wall.year <= 2099:
        raise BadInput(f"time {seconds} [s UTC] cannot be written; the standard has the years 2000 to 2099")
    return bytes.fromhex(wall.strftime("%y%m%d%H%M%S"))[:length]


def step_digits(seconds: int) -> bytes:
    """A time step as DDHHmm. Raises BadInput where it is no whole minutes or longer than 99 days."""
    minutes, left = divmod(seconds, 60)
    if left or not 0 <= minutes < 100 * 1440:
        raise BadInput(f"time step of {seconds} s; it must be whole minutes, at most 99 days")
    parts = (minutes // 1440, minutes // 60 % 24, minutes % 60)
    return bytes(part // 10 << 4 | part % 10 for part in parts)


def _asked(message: Message, dialect: Dialect) -> bytes:
    period = b""
    if message.period is not None:
        start, end = (wall_time(each, 4, dialect.offset) for each in (message.period.start, message.period.end))
        period = start + end + b"\x04\x18" + step_digits(message.period.step)
    return period + b"".join(bytes.fromhex(each) for each in message.wanted)


def _grouped(groups: Iterable[Group], dialect: Dialect) -> bytes:
    parts: list[bytes] = []
    station: str | None = None
    for group in groups:
        if group.station is not None and group.station != station:
            station = group.station
            category = b"" if group.category is None else bytes([group.category])
            parts += [b"\xf1\xf1", bytes.fromhex(station), category]
        if group.observed is not None:
            parts += [b"\xf0\xf0", wall_time(group.observed, 5, dialect.offset)]
        parts += [bytes.fromhex(each.id) + bytes([each.definition]) + each.raw for each in group.elements]
    return b"".join(parts)


def _told(message: Message) -> bytes:
    text = message.text.encode("gb18030")
    return (bytes([len(text)]) + text if text else b"") + b"".join(each.to_bytes(2, "big") for each in message.events)


def _words(groups: Iterable[Group], dialect: Dialect) -> Iterable[str]:
    station: str | None = None
    known = elements()
    for group in groups:
        if group.station is not None and group.station != station:
            station = group.station
            yield from ("ST", station)
            if group.category is not None:
                yield chr(group.category)
        if group.observed is not None:
            yield from ("TT", wall_time(group.observed, 5, dialect.offset).hex())
        for each in group.elements:
            if each.id != "04":
                yield known[each.id].symbol if each.id in known else each.id
            if each.raw:
                yield each.raw.decode("gb18030")


def element(
    identifier: str,
    values: Value | Sequence[Value],
    *,
    digits: int | None = None,
    decimals: int | None = None,
    form: Form = "hex",
    dialect: Dialect = STANDARD,
) -> Element:
    """An element to be sent, its numbers as N(digits, decimals), by default as the table declares them.

    identifier: hex digits, "39" or "FF92"; values: one, or several of equal periods; None is sent as invalid. F4 takes
    twelve depths of rain [mm], of which what is above 25.4 mm goes into the next five minutes; F5 to FC twelve levels
    [m] above their base. Raises BadInput where a value does not fit.

    >>> element("39", 10.49).raw.hex(), element("39", -0.345).raw.hex()
    ('00010490', 'ff00000345')
    """
    several: list[Value] = [values] if values is None or isinstance(values, int | float | str) else list(values)
    field = elements().get(identifier)
    wide, fine = _width(identifier, field, digits, decimals)
    kind = field.kind if field else "number"
    if kind in ("text", "picture"):
        raw, definition = _text(several), TEXT if kind == "text" else PICTURE
    elif kind == "series":
        raw = _rain(several) if identifier == "F4" else _levels(several, identifier, dialect)
        definition = (12 if identifier == "F4" else 24) << 3
    else:
        length = _length(kind, several, wide)
        raw = b"".join(_data(kind, each, length, fine, identifier) for each in several)
        definition = length << 3 | fine
    if form == "ascii":
        raw, definition = _spoken(kind, several, fine, raw, identifier), 0
    meaning = meaning_of(field, dialect.odd(identifier))
    return Element(
        id=identifier,
        definition=definition,
        raw=raw,
        values=tuple(several),
        times=(None,) * len(several),
        quantity=meaning.quantity,
        unit=meaning.unit,
        interval=meaning.interval,
    )


def parameter(identifier: str, value: float | str) -> Element:
    """A parameter of the configuration to be set: a number, or hex digits or a text where the table says so."""
    field = parameters().get(identifier)
    if field is None:
        raise BadInput(f"no parameter {identifier!r}; known: {', '.join(parameters())}")
    fine = field.decimals
    if field.kind == "hex":
        raw = _bytes(identifier, str(value))
    elif field.kind == "text":
        raw = str(value).encode("gb18030")
    elif field.kind == "order":
        raw = b""
    else:
        raw = _data("number", float(value), field.length, fine, identifier)
    if len(raw) > 31:
        raise BadInput(f"parameter {identifier} of {len(raw)} bytes; a definition byte can tell of 31")
    return Element(
        id=identifier, definition=len(raw) << 3 | fine, raw=raw, values=(value,), times=(None,), unit=field.unit
    )


def wanted(identifier: str, *, parameter: bool = False) -> str:
    """The identifier of an element or a parameter with the definition byte of the table, as queries name it."""
    field = (parameters() if parameter else elements()).get(identifier)
    if field is None:
        raise BadInput(f"no {'parameter' if parameter else 'element'} {identifier!r} in the table")
    return f"{identifier}{field.definition:02X}"


def in_packets(message: Message, size: int, dialect: Dialect = STANDARD) -> list[Message]:
    """The frames of a message whose body is too long for one: packets of `size` bytes, the last with its end mark."""
    body = body_of(message, dialect)
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    empty = msgspec.structs.replace(message, groups=(), text="", events=(), payload=b"", serial=None, sent=None)
    return [
        msgspec.structs.replace(
            empty,
            packet=Packet(len(parts), number),
            payload=part,
            end=message.end if number == len(parts) else ETB,
            serial=message.serial if number == 1 else None,
            sent=message.sent if number == 1 else None,
        )
        for number, part in enumerate(parts, 1)
    ]


def _bytes(identifier: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise BadInput(f"{identifier} takes hex digits, not {text!r}") from None


def _width(identifier: str, field: Field | None, digits: int | None, decimals: int | None) -> tuple[int, int]:
    if field is None and digits is None:
        raise BadInput(f"element {identifier} is not in the table; say how many digits and decimals it has")
    wide = digits if digits is not None else field.digits if field else 0
    fine = decimals if decimals is not None else field.decimals if field else 0
    if not 0 <= fine <= 7 or not 0 <= wide <= 62:
        raise BadInput(f"element {identifier} as N({wide},{fine}); at most 62 digits and 7 decimals can be declared")
    return wide, fine


def _length(kind: str, values: Sequence[Value], digits: int) -> int:
    """Bytes of each value; a minus takes one more."""
    minus = kind == "number" and any(isinstance(each, int | float) and each < 0 for each in values)
    return (digits + 1) // 2 + minus


def _data(kind: str, value: Value, length: int, decimals: int, identifier: str) -> bytes:
    if value is None:
        return b"\xff" * length
    if isinstance(value, str):
        raise BadInput(f"element {identifier} takes a number, not {value!r}")
    if kind == "step":
        return step_digits(round(value * 60))
    if kind == "state":
        return int(value).to_bytes(length, "big")
    whole = round(abs(value) * 10**decimals)
    digits = f"{whole:0{length * 2}d}" if value >= 0 else f"FF{whole:0{length * 2 - 2}d}"
    if len(digits) > length * 2:
        raise BadInput(f"{value} does not fit into element {identifier}: {length} bytes with {decimals} decimals")
    return bytes.fromhex(digits)


def _text(values: Sequence[Value]) -> bytes:
    return "".join(str(each) for each in values if each is not None).encode("gb18030")


def _twelve(values: Sequence[Value], identifier: str) -> list[float | None]:
    numbers = [each if each is None else float(each) for each in values]
    if len(numbers) != 12:
        raise BadInput(f"element {identifier} has twelve values, one for each five minutes, not {len(numbers)}")
    return numbers


def _rain(values: Sequence[Value]) -> bytes:
    """Tenths of a millimetre; more than a byte can hold is carried into the next five minutes."""
    told, carried = bytearray(), 0
    for each in _twelve(values, "F4"):
        tenths = carried if each is None else round(each * 10) + carried
        if tenths < 0:
            raise BadInput(f"rain of {each} mm in F4")
        carried = max(tenths - RAIN_LIMIT, 0)
        told.append(0xFF if each is None and not tenths else min(tenths, RAIN_LIMIT))
    if carried:
        raise BadInput(f"{carried / 10} mm of rain are left over after the hour of F4; send them with the next")
    return bytes(told)


def _levels(values: Sequence[Value], identifier: str, dialect: Dialect) -> bytes:
    which = int(identifier, 16) - 0xF5
    base = dialect.level_bases[which] if which < len(dialect.level_bases) else 0.0
    told = b""
    for each in _twelve(values, identifier):
        word = 0xFFFF if each is None else round((each - base) * 100)
        if not 0 <= word <= 0xFFFF or (each is not None and word == 0xFFFF):
            raise BadInput(f"level {each} m is not between its base {base} m and 655.34 m above it")
        told += word.to_bytes(2, "big")
    return told


def _spoken(kind: str, values: Sequence[Value], decimals: int, raw: bytes, identifier: str) -> bytes:
    """The same in words."""
    if kind == "text":
        return raw
    if kind in ("series", "state", "picture"):
        return raw.hex().upper().encode()
    if kind == "step":
        minutes = round(float(values[0] or 0))
        count, unit = next(
            (minutes // each, name) for each, name in ((1440, "D"), (60, "H"), (1, "N")) if not minutes % each
        )
        if count > 99:
            raise BadInput(f"element {identifier}: a step of {minutes} min has no two-digit code")
        return f"DR{unit}{count:02d}".encode()
    return " ".join("F" * 8 if each is None else f"{float(each):.{decimals}f}" for each in values).encode()
