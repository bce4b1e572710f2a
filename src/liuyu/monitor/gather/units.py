"""Values that look as if they were told in another unit: ten, a hundred, a thousand times off, or feet for metres.

A value is held against the last one of its series that is not in doubt. It is doubted where their ratio is one of
FACTORS, or its inverse, within a few per cent, and besides one of these holds: the value is outside the legal range of
its quantity; three series of one source and quantity are off by the same factor at once; the series is off by the same
factor for the third time in a row. Rivers do rise tenfold; they seldom do so to the per cent, and stay there.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.quantities import quantities
from liuyu.basin.series import Batch
from liuyu.monitor.gather.cells import pack_cells, unpack_cells
from liuyu.monitor.gather.silence import NEVER

FACTORS = np.array([10.0, 100.0, 1000.0, 3.280839895, 0.1, 0.01, 0.001, 1 / 3.280839895])
NEAR = 0.03
TOGETHER = 3
IN_A_ROW = 3
UNITS = ("m", "m3/s", "m3")
NONE = -1


@dataclass(frozen=True, slots=True)
class Odd:
    """A source and quantity of which values began to look off by a factor, or ceased to: `factor` is then 0."""

    source: int
    quantity: int
    factor: float
    stations: tuple[int, ...]


class _Memory(msgspec.Struct, array_like=True):
    cells: list[bytes]
    told: list[tuple[int, int]]


class Units:
    """What must be remembered of n stations and every quantity to tell a wrong unit from a flood."""

    def __init__(self, stations: int) -> None:
        table = {each.number: each for each in quantities()}
        kinds = max(table) + 1
        self._shape = (stations, kinds)
        self._judged = np.array([each in table and table[each].unit in UNITS for each in range(kinds)])
        self._lower = np.array([table[each].lower if each in table else -np.inf for each in range(kinds)])
        self._upper = np.array([table[each].upper if each in table else np.inf for each in range(kinds)])
        self._time = np.full(self._shape, NEVER, np.int64)
        self._value = np.full(self._shape, np.nan)
        self._factor = np.full(self._shape, NONE, np.int8)
        self._count = np.zeros(self._shape, np.int8)
        self._told: set[tuple[int, int]] = set()

    def judge(self, batch: Batch, origin: NDArray[np.int16]) -> tuple[NDArray[np.bool_], list[Odd]]:
        """Which rows of a batch by time look off (n,), and of which sources that is news."""
        at = (batch.station, batch.quantity)
        factor = self._off(batch)
        off = factor != NONE
        if not off.any() and not self._told and not self._count.any():
            self._trust(batch, ~off)
            return off, []
        same = off & (factor == self._factor[at])
        count = np.where(off, np.where(same, self._count[at], 0) + 1, 0)
        outside = (batch.value < self._lower[batch.quantity]) | (batch.value > self._upper[batch.quantity])
        suspect = off & (outside | (count >= IN_A_ROW) | self._together(batch, origin, factor))
        self._factor[at], self._count[at] = factor, np.minimum(count, IN_A_ROW)
        self._trust(batch, ~off)
        return suspect, self._news(batch, origin, factor, suspect, off)

    def _off(self, batch: Batch) -> NDArray[np.int8]:
        """The factor by which each row is off its series' last trusted value, as a place in FACTORS."""
        base, age = self._value[batch.station, batch.quantity], batch.time - self._time[batch.station, batch.quantity]
        fit = self._judged[batch.quantity] & (base > 0) & (batch.value > 0) & (age > 0) & (age <= DAY)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.log(batch.value / base)
        apart = np.abs(ratio[:, None] - np.log(FACTORS)[None, :])
        nearest = apart.argmin(axis=1)
        near = fit & (apart[np.arange(len(batch)), nearest] < NEAR)
        return np.where(near, nearest, NONE).astype(np.int8)

    def _together(self, batch: Batch, origin: NDArray[np.int16], factor: NDArray[np.int8]) -> NDArray[np.bool_]:
        """Rows of which others of the same source and quantity are off by the same factor, at TOGETHER stations."""
        groups = np.stack([origin.astype(np.int64), batch.quantity, factor], axis=1)
        _, group = np.unique(groups, axis=0, return_inverse=True)
        pairs = np.unique(np.stack([group.ravel(), batch.station], axis=1), axis=0)
        many = np.bincount(pairs[:, 0]) >= TOGETHER
        together: NDArray[np.bool_] = many[group.ravel()] & (factor != NONE)
        return together

    def _trust(self, batch: Batch, rows: NDArray[np.bool_]) -> None:
        station, kind = batch.station[rows], batch.quantity[rows]
        newer = batch.time[rows] > self._time[station, kind]
        station, kind = station[newer], kind[newer]
        self._time[station, kind], self._value[station, kind] = batch.time[rows][newer], batch.value[rows][newer]

    def _news(
        self,
        batch: Batch,
        origin: NDArray[np.int16],
        factor: NDArray[np.int8],
        suspect: NDArray[np.bool_],
        off: NDArray[np.bool_],
    ) -> list[Odd]:
        news: list[Odd] = []
        pairs = sorted(set(zip(origin.tolist(), batch.quantity.tolist(), strict=True)))
        for source, kind in pairs:
            mine = (origin == source) & (batch.quantity == kind)
            if (mine & suspect).any() and (source, kind) not in self._told:
                self._told.add((source, kind))
                which = np.bincount(factor[mine & suspect]).argmax()
                stations = tuple(np.unique(batch.station[mine & suspect]).tolist())
                news.append(Odd(source, kind, float(FACTORS[which]), stations))
            elif (source, kind) in self._told and not (mine & off).any():
                self._told.discard((source, kind))
                news.append(Odd(source, kind, 0.0, ()))
        return news

    def dump(self) -> bytes:
        """The whole memory."""
        held = (self._time > NEVER) | (self._count > 0)
        cells = pack_cells(held, self._time, self._value, self._factor, self._count)
        return msgspec.msgpack.encode(_Memory(cells, sorted(self._told)))

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        memory = msgspec.msgpack.decode(blob, type=_Memory)
        unpack_cells(memory.cells, self._time, self._value, self._factor, self._count)
        self._told = set(memory.told)
