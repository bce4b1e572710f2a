"""Rows of observations as columns: of the live tables alone, and of the live tables laid over the Parquet history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, Numbers, overlay
from liuyu.store.history import History
from liuyu.store.postgres.columns import fetch
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.names import source_names, station_codes

PROBES = 20_000
"""Up to so many keys are looked up one by one; above, whole blocks are read."""

_ORDER = "ORDER BY o.block, o.station, o.quantity, o.time"


def span(link: Link) -> tuple[int, int] | None:
    """The first and the last block of the live table."""
    low, high = link.execute(
        "SELECT (SELECT min(block) FROM observation), (SELECT max(block) FROM observation)"
    ).fetchall()[0]
    return None if low is None else (low, high)


def live_rows(
    link: Link, stations: Numbers, quantities: Numbers, start: int, end: int, columns: Sequence[str] = COLUMNS
) -> Columns:
    """Columns of the live rows in [start, end), by block, station, quantity and time."""
    blocks = span(link)
    if end <= start or blocks is None:
        return [np.empty(0) for _ in columns]
    low, high = max(blocks[0], start // BLOCK), min(blocks[1], (end - 1) // BLOCK)
    values: dict[str, Any] = {"low": low, "high": high, "start": start, "end": end}
    if stations is not None and (high - low + 1) * len(stations) <= PROBES:
        return _probed(link, stations, quantities, values, columns)
    where = "o.block >= %(low)s AND o.block <= %(high)s AND o.time >= %(start)s AND o.time < %(end)s"
    if quantities is not None:
        where, values["quantities"] = f"{where} AND o.quantity = ANY(%(quantities)s)", quantities
    found = fetch(link, [f"o.{each}" for each in columns], f"FROM observation o WHERE {where} {_ORDER}", values)
    if stations is None:
        return found
    chosen = np.isin(found[columns.index("station")], stations)
    return [column[chosen] for column in found]


def _probed(
    link: Link, stations: Numbers, quantities: Numbers, values: dict[str, Any], columns: Sequence[str]
) -> Columns:
    """The rows of a few stations, block by block: the key is entered at each. OFFSET 0 keeps the planner from more."""
    values |= {"blocks": np.arange(values["low"], values["high"] + 1), "stations": stations}
    tables, where = "unnest(%(blocks)s) b CROSS JOIN unnest(%(stations)s) t", "n.block = b AND n.station = t"
    where = f"{where} AND n.block >= %(low)s AND n.block <= %(high)s"
    if quantities is not None:
        tables, where = f"{tables} CROSS JOIN unnest(%(quantities)s) q", f"{where} AND n.quantity = q"
        values["quantities"] = quantities
    inner = f"SELECT * FROM observation n WHERE {where} AND n.time >= %(start)s AND n.time < %(end)s OFFSET 0"
    rest = f"FROM {tables} CROSS JOIN LATERAL ({inner}) o {_ORDER}"
    return fetch(link, [f"o.{each}" for each in columns], rest, values)


def rows(
    link: Link,
    history: History | None,
    stations: Numbers,
    quantities: Numbers,
    start: int,
    end: int,
    columns: Sequence[str] = COLUMNS,
) -> Columns:
    """Columns in [start, end) of the live tables and the history as one; where both have a key the live row counts.

    `columns` begins with COLUMNS. The live rows are read first: what an archiving run has since taken away is then
    in the history.
    """
    live = live_rows(link, stations, quantities, start, end, columns)
    if history is None or not history.covers(start, end):
        return live
    codes = station_codes(link)
    wanted = codes if stations is None else {number: codes[number] for number in stations.tolist() if number in codes}
    sources = source_names(link) if "source" in columns else {}
    return overlay(live, history.read(wanted, quantities, start, end, columns, sources))
