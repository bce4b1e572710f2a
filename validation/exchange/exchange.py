"""A season of the Yangtze out to SL 323 tables on PostgreSQL and back into an empty twin: the same events.

    python validation/exchange/exchange.py [--from 2020-07-18] [--to 2020-09-30]

Exports stations, thresholds, curves, travel times and the whole archive of the package to a PostgreSQL server of its
own, imports them, replays archive and import, and compares. Prints what was compared, and exits with 1 where anything
differs. Needs the data bundle (LIUYU_DATA) and a PostgreSQL server's programs. About two minutes on two cores.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import msgspec
import numpy as np
import psycopg
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for the tests' own server

from liuyu.app.choice import choose  # noqa: E402
from liuyu.app.config import Config, Replay  # noqa: E402
from liuyu.app.replay import replay  # noqa: E402
from liuyu.basin.package import basin_file, find_basin, read_basin  # noqa: E402
from liuyu.basin.places import Basin  # noqa: E402
from liuyu.basin.series import Batch  # noqa: E402
from liuyu.monitor.sense import Archive  # noqa: E402
from liuyu.monitor.sense.readers import write_observations  # noqa: E402
from liuyu.monitor.sense.sl323 import export_tables, import_records, import_tables, open_database  # noqa: E402
from liuyu.monitor.sense.sl323.basics import travel_times  # noqa: E402
from tests.postgres_server import PostgresServer  # noqa: E402
from tests.setup_postgres import programs  # noqa: E402

FOREVER = 2**40
TOLD: dict[str, Callable[[Basin], Iterable[tuple[object, ...]]]] = {
    "stations": lambda b: ((s.code, s.name, s.name_en, s.kind, s.river, s.datum) for s in b.stations),
    "thresholds": lambda b: ((t.station, t.quantity, t.kind, t.value, str(t.season)) for t in b.thresholds),
    "points of storage curves": lambda b: ((r.station, *point) for r in b.reservoirs for point in r.curve),
    "frequencies": lambda b: ((f.station, f.quantity, f.return_period, f.value) for f in b.frequencies),
    "travel times": lambda b: (
        (row["UPSTCD"], row["DWSTCD"], row["AVTRTM"]) for row in travel_times(b, {c: c for c in b.roster.codes})
    ),
}
"""What is compared of a package."""


def main() -> int:
    """Go round, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="start", default="2020-07-18")
    parser.add_argument("--to", dest="end", default="2020-09-30")
    asked = parser.parse_args()
    if programs() is None:
        print("no PostgreSQL here; python -m tests.setup_postgres tells how to install it")
        return 1
    server = PostgresServer()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return compare(server, Path(folder), asked.start, asked.end)
    finally:
        server.remove()


def compare(server: PostgresServer, folder: Path, start: str, end: str) -> int:
    """The comparison of a period; returns the exit code."""
    basin = read_basin(find_basin("yangtze"))
    file = basin_file(basin, basin.archive)
    if file is None:
        print("no data bundle (LIUYU_DATA): nothing was compared")
        return 1
    clock = time.perf_counter()
    archive = Archive(file, basin).take(0, FOREVER)
    with psycopg.connect(server.url("public"), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA sl323")
    with closing(open_database(server.url("sl323"))) as database:
        for table, rows in export_tables(basin, database, archive).rows.items():
            print(f"{table:14} {rows:>9,} rows")
        found = import_records(database, basin)
        package = import_tables(database, folder / "package", "again", basin.name, basin.name_en)
    print(f"out and back in {time.perf_counter() - clock:.0f} s; set aside: {[each.reason for each in found.asides]}")
    write_observations(found.batch, basin, folder / "again.parquet")
    problems = same_values(archive, found.batch) + same_package(basin, folder / "package", package.faults)
    runs = [
        run(folder / name, start, end, str(observations))
        for name, observations in (("archive", file), ("import", folder / "again.parquet"))
    ]
    problems += same_events(*runs)
    print("\n".join(problems) or "the same")
    return 1 if problems else 0


def same_values(sent: Batch, found: Batch) -> list[str]:
    """Whether every key came back with the value that counts, the last of the archive for it."""
    key = np.stack([sent.time, sent.station.astype(np.int64), sent.quantity.astype(np.int64)])
    last = sent.take(np.flatnonzero(np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True)))
    print(f"{len(last):,} observations went out, {len(found):,} came back")
    columns = ("station", "quantity", "time", "value", "flag")
    return [f"{each} differs" for each in columns if not np.array_equal(getattr(last, each), getattr(found, each))]


def same_package(basin: Basin, folder: Path, faults: tuple[object, ...]) -> list[str]:
    """Whether the tables make the package that they came from, as far as they have columns for it."""
    if faults:
        return [str(each) for each in faults]
    again, problems = read_basin(folder), []
    for what, told in TOLD.items():
        ours, theirs = set(told(basin)), set(told(again))
        lost, new = ours - theirs, theirs - ours
        print(f"{what}: {len(ours)} went out, {len(ours & theirs)} came back, {len(lost)} have no column in SL 323")
        problems += [f"{what}: {each} was not there" for each in sorted(map(str, new))]
    return problems


def run(out: Path, start: str, end: str, observations: str) -> Path:
    """A replay into an empty store; returns its folder."""
    clock = time.perf_counter()
    config = Config(basin="yangtze", replay=Replay(start=start, end=end, observations=observations))
    done = replay(choose(config, out), out)
    took = time.perf_counter() - clock
    print(f"replayed the {out.name}: {done.events} events, {done.forecasts} rows of forecasts, {took:.0f} s")
    return out


def same_events(one: Path, other: Path) -> list[str]:
    """Whether two replays said the same, and forecast the same."""
    texts = [(each / "events.jsonl").read_bytes() for each in (one, other)]
    kinds = Counter(msgspec.json.decode(line)["kind"] for line in texts[0].splitlines())
    print("events:", ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items())))
    problems = []
    if texts[0] != texts[1]:
        lines = [set(each.splitlines()) for each in texts]
        problems.append(f"{len(lines[0] ^ lines[1])} events differ")
    tables = [pq.read_table(each / "forecasts.parquet") for each in (one, other)]
    if not tables[0].equals(tables[1]):
        problems.append("the forecasts differ")
    return problems


if __name__ == "__main__":
    sys.exit(main())
