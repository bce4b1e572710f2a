"""The frame around a body, in both forms: where it begins and ends, to whom it goes, and whether it arrived whole.

Up:   7E7E | centre 1 | station 5 | password 2 | function 1 | 0LLL 2 | 02 or 16 | body LLL | end mark 1 | check 2
Down: 7E7E | station 5 | centre 1 | ... | 8LLL 2 | ...
The ASCII form begins with 01, writes every other byte of the frame's head and check as two hex digits, and counts the
body by characters. SL 651-2014, 6.4 and 6.5.
"""

from __future__ import annotations

from typing import NamedTuple

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.messages import ENDS, STX, SYN, Direction, Form, Reason, Refusal

LONGEST_BODY = 4095


class Envelope(NamedTuple):
    """A frame that arrived whole, its body unread."""

    form: Form
    direction: Direction
    centre: int
    station: str
    password: str
    function: int
    start: int
    body: bytes
    end: int
    trailing: bool = False


class _Layout(NamedTuple):
    """Sizes of the parts in one form: of the whole head, of what stands before its addresses, of the check code."""

    form: Form
    head: int
    soh: int
    check: int


HEX, ASCII = _Layout("hex", 14, 2, 2), _Layout("ascii", 24, 1, 4)


def open_frame(frame: bytes) -> Envelope | Refusal:
    """Check a frame and take its body out. Nothing is taken from a frame whose length or check code is wrong."""
    layout = HEX if frame[:2] == b"\x7e\x7e" else ASCII if frame[:1] == b"\x01" else None
    if layout is None:
        return Refusal(
            reason="start", detail=f"begins with {frame[:2].hex().upper() or 'nothing'}, not with 7E7E or 01"
        )
    if len(frame) < layout.head:
        return Refusal(reason="short", detail=f"{len(frame)} bytes do not hold a head of {layout.head}")
    try:
        head = frame[2:13] if layout is HEX else bytes.fromhex(frame[1:23].decode("ascii"))
    except ValueError:
        return Refusal(reason="text", detail="the head is not hex digits")
    if len(head) != 11:
        return Refusal(reason="text", detail="the head is not 22 hex digits")
    return _checked(frame, layout, head)


def _checked(frame: bytes, layout: _Layout, head: bytes) -> Envelope | Refusal:
    way, size = head[9] >> 4, (head[9] & 15) << 8 | head[10]
    up = way == 0
    station, mark = (head[1:6] if up else head[0:5]).hex().upper(), frame[layout.head - 1]
    last = layout.head + size
    whole = last + 1 + layout.check
    right, fault = False, ""
    reason: Reason = "direction"
    if way not in (0, 8):
        fault = f"its mark is {way:X}H, neither 0 for up nor 8 for down"
    elif mark not in (STX, SYN):
        reason, fault = "mark", f"its body begins with {mark:02X}H, not with 02 or 16"
    elif size == 0 or len(frame) < whole:
        there = max(len(frame) - layout.head - 1 - layout.check, 0)
        reason, fault = "length", f"declares {size} bytes of body and holds {there}"
    else:
        reason, fault, right = _fault(frame, layout, last, whole)
    if fault:
        return Refusal(reason=reason, detail=fault, crc_ok=right, station=station, function=head[8])
    return Envelope(
        form=layout.form,
        direction="up" if up else "down",
        centre=head[0] if up else head[5],
        station=station,
        password=head[6:8].hex().upper(),
        function=head[8],
        start=mark,
        body=frame[layout.head : last],
        end=frame[last],
        trailing=len(frame) > whole,
    )


def _fault(frame: bytes, layout: _Layout, last: int, whole: int) -> tuple[Reason, str, bool]:
    """What is wrong behind the body, if anything is, and whether the check code holds."""
    code = frame[last + 1 : whole]
    found = crc16(frame[: last + 1])
    right = code == found.to_bytes(2, "big") if layout is HEX else code.upper() == f"{found:04X}".encode()
    beyond = frame[whole:]
    if frame[last] not in ENDS:
        return "mark", f"its body ends with {frame[last]:02X}H, no end mark", right
    if not right:
        declared = f"; it declares {last - layout.head} bytes of body and holds {len(beyond)} more" if beyond else ""
        sent = code.hex().upper() if layout is HEX else code.decode("ascii", "replace")
        return "crc", f"the check code is {sent} and should be {found:04X}{declared}", False
    if beyond.strip(b"\x7e"):
        return "length", f"{len(beyond)} bytes stand behind its end", True
    return "crc", "", True


def build_frame(envelope: Envelope) -> bytes:
    """A frame around a body. Raises BadInput where a part does not fit."""
    if not 0 < len(envelope.body) <= LONGEST_BODY:
        raise BadInput(f"a body of {len(envelope.body)} bytes; a frame holds 1 to {LONGEST_BODY}: send several packets")
    if not 0 <= envelope.centre <= 255 or not 0 <= envelope.function <= 255:
        raise BadInput(f"centre {envelope.centre} and function {envelope.function} must fit into a byte")
    if envelope.end not in ENDS or envelope.start not in (STX, SYN):
        raise BadInput(f"start mark {envelope.start:02X}H and end mark {envelope.end:02X}H: one is no mark")
    addresses = [bytes([envelope.centre]), _digits("station", envelope.station, 10)]
    up = envelope.direction == "up"
    size = len(envelope.body) | (0 if up else 0x8000)
    head = b"".join(addresses if up else addresses[::-1]) + _digits("password", envelope.password, 4)
    head += bytes([envelope.function]) + size.to_bytes(2, "big")
    form = HEX if envelope.form == "hex" else ASCII
    opening = b"\x7e\x7e" + head if form is HEX else b"\x01" + head.hex().upper().encode()
    frame = opening + bytes([envelope.start]) + envelope.body + bytes([envelope.end])
    check = crc16(frame)
    return frame + (check.to_bytes(2, "big") if form is HEX else f"{check:04X}".encode())


def _digits(name: str, text: str, count: int) -> bytes:
    try:
        found = bytes.fromhex(text)
    except ValueError:
        found = b""
    if len(text) != count or len(found) * 2 != count:
        raise BadInput(f"{name} {text!r} is not {count} hex digits")
    return found
