"""The `latest` table: the newest usable observation of every series, kept right through corrections and new flags.

A series is one number here: station << 16 | quantity.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, last_usable, newest_with_history
from liuyu.store.history import History
from liuyu.store.postgres.columns import copy_in, fetch
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.rows import rows, span
from liuyu.store.postgres.schema import USABLE

LOOK_BACK = 10 * DAY
"""How long before a moment `latest(at=...)` looks [s]."""

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
JOIN latest l ON l.station = o.station AND l.quantity = o.quantity AND l.time = o.time WHERE NOT ({USABLE.format("o")})
"""
_DROP = """
DELETE FROM latest l USING unnest(%(series)s) p WHERE l.station = (p >> 16)::int AND l.quantity = (p & 65535)::smallint
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


def follow(writer: Link, history: History | None, meet: str, values: Mapping[str, int]) -> None:
    """Take what the store now holds for the keys on the stage, where `meet` joins them with their rows as `o`.

    A row that came to be usable may be the newest; one that ceased to be has the newest before it sought.
    """
    writer.execute(_ADVANCE.format(rows=_MET.format(meet=meet)), values)
    place, time = fetch(writer, ["(l.station::bigint << 16) | l.quantity", "l.time"], meet + _LOST, values)
    if not len(place):
        return
    series, until = np.unique(place.astype(np.int64)), int(time.max())
    writer.execute(_DROP, {"series": series})
    found = _search(writer, series, until, None)
    if history is not None and history.months:
        found = newest_with_history(history, series, found, until, lambda *asked: rows(writer, history, *asked))
    if len(found[0]):
        copy_in(writer, "latest", dict(zip(COLUMNS, found, strict=True)))


def latest(link: Link, history: History | None, at: int | None) -> Columns:
    """COLUMNS of the newest usable row of every series; with `at`, the newest at or before it within LOOK_BACK."""
    known = fetch(link, COLUMNS, "FROM latest ORDER BY station, quantity")
    if at is None:
        return known
    if history is not None and history.covers(at - LOOK_BACK, at + 1):
        return last_usable(rows(link, history, None, None, at - LOOK_BACK, at + 1))
    time = known[2]
    stands = (time <= at) & (time >= at - LOOK_BACK)
    later = time > at
    series = (known[0][later].astype(np.int64) << 16) | known[1][later].astype(np.int64)
    found = _search(link, series, at, at - LOOK_BACK)
    joined = [np.concatenate([column[stands], more]) for column, more in zip(known, found, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return [column[order] for column in joined]


def _search(link: Link, series: NDArray[np.int64], at: int, oldest: int | None) -> Columns:
    """Newest usable live rows at or before a time, back to the oldest, or to the first block, in growing strides."""
    parts: list[Columns] = [[np.empty(0) for _ in COLUMNS]]
    blocks = span(link)
    if blocks is None:
        return parts[0]
    last = min(at // BLOCK, blocks[1])
    first = blocks[0] if oldest is None else max(blocks[0], oldest // BLOCK)
    stride = 1
    while len(series) and last >= first:
        wanted = np.arange(max(first, last - stride + 1), last + 1)
        columns = [f"o.{name}" for name in COLUMNS]
        found = fetch(
            link,
            columns,
            _NEWEST_IN_BLOCKS,
            {"series": series, "blocks": wanted, "low": int(wanted[0]), "high": int(wanted[-1]), "at": at},
        )
        parts.append(found)
        done = (found[0].astype(np.int64) << 16) | found[1].astype(np.int64)
        series = series[~np.isin(series, done)]
        last, stride = last - stride, stride * 8
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    recent = joined[2] >= (-np.inf if oldest is None else oldest)
    return [column[recent] for column in joined]
