"""Observations in columns: how values travel between stages and into the store.

Fifty thousand values a second leave no time for an object each, so a batch is a struct of arrays. Times are whole
seconds since 1970-01-01 UTC; values are in the unit of their quantity (see `quantities.csv`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.flags import Flag


@dataclass(frozen=True)
class Roster:
    """Station codes in a fixed order; a batch holds places in it instead of text."""

    codes: tuple[str, ...]

    @cached_property
    def number(self) -> dict[str, int]:
        """Place of a code in the roster."""
        return {code: place for place, code in enumerate(self.codes)}

    def __len__(self) -> int:
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class Batch:
    """Observations in columns, all of equal length n.

    station: (n,) int32, place in `roster`. quantity: (n,) int16, `Quantity.number`. time: (n,) int64 [s UTC], the time
    of observation. value: (n,) float64 [unit of the quantity]. flag: (n,) uint8, a `Flag`. `source`: whence.
    """

    roster: Roster
    station: NDArray[np.int32]
    quantity: NDArray[np.int16]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8]
    source: str = ""

    @classmethod
    def of(
        cls,
        roster: Roster,
        station: Iterable[int],
        quantity: Iterable[int],
        time: Iterable[int],
        value: Iterable[float],
        flag: Iterable[int] | None = None,
        source: str = "",
    ) -> Batch:
        """A batch from any sequences; without flags every value is NOT_EVALUATED."""
        values = np.asarray(value, dtype=np.float64)
        flags = np.full(values.shape, Flag.NOT_EVALUATED, np.uint8) if flag is None else np.asarray(flag, np.uint8)
        return cls(
            roster,
            np.asarray(station, np.int32),
            np.asarray(quantity, np.int16),
            np.asarray(time, np.int64),
            values,
            flags,
            source,
        )

    @classmethod
    def empty(cls, roster: Roster, source: str = "") -> Batch:
        """A batch of nothing."""
        return cls.of(roster, (), (), (), (), (), source)

    def __len__(self) -> int:
        return len(self.time)

    def take(self, where: NDArray[np.bool_] | NDArray[np.intp] | slice) -> Batch:
        """The observations at a mask, at places or in a slice."""
        return replace(
            self,
            station=self.station[where],
            quantity=self.quantity[where],
            time=self.time[where],
            value=self.value[where],
            flag=self.flag[where],
        )

    def usable(self) -> Batch:
        """The values that models and alerts may use: flag GOOD or NOT_EVALUATED, and a number."""
        return self.take((self.flag <= Flag.NOT_EVALUATED) & np.isfinite(self.value))

    def flagged(self, flag: NDArray[np.uint8]) -> Batch:
        """The same observations with other flags."""
        return replace(self, flag=flag)

    def ordered(self) -> Batch:
        """The same observations by time, then station, then quantity."""
        return self.take(np.lexsort((self.quantity, self.station, self.time)))

    @classmethod
    def join(cls, batches: Sequence[Batch]) -> Batch:
        """Batches of one roster, one after another. The source is the first's."""
        first = batches[0]
        return replace(
            first,
            station=np.concatenate([each.station for each in batches]),
            quantity=np.concatenate([each.quantity for each in batches]),
            time=np.concatenate([each.time for each in batches]),
            value=np.concatenate([each.value for each in batches]),
            flag=np.concatenate([each.flag for each in batches]),
        )


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one station, by time. time: (n,) int64 [s UTC]; value: (n,) float64 [unit]; flag: (n,) uint8."""

    station: str
    quantity: str
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    flag: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))

    def __len__(self) -> int:
        return len(self.time)

    def usable(self) -> Series:
        """The values that models and alerts may use: flag GOOD or NOT_EVALUATED, and a number."""
        keep = (self.flag <= Flag.NOT_EVALUATED) & np.isfinite(self.value)
        return Series(self.station, self.quantity, self.time[keep], self.value[keep], self.flag[keep])


@dataclass(frozen=True, slots=True)
class Aside:
    """What a stage could not use, kept raw: whence it came, why it was set aside, and the bytes themselves."""

    source: str
    reason: str
    payload: bytes
