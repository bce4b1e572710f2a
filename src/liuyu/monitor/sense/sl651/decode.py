"""From the bytes of a frame to a message: the frame is checked, then its body read by its function and direction."""

from __future__ import annotations

from typing import Any

from liuyu.monitor.sense.sl651 import text_form
from liuyu.monitor.sense.sl651.body import Reader, plain
from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect, Dialects
from liuyu.monitor.sense.sl651.digits import NO_TIME, PLAUSIBLE, step_of, time_of
from liuyu.monitor.sense.sl651.frame import Envelope, open_frame
from liuyu.monitor.sense.sl651.messages import STX, SYN, Message, Packet, Period, Refusal
from liuyu.monitor.sense.sl651.tables import function

DAY = 86400


def decode(frame: bytes, dialect: Dialect | Dialects = STANDARD, now: int | None = None) -> Message | Refusal:
    """What a frame says, or why it is not taken. Never raises, whatever the bytes are.

    frame: from its start mark to its check code; 7EH behind it is passed over. now: the centre's clock [s UTC]; with
    it a clock that is off by more than a day is remarked, without it only one that no one ever set.

    >>> said = decode(bytes.fromhex("7E7E01001234567812342F0008020003591011155111036BCA"))
    >>> said.station, said.serial, said.remarks
    ('0012345678', 3, ('clock',))
    """
    envelope = open_frame(frame)
    if isinstance(envelope, Refusal):
        return envelope
    if isinstance(dialect, Dialects):
        dialect = dialect.of(envelope.station)
    remarks = ["trailing"] if envelope.trailing else []
    if dialect.password is not None and dialect.password != envelope.password:
        remarks.append("password")
    return _read(envelope, dialect, now, remarks)


def join_packets(
    first: Message, body: bytes, end: int, dialect: Dialect | Dialects = STANDARD, now: int | None = None
) -> Message:
    """The message whose body came in packets, `first` before all others; `end` is the end mark of the last."""
    if isinstance(dialect, Dialects):
        dialect = dialect.of(first.station)
    envelope = Envelope(
        form=first.form,
        direction=first.direction,
        centre=first.centre,
        station=first.station,
        password=first.password,
        function=first.function,
        start=STX,
        body=body,
        end=end,
    )
    return _read(envelope, dialect, now, [])


def _read(envelope: Envelope, dialect: Dialect, now: int | None, remarks: list[str]) -> Message:
    facts: dict[str, Any] = {}
    body, packet = envelope.body, None
    if envelope.start == SYN:
        packet, body = _packet(envelope)
    headed = packet is None or packet.number == 1 or envelope.direction == "down"
    sent = None
    if headed:
        serial, sent, rest = _head(envelope, body, dialect, remarks)
        facts = {"serial": serial, "sent": sent}
    if packet is not None:
        facts |= {"packet": packet, "payload": rest if headed and envelope.direction == "down" else body}
    else:
        facts |= _body(envelope, rest, dialect, sent, remarks)
    if sent is not None and _wrong(sent, now):
        remarks.append("clock")
    return Message(
        form=envelope.form,
        direction=envelope.direction,
        centre=envelope.centre,
        station=envelope.station,
        password=envelope.password,
        function=envelope.function,
        end=envelope.end,
        remarks=tuple(dict.fromkeys(remarks)),
        **facts,
    )


def _packet(envelope: Envelope) -> tuple[Packet, bytes]:
    """The place of a packet: twelve bits for the number of all, twelve for its own."""
    size = 3 if envelope.form == "hex" else 6
    head, rest = envelope.body[:size], envelope.body[size:]
    both = int.from_bytes(head, "big") if envelope.form == "hex" else text_form.number(head)
    return Packet(both >> 12, both & 0xFFF), rest


def _head(
    envelope: Envelope, body: bytes, dialect: Dialect, remarks: list[str]
) -> tuple[int | None, int | None, bytes]:
    """Serial number, time of sending [s UTC], and what follows."""
    if envelope.form == "ascii":
        whole, body = body, text_form.packed(body[:16])
        rest = whole[16:]
    else:
        rest = body[8:]
    if len(body) < 8:
        remarks.append("short")
        return None, None, b""
    wall = time_of(body, 2, 6)
    if wall == NO_TIME:
        remarks.append("time")
    return int.from_bytes(body[:2], "big"), None if wall == NO_TIME else wall - dialect.offset, rest


def _wrong(sent: int, now: int | None) -> bool:
    return not PLAUSIBLE[0] <= sent < PLAUSIBLE[1] or (now is not None and abs(sent - now) > DAY)


def _body(envelope: Envelope, rest: bytes, dialect: Dialect, sent: int | None, remarks: list[str]) -> dict[str, Any]:
    what = function(envelope.function)
    kind = what.up if envelope.direction == "up" else what.down
    if envelope.form == "ascii":
        return text_form.read_body(rest, dialect, sent, kind, remarks)
    if kind == "none" or not rest:
        return {"payload": rest}
    if kind in ("period", "elements"):
        return _asked(rest, dialect, kind, remarks)
    if kind in ("version", "events", "control"):
        reader = Reader(rest, dialect, sent, kind).station_only()
        return {"groups": tuple(reader.groups), **_plain(reader.leftover, kind)}
    reader = Reader(rest, dialect, sent, kind).read()
    remarks.extend(reader.remarks)
    return {"groups": tuple(reader.groups), "payload": reader.leftover}


def _plain(rest: bytes, kind: str) -> dict[str, Any]:
    """A version text with its length before it, or sixteen-bit counts of events."""
    if kind == "version" and rest and rest[0] == len(rest) - 1:
        return {"text": plain(rest[1:])}
    if kind == "events" and rest and len(rest) % 2 == 0:
        return {"events": tuple(int.from_bytes(rest[at : at + 2], "big") for at in range(0, len(rest), 2))}
    return {"payload": rest}


def _asked(rest: bytes, dialect: Dialect, kind: str, remarks: list[str]) -> dict[str, Any]:
    """A query: a period with its step, and the identifiers of what is wanted."""
    facts: dict[str, Any] = {}
    if kind == "period":
        if len(rest) < 13 or rest[8:10] != b"\x04\x18":
            return {"payload": rest}
        start, end = time_of(rest, 0, 4), time_of(rest, 4, 4)
        if NO_TIME in (start, end):
            remarks.append("time")
            return {"payload": rest}
        offset = dialect.offset
        facts["period"] = Period(start=start - offset, end=end - offset, step=step_of(rest, 10))
        rest = rest[13:]
    wanted = []
    while rest:
        size = 3 if rest[0] == 0xFF else 2
        wanted.append(rest[:size].hex().upper())
        rest = rest[size:]
    return {**facts, "wanted": tuple(wanted)}
