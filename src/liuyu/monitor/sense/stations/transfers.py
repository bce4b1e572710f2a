"""Messages in packets on their way: what is acknowledged, what is asked for again, and what is given up."""

from __future__ import annotations

from typing import NamedTuple

from liuyu.monitor.sense.sl651 import Assembler, Dialects, Message
from liuyu.monitor.sense.sl651.messages import ETB

AT_ONCE = 64
REMEMBERED = 1024
Key = tuple[str, int]


class Step(NamedTuple):
    """What a packet leads to: the whole message, the packets to ask for again, those given up."""

    whole: Message | None = None
    wanted: tuple[int, ...] = ()
    lost: tuple[Message, ...] = ()


class Transfers:
    """Puts packets together. A missing packet is asked for at most `requests` times, then the message is given up."""

    def __init__(self, dialects: Dialects, requests: int, patience: int) -> None:
        self._assembler = Assembler(dialects, limit=256)
        self._requests, self._patience = requests, patience
        self._asked: dict[Key, int] = {}
        self._ended: dict[Key, Message] = {}
        self._done: dict[Key, tuple[Message, Message]] = {}

    def add(self, packet: Message, now: int) -> Step:
        """Take a packet in; when the last has come, name what is missing before it."""
        key = (packet.station, packet.function)
        done = self._done.get(key)
        if done and done[0] == packet:
            return Step(whole=done[1])
        if packet.end != ETB:
            self._ended[key] = packet
            if len(self._ended) > REMEMBERED:
                self._ended.pop(next(iter(self._ended)))
        whole = self._assembler.add(packet, now)
        if whole is not None:
            self._done.pop(key, None)
            self._done[key] = (self._ended.pop(key, packet), whole)
            self._asked.pop(key, None)
            if len(self._done) > REMEMBERED:
                self._done.pop(next(iter(self._done)))
            return Step(whole=whole)
        return Step() if packet.end == ETB else self._ask(key)

    def overdue(self, now: int) -> list[tuple[Message, Step]]:
        """For each message whose packets have stopped coming, one of its packets and what to do."""
        found = []
        for station, function, transfer in self._assembler.waiting():
            if now - transfer.latest >= self._patience * (1 + self._asked.get((station, function), 0)):
                any_packet = next(iter(transfer.parts.values()))
                found.append((any_packet, self._ask((station, function))))
        return found

    def _ask(self, key: Key) -> Step:
        asked = self._asked.get(key, 0)
        if asked >= self._requests:
            self._asked.pop(key, None)
            self._ended.pop(key, None)
            return Step(lost=self._assembler.give_up(*key))
        self._asked[key] = asked + 1
        return Step(wanted=self._assembler.missing(*key)[:AT_ONCE])
