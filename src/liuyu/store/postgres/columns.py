"""Whole columns between NumPy and PostgreSQL: in by binary COPY, out as one packed value each.

Row by row, psycopg makes a Python object of every value; as columns 90,000 rows come in 0.1 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.store.postgres.link import Link

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_KINDS = {
    "i": "i4", "block": "i4", "day": "i4", "station": "i4", "source": "i4",
    "quantity": "i2", "flag": "i2", "newest": "i2", "time": "i8", "received": "i8", "count": "i8",
    "value": "f8", "minimum": "f8", "maximum": "f8", "total": "f8",
}  # fmt: skip
"""How a column of each name is kept."""

_FEW = 5_000
"""Up to so many rows are sooner deleted than their table is emptied."""


def copy_in(link: Link, table: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Append rows to a table."""
    kinds = [_KINDS[name] for name in columns]
    layout = [("fields", ">i2")]
    for name, kind in zip(columns, kinds, strict=True):
        layout += [(f"{name} size", ">i4"), (name, f">{kind}")]
    rows = np.empty(len(next(iter(columns.values()))), layout)
    rows["fields"] = len(kinds)
    for (name, column), kind in zip(columns.items(), kinds, strict=True):
        rows[f"{name} size"], rows[name] = int(kind[1]), column
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT binary)"
    with link.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEAD + rows.tobytes() + _END)


def stage(link: Link, table: str, columns: Mapping[str, NDArray[Any]]) -> None:
    """Lay rows in a temporary table in place of those that are there; a transaction leaves it empty."""
    older = link.staged.get(table, 0)
    if older:
        link.execute(f"DELETE FROM pg_temp.{table}" if older < _FEW else f"TRUNCATE pg_temp.{table}")
    link.staged[table] = len(next(iter(columns.values())))
    copy_in(link, f"pg_temp.{table}", columns)
