"""The ways to a station: a TCP connection, or an address that datagrams came from."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol, cast

from liuyu.monitor.sense.sl651 import Framer, Piece
from liuyu.monitor.sense.stations.received import Limits


class Link(Protocol):
    """Where an answer goes. `waiting` counts the frames of this way that are not durable yet."""

    name: str
    waiting: int

    @property
    def open(self) -> bool:
        """Whether an answer can still be sent."""
        ...

    def send(self, data: bytes) -> None:
        """Send, or let it be where the way is gone."""
        ...

    def resume(self) -> None:
        """Read again, if reading was stopped."""
        ...

    def settle(self) -> None:
        """One of the frames that waited has been dealt with."""
        ...


class Taker(Protocol):
    """The side of the server that links know."""

    limits: Limits

    @property
    def full(self) -> bool:
        """Whether no more should be read now."""
        ...

    def opened(self, link: Session) -> bool:
        """A connection; False where it is one too many."""
        ...

    def closed(self, link: Session) -> None:
        """A connection has ended."""
        ...

    def take(self, link: Link, pieces: list[Piece]) -> None:
        """What a link brought."""
        ...

    def pause(self, link: Session) -> None:
        """A link reads no more until it is told to."""
        ...

    def dropped(self) -> None:
        """A datagram was let go, for there is no way to make its sender wait."""
        ...


class Session(asyncio.Protocol):
    """One connection, with its own framer; one station or several may stand behind it."""

    def __init__(self, server: Taker) -> None:
        self._server, self._framer = server, Framer()
        self._transport: asyncio.Transport | None = None
        self._paused = self._ended = False
        self._noise = 0
        self.name, self.waiting, self.heard = "", 0, 0.0
        self.stations: set[str] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or close it where there are too many."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        peer: Any = transport.get_extra_info("peername") or ("?", 0)
        self.name, self.heard = f"{peer[0]}:{peer[1]}", asyncio.get_running_loop().time()
        if not self._server.opened(self):
            transport.abort()

    def data_received(self, data: bytes) -> None:
        """Cut the stream into frames and hand them on."""
        self.heard = asyncio.get_running_loop().time()
        pieces = self._framer.feed(data)
        for each in pieces:
            self._noise = 0 if each.whole else self._noise + len(each.data)
        self._server.take(self, pieces)
        if self._noise > self._server.limits.noise:
            self.cut()
        elif self._server.full or self.waiting > self._server.limits.unconfirmed:
            self.stop_reading()

    def eof_received(self) -> bool:
        """Nothing more will come; answers may still go out, until all that came is durable."""
        self._server.take(self, self._framer.close())
        self._ended = True
        return self.waiting > 0

    def settle(self) -> None:
        """A frame has been dealt with; where the station has nothing more to say, the last one ends the connection."""
        self.waiting -= 1
        if self._ended and not self.waiting:
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, for whatever reason; what came whole is kept all the same."""
        self._transport = None
        self._server.take(self, self._framer.close())
        self._server.closed(self)

    @property
    def open(self) -> bool:
        """Whether the connection stands."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Write; a station that takes no answers is cut off before they pile up."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > self._server.limits.unread:
            self.cut()

    def stop_reading(self) -> None:
        """Leave what the station sends in its socket for now."""
        if self._transport is not None and not self._transport.is_closing() and not self._paused:
            self._paused = True
            self._transport.pause_reading()
            self._server.pause(self)

    def resume(self) -> None:
        """Read again."""
        if self._paused and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
        self._paused = False

    def cut(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection once what was written is out."""
        if self._transport is not None:
            self._transport.close()


class Sender:
    """An address that a datagram came from."""

    def __init__(self, transport: asyncio.DatagramTransport, address: Any) -> None:
        self._transport, self._address = transport, address
        self.name, self.waiting = f"udp:{address[0]}:{address[1]}", 0

    @property
    def open(self) -> bool:
        """Whether the socket stands."""
        return not self._transport.is_closing()

    def send(self, data: bytes) -> None:
        """Send one datagram."""
        if not self._transport.is_closing():
            self._transport.sendto(data, self._address)

    def resume(self) -> None:
        """Datagrams are never held up; those too many are let go and sent again by their stations."""

    def settle(self) -> None:
        """A frame has been dealt with."""
        self.waiting -= 1


class Datagrams(asyncio.DatagramProtocol):
    """The UDP socket: each datagram is a stream of its own."""

    def __init__(self, server: Taker) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket stands."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Take a datagram, or let it go while too many wait."""
        assert self._transport is not None
        if self._server.full:
            self._server.dropped()
            return
        framer = Framer()
        self._server.take(Sender(self._transport, addr), framer.feed(data) + framer.close())
