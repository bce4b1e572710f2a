"""A store of any engine: what `store/interface.py` promises, over the engine's transactions and tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, Self, TypeVar

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
from liuyu.store.engine import archiving, chain, jobs, letters, logs, newest, rollups
from liuyu.store.engine import forecasts as forecast_rows
from liuyu.store.engine.engine import Engine
from liuyu.store.engine.names import station_number
from liuyu.store.engine.session import Session
from liuyu.store.engine.states import States
from liuyu.store.engine.tables import Tables
from liuyu.store.grids import Grids
from liuyu.store.interface import Chain, Job, Letter, Rollup, Version, Written

S = TypeVar("S", bound=Session)

_PUT_GRID = "INSERT INTO grid VALUES (?, ?, ?) ON CONFLICT (name, time) DO UPDATE SET folder = excluded.folder"


class EngineStore(Generic[S]):
    """An engine for what is live, and a folder of Parquet for history and of Zarr for grids. See `Store`.

    Without a folder there are no grids, and nothing is archived.
    """

    def __init__(self, engine: Engine[S], tables: Tables[S], grids: Grids | None) -> None:
        self.engine, self.tables, self.grids = engine, tables, grids
        self.history = tables.history
        self._names = tables.names
        engine.rolled_back.append(tables.names.forget)
        self._states = States()
        engine.flushed.append(self._states.send)
        engine.rolled_back.append(self._states.clear)
        if self.history and grids and not engine.read_only:
            archiving.tidy(engine, self.history, grids)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all or nothing. A nested transaction that fails takes back its own part."""
        with self.engine.transaction():
            yield

    def close(self) -> None:
        """Flush and let go of files and connections. Closing again does nothing."""
        self.engine.close()
        if self.history:
            self.history.close()

    def checkpoint(self) -> None:
        """Fold the write-ahead log back now, where that is ours to do."""
        self.engine.checkpoint()

    # series

    def write(self, batch: Batch, *, received: int) -> Written:
        """Upsert observations. Raises BadInput for places, quantities or flags that do not exist."""
        check(batch)
        if not len(batch):
            return Written(0, 0, 0)
        with self.engine.writing() as writer:
            self._bring_back(writer, batch)
            return self.tables.write(writer, batch, received)

    def reflag(self, batch: Batch) -> int:
        """Set flags by key; returns how many changed. Raises BadInput as write does."""
        check(batch)
        if not len(batch):
            return 0
        with self.engine.writing() as writer:
            self._bring_back(writer, batch)
            return self.tables.reflag(writer, batch)

    def series(self, station: str, quantity: str, start: int, end: int) -> Series:
        """One series in [start, end); empty where the store has never met the station."""
        number = quantity_of(quantity).number
        with self.engine.reading() as reader:
            key = _one(station_number(reader, station)), _one(number)
            _, _, time, value, flag = self.tables.rows(reader, *key, start, end)
        return Series(station, quantity, time.astype(np.int64), value, flag.astype(np.uint8))

    def window(self, stations: Sequence[str], quantities: Sequence[str], start: int, end: int, roster: Roster) -> Batch:
        """Observations in [start, end), by time. Raises NotFound for a station that the roster lacks."""
        numbers = np.array([quantity_of(each).number for each in quantities], np.int64) if quantities else None
        with self.engine.reading() as reader:
            wanted = None
            if stations:
                known = self._names.of_roster(reader, roster)
                wanted = known[[_place(roster, code) for code in stations]]
            columns = self.tables.rows(reader, wanted, numbers, start, end)
            return to_batch(roster, self._names.places(reader, roster), columns).ordered()

    def latest(self, roster: Roster, *, at: int | None = None) -> Batch:
        """The newest usable observation of every series, by place in the roster and quantity."""
        with self.engine.reading() as reader:
            columns = newest.latest(self.tables, reader, at)
            batch = to_batch(roster, self._names.places(reader, roster), columns)
        return batch.take(np.lexsort((batch.quantity, batch.station)))

    def rollup(self, station: str, quantity: str, start: int, end: int, step: int) -> Rollup:
        """The hours or days (UTC) of a series that begin in [start, end). Raises BadInput for another step."""
        with self.engine.reading() as reader:
            number = station_number(reader, station)
            return rollups.rollup(self.tables, reader, number, quantity_of(quantity).number, start, end, step)

    def versions(self, station: str, quantity: str, time: int) -> list[Version]:
        """The values that were corrected away at one time, oldest first."""
        with self.engine.reading() as reader:
            return logs.versions(reader, station_number(reader, station), quantity_of(quantity).number, time)

    def set_aside(self, source: str, reason: str, payload: bytes, *, received: int) -> None:
        """Keep what could not be used."""
        with self.engine.writing() as writer:
            logs.set_aside(writer, source, reason, payload, received)

    def asides(self, *, limit: int = 100) -> list[Mapping[str, Any]]:
        """What was set aside, newest first."""
        with self.engine.reading() as reader:
            return logs.asides(reader, limit)

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
        """What was set aside, newest first, narrowed."""
        asked = letters.Asked(id, source, reason, state, start, end, before)
        with self.engine.reading() as reader:
            return letters.listed(reader, asked, limit)

    def mark_letter(self, id: int, state: str, note: str, *, now: int) -> Letter:
        """Say what came of a replay."""
        with self.engine.writing() as writer:
            return letters.mark(writer, id, state, note, now)

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
            writer.ask(_PUT_GRID, (name, time, folder))

    def grid(self, name: str, *, at: int | None = None) -> xr.Dataset | None:
        """The newest grid of a name at or before a time, in memory."""
        with self.engine.reading() as reader:
            found = reader.ask(
                "SELECT folder FROM grid WHERE name = ? AND time <= ? ORDER BY time DESC LIMIT 1",
                (name, int(np.iinfo(np.int64).max) if at is None else at),
            )
        return self._folder_of_grids().read(found[0][0]) if found else None

    # events, state, audit

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
        """Keep the state of a stage. Within a transaction many are sent at once, before it ends or anything is read."""
        with self.engine.writing():
            self._states.keep(name, blob)

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

    def chain_head(self, log: str = "event") -> tuple[int, str]:
        """How many links a chain has, and its last digest."""
        with self.engine.reading() as reader:
            return chain.head(reader, log)

    def verify_chain(self, log: str = "event", heads: Iterable[tuple[int, str]] = ()) -> Chain:
        """Compute a chain anew and compare."""
        with self.engine.reading() as reader:
            return chain.verify(reader, log, heads)

    # files

    def put_file(self, content: bytes) -> str:
        """Keep a file under its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        with self.engine.writing() as writer:
            writer.ask("INSERT INTO file (digest, content) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, content))
        return digest

    def file(self, digest: str) -> bytes | None:
        """The file of a digest."""
        with self.engine.reading() as reader:
            found = reader.ask("SELECT content FROM file WHERE digest = ?", (digest,))
        return bytes(found[0][0]) if found else None

    # jobs

    def submit(self, kind: str, name: str, payload: bytes, *, now: int, due: int | None = None) -> Job:
        """Put a job in the queue, once for each kind and name."""
        with self.engine.writing() as writer:
            return jobs.submit(writer, kind, name, payload, now, now if due is None else due)

    def claim(self, kinds: Sequence[str], worker: str, *, now: int, lease: int, name: str = "") -> Job | None:
        """Take the job that is due longest, or the one of a name, for `lease` seconds."""
        with self.engine.writing() as writer:
            return jobs.claim(writer, kinds, worker, now, lease, name)

    def finish(self, job: Job, result: bytes, *, now: int) -> Job:
        """Close a claimed job with its result. Raises StoreFailed where the claim has lapsed."""
        with self.engine.writing() as writer:
            return jobs.finish(writer, job, result, now)

    def fail(self, job: Job, reason: str, *, now: int, retry_at: int | None = None) -> Job:
        """Close a claimed job with a reason, or queue it again. Raises StoreFailed where the claim has lapsed."""
        with self.engine.writing() as writer:
            return jobs.fail(writer, job, reason, now, retry_at)

    def jobs(
        self, *, kinds: Sequence[str] = (), states: Sequence[str] = (), name: str = "", limit: int = 100
    ) -> list[Job]:
        """Jobs, newest first."""
        with self.engine.reading() as reader:
            return jobs.listed(reader, kinds, states, name, limit)

    # upkeep

    def archive(self, before: int) -> int:
        """Move whole months that end at or before a time to Parquet; returns rows moved."""
        if self.history is None:
            raise StoreFailed(f"the store in {self.engine.place} has no folder for its history; open it with one")
        return archiving.archive(self.engine, self.tables, self.history, before)

    def _bring_back(self, writer: S, batch: Batch) -> None:
        if self.history:
            archiving.bring_back(writer, self.tables, self.history, batch)

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
