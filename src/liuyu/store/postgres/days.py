"""The daily partitions of the observations: made on demand, dropped as a whole."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput
from liuyu.store.batches import BLOCK
from liuyu.store.postgres.link import Link

PER_DAY = DAY // BLOCK
FARTHEST = 2**31 * BLOCK
"""Times beyond this [s] have no block number."""

_PREFIX = "observation_"


class Days:
    """Which days have their partition, as the writer knows it."""

    def __init__(self) -> None:
        self._known: set[int] | None = None

    def forget(self) -> None:
        """A transaction was taken back: what the writer remembers may be wrong."""
        self._known = None

    def ensure(self, writer: Link, time: NDArray[np.int64]) -> None:
        """Make the partitions that rows of these times need. Raises BadInput for a time out of all bounds."""
        far = np.abs(time) >= FARTHEST
        if far.any():
            raise BadInput(f"time {int(time[far][0])} is no second since 1970 that a calendar has; mend the source")
        for day in np.unique(time // DAY).tolist():
            if day not in self.known(writer):
                _make(writer, day)
                self.known(writer).add(day)

    def drop(self, writer: Link, start: int, end: int) -> int:
        """Drop the partitions of the days in [start, end) [s UTC]; returns how many rows they held."""
        rows = 0
        for day in sorted(each for each in self.known(writer) if start <= each * DAY < end):
            rows += writer.execute(f'SELECT count(*) FROM "{partition(day)}"').fetchall()[0][0]
            writer.execute(f'DROP TABLE "{partition(day)}"')
            self.known(writer).discard(day)
        return rows

    def known(self, writer: Link) -> set[int]:
        """The days that have a partition."""
        if self._known is None:
            names = writer.execute(
                "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
                " WHERE i.inhparent = 'observation'::regclass"
            ).fetchall()
            days = [np.datetime64(str(name).removeprefix(_PREFIX), "D") for (name,) in names]
            self._known = {int(day.astype(np.int64)) for day in days}
        return self._known


def partition(day: int) -> str:
    """The name of a day's partition.

    >>> partition(18484)
    'observation_2020-08-10'
    """
    return f"{_PREFIX}{np.datetime64(day, 'D')}"


def _make(writer: Link, day: int) -> None:
    """A table made aside and attached does not wait for readers of the others, nor they for it."""
    name, first = partition(day), day * PER_DAY
    writer.execute(f'CREATE TABLE "{name}" (LIKE observation INCLUDING ALL)')
    writer.execute(
        f'ALTER TABLE observation ATTACH PARTITION "{name}" FOR VALUES FROM ({first}) TO ({first + PER_DAY})',
        prepare=False,
    )
