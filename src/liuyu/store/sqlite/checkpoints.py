"""Folding the write-ahead log back into the main file, beside the writer."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

import apsw

PASSIVE_PAGES = 32_000
"""Log length [pages of 4 KiB] at which folding begins in the background, in nobody's way: 128 MB."""

FORCED_PAGES = 128_000
"""Log length [pages] at which the writer is held up until the log is folded whole and begins anew: 512 MB."""


class Checkpointer:
    """A thread that folds the log when it has grown. `writer` is the lock that the writer holds in a transaction."""

    def __init__(self, file: Path, writer: threading.RLock) -> None:
        self._file, self._writer_lock = file, writer
        self._pages = 0
        self._grown = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="store-checkpoints", daemon=True)
        self._thread.start()

    def notice(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        """Called by SQLite at each commit with the length of the log."""
        self._pages = pages
        if pages >= PASSIVE_PAGES:
            self._grown.set()
        return apsw.SQLITE_OK

    def stop(self) -> None:
        """End the thread."""
        self._stopping = True
        self._grown.set()
        self._thread.join()

    def _run(self) -> None:
        connection = apsw.Connection(str(self._file))
        connection.set_busy_timeout(2_000)
        connection.pragma("synchronous", "full")
        while True:
            self._grown.wait()
            self._grown.clear()
            if self._stopping:
                break
            # A busy database, or a disk that failed, shows itself to the writer too; folding can wait.
            with suppress(apsw.Error):
                self._fold(connection)
        connection.close()

    def _fold(self, connection: apsw.Connection) -> None:
        connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        if self._pages >= FORCED_PAGES:
            with self._writer_lock:
                connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_RESTART)
