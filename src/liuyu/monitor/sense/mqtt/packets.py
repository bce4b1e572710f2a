"""The packets of MQTT 3.1.1 and 5, as far as a receiver of observations and a logger need them: bytes to packets, back.

Source: OASIS, MQTT Version 3.1.1 (2014) and MQTT Version 5.0 (2019). Properties of version 5 are read over; the server
announces what it does without (retained messages, subscription identifiers, shared subscriptions).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from liuyu.basin.errors import BadInput

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = range(1, 8)
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = range(8, 15)
_FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
_LEVELS = {("MQIsdp", 3): 3, ("MQTT", 4): 4, ("MQTT", 5): 5}
_NUMBER = struct.Struct(">H")
_RECEIVE_MAXIMUM, _LARGEST_PACKET = 0x21, 0x27


class Packet(NamedTuple):
    """A packet as it stands on the line: its kind, the four flags, and what follows the fixed header."""

    kind: int
    flags: int
    body: bytes


class Connect(NamedTuple):
    """Who wants to talk, in which version (3, 4 for 3.1.1, 5), and what is to be said when the line breaks."""

    level: int
    client: str
    clean: bool
    keep_alive: int
    user: str | None
    password: bytes | None
    will: Publish | None


class Publish(NamedTuple):
    """A message. `packet` is its number on this line, 0 where qos is 0."""

    topic: str
    payload: bytes
    qos: int = 0
    packet: int = 0
    retain: bool = False
    again: bool = False


class Unspeakable(BadInput):
    """Bytes that are no MQTT, or not what MQTT allows; the line they came on must be cut."""


class Reader:
    """Cuts a stream of bytes into packets. Raises Unspeakable where a packet is larger than `largest` bytes."""

    def __init__(self, largest: int) -> None:
        self._largest, self._buffer = largest, bytearray()

    def feed(self, data: bytes) -> Iterator[Packet]:
        """The packets that are whole now."""
        self._buffer += data
        start = 0
        try:
            while (found := self._next(start)) is not None:
                packet, start = found
                yield packet
        finally:
            del self._buffer[:start]

    def _next(self, start: int) -> tuple[Packet, int] | None:
        length, shift, at = 0, 0, start + 1
        while True:
            if at >= len(self._buffer):
                return None
            digit = self._buffer[at]
            length |= (digit & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not digit & 0x80:
                break
            if shift > 21:
                raise Unspeakable("a packet's length takes more than four bytes; this is no MQTT")
        if length > self._largest:
            raise Unspeakable(f"a packet of {length} bytes is larger than {self._largest}; send smaller batches")
        if at + length > len(self._buffer):
            return None
        first = self._buffer[start]
        return Packet(first >> 4, first & 15, bytes(self._buffer[at : at + length])), at + length


class Body:
    """Reads the parts of a packet's body in turn. Raises Unspeakable where it is cut short."""

    def __init__(self, body: bytes) -> None:
        self._body, self.at = body, 0

    def byte(self) -> int:
        """One byte."""
        return self._cut(1)[0]

    def number(self) -> int:
        """Two bytes."""
        return int(_NUMBER.unpack(self._cut(2))[0])

    def binary(self) -> bytes:
        """Bytes behind their length."""
        return self._cut(self.number())

    def text(self) -> str:
        """UTF-8 behind its length; NUL is not allowed in it."""
        try:
            text = self.binary().decode()
        except UnicodeDecodeError:
            raise Unspeakable("a text is not UTF-8; this is no MQTT") from None
        if "\0" in text:
            raise Unspeakable("a text holds NUL; MQTT forbids it")
        return text

    def skip_properties(self, level: int) -> None:
        """Read over the properties that version 5 has here."""
        if level < 5:
            return
        length = shift = 0
        while True:
            digit = self.byte()
            length |= (digit & 0x7F) << shift
            shift += 7
            if not digit & 0x80:
                break
        self._cut(length)

    def rest(self) -> bytes:
        """All that follows."""
        return self._cut(len(self._body) - self.at)

    @property
    def left(self) -> int:
        """Bytes that follow."""
        return len(self._body) - self.at

    def _cut(self, length: int) -> bytes:
        part = self._body[self.at : self.at + length]
        if len(part) < length:
            raise Unspeakable("a packet ends before its fields do; this is no MQTT")
        self.at += length
        return part


def read_connect(body: bytes) -> Connect:
    """CONNECT (3.1). Raises Unspeakable."""
    fields = Body(body)
    name, number = fields.text(), fields.byte()
    level = _LEVELS.get((name, number))
    if level is None:
        raise Unspeakable(f"protocol {name!r} of level {number} is not spoken here; use MQTT 3.1.1 or 5")
    flags, keep_alive = fields.byte(), fields.number()
    if flags & 1 or (flags >> 3 & 3) == 3:
        raise Unspeakable("CONNECT has flags that MQTT forbids")
    fields.skip_properties(level)
    client, will = fields.text(), None
    if flags & 4:
        fields.skip_properties(level)
        will = Publish(fields.text(), fields.binary(), flags >> 3 & 3, 0, bool(flags & 32))
    user = fields.text() if flags & 128 else None
    password = fields.binary() if flags & 64 else None
    return Connect(level, client, bool(flags & 2), keep_alive, user, password, will)


def read_publish(packet: Packet, level: int) -> Publish:
    """PUBLISH (3.3). Raises Unspeakable for a topic with wildcards or none, or two bits of quality."""
    fields, qos = Body(packet.body), packet.flags >> 1 & 3
    topic = fields.text()
    if qos == 3 or not topic or "+" in topic or "#" in topic:
        raise Unspeakable(f"a message to topic {topic!r} with quality {qos} is not allowed in MQTT")
    number = fields.number() if qos else 0
    if qos and not number:
        raise Unspeakable("a message of quality 1 or 2 has no number; MQTT demands one")
    fields.skip_properties(level)
    return Publish(topic, fields.rest(), qos, number, bool(packet.flags & 1), bool(packet.flags & 8))


def read_filters(packet: Packet, level: int) -> tuple[int, list[str]]:
    """SUBSCRIBE (3.8) or UNSUBSCRIBE (3.10): its number and the filters. Raises Unspeakable."""
    fields = Body(packet.body)
    number, filters = fields.number(), []
    fields.skip_properties(level)
    while fields.left:
        filters.append(fields.text())
        if packet.kind == SUBSCRIBE:
            fields.byte()
    if not filters:
        raise Unspeakable("a subscription names no topic; MQTT demands one")
    return number, filters


def packet(kind: int, body: bytes = b"", flags: int | None = None) -> bytes:
    """A packet as bytes."""
    length, digits = len(body), bytearray()
    while True:
        length, digit = length >> 7, length & 0x7F
        digits.append(digit | (0x80 if length else 0))
        if not length:
            break
    return bytes([kind << 4 | (_FLAGS.get(kind, 0) if flags is None else flags)]) + bytes(digits) + body


def text(value: str) -> bytes:
    """UTF-8 behind its length."""
    return binary(value.encode())


def binary(value: bytes) -> bytes:
    """Bytes behind their length."""
    return _NUMBER.pack(len(value)) + value


def numbered(kind: int, number: int, codes: bytes = b"", level: int = 4) -> bytes:
    """PUBACK and its kin, SUBACK and UNSUBACK: the number that is answered, then codes."""
    if kind == UNSUBACK and level < 5:
        codes = b""
    properties = b"\0" if level == 5 and kind in (SUBACK, UNSUBACK) else b""
    return packet(kind, _NUMBER.pack(number) + properties + codes)


def number_of(packet: Packet) -> int:
    """The number that PUBACK and its kin answer."""
    return Body(packet.body).number()


def publish(message: Publish, level: int = 4) -> bytes:
    """PUBLISH."""
    flags = message.retain | message.qos << 1 | message.again << 3
    number = _NUMBER.pack(message.packet) if message.qos else b""
    properties = b"\0" if level == 5 else b""
    return packet(PUBLISH, text(message.topic) + number + properties + message.payload, flags)


def connect(client: str, *, clean: bool = True, keep_alive: int = 60, user: str = "", password: str = "") -> bytes:
    """CONNECT of version 3.1.1."""
    flags = clean << 1 | bool(user) << 7 | bool(password) << 6
    body = text("MQTT") + bytes([4, flags]) + _NUMBER.pack(keep_alive) + text(client)
    body += (text(user) if user else b"") + (text(password) if password else b"")
    return packet(CONNECT, body)


def subscribe(number: int, filters: Sequence[str], qos: int) -> bytes:
    """SUBSCRIBE of version 3.1.1."""
    return packet(SUBSCRIBE, _NUMBER.pack(number) + b"".join(text(each) + bytes([qos]) for each in filters))


def connack(level: int, refused: str = "", *, client: str = "", largest: int = 0, at_once: int = 0) -> bytes:
    """CONNACK: accepted, or refused as "version", "name" (of the client), "password" or "busy".

    Version 5 is told what the server does without, the client's new name, and how much it may send at once.
    """
    codes = {"": 0, "version": 1, "name": 2, "busy": 3, "password": 5}
    newer = {"": 0, "version": 0x84, "name": 0x85, "busy": 0x89, "password": 0x87}
    if level < 5:
        return packet(CONNACK, bytes([0, codes[refused]]))
    told = b""
    if not refused:
        told = b"\x11\0\0\0\0" + b"\x25\0\x29\0\x2a\0"
        told += bytes([_RECEIVE_MAXIMUM]) + _NUMBER.pack(at_once)
        told += bytes([_LARGEST_PACKET]) + struct.pack(">I", largest)
        told += b"\x12" + text(client) if client else b""
    return packet(CONNACK, bytes([0, newer[refused], len(told)]) + told)


def matches(wanted: str, topic: str) -> bool:
    """Whether a filter takes in a topic (4.7).

    >>> matches("liuyu/+/60112200/#", "liuyu/yangtze/60112200/water_level")
    True
    """
    if topic.startswith("$") and not wanted.startswith("$"):
        return False
    ours, theirs = wanted.split("/"), topic.split("/")
    for place, level in enumerate(ours):
        if level == "#":
            return True
        if place >= len(theirs) or level not in ("+", theirs[place]):
            return False
    return len(ours) == len(theirs)


def is_filter(wanted: str) -> bool:
    """Whether a text is a filter: wildcards alone on their level, `#` on the last."""
    levels = wanted.split("/")
    sound = all(level in ("+", "#") or not ("+" in level or "#" in level) for level in levels)
    return bool(wanted) and sound and "#" not in levels[:-1]
