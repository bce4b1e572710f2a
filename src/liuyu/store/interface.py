"""The one interface of every storage engine. Only `app` chooses an engine; everyone else holds a `Store`.

Times are seconds since 1970-01-01 UTC, intervals are closed at the start and open at the end, values are in the unit of
their quantity. All reads may run in any thread beside the one writer. What a `transaction` wrote is durable when it
ends and absent if it did not end, after `kill -9` too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from liuyu.basin.events import Event
from liuyu.basin.records import Forecast
from liuyu.basin.series import Batch, Roster, Series


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: rows that were new, rows equal to what was there, rows that corrected an older value."""

    new: int
    same: int
    corrected: int


@dataclass(frozen=True, slots=True)
class Rollup:
    """Usable values of a series gathered by hour or day: each (n,). time is the start of each step [s UTC]."""

    time: NDArray[np.int64]
    count: NDArray[np.int64]
    minimum: NDArray[np.float64]
    maximum: NDArray[np.float64]
    mean: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Version:
    """A value that a later one replaced: when it was received and when it was replaced [s UTC, the twin's clock]."""

    value: float
    flag: int
    received: int
    replaced: int


@dataclass(frozen=True, slots=True)
class Job:
    """Work that must be done once, also if the process dies. States: queued, claimed, done, failed.

    (kind, name) is its identity; times are in s UTC. `attempts` counts claims; a claim whose lease has run out may be
    taken by another worker. `reason` is why it failed last.
    """

    id: int
    kind: str
    name: str
    payload: bytes
    state: str
    submitted: int
    due: int
    attempts: int = 0
    worker: str = ""
    lease_until: int | None = None
    ended: int | None = None
    reason: str = ""
    result: bytes = b""


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter: what was set aside. States: waiting, replayed (taken after all), refused (replayed in vain).

    `received` and `marked`, when it was last replayed, are in s UTC; `note` says what came of that.
    """

    id: int
    source: str
    reason: str
    payload: bytes
    received: int
    state: str = "waiting"
    marked: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chain:
    """What verifying the chain of a log found: how many entries are sound from the first on, and the digest after them.

    `begun`: so many of the first were chained only when a newer liuyu opened the store. `bad` is the number of the
    first entry that is not as it was logged, None where all are, and `problem` says what is wrong.
    """

    log: str
    count: int
    head: str
    begun: int
    bad: int | None
    problem: str


class Store(Protocol):
    """Series, latest values, grids, forecasts, events, state and jobs of one twin."""

    def transaction(self) -> AbstractContextManager[None]:
        """Everything written within is kept together or not at all. May be nested; the outermost decides."""
        ...

    def close(self) -> None:
        """Flush and let go of the files."""
        ...

    # series

    def write(self, batch: Batch, *, received: int) -> Written:
        """Upsert observations. Same key and value: no change. Same key, other value: the older goes to history."""
        ...

    def reflag(self, batch: Batch) -> int:
        """Set the flags of observations that are there already, by key; returns how many changed."""
        ...

    def series(self, station: str, quantity: str, start: int, end: int) -> Series:
        """One series in [start, end), by time; from the live store and the Parquet history as one."""
        ...

    def window(self, stations: Sequence[str], quantities: Sequence[str], start: int, end: int, roster: Roster) -> Batch:
        """All observations of some stations and quantities in [start, end), by time. Empty sequences mean all."""
        ...

    def latest(self, roster: Roster, *, at: int | None = None) -> Batch:
        """The newest usable observation of every series; with `at`, the newest at or before it (within 10 days)."""
        ...

    def rollup(self, station: str, quantity: str, start: int, end: int, step: int) -> Rollup:
        """Hourly (step 3600) or daily (86400, UTC) roll-ups of the usable values; steps that begin in [start, end)."""
        ...

    def versions(self, station: str, quantity: str, time: int) -> list[Version]:
        """The values that were corrected away at one time, oldest first."""
        ...

    def set_aside(self, source: str, reason: str, payload: bytes, *, received: int) -> None:
        """Keep what could not be used, raw, with the reason."""
        ...

    def asides(self, *, limit: int = 100) -> list[Mapping[str, Any]]:
        """What was set aside, newest first: source, reason, payload, received."""
        ...

    def letters(
        self,
        *,
        id: int | None = None,
        source: str = "",
        reason: str = "",
        state: str = "",
        start: int | None = None,
        end: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[Letter]:
        """What was set aside, newest first, narrowed by id, source, a part of the reason (in either case), state and
        time of arrival in [start, end). `before`: only ids below it, to go on where a list ended.
        """
        ...

    def mark_letter(self, id: int, state: str, note: str, *, now: int) -> Letter:
        """Say that a letter was replayed or refused again; nothing of it is lost. Raises NotFound, BadInput."""
        ...

    # forecasts and grids

    def put_forecasts(self, forecasts: Iterable[Forecast]) -> None:
        """Keep forecasts by (issued, station, quantity, model); the same key again replaces."""
        ...

    def forecast(
        self, station: str, quantity: str, *, at: int | None = None, model: str | None = None
    ) -> Forecast | None:
        """The newest forecast of a series issued at or before a time, of one model or any.

        Of several that were issued together, the one with the most members: what the others are parts of.
        """
        ...

    def forecasts(self, start: int, end: int, *, station: str | None = None) -> list[Forecast]:
        """Forecasts issued in [start, end), by issue time, station and quantity."""
        ...

    def put_grid(self, name: str, time: int, grid: xr.Dataset) -> None:
        """Keep a gridded product of one valid time."""
        ...

    def grid(self, name: str, *, at: int | None = None) -> xr.Dataset | None:
        """The newest grid of a name at or before a time."""
        ...

    # events, state, jobs

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Append events to the log; returns those whose identity is new, with their numbers and their times in UTC."""
        ...

    def events(
        self,
        *,
        after: int = 0,
        kinds: Sequence[str] = (),
        start: int | None = None,
        end: int | None = None,
        id: str | None = None,
        subject: str | None = None,
        limit: int | None = None,
        newest_first: bool = False,
    ) -> list[Event]:
        """Events with seq > after, by seq, narrowed by kind, time in [start, end), id and subject."""
        ...

    def save_state(self, name: str, blob: bytes) -> None:
        """Keep the state of a stage under its name, in place of the older."""
        ...

    def load_state(self, name: str) -> bytes | None:
        """The state kept under a name."""
        ...

    def audit(self, *, at: int, user: str, action: str, target: str, detail: Mapping[str, Any]) -> None:
        """A line in the audit log: who did what to what. The log is never changed."""
        ...

    def audit_log(self, *, limit: int = 100) -> list[Mapping[str, Any]]:
        """The newest audit lines: at, user, action, target, detail."""
        ...

    def chain_head(self, log: str = "event") -> tuple[int, str]:
        """How many entries the log of events, or of "audit", has in its chain of hashes, and the digest after them."""
        ...

    def verify_chain(self, log: str = "event", heads: Iterable[tuple[int, str]] = ()) -> Chain:
        """Whether the log, from its first entry, is what was logged.

        `heads` are heads that were told elsewhere: a count, and the digest or how it begins, in hex digits. Raises
        BadInput for another log, StoreFailed for a store that has no chain.
        """
        ...

    # files

    def put_file(self, content: bytes) -> str:
        """Keep a file; returns its SHA-256 in hex digits, by which it is found. The same content is kept once."""
        ...

    def file(self, digest: str) -> bytes | None:
        """The file of a digest."""
        ...

    # jobs

    def submit(self, kind: str, name: str, payload: bytes, *, now: int, due: int | None = None) -> Job:
        """Queue a job, to be done from `due` on. One of the same kind and name is given back as it stands."""
        ...

    def claim(self, kinds: Sequence[str], worker: str, *, now: int, lease: int, name: str = "") -> Job | None:
        """Take the job of some kinds that is due longest, or the one of a name, for `lease` seconds; None where none is
        due.
        """
        ...

    def finish(self, job: Job, result: bytes, *, now: int) -> Job:
        """Close a claimed job with its result. Raises StoreFailed where the claim has passed to another."""
        ...

    def fail(self, job: Job, reason: str, *, now: int, retry_at: int | None = None) -> Job:
        """Close a claimed job with a reason, or queue it again for `retry_at`. Raises StoreFailed as finish does."""
        ...

    def jobs(
        self, *, kinds: Sequence[str] = (), states: Sequence[str] = (), name: str = "", limit: int = 100
    ) -> list[Job]:
        """Jobs of some kinds and states and of a name (empty means all), newest first."""
        ...

    # upkeep

    def archive(self, before: int) -> int:
        """Move whole months that end before a time from the live tables to Parquet; returns rows moved."""
        ...

    def checkpoint(self) -> None:
        """Fold the write-ahead log back into the main file; runs in the background otherwise."""
        ...
