"""One hash of everything that a store holds, the same whichever engine holds it, to tell whether two ended alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from liuyu.store.columns import Columns
from liuyu.store.grids import Grids, digest

TABLES = (
    "SELECT s.code, v.quantity, v.time, v.value, v.flag, v.received, o.name, v.replaced FROM version v"
    " JOIN station s ON s.number = v.station JOIN source o ON o.number = v.source"
    " ORDER BY s.code, v.quantity, v.time, v.id",
    "SELECT s.code, l.quantity, l.time, l.value, l.flag FROM latest l JOIN station s ON s.number = l.station"
    " ORDER BY s.code, l.quantity",
    "SELECT s.code, d.quantity, d.day, d.count, d.minimum, d.maximum, d.total FROM daily d"
    " JOIN station s ON s.number = d.station ORDER BY s.code, d.quantity, d.day",
    "SELECT received, source, reason, payload FROM aside ORDER BY id",
    "SELECT aside, state, at, note FROM aside_mark ORDER BY aside",
    "SELECT f.issued, s.code, f.quantity, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance"
    " FROM forecast f JOIN station s ON s.number = f.station ORDER BY f.issued, s.code, f.quantity, f.model",
    "SELECT seq, kind, id, time, state, subject, body FROM event ORDER BY seq",
    "SELECT name, blob FROM state ORDER BY name",
    'SELECT at, "user", action, target, detail FROM audit ORDER BY id',
    "SELECT kind, name, payload, state, submitted, due, attempts, worker, lease_until, ended, reason, result FROM job"
    " ORDER BY kind, name",
    "SELECT name, value FROM meta ORDER BY name",
    "SELECT digest, content FROM file ORDER BY digest",
)
"""What is compared beside observations and grids. Hourly roll-ups follow from the observations.

Every engine answers them with whole numbers, floats, text and, for payloads and JSON, bytes; NaN is None.
"""


def hash_content(
    observations: Iterable[bytes],
    select: Callable[[str], Iterable[Sequence[Any]]],
    grids: Grids | None,
) -> str:
    """SHA-256 over the logical content in key order. `select` gives the rows of one of TABLES, or of the grid table."""
    hashed = hashlib.sha256()
    for part in observations:
        hashed.update(part)
    for query in TABLES:
        hashed.update(query.encode())
        for row in select(query):
            hashed.update(msgspec.msgpack.encode(row))
    for name, time, folder in select("SELECT name, time, folder FROM grid ORDER BY name, time"):
        if grids is not None:
            hashed.update(f"{name} {time} {digest(grids.read(folder))}".encode())
    return hashed.hexdigest()


def observation_parts(
    codes: dict[int, str], sources: dict[int, str], read: Callable[[int], Columns]
) -> Iterator[bytes]:
    """The observations of every station by code, as bytes to hash. `read` gives ALL_COLUMNS of a station number."""
    for number, code in sorted(codes.items(), key=lambda pair: pair[1]):
        columns = read(number)
        order = np.lexsort((columns[2], columns[1]))
        names = [sources[int(each)] for each in columns[6][order]]
        yield code.encode()
        yield from (np.ascontiguousarray(column[order]).tobytes() for column in columns[1:6])
        yield msgspec.json.encode(names)
