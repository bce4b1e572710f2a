"""Connections and locks of one store folder: one writer, any number of readers, a checkpointer."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import IO

import apsw

from liuyu.basin.errors import StoreFailed
from liuyu.store.engine.engine import Engine
from liuyu.store.sqlite.checkpoints import Checkpointer
from liuyu.store.sqlite.link import Link
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
        raise StoreFailed(
            f"no room left for {folder} ({fault}); nothing of this transaction was kept; free space on that disk"
        ) from fault
    except apsw.Error as fault:
        raise StoreFailed(
            f"{folder / FILE}: {fault}; nothing of this transaction was kept; see that the disk is sound and has room,"
            " and that the folder can be written"
        ) from fault


class SqliteEngine(Engine[Link]):
    """The open files of one store, and the thread that folds their log."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        super().__init__(str(folder), read_only=read_only)
        check_library(apsw.sqlite_lib_version())
        self.folder = folder
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

    def checkpoint(self) -> None:
        """Fold the log into the main file, as far as no reader needs it still. Within a transaction it can wait."""
        with self._mutex, failing(self.folder):
            if self._depth == 0:
                with suppress(apsw.BusyError):
                    self._require_writer().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _failing(self) -> AbstractContextManager[None]:
        return failing(self.folder)

    def _begin(self, writer: Link) -> Link:
        writer.execute("BEGIN IMMEDIATE")
        return writer

    def _commit(self, writer: Link) -> None:
        writer.execute("COMMIT")

    def _is_open(self, writer: Link) -> bool:
        return writer.in_transaction

    def _undo(self, writer: Link, statements: tuple[str, ...]) -> None:
        """SQLite itself takes a transaction back when the disk is full, so that there may be none."""
        for statement in statements:
            if writer.in_transaction:
                writer.execute(statement)

    def _take_reader(self) -> Link:
        try:
            reader = self._idle.pop()
        except IndexError:
            reader = self._open_reader()
        reader.execute("BEGIN")
        return reader

    def _give_back(self, reader: Link) -> None:
        if reader.in_transaction:
            reader.execute("ROLLBACK")
        if self._closed:
            reader.close()
        else:
            self._idle.append(reader)

    def _let_go(self) -> None:
        if self._checkpointer:
            self._checkpointer.stop()
        try:
            with self._mutex, failing(self.folder):
                while self._idle:
                    self._idle.pop().close()
                if self._writer:
                    with suppress(apsw.Error):  # what a full disk leaves in the log is folded by the next to open it
                        self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
                    self._writer.close()
        finally:
            self._unlock()

    def _open_writer(self) -> Link:
        writer = Link(str(self.folder / FILE))
        writer.writes = True
        prepare_writer(writer)
        return writer

    def _open_reader(self) -> Link:
        if not (self.folder / FILE).exists():
            raise StoreFailed(f"{self.folder} holds no store; give the folder of a twin that ran")
        reader = Link(str(self.folder / FILE), flags=apsw.SQLITE_OPEN_READONLY)
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
