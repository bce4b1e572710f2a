"""One logger's line to the embedded broker: what it says and what it is told."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Protocol

from liuyu.monitor.sense.mqtt.packets import (
    CONNECT,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBACK,
    PUBCOMP,
    PUBLISH,
    PUBREC,
    PUBREL,
    SUBACK,
    SUBSCRIBE,
    UNSUBACK,
    UNSUBSCRIBE,
    Connect,
    Packet,
    Publish,
    Reader,
    Unspeakable,
    connack,
    is_filter,
    matches,
    number_of,
    numbered,
    packet,
    publish,
    read_connect,
    read_filters,
    read_publish,
)

LARGEST = 512 << 10  # bytes of a packet
AT_ONCE = 1000  # unconfirmed messages that a client of version 5 may have
PATIENCE = 10.0  # [s] for the first packet
_BACKLOG = 1 << 20  # bytes that a client may leave unread
_FILTERS = 100


class House(Protocol):
    """What a line asks of its broker."""

    async def admit(self, line: Line, said: Connect) -> str:
        """Why a client is refused (see `connack`), empty where it is welcome."""
        ...

    def welcome(self, line: Line) -> None:
        """A client has been admitted."""
        ...

    def heard(self, line: Line, message: Publish) -> None:
        """A client has sent a message."""
        ...

    def gone(self, line: Line, will: Publish | None) -> None:
        """A line is closed; `will` is what the client wanted to be said."""
        ...

    def count(self, name: str) -> None:
        """Something happened."""
        ...


class Line(asyncio.Protocol):
    """A connection. `client` is its name once it is admitted; `quiet` says whether it has been left unread."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._reader = Reader(LARGEST)
        self._packets: deque[Packet] = deque()
        self._transport: asyncio.Transport | None = None
        self._said: Connect | None = None
        self._checking: asyncio.Task[None] | None = None
        self._unreleased: set[int] = set()
        self._left_politely = False
        self.filters: list[str] = []
        self.client = ""
        self.deadline = asyncio.get_running_loop().time() + PATIENCE

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._house.count("connections")

    def data_received(self, data: bytes) -> None:
        """Take in what came."""
        try:
            self._packets.extend(self._reader.feed(data))
            self._work()
        except Unspeakable:
            self._house.count("unspeakable")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone."""
        self._transport = None
        if self._checking is not None:
            self._checking.cancel()
        will = self._said.will if self._said is not None and self.client and not self._left_politely else None
        self._house.gone(self, will)

    def close(self) -> None:
        """Cut the line."""
        if self._transport is not None:
            self._transport.close()

    def pause(self, still: bool) -> None:
        """Leave the line unread, or read it again."""
        if self._transport is None or self._transport.is_closing():
            return
        if still:
            self._transport.pause_reading()
        elif self._checking is None:
            self._transport.resume_reading()

    def send(self, message: Publish) -> None:
        """Pass a message on, unless the client does not take what it was sent."""
        if self._transport is not None and self._transport.get_write_buffer_size() < _BACKLOG and self._said:
            self._transport.write(publish(message, self._said.level))

    def wants(self, topic: str) -> bool:
        """Whether the client has subscribed to a topic."""
        return any(matches(each, topic) for each in self.filters)

    def confirm(self, message: Publish) -> None:
        """Tell the client that a message is durable."""
        if message.qos:
            self._write(numbered(PUBACK if message.qos == 1 else PUBREC, message.packet))

    def _work(self) -> None:
        while self._packets and self._checking is None and self._transport is not None:
            each = self._packets.popleft()
            if self._said is None:
                self._begin(each)
            else:
                self._answer(each, self._said.level)
        if self._said is not None and self.client:
            alive = self._said.keep_alive * 1.5 if self._said.keep_alive else 86400.0
            self.deadline = asyncio.get_running_loop().time() + alive

    def _begin(self, first: Packet) -> None:
        if first.kind != CONNECT:
            raise Unspeakable("the first packet is not CONNECT")
        try:
            self._said = read_connect(first.body)
        except Unspeakable:
            self._write(connack(4, "version"))
            raise
        self.pause(True)
        self._checking = asyncio.create_task(self._admit(self._said))

    async def _admit(self, said: Connect) -> None:
        refused = await self._house.admit(self, said)
        self._checking = None
        if refused:
            self._house.count("refused")
            self._write(connack(said.level, refused))
            self.close()
            return
        made = "" if said.client else f"liuyu-{id(self):x}"
        self.client = said.client or made
        self._house.welcome(self)
        self._write(connack(said.level, client=made, largest=LARGEST, at_once=AT_ONCE))
        try:
            self._work()
        except Unspeakable:
            self._house.count("unspeakable")
            self.close()

    def _answer(self, each: Packet, level: int) -> None:
        if each.kind == PUBLISH:
            self._hear(read_publish(each, level))
        elif each.kind == PUBREL:
            self._unreleased.discard(number_of(each))
            self._write(numbered(PUBCOMP, number_of(each)))
        elif each.kind == PINGREQ:
            self._write(packet(PINGRESP))
        elif each.kind == SUBSCRIBE:
            self._subscribe(each, level)
        elif each.kind == UNSUBSCRIBE:
            number, filters = read_filters(each, level)
            known = bytes(0 if one in self.filters else 17 for one in filters)
            self.filters = [one for one in self.filters if one not in filters]
            self._write(numbered(UNSUBACK, number, known, level))
        elif each.kind == DISCONNECT:
            self._left_politely = not each.body or each.body[0] == 0
            self.close()
        elif each.kind not in (PUBACK, PUBREC, PUBCOMP):
            raise Unspeakable(f"a packet of kind {each.kind} is not for a server")

    def _hear(self, message: Publish) -> None:
        """Take in a message; the second of a number that the client has not released is the first again (4.3.3)."""
        if message.qos == 2:
            if message.packet in self._unreleased:
                return
            self._unreleased.add(message.packet)
        self._house.heard(self, message)

    def _subscribe(self, each: Packet, level: int) -> None:
        """Grant quality 0 to what is a filter."""
        number, filters = read_filters(each, level)
        granted = bytearray()
        for one in filters:
            sound = is_filter(one) and len(self.filters) < _FILTERS and not one.startswith("$share/")
            granted.append(0 if sound else 0x80)
            if sound and one not in self.filters:
                self.filters.append(one)
        self._write(numbered(SUBACK, number, bytes(granted), level))

    def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        with suppress(OSError):
            self._transport.write(data)
        if self._transport.get_write_buffer_size() > _BACKLOG:
            self._transport.abort()
