"""Rows of the live tables as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, Numbers
from liuyu.store.engine.tables import span
from liuyu.store.postgres.link import Link

PROBES = 20_000
"""Up to so many keys are looked up one by one; above, whole blocks are read."""

_ORDER = "ORDER BY o.block, o.station, o.quantity, o.time"


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
    found = link.fetch([f"o.{each}" for each in columns], f"FROM observation o WHERE {where} {_ORDER}", values)
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
    return link.fetch([f"o.{each}" for each in columns], rest, values)
