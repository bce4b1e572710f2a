"""What the server hands over, to whom, and how much it takes at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialects, Message, Refusal, decode
from liuyu.monitor.sense.sl651.frame import open_frame
from liuyu.monitor.sense.sl651.messages import STX


class Received(NamedTuple):
    """Some bytes that arrived: when [s UTC], from whom, and what they are.

    `head` is who speaks, of what and with which serial number; the values are still unread in `frame`. It is None
    where nothing can be taken, and `reason` says why. `whole` is the message that the last of several packets
    completed; frames that are packets carry no values of their own. A meter's frame (`meter`: what it says) has as head
    and as whole the report of SL 651 that means the same.
    """

    at: int
    peer: str
    frame: bytes
    head: Message | None
    reason: str = ""
    whole: Message | None = None
    meter: szy206.Message | None = None


class Sink(Protocol):
    """Where readings are kept. What `keep` returned from is durable; what it raised for is confirmed to nobody."""

    def keep(self, received: Sequence[Received]) -> None:
        """Keep a group of readings, all or none. Called in a thread, never twice at a time."""
        ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How much is held at most, and how long is waited for what [s].

    queue: frames that wait for the store; above it no socket is read until it has halved. unconfirmed: those of one
    connection. noise, unread: bytes of noise in a row, and of answers a station does not take, after which it is cut
    off. requests: times a missing packet is asked for.
    """

    connections: int = 12_000
    queue: int = 20_000
    unconfirmed: int = 512
    noise: int = 65_536
    unread: int = 65_536
    stations: int = 200_000
    idle: float = 900.0
    group: int = 4_000
    group_wait: float = 0.005
    retry_wait: float = 0.2
    packet_wait: int = 10
    requests: int = 2


def head_of(frame: bytes, dialects: Dialects, now: int) -> Message | Refusal:
    """Who speaks and of what. Packets and the ASCII form are read whole, others only as far as an answer needs."""
    envelope = open_frame(frame)
    if isinstance(envelope, Refusal):
        return envelope
    if envelope.form == "ascii" or envelope.start != STX:
        return decode(frame, dialects, now)
    return Message(
        form=envelope.form,
        direction=envelope.direction,
        centre=envelope.centre,
        station=envelope.station,
        password=envelope.password,
        function=envelope.function,
        end=envelope.end,
        serial=int.from_bytes(envelope.body[:2], "big"),
    )
