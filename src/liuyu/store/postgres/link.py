"""A connection to the database, with the settings that every one of ours has."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray
from psycopg import pq
from psycopg.adapt import Dumper, Loader
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.numeric import Int8BinaryDumper

from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.store.columns import Columns
from liuyu.store.engine.engine import first_line
from liuyu.store.engine.session import Row

SETTINGS = {
    # Every statement goes by its key, so its plan need not be made anew for other values.
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # Columns are packed in the order of their rows, which workers would mix.
    "max_parallel_workers_per_gather": "0",
    "jit": "off",
    # The end of a transaction waits for the disk, also where the server's own setting is laxer.
    "synchronous_commit": "on",
    "client_encoding": "UTF8",
}
DEFAULTS = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
OLDEST_SERVER = 15

_ADD_STATIONS = """
INSERT INTO station SELECT (SELECT coalesce(max(number), 0) FROM station)
    + row_number() OVER (ORDER BY n.place), n.code FROM unnest(%s::text[]) WITH ORDINALITY n(code, place)
WHERE NOT EXISTS (SELECT FROM station s WHERE s.code = n.code)
"""
_APPEND = """
INSERT INTO event (seq, kind, id, time, state, subject, body)
SELECT (SELECT coalesce(max(seq), 0) FROM event) + row_number() OVER (ORDER BY n.place),
    n.kind, n.id, n.time, n.state, n.subject, n.body::json
FROM unnest(%s::text[], %s::text[], %s, %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY n(kind, id, time, state, subject, body, place)
WHERE NOT EXISTS (
    SELECT FROM event e WHERE e.kind = n.kind AND e.id = n.id AND e.time = n.time AND e.state = n.state
)
RETURNING kind, id, time, state, seq
"""


class Link(psycopg.Connection[Row]):
    """One connection. See `Session`; `staged`: rows in the temporary tables."""

    writes = False
    unlocked = "FOR UPDATE SKIP LOCKED"
    staged: dict[str, int]

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; returns all rows that it gives."""
        with self.cursor(binary=True) as cursor:
            cursor.execute(marked(statement), values)
            return cursor.fetchall() if cursor.description else []

    def ask_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement that gives nothing, once for each row of values."""
        with self.cursor() as cursor:
            cursor.executemany(marked(statement), rows)

    def fetch(self, columns: Sequence[str], rest: str, values: Mapping[str, Any] | None = None) -> Columns:
        """The columns of `SELECT columns rest`, each (n,) float64: whole numbers below 2**53 exact."""
        inner = ", ".join(f"({column})::float8 AS c{place}" for place, column in enumerate(columns))
        outer = ", ".join(f"string_agg(float8send(c{place}), ''::bytea)" for place in range(len(columns)))
        with self.cursor(binary=True) as cursor:
            found = cursor.execute(f"SELECT {outer} FROM (SELECT {inner} {rest}) found", values).fetchall()[0]
        return [np.frombuffer(blob or b"", ">f8").astype(np.float64) for blob in found]

    def document(self, json: bytes) -> str:
        """JSON as text, which is what it is sent as."""
        return json.decode()

    def station_codes(self) -> dict[int, str]:
        """Code of every station number."""
        return dict(self.ask("SELECT number, code FROM station ORDER BY number"))

    def add_stations(self, codes: Sequence[str]) -> None:
        """Give the next numbers to codes, in their order, where they have none."""
        self.execute(_ADD_STATIONS, (list(codes),))

    def add_events(self, rows: Sequence[Row]) -> list[tuple[str, str, int, str, int]]:
        """Append events; returns kind, id, time, state and seq of those that are new, by seq."""
        kind, id, time, state, subject, body = (list(each) for each in zip(*rows, strict=True))
        texts = [each.decode() for each in body]
        added = self.execute(_APPEND, (kind, id, np.array(time, np.int64), state, subject, texts)).fetchall()
        return sorted(((str(k), str(i), int(t), str(s), int(seq)) for k, i, t, s, seq in added), key=_by_seq)


def _by_seq(row: tuple[str, str, int, str, int]) -> int:
    return row[4]


@cache
def marked(statement: str) -> str:
    """A shared statement with the marks of psycopg.

    >>> marked("SELECT code FROM station WHERE number = ?")
    'SELECT code FROM station WHERE number = %s'
    """
    return statement.replace("?", "%s")


def connect(url: str) -> Link:
    """Connect. Raises psycopg.Error where nobody answers, and StoreFailed where the server is not fit to be used."""
    name = f"liuyu {os.getpid()}@{socket.gethostname()}"[:63]
    given = {key: str(value) for key, value in conninfo_to_dict(url).items()}
    link = Link.connect(make_conninfo(**{**DEFAULTS, **given, "application_name": name}), autocommit=True)
    try:
        link.prepare_threshold = 0
        link.staged = {}
        # One type for every whole number, so that a statement has one plan.
        link.adapters.register_dumper(int, Int8BinaryDumper)
        link.adapters.register_dumper(np.ndarray, _ArrayDumper)
        for loader in (_TextLoader, _BinaryLoader):
            link.adapters.register_loader("json", loader)
        pairs = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in SETTINGS.items())
        link.execute(f"SELECT {pairs}")
        _check_server(link, place_of(url))
    except BaseException:
        link.close()
        raise
    return link


def _check_server(link: Link, place: str) -> None:
    version = link.info.server_version // 10_000
    if version < OLDEST_SERVER:
        raise StoreFailed(f"{place} is PostgreSQL {version}; liuyu needs {OLDEST_SERVER} or newer")
    encoding = link.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StoreFailed(f"the database {place} is encoded in {encoding}; make one with ENCODING 'UTF8'")


def place_of(url: str) -> str:
    """Where a URL leads, for people to read: never its password. Raises BadInput for what is no URL.

    >>> place_of("postgresql://liuyu:secret@db.example:5433/basin?options=-csearch_path%3Dqingxi")
    'db.example:5433/basin (qingxi)'
    """
    try:
        given = conninfo_to_dict(url)
    except psycopg.ProgrammingError as fault:
        raise BadInput(
            f"the storage url cannot be read ({str(fault).strip()}); write it as postgresql://user@host:5432/database"
        ) from None
    host, port = given.get("host", "localhost"), given.get("port", 5432)
    schema = str(given.get("options", "")).partition("search_path=")[2].split(" ")[0]
    return f"{host}:{port}/{given.get('dbname', '')}" + (f" ({schema})" if schema else "")


def lost(fault: psycopg.Error) -> bool:
    """Whether a fault means that the connection, not the statement, is at an end."""
    return isinstance(fault, psycopg.OperationalError | psycopg.InterfaceError) and (
        fault.sqlstate is None or fault.sqlstate[:2] == "08" or fault.sqlstate[:3] == "57P"
    )


@contextmanager
def failing(place: str) -> Iterator[None]:
    """Turn what PostgreSQL reports into StoreFailed, with what a person can do about it."""
    try:
        yield
    except psycopg.errors.DiskFull as fault:
        raise StoreFailed(f"no room left for the database {place}: {first_line(fault)}; free space there") from fault
    except psycopg.errors.OutOfMemory as fault:
        raise StoreFailed(
            f"the database {place} has no memory left ({first_line(fault)}); for many days at once it needs"
            " max_locks_per_transaction = 1024 in postgresql.conf"
        ) from fault
    except psycopg.errors.InsufficientPrivilege as fault:
        raise StoreFailed(
            f"the database {place} does not let this user do that ({first_line(fault)}); grant CREATE on its schema"
        ) from fault
    except psycopg.Error as fault:
        if lost(fault):
            raise StoreFailed(
                f"the database {place} does not answer ({first_line(fault)}); nothing of this transaction was kept;"
                " start the database, the store connects again by itself"
            ) from fault
        raise StoreFailed(f"the database {place}: {first_line(fault)}; see the log of PostgreSQL") from fault


class _ArrayDumper(Dumper):
    """A NumPy array of whole numbers as int8[]."""

    format = pq.Format.BINARY
    oid = 1016

    def dump(self, obj: NDArray[np.int64]) -> bytes:
        """The binary form of a one-dimensional array without nulls."""
        count = len(obj)
        head = np.array([1 if count else 0, 0, 20, *((count, 1) if count else ())], ">i4").tobytes()
        items = np.empty(count, [("size", ">i4"), ("value", ">i8")])
        items["size"], items["value"] = 8, obj
        return head + items.tobytes()


class _TextLoader(Loader):
    """JSON as the bytes that were written."""

    format = pq.Format.TEXT

    def load(self, data: Any) -> bytes:
        """The text in UTF-8."""
        return bytes(data)


class _BinaryLoader(_TextLoader):
    """The same, of a binary answer."""

    format = pq.Format.BINARY
