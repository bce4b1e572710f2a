"""A server that is killed in the middle: what it confirmed is in the store, once, when it stands again."""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import apsw
import pytest

from liuyu.basin.places import Basin
from liuyu.monitor.sense.fleet import Faults, Fleet, Outcome, Report, synthetic
from tests.monitor.stations_bench import basin_of, kept, raw, wanted

STEP = 60


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def package(folder: Path, basin: Basin) -> Path:
    """The basin as a package."""
    folder.mkdir()
    head = 'code = "many"\nname = "多"\nname_en = "Many"\ntime_zone = "Asia/Shanghai"\nsynthetic = true\n'
    (folder / "basin.toml").write_text(head, encoding="utf-8")
    rows = "".join(f"{each.code},站,Station,110.5,30.5,河,unknown\n" for each in basin.stations)
    (folder / "stations.csv").write_text("code,name,name_en,lon,lat,river,datum\n" + rows, encoding="utf-8")
    return folder


def start(basin: Path, folder: Path, port: int) -> subprocess.Popen[str]:
    """A server in a process of its own, once it listens."""
    command = [str(Path(sys.executable).with_name("liuyu")), "listen", "--basin", str(basin), "--port", str(port)]
    server = subprocess.Popen([*command, "--folder", str(folder), "--json"], stdout=subprocess.PIPE, text=True)
    assert server.stdout
    assert json.loads(server.stdout.readline()) == {"listening": f"127.0.0.1:{port}"}
    return server


def corrected(folder: Path) -> int:
    """How many values of the store were ever replaced by another."""
    return int(apsw.Connection(str(folder / "store" / "live.sqlite")).execute("SELECT count(*) FROM version").get)


@pytest.mark.parametrize(
    ("stations", "reports", "kills", "speed"),
    [(40, 20, 2, 300.0), pytest.param(2000, 60, 10, 60.0, marks=pytest.mark.slow)],
)
def test_every_confirmed_reading_is_there_once_after_kills(
    tmp_path: Path, stations: int, reports: int, kills: int, speed: float
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 8192), hard), hard))
    basin, port, confirmed = basin_of(stations), free_port(), list[Report]()
    place, folder = package(tmp_path / "basin", basin), tmp_path / "kept"
    begin = int(time.time()) // STEP * STEP - reports * STEP - STEP
    faults = Faults(duplicates=0.1, reorder=0.1, bitflips=0.1, silence=0.1, burst=0.5)

    async def play() -> Outcome:
        script = synthetic(stations, reports, begin, STEP, 3)
        fleet = Fleet(
            script,
            "127.0.0.1",
            port,
            speed=speed,
            start=begin,
            faults=faults,
            seed=4,
            timeout=1.0,
            confirmed=confirmed.append,
        )
        server = await asyncio.to_thread(start, place, folder, port)
        playing = asyncio.create_task(fleet.play())
        for _ in range(kills):
            before = len(confirmed)
            while len(confirmed) < before + stations * reports // (2 * kills) and not playing.done():
                await asyncio.sleep(0.01)
            server.kill()
            await asyncio.to_thread(server.wait)
            server = await asyncio.to_thread(start, place, folder, port)
        outcome = await playing
        server.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(server.wait, 20) == 0
        return outcome

    outcome = asyncio.run(play())
    assert outcome.confirmed + outcome.kept == stations * reports
    assert outcome.confirmed > stations * reports * 0.6
    held, expected = kept(folder, basin), wanted(confirmed)
    assert {key: held.get(key) for key in expected} == expected
    assert corrected(folder) == 0
    assert len(raw(folder)) >= outcome.confirmed
