"""Telemetry: frames decoded per second on one core, and what a station server holds, keeps and confirms.

    python benchmarks/telemetry.py [--frames 200000] [--stations 10000] [--json FILE]

The frames are those of a network in a flood: hourly reports with five-minute rain and levels, timed and added reports
with and without users' own elements, heartbeats. The package index offers no decoder of SL 651 or SZY 206, so the
peer is our own object path, which is plain Python as the open decoders are: one run, the same bytes.

The server is `liuyu listen` in a process of its own, the whole twin of the present: raw log and inbox are forced to the
disk before a confirmation goes out, then the loop checks, assesses and keeps the values. Stations are counted that
stand at once and are all confirmed; values, from the first byte on the socket until the last one is durable in the
store, on SQLite and, where a server's programs are installed, on a PostgreSQL server of its own that syncs.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from liuyu.app.storage import open_store
from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.fleet import Fleet, Report, synthetic
from liuyu.monitor.sense.sl651 import Framer, Group, Message, decode, decode_many, element, encode

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tests.postgres_server import PostgresServer  # the tests' own server serves here too
from tests.setup_postgres import programs

BEGIN = 1_594_000_200 // 3600 * 3600
AIM, STATIONS_AIM, VALUES_AIM = 100_000, 10_000, 20_000
LINES, WINDOW, PUMPED, FIRST = 40, 250, 60_000, 2000
PATIENCE = 600  # seconds until the store must hold all
CHUNK = 1400


def network(count: int) -> list[bytes]:
    """What `count` stations send within an hour, one frame each."""
    rng = np.random.default_rng(651)
    frames = []
    for number in range(count):
        station, level = f"00{60000000 + number:08d}", float(np.round(rng.uniform(5, 60), 3))
        rain = float(np.round(rng.uniform(0, 40), 1))
        volt = element("38", float(np.round(rng.uniform(11.5, 13.9), 2)))
        basic = [element("20", rain), element("26", rain + 100), element("39", level), volt]
        odd = [element("22", 0.5), element("1A", 2.0), element("FF92", 19.9, digits=5, decimals=1)]
        hour = [element("F4", [0.5] * 12), element("F5", [level % 5] * 12), element("39", level), volt]
        code, elements = ((0x34, hour), (0x32, basic), (0x33, [*odd, *basic]), (0x2F, []))[number % 4]
        at = BEGIN - 3300 if code == 0x34 else BEGIN
        groups = (Group(station=station, category=0x48, observed=at, elements=tuple(elements)),) if elements else ()
        sent = Message(function=code, station=station, serial=number % 65535 + 1, sent=BEGIN + 30, groups=groups)
        frames.append(encode(sent))
    return frames


def rate(work: Callable[[], int], rounds: int = 3) -> float:
    """Frames per second, the best of some rounds."""
    best = 0.0
    for _ in range(rounds):
        began = perf_counter()
        done = work()
        best = max(best, done / (perf_counter() - began))
    return best


def framed(stream: bytes) -> int:
    """Frames that come out of a stream of network packets."""
    framer = Framer()
    return sum(each.whole for at in range(0, len(stream), CHUNK) for each in framer.feed(stream[at : at + CHUNK]))


def measure(count: int) -> dict[str, Any]:
    """Every rate, in frames per second on one core."""
    few = network(min(count, 5000))
    stream = b"".join(few * max(1, count // len(few)))
    messages = [decode(each) for each in few]
    decode_many(stream[:5000])
    columns = decode_many(stream)
    tag = szy206.stamp_of(BEGIN)
    meters = [szy206.encode(szy206.report(f"{each:010d}", 3, [5.9], tag, volumes=[106182.0])) for each in range(5000)]
    found = {
        "frames": len(columns),
        "bytes_per_frame": len(stream) / len(columns),
        "values_per_frame": len(columns.value) / len(columns),
        "sl651_fast": rate(lambda: len(decode_many(stream))),
        "sl651_object": rate(lambda: len([decode(each) for each in few])),
        "sl651_framer": rate(lambda: framed(stream[: len(stream) // 10])),
        "sl651_encode": rate(lambda: len([encode(each) for each in messages if isinstance(each, Message)])),
        "szy206_decode": rate(lambda: len([szy206.decode(each) for each in meters])),
    }
    found["fast_over_object"] = found["sl651_fast"] / found["sl651_object"]
    found["fast_over_aim"] = found["sl651_fast"] / AIM
    return found


def package(folder: Path, count: int) -> Path:
    """A basin package of made-up stations."""
    folder.mkdir()
    head = 'code = "many"\nname = "多"\nname_en = "Many"\ntime_zone = "Asia/Shanghai"\nsynthetic = true\n'
    (folder / "basin.toml").write_text(head, encoding="utf-8")
    rows = "".join(f"{60000000 + each:08d},站,Station,110.5,30.5,河,unknown\n" for each in range(count))
    (folder / "stations.csv").write_text("code,name,name_en,lon,lat,river,datum\n" + rows, encoding="utf-8")
    return folder


@dataclass(slots=True)
class Running:
    """A server: its port, its process, the folder of its store, and when it has ended its last counts."""

    port: int
    process: int
    store: Path
    counts: dict[str, int] = field(default_factory=dict)


@contextmanager
def server(count: int, database: PostgresServer | None = None) -> Iterator[Running]:
    """A station server on SQLite, or on a database."""
    with tempfile.TemporaryDirectory() as name:
        basin, config = package(Path(name) / "basin", count), Path(name) / "liuyu.toml"
        lines = [f"basin = {json.dumps(str(basin))}", "[live]", "step_seconds = 1"]
        lines += ["[storage]", f"folder = {json.dumps(name)}"]
        if database:
            lines += ['engine = "postgres"', f"url = {json.dumps(database.url('bench'))}"]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = [str(Path(sys.executable).with_name("liuyu")), "listen", "--config", str(config), "--port", "0"]
        running = subprocess.Popen([*command, "--any-clock", "--json"], stdout=subprocess.PIPE, text=True)
        assert running.stdout
        port = int(json.loads(running.stdout.readline())["listening"].rpartition(":")[2])
        made = Running(port, running.pid, Path(name) / "many-live" / "store")
        try:
            yield made
        finally:
            running.send_signal(signal.SIGTERM)
            made.counts |= json.loads(running.stdout.read().splitlines()[-1])
            running.wait()


def memory(process: int) -> float:
    """Resident memory of a process [MiB]."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))) / 1024


def shifted(reports: Iterable[Report], seconds: int) -> Iterator[Report]:
    """The same reports somewhat later."""
    for each in reports:
        yield each._replace(observed=each.observed + seconds)


async def held(port: int, process: int, count: int) -> dict[str, float]:
    """Stations that stand at once, each confirmed three times within half a minute."""
    begin, step, reports = int(time.time()) // 60 * 60 - 7200, 300, 3
    script = synthetic(count, reports, begin, step, 1)
    spread = {address: shifted(made, place % step) for place, (address, made) in enumerate(script.items())}
    sources = [f"127.0.0.{each}" for each in range(1, 9)]
    fleet = Fleet(spread, "127.0.0.1", port, speed=30.0, start=begin - 150, timeout=10.0, sources=sources)
    began = perf_counter()
    standing = await fleet.connect()
    opened, resident = perf_counter() - began, memory(process)
    decode(timed_reports(1)[0])
    outcome = await fleet.play()
    return {
        "stations_held": standing,
        "stations_opened_in": opened,
        "stations_server_mib": resident,
        "reports_confirmed": outcome.confirmed,
        "reports_sent": outcome.reports,
        "reports_per_second": outcome.confirmed / outcome.seconds,
        "confirm_median": outcome.median,
        "confirm_p99": outcome.p99,
    }


async def pump(port: int, frames: list[bytes]) -> int:
    """Send frames over one connection, some at a time on their way; how many were confirmed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    framer, done, sent = Framer(), 0, 0
    while done < len(frames):
        while sent < len(frames) and sent - done < WINDOW:
            part = frames[sent : min(sent + WINDOW - (sent - done), len(frames))]
            writer.write(b"".join(part))
            sent += len(part)
        done += sum(each.whole for each in framer.feed(await reader.read(65536)))
    writer.close()
    return done


async def pumped(port: int, frames: list[bytes]) -> float:
    """Seconds until all frames are confirmed."""
    began = perf_counter()
    done = await asyncio.gather(*(pump(port, frames[at::LINES]) for at in range(LINES)))
    assert sum(done) == len(frames)
    return perf_counter() - began


def stored(folder: Path, wanted: int) -> None:
    """Wait until a store holds so many values."""
    began = perf_counter()
    with closing(open_store(folder, read_only=True)) as store:
        while True:
            with store.engine.reading() as reader:  # type: ignore[attr-defined]
                found = reader.ask("SELECT count(*) FROM observation")[0][0]
            if found >= wanted:
                return
            assert perf_counter() - began < PATIENCE, f"{found} of {wanted} values after {PATIENCE} s"
            time.sleep(0.05)


def timed_reports(count: int) -> list[bytes]:
    """Reports of three values that a store keeps: level, counted rain, supply voltage."""
    frames = []
    for number in range(count):
        station, at = f"00{60000000 + number % 1000:08d}", BEGIN + number // 1000 * 300
        values = (element("39", 20 + number % 977 / 1000), element("26", number % 5000 / 10), element("38", 12.5))
        groups = (Group(station=station, category=0x48, observed=at, elements=values),)
        sent = Message(function=0x32, station=station, serial=number % 65535 + 1, sent=at + 30, groups=groups)
        frames.append(encode(sent))
    return frames


def measure_held(stations: int) -> dict[str, Any]:
    """What one process holds and confirms, on one machine with its stations."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    with server(stations) as running:
        return asyncio.run(held(running.port, running.process, min(stations, limit - 200)))


def measure_values(engine: str, database: PostgresServer | None = None) -> dict[str, Any]:
    """From socket to durable store, as fast as confirmations come."""
    frames = timed_reports(PUMPED)
    with server(1000, database) as running:
        asyncio.run(pumped(running.port, frames[:FIRST]))
        stored(running.store, 3 * FIRST)
        began = perf_counter()
        confirmed = asyncio.run(pumped(running.port, frames[FIRST:]))
        stored(running.store, 3 * PUMPED)
        seconds = perf_counter() - began
    return {
        f"values_per_second_{engine}": 3 * (PUMPED - FIRST) / seconds,
        f"frames_confirmed_per_second_{engine}": (PUMPED - FIRST) / confirmed,
        f"frames_per_group_{engine}": running.counts["frames"] / running.counts["groups"],
    }


def show_held(found: dict[str, Any]) -> None:
    """Print what one process holds."""
    print("Station server and loop:")
    print(
        f"  stations held at once {found['stations_held']:>12,.0f}   {found['stations_held'] / STATIONS_AIM:.1f} x the "
        f"aim; opened in {found['stations_opened_in']:.1f} s, {found['stations_server_mib']:.0f} MiB in all"
    )
    print(
        f"  confirmed             {found['reports_confirmed']:>12,.0f}   of {found['reports_sent']:,.0f} reports at "
        f"{found['reports_per_second']:,.0f} a second: median {found['confirm_median'] * 1000:.0f} ms, "
        f"p99 {found['confirm_p99'] * 1000:.0f} ms"
    )


def show_values(engine: str, found: dict[str, Any]) -> None:
    """Print the rates of one engine."""
    values = found[f"values_per_second_{engine}"]
    print(
        f"  values/s, {engine:<12}{values:>12,.0f}   {values / VALUES_AIM:.1f} x the aim; socket to durable store; "
        f"{found[f'frames_confirmed_per_second_{engine}']:,.0f} frames/s confirmed, "
        f"{found[f'frames_per_group_{engine}']:.0f} a commit"
    )


def main() -> None:
    """Measure, print and, where asked, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--stations", type=int, default=STATIONS_AIM, help="0 leaves the server out")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.frames)
    print(
        f"{found['frames']:,} frames of {found['bytes_per_frame']:.0f} bytes and "
        f"{found['values_per_frame']:.1f} values; frames per second on one core:"
    )
    rows = (
        ("SL 651, fast path", "sl651_fast", f"{found['fast_over_aim']:.1f} x the aim of {AIM:,}"),
        ("SL 651, object path", "sl651_object", f"the fast path is {found['fast_over_object']:.0f} x it"),
        ("SL 651, stream framer", "sl651_framer", f"in chunks of {CHUNK} bytes"),
        ("SL 651, encode", "sl651_encode", ""),
        ("SZY 206, object path", "szy206_decode", ""),
    )
    for title, name, note in rows:
        print(f"  {title:<22}{found[name]:>12,.0f}   {note}".rstrip())
    if options.stations:
        found |= measure_held(options.stations)
        show_held(found)
        found |= measure_values("sqlite")
        show_values("sqlite", found)
        if programs() is None:
            print("  PostgreSQL is not installed here: python -m tests.setup_postgres")
        else:
            database = PostgresServer({"shared_buffers": "256MB"})
            try:
                found |= measure_values("postgres", database)
            finally:
                database.remove()
            show_values("postgres", found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
