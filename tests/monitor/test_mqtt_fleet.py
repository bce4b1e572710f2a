"""Simulated MQTT loggers with every fault: what they were told is confirmed is in the inbox, broken payloads aside."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner

from liuyu.app.commands.simulate import simulate
from liuyu.basin.errors import BadInput, InboxFull
from liuyu.basin.quantities import quantity
from liuyu.monitor.sense.fleet import Faults, Outcome, Report, synthetic
from liuyu.monitor.sense.fleet.mqtt import MqttFleet
from liuyu.monitor.sense.fleet.mqtt_logger import told_of
from liuyu.monitor.sense.mqtt import MqttSource, Payloads, read_address
from tests.monitor.mqtt_bench import Kept, source
from tests.monitor.stations_bench import basin_of

ALL = Faults(duplicates=0.1, reorder=0.1, bitflips=0.1, clock=0.05, silence=0.1, burst=0.3, drift=0.2)
Told = set[tuple[str, str, str, float]]


def played(
    kept: Kept, stations: int, reports: int, faults: Faults, *, timeout: float = 1.0
) -> tuple[Outcome, list[Report]]:
    """A fleet played to the embedded broker of a basin; the outcome, and what was confirmed."""
    basin, confirmed = basin_of(stations), list[Report]()
    made, stop = MqttSource(basin.code, Payloads(basin), port=0), threading.Event()
    thread = threading.Thread(target=made.run, args=(kept.deliver, lambda: 0, stop))
    thread.start()
    try:
        address = read_address(made.started(60))
        script = synthetic(stations, reports, 1_782_856_800, 300, 3)
        fleet = MqttFleet(
            script, address, basin.code, faults=faults, seed=3, timeout=timeout, confirmed=confirmed.append
        )
        return asyncio.run(fleet.play()), confirmed
    finally:
        stop.set()
        thread.join()


def rows(reports: list[Report]) -> Told:
    return {
        (said["station"], said["time"], name, value)
        for said in map(told_of, reports)
        for name, value in said["values"].items()
    }


def held(kept: Kept) -> Told:
    found: Told = set()
    for each in kept.parcels:
        batch = each.batch
        times = (f"{str(time)[:19]}+00:00" for time in batch.time.astype("datetime64[s]"))
        columns = zip(batch.station.tolist(), times, batch.quantity.tolist(), batch.value.tolist(), strict=True)
        found |= {(batch.roster.codes[at], time, quantity(what).name, value) for at, time, what, value in columns}
    return found


def test_every_confirmed_report_is_kept_and_every_broken_payload_aside() -> None:
    kept = Kept()
    outcome, confirmed = played(kept, 100, 10, ALL)
    assert (outcome.stations, outcome.reports, outcome.confirmed, outcome.kept) == (100, 1000, 1000, 0)
    assert (
        min(
            outcome.counts[each]
            for each in ("duplicates", "reordered", "bitflips", "wrong_clocks", "silences", "drifting_clocks")
        )
        > 10
    )
    assert rows(confirmed) == held(kept)
    assert len(kept.reasons) == outcome.counts["bitflips"]
    assert all("payload" in each for each in kept.reasons)


def test_without_faults_nothing_is_set_aside_or_said_twice() -> None:
    kept = Kept()
    outcome, confirmed = played(kept, 20, 5, Faults())
    assert outcome.counts == {"confirmed": 100, "connections": 20, "messages": 100, "reports": 100}
    assert rows(confirmed) == held(kept)
    assert len(kept.values) == 300
    assert kept.reasons == []


def test_what_is_not_kept_is_not_confirmed() -> None:
    kept = Kept()
    kept.fault = InboxFull("full")
    outcome, confirmed = played(kept, 2, 2, Faults(), timeout=0.1)
    assert (outcome.confirmed, outcome.kept, confirmed, kept.parcels) == (0, 4, [], [])
    assert outcome.counts["resent"] > 0


def test_nobody_there_is_no_error() -> None:
    fleet = MqttFleet(synthetic(2, 1, 0, 300, 3), read_address("mqtt://127.0.0.1:9"), "many", timeout=0.05)
    assert asyncio.run(fleet.play()).kept == 2


def test_the_command_writes_what_was_confirmed(tmp_path: Path) -> None:
    kept, file = Kept(), tmp_path / "confirmed.jsonl"
    with source(kept) as (_, port):
        where = ["--mqtt", f"mqtt://127.0.0.1:{port}", "--confirmed", str(file), "--json"]
        result = CliRunner().invoke(
            simulate, ["--basin", "qingxi", "--from", "2021-07-01", "--until", "2021-07-01", *where]
        )
    said, lines = json.loads(result.output), file.read_text().splitlines()
    assert (result.exit_code, said["kept"]) == (0, 0)
    assert len(lines) == said["confirmed"] == said["reports"] > 100
    told = [json.loads(each) for each in lines]
    wanted = {(each["station"], each["time"], name, value) for each in told for name, value in each["values"].items()}
    assert wanted == held(kept)


def test_the_command_calls_only_this_machine_and_needs_a_basin() -> None:
    for arguments, said in (
        (["--mqtt", "mqtt://10.0.0.1"], "10.0.0.1 is not this machine"),
        (["--mqtt", "10.0.0.1"], "is not the address of a broker"),
        (["--mqtt", "mqtt://127.0.0.1", "--stations", "2"], "give --basin"),
    ):
        with pytest.raises(BadInput, match=said):
            CliRunner().invoke(simulate, arguments, catch_exceptions=False, standalone_mode=False)
