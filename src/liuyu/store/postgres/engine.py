"""Connections, the writer's lock and transactions of one store: one writer, any number of readers."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.pq import TransactionStatus

from liuyu.basin.errors import StoreFailed
from liuyu.store.postgres.link import Link, connect, failing, first_line, lost, place_of
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


class Engine:
    """The connections of one store.

    Within a transaction its thread reads what it wrote; every other thread reads the last finished transaction. A
    connection that breaks between transactions is opened anew; one that breaks within spoils that transaction alone.
    """

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self.place, self.read_only = place_of(url), read_only
        self.rolled_back: list[Callable[[], None]] = []
        self._url = url
        self._mutex = threading.RLock()
        self._depth = 0
        self._broken = ""
        self._holder: int | None = None
        self._idle: list[Link] = []
        self._closed = False
        self._writer: Link | None = None
        self._backend: int | None = None
        with failing(self.place):
            if read_only:
                self._idle.append(self._open_reader())
            else:
                self._writer = self._open_writer(None)

    @property
    def depth(self) -> int:
        """How many transactions of this thread are open, one within the other."""
        return self._depth if self._holder == threading.get_ident() else 0

    @contextmanager
    def transaction(self) -> Iterator[Link]:
        """The writer, in a transaction. A nested one that fails takes back its own part alone."""
        with self._mutex, failing(self.place):
            if self._depth:
                writer = self._require_writer()
                with self._nested(writer):
                    yield writer
            else:
                with self._outermost() as writer:
                    yield writer

    @contextmanager
    def writing(self) -> Iterator[Link]:
        """The writer, for one call: joins the open transaction or makes its own.

        A failure in the middle leaves the open transaction half done, so that one is refused as a whole when it ends.
        """
        if not self.depth:
            with self.transaction() as writer:
                yield writer
            return
        with failing(self.place):
            try:
                yield self._require_writer()
            except BaseException as fault:
                self._broken = self._broken or f"{type(fault).__name__}: {first_line(fault)}"
                raise

    @contextmanager
    def reading(self) -> Iterator[Link]:
        """A connection that sees one moment of the store throughout."""
        with failing(self.place):
            if self.depth and self._writer:
                yield self._writer
                return
            reader = self._take_reader()
            try:
                yield reader
            finally:
                self._give_back(reader)

    def close(self) -> None:
        """Close every connection, and with the writer's let go of the store."""
        if self._closed:
            return
        if self.depth:
            raise StoreFailed(f"the store in {self.place} has an open transaction; end it before closing")
        self._closed = True
        with self._mutex:
            while self._idle:
                self._idle.pop().close()
            if self._writer:
                self._writer.close()

    @contextmanager
    def _outermost(self) -> Iterator[Link]:
        writer = self._begin()
        self._depth, self._holder, self._broken = 1, threading.get_ident(), ""
        try:
            yield writer
            if self._broken:
                raise StoreFailed(f"nothing of this transaction was kept, for a write within it failed: {self._broken}")
            if writer.info.transaction_status == TransactionStatus.INERROR:
                raise StoreFailed("nothing of this transaction was kept, for a statement within it failed")
            self._commit(writer)
        except BaseException:
            self._roll_back(writer, "ROLLBACK")
            raise
        finally:
            self._depth, self._holder = 0, None

    @contextmanager
    def _nested(self, writer: Link) -> Iterator[None]:
        name, broken = f"within_{self._depth}", self._broken
        writer.execute(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
            writer.execute(f"RELEASE {name}")
        except BaseException:
            self._roll_back(writer, f"ROLLBACK TO {name}", f"RELEASE {name}")
            self._broken = broken
            raise
        finally:
            self._depth -= 1

    def _begin(self) -> Link:
        """Begin on the writer, on a new connection where the old one has broken since the last transaction."""
        writer = self._require_writer()
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
        try:
            writer.execute("COMMIT")
        except psycopg.Error as fault:
            if not lost(fault):
                raise
            raise StoreFailed(
                f"the database {self.place} broke off while it kept a transaction ({first_line(fault)}): it is there"
                " as a whole or not at all; write the same again, which changes nothing where it is there"
            ) from fault

    def _roll_back(self, writer: Link, *statements: str) -> None:
        with suppress(psycopg.Error):
            for statement in statements:
                writer.execute(statement)
        for forget in self.rolled_back:
            forget()

    def _require_writer(self) -> Link:
        if self._closed:
            raise StoreFailed(f"the store in {self.place} is closed; open it again")
        if self._writer is None:
            raise StoreFailed(f"the store in {self.place} is open for reading only; open it without read_only to write")
        return self._writer

    def _take_reader(self) -> Link:
        """A reader in a transaction; connections that broke while they lay idle are thrown away."""
        if self._closed:
            raise StoreFailed(f"the store in {self.place} is closed; open it again")
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
