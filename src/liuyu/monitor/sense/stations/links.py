"""The ways to a station: a TCP connection, or an address that datagrams came from."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol, cast

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Framer, Piece
from liuyu.monitor.sense.stations.downlinks import Standard
from liuyu.monitor.sense.stations.received import Limits


class Link(Protocol):
    """Where an answer goes. `waiting` counts the frames of this way that are not durable yet, `heard` is when it was
    last heard by the loop's clock [s]. A link that stands, as a connection does, can be used at any time.
    """

    name: str
    waiting: int
    heard: float
    stands: bool

    @property
    def open(self) -> bool:
        """Whether an answer can still be sent."""
        ...

    @property
    def protocol(self) -> Standard:
        """What is spoken on it."""
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


class Cutter:
    """Cuts a stream into pieces of the protocol that is spoken on it: SL 651, unless it begins as a frame of SZY 206.

    Until a frame has come whole, what one protocol finds to be noise is held against the other.
    """

    def __init__(self) -> None:
        self.protocol: Standard = "sl651"
        self._framer: Framer | szy206.Framer = Framer()
        self._held, self._certain = b"", False

    def feed(self, data: bytes) -> list[Piece]:
        """The next bytes; the pieces that are certain now."""
        if self._certain:
            return self._pieces(self._framer.feed(data))
        self._held += data
        if self._held[:1] == b"\x68" and len(self._held) < 3:
            return []
        data, self._held = self._held, b""
        if data[:1] == data[2:3] == b"\x68" and self._framer.waiting == 0:
            self._turn("szy206")
        pieces = self._pieces(self._framer.feed(data))
        self._certain = any(each.whole for each in pieces)
        if pieces and not self._certain:
            return self._otherwise(b"".join(each.data for each in pieces)) or pieces
        return pieces

    def close(self) -> list[Piece]:
        """The stream has ended; the pieces that are left."""
        held, self._held = self._held, b""
        return self._pieces(self._framer.feed(held)) + self._pieces(self._framer.close())

    def _otherwise(self, noise: bytes) -> list[Piece]:
        """The pieces that the other protocol finds in noise, if there is a frame among them."""
        other: Framer | szy206.Framer = Framer() if self.protocol == "szy206" else szy206.Framer()
        pieces = self._pieces(other.feed(noise))
        if not any(each.whole for each in pieces):
            return []
        self._turn("sl651" if self.protocol == "szy206" else "szy206")
        self._framer, self._certain = other, True
        return pieces

    def _turn(self, protocol: Standard) -> None:
        self.protocol = protocol
        self._framer = Framer() if protocol == "sl651" else szy206.Framer()

    @staticmethod
    def _pieces(found: Sequence[tuple[bytes, bool]]) -> list[Piece]:
        return [Piece(data, whole) for data, whole in found]


class Session(asyncio.Protocol):
    """One connection, with its own framer; one station or several may stand behind it."""

    stands = True

    def __init__(self, server: Taker) -> None:
        self._server, self._framer = server, Cutter()
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
    def protocol(self) -> Standard:
        """What is spoken on it."""
        return self._framer.protocol

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
    """An address that a datagram came from. It leads to a station as long as nothing on the way forgets it."""

    stands = False

    def __init__(self, transport: asyncio.DatagramTransport, address: Any, protocol: Standard) -> None:
        self._transport, self._address = transport, address
        self.name, self.waiting = f"udp:{address[0]}:{address[1]}", 0
        self.protocol, self.heard = protocol, asyncio.get_running_loop().time()

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
        cutter = Cutter()
        pieces = cutter.feed(data) + cutter.close()
        self._server.take(Sender(self._transport, addr, cutter.protocol), pieces)
