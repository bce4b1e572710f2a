"""The fingerprint of a store. What it covers is told in `store/content.py`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.store.columns import ALL_COLUMNS, Columns
from liuyu.store.content import hash_content, observation_parts
from liuyu.store.engine.names import source_names
from liuyu.store.engine.session import Row
from liuyu.store.engine.store import EngineStore
from liuyu.store.engine.tables import reach
from liuyu.store.interface import Store


def fingerprint(store: Store) -> str:
    """SHA-256 over the logical content in key order: the same in every engine, in the live tables or in the history.

    Raises BadInput for what is no store of ours.
    """
    if not isinstance(store, EngineStore):
        raise BadInput(f"{type(store).__name__} is no store of an engine; give the store itself")
    tables = store.tables
    with store.engine.reading() as reader:
        first, last = reach(tables, reader)

        def read(number: int) -> Columns:
            return tables.rows(reader, np.array([number], np.int64), None, first, last, ALL_COLUMNS)

        def select(query: str) -> Iterator[Row]:
            for row in reader.ask(query):
                yield tuple(None if isinstance(each, float) and math.isnan(each) else each for each in row)

        return hash_content(observation_parts(reader.station_codes(), source_names(reader), read), select, store.grids)
