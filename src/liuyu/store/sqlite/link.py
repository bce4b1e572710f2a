"""A connection to the file of a store, as the code that all engines share asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw
import msgspec
import numpy as np

from liuyu.store.columns import Columns
from liuyu.store.engine.session import Row
from liuyu.store.sqlite.columns import Binding, bind

_PACK = "CAST(group_concat(coalesce(ieee754_to_blob({0}), x'7FF8000000000000'), '') AS BLOB)"
_APPEND = """
INSERT INTO event (kind, id, time, state, subject, body) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING RETURNING seq
"""


class Link(apsw.Connection):
    """One connection. See `Session`."""

    writes = False
    unlocked = ""

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; returns all rows that it gives."""
        return self.execute(statement, values).fetchall()

    def ask_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement that gives nothing, once for each row of values."""
        self.executemany(statement, rows)

    def fetch(self, columns: Sequence[str], rest: str, values: Mapping[str, Binding] | None = None) -> Columns:
        """The columns of `SELECT columns rest`, each (n,) float64: whole numbers below 2**53 exact, NULL as NaN."""
        names = [f"c{place}" for place in range(len(columns))]
        inner = ", ".join(f"{column} AS {name}" for column, name in zip(columns, names, strict=True))
        outer = ", ".join(_PACK.format(name) for name in names)
        found = self.execute(f"SELECT {outer} FROM (SELECT {inner} {rest})", bind(values or {})).fetchall()
        blobs: Sequence[Any] = found[0]
        return [np.frombuffer(blob or b"", ">f8").astype(np.float64) for blob in blobs]

    def document(self, json: bytes) -> bytes:
        """JSON as it is kept."""
        return json

    def station_codes(self) -> dict[int, str]:
        """Code of every station number, in one row."""
        row = self.ask("SELECT json_group_array(number), json_group_array(code) FROM station")[0]
        numbers, codes = (msgspec.json.decode(str(column)) for column in row)
        return dict(zip(numbers, codes, strict=True))

    def add_stations(self, codes: Sequence[str]) -> None:
        """Give the next numbers to codes, in their order, where they have none."""
        self.execute(
            "INSERT INTO station (code) SELECT value FROM json_each(?) WHERE true ORDER BY key ON CONFLICT DO NOTHING",
            (msgspec.json.encode(codes).decode(),),
        )

    def add_events(self, rows: Sequence[Row]) -> list[tuple[str, str, int, str, int]]:
        """Append events; returns kind, id, time, state and seq of those that are new, by seq."""
        added = []
        for row in rows:
            found = self.execute(_APPEND, row).fetchall()
            added += [(*row[:4], seq) for (seq,) in found]
        return added
