"""`PostgresStore`: the engine for more than one machine. What each method promises is told in `store/interface.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from liuyu.basin.errors import NotFound, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.quantities import quantity as quantity_of
from liuyu.basin.records import Forecast
from liuyu.basin.series import Batch, Roster, Series
from liuyu.store.batches import check
from liuyu.store.columns import to_batch
from liuyu.store.grids import Grids
from liuyu.store.history import History
from liuyu.store.interface import Job, Rollup, Version, Written
from liuyu.store.postgres import archiving, jobs, logs, newest, observations, rollups
from liuyu.store.postgres import forecasts as forecast_rows
from liuyu.store.postgres.days import Days
from liuyu.store.postgres.engine import Engine, forget
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.names import Names, station_number
from liuyu.store.postgres.rows import rows


def open_store(url: str, folder: Path | None, *, read_only: bool = False) -> PostgresStore:
    """Open the store in a database, or make one there; `folder` holds the history and the grids.

    The database's schema is the first of the search path (`?options=-csearch_path%3Dname`), made where it is missing;
    a schema is a store. One process at a time may write; with `read_only` any number may read beside it, on any
    machine. Without a folder there are no grids and nothing is archived. Raises StoreFailed, with the cure, where the
    database does not answer, is in use, of a newer schema or another program's, and BadInput for what is no URL.
    """
    return PostgresStore(url, folder, read_only=read_only)


def forget_store(url: str) -> None:
    """Drop the schema of a store with all that it holds. Raises StoreFailed where a process writes to it."""
    forget(url)


class PostgresStore:
    """PostgreSQL for what is live, and a folder of Parquet for history and of Zarr for grids. See `Store`."""

    def __init__(self, url: str, folder: Path | None, *, read_only: bool = False) -> None:
        self.engine = Engine(url, read_only=read_only)
        self.history = History(folder / "history") if folder else None
        self.grids = Grids(folder / "grids") if folder else None
        self._names, self._days = Names(self.engine), Days(self.engine)
        if self.history and self.grids and not read_only:
            archiving.tidy(self.engine, self.history, self.grids)

    def __enter__(self) -> PostgresStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all or nothing. A nested transaction that fails takes back its own part."""
        with self.engine.transaction():
            yield

    def close(self) -> None:
        """Close every connection. Closing again does nothing."""
        self.engine.close()
        if self.history:
            self.history.close()

    def checkpoint(self) -> None:
        """Nothing to do: the server folds its log back by itself."""

    # series

    def write(self, batch: Batch, *, received: int) -> Written:
        """Upsert observations. Raises BadInput for places, quantities or flags that do not exist."""
        check(batch)
        if not len(batch):
            return Written(0, 0, 0)
        with self.engine.writing() as writer:
            self._make_room(writer, batch)
            return observations.write(writer, self._names, self.history, batch, received)

    def reflag(self, batch: Batch) -> int:
        """Set flags by key; returns how many changed. Raises BadInput as write does."""
        check(batch)
        if not len(batch):
            return 0
        with self.engine.writing() as writer:
            if self.history:
                archiving.bring_back(writer, self._names, self._days, self.history, batch)
            return observations.reflag(writer, self._names, self.history, batch)

    def series(self, station: str, quantity: str, start: int, end: int) -> Series:
        """One series in [start, end); empty where the store has never met the station."""
        number = quantity_of(quantity).number
        with self.engine.reading() as reader:
            key = _one(station_number(reader, station)), _one(number)
            _, _, time, value, flag = rows(reader, self.history, *key, start, end)
        return Series(station, quantity, time.astype(np.int64), value, flag.astype(np.uint8))

    def window(self, stations: Sequence[str], quantities: Sequence[str], start: int, end: int, roster: Roster) -> Batch:
        """Observations in [start, end), by time. Raises NotFound for a station that the roster lacks."""
        numbers = np.array([quantity_of(each).number for each in quantities], np.int64) if quantities else None
        with self.engine.reading() as reader:
            wanted = None
            if stations:
                known = self._names.of_roster(reader, roster)
                wanted = known[[_place(roster, code) for code in stations]]
            columns = rows(reader, self.history, wanted, numbers, start, end)
            return to_batch(roster, self._names.places(reader, roster), columns).ordered()

    def latest(self, roster: Roster, *, at: int | None = None) -> Batch:
        """The newest usable observation of every series, by place in the roster and quantity."""
        with self.engine.reading() as reader:
            columns = newest.latest(reader, self.history, at)
            batch = to_batch(roster, self._names.places(reader, roster), columns)
        return batch.take(np.lexsort((batch.quantity, batch.station)))

    def rollup(self, station: str, quantity: str, start: int, end: int, step: int) -> Rollup:
        """The hours or days (UTC) of a series that begin in [start, end). Raises BadInput for another step."""
        with self.engine.reading() as reader:
            number = station_number(reader, station)
            return rollups.rollup(reader, self.history, number, quantity_of(quantity).number, start, end, step)

    def versions(self, station: str, quantity: str, time: int) -> list[Version]:
        """The values that were corrected away at one time, oldest first."""
        with self.engine.reading() as reader:
            number = station_number(reader, station)
            return observations.versions(reader, number, quantity_of(quantity).number, time)

    def set_aside(self, source: str, reason: str, payload: bytes, *, received: int) -> None:
        """Keep what could not be used."""
        with self.engine.writing() as writer:
            logs.set_aside(writer, source, reason, payload, received)

    def asides(self, *, limit: int = 100) -> list[Mapping[str, Any]]:
        """What was set aside, newest first."""
        with self.engine.reading() as reader:
            return logs.asides(reader, limit)

    # forecasts and grids

    def put_forecasts(self, forecasts: Iterable[Forecast]) -> None:
        """Keep forecasts, their members as float32."""
        with self.engine.writing() as writer:
            forecast_rows.put(writer, forecasts)

    def forecast(
        self, station: str, quantity: str, *, at: int | None = None, model: str | None = None
    ) -> Forecast | None:
        """The newest forecast issued at or before a time; of several models the first by name."""
        with self.engine.reading() as reader:
            return forecast_rows.newest(reader, station, quantity_of(quantity).number, at, model)

    def forecasts(self, start: int, end: int, *, station: str | None = None) -> list[Forecast]:
        """Forecasts issued in [start, end)."""
        with self.engine.reading() as reader:
            return forecast_rows.issued(reader, start, end, station)

    def put_grid(self, name: str, time: int, grid: xr.Dataset) -> None:
        """Keep a grid; the same name and time again replaces. Raises BadInput for a name that is no file name."""
        folder = self._folder_of_grids().write(name, time, grid)
        with self.engine.writing() as writer:
            writer.execute(
                "INSERT INTO grid VALUES (%s, %s, %s) ON CONFLICT (name, time) DO UPDATE SET folder = excluded.folder",
                (name, time, folder),
            )

    def grid(self, name: str, *, at: int | None = None) -> xr.Dataset | None:
        """The newest grid of a name at or before a time, in memory."""
        with self.engine.reading() as reader:
            row = reader.execute(
                "SELECT folder FROM grid WHERE name = %s AND time <= %s ORDER BY time DESC LIMIT 1",
                (name, int(np.iinfo(np.int64).max) if at is None else at),
            ).fetchone()
        return self._folder_of_grids().read(row[0]) if row else None

    # events, state, jobs

    def append(self, events: Iterable[Event]) -> list[Event]:
        """Append events; returns those that were new, numbered."""
        with self.engine.writing() as writer:
            return logs.append(writer, events)

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
        """Events with seq > after, narrowed."""
        with self.engine.reading() as reader:
            return logs.events(
                reader,
                after=after,
                kinds=kinds,
                start=start,
                end=end,
                id=id,
                subject=subject,
                limit=limit,
                newest_first=newest_first,
            )

    def save_state(self, name: str, blob: bytes) -> None:
        """Keep the state of a stage."""
        with self.engine.writing() as writer:
            logs.save_state(writer, name, blob)

    def load_state(self, name: str) -> bytes | None:
        """The state kept under a name."""
        with self.engine.reading() as reader:
            return logs.load_state(reader, name)

    def audit(self, *, at: int, user: str, action: str, target: str, detail: Mapping[str, Any]) -> None:
        """Add a line to the audit log."""
        with self.engine.writing() as writer:
            logs.audit(writer, at, user, action, target, detail)

    def audit_log(self, *, limit: int = 100) -> list[Mapping[str, Any]]:
        """The newest audit lines, newest first."""
        with self.engine.reading() as reader:
            return logs.audit_log(reader, limit)

    def submit(self, kind: str, name: str, payload: bytes, *, now: int, due: int | None = None) -> Job:
        """Put a job in the queue, once for each kind and name."""
        with self.engine.writing() as writer:
            return jobs.submit(writer, kind, name, payload, now, now if due is None else due)

    def claim(self, kinds: Sequence[str], worker: str, *, now: int, lease: int) -> Job | None:
        """Take the job that is due longest, for `lease` seconds."""
        with self.engine.writing() as writer:
            return jobs.claim(writer, kinds, worker, now, lease)

    def finish(self, job: Job, result: bytes, *, now: int) -> Job:
        """Close a claimed job with its result. Raises StoreFailed where the claim has lapsed."""
        with self.engine.writing() as writer:
            return jobs.finish(writer, job, result, now)

    def fail(self, job: Job, reason: str, *, now: int, retry_at: int | None = None) -> Job:
        """Close a claimed job with a reason, or queue it again. Raises StoreFailed where the claim has lapsed."""
        with self.engine.writing() as writer:
            return jobs.fail(writer, job, reason, now, retry_at)

    def jobs(self, *, kinds: Sequence[str] = (), states: Sequence[str] = (), limit: int = 100) -> list[Job]:
        """Jobs, newest first."""
        with self.engine.reading() as reader:
            return jobs.listed(reader, kinds, states, limit)

    def archive(self, before: int) -> int:
        """Move whole months that end at or before a time to Parquet; returns rows moved."""
        if self.history is None:
            raise StoreFailed(f"the store in {self.engine.place} has no folder for its history; open it with one")
        return archiving.archive(self.engine, self._days, self.history, before)

    def _make_room(self, writer: Link, batch: Batch) -> None:
        """What must be there before a batch is laid in: the partitions of its days, and archived days it changes."""
        self._days.ensure(writer, batch.time)
        if self.history:
            archiving.bring_back(writer, self._names, self._days, self.history, batch)

    def _folder_of_grids(self) -> Grids:
        if self.grids is None:
            raise StoreFailed(f"the store in {self.engine.place} has no folder for its grids; open it with one")
        return self.grids


def _one(number: int) -> NDArray[np.int64]:
    return np.array([number], np.int64)


def _place(roster: Roster, code: str) -> int:
    if code not in roster.number:
        raise NotFound(f"no station {code!r} in a roster of {len(roster)}; ask for one of its codes")
    return roster.number[code]
