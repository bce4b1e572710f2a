"""The `latest` table: the newest usable observation of every series, kept right through corrections and new flags.

A series is one number here: station << 16 | quantity.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.store.columns import COLUMNS, Columns
from liuyu.store.engine.newest import before
from liuyu.store.engine.tables import Tables
from liuyu.store.sqlite.columns import bind, pack, stage
from liuyu.store.sqlite.link import Link
from liuyu.store.sqlite.schema import BLOCK_OF, USABLE

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


def advance(writer: Link) -> None:
    """Take what is on the stage, all of it new."""
    writer.execute(_ADVANCE.format(row="s", tables="FROM temp.staged s", usable=USABLE.format("s")))


def follow(tables: Tables[Link], writer: Link, meet: str) -> None:
    """Take what the store now holds for the keys on the stage, where `meet` joins them with their rows as `o`.

    A row that came to be usable may be the newest; one that ceased to be has the newest before it sought.
    """
    writer.execute(_ADVANCE.format(row="o", tables=meet, usable=USABLE.format("o")))
    place, time = writer.fetch(["l.station << 16 | l.quantity", "l.time"], meet + _LOST)
    if not len(place):
        return
    series, until = np.unique(place.astype(np.int64)), int(time.max())
    writer.execute(_DROP, bind({"series": series}))
    station, quantity, moments, value, flag = before(tables, writer, series, until)
    stage(writer, pack(station, quantity, flag.astype(np.int64)), moments.astype(np.int64), value)
    advance(writer)


def newest_in_blocks(link: Link, series: NDArray[np.int64], blocks: NDArray[np.int64], at: int) -> Columns:
    """COLUMNS of the newest usable row at or before a time, of each series that has one in some blocks."""
    return link.fetch(
        [f"o.{name}" for name in COLUMNS], _NEWEST_IN_BLOCKS, {"series": series, "blocks": blocks, "at": at}
    )
