"""The one interface of every inbox: what sources delivered and the loop has not taken, durable, in order of arrival.

A source delivers parcels; when `put` returns they survive `kill -9`, and only then may it confirm to its station. The
loop takes them in order and keeps the place up to which it has come in the same transaction as what it made of them, so
that each parcel counts exactly once whatever is killed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from liuyu.basin.series import Aside, Batch


@dataclass(frozen=True, slots=True)
class Parcel:
    """What one source delivered at once: values, what it could not read, and when [s UTC] it arrived.

    `key` names the parcel where its source can deliver it twice (a message number, a file's digest): the second of a
    key is dropped within the span for which the engine remembers keys; empty for none.
    """

    source: str
    received: int
    batch: Batch
    asides: tuple[Aside, ...] = ()
    key: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """A parcel and its place: 1, 2, ... in order of arrival, never used again."""

    place: int
    parcel: Parcel


class Inbox(Protocol):
    """Parcels of one basin. `put` may be called from any thread and process; one loop takes."""

    def put(self, parcels: Sequence[Parcel]) -> int:
        """Keep parcels durably; returns the place of the last. Raises InboxFull, StoreFailed: nothing was kept then."""
        ...

    def take(self, after: int, *, limit: int = 50_000) -> list[Placed]:
        """Parcels beyond a place, in order, until together they hold `limit` values; empty where there are none."""
        ...

    def forget(self, until: int) -> None:
        """Let go of parcels up to a place: the loop has made them durable elsewhere."""
        ...

    def waiting(self, after: int) -> int:
        """How many parcels stand beyond a place."""
        ...

    def close(self) -> None:
        """Let go of files and connections; what was put stays."""
        ...
