"""Transactions of one store: one writer, any number of readers, whatever the engine."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Generic, TypeVar

from liuyu.basin.errors import StoreFailed
from liuyu.store.engine.session import Session

S = TypeVar("S", bound=Session)


class Engine(ABC, Generic[S]):
    """The open connections of one store.

    Within a transaction its thread reads what it wrote; every other thread reads the last finished transaction. Who
    holds writes back, to send many at once, is told by `flushed` when they must be sent, and by `rolled_back` when they
    are void.
    """

    def __init__(self, place: str, *, read_only: bool) -> None:
        self.place, self.read_only = place, read_only
        self.rolled_back: list[Callable[[], None]] = []
        self.flushed: list[Callable[[S], None]] = []
        self._mutex = threading.RLock()
        self._depth = 0
        self._broken = ""
        self._holder: int | None = None
        self._idle: list[S] = []
        self._writer: S | None = None
        self._closed = False

    @property
    def depth(self) -> int:
        """How many transactions of this thread are open, one within the other."""
        return self._depth if self._holder == threading.get_ident() else 0

    @contextmanager
    def transaction(self) -> Iterator[S]:
        """The writer, in a transaction. A nested one that fails takes back its own part alone."""
        with self._mutex, self._failing():
            if self._depth:
                writer = self._require_open()
                with self._nested(writer):
                    yield writer
            else:
                with self._outermost() as writer:
                    yield writer

    @contextmanager
    def writing(self) -> Iterator[S]:
        """The writer, for one call: joins the open transaction or makes its own.

        A failure in the middle leaves the open transaction half done, so that one is refused as a whole when it ends.
        """
        if not self.depth:
            with self.transaction() as writer:
                yield writer
            return
        with self._failing():
            try:
                yield self._require_open()
            except BaseException as fault:
                self._broken = self._broken or f"{type(fault).__name__}: {first_line(fault)}"
                raise

    @contextmanager
    def reading(self) -> Iterator[S]:
        """A connection that sees one moment of the store throughout."""
        with self._failing():
            if self.depth and self._writer:
                self._flush(self._require_open())
                yield self._writer
                return
            if self._closed:
                raise StoreFailed(f"the store in {self.place} is closed; open it again")
            reader = self._take_reader()
            try:
                yield reader
            finally:
                self._give_back(reader)

    def checkpoint(self) -> None:
        """Fold the engine's log back, where that is ours to do."""

    def close(self) -> None:
        """Close every connection, and let go of the store. Closing again does nothing."""
        if self._closed:
            return
        if self.depth:
            raise StoreFailed(f"the store in {self.place} has an open transaction; end it before closing")
        self._closed = True
        self._let_go()

    @contextmanager
    def _outermost(self) -> Iterator[S]:
        writer = self._begin(self._require_writer())
        self._depth, self._holder, self._broken = 1, threading.get_ident(), ""
        try:
            yield writer
            if self._broken:
                raise StoreFailed(f"nothing of this transaction was kept, for a write within it failed: {self._broken}")
            self._flush(writer)
            self._commit(writer)
        except BaseException:
            self._roll_back(writer, "ROLLBACK")
            raise
        finally:
            self._depth, self._holder = 0, None

    @contextmanager
    def _nested(self, writer: S) -> Iterator[None]:
        name, broken = f"within_{self._depth}", self._broken
        self._flush(writer)
        writer.ask(f"SAVEPOINT {name}")
        self._depth += 1
        try:
            yield
            self._flush(writer)
            writer.ask(f"RELEASE {name}")
        except BaseException as fault:
            self._roll_back(writer, f"ROLLBACK TO {name}", f"RELEASE {name}")
            self._broken = broken if self._is_open(writer) else self._broken or first_line(fault)
            raise
        finally:
            self._depth -= 1

    def _flush(self, writer: S) -> None:
        for send in self.flushed:
            send(writer)

    def _roll_back(self, writer: S, *statements: str) -> None:
        self._undo(writer, statements)
        for forget in self.rolled_back:
            forget()

    def _require_writer(self) -> S:
        if self._closed:
            raise StoreFailed(f"the store in {self.place} is closed; open it again")
        if self._writer is None:
            raise StoreFailed(f"the store in {self.place} is open for reading only; open it without read_only to write")
        return self._writer

    def _require_open(self) -> S:
        """The writer within its transaction, which a full disk or a lost connection may have ended before its time."""
        writer = self._require_writer()
        if not self._is_open(writer):
            raise StoreFailed(f"nothing of this transaction was kept, for it was cut off: {self._broken}")
        return writer

    @abstractmethod
    def _is_open(self, writer: S) -> bool:
        """Whether the writer is still in a transaction."""

    @abstractmethod
    def _failing(self) -> AbstractContextManager[None]:
        """Turn what the engine reports into StoreFailed, with what a person can do about it."""

    @abstractmethod
    def _begin(self, writer: S) -> S:
        """Begin the outermost transaction; returns the writer that it is in."""

    @abstractmethod
    def _commit(self, writer: S) -> None:
        """Make the outermost transaction durable."""

    @abstractmethod
    def _undo(self, writer: S, statements: tuple[str, ...]) -> None:
        """Run what takes a transaction back, as far as the writer still has one. Raises nothing of the engine's."""

    @abstractmethod
    def _take_reader(self) -> S:
        """A connection in a reading transaction."""

    @abstractmethod
    def _give_back(self, reader: S) -> None:
        """End its transaction, and keep it for the next."""

    @abstractmethod
    def _let_go(self) -> None:
        """Close every connection."""


def first_line(fault: BaseException) -> str:
    """What a fault says, on one line."""
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0]
