"""The tables of observations in SQLite. What each method promises is told in `engine/tables.py`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Batch
from liuyu.store.batches import BLOCK
from liuyu.store.columns import ALL_COLUMNS, COLUMNS, Columns, Numbers
from liuyu.store.engine.tables import Tables
from liuyu.store.interface import Written
from liuyu.store.sqlite import newest, observations, rollups
from liuyu.store.sqlite.link import Link
from liuyu.store.sqlite.rows import live_rows


class SqliteTables(Tables[Link]):
    """The tables in the main file."""

    def write(self, writer: Link, batch: Batch, received: int) -> Written:
        """Upsert a checked batch."""
        return observations.write(self, writer, batch, received)

    def reflag(self, writer: Link, batch: Batch) -> int:
        """Set flags by key."""
        return observations.reflag(self, writer, batch)

    def live_rows(
        self,
        session: Link,
        stations: Numbers,
        quantities: Numbers,
        start: int,
        end: int,
        columns: Sequence[str] = COLUMNS,
    ) -> Columns:
        """Columns of the live rows in [start, end)."""
        return live_rows(session, stations, quantities, start, end, columns)

    def newest_in_blocks(self, session: Link, series: NDArray[np.int64], blocks: NDArray[np.int64], at: int) -> Columns:
        """The newest usable row of each series that has one in some blocks."""
        return newest.newest_in_blocks(session, series, blocks, at)

    def hours(self, session: Link, station: int, quantity: int, start: int, end: int) -> Columns:
        """The hours that are kept."""
        return rollups.hours(session, station, quantity, start, end)

    def days(self, session: Link, station: int, quantity: int, start: int, end: int) -> Columns:
        """The days that are kept."""
        return rollups.days(session, station, quantity, start, end)

    def sum_hours(self, writer: Link, series: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum hours again."""
        return rollups.sum_hours(writer, series, time)

    def bring(self, writer: Link, columns: Columns) -> None:
        """Lay archived rows in the live table."""
        values = [
            column if name == "value" else column.astype(np.int64)
            for name, column in zip(ALL_COLUMNS, columns, strict=True)
        ]
        block = columns[2].astype(np.int64) // BLOCK
        writer.ask_many(
            "INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            zip(*(column.tolist() for column in (block, *values)), strict=True),
        )

    def take_away(self, writer: Link, start: int, end: int) -> int:
        """Delete the live rows of some days."""
        writer.execute("DELETE FROM observation WHERE block >= ? AND block < ?", (start // BLOCK, end // BLOCK))
        return writer.changes()
