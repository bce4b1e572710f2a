"""The fingerprint of an embedded store. What it covers is told in `store/content.py`."""

from __future__ import annotations

import apsw
import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.store.batches import BLOCK
from liuyu.store.columns import ALL_COLUMNS, Columns
from liuyu.store.content import hash_content, observation_parts
from liuyu.store.interface import Store
from liuyu.store.sqlite.columns import fetch
from liuyu.store.sqlite.names import source_names, station_codes
from liuyu.store.sqlite.rows import rows
from liuyu.store.sqlite.store import SqliteStore


def fingerprint(store: Store) -> str:
    """SHA-256 over the logical content in key order: the same for rows in the live tables or in the history.

    Raises BadInput for a store of another engine.
    """
    if not isinstance(store, SqliteStore):
        raise BadInput(f"this fingerprint knows SqliteStore, not {type(store).__name__}; take that engine's own")
    with store.engine.reading() as reader:
        first, last = _span(store, reader)

        def read(number: int) -> Columns:
            return rows(reader, store.history, np.array([number], np.int64), None, first, last, ALL_COLUMNS)

        observations = observation_parts(station_codes(reader), source_names(reader), read)
        return hash_content(observations, reader.execute, store.grids)


def _span(store: SqliteStore, reader: apsw.Connection) -> tuple[int, int]:
    low, high = fetch(reader, [f"min(block) * {BLOCK}", f"(max(block) + 1) * {BLOCK}"], "FROM observation")
    starts = [month.start for month in store.history.months] + [int(each) for each in low[np.isfinite(low)]]
    ends = [month.end for month in store.history.months] + [int(each) for each in high[np.isfinite(high)]]
    return min(starts, default=0), max(ends, default=0)
