"""Messages in several packets put together again; what is missing is named, so that it can be asked for once more."""

from __future__ import annotations

import msgspec

from liuyu.monitor.sense.sl651.decode import join_packets
from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect, Dialects
from liuyu.monitor.sense.sl651.messages import Message

LONGEST = 4 << 20


class Transfer(msgspec.Struct, kw_only=True):
    """A message on its way. `since` and `latest`: when its first and its latest packet arrived [s UTC]."""

    total: int
    since: int
    latest: int
    bytes: int = 0
    parts: dict[int, Message] = {}

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the packets that have not arrived."""
        return tuple(each for each in range(1, self.total + 1) if each not in self.parts)


class Assembler:
    """Collects packets by station and function, at most one message of each at a time, `limit` messages in all.

    A packet of another total, or a first packet with another serial number, begins a new message; so does silence of
    `patience` seconds. A packet that arrives twice counts once. Memory is bounded: 4 MiB a message.
    """

    def __init__(self, dialect: Dialect | Dialects = STANDARD, limit: int = 64, patience: int = 3600) -> None:
        self._dialect, self._limit, self._patience = dialect, limit, patience
        self._transfers: dict[tuple[str, int], Transfer] = {}

    def add(self, message: Message, now: int) -> Message | None:
        """Take a packet in. The whole message where it was the last one missing, else None.

        A message that is no packet is whole already and comes back as it is.
        """
        packet = message.packet
        if packet is None:
            return message
        if not 1 <= packet.number <= packet.total:
            return None
        key = (message.station, message.function)
        transfer = self._transfers.get(key)
        if transfer is None or self._another(transfer, message, now):
            transfer = Transfer(total=packet.total, since=now, latest=now)
            self._transfers.pop(key, None)
            self._transfers[key] = transfer
            if len(self._transfers) > self._limit:
                self._transfers.pop(next(iter(self._transfers)))
        transfer.latest = now
        before = transfer.parts.get(packet.number)
        transfer.bytes += len(message.payload) - (len(before.payload) if before else 0)
        transfer.parts[packet.number] = message
        if transfer.bytes > LONGEST:
            del self._transfers[key]
            return None
        return None if len(transfer.parts) < transfer.total else self._whole(key, now)

    def missing(self, station: str, function: int) -> tuple[int, ...]:
        """The packets that a station still owes; none where nothing is on its way."""
        transfer = self._transfers.get((station, function))
        return transfer.missing if transfer else ()

    def waiting(self) -> tuple[tuple[str, int, Transfer], ...]:
        """Every message on its way, with its station and function."""
        return tuple((station, function, each) for (station, function), each in self._transfers.items())

    def give_up(self, station: str, function: int) -> tuple[Message, ...]:
        """Drop a message on its way; its packets come back, so that they can be set aside."""
        transfer = self._transfers.pop((station, function), None)
        return tuple(transfer.parts[each] for each in sorted(transfer.parts)) if transfer else ()

    def _another(self, transfer: Transfer, message: Message, now: int) -> bool:
        packet, first = message.packet, transfer.parts.get(1)
        assert packet is not None
        other = packet.number == 1 and first is not None and first.serial != message.serial
        return other or packet.total != transfer.total or now - transfer.latest > self._patience

    def _whole(self, key: tuple[str, int], now: int) -> Message:
        transfer = self._transfers.pop(key)
        body = b"".join(transfer.parts[each].payload for each in range(1, transfer.total + 1))
        return join_packets(transfer.parts[1], body, transfer.parts[transfer.total].end, self._dialect, now)
