"""The simulated fleet against a server: every fault, every reading once, the same dice for the same seed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from liuyu.app.commands.simulate import simulate
from liuyu.basin.errors import BadInput
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.sense.fleet import Faults, Fleet, Outcome, Report, from_batch, only_here, parse_faults, synthetic
from liuyu.monitor.sense.stations import StationServer
from tests.monitor.stations_bench import NOW, asides, basin_of, kept, served, versions, wanted

START = NOW - 7200
ALL = Faults(duplicates=0.1, reorder=0.1, bitflips=0.1, clock=0.1, silence=0.1, burst=0.5)


def played(folder: Path, stations: int, reports: int, faults: Faults, seed: int = 7) -> tuple[Outcome, list[Report]]:
    """A fleet played to a server in the same loop; the outcome, and what was confirmed."""
    basin, confirmed = basin_of(stations), list[Report]()

    async def visit(server: StationServer, port: int) -> Outcome:
        script = synthetic(stations, reports, START, 300, seed)
        fleet = Fleet(script, "127.0.0.1", port, faults=faults, seed=seed, timeout=0.5, confirmed=confirmed.append)
        return await fleet.play()

    return served(folder, basin, visit), confirmed


def test_two_hundred_stations_with_every_fault_lose_nothing(tmp_path: Path) -> None:
    outcome, confirmed = played(tmp_path, 200, 6, ALL)
    assert (outcome.stations, outcome.reports, outcome.confirmed, outcome.kept) == (200, 1200, 1200, 0)
    assert (
        min(outcome.counts[each] for each in ("duplicates", "reordered", "bitflips", "silences", "wrong_clocks")) > 50
    )
    assert outcome.counts["resent"] > 50
    expected = wanted(confirmed)
    found = kept(tmp_path, basin_of(200))
    assert {key: expected[key] for key in found} == found
    told = [reason.partition(":")[0] for reason, _ in asides(tmp_path)]
    assert len(expected) - len(found) <= 3 * told.count("clock")
    assert set(told) >= {"clock", "crc"}
    corrected = sum(
        versions(tmp_path, f"{60_000_000 + each}", START + 300 * at) for each in range(9) for at in range(6)
    )
    assert corrected == 0


@pytest.mark.parametrize("name", ["duplicates", "reorder", "bitflips", "silence"])
def test_each_fault_alone_leaves_every_reading_in_the_store_once(tmp_path: Path, name: str) -> None:
    faults = parse_faults(f"{name}=0.3,burst=0.5")
    outcome, confirmed = played(tmp_path, 15, 8, faults)
    assert outcome.confirmed == 120
    assert kept(tmp_path, basin_of(15)) == wanted(confirmed)


def test_a_wrong_clock_is_confirmed_and_set_aside(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, 3, 4, Faults(clock=1.0))
    assert outcome.confirmed == 12
    assert kept(tmp_path, basin_of(3)) == {}
    assert {reason.partition(":")[0] for reason, _ in asides(tmp_path)} == {"clock"}


def test_the_same_seed_throws_the_same_dice(tmp_path: Path) -> None:
    calm = Faults(duplicates=0.3, reorder=0.3, silence=0.2, burst=0.5, clock=0.2)
    one, _ = played(tmp_path / "one", 20, 6, calm)
    two, _ = played(tmp_path / "two", 20, 6, calm)
    other, _ = played(tmp_path / "other", 20, 6, calm, seed=8)
    assert one.counts == two.counts != other.counts
    assert kept(tmp_path / "one", basin_of(20)) == kept(tmp_path / "two", basin_of(20))


def test_what_nobody_confirms_is_kept(tmp_path: Path) -> None:
    async def play() -> tuple[Outcome, int]:
        heard = 0

        async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal heard
            while data := await reader.read(4096):
                heard += len(data)

        async with await asyncio.start_server(deaf, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            outcome = await Fleet(synthetic(2, 1, START, 300, 1), "127.0.0.1", port, timeout=0.02).play()
            return outcome, heard

    outcome, heard = asyncio.run(play())
    assert (outcome.confirmed, outcome.kept) == (0, 2)
    assert outcome.counts["frames"] == 2 * 4 * 3
    assert heard > 0


def test_an_archive_becomes_reports_of_its_stations() -> None:
    roster = Roster(("60112200", "gauge"))
    batch = Batch.of(roster, (0, 0, 0, 1), (1, 2, 3, 1), (900, 900, 900, 900), (28.96, 5000.0, 1.0, 2.0))
    assert from_batch(batch) == {"0060112200": [Report("0060112200", 900, (("39", 28.96), ("27", 5000.0)))]}
    assert from_batch(Batch.of(roster, (0,), (1,), (900,), (np.nan,))) == {}


def test_only_this_machine_is_called_unless_told_otherwise() -> None:
    assert [only_here(each) for each in ("127.0.0.9", "::1", "localhost")] == ["127.0.0.9", "::1", "localhost"]
    for host in ("10.0.0.1", "example.org"):
        with pytest.raises(BadInput, match=f"{host} is not this machine"):
            only_here(host)
    with pytest.raises(BadInput, match="has no port"):
        CliRunner().invoke(simulate, ["--to", "127.0.0.1"], catch_exceptions=False, standalone_mode=False)


def test_faults_that_are_none_are_told() -> None:
    assert parse_faults("") == Faults()
    with pytest.raises(BadInput, match="no fault 'rust'; there are duplicates"):
        parse_faults("rust=0.1")
    with pytest.raises(BadInput, match="from 0 to 1"):
        parse_faults("burst=2")


def test_the_command_tells_its_outcome(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> tuple[int, str]:
        arguments = ["--stations", "3", "--reports", "2", "--to", f"127.0.0.1:{port}", "--json"]
        result = await asyncio.to_thread(CliRunner().invoke, simulate, arguments)
        return result.exit_code, result.output

    code, output = served(tmp_path, basin_of(3), visit)
    said = json.loads(output)
    assert (code, said["stations"], said["confirmed"], said["kept"]) == (0, 3, 6, 0)
