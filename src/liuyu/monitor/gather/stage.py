"""The stage: a batch as it arrived goes in; what may be assessed, what is late and who fell silent comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.gather import notes
from liuyu.monitor.gather.arrange import first_of_key, ordered, set_aside
from liuyu.monitor.gather.silence import NEVER, Watch
from liuyu.monitor.gather.units import Units

SKEW = 15 * 60
BURST = 6 * HOUR


@dataclass(frozen=True, slots=True)
class Gathered:
    """A batch by time, station and quantity, each key once; where it is late (n,); what was set aside; the events.

    `odd` (n,) is where a value looks as if it were told in another unit (units.py): kept, but not to be trusted.
    """

    batch: Batch
    late: NDArray[np.bool_]
    odd: NDArray[np.bool_]
    asides: tuple[Aside, ...]
    events: tuple[Event, ...]


class _Header(msgspec.Struct, frozen=True):
    stations: int
    kinds: tuple[int, ...]
    since: tuple[int, ...]
    resumed: tuple[int, ...]
    units: bytes = b""
    ahead: tuple[int, ...] = ()


class Gather:
    """The first stage of the pipeline.

    Sets aside values that are no number, or whose clock runs more than SKEW ahead of `now`; drops exact doubles, in a
    batch and of the newest value of a series; marks as late what is not newer than the newest value of its series so
    far, and announces it once for each station and burst (late values less than BURST apart); and tells who fell
    silent or returned (silence.py). With `live`, it also holds the units of what comes against what came (units.py),
    and tells of stations whose clocks run ahead.
    """

    name = "gather"

    def __init__(self, basin: Basin, *, live: bool = False) -> None:
        self._basin, self._roster = basin, basin.roster
        size = len(self._roster)
        self._kinds: list[int] = []
        self._newest = np.empty((0, size), np.int64)
        self._value = np.empty((0, size), np.float64)
        self._burst = np.full(size, NEVER, np.int64)
        self._interval = np.array([each.interval for each in basin.stations], np.float64)
        self._silence = Watch(np.full(size, NEVER, np.int64), self._interval)
        self._units = Units(size) if live else None
        self._ahead: set[int] = set()

    def step(
        self, batch: Batch, now: int, origin: NDArray[np.int16] | None = None, sources: Sequence[str] = ()
    ) -> Gathered:
        """Take in what arrived until `now` [s UTC], from the sources that `origin` (n,) numbers.

        Raises BadInput for a batch of another roster.
        """
        if batch.roster is not self._roster and batch.roster.codes != self._roster.codes:
            raise BadInput(f"the batch from {batch.source!r} numbers other stations than {self._basin.code}")
        events: list[Event] = []
        if origin is not None:
            events += self._tell_clocks(batch, now)
            self._silence.attribute(batch.station, origin, len(sources))
        batch, asides = self._sift(batch, now)
        batch, late = self._compare(batch)
        events += self._tell_late(batch, late, now)
        events += self._tell_silence(batch, now, sources)
        odd = np.zeros(len(batch), np.bool_)
        if self._units is not None:
            odd, news = self._units.judge(batch, self._silence.source[batch.station])
            events += [notes.odd_units(self._basin, sources, each, now) for each in news]
        return Gathered(batch, late, odd, tuple(asides), tuple(events))

    def _tell_clocks(self, batch: Batch, now: int) -> list[Event]:
        """Say once that a station's clock runs ahead, and once that it is right again."""
        ahead = batch.time > now + SKEW
        wrong = set(batch.station[ahead].tolist())
        right = (self._ahead & set(batch.station[~ahead].tolist())) - wrong
        news = sorted([*((each, True) for each in wrong - self._ahead), *((each, False) for each in right)])
        self._ahead = (self._ahead | wrong) - right
        newest = {place: int(batch.time[batch.station == place].max()) for place, _ in news}
        return [notes.clock(self._basin, place, doubted, newest[place], now) for place, doubted in news]

    def _sift(self, batch: Batch, now: int) -> tuple[Batch, list[Aside]]:
        """The usable part, ordered, one row for each key, the last that arrived."""
        ahead = batch.time > now + SKEW
        void = ~np.isfinite(batch.value) & ~ahead
        asides = set_aside(batch, ahead, f"clock more than {SKEW // 60} min ahead") if ahead.any() else []
        if void.any():
            asides += set_aside(batch, void, "not a number")
        if ahead.any() or void.any():
            batch = batch.take(~(ahead | void))
        batch = ordered(batch)
        begins = first_of_key(batch)
        if begins.all():
            return batch, asides
        last = np.append(begins[1:], True)
        key = np.cumsum(begins) - 1
        replaced = ~last & (batch.value != batch.value[last][key])
        if replaced.any():
            asides += set_aside(batch, replaced, "another value for the same time came with it")
        return batch.take(last), asides

    def _compare(self, batch: Batch) -> tuple[Batch, NDArray[np.bool_]]:
        """Without doubles of newest values; which of the rest are late; and remember the newest."""
        row = self._rows(batch.quantity)
        newest = self._newest[row, batch.station]
        double = (batch.time == newest) & (batch.value == self._value[row, batch.station])
        late = batch.time <= newest
        if double.any():
            batch, row, late = batch.take(~double), row[~double], late[~double]
        # in time order, so the newest of a series is what an assignment with doubled places leaves standing
        ahead = ~late
        self._newest[row[ahead], batch.station[ahead]] = batch.time[ahead]
        self._value[row[ahead], batch.station[ahead]] = batch.value[ahead]
        same = late & (batch.time == self._newest[row, batch.station])
        self._value[row[same], batch.station[same]] = batch.value[same]
        return batch, late

    def _rows(self, kinds: NDArray[np.int16]) -> NDArray[np.intp]:
        """Place of each quantity in the memory, which grows when one is met for the first time."""
        for kind in np.unique(kinds).tolist():
            if kind not in self._kinds:
                size = len(self._roster)
                self._kinds.append(kind)
                self._newest = np.vstack([self._newest, np.full((1, size), NEVER, np.int64)])
                self._value = np.vstack([self._value, np.full((1, size), np.nan)])
        place = np.zeros(max(self._kinds, default=0) + 1, np.intp)
        place[self._kinds] = np.arange(len(self._kinds))
        return place[kinds]

    def _tell_late(self, batch: Batch, late: NDArray[np.bool_], now: int) -> list[Event]:
        if not late.any():
            return []
        stations, first, count = np.unique(batch.station[late], return_index=True, return_counts=True)
        quiet = now - self._burst[stations] >= BURST
        self._burst[stations] = now
        times = batch.time[late][first]
        return [
            notes.late(self._basin, int(place), int(time), int(many), now)
            for place, time, many in zip(stations[quiet], times[quiet], count[quiet], strict=True)
        ]

    def _tell_silence(self, batch: Batch, now: int, sources: Sequence[str]) -> list[Event]:
        size = len(self._roster)
        newest = np.full(size, NEVER, np.int64)
        newest[batch.station] = batch.time  # ordered by time: the last one stands
        begins = np.ones(len(batch), np.bool_)
        begins[1:] = (batch.time[1:] != batch.time[:-1]) | (batch.station[1:] != batch.station[:-1])
        fresh = begins & (batch.time > self._silence.seen[batch.station])
        reports = np.bincount(batch.station[fresh], minlength=size)
        change = self._silence.judge(self._silence.hear(newest, reports), now)
        return notes.silence(self._basin, change, now, sources)

    def dump(self) -> bytes:
        """The whole memory of the stage: a header, then the arrays."""
        silence = self._silence
        header = msgspec.msgpack.encode(
            _Header(
                len(self._roster),
                tuple(self._kinds),
                tuple(silence.since.tolist()),
                tuple(silence.resumed.tolist()),
                self._units.dump() if self._units else b"",
                tuple(sorted(self._ahead)),
            )
        )
        arrays = (
            self._newest,
            self._value,
            self._burst,
            silence.seen,
            silence.pace,
            silence.silent,
            silence.source,
        )
        return b"".join([len(header).to_bytes(4, "little"), header, *(each.tobytes() for each in arrays)])

    def load(self, blob: bytes) -> None:
        """Take the memory back. Raises BadInput for that of another basin."""
        end = 4 + int.from_bytes(blob[:4], "little")
        header = msgspec.msgpack.decode(blob[4:end], type=_Header)
        size = len(self._roster)
        if header.stations != size:
            raise BadInput(f"the saved state has {header.stations} stations, {self._basin.code} has {size}; start anew")
        reader = _Reader(blob, end)
        self._kinds = list(header.kinds)
        self._newest = reader.take(np.int64, len(self._kinds), size)
        self._value = reader.take(np.float64, len(self._kinds), size)
        self._burst = reader.take(np.int64, size)
        silence = Watch(reader.take(np.int64, size), self._interval)
        silence.pace = reader.take(np.float64, size)
        silence.silent = reader.take(np.bool_, size)
        silence.source = reader.take(np.int16, size)
        silence.since, silence.resumed = np.array(header.since, np.int64), np.array(header.resumed, np.int64)
        self._silence = silence
        self._ahead = set(header.ahead)
        if self._units is not None and header.units:
            self._units.load(header.units)


class _Reader:
    """Takes arrays off bytes, one after another."""

    def __init__(self, blob: bytes, start: int) -> None:
        self._blob, self._at = blob, start

    def take(self, kind: Any, *shape: int) -> NDArray[Any]:
        count = int(np.prod(shape))
        found = np.frombuffer(self._blob, kind, count, self._at).reshape(shape).copy()
        self._at += found.nbytes
        return found
