"""Rows of the live table as columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, Numbers
from liuyu.store.engine.tables import span
from liuyu.store.sqlite.link import Link


def live_rows(
    link: Link,
    stations: Numbers,
    quantities: Numbers,
    start: int,
    end: int,
    columns: Sequence[str] = COLUMNS,
) -> Columns:
    """Columns of the live rows in [start, end), by block, station, quantity and time.

    The blocks are listed, not compared: a range of blocks cannot enter the key at a station.
    """
    there = span(link)
    if end <= start or there is None:
        return [np.empty(0) for _ in columns]
    blocks = np.arange(max(there[0], start // BLOCK), min(there[1], (end - 1) // BLOCK) + 1)
    values: dict[str, NDArray[np.int64] | int] = {"blocks": blocks, "start": start, "end": end}
    tables, where = "carray(:blocks) b", "o.block = b.value"
    if stations is not None:
        tables, where = f"{tables} CROSS JOIN carray(:stations) t", f"{where} AND o.station = t.value"
        values["stations"] = stations
    if quantities is not None and stations is not None:
        tables, where = f"{tables} CROSS JOIN carray(:quantities) q", f"{where} AND o.quantity = q.value"
        values["quantities"] = quantities
    elif quantities is not None:
        where = f"{where} AND o.quantity IN (SELECT value FROM carray(:quantities))"
        values["quantities"] = quantities
    rest = f"FROM {tables} CROSS JOIN observation o ON {where} AND o.time >= :start AND o.time < :end"
    return link.fetch([f"o.{column}" for column in columns], rest, values)
