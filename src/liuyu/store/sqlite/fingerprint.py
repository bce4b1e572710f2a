"""One hash of everything that a store holds, to tell whether two runs ended alike."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import apsw
import msgspec
import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.store.grids import digest
from liuyu.store.interface import Store
from liuyu.store.sqlite.archiving import ALL_COLUMNS
from liuyu.store.sqlite.columns import fetch
from liuyu.store.sqlite.names import source_names, station_codes
from liuyu.store.sqlite.rows import rows
from liuyu.store.sqlite.schema import BLOCK
from liuyu.store.sqlite.store import SqliteStore

_TABLES = (
    "SELECT s.code, v.quantity, v.time, v.value, v.flag, v.received, o.name, v.replaced FROM version v"
    " JOIN station s ON s.number = v.station JOIN source o ON o.number = v.source"
    " ORDER BY s.code, v.quantity, v.time, v.id",
    "SELECT s.code, l.quantity, l.time, l.value, l.flag FROM latest l JOIN station s ON s.number = l.station"
    " ORDER BY s.code, l.quantity",
    "SELECT s.code, d.quantity, d.day, d.count, d.minimum, d.maximum, d.total FROM daily d"
    " JOIN station s ON s.number = d.station ORDER BY s.code, d.quantity, d.day",
    "SELECT received, source, reason, payload FROM aside ORDER BY id",
    "SELECT f.issued, s.code, f.quantity, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance"
    " FROM forecast f JOIN station s ON s.number = f.station ORDER BY f.issued, s.code, f.quantity, f.model",
    "SELECT seq, kind, id, time, state, subject, body FROM event ORDER BY seq",
    "SELECT name, blob FROM state ORDER BY name",
    "SELECT at, user, action, target, detail FROM audit ORDER BY id",
    "SELECT kind, name, payload, state, submitted, due, attempts, worker, lease_until, ended, reason, result FROM job"
    " ORDER BY kind, name",
    "SELECT name, value FROM meta ORDER BY name",
)
"""What is compared beside observations and grids. Hourly roll-ups follow from the observations."""


def fingerprint(store: Store) -> str:
    """SHA-256 over the logical content in key order: the same for rows in the live tables or in the history.

    Raises BadInput for a store of another engine.
    """
    if not isinstance(store, SqliteStore):
        raise BadInput(f"fingerprint knows SqliteStore, not {type(store).__name__}; compare stores of this engine")
    hashed = hashlib.sha256()
    with store.engine.reading() as reader:
        for part in _observations(store, reader):
            hashed.update(part)
        for query in _TABLES:
            hashed.update(query.encode())
            for row in reader.execute(query):
                hashed.update(msgspec.msgpack.encode(row))
        for name, time, folder in reader.execute("SELECT name, time, folder FROM grid ORDER BY name, time"):
            hashed.update(f"{name} {time} {digest(store.grids.read(folder))}".encode())
    return hashed.hexdigest()


def _observations(store: SqliteStore, reader: apsw.Connection) -> Iterator[bytes]:
    names = source_names(reader)
    first, last = _span(store, reader)
    for number, code in sorted(station_codes(reader).items(), key=lambda pair: pair[1]):
        one = np.array([number], np.int64)
        columns: list[Any] = rows(reader, store.history, one, None, first, last, ALL_COLUMNS)
        order = np.lexsort((columns[2], columns[1]))
        sources = [names[int(each)] for each in columns[6][order]]
        yield code.encode()
        yield from (np.ascontiguousarray(column[order]).tobytes() for column in columns[1:6])
        yield msgspec.json.encode(sources)


def _span(store: SqliteStore, reader: apsw.Connection) -> tuple[int, int]:
    low, high = fetch(reader, [f"min(block) * {BLOCK}", f"(max(block) + 1) * {BLOCK}"], "FROM observation")
    starts = [month.start for month in store.history.months] + [int(each) for each in low[np.isfinite(low)]]
    ends = [month.end for month in store.history.months] + [int(each) for each in high[np.isfinite(high)]]
    return min(starts, default=0), max(ends, default=0)
