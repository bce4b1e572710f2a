"""Quality control of live values: judged on arrival, judged again when what follows settles them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.events import Event, QualityNote, announce
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantities, quantity
from liuyu.basin.series import Batch
from liuyu.monitor.quality.arrive import FLOW, LEVEL, arrive, locate, look_beside
from liuyu.monitor.quality.memory import Memory, empty, grown, joined, pack, unpack
from liuyu.monitor.quality.neighbours import beside
from liuyu.monitor.quality.parameters import law_table
from liuyu.monitor.quality.table import TESTS, QualityTest

PART = 8
"""Series in a part of the memory: few, so that a step of few stations changes little."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch with flags; `tests` (n,) says which test decided each; `revised` holds earlier values judged anew."""

    batch: Batch
    tests: NDArray[np.uint8]
    revised: Batch
    events: list[Event]


class Quality:
    """The quality stage of a basin's pipeline. Values of a series may come late and out of order."""

    name = "quality"

    def __init__(self, basin: Basin) -> None:
        self._basin = basin
        self._laws = law_table()
        self._memory: Memory = empty(0)
        self._series = 0
        self._changed: set[int] = set()
        number = basin.roster.number
        self._beside = {number[code]: [number[each] for each in near] for code, near in beside(basin).items() if near}
        self._slot = np.full((len(basin.roster), max(each.number for each in quantities()) + 1), -1, np.int32)

    def step(self, batch: Batch, now: int) -> Checked:
        """Judge what arrived, in the order of the batch, and judge earlier values anew in its light.

        What its source calls BAD or MISSING stays that: it is neither judged nor learnt from.
        """
        condemned = batch.flag >= Flag.BAD
        if condemned.any():
            checked = self.step(batch.take(~condemned), now)
            flag, test = batch.flag.copy(), np.zeros(len(batch), np.uint8)
            flag[~condemned], test[~condemned] = checked.batch.flag, checked.tests
            return replace(checked, batch=batch.flagged(flag), tests=test)
        slot = self._slots(batch)
        place = np.empty(len(batch), np.int32)
        touched, walked = np.zeros(self._series, np.bool_), np.zeros(self._series, np.bool_)
        arrive(self._memory, slot, batch.time, batch.value, self._laws, place, touched, walked)
        locate(self._memory, slot, batch.time, place)
        look_beside(self._memory, slot, place, touched, walked, self._laws)
        self._change(slot, np.flatnonzero(touched), self._memory.mate[slot])
        flag, test = self._judged(slot, place)
        revised = self._revised(batch, np.flatnonzero(touched))
        events = self._notes(np.flatnonzero(touched), now)
        return Checked(batch.flagged(flag), test, revised, events)

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        return pack(self._memory, self._series)

    def load(self, blob: bytes) -> None:
        """Take the memory back. Raises BadInput where it was packed by another version."""
        self._take(*unpack(blob))

    def changes(self) -> Iterator[tuple[str, bytes]]:
        """The parts of the memory that changed since this was last called, each of a few series."""
        for part in sorted(self._changed):
            yield str(part), pack(self._memory, min((part + 1) * PART, self._series), part * PART)
        self._changed.clear()

    def load_parts(self, part: Callable[[str], bytes | None]) -> None:
        """Take the memory back from its parts. Raises BadInput where one was packed by another version."""
        parts: list[tuple[Memory, int]] = []
        while (blob := part(str(len(parts)))) is not None:
            parts.append(unpack(blob))
        self._take(*joined(parts))

    def _change(self, *slots: NDArray[np.integer[Any]]) -> None:
        for each in slots:
            self._changed.update(np.unique(each[each >= 0] // PART).tolist())

    def _take(self, memory: Memory, series: int) -> None:
        self._memory, self._series = memory, series
        self._changed = set()
        self._slot[...] = -1
        self._slot[self._memory.station, self._memory.quantity] = np.arange(self._series)

    def _slots(self, batch: Batch) -> NDArray[np.int32]:
        slot = self._slot[batch.station, batch.quantity]
        fresh = np.flatnonzero(slot < 0)
        if len(fresh) == 0:
            return slot
        keys = batch.station[fresh].astype(np.int64) * self._slot.shape[1] + batch.quantity[fresh]
        new = np.unique(keys)
        first, self._series = self._series, self._series + len(new)
        if self._series > len(self._memory.station):
            self._memory = grown(self._memory, max(self._series, 2 * len(self._memory.station)))
        memory, place = self._memory, slice(first, self._series)
        memory.station[place], memory.quantity[place] = np.divmod(new, self._slot.shape[1])
        memory.tip[place], memory.mate[place], memory.beside[place] = -1, -1, -1
        self._slot[memory.station[place], memory.quantity[place]] = np.arange(first, self._series)
        self._acquaint(range(first, self._series))
        return self._slot[batch.station, batch.quantity]

    def _acquaint(self, fresh: range) -> None:
        """Tell new series which other series of their station, and which gauges beside it, they are held against."""
        memory = self._memory
        for slot in fresh:
            station, measured = int(memory.station[slot]), int(memory.quantity[slot])
            if measured not in (LEVEL, FLOW):
                continue
            mate = self._slot[station, FLOW if measured == LEVEL else LEVEL]
            if mate >= 0:
                memory.mate[slot], memory.mate[mate] = mate, slot
                self._changed.add(int(mate) // PART)
            near = self._beside.get(station, []) if measured == LEVEL else []
            for other in (int(self._slot[each, LEVEL]) for each in near):
                if other >= 0:
                    self._introduce(slot, other)
                    self._introduce(other, slot)

    def _introduce(self, slot: int, other: int) -> None:
        row = self._memory.beside[slot]
        free = np.flatnonzero(row < 0)
        if len(free) and other not in row:
            row[free[0]] = other
            self._changed.add(slot // PART)

    def _judged(self, slot: NDArray[np.int32], place: NDArray[np.int32]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Flags and tests of what arrived, noted as told; what came too late for any comparison is not evaluated."""
        memory, there = self._memory, place >= 0
        at = np.where(there, place, 0)
        flag = np.where(there, memory.flag[slot, at], np.uint8(Flag.NOT_EVALUATED)).astype(np.uint8)
        test = np.where(there, memory.test[slot, at], np.uint8(QualityTest.GAP)).astype(np.uint8)
        memory.told[slot[there], at[there]] = flag[there]
        return flag, test

    def _revised(self, batch: Batch, series: NDArray[np.intp]) -> Batch:
        memory = self._memory
        within = np.arange(memory.time.shape[1]) < memory.filled[series][:, None]
        row, place = np.nonzero(within & (memory.flag[series] != memory.told[series]))
        slot = series[row]
        memory.told[slot, place] = memory.flag[slot, place]
        return replace(
            batch,
            station=memory.station[slot],
            quantity=memory.quantity[slot],
            time=memory.time[slot, place],
            value=memory.value[slot, place],
            flag=memory.flag[slot, place],
        ).ordered()

    def _notes(self, series: NDArray[np.intp], now: int) -> list[Event]:
        """One note when a series begins to be distrusted, one when it is trusted again."""
        memory = self._memory
        last = memory.filled[series] - 1
        doubt = memory.flag[series, last] >= Flag.SUSPECT
        turned = doubt != memory.doubted[series]
        memory.doubted[series] = doubt
        return [self._note(slot, place, now) for slot, place in zip(series[turned], last[turned], strict=True)]

    def _note(self, slot: int, place: int, now: int) -> Event:
        memory = self._memory
        station = self._basin.stations[memory.station[slot]]
        measured = quantity(int(memory.quantity[slot]))
        test = TESTS[memory.test[slot, place]]
        doubted = bool(memory.doubted[slot])
        value = float(memory.value[slot, place])
        zh = f"{station.name}{measured.name_zh}" + (f"存疑：{test.title['zh']}" if doubted else "恢复可信")
        name = measured.name.replace("_", " ")
        en = f"{station.name_en} {name}" + (f" doubted: {test.title['en']}" if doubted else " trusted again")
        note = QualityNote(
            id=f"quality:{station.code}:{measured.name}",
            station=station.code,
            quantity=measured.name,
            test=test.name if doubted else "",
            value=value if np.isfinite(value) else 0.0,
            title={"zh": zh, "en": en},
        )
        return announce(note, state="doubted" if doubted else "trusted", time=moment(now), subject=station.code)
