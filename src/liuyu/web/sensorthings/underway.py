"""Observations that went through the door and that the loop has not yet put into the store.

What was created can be read at once: reads lay these rows over what the store holds. Waiting for the loop's next step
instead would hold each caller up for as long as a step takes. A row leaves when the store shows its value, or after a
quarter of an hour: the loop has then set it aside, and says why among the dead letters. After a restart the rows are in
the inbox alone, and so can be read from the loop's first step on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

import numpy as np

from liuyu.basin.series import Batch, Roster

LASTING = 900.0
_MOST = 200_000
_Waiting = tuple[float, int, float]


class Underway:
    """Delivered rows by series key (place and number of quantity) and time. `clock` gives seconds that only grow."""

    def __init__(self, roster: Roster, clock: Callable[[], float] = time.monotonic) -> None:
        self._roster = roster
        self._clock = clock
        self._lock = threading.Lock()
        self._rows: dict[int, dict[int, _Waiting]] = {}
        self._count = 0

    def add(self, batch: Batch) -> None:
        """Take in rows that were delivered; where too many wait, the rest can be read from the loop's next step on."""
        until = self._clock() + LASTING
        keys = ((batch.station.astype(np.int64) << 16) | batch.quantity).tolist()
        columns = zip(keys, batch.time.tolist(), batch.value.tolist(), batch.flag.tolist(), strict=True)
        with self._lock:
            if self._count + len(batch) > _MOST:
                self._forget_old()
            for key, at, value, flag in columns:
                rows = self._rows.setdefault(key, {})
                if at in rows or self._count < _MOST:
                    self._count += at not in rows
                    rows[at] = (value, flag, until)

    def edges(self, keys: Iterable[int]) -> dict[int, tuple[int, int]]:
        """First and last time of the rows that wait, of some series."""
        if not self._rows:
            return {}
        with self._lock:
            return {key: (min(rows), max(rows)) for key in keys if (rows := self._rows.get(key))}

    def lay_over(self, found: Batch, keys: Iterable[int], start: int, end: int) -> Batch:
        """What the store holds of some series in [start, end), with what waits in its place or beside it."""
        if not self._rows:
            return found
        with self._lock:
            waiting = self._waiting(keys, start, end)
            if not waiting:
                return found
            self._settle(found, waiting)
        if not waiting:
            return found
        there = zip(
            ((found.station.astype(np.int64) << 16) | found.quantity).tolist(), found.time.tolist(), strict=True
        )
        kept = found.take(np.array([each not in waiting for each in there], np.bool_))
        places = [(key >> 16, key & 0xFFFF, at, *row) for (key, at), row in waiting.items()]
        station, quantity, at, value, flag = zip(*places, strict=True)
        return Batch.join([kept, Batch.of(kept.roster, station, quantity, at, value, flag)]).ordered()

    def _waiting(self, keys: Iterable[int], start: int, end: int) -> dict[tuple[int, int], tuple[float, int]]:
        now, found = self._clock(), {}
        for key in keys:
            for at, (value, flag, until) in list(self._rows.get(key, {}).items()):
                if until <= now:
                    self._drop(key, at)
                elif start <= at < end:
                    found[key, at] = (value, flag)
        return found

    def _settle(self, found: Batch, waiting: dict[tuple[int, int], tuple[float, int]]) -> None:
        """Let go of the rows that the store shows."""
        keys = ((found.station.astype(np.int64) << 16) | found.quantity).tolist()
        for key, at, value in zip(keys, found.time.tolist(), found.value.tolist(), strict=True):
            if (key, at) in waiting and waiting[key, at][0] == value:
                del waiting[key, at]
                self._drop(key, at)

    def _forget_old(self) -> None:
        now = self._clock()
        for key in list(self._rows):
            for at, row in list(self._rows[key].items()):
                if row[2] <= now:
                    self._drop(key, at)

    def _drop(self, key: int, at: int) -> None:
        rows = self._rows[key]
        del rows[at]
        self._count -= 1
        if not rows:
            del self._rows[key]
