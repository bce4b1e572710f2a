"""A network of 2,000 stations through everything that goes wrong: nothing that was confirmed is lost or there twice.

    python validation/telemetry/faults.py [--engine postgres|sqlite] [--stations 2000] [--reports 20]

1,600 stations of SL 651 over TCP and 400 MQTT loggers report to `liuyu listen`, one in ten with each fault: sent twice,
out of order, a flipped bit, a wrong clock, silence, a burst after it. Meanwhile the server is killed with SIGKILL ten
times, the database is stopped and started three times, and once no file of the server can grow, as on a full disk.
Prints what happened and exits with 1 where a confirmed reading is not there exactly once, or an unconfirmed one is
nowhere. Needs a PostgreSQL server's programs unless --engine sqlite. Some five minutes on two cores.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import io
import json
import re
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))  # for the tests' own server

from liuyu.app.storage import open_store  # noqa: E402
from liuyu.basin.clock import epoch, parse_time  # noqa: E402
from liuyu.basin.package import read_basin  # noqa: E402
from liuyu.basin.quantities import quantities, quantity  # noqa: E402
from liuyu.monitor.sense.fleet import Faults, Fleet, Outcome, Report, synthetic  # noqa: E402
from liuyu.monitor.sense.fleet.mqtt import MqttFleet  # noqa: E402
from liuyu.monitor.sense.mqtt import read_address  # noqa: E402
from liuyu.monitor.sense.sl651 import Message, decode  # noqa: E402
from tests.postgres_server import PostgresServer  # noqa: E402
from tests.setup_postgres import programs  # noqa: E402
from tests.store.full_disk import full_disk  # noqa: E402

KILLS, STOPS, FULL = 10, 3, 1
DURABLE = {"shared_buffers": "64MB"}  # unlike the tests' server, this one waits for its disk
STEP, DAY = 60, 86_400
PACE = 5  # seconds between two reports of a station
PATIENCE = 900  # seconds until stations that still keep reports, or a server that still has work, are given up
SHIFTS = (0, 3 * DAY, -3 * DAY, -30 * DAY)  # what the fleet's wrong clocks are off by
FAULTS = Faults(duplicates=0.1, reorder=0.1, bitflips=0.1, clock=0.1, silence=0.1, burst=0.1)
NUMBER = {each.sl651: each.number for each in quantities() if each.sl651}
LIUYU = str(Path(sys.executable).with_name("liuyu"))


class Reading(NamedTuple):
    """One value of one station: its code, the number of the quantity, the time of observation [s UTC]."""

    station: str
    quantity: int
    time: int


class Trial:
    """The server in a process of its own, its database, and the stations that report to it."""

    def __init__(self, folder: Path, stations: int, reports: int, database: PostgresServer | None) -> None:
        self.folder, self.database = folder, database
        self.basin = package(folder / "basin", stations)
        self.confirmed: list[Report] = []
        self.total = stations * reports
        self.happened: Counter[str] = Counter()
        self._ports = free_port(), free_port()
        self._config = self._configure()
        self._server: subprocess.Popen[str] | None = None
        self._over, self.seconds = False, 0.0
        begin = int(time.time()) // STEP * STEP - reports * STEP - STEP
        script = {name: plain(made) for name, made in synthetic(stations, reports, begin, STEP, 3).items()}
        wired, loggers = ({name: each for name, each in script.items() if bool(int(name) % 5) == by} for by in (1, 0))
        given: dict[str, Any] = {"speed": STEP / PACE, "start": begin, "faults": FAULTS, "timeout": 5.0}
        given["confirmed"] = self.confirmed.append
        broker = read_address(f"mqtt://127.0.0.1:{self._ports[1]}")
        self.fleets = (
            Fleet(wired, "127.0.0.1", self._ports[0], seed=4, **given),
            MqttFleet(loggers, broker, "many", seed=5, **given),
        )

    def _configure(self) -> Path:
        storage = ["[storage]", f"folder = {json.dumps(str(self.folder / 'kept'))}"]
        if self.database is not None:
            storage += ['engine = "postgres"', f"url = {json.dumps(self.database.url('trial'))}"]
        sources = [
            f'[[sources]]\nkind = "{kind}"\nport = {port}'
            for kind, port in zip(("stations", "mqtt"), self._ports, strict=True)
        ]
        lines = [f"basin = {json.dumps(str(self.basin))}", *storage, "[live]", "step_seconds = 2", *sources]
        file = self.folder / "liuyu.toml"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return file

    def start(self) -> None:
        """Start the server, again and again until both of its doors are open, as a supervisor does."""
        while True:
            with (self.folder / "server.log").open("a", encoding="utf-8") as log:
                command = [LIUYU, "listen", "--config", str(self._config), "--json", "--every", "3600"]
                server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
            assert server.stdout
            told = [server.stdout.readline() for _ in self._ports]
            if all(told):
                self._server = server
                return
            server.kill()
            server.wait()
            said = (self.folder / "server.log").read_text(encoding="utf-8").splitlines()
            self.happened[f"start failed ({said[-1][:80] if said else 'in silence'})"] += 1
            time.sleep(0.5)

    @property
    def server(self) -> subprocess.Popen[str]:
        """The running server."""
        assert self._server is not None
        return self._server

    async def kill(self) -> None:
        """SIGKILL, and start again."""
        self.server.kill()
        self.happened["killed"] += 1
        await asyncio.to_thread(self.server.wait)
        await asyncio.to_thread(self.start)

    async def stop_database(self) -> None:
        """The database is gone for a while, as after a power cut."""
        assert self.database is not None
        await asyncio.to_thread(self.database.stop)
        self.happened["database stopped"] += 1
        before = len(self.confirmed)
        await asyncio.sleep(4)
        self.happened["confirmed while the database was down"] += len(self.confirmed) - before
        await asyncio.to_thread(self.database.start)

    async def fill_disk(self) -> None:
        """For a while no file of the server can grow: nothing may be confirmed then."""
        with full_disk(self.server.pid):
            await asyncio.sleep(1)
            before = len(self.confirmed)
            await asyncio.sleep(4)
            self.happened["disk full"] += 1
            self.happened["confirmed while the disk was full"] += len(self.confirmed) - before

    async def trouble(self) -> None:
        """Everything that goes wrong, spread over the first three quarters of what is to be confirmed."""
        acts = [self.kill] * KILLS
        for number in range(STOPS if self.database else 0):
            acts.insert(2 + 4 * number, self.stop_database)
        acts.insert(5, self.fill_disk)
        for number, act in enumerate(acts, 1):
            while len(self.confirmed) < 0.75 * self.total * number / len(acts):
                if self._over:
                    return
                await asyncio.sleep(0.05)
            await act()
        self.happened["all of it"] = 1

    async def play(self) -> list[Outcome]:
        """Play both fleets through the trouble, again until nothing is kept, then end the server in order."""
        await asyncio.to_thread(self.start)
        began = time.perf_counter()
        trouble = asyncio.create_task(self.trouble())
        try:
            outcomes = await asyncio.gather(*(self._deliver(each) for each in self.fleets))
        finally:
            self._over, self.seconds = True, time.perf_counter() - began
            await trouble
            self.server.send_signal(signal.SIGTERM)
            try:
                self.happened["exit code"] = await asyncio.to_thread(self.server.wait, PATIENCE)
            except subprocess.TimeoutExpired:
                self.server.kill()
                self.happened["exit code"] = -signal.SIGKILL
        return outcomes

    async def _deliver(self, fleet: Fleet) -> Outcome:
        """Play a fleet's script; then let it call again, as stations do, until it keeps nothing."""
        outcome, seconds = await fleet.play(), 0.0
        while outcome.kept and seconds < PATIENCE:
            seconds += outcome.seconds
            outcome = await fleet.play()
        return outcome


def package(folder: Path, count: int) -> Path:
    """A basin package of made-up stations."""
    folder.mkdir()
    head = 'code = "many"\nname = "多"\nname_en = "Many"\ntime_zone = "Asia/Shanghai"\nsynthetic = true\n'
    (folder / "basin.toml").write_text(head, encoding="utf-8")
    rows = "".join(f"{60000000 + each:08d},站,Station,110.5,30.5,河,unknown\n" for each in range(count))
    (folder / "stations.csv").write_text("code,name,name_en,lon,lat,river,datum\n" + rows, encoding="utf-8")
    return folder


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain(reports: Iterable[Report]) -> Iterator[Report]:
    """The same reports with Python's own numbers."""
    for each in reports:
        yield each._replace(values=tuple((name, float(value)) for name, value in each.values))


def readings(report: Report) -> Iterator[tuple[Reading, float]]:
    """What a report says."""
    for name, value in report.values:
        yield Reading(report.station[2:], NUMBER[name], report.observed), value


def letter(payload: bytes) -> Iterator[tuple[Reading, float]]:
    """What a dead letter says, whichever door it came by: a frame, an MQTT message, or rows that were too far ahead."""
    if payload.startswith(b"stcd,"):
        for row in csv.DictReader(io.StringIO(payload.decode())):
            at = epoch(parse_time(row["time"], "UTC"))
            yield Reading(row["stcd"], quantity(row["quantity"]).number, at), float(row["value"])
        return
    said = decode(payload)
    if isinstance(said, Message):
        for group, each in said.elements():
            for value in each.values:
                if group.observed is not None and isinstance(value, float) and each.id in NUMBER:
                    yield Reading(said.station[2:], NUMBER[each.id], group.observed), value


def verdict(trial: Trial, outcomes: list[Outcome]) -> list[str]:
    """What is wrong; prints what was found."""
    basin = read_basin(trial.basin)
    with closing(open_store(trial.folder / "kept" / "many-live" / "store", read_only=True)) as store:
        batch = store.window((), (), 0, 2**40, basin.roster)
        asides = store.asides(limit=10**7)
        with store.engine.reading() as reader:  # type: ignore[attr-defined]
            corrected = reader.ask("SELECT count(*) FROM version")[0][0]
    columns = (batch.station, batch.quantity, batch.time, batch.value)
    rows = list(zip(*(each.tolist() for each in columns), strict=True))
    held = {Reading(basin.roster.codes[at], kind, when): value for at, kind, when, value in rows}
    dead = {(key, f"{value:g}") for each in asides for key, value in letter(each["payload"])}
    lost, by_letter, keys = [], 0, set()
    for key, value in (each for report in trial.confirmed for each in readings(report)):
        keys.add(key)
        if held.get(key) == value:
            continue
        if any((key._replace(time=key.time + shift), f"{value:g}") in dead for shift in SHIFTS):
            by_letter += 1
        else:
            lost.append(key)
    kept = sum(each.kept for each in outcomes)
    why = Counter(re.split("[:(]", each["reason"])[0].strip() for each in asides)
    for name, outcome in zip(("SL 651", "MQTT"), outcomes, strict=True):
        print(
            f"{name}: {outcome.stations} stations, {outcome.reports} reports, {outcome.confirmed} confirmed,"
            f" {outcome.kept} kept for later, p99 {outcome.p99:.2f} s; {outcome.counts}"
        )
    print(", ".join(f"{name} {count}" for name, count in trial.happened.items()), f"in {trial.seconds:.0f} s")
    print(f"store: {len(rows):,} values, {corrected} corrected; {len(keys):,} confirmed, {by_letter:,} in dead letters")
    print(f"dead letters: {dict(why)}")
    checks = (
        (bool(trial.happened["all of it"]), "not all of the trouble came to pass; play more reports"),
        (len(rows) == len(held), f"{len(rows) - len(held)} values are in the store twice"),
        (not lost, f"{len(lost)} confirmed values are nowhere, such as {lost[:3]}"),
        (corrected == 0, f"{corrected} values were corrected, and none should be"),
        (sum(each.reports for each in outcomes) == trial.total, "not every report was played"),
        (
            sum(each.confirmed + each.kept for each in outcomes) == trial.total,
            "reports were forgotten by their stations",
        ),
        (kept == 0, f"{kept} reports were never confirmed though there was time to"),
        (trial.happened["confirmed while the disk was full"] == 0, "readings were confirmed while the disk was full"),
        (trial.happened["exit code"] == 0, "the server did not end in order"),
    )
    return [problem for well, problem in checks if not well]


def main() -> int:
    """Play, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=("postgres", "sqlite"), default="postgres")
    parser.add_argument("--stations", type=int, default=2000)
    parser.add_argument("--reports", type=int, default=20)
    asked = parser.parse_args()
    if asked.engine == "postgres" and programs() is None:
        print("no PostgreSQL here; python -m tests.setup_postgres installs it, or give --engine sqlite")
        return 1
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    database = PostgresServer(DURABLE) if asked.engine == "postgres" else None
    remove: Callable[[], None] = database.remove if database else lambda: None
    try:
        with tempfile.TemporaryDirectory() as folder:
            trial = Trial(Path(folder), asked.stations, asked.reports, database)
            outcomes = asyncio.run(trial.play())
            problems = verdict(trial, outcomes)
            if problems:
                print((Path(folder) / "server.log").read_text(encoding="utf-8")[-4000:])
    finally:
        remove()
    print("\n".join(problems) or "every confirmed reading is there once, every other one was sent again until it was")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
