"""Orders that are under way: who waits for which answer, and the ways to the stations."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from liuyu.basin.errors import BadInput, NotFound
from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialects, Message, decode, encode
from liuyu.monitor.sense.stations.downlinks import Said, Way
from liuyu.monitor.sense.stations.links import Link, Session
from liuyu.monitor.sense.stations.received import Received

RESENDS = 2  # SL 651-2014: what is not answered is sent again, at most twice
LASTING = 600.0  # a station told to stay on line does so for ten minutes [s]


class Outbox(Protocol):
    """Who has orders for stations."""

    def wants(self, station: str) -> bool:
        """Whether an order waits for a station; it is then told to stay on line."""
        ...

    def met(self, station: str) -> None:
        """A station has just been heard, and confirmed where that belongs."""
        ...


class Nobody:
    """Has no orders."""

    def wants(self, station: str) -> bool:
        """None."""
        return False

    def met(self, station: str) -> None:
        """Nothing to do."""


class Contact(NamedTuple):
    """Where a station was last heard, and how it spoke."""

    link: Link
    way: Way

    def reachable(self, now: float) -> bool:
        """Whether an order can reach it at `now` [s, the loop's clock]."""
        return self.link.open and (self.link.stands or now - self.link.heard < LASTING)


class Asking:
    """The ways to stations, and the orders that wait for their answers. For one event loop."""

    def __init__(self, dialects: Dialects, most: int) -> None:
        self._dialects, self._most = dialects, most
        self._contacts: dict[str, Contact] = {}
        self._waiting: dict[tuple[str, int], asyncio.Future[Said]] = {}

    def hold(self, link: Link, head: Message) -> None:
        """The way to a station is the one it was last heard on."""
        known = self._contacts.pop(head.station, None)
        way = Way(link.protocol, head.centre, head.password, head.form)
        self._contacts[head.station] = (
            known if known and known.link is link and known.way == way else Contact(link, way)
        )
        if isinstance(link, Session):
            link.stations.add(head.station)
        if known is None and len(self._contacts) > self._most:
            self._contacts.pop(next(iter(self._contacts)))

    def closed(self, link: Session) -> None:
        """A connection has ended."""
        for station in link.stations:
            if station in self._contacts and self._contacts[station].link is link:
                del self._contacts[station]

    def contact(self, station: str) -> Contact | None:
        """Where a station was last heard."""
        return self._contacts.get(station)

    @property
    def reachable(self) -> tuple[str, ...]:
        """The addresses of the stations that can be reached now."""
        now = asyncio.get_running_loop().time()
        return tuple(sorted(station for station, each in self._contacts.items() if each.reachable(now)))

    async def order(self, message: Said, timeout: float, resends: int) -> Said:
        """Send an order and wait for its answer, `timeout` [s] for each time it is sent. See `StationServer.order`."""
        key, contact = (message.station, message.function), self._contacts.get(message.station)
        if contact is None or not contact.reachable(asyncio.get_running_loop().time()):
            raise NotFound(f"station {message.station} is not on line; it must have sent something on a standing link")
        if key in self._waiting:
            raise BadInput(f"order {message.function:02X}H to station {message.station} is under way; wait for it")
        answer: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            for _ in range(1 + resends):
                contact.link.send(self._frame(message))
                done, _ = await asyncio.wait([answer], timeout=timeout)
                if done:
                    return answer.result()
                contact = self._contacts.get(message.station, contact)
        finally:
            self._waiting.pop(key, None)
        told = f"station {message.station} did not answer {message.function:02X}H within {timeout * (1 + resends):g} s"
        raise NotFound(f"{told}; it may be asleep, or its password may be another")

    def settle(self, received: Received, head: Message) -> None:
        """Hand an answer to who waits for it."""
        said: Said = received.meter or head
        order = self._waiting.get((said.station, said.function))
        if order is None or order.done():
            return
        if received.meter is not None:
            if received.whole is not None:
                order.set_result(received.meter)
        elif head.packet is None or received.whole is not None:
            read = received.whole or decode(received.frame, self._dialects, received.at)
            if isinstance(read, Message):
                order.set_result(read)

    def cancel(self) -> None:
        """Nobody will be answered any more."""
        for order in self._waiting.values():
            order.cancel()

    def _frame(self, message: Said) -> bytes:
        if isinstance(message, szy206.Message):
            return szy206.encode(message)
        return encode(message, self._dialects.of(message.station))
