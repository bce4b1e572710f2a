"""The fingerprint of a store in PostgreSQL. What it covers is told in `store/content.py`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.store.batches import BLOCK
from liuyu.store.columns import ALL_COLUMNS, Columns
from liuyu.store.content import hash_content, observation_parts
from liuyu.store.interface import Store
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.names import source_names, station_codes
from liuyu.store.postgres.rows import rows, span
from liuyu.store.postgres.store import PostgresStore


def fingerprint(store: Store) -> str:
    """SHA-256 over the logical content in key order, equal to that of an embedded store with the same content.

    Raises BadInput for a store of another engine.
    """
    if not isinstance(store, PostgresStore):
        raise BadInput(f"this fingerprint knows PostgresStore, not {type(store).__name__}; take that engine's own")
    with store.engine.reading() as reader:
        first, last = _span(store, reader)

        def read(number: int) -> Columns:
            return rows(reader, store.history, np.array([number], np.int64), None, first, last, ALL_COLUMNS)

        def select(query: str) -> Iterator[tuple[Any, ...]]:
            # USER is a word of SQL itself.
            for row in reader.execute(query.replace(" user,", ' "user",')):
                yield tuple(None if isinstance(each, float) and math.isnan(each) else each for each in row)

        observations = observation_parts(station_codes(reader), source_names(reader), read)
        return hash_content(observations, select, store.grids)


def _span(store: PostgresStore, reader: Link) -> tuple[int, int]:
    months = store.history.months if store.history else ()
    blocks = span(reader)
    live = [] if blocks is None else [(blocks[0] * BLOCK, (blocks[1] + 1) * BLOCK)]
    spans = [*((month.start, month.end) for month in months), *live]
    return min((start for start, _ in spans), default=0), max((end for _, end in spans), default=0)
