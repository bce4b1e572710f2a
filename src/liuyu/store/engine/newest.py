"""The newest usable observation of series, as it stands and as it stood.

A series is one number here: station << 16 | quantity.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, last_usable, newest_with_history
from liuyu.store.engine.session import Session
from liuyu.store.engine.tables import Tables, span

S = TypeVar("S", bound=Session)

LOOK_BACK = 10 * DAY
"""How long before a moment `latest(at=...)` looks [s]."""


def latest(tables: Tables[S], session: S, at: int | None) -> Columns:
    """COLUMNS of the newest usable row of every series; with `at`, the newest at or before it within LOOK_BACK."""
    known = session.fetch(COLUMNS, "FROM latest ORDER BY station, quantity")
    if at is None:
        return known
    if tables.history is not None and tables.history.covers(at - LOOK_BACK, at + 1):
        return last_usable(tables.rows(session, None, None, at - LOOK_BACK, at + 1))
    time = known[2]
    stands = (time <= at) & (time >= at - LOOK_BACK)
    later = time > at
    series = (known[0][later].astype(np.int64) << 16) | known[1][later].astype(np.int64)
    found = search(tables, session, series, at, at - LOOK_BACK)
    joined = [np.concatenate([column[stands], more]) for column, more in zip(known, found, strict=True)]
    order = np.lexsort((joined[1], joined[0]))
    return [column[order] for column in joined]


def before(tables: Tables[S], session: S, series: NDArray[np.int64], until: int) -> Columns:
    """COLUMNS of the newest usable row of some series at or before a time, live or archived."""
    found, history = search(tables, session, series, until, None), tables.history
    if history is None or not history.months:
        return found
    return newest_with_history(history, series, found, until, lambda *asked: tables.rows(session, *asked))


def search(tables: Tables[S], session: S, series: NDArray[np.int64], at: int, oldest: int | None) -> Columns:
    """Newest usable live rows at or before a time, back to the oldest, or to the first block, in growing strides."""
    parts: list[Columns] = [[np.empty(0) for _ in COLUMNS]]
    blocks = span(session)
    if blocks is None:
        return parts[0]
    last = min(at // BLOCK, blocks[1])
    first = blocks[0] if oldest is None else max(blocks[0], oldest // BLOCK)
    stride = 1
    while len(series) and last >= first:
        found = tables.newest_in_blocks(session, series, np.arange(max(first, last - stride + 1), last + 1), at)
        parts.append(found)
        done = (found[0].astype(np.int64) << 16) | found[1].astype(np.int64)
        series = series[~np.isin(series, done)]
        last, stride = last - stride, stride * 8
    joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
    recent = joined[2] >= (-np.inf if oldest is None else oldest)
    return [column[recent] for column in joined]
