"""`liuyu listen`: the twin of the present without its page, or at the edge of a network the inbox alone."""

from __future__ import annotations

import json
import logging
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click
import msgspec

from liuyu.app.commands.shared import configure
from liuyu.app.config import Config
from liuyu.app.now.watch import forwarding, home_of, watching
from liuyu.app.sources import stations
from liuyu.app.sources.runner import Sources
from liuyu.app.sources.source import Settings
from liuyu.app.users import Users
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event
from liuyu.basin.package import find_basin, read_basin

_log = logging.getLogger("liuyu")


@click.command()
@click.option("--config", "config_file", type=click.Path(path_type=Path), help="A liuyu.toml.")
@click.option("--basin", metavar="NAME|FOLDER", help="The basin whose stations report.")
@click.option("--host", help="Address to listen on, over TCP and UDP; 127.0.0.1 unless told otherwise.")
@click.option("--port", type=int, help="Port; 0 takes a free one; 6510 unless told otherwise.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where everything is kept; by default as liuyu up.")
@click.option("--dialect", "dialect_files", multiple=True, type=click.Path(path_type=Path), help="TOML.")
@click.option("--any-clock", is_flag=True, help="Do not hold the stations' clocks against this machine's.")
@click.option("--forward", is_flag=True, help="Only fill the inbox, which a loop elsewhere empties; no store, no loop.")
@click.option("--every", type=float, default=60.0, show_default=True, help="Seconds between lines of counts.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON, a line each time.")
def listen(
    config_file: Path | None,
    basin: str | None,
    host: str | None,
    port: int | None,
    folder: Path | None,
    dialect_files: tuple[Path, ...],
    any_clock: bool,
    forward: bool,
    every: float,
    as_json: bool,
) -> None:
    """Take in what stations and other sources tell, confirm what is durable, and run the loop on it, without a page.

    The sources are those of the configuration; without any, or with --host or --port, stations of SL 651 over TCP and
    UDP. SIGTERM or Ctrl-C ends it cleanly: what has come is kept, and the loop has taken it.

    Example: liuyu listen --basin yangtze --port 6510 --folder var/stations
    """
    config = configure(config_file, basin)
    if not config.basin:
        raise BadInput("which basin? give --basin, or basin in the configuration")
    place = read_basin(find_basin(config.basin))
    sources = _sources(config, host, port, dialect_files, any_clock)
    home = folder or home_of(Path(config.storage.folder), place)
    if forward:
        with forwarding(config, place, sources, home, tell=_log_events) as running:
            _serve(running, as_json, every, running.counts, running.stop)
        return
    with watching(config, place, sources, home, Users(home.parent)) as (twin, running):

        def counts() -> dict[str, int]:
            return {**running.counts(), **msgspec.to_builtins(twin.written)}

        def stop() -> None:
            running.stop()
            twin.stop()

        twin.start()
        _serve(running, as_json, every, counts, stop)


def _serve(
    running: Sources, as_json: bool, every: float, counts: Callable[[], Mapping[str, int]], stop: Callable[[], None]
) -> None:
    """Start the sources, print what happens, and stop everything when told to."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    started = running.start()
    for name, where in started.items():
        several = {"source": name} if len(started) > 1 else {}
        click.echo(json.dumps({"listening": where, **several}) if as_json else f"Listening: {name}, {where}")
    while not ended.wait(every):
        _tell(counts(), as_json)
    stop()
    _tell(counts(), as_json)


def _tell(counts: Mapping[str, int], as_json: bool) -> None:
    text = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)
    click.echo(json.dumps(counts) if as_json else text or "nothing yet")


def _log_events(events: Sequence[Event]) -> None:
    """Where there is no log of the twin, what sources announce goes to that of the process."""
    for each in events:
        _log.warning("%s", each.body.get("title", {}).get("en", each.id))


def _sources(
    config: Config, host: str | None, port: int | None, dialect_files: Sequence[Path], any_clock: bool
) -> tuple[Settings, ...]:
    """Those of the configuration, or the stations that the command line asks for."""
    if config.sources and host is None and port is None and not dialect_files and not any_clock:
        return config.sources
    named = stations.Settings(kind="stations", dialects=tuple(map(str, dialect_files)))
    given = {"host": host, "port": port, "any_clock": any_clock or None}
    wanted = {name: each for name, each in given.items() if each is not None}
    return (*(each for each in config.sources if each.kind != "stations"), msgspec.structs.replace(named, **wanted))
