"""What the code that all engines share asks of a connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from liuyu.store.columns import Columns

Row = tuple[Any, ...]


class Session(Protocol):
    """A connection within a transaction. Shared statements are written once, with a ? for each value."""

    writes: bool
    """Whether it is the writer's."""

    unlocked: str
    """What follows a SELECT that is to pass over rows which another connection holds."""

    def ask(self, statement: str, values: Sequence[Any] = ()) -> list[Row]:
        """Run a statement; returns all rows that it gives."""
        ...

    def ask_many(self, statement: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement that gives nothing, once for each row of values."""
        ...

    def fetch(self, columns: Sequence[str], rest: str, values: Mapping[str, Any] | None = None) -> Columns:
        """The columns of `SELECT columns rest`, each (n,) float64: whole numbers below 2**53 exact, NULL as NaN."""
        ...

    def document(self, json: bytes) -> bytes | str:
        """JSON as the engine takes it for a column of JSON; it is given back as bytes."""
        ...

    def station_codes(self) -> dict[int, str]:
        """Code of every station number."""
        ...

    def add_stations(self, codes: Sequence[str]) -> None:
        """Give the next numbers to codes, in their order, where they have none."""
        ...

    def add_events(self, rows: Sequence[Row]) -> list[tuple[str, str, int, str, int]]:
        """Append rows of `encoding.event_row`; returns kind, id, time, state and seq of those that are new, by seq."""
        ...
