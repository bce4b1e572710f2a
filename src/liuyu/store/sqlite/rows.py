"""Rows of observations as columns: of the live table alone, and of the live table laid over the Parquet history."""

from __future__ import annotations

from collections.abc import Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, Numbers, overlay
from liuyu.store.history import History
from liuyu.store.sqlite.columns import fetch
from liuyu.store.sqlite.names import source_names, station_codes


def live_rows(
    connection: apsw.Connection,
    stations: Numbers,
    quantities: Numbers,
    start: int,
    end: int,
    columns: Sequence[str] = COLUMNS,
) -> Columns:
    """Columns of the live rows in [start, end), by block, station, quantity and time.

    The blocks are listed, not compared: a range of blocks cannot enter the key at a station.
    """
    first, last = connection.execute(
        "SELECT (SELECT min(block) FROM observation), (SELECT max(block) FROM observation)"
    ).get
    if end <= start or first is None:
        return [np.empty(0) for _ in columns]
    blocks = np.arange(max(first, start // BLOCK), min(last, (end - 1) // BLOCK) + 1)
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
    return fetch(connection, [f"o.{column}" for column in columns], rest, values)


def rows(
    connection: apsw.Connection,
    history: History,
    stations: Numbers,
    quantities: Numbers,
    start: int,
    end: int,
    columns: Sequence[str] = COLUMNS,
) -> Columns:
    """Columns in [start, end) of the live table and the history as one; where both have a key the live row counts.

    `columns` begins with COLUMNS. The live rows are read first: what an archiving run has since taken away is then
    in the history.
    """
    live = live_rows(connection, stations, quantities, start, end, columns)
    if not history.covers(start, end):
        return live
    codes = station_codes(connection)
    wanted = codes if stations is None else {number: codes[number] for number in stations.tolist() if number in codes}
    sources = source_names(connection) if "source" in columns else {}
    kept = history.read(wanted, quantities, start, end, columns, sources)
    return overlay(live, kept)
