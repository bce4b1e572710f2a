"""From topic and payload to observations: whose form a message has is told by its topic alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.monitor.sense.mqtt.foreign_form import read_by_rule
from liuyu.monitor.sense.mqtt.found import Found
from liuyu.monitor.sense.mqtt.mapping import LoggerMapping
from liuyu.monitor.sense.mqtt.own_form import read_quantity, read_station
from liuyu.store.inbox.interface import Parcel

_log = logging.getLogger("liuyu.mqtt")
SOURCE = "mqtt"
FRAMES = "sl651"
ReadFrames = Callable[[str, bytes, int], Parcel]
ReadThings = Callable[[str, bytes, int], Parcel]


class Payloads:
    """Reads messages for one basin.

    frames: reads SL 651 frames, given the address in the topic, the bytes, and now [s UTC]. things: reads SensorThings
    messages, given topic, payload and now. Both raise BadInput for what they cannot read; without them such messages
    are set aside.
    """

    def __init__(
        self,
        basin: Basin,
        mapping: LoggerMapping | None = None,
        *,
        frames: ReadFrames | None = None,
        things: ReadThings | None = None,
        source: str = SOURCE,
    ) -> None:
        self._basin, self._mapping, self._source = basin, mapping or LoggerMapping(), source
        self._frames, self._things = frames, things

    @property
    def filters(self) -> tuple[str, ...]:
        """What a client must subscribe to."""
        things = ("v1.1/#",) if self._things else ()
        return (f"liuyu/{self._basin.code}/#", *things, *self._mapping.filters)

    def parcel(self, messages: Iterable[tuple[str, bytes]], now: int) -> Parcel:
        """What some messages, topic and payload each, held at `now` [s UTC]; nothing is lost, nothing raised."""
        found = Found(self._basin, self._source)
        for topic, payload in messages:
            try:
                self._read(topic, payload, now, found)
            except BadInput as error:
                found.set_aside(str(error), topic, payload)
        return found.parcel(now)

    def again(self, kept: bytes, now: int) -> Parcel:
        """A message that was set aside, read once more. Raises BadInput where it still cannot be read."""
        topic, _, payload = kept.partition(b"\n")
        found = Found(self._basin, self._source)
        self._read(topic.decode(errors="replace"), payload, now, found)
        parcel = found.parcel(now)
        if parcel.asides:
            raise BadInput(parcel.asides[0].reason)
        return parcel

    def _read(self, topic: str, payload: bytes, now: int, found: Found) -> None:
        try:
            self._by_topic(topic, payload, now, found)
        except BadInput:
            raise
        except Exception as error:  # whatever it is, one message must not hold up all others
            _log.exception("A message on %s broke its reader", topic)
            raise BadInput(f"payload: its reader failed ({error!r})") from None

    def _by_topic(self, topic: str, payload: bytes, now: int, found: Found) -> None:
        levels = topic.split("/")
        if self._mapping.ignores(topic):
            return
        if (rule := self._mapping.find(topic)) is not None:
            read_by_rule(topic, payload, rule, now, found)
        elif levels[0] == "liuyu":
            self._own(topic, levels, payload, now, found)
        elif self._things is not None and "v1.1" in levels:
            found.take_parcel(self._things(topic, payload, now), topic)
        else:
            raise BadInput(f"topic {topic[:80]!r} is not known; name it in a mapping, or under ignore there")

    def _own(self, topic: str, levels: list[str], payload: bytes, now: int, found: Found) -> None:
        if len(levels) not in (3, 4) or levels[1] != self._basin.code:
            raise BadInput(f"topic {topic[:80]!r} is none of liuyu/{self._basin.code}/STATION/QUANTITY")
        if levels[2] == FRAMES and len(levels) == 4:
            if self._frames is None:
                raise BadInput("SL 651 frames are not read here")
            found.take_parcel(self._frames(levels[3], payload, now), topic)
        elif len(levels) == 4:
            read_quantity(topic, payload, levels[2], levels[3], found)
        else:
            read_station(topic, payload, levels[2], found)
