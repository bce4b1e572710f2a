"""The frame: 68 L 68 | C | (DIVS) | A 5 | AFN | data | check | 16. L counts from C to the end of the data.

The check is CRC-8 of X7 + X6 + X5 + X2 + 1 (E5H), begun with 0, over what L counts.
"""

from __future__ import annotations

from typing import NamedTuple

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.szy206.messages import Reason, Refusal

START, END, HEAD = 0x68, 0x16, 7


def _table() -> bytes:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value << 1 ^ (0xE5 if value & 0x80 else 0)) & 0xFF
        table.append(value)
    return bytes(table)


_TABLE = _table()


def crc8(data: bytes) -> int:
    """The check of some bytes.

    >>> hex(crc8(bytes([0, 1, 2])))
    '0xa6'
    """
    value = 0
    for byte in data:
        value = _TABLE[value ^ byte]
    return value


class Envelope(NamedTuple):
    """A frame that arrived whole, its data unread."""

    control: int
    part: int | None
    station: str
    function: int
    data: bytes
    trailing: bool = False


def open_frame(frame: bytes) -> Envelope | Refusal:
    """Check a frame and take its data out. Nothing is taken from a frame whose length or check is wrong."""
    if frame[:1] != b"\x68" or (len(frame) > 2 and frame[2] != START):
        return Refusal(reason="start", detail=f"begins with {frame[:3].hex().upper() or 'nothing'}, not with 68 L 68")
    if len(frame) < 5 + HEAD:
        return Refusal(reason="short", detail=f"{len(frame)} bytes; the shortest frame has {5 + HEAD}")
    body = frame[3 : 3 + frame[1]]
    divided = 1 if body[:1] and body[0] & 0x40 else 0
    station, function = body[1 + divided : 6 + divided].hex().upper(), (body[6 + divided :] or b"\0")[0]
    reason, fault, right = _fault(frame, frame[1], divided)
    if fault:
        return Refusal(reason=reason, detail=fault, crc_ok=right, station=station, function=function)
    part = body[1] if divided else None
    return Envelope(body[0], part, station, function, body[7 + divided :], len(frame) > frame[1] + 5)


def _fault(frame: bytes, size: int, divided: int) -> tuple[Reason, str, bool]:
    """What is wrong with a frame, if anything is, and whether the check holds."""
    if len(frame) < size + 5 or size < HEAD + divided:
        return "length", f"declares {size} bytes and holds {len(frame) - 5}", False
    check, beyond = crc8(frame[3 : 3 + size]), frame[size + 5 :]
    right = frame[size + 3] == check
    if frame[size + 4] != END:
        return "end", f"ends with {frame[size + 4]:02X}H where its length says, not with 16H", right
    if not right:
        return "crc", f"the check is {frame[size + 3]:02X} and should be {check:02X}", False
    if beyond.strip(b"\x00\xff\x7e"):
        return "length", f"{len(beyond)} bytes stand behind its end", True
    return "crc", "", True


def build_frame(envelope: Envelope) -> bytes:
    """A frame around some data. Raises BadInput where a part does not fit."""
    try:
        address = bytes.fromhex(envelope.station)
    except ValueError:
        address = b""
    if len(address) != 5 or len(envelope.station) != 10:
        raise BadInput(f"station {envelope.station!r} is not ten hex digits")
    if (envelope.part is not None) != bool(envelope.control & 0x40):
        raise BadInput(f"part {envelope.part} and control byte {envelope.control:02X}H do not agree on division")
    head = bytes([envelope.control]) + (b"" if envelope.part is None else bytes([envelope.part]))
    body = head + address + bytes([envelope.function]) + envelope.data
    if len(body) > 255:
        raise BadInput(f"{len(envelope.data)} bytes of data; a frame holds {255 - HEAD}: divide the message")
    return bytes([START, len(body), START]) + body + bytes([crc8(body), END])


class Framer:
    """Cuts a stream into frames and the noise between them, however it is chunked. At most 260 bytes wait for more.

    >>> frame = bytes.fromhex("681A68B35303810D00C00059000000826110000001106000004508090A3516")
    >>> [whole for data, whole in Framer().feed(bytes([0x68]) + frame)]
    [False, True]
    """

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def waiting(self) -> int:
        """Bytes kept until more arrive."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[tuple[bytes, bool]]:
        """Take the next bytes; the pieces that are certain now, and whether each is a frame."""
        self._buffer += chunk
        return self._cut(closing=False)

    def close(self) -> list[tuple[bytes, bool]]:
        """The stream has ended; the pieces that are left."""
        return self._cut(closing=True)

    def _cut(self, *, closing: bool) -> list[tuple[bytes, bool]]:
        buffer, place, at, found = self._buffer, 0, 0, []
        keep: int | None = None
        while (at := buffer.find(START, at)) >= 0:
            size = buffer[at + 1] + 5 if at + 1 < len(buffer) else 5 + HEAD
            sound = at + 2 >= len(buffer) or (buffer[at + 2] == START and size >= 5 + HEAD)
            if sound and at + size > len(buffer):
                keep = at if keep is None else keep
            elif (
                sound and buffer[at + size - 1] == END and crc8(buffer[at + 3 : at + size - 2]) == buffer[at + size - 2]
            ):
                if at > place:
                    found.append((buffer[place:at], False))
                found.append((buffer[at : at + size], True))
                place, keep = at + size, None
                at = place
                continue
            at += 1
        stop = len(buffer) if closing or keep is None else keep
        if stop > place:
            found.append((buffer[place:stop], False))
        self._buffer = buffer[stop:]
        return found
