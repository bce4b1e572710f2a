"""Connections, locks and transactions of one store folder: one writer, any number of readers, a checkpointer."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import apsw

from liuyu.basin.errors import StoreFailed
from liuyu.store.sqlite.checkpoints import Checkpointer
from liuyu.store.sqlite.schema import check_library, check_version, prepare, prepare_writer

FILE = "live.sqlite"


@contextmanager
def failing(folder: Path) -> Iterator[None]:
    """Turn what SQLite reports into StoreFailed, with what a person can do about it."""
    try:
        yield
    except (apsw.NotADBError, apsw.CorruptError) as fault:
        raise StoreFailed(f"{folder / FILE} is damaged ({fault}); restore the folder from a copy") from fault
    except apsw.FullError as fault:
        raise StoreFailed(f"no room left for {folder}: {fault}; free space on that disk and start again") from fault
    except apsw.Error as fault:
        raise StoreFailed(f"{folder / FILE}: {fault}; see that the disk is sound and the folder writable") from fault


class Engine:
    """The open files of one store.

    Within a transaction its thread reads what it wrote; every other thread reads the last finished transaction.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        check_library(apsw.sqlite_lib_version())
        self.folder, self.read_only = folder, read_only
        self.rolled_back: list[Callable[[], None]] = []
        self._mutex = threading.RLock()
        self._depth = 0
        self._broken = ""
        self._holder: int | None = None
        self._idle: list[apsw.Connection] = []
        self._closed = False
        self._lock_file = None if read_only else _lock(folder)
        try:
            with failing(folder):
                self._writer = None if read_only else self._open_writer()
                self._idle.append(self._open_reader())
        except BaseException:
            self._unlock()
            raise
        self._checkpointer = Checkpointer(folder / FILE, self._mutex) if self._writer else None
        if self._writer and self._checkpointer:
            self._writer.set_wal_hook(self._checkpointer.notice)

    @property
    def depth(self) -> int:
        """How many transactions of this thread are open, one within the other."""
        return self._depth if self._holder == threading.get_ident() else 0

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """The writer, in a transaction. A nested one that fails takes back its own part alone."""
        with self._mutex, failing(self.folder):
            writer = self._require_writer()
            if self._depth:
                with self._nested(writer):
                    yield writer
            else:
                with self._outermost(writer):
                    yield writer

    @contextmanager
    def writing(self) -> Iterator[apsw.Connection]:
        """The writer, for one call: joins the open transaction or makes its own.

        A failure in the middle leaves the open transaction half done, so that one is refused as a whole when it ends.
        """
        if not self.depth:
            with self.transaction() as writer:
                yield writer
            return
        with failing(self.folder):
            try:
                yield self._require_writer()
            except BaseException as fault:
                self._broken = self._broken or f"{type(fault).__name__}: {fault}"
                raise

    @contextmanager
    def reading(self) -> Iterator[apsw.Connection]:
        """A connection that sees one moment of the store throughout."""
        if self.depth and self._writer:
            with failing(self.folder):
                yield self._writer
            return
        with failing(self.folder):
            reader = self._take_reader()
            try:
                reader.execute("BEGIN")
                yield reader
            finally:
                if reader.in_transaction:
                    reader.execute("ROLLBACK")
                self._give_back(reader)

    def checkpoint(self) -> None:
        """Fold the log into the main file, as far as no reader needs it still. Within a transaction it can wait."""
        with self._mutex, failing(self.folder):
            if self._depth == 0:
                with suppress(apsw.BusyError):
                    self._require_writer().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def close(self) -> None:
        """Stop the checkpointer, fold the log, close every connection and let go of the folder."""
        if self._closed:
            return
        if self.depth:
            raise StoreFailed(f"the store in {self.folder} has an open transaction; end it before closing")
        self._closed = True
        if self._checkpointer:
            self._checkpointer.stop()
        with self._mutex, failing(self.folder):
            if self._writer:
                self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
            while self._idle:
                self._idle.pop().close()
            if self._writer:
                self._writer.close()
        self._unlock()

    @contextmanager
    def _outermost(self, writer: apsw.Connection) -> Iterator[None]:
        writer.execute("BEGIN IMMEDIATE")
        self._depth, self._holder, self._broken = 1, threading.get_ident(), ""
        try:
            yield
            if self._broken:
                raise StoreFailed(f"nothing of this transaction was kept, for a write within it failed: {self._broken}")
            writer.execute("COMMIT")
        except BaseException:
            if writer.in_transaction:
                writer.execute("ROLLBACK")
            for forget in self.rolled_back:
                forget()
            raise
        finally:
            self._depth, self._holder = 0, None

    @contextmanager
    def _nested(self, writer: apsw.Connection) -> Iterator[None]:
        name, broken = f"within_{self._depth}", self._broken
        writer.execute(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
        except BaseException:
            if writer.in_transaction:
                writer.execute(f"ROLLBACK TO {name}")
                writer.execute(f"RELEASE {name}")
            self._broken = broken
            for forget in self.rolled_back:
                forget()
            raise
        else:
            writer.execute(f"RELEASE {name}")
        finally:
            self._depth -= 1

    def _require_writer(self) -> apsw.Connection:
        if self._closed:
            raise StoreFailed(f"the store in {self.folder} is closed; open it again")
        if self._writer is None:
            raise StoreFailed(
                f"the store in {self.folder} is open for reading only; open it without read_only to write"
            )
        return self._writer

    def _take_reader(self) -> apsw.Connection:
        if self._closed:
            raise StoreFailed(f"the store in {self.folder} is closed; open it again")
        try:
            return self._idle.pop()
        except IndexError:
            return self._open_reader()

    def _give_back(self, reader: apsw.Connection) -> None:
        if self._closed:
            reader.close()
        else:
            self._idle.append(reader)

    def _open_writer(self) -> apsw.Connection:
        writer = apsw.Connection(str(self.folder / FILE))
        prepare_writer(writer)
        return writer

    def _open_reader(self) -> apsw.Connection:
        if not (self.folder / FILE).exists():
            raise StoreFailed(f"{self.folder} holds no store; give the folder of a twin that ran")
        reader = apsw.Connection(str(self.folder / FILE), flags=apsw.SQLITE_OPEN_READONLY)
        prepare(reader)
        reader.pragma("cache_size", -65_536)
        check_version(reader, str(self.folder / FILE))
        return reader

    def _unlock(self) -> None:
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None


def _lock(folder: Path) -> IO[str]:
    """Take the folder for this process. Raises StoreFailed with the number of the process that has it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / "lock").open("a+", encoding="ascii")
    except OSError as fault:
        raise StoreFailed(
            f"cannot make a store in {folder} ({fault.strerror}); give a folder that can be written"
        ) from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.seek(0)
        holder = file.read().strip() or "unknown"
        file.close()
        raise StoreFailed(
            f"the store in {folder} is in use by process {holder}; stop it first, or open with read_only=True"
        ) from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file
