"""`liuyu simulate`: a fleet of stations that report to a server."""

from __future__ import annotations

import asyncio
import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from liuyu.app.choice import choose
from liuyu.app.commands.shared import configure, say
from liuyu.basin.clock import HOUR
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense import Archive
from liuyu.monitor.sense.fleet import Fleet, from_batch, only_here, parse_faults, synthetic
from liuyu.monitor.sense.fleet.scripts import Script


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
@click.option("--speed", type=float, default=math.inf, help="Twin seconds per second; without it, as fast as it goes.")
@click.option(
    "--faults", default="", metavar="NAME=CHANCE,...", help="duplicates, reorder, bitflips, clock, silence, burst."
)
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
    speed: float,
    faults: str,
    seed: int,
    timeout: float,
    anywhere: bool,
    as_json: bool,
) -> None:
    """Play an archive, or made-up stations, as SL 651 stations over TCP, with faults if you like.

    A report that is not confirmed is sent again, at most twice, then kept for later. Exit code 1 where some were never
    confirmed.

    Example: liuyu simulate --stations 200 --to 127.0.0.1:6510 --faults duplicates=0.1,bitflips=0.1
    """
    host, _, port = server.rpartition(":")
    if not port.isdigit():
        raise BadInput(f"server {server!r} has no port; write it as 127.0.0.1:6510")
    if stations:
        first = int(time.time()) // HOUR * HOUR - reports * 300
        script: Script = synthetic(stations, reports, first, 300, seed)
    else:
        script, first = _archive(config_file, basin, start, end, observations)
    fleet = Fleet(
        script,
        host if anywhere else only_here(host),
        int(port),
        speed=speed,
        start=first,
        faults=parse_faults(faults),
        seed=seed,
        timeout=timeout,
    )
    outcome = asyncio.run(fleet.play())
    text = (
        f"{outcome.stations} stations, {outcome.reports} reports in {outcome.seconds:.1f} s: {outcome.confirmed} "
        f"confirmed, {outcome.kept} kept; 99 of 100 within {outcome.p99 * 1000:.0f} ms\n"
        + ", ".join(f"{name} {count}" for name, count in outcome.counts.items())
    )
    say(outcome, text, as_json=as_json)
    context.exit(1 if outcome.kept else 0)


def _archive(
    config_file: Path | None, basin: str | None, start: str | None, end: str | None, observations: str | None
) -> tuple[Script, int]:
    config = configure(config_file, basin, start, end, observations)
    with TemporaryDirectory() as scratch:
        course = choose(config, Path(scratch))
        batch = Archive(course.observations, course.basin).take(course.start - 1, course.end)
    return from_batch(batch), course.start
