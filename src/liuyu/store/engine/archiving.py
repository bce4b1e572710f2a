"""Moving whole months from the live tables to the Parquet history, and bringing days back that late data change."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.series import Batch
from liuyu.store.batches import BLOCK
from liuyu.store.columns import ALL_COLUMNS
from liuyu.store.engine.engine import Engine
from liuyu.store.engine.names import source_names
from liuyu.store.engine.rollups import summed_until
from liuyu.store.engine.session import Session
from liuyu.store.engine.tables import Tables, span
from liuyu.store.grids import Grids
from liuyu.store.history import History, month_of, month_table

if TYPE_CHECKING:
    import pyarrow as pa

S = TypeVar("S", bound=Session)

ROWS_AT_ONCE = 2_000_000
"""How many rows an archiving run holds in memory, about."""


def archive(engine: Engine[S], tables: Tables[S], history: History, before: int) -> int:
    """Move the months that end at or before a time and whose roll-ups are complete; returns the live rows moved.

    The month is written first, then named in the manifest, then taken from the live tables: a crash between leaves
    rows in both places, of which the live ones count, and the next run moves them again.
    """
    history.tidy()
    moved = 0
    while True:
        with engine.writing() as writer:
            month = _oldest_month(writer, before)
            if month is None:
                return moved
            _, start, end = month
            history.publish(month, _tables(writer, tables, history, start, end))
            moved += tables.take_away(writer, start, end)
            writer.ask("DELETE FROM hourly WHERE day >= ? AND day < ?", (start // DAY, end // DAY))


def bring_back(writer: S, tables: Tables[S], history: History, batch: Batch) -> None:
    """Copy to the live table the archived days of series that a batch is about to change.

    So a value that comes again is seen to be the same or a correction, and the roll-ups of its day can be summed again.
    """
    late = np.zeros(len(batch), bool)
    for month in history.months:
        late |= (batch.time >= month.start) & (batch.time < month.end)
    if not late.any():
        return
    station = tables.names.of_roster(writer, batch.roster)[batch.station]
    late &= station >= 0
    if not late.any():
        return
    wanted = np.unique(_day_key(station[late], batch.quantity[late], batch.time[late]))
    start, end = int(batch.time[late].min()) // DAY * DAY, (int(batch.time[late].max()) // DAY + 1) * DAY
    codes = writer.station_codes()
    stations = {number: codes[number] for number in np.unique(station[late]).tolist()}
    number = np.unique(batch.quantity[late]).astype(np.int64)
    columns = history.read(stations, number, start, end, ALL_COLUMNS, source_names(writer))
    columns = [column[np.isin(_day_key(*columns[:3]), wanted)] for column in columns]
    if len(columns[0]):
        tables.bring(writer, columns)
        # The hours of an archived month are gone, and a day is summed from its hours.
        station, quantity, time = (column.astype(np.int64) for column in columns[:3])
        tables.sum_hours(writer, (station << 16) | quantity, time)


def _day_key(station: NDArray[Any], quantity: NDArray[Any], time: NDArray[Any]) -> NDArray[np.int64]:
    series = (np.asarray(station, np.int64) << 8) | np.asarray(quantity, np.int64)
    return (series << 24) + np.asarray(time, np.int64) // DAY + 1_000_000


def tidy(engine: Engine[S], history: History, grids: Grids) -> None:
    """Clear away what an earlier process left unfinished."""
    history.tidy()
    with engine.reading() as reader:
        grids.tidy({folder for (folder,) in reader.ask("SELECT folder FROM grid")})


def _oldest_month(session: Session, before: int) -> tuple[str, int, int] | None:
    blocks = span(session)
    if blocks is None:
        return None
    month = month_of(blocks[0] * BLOCK)
    return month if month[2] <= min(before, summed_until(session) or 0) else None


def _tables(session: S, tables: Tables[S], history: History, start: int, end: int) -> Iterator[pa.Table]:
    """A month's rows by station code, quantity and time, some stations at a time."""
    codes = sorted((code, number) for number, code in session.station_codes().items())
    count = session.ask(
        "SELECT count(*) FROM observation WHERE block >= ? AND block < ?", (start // BLOCK, end // BLOCK)
    )[0][0]
    count += sum(month.rows for month in history.months if month.start == start)
    share = max(1, int(len(codes) * ROWS_AT_ONCE / max(count, 1)))
    for first in range(0, len(codes), share):
        part = codes[first : first + share]
        numbers = np.array([number for _, number in part], np.int64)
        columns = tables.rows(session, numbers, None, start, end, ALL_COLUMNS)
        yield month_table(part, source_names(session), columns)
