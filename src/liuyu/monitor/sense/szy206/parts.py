"""Divided messages put together again. The first frame tells how many there are, the last one counts 1."""

from __future__ import annotations

import msgspec

from liuyu.monitor.sense.szy206.messages import Message


class Joiner:
    """Collects the frames of divided messages by station and function, `limit` messages at most."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._parts: dict[tuple[str, int], dict[int, Message]] = {}

    def add(self, message: Message) -> Message | None:
        """Take a frame in. The whole message where it was the last one missing, else None.

        A message that is not divided comes back as it is. A frame that counts higher than all before begins anew.
        """
        if message.part is None:
            return message
        key = (message.station, message.function)
        parts = self._parts.get(key, {})
        if not parts or message.part > max(parts):
            parts = {}
            self._parts.pop(key, None)
            self._parts[key] = parts
            if len(self._parts) > self._limit:
                self._parts.pop(next(iter(self._parts)))
        parts[message.part] = message
        if message.part == 0 or len(parts) < max(parts):
            return None
        del self._parts[key]
        data = b"".join(parts[each].data for each in sorted(parts, reverse=True))
        return msgspec.structs.replace(message, part=None, data=data)

    def missing(self, station: str, function: int) -> tuple[int, ...]:
        """The counts of the frames that a station still owes."""
        parts = self._parts.get((station, function), {})
        return tuple(each for each in range(max(parts, default=0), 0, -1) if each not in parts)
