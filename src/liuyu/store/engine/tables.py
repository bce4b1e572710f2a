"""The tables of observations: what each engine does in its own SQL, and what is read from them alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Batch
from liuyu.store.batches import BLOCK
from liuyu.store.columns import COLUMNS, Columns, Numbers, overlay
from liuyu.store.engine.names import Names, source_names
from liuyu.store.engine.session import Session
from liuyu.store.history import History
from liuyu.store.interface import Written

S = TypeVar("S", bound=Session)


class Tables(ABC, Generic[S]):
    """The live tables of one engine and the history that they end in; without a folder there is no history."""

    def __init__(self, names: Names, history: History | None) -> None:
        self.names, self.history = names, history

    @abstractmethod
    def write(self, writer: S, batch: Batch, received: int) -> Written:
        """Upsert a checked batch, with `latest`, roll-ups and the history of corrected values. See Store.write."""

    @abstractmethod
    def reflag(self, writer: S, batch: Batch) -> int:
        """Set flags by key; of a key that comes twice the last counts. See Store.reflag."""

    @abstractmethod
    def live_rows(
        self,
        session: S,
        stations: Numbers,
        quantities: Numbers,
        start: int,
        end: int,
        columns: Sequence[str] = COLUMNS,
    ) -> Columns:
        """Columns of the live rows in [start, end), by block, station, quantity and time."""

    @abstractmethod
    def newest_in_blocks(self, session: S, series: NDArray[np.int64], blocks: NDArray[np.int64], at: int) -> Columns:
        """COLUMNS of the newest usable row at or before a time, of each series that has one in some blocks."""

    @abstractmethod
    def hours(self, session: S, station: int, quantity: int, start: int, end: int) -> Columns:
        """Time, count, minimum, maximum and sum of the hours of a series that are kept in [start, end)."""

    @abstractmethod
    def days(self, session: S, station: int, quantity: int, start: int, end: int) -> Columns:
        """Time, count, minimum, maximum and sum of the days of a series that are kept in [start, end)."""

    @abstractmethod
    def sum_hours(self, writer: S, series: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Sum again the hours that hold some times of series, each (n,); returns series and hours, (2, m)."""

    @abstractmethod
    def bring(self, writer: S, columns: Columns) -> None:
        """Lay rows of ALL_COLUMNS in the live table, where it has none of their key."""

    @abstractmethod
    def take_away(self, writer: S, start: int, end: int) -> int:
        """Delete the live rows of the days in [start, end) [s UTC]; returns how many there were."""

    def rows(
        self,
        session: S,
        stations: Numbers,
        quantities: Numbers,
        start: int,
        end: int,
        columns: Sequence[str] = COLUMNS,
    ) -> Columns:
        """Columns in [start, end) of the live tables and the history as one; where both have a key the live row counts.

        `columns` begins with COLUMNS. The live rows are read first: what an archiving run has since taken away is then
        in the history.
        """
        live = self.live_rows(session, stations, quantities, start, end, columns)
        if self.history is None or not self.history.covers(start, end):
            return live
        codes = session.station_codes()
        wanted = codes if stations is None else {each: codes[each] for each in stations.tolist() if each in codes}
        sources = source_names(session) if "source" in columns else {}
        return overlay(live, self.history.read(wanted, quantities, start, end, columns, sources))


def span(session: Session) -> tuple[int, int] | None:
    """The first and the last block of the live table, None where it is empty."""
    low, high = session.ask("SELECT (SELECT min(block) FROM observation), (SELECT max(block) FROM observation)")[0]
    return None if low is None else (int(low), int(high))


def reach(tables: Tables[S], session: S) -> tuple[int, int]:
    """The span [start, end) [s UTC] of all that is live or archived."""
    spans = [(month.start, month.end) for month in tables.history.months] if tables.history else []
    blocks = span(session)
    if blocks is not None:
        spans.append((blocks[0] * BLOCK, (blocks[1] + 1) * BLOCK))
    return min((start for start, _ in spans), default=0), max((end for _, end in spans), default=0)
