"""What a station's bytes say: frames of either protocol, messages put together, and why something is not taken."""

from __future__ import annotations

from typing import NamedTuple

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialects, Message, Piece, Refusal, decode
from liuyu.monitor.sense.stations import meters
from liuyu.monitor.sense.stations.links import Link
from liuyu.monitor.sense.stations.received import Limits, Received, head_of
from liuyu.monitor.sense.stations.transfers import Step, Transfers


class Heard(NamedTuple):
    """What a piece is, and what the message that it is a packet of leads to."""

    received: Received
    step: Step | None = None


class Hearing:
    """Reads the pieces that links bring, with the memory that messages in several frames need."""

    def __init__(self, dialects: Dialects, limits: Limits) -> None:
        self._dialects = dialects
        self.transfers = Transfers(dialects, limits.requests, limits.packet_wait)
        self._parts = szy206.Joiner(limit=256)

    def hear(self, link: Link, piece: Piece, now: int) -> Heard:
        """A piece that arrived at `now` [s UTC]."""
        if link.protocol == "szy206":
            return Heard(self._meter(link, piece, now))
        head = head_of(piece.data, self._dialects, now) if piece.whole else None
        if not isinstance(head, Message):
            told = head or decode(piece.data, self._dialects)
            return Heard(_aside(link, piece, now, str(told) if isinstance(told, Refusal) else "noise"))
        reason = (
            self._refused(head.station, head.password) if head.direction == "up" else "direction: a station sends up"
        )
        if reason:
            return Heard(_aside(link, piece, now, reason))
        if head.packet is None:
            return Heard(Received(now, link.name, piece.data, head))
        step = self.transfers.add(head, now)
        return Heard(Received(now, link.name, piece.data, head, whole=step.whole), step)

    def _meter(self, link: Link, piece: Piece, now: int) -> Received:
        said = szy206.decode(piece.data, now)
        if isinstance(said, szy206.Refusal):
            return _aside(link, piece, now, str(said))
        if said.direction == "down":
            return _aside(link, piece, now, "direction: a station sends up")
        whole = meters.whole(said, self._parts, now)
        told = meters.as_report(whole or said, now)
        return Received(now, link.name, piece.data, told, whole=told if whole else None, meter=whole or said)

    def _refused(self, station: str, password: str) -> str:
        known = self._dialects.of(station).password
        return "password: another than the station's" if known not in (None, password) else ""


def _aside(link: Link, piece: Piece, now: int, reason: str) -> Received:
    return Received(now, link.name, piece.data, None, reason)
