"""`SqliteStore`: the embedded engine behind `Store`. What each method promises is told in `store/interface.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event
from liuyu.basin.quantities import quantity as quantity_of
from liuyu.basin.records import Forecast
from liuyu.basin.series import Batch, Roster, Series
from liuyu.store.batches import check
from liuyu.store.columns import to_batch
from liuyu.store.grids import Grids
from liuyu.store.history import History
from liuyu.store.interface import Job, Rollup, Version, Written
from liuyu.store.sqlite import archiving, jobs, logs, newest, observations, rollups
from liuyu.store.sqlite import forecasts as forecast_rows
from liuyu.store.sqlite.engine import Engine
from liuyu.store.sqlite.names import Names, station_number
from liuyu.store.sqlite.rows import rows


def open_store(folder: Path, *, read_only: bool = False) -> SqliteStore:
    """Open the store in a folder, or make one there.

    One process at a time may write; with `read_only` any number may read beside it. Raises StoreFailed, with the cure,
    where the folder is in use, damaged, of a newer schema or not a store's, or where the SQLite library is unsafe.
    """
    return SqliteStore(folder, read_only=read_only)


class SqliteStore:
    """SQLite for what is live, Parquet for history, Zarr for grids, in one folder. See `Store`."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.engine = Engine(Path(folder), read_only=read_only)
        self.history = History(self.engine.folder / "history")
        self.grids = Grids(self.engine.folder / "grids")
        self._names = Names(self.engine)
        if not read_only:
            archiving.tidy(self.engine, self.history, self.grids)

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all or nothing. A nested transaction that fails takes back its own part."""
        with self.engine.transaction():
            yield

    def close(self) -> None:
        """Flush and let go of the files. Closing again does nothing."""
        self.engine.close()
        self.history.close()

    def checkpoint(self) -> None:
        """Fold the write-ahead log back now."""
        self.engine.checkpoint()

    # series

    def write(self, batch: Batch, *, received: int) -> Written:
        """Upsert observations. Raises BadInput for places, quantities or flags that do not exist."""
        check(batch)
        if not len(batch):
            return Written(0, 0, 0)
        with self.engine.writing() as writer:
            archiving.bring_back(writer, self._names, self.history, batch)
            return observations.write(writer, self._names, self.history, batch, received)

    def reflag(self, batch: Batch) -> int:
        """Set flags by key; returns how many changed. Raises BadInput as write does."""
        check(batch)
        if not len(batch):
            return 0
        with self.engine.writing() as writer:
            archiving.bring_back(writer, self._names, self.history, batch)
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
        folder = self.grids.write(name, time, grid)
        with self.engine.writing() as writer:
            writer.execute("INSERT OR REPLACE INTO grid VALUES (?, ?, ?)", (name, time, folder))

    def grid(self, name: str, *, at: int | None = None) -> xr.Dataset | None:
        """The newest grid of a name at or before a time, in memory."""
        with self.engine.reading() as reader:
            row = reader.execute(
                "SELECT folder FROM grid WHERE name = ? AND time <= ? ORDER BY time DESC LIMIT 1",
                (name, int(np.iinfo(np.int64).max) if at is None else at),
            ).fetchone()
        return self.grids.read(row[0]) if row else None

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
        return archiving.archive(self.engine, self.history, before)


def _one(number: int) -> NDArray[np.int64]:
    return np.array([number], np.int64)


def _place(roster: Roster, code: str) -> int:
    if code not in roster.number:
        raise NotFound(f"no station {code!r} in a roster of {len(roster)}; ask for one of its codes")
    return roster.number[code]
