"""Of several sources that tell of one value: which counts, and what has been told before.

The key of a value is station, quantity and time; of its telling, these and the source. What a source tells again is no
news; what it tells otherwise corrects it; what another source tells otherwise counts where its rank is no lower. None
is lost: the value that does not count is kept as a version of the one that does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.quantities import quantities, quantity
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.gather.cells import pack_cells, unpack_cells
from liuyu.monitor.gather.silence import NEVER
from liuyu.store.interface import Store

REMEMBERED = 3 * DAY
NOBODY = -1
Origin = NDArray[np.int16]
_Key = tuple[int, int]
_Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Sorted:
    """What counts, by arrival, with the number of its source (n,); and what is only to be kept as a version.

    `outdone` is written before `batch`, and `restored`, which stood there before, behind both.
    """

    batch: Batch
    origin: Origin
    outdone: Batch
    restored: Batch


class _Memory(msgspec.Struct, array_like=True):
    """What outlives the process: the arrays as bytes, and who told the newest values of contested series."""

    names: list[str]
    cells: list[bytes]
    contested: dict[str, dict[int, int]]


class Precedence:
    """Numbers sources by name in order of appearance, and sorts out what they deliver together.

    ranks: by source; one that has none has 0.
    """

    name = "precedence"

    def __init__(self, roster: Roster, ranks: Mapping[str, int]) -> None:
        self._roster, self._ranks = roster, ranks
        self.names: list[str] = []
        kinds = max(each.number for each in quantities()) + 1
        self._newest = np.full((len(roster), kinds), NEVER, np.int64)
        self._owner = np.full((len(roster), kinds), NOBODY, np.int16)
        self._contested: dict[_Key, dict[int, int]] = {}

    def number(self, source: str) -> int:
        """The number of a source."""
        if source not in self.names:
            self.names.append(source)
        return self.names.index(source)

    def sort_out(self, batch: Batch, origin: Origin, store: Store) -> Sorted:
        """Sort out a batch in order of arrival. Later values count before earlier ones where no rank says otherwise."""
        nothing = batch.take(slice(0, 0))
        if not len(batch):
            return Sorted(batch, origin, nothing, nothing)
        batch, origin, outdone = self._within(batch, origin)
        known = batch.time <= self._newest[batch.station, batch.quantity]
        restored = nothing
        if known.any():
            upset = {key for part in outdone for key in _keys(part)}
            keep, beaten, restored = self._against(batch, origin, np.flatnonzero(known), upset, store)
            outdone = [*outdone, batch.take(beaten)]
            batch, origin = batch.take(keep), origin[keep]
        self._note(batch, origin)
        return Sorted(batch, origin, Batch.join(outdone), restored)

    def _within(self, batch: Batch, origin: Origin) -> tuple[Batch, Origin, list[Batch]]:
        """One row for each key, of the highest rank and of it the last; those it outdoes, where they differ."""
        rank = self._rank(origin)
        if len(set(rank.tolist())) > 1:
            order = np.argsort(rank, kind="stable")
            batch, origin = batch.take(order), origin[order]
        order = np.lexsort((batch.quantity, batch.station, batch.time))
        columns = (batch.time[order], batch.station[order], batch.quantity[order])
        last = np.ones(len(batch), np.bool_)
        last[:-1] = np.any([each[1:] != each[:-1] for each in columns], axis=0)
        if last.all():
            return batch, origin, [batch.take(slice(0, 0))]
        winner = order[np.flatnonzero(last)[np.cumsum(last) - last]]
        differs = ~last & (batch.value[order] != batch.value[winner])
        keep = np.sort(order[last])
        return batch.take(keep), origin[keep], [batch.take(np.sort(order[differs]))]

    def _against(
        self, batch: Batch, origin: Origin, known: NDArray[np.intp], upset: set[_Place], store: Store
    ) -> tuple[NDArray[np.bool_], NDArray[np.intp], Batch]:
        """Which rows count beside what the store holds; which are outdone; and what these and `upset` replace."""
        told = self._told(batch.take(known), store)
        keep = np.ones(len(batch), np.bool_)
        beaten: list[int] = []
        held: list[tuple[int, int, int, float, int]] = []
        for row in known.tolist():
            key = (int(batch.station[row]), int(batch.quantity[row]))
            time, source = int(batch.time[row]), int(origin[row])
            found = told.get((*key, time))
            if found is None:
                continue
            value, flag = found
            holder = self._holder(key, time)
            lower = holder != NOBODY and self._rank_of(source) < self._rank_of(holder)
            if value == batch.value[row]:
                keep[row] = False
                if not lower:
                    self._remember(key, time, source)
                if (*key, time) in upset:
                    held.append((*key, time, value, flag))
            elif lower:
                keep[row] = False
                beaten.append(row)
                held.append((*key, time, value, flag))
        restored = Batch.of(
            self._roster,
            [each[0] for each in held],
            [each[1] for each in held],
            [each[2] for each in held],
            [each[3] for each in held],
            [each[4] for each in held],
            batch.source,
        )
        return keep, np.array(beaten, np.intp), restored

    def _told(self, batch: Batch, store: Store) -> dict[_Place, tuple[float, int]]:
        """Value and flag of what the store holds of the keys of a batch; asked for day by day, since few are old."""
        found: dict[_Place, tuple[float, int]] = {}
        days = batch.time // DAY
        for day in np.unique(days).tolist():
            part = batch.take(days == day)
            held = self._held(part, store)
            held = held.take(np.isin(held.time, part.time))
            columns = (held.station, held.quantity, held.time, held.value, held.flag)
            for station, kind, time, value, flag in zip(*(each.tolist() for each in columns), strict=True):
                found[station, kind, time] = (value, flag)
        return found

    def _held(self, batch: Batch, store: Store) -> Batch:
        stations = [self._roster.codes[place] for place in np.unique(batch.station).tolist()]
        kinds = [quantity(number).name for number in np.unique(batch.quantity).tolist()]
        return store.window(stations, kinds, int(batch.time.min()), int(batch.time.max()) + 1, self._roster)

    def _note(self, batch: Batch, origin: Origin) -> None:
        """Remember who told what counts now."""
        at = (batch.station, batch.quantity)
        owner = self._owner[at]
        self._owner[at] = np.where(owner == NOBODY, origin, owner)
        other = self._owner[at] != origin
        keys = {(int(batch.station[row]), int(batch.quantity[row])) for row in np.flatnonzero(other).tolist()}
        for key in sorted(keys - self._contested.keys()):
            self._contested[key] = {}
        np.maximum.at(self._newest, at, batch.time)
        if self._contested:
            contested = np.zeros(self._owner.shape, np.bool_)
            contested[tuple(np.array(list(self._contested)).T)] = True
            for row in np.flatnonzero(contested[at]).tolist():
                key = (int(batch.station[row]), int(batch.quantity[row]))
                self._remember(key, int(batch.time[row]), int(origin[row]))

    def _remember(self, key: _Key, time: int, source: int) -> None:
        tellers = self._contested.get(key)
        if tellers is None:
            if self._owner[key] in (NOBODY, source):
                return
            tellers = self._contested[key] = {}
        tellers.pop(time, None)
        tellers[time] = source
        oldest = next(iter(tellers))
        while oldest < self._newest[key] - REMEMBERED and len(tellers) > 1:
            del tellers[oldest]
            oldest = next(iter(tellers))

    def _holder(self, key: _Key, time: int) -> int:
        return self._contested.get(key, {}).get(time, int(self._owner[key]))

    def _rank_of(self, source: int) -> int:
        return self._ranks.get(self.names[source], 0)

    def _rank(self, origin: Origin) -> NDArray[np.int64]:
        return np.array([self._rank_of(each) for each in range(len(self.names))], np.int64)[origin]

    def dump(self) -> bytes:
        """The whole memory."""
        contested = {f"{station} {kind}": tellers for (station, kind), tellers in self._contested.items()}
        cells = pack_cells(self._owner != NOBODY, self._newest, self._owner)
        return msgspec.msgpack.encode(_Memory(self.names, cells, contested))

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        memory = msgspec.msgpack.decode(blob, type=_Memory)
        self.names = memory.names
        unpack_cells(memory.cells, self._newest, self._owner)
        pairs = ((key.split(), tellers) for key, tellers in memory.contested.items())
        self._contested = {(int(key[0]), int(key[1])): dict(tellers) for key, tellers in pairs}


def _keys(batch: Batch) -> Iterator[_Place]:
    return zip(batch.station.tolist(), batch.quantity.tolist(), batch.time.tolist(), strict=True)
