"""`liuyu simulate`: a fleet of stations that report to a server."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

import click
import msgspec

from liuyu.app.choice import choose
from liuyu.app.commands.shared import configure, say
from liuyu.basin.clock import HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.sense import Archive
from liuyu.monitor.sense.fleet import Faults, Fleet, Nature, Report, from_batch, only_here, parse_faults, synthetic
from liuyu.monitor.sense.fleet.lines import Over
from liuyu.monitor.sense.fleet.mqtt import MqttFleet
from liuyu.monitor.sense.fleet.mqtt_logger import told_of
from liuyu.monitor.sense.fleet.scripts import Script
from liuyu.monitor.sense.fleet.station import Mode
from liuyu.monitor.sense.mqtt import read_address


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A liuyu.toml.")
@click.option("--basin", metavar="NAME|FOLDER", help="The basin whose archive is played.")
@click.option("--observations", metavar="FILE", help="Parquet or CSV with the archive's columns.")
@click.option("--from", "start", metavar="TIME", help="Start of the period, in the basin's time zone.")
@click.option("--until", "end", metavar="TIME", help="End of it.")
@click.option("--stations", type=click.IntRange(1, 100_000), help="Made-up stations instead of a basin's archive.")
@click.option("--reports", type=click.IntRange(1), default=12, show_default=True, help="Of each made-up station.")
@click.option(
    "--to", "server", default="127.0.0.1:6510", show_default=True, metavar="HOST:PORT", help="Whom to report to."
)
@click.option("--mqtt", "broker", metavar="URL", help="Publish to an MQTT broker instead: mqtt://127.0.0.1:1883.")
@click.option("--confirmed", type=click.Path(path_type=Path), help="Write each report that was confirmed, as JSON.")
@click.option("--speed", type=float, default=math.inf, help="Twin seconds per second; without it, as fast as it goes.")
@click.option(
    "--faults",
    default="",
    metavar="NAME=CHANCE,...",
    help="duplicates, reorder, bitflips, clock, silence, burst, drift, packets.",
)
@click.option("--over", type=click.Choice(["tcp", "udp"]), default="tcp", show_default=True, help="How they report.")
@click.option(
    "--mode",
    type=click.Choice(["M1", "M2", "M4"]),
    default="M2",
    show_default=True,
    help="M1 reports, M2 waits for the confirmation, M4 only answers.",
)
@click.option("--pictures", is_flag=True, help="Each station sends a picture in packets after its reports (M3).")
@click.option("--stay", type=float, default=0.0, show_default=True, help="Seconds to answer orders after the reports.")
@click.option("--seed", type=int, default=651, show_default=True, help="Of the dice.")
@click.option("--timeout", type=float, default=5.0, show_default=True, help="Seconds to wait for a confirmation.")
@click.option("--anywhere", is_flag=True, help="Allow a server on another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_context
def simulate(
    context: click.Context,
    config_file: Path | None,
    basin: str | None,
    start: str | None,
    end: str | None,
    observations: str | None,
    stations: int | None,
    reports: int,
    server: str,
    broker: str | None,
    confirmed: Path | None,
    speed: float,
    faults: str,
    over: Over,
    mode: Mode,
    pictures: bool,
    stay: float,
    seed: int,
    timeout: float,
    anywhere: bool,
    as_json: bool,
) -> None:
    """Play an archive, or made-up stations, as SL 651 stations over TCP or as MQTT loggers, with faults if you like.

    A report that is not confirmed is sent again, at most twice, then kept for later. Stations of SL 651 answer every
    order of the standard. Exit code 1 where some reports were never confirmed.

    Example: liuyu simulate --stations 200 --to 127.0.0.1:6510 --faults duplicates=0.1,bitflips=0.1

    liuyu simulate --basin qingxi --mqtt mqtt://127.0.0.1:1883 --confirmed confirmed.jsonl
    """
    address = read_address(broker) if broker else None
    if address and (over != "tcp" or mode != "M2" or pictures or stay):
        raise BadInput("--over, --mode, --pictures and --stay are for stations of SL 651; leave them out with --mqtt")
    host, port = (address.host, address.port) if address else _server(server)
    if not anywhere:
        only_here(host)
    code = read_basin(find_basin(_basin_of(basin, config_file))).code if address else ""
    if stations:
        first = int(time.time()) // HOUR * HOUR - reports * 300
        script: Script = synthetic(stations, reports, first, 300, seed)
    else:
        script, first = _archive(config_file, basin, start, end, observations)
    with _writer(confirmed) as told:
        way = _Way(speed=speed, start=first, faults=parse_faults(faults), seed=seed, timeout=timeout, confirmed=told)
        fleet = (
            MqttFleet(script, address, code, **way)
            if address
            else Fleet(
                script,
                host,
                port,
                **way,
                over=over,
                nature=Nature(mode=mode, pictures=pictures),
                stay=stay,
                clock=lambda: int(time.time()),
            )
        )
        outcome = asyncio.run(fleet.play())
    text = (
        f"{outcome.stations} stations, {outcome.reports} reports in {outcome.seconds:.1f} s: {outcome.confirmed} "
        f"confirmed, {outcome.kept} kept; 99 of 100 within {outcome.p99 * 1000:.0f} ms\n"
        + ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
    )
    say(outcome, text, as_json=as_json)
    context.exit(1 if outcome.kept else 0)


class _Way(TypedDict):
    """How a fleet plays, of either kind."""

    speed: float
    start: int
    faults: Faults
    seed: int
    timeout: float
    confirmed: Callable[[Report], None] | None


def _server(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":")
    if not port.isdigit():
        raise BadInput(f"server {server!r} has no port; write it as 127.0.0.1:6510")
    return host, int(port)


def _basin_of(basin: str | None, config_file: Path | None) -> str:
    """The basin whose code stands in the topics."""
    named = basin or configure(config_file).basin
    if not named:
        raise BadInput("no basin is named, and MQTT topics need its code; give --basin")
    return named


@contextmanager
def _writer(file: Path | None) -> Iterator[Callable[[Report], None] | None]:
    """What hears each confirmed report: a line of JSON each, so that a store can be held against the file."""
    if file is None:
        yield None
        return
    with file.open("ab", buffering=0) as stream:

        def tell(report: Report) -> None:
            stream.write(msgspec.json.encode(told_of(report)) + b"\n")

        yield tell


def _archive(
    config_file: Path | None, basin: str | None, start: str | None, end: str | None, observations: str | None
) -> tuple[Script, int]:
    config = configure(config_file, basin, start, end, observations)
    with TemporaryDirectory() as scratch:
        course = choose(config, Path(scratch))
        batch = Archive(course.observations, course.basin).take(course.start - 1, course.end)
    return from_batch(batch), course.start
