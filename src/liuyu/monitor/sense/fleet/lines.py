"""The station's end of a way to the centre: a connection, or datagrams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, cast

from liuyu.monitor.sense.sl651 import Framer, Message, decode

Over = Literal["tcp", "udp"]
Heard = Callable[[Message], None]


class Line(asyncio.Protocol, asyncio.DatagramProtocol):
    """Hands on every message of the centre. `over` is what it goes over; whoever opens it says so."""

    def __init__(self, heard: Heard) -> None:
        self._heard, self._framer = heard, Framer()
        self.transport: asyncio.Transport | None = None
        self.over: Over = "tcp"

    @property
    def open(self) -> bool:
        """Whether something can be sent."""
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The line stands."""
        self.transport = cast(asyncio.Transport, transport)

    def write(self, frame: bytes) -> None:
        """Send a frame, or let it be where the line is gone."""
        if self.transport is None or self.transport.is_closing():
            return
        if self.over == "udp":
            cast(Any, self.transport).sendto(frame)
        else:
            self.transport.write(frame)

    def close(self) -> None:
        """Hang up."""
        if self.transport is not None:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Part of what the centre says."""
        for piece in self._framer.feed(data):
            said = decode(piece.data) if piece.whole else None
            if isinstance(said, Message) and said.direction == "down":
                self._heard(said)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A datagram of the centre, which is a stream of its own."""
        self._framer = Framer()
        self.data_received(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there now; what is not confirmed is sent again."""

    def connection_lost(self, exc: Exception | None) -> None:
        """The line is gone."""
        self.transport = None
