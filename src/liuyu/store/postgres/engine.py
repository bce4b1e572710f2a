"""Connections and the writer's lock of one store: one writer, any number of readers."""

from __future__ import annotations

import os
import socket
import time
from contextlib import AbstractContextManager, suppress

import psycopg
from psycopg.pq import TransactionStatus

from liuyu.basin.errors import StoreFailed
from liuyu.store.engine.engine import Engine, first_line
from liuyu.store.postgres.link import Link, connect, failing, lost, place_of
from liuyu.store.postgres.schema import check_version, make_schema, prepare_writer

IDLE_READERS = 8
"""How many connections are kept open for the next reader."""

_BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_KEY = "1818850681, hashtext(current_schema())"
"""The writer's advisory lock: the letters "liuy", and the schema within the database."""

_HOLDER = """
SELECT a.pid, a.application_name, host(a.client_addr) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.classid = 1818850681 AND l.objsubid = 2 AND l.granted
    AND l.objid = (hashtext(current_schema())::bigint & 4294967295)::oid
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class PostgresEngine(Engine[Link]):
    """The connections of one store.

    A connection that breaks between transactions is opened anew; one that breaks within spoils that transaction alone.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        super().__init__(place_of(url), read_only=read_only)
        self._url = url
        self._backend: int | None = None
        with failing(self.place):
            if read_only:
                self._idle.append(self._open_reader())
            else:
                self._writer = self._open_writer(None)

    def _failing(self) -> AbstractContextManager[None]:
        return failing(self.place)

    def _begin(self, writer: Link) -> Link:
        """Begin on the writer, on a new connection where the old one has broken since the last transaction."""
        try:
            writer.execute("BEGIN")
        except psycopg.Error as fault:
            if not lost(fault):
                raise
            writer.close()
            for forget in self.rolled_back:
                forget()
            self._writer = writer = self._open_writer(self._backend)
            writer.execute("BEGIN")
        writer.staged.clear()
        return writer

    def _commit(self, writer: Link) -> None:
        if writer.info.transaction_status == TransactionStatus.INERROR:
            raise StoreFailed("nothing of this transaction was kept, for a statement within it failed")
        try:
            writer.execute("COMMIT")
        except psycopg.Error as fault:
            if not lost(fault):
                raise
            raise StoreFailed(
                f"the database {self.place} broke off while it kept a transaction ({first_line(fault)}): it is there"
                " as a whole or not at all; write the same again, which changes nothing where it is there"
            ) from fault

    def _is_open(self, writer: Link) -> bool:
        return writer.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR)

    def _undo(self, writer: Link, statements: tuple[str, ...]) -> None:
        with suppress(psycopg.Error):
            for statement in statements:
                writer.execute(statement)

    def _take_reader(self) -> Link:
        """A reader in a transaction; connections that broke while they lay idle are thrown away."""
        while True:
            try:
                reader = self._idle.pop()
            except IndexError:
                reader = self._open_reader()
                reader.execute(_BEGIN_READING)
                return reader
            try:
                reader.execute(_BEGIN_READING)
                return reader
            except psycopg.Error:
                reader.close()

    def _give_back(self, reader: Link) -> None:
        with suppress(psycopg.Error):
            reader.execute("COMMIT")
        if self._closed or reader.closed or len(self._idle) >= IDLE_READERS:
            reader.close()
        else:
            self._idle.append(reader)

    def _let_go(self) -> None:
        with self._mutex:
            while self._idle:
                self._idle.pop().close()
            if self._writer:
                self._writer.close()

    def _open_reader(self) -> Link:
        reader = connect(self._url)
        try:
            check_version(reader, self.place)
        except BaseException:
            reader.close()
            raise
        return reader

    def _open_writer(self, former: int | None) -> Link:
        writer = connect(self._url)
        try:
            writer.writes = True
            make_schema(writer)
            _lock(writer, self.place, former)
            prepare_writer(writer, self.place)
            self._backend = writer.info.backend_pid
        except BaseException:
            writer.close()
            raise
        return writer


def forget(url: str) -> None:
    """Drop the schema that a URL leads to, where there is one. Raises StoreFailed where a process writes to it."""
    place = place_of(url)
    with failing(place):
        link = connect(url)
        try:
            schema = link.execute("SELECT quote_ident(current_schema())").fetchall()[0][0]
            if schema is not None:
                _lock(link, place, None)
                link.execute(f"DROP SCHEMA {schema} CASCADE")
        finally:
            link.close()


def _lock(writer: Link, place: str, former: int | None) -> None:
    """Take the store for this connection. Raises StoreFailed with the number of the process that has it.

    A process that was killed may hold it a moment longer, until PostgreSQL notices; so may our own former connection.
    """
    holder = "unknown"
    for _ in range(100):
        if writer.execute(f"SELECT pg_try_advisory_lock({_KEY})").fetchall()[0][0]:
            return
        row = writer.execute(_HOLDER).fetchone()
        if row is not None:
            backend, name, address = row
            if backend == former:
                writer.execute("SELECT pg_terminate_backend(%s::int)", (backend,))
            elif _alive(name):
                holder = f"{name.removeprefix('liuyu ').partition('@')[0]} on {address or 'this machine'}"
                break
        time.sleep(0.05)
    raise StoreFailed(f"the store in {place} is in use by process {holder}; stop it first, or open with read_only=True")


def _alive(name: str | None) -> bool:
    """Whether the process that named a connection so may be alive: one of another machine may."""
    number, _, host = (name or "").removeprefix("liuyu ").partition("@")
    if host != socket.gethostname() or not number.isdigit():
        return True
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
