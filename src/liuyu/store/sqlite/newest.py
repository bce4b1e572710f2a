"""The `latest` table: the newest usable observation of every series, kept right through corrections and new flags.

A series is one number here: station << 16 | quantity.
"""

from __future__ import annotations

import apsw
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, last_usable, newest_with_history
from liuyu.store.history import History
from liuyu.store.sqlite.columns import bind, fetch, pack, stage
from liuyu.store.sqlite.rows import rows
from liuyu.store.sqlite.schema import BLOCK_OF, USABLE

LOOK_BACK = 10 * DAY
"""How long before a moment `latest(at=...)` looks [s]."""

_ADVANCE = """
INSERT INTO latest SELECT {row}.station, {row}.quantity, {row}.time, {row}.value, {row}.flag {tables} WHERE {usable}
ON CONFLICT DO UPDATE SET time = excluded.time, value = excluded.value, flag = excluded.flag
WHERE excluded.time >= latest.time
"""
_LOST = f"""
CROSS JOIN latest l ON l.station = o.station AND l.quantity = o.quantity AND l.time = o.time
WHERE ({USABLE.format("o")}) IS NOT TRUE
"""
_DROP = """
DELETE FROM latest WHERE (station, quantity) IN (SELECT value >> 16, value & 65535 FROM carray(:series))
"""
_NEWEST_IN_BLOCKS = f"""
FROM (SELECT p.value >> 16 AS station, p.value & 65535 AS quantity, (
        SELECT max(n.time) FROM carray(:blocks) b CROSS JOIN observation n
        WHERE n.block = b.value AND n.station = p.value >> 16 AND n.quantity = p.value & 65535
            AND n.time <= :at AND {USABLE.format("n")}) AS time
    FROM carray(:series) p) f
CROSS JOIN observation o
    ON o.block = {BLOCK_OF.format("f.time")} AND o.station = f.station AND o.quantity = f.quantity AND o.time = f.time
"""


def advance(writer: apsw.Connection) -> None:
    """Take what is on the stage, all of it new."""
    writer.execute(_ADVANCE.format(row="s", tables="FROM temp.staged s", usable=USABLE.format("s")))


def follow(writer: apsw.Connection, history: History, meet: str) -> None:
    """Take what the store now holds for the keys on the stage, where `meet` joins them with their rows as `o`.

    A row that came to be usable may be the newest; one that ceased to be has the newest before it sought.
    """
    writer.execute(_ADVANCE.format(row="o", tables=meet, usable=USABLE.format("o")))
    place, time = fetch(writer, ["l.station << 16 | l.quantity", "l.time"], meet + _LOST)
    if not len(place):
        return
    series, until = np.unique(place.astype(np.int64)), int(time.max())
    writer.execute(_DROP, bind({"series": series}))
    found = _search(writer, series, until, None)
    if history.months:
        found = newest_with_history(history, series, found, until, lambda *asked: rows(writer, history, *asked))
    station, quantity, moments, value, flag = found
    stage(writer, pack(station, quantity, flag.astype(np.int64)), moments.astype(np.int64), value)
    advance(writer)


def latest(connection: apsw.Connection, history: History, at: int | None) -> Columns:
    """COLUMNS of the newest usable row of every series; with `at`, the newest at or before it within LOOK_BACK."""
    known = fetch(connection, COLUMNS, "FROM latest ORDER BY station, quantity")
    if at is None:
        return known
    if history.covers(at - LOOK_BACK, at + 1):
        return last_usable(rows(connection, history, None, None, at - LOOK_BACK, at + 1))
    time = known[2]
    stands = (time <= at) & (time >= at - LOOK_BACK)
    later = time > at
    series = (known[0][later].astype(np.int64) << 16) | known[1][later].astype(np.int64)
    found = _search(connection, series, at, at - LOOK_BACK)
    joined = [np.concatenate([column[stands], more]) for column, more in zip(known, found, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return [column[order] for column in joined]


def _search(connection: apsw.Connection, series: NDArray[np.int64], at: int, oldest: int | None) -> Columns:
    """Newest usable live rows at or before a time, back to the oldest, or to the first block, in growing strides."""
    first = connection.execute("SELECT min(block) FROM observation").get
    parts: list[Columns] = [[np.empty(0) for _ in COLUMNS]]
    if first is None:
        return parts[0]
    last = min(at // BLOCK, int(connection.execute("SELECT max(block) FROM observation").get))
    first = int(first) if oldest is None else max(int(first), oldest // BLOCK)
    stride = 1
    while len(series) and last >= first:
        blocks = np.arange(max(first, last - stride + 1), last + 1)
        columns = [f"o.{name}" for name in COLUMNS]
        found = fetch(connection, columns, _NEWEST_IN_BLOCKS, {"series": series, "blocks": blocks, "at": at})
        parts.append(found)
        done = (found[0].astype(np.int64) << 16) | found[1].astype(np.int64)
        series = series[~np.isin(series, done)]
        last, stride = last - stride, stride * 8
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    recent = joined[2] >= (-np.inf if oldest is None else oldest)
    return [column[recent] for column in joined]
