"""Moving whole months from the live tables to the Parquet history, and bringing days back that late data change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.series import Batch
from liuyu.store.batches import BLOCK
from liuyu.store.columns import ALL_COLUMNS
from liuyu.store.grids import Grids
from liuyu.store.history import History, month_of, month_table
from liuyu.store.postgres.columns import stage
from liuyu.store.postgres.days import Days
from liuyu.store.postgres.engine import Engine
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.names import Names, source_names, station_codes
from liuyu.store.postgres.rollups import sum_hours, summed_until
from liuyu.store.postgres.rows import rows

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 2_000_000
"""How many rows an archiving run holds in memory, about."""


def archive(engine: Engine, days: Days, history: History, before: int) -> int:
    """Move the months that end at or before a time and whose roll-ups are complete; returns the live rows moved.

    The month is written first, then named in the manifest, then its days are dropped: a crash between leaves rows in
    both places, of which the live ones count, and the next run moves them again.
    """
    history.tidy()
    moved = 0
    while True:
        with engine.writing() as writer:
            month = _oldest_month(writer, before)
            if month is None:
                return moved
            _, start, end = month
            history.publish(month, _tables(writer, history, start, end))
            moved += days.drop(writer, start, end)
            writer.execute("DELETE FROM hourly WHERE day >= %s AND day < %s", (start // DAY, end // DAY))


def bring_back(writer: Link, names: Names, days: Days, history: History, batch: Batch) -> None:
    """Copy to the live table the archived days of series that a batch is about to change.

    So a value that comes again is seen to be the same or a correction, and the roll-ups of its day can be summed again.
    """
    late = np.zeros(len(batch), bool)
    for month in history.months:
        late |= (batch.time >= month.start) & (batch.time < month.end)
    if not late.any():
        return
    station = names.of_roster(writer, batch.roster)[batch.station]
    late &= station >= 0
    if not late.any():
        return
    wanted = np.unique(_day_key(station[late], batch.quantity[late], batch.time[late]))
    start, end = int(batch.time[late].min()) // DAY * DAY, (int(batch.time[late].max()) // DAY + 1) * DAY
    codes = station_codes(writer)
    stations = {number: codes[number] for number in np.unique(station[late]).tolist()}
    number = np.unique(batch.quantity[late]).astype(np.int64)
    columns = history.read(stations, number, start, end, ALL_COLUMNS, source_names(writer))
    columns = [column[np.isin(_day_key(*columns[:3]), wanted)] for column in columns]
    if not len(columns[0]):
        return
    days.ensure(writer, columns[2].astype(np.int64))
    stage(writer, "brought", {**dict(zip(ALL_COLUMNS, columns, strict=True)), "block": columns[2] // BLOCK})
    writer.execute("INSERT INTO observation SELECT * FROM pg_temp.brought ON CONFLICT DO NOTHING")
    # The hours of an archived month are gone, and a day is summed from its hours.
    station, quantity, time = (column.astype(np.int64) for column in columns[:3])
    sum_hours(writer, (station << 16) | quantity, time)


def _day_key(station: NDArray[Any], quantity: NDArray[Any], time: NDArray[Any]) -> NDArray[np.int64]:
    series = (np.asarray(station, np.int64) << 8) | np.asarray(quantity, np.int64)
    return (series << 24) + np.asarray(time, np.int64) // DAY + 1_000_000


def tidy(engine: Engine, history: History, grids: Grids) -> None:
    """Clear away what an earlier process left unfinished."""
    history.tidy()
    with engine.reading() as reader:
        grids.tidy({folder for (folder,) in reader.execute("SELECT folder FROM grid")})


def _oldest_month(link: Link, before: int) -> tuple[str, int, int] | None:
    block = link.execute("SELECT min(block) FROM observation").fetchall()[0][0]
    if block is None:
        return None
    month = month_of(block * BLOCK)
    return month if month[2] <= min(before, summed_until(link) or 0) else None


def _tables(link: Link, history: History, start: int, end: int) -> Iterator[pa.Table]:
    """A month's rows by station code, quantity and time, some stations at a time."""
    codes = sorted((code, number) for number, code in station_codes(link).items())
    count = link.execute(
        "SELECT count(*) FROM observation WHERE block >= %s AND block < %s", (start // BLOCK, end // BLOCK)
    ).fetchall()[0][0]
    count += sum(month.rows for month in history.months if month.start == start)
    share = max(1, int(len(codes) * ROWS_AT_ONCE / max(count, 1)))
    for first in range(0, len(codes), share):
        part = codes[first : first + share]
        numbers = np.array([number for _, number in part], np.int64)
        columns = rows(link, history, numbers, None, start, end, ALL_COLUMNS)
        yield month_table(part, source_names(link), columns)
