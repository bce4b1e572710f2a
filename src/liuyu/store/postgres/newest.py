"""The `latest` table: the newest usable observation of every series, kept right through corrections and new flags.

A series is one number here: station << 16 | quantity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from liuyu.store.columns import COLUMNS, Columns
from liuyu.store.engine.newest import before
from liuyu.store.engine.tables import Tables
from liuyu.store.postgres.columns import copy_in
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.schema import USABLE

_ADVANCE = """
INSERT INTO latest (station, quantity, time, value, flag) {rows}
ON CONFLICT (station, quantity) DO UPDATE SET time = excluded.time, value = excluded.value, flag = excluded.flag
WHERE excluded.time >= latest.time
"""
_STAGED = "SELECT station, quantity, time, value, flag FROM pg_temp.stage WHERE newest = 1"
_MET = (
    "SELECT DISTINCT ON (o.station, o.quantity) o.station, o.quantity, o.time, o.value, o.flag {meet}"
    f" WHERE {USABLE.format('o')} ORDER BY o.station, o.quantity, o.time DESC"
)
_LOST = f"""
CROSS JOIN LATERAL (
    SELECT * FROM latest k WHERE k.station = o.station AND k.quantity = o.quantity AND k.time = o.time OFFSET 0
) l
WHERE NOT ({USABLE.format("o")})
"""
_DROP = """
DELETE FROM latest WHERE ctid = ANY(ARRAY(
    SELECT l.at FROM unnest(%(series)s) p CROSS JOIN LATERAL (
        SELECT k.ctid AS at FROM latest k
        WHERE k.station = (p >> 16)::int AND k.quantity = (p & 65535)::smallint OFFSET 0
    ) l
))
"""
_NEWEST_IN_BLOCKS = f"""
FROM unnest(%(series)s) p CROSS JOIN LATERAL (
    SELECT n.* FROM unnest(%(blocks)s) b CROSS JOIN LATERAL (
        SELECT * FROM observation m
        WHERE m.block = b AND m.station = (p >> 16)::int AND m.quantity = (p & 65535)::smallint
            AND m.block >= %(low)s AND m.block <= %(high)s AND m.time <= %(at)s AND {USABLE.format("m")}
        ORDER BY m.time DESC LIMIT 1
    ) n ORDER BY n.time DESC LIMIT 1
) o ORDER BY o.station, o.quantity
"""


def advance(writer: Link) -> None:
    """Take what is on the stage, all of it new."""
    writer.execute(_ADVANCE.format(rows=_STAGED))


def follow(tables: Tables[Link], writer: Link, meet: str, values: Mapping[str, int]) -> None:
    """Take what the store now holds for the keys on the stage, where `meet` joins them with their rows as `o`.

    A row that came to be usable may be the newest; one that ceased to be has the newest before it sought.
    """
    writer.execute(_ADVANCE.format(rows=_MET.format(meet=meet)), values)
    place, time = writer.fetch(["(l.station::bigint << 16) | l.quantity", "l.time"], meet + _LOST, values)
    if not len(place):
        return
    series, until = np.unique(place.astype(np.int64)), int(time.max())
    writer.execute(_DROP, {"series": series})
    found = before(tables, writer, series, until)
    if len(found[0]):
        copy_in(writer, "latest", dict(zip(COLUMNS, found, strict=True)))


def newest_in_blocks(link: Link, series: NDArray[np.int64], blocks: NDArray[np.int64], at: int) -> Columns:
    """COLUMNS of the newest usable row at or before a time, of each series that has one in some blocks."""
    values = {"series": series, "blocks": blocks, "low": int(blocks[0]), "high": int(blocks[-1]), "at": at}
    return link.fetch([f"o.{name}" for name in COLUMNS], _NEWEST_IN_BLOCKS, values)
