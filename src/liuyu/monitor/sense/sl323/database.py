"""Where the tables lie: a SQLite file, or a PostgreSQL server that psycopg (of `liuyu[postgres]`) speaks to."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

import apsw

from liuyu.basin.errors import BadInput, NotFound, StoreFailed
from liuyu.monitor.sense.sl323.tables import ALIASES, Column, column, tables

Cells = Sequence[Any]


class Database(Protocol):
    """What export and import need. Times are texts, YYYY-MM-DD HH:MM:SS, in the wall time of the tables."""

    name: str

    def columns(self, table: str) -> dict[str, str]:
        """Our name of each column that a table has, with its name there; empty where there is no such table."""
        ...

    def create(self, table: str) -> None:
        """Make a table where there is none."""
        ...

    def upsert(self, table: str, names: Sequence[str], rows: Iterable[Cells]) -> int:
        """Write rows, those of one key in place of the older; returns how many."""
        ...

    def rows(self, table: str, names: Sequence[str], order: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Some columns of every row: texts without blanks at the end, numbers as float, times as text, else None."""
        ...

    def transaction(self) -> AbstractContextManager[Any]:
        """All that is written within, or nothing."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def open_database(address: str, *, create: bool = False) -> Database:
    """A database by its address: postgresql://user@host/name, or the path of a SQLite file.

    Raises NotFound for a file that is not there, unless it may be made, and StoreFailed where a server does not answer.
    """
    if re.match(r"postgres(ql)?://", address):
        return Postgres(address)
    path = Path(address.removeprefix("sqlite:///"))
    if not create and not path.is_file():
        raise NotFound(f"there is no database {path}; check the name, or write postgresql://... for a server")
    path.parent.mkdir(parents=True, exist_ok=True)
    return Sqlite(path)


def _known(table: str, found: Iterable[str]) -> dict[str, str]:
    ours = {each.column for each in tables()[table]}
    named = ((ALIASES.get(each.upper(), each.upper()), each) for each in found)
    return {name: theirs for name, theirs in named if name in ours}


def _kind(each: Column, time: str) -> str:
    match each.type:
        case "text":
            return f"VARCHAR({each.width})"
        case "time":
            return time
        case "whole":
            return "INTEGER"
        case "number":
            return f"DECIMAL({each.width},{each.decimals})"


def _create(table: str, time: str) -> str:
    every = tables()[table]
    lines = [f"{each.column} {_kind(each, time)}{' NOT NULL' if each.key else ''}" for each in every]
    keys = ", ".join(each.column for each in every if each.key)
    return f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(lines)}, PRIMARY KEY ({keys}))"


def _upsert(table: str, names: Sequence[str], theirs: dict[str, str], values: str) -> str:
    keys = [theirs[each.column] for each in tables()[table] if each.key and each.column in names]
    others = [theirs[name] for name in names if theirs[name] not in keys]
    action = f"UPDATE SET {', '.join(f'{one} = excluded.{one}' for one in others)}" if others else "NOTHING"
    into = ", ".join(theirs[name] for name in names)
    return f"INSERT INTO {table} ({into}) {values} ON CONFLICT ({', '.join(keys)}) DO {action}"


class Sqlite:
    """The tables in a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.name = str(path)
        self._connection = apsw.Connection(str(path))
        self._connection.execute("PRAGMA foreign_keys = OFF")

    def columns(self, table: str) -> dict[str, str]:
        """Our name of each column that a table has, with its name there."""
        try:
            return _known(table, [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")])
        except apsw.Error as error:
            raise BadInput(f"{self.name} is no SQLite database ({error}); check the name") from None

    def create(self, table: str) -> None:
        """Make a table where there is none."""
        if not self.columns(table):
            self._connection.execute(_create(table, "DATETIME") + " WITHOUT ROWID")

    def upsert(self, table: str, names: Sequence[str], rows: Iterable[Cells]) -> int:
        """Write rows, those of one key in place of the older; returns how many."""
        values = f"VALUES ({', '.join('?' * len(names))})"
        count = 0

        def counted() -> Iterator[Cells]:
            nonlocal count
            for row in rows:
                count += 1
                yield row

        try:
            self._connection.executemany(_upsert(table, names, self.columns(table), values), counted())
        except apsw.Error as error:
            raise StoreFailed(f"{self.name}: {table} cannot be written ({error}); check its key and rights") from None
        return count

    def rows(self, table: str, names: Sequence[str], order: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Some columns of every row, by `order`."""
        theirs = self.columns(table)
        shown = [_sqlite_value(column(table, name), theirs[name]) for name in names]
        sorting = f" ORDER BY {', '.join(theirs[name] for name in order)}" if order else ""
        yield from self._connection.execute(f"SELECT {', '.join(shown)} FROM {table}{sorting}")

    def transaction(self) -> AbstractContextManager[Any]:
        """All that is written within, or nothing."""
        return self._connection

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _sqlite_value(each: Column, name: str) -> str:
    match each.type:
        case "text":
            return f"rtrim({name})"
        case "time":
            return f"strftime('%Y-%m-%d %H:%M:%S', {name})"
        case _:
            return f"CAST({name} AS REAL)"


class Postgres:
    """The tables on a PostgreSQL server, in the first schema of the search path that has them."""

    def __init__(self, address: str) -> None:
        try:
            psycopg: Any = importlib.import_module("psycopg")
        except ImportError:
            raise BadInput("PostgreSQL needs psycopg; pip install 'liuyu[postgres]'") from None
        self.name = re.sub(r"//[^/@]*@", "//", address)
        self._error = psycopg.Error
        try:
            self._connection = psycopg.connect(address, autocommit=True, connect_timeout=10)
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[0]
            raise StoreFailed(f"{self.name} does not answer ({reason}); check the address and the server") from None

    def columns(self, table: str) -> dict[str, str]:
        """Our name of each column that a table has, with its name there."""
        query = "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"
        return _known(table, [row[0] for row in self._connection.execute(query, (table.lower(),))])

    def create(self, table: str) -> None:
        """Make a table where there is none."""
        if not self.columns(table):
            self._connection.execute(_create(table, "TIMESTAMP"))

    def upsert(self, table: str, names: Sequence[str], rows: Iterable[Cells]) -> int:
        """Copy rows to a table of their own, and from there to where they belong; returns how many."""
        theirs = self.columns(table)
        into, count = ", ".join(theirs[name] for name in names), 0
        try:
            with self._connection.transaction(), self._connection.cursor() as cursor:
                cursor.execute(f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {into} FROM {table} LIMIT 0")
                with cursor.copy("COPY arriving FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
                        count += 1
                cursor.execute(_upsert(table, names, theirs, f"SELECT {into} FROM arriving"))
                cursor.execute("DROP TABLE arriving")
        except self._error as error:
            reason = str(error).strip().splitlines()[0]
            raise StoreFailed(f"{self.name}: {table} cannot be written ({reason}); check its key and rights") from None
        return count

    def rows(self, table: str, names: Sequence[str], order: Sequence[str] = ()) -> Iterator[tuple[Any, ...]]:
        """Some columns of every row, by `order`, fetched piece by piece."""
        theirs = self.columns(table)
        shown = [_postgres_value(column(table, name), theirs[name]) for name in names]
        sorting = f" ORDER BY {', '.join(theirs[name] for name in order)}" if order else ""
        with self._connection.transaction(), self._connection.cursor(name="tables") as cursor:
            cursor.itersize = 50_000
            cursor.execute(f"SELECT {', '.join(shown)} FROM {table}{sorting}")
            yield from cursor

    def transaction(self) -> AbstractContextManager[Any]:
        """All that is written within, or nothing."""
        made: AbstractContextManager[Any] = self._connection.transaction()
        return made

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


def _postgres_value(each: Column, name: str) -> str:
    match each.type:
        case "text":
            return f"rtrim({name}::text)"
        case "time":
            return f"to_char({name}, 'YYYY-MM-DD HH24:MI:SS')"
        case _:
            return f"{name}::float8"
