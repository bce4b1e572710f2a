"""Both engines of the store against named peers, in one run on one machine: read the ratios.

    python benchmarks/store.py [--stations 30000] [--steps 24] [--history 2000] [--postgres URL]

Writing: stations x 3 quantities report every 5 minutes; each report is one durable transaction. liuyu keeps `latest`,
hourly and daily roll-ups and looks for corrections at the same time; the peers only upsert. The engine on PostgreSQL is
measured where a server's programs are installed, on a server of its own that syncs, or at a URL; CPU seconds are this
process's, without the server's. Peers:

    DuckDB          a table with the key (station, quantity, time), upserts from Arrow, one file
    station-first   SQLite through the same apsw with the key (station, quantity, time), upserts row by row
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import apsw
import duckdb
import numpy as np
import pyarrow as pa

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.series import Batch, Roster
from liuyu.store import postgres
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.postgres_server import PostgresServer  # the tests' own server serves here too
from tests.setup_postgres import programs

START = 1_596_240_000
QUANTITIES = np.array([1, 2, 6], np.int16)


class Peer(Protocol):
    """What is measured of each engine."""

    name: str

    def write(self, batch: Batch) -> None: ...

    def latest(self) -> int: ...

    def series(self, station: int, start: int, end: int) -> int: ...

    def close(self) -> None: ...


class Liuyu:
    """Our store."""

    name = "liuyu"

    def __init__(self, folder: Path, roster: Roster) -> None:
        self.store: Store = open_store(folder / "liuyu")
        self.roster = roster

    def write(self, batch: Batch) -> None:
        self.store.write(batch, received=int(batch.time.max()) + 30)

    def latest(self) -> int:
        return len(self.store.latest(self.roster))

    def series(self, station: int, start: int, end: int) -> int:
        return len(self.store.series(self.roster.codes[station], "water_level", start, end))

    def close(self) -> None:
        self.store.close()


class LiuyuPostgres(Liuyu):
    """Our store on PostgreSQL. `url` leads to a database in which it may make schemas."""

    name = "liuyu, PostgreSQL"
    url = ""

    def __init__(self, folder: Path, roster: Roster) -> None:
        self.address = f"{self.url}?options=-csearch_path%3Dbenchmark_{os.getpid()}"
        self.store, self.roster = postgres.open_store(self.address, folder), roster

    def close(self) -> None:
        self.store.close()
        postgres.forget_store(self.address)


class StationFirst:
    """SQLite with the usual key."""

    name = "station-first"

    def __init__(self, folder: Path, roster: Roster) -> None:
        self.connection = apsw.Connection(str(folder / "station_first.sqlite"))
        for name, value in (("journal_mode", "wal"), ("synchronous", "full"), ("cache_size", -262_144)):
            self.connection.pragma(name, value)
        self.connection.execute(
            "CREATE TABLE observation (station INTEGER, quantity INTEGER, time INTEGER, value REAL, flag INTEGER,"
            " received INTEGER, PRIMARY KEY (station, quantity, time)) WITHOUT ROWID"
        )
        self.stations = len(roster)

    def write(self, batch: Batch) -> None:
        columns = (batch.station, batch.quantity, batch.time, batch.value, batch.flag, batch.time + 30)
        with self.connection:
            self.connection.executemany(
                "INSERT INTO observation VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                zip(*(column.tolist() for column in columns), strict=True),
            )

    def latest(self) -> int:
        return len(
            self.connection.execute(
                "SELECT s.value, q.value, o.time, o.value, o.flag FROM carray(?) s"
                " CROSS JOIN (SELECT column1 AS value FROM (VALUES (1), (2), (6))) q CROSS JOIN observation o"
                " ON o.station = s.value AND o.quantity = q.value AND o.time = (SELECT max(time) FROM observation n"
                " WHERE n.station = s.value AND n.quantity = q.value AND n.flag <= 2)",
                (apsw.carray(np.arange(self.stations)),),
            ).fetchall()
        )

    def series(self, station: int, start: int, end: int) -> int:
        return len(
            self.connection.execute(
                "SELECT time, value, flag FROM observation"
                " WHERE station = ? AND quantity = 1 AND time >= ? AND time < ?",
                (station, start, end),
            ).fetchall()
        )

    def close(self) -> None:
        self.connection.close()


class DuckDB:
    """DuckDB as the live store."""

    name = "DuckDB"

    def __init__(self, folder: Path, roster: Roster) -> None:
        self.connection = duckdb.connect(str(folder / "live.duckdb"), config={"threads": 2})
        self.connection.execute(
            "CREATE TABLE observation (station INTEGER, quantity SMALLINT, time BIGINT, value DOUBLE, flag UTINYINT,"
            " received BIGINT, PRIMARY KEY (station, quantity, time))"
        )

    def write(self, batch: Batch) -> None:
        columns: dict[str, Any] = {
            "station": batch.station,
            "quantity": batch.quantity,
            "time": batch.time,
            "value": batch.value,
            "flag": batch.flag,
            "received": batch.time + 30,
        }
        self.connection.register("batch", pa.table(columns))
        self.connection.execute(
            "INSERT INTO observation SELECT * FROM batch ON CONFLICT DO UPDATE SET value = excluded.value"
        )

    def latest(self) -> int:
        return len(
            self.connection.execute(
                "SELECT station, quantity, max(time), arg_max(value, time), arg_max(flag, time) FROM observation"
                " WHERE flag <= 2 GROUP BY station, quantity"
            ).fetchnumpy()["station"]
        )

    def series(self, station: int, start: int, end: int) -> int:
        return len(
            self.connection.execute(
                "SELECT time, value, flag FROM observation"
                " WHERE station = ? AND quantity = 1 AND time >= ? AND time < ? ORDER BY time",
                (station, start, end),
            ).fetchnumpy()["time"]
        )

    def close(self) -> None:
        self.connection.close()


def reports(roster: Roster, count: int, step: int, quantities: np.ndarray[Any, Any]) -> Iterator[Batch]:
    """One batch for each time: every station, every quantity."""
    rng = np.random.default_rng(2020)
    station = np.repeat(np.arange(len(roster), dtype=np.int32), len(quantities))
    quantity = np.tile(quantities, len(roster))
    for number in range(count):
        now = np.full(len(station), START + number * step)
        yield Batch.of(roster, station, quantity, now, rng.normal(20, 1, len(station)).round(3), None, "benchmark")


def seconds(act: Callable[[], object]) -> float:
    """How long something takes [s]."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def measure(make: Callable[[Path, Roster], Peer], stations: int, steps: int, history: int) -> dict[str, float]:
    """The numbers of one engine: values/s written and, in s, a write, `latest` of all and a 30-day series."""
    roster = Roster(tuple(f"{number:08d}" for number in range(stations)))
    with TemporaryDirectory() as folder:
        peer = make(Path(folder), roster)
        busy = time.process_time()
        took = [seconds(lambda batch=batch: peer.write(batch)) for batch in reports(roster, steps, 300, QUANTITIES)]  # type: ignore[misc]
        busy = time.process_time() - busy
        assert peer.latest() == 3 * stations
        latest = median(seconds(peer.latest) for _ in range(5))
        peer.close()
    month = Roster(roster.codes[:history])
    with TemporaryDirectory() as folder:
        peer = make(Path(folder), month)
        for batch in reports(month, 30 * 24, HOUR, QUANTITIES[:1]):
            peer.write(batch)
        places = np.random.default_rng(1).integers(0, history, 50).tolist()
        assert peer.series(places[0], START, START + 30 * DAY) == 720
        series = median(seconds(lambda at=at: peer.series(at, START, START + 30 * DAY)) for at in places)  # type: ignore[misc]
        peer.close()
    return {
        "written [values/s]": 3 * stations * steps / sum(took),
        "written [values/CPU s]": 3 * stations * steps / busy,
        "a write p50 [ms]": 1e3 * median(took),
        "a write max [ms]": 1e3 * max(took),
        "latest of all [ms]": 1e3 * latest,
        "30-day series [ms]": 1e3 * series,
    }


@contextmanager
def server(url: str) -> Iterator[str]:
    """A database to measure in: the one at a URL, or of a server made for this; none where no programs are."""
    if url or programs() is None:
        yield url
        return
    own = PostgresServer({"shared_buffers": "512MB"})
    try:
        yield own.url("public").partition("?")[0]
    finally:
        own.remove()


def main() -> None:
    """Measure every engine and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stations", type=int, default=30_000)
    parser.add_argument("--steps", type=int, default=24, help="5-minute reports of every station")
    parser.add_argument("--history", type=int, default=2_000, help="stations with 30 days of hourly values")
    parser.add_argument("--postgres", default="", help="a database to measure in, instead of a server of its own")
    given = parser.parse_args()
    with server(given.postgres) as url:
        LiuyuPostgres.url = url
        engines = (Liuyu, *([LiuyuPostgres] if url else []), StationFirst, DuckDB)
        found = {make.name: measure(make, given.stations, given.steps, given.history) for make in engines}
    print(f"{given.stations:,} stations x 3 quantities, {given.steps} reports; {given.history:,} stations x 30 days")
    print(f"{'':24}" + "".join(f"{name:>19}" for name in found) + f"{'ours/best peer':>17}")
    for row in found["liuyu"]:
        values = [numbers[row] for numbers in found.values()]
        best = max(values[-2:]) if "values/" in row else min(values[-2:])
        print(f"{row:24}" + "".join(f"{value:19,.2f}" for value in values) + f"{values[0] / best:17.2f}")


if __name__ == "__main__":
    main()
