"""`liuyu listen`: the station server on a store."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from contextlib import closing, suppress
from pathlib import Path

import click
import msgspec

from liuyu.app.ingest import StoreSink
from liuyu.app.storage import open_store
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.sense.sl651 import Dialects, read_dialects
from liuyu.monitor.sense.stations import Limits, RawLog, StationServer


@click.command()
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin whose stations report.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, over TCP and UDP.")
@click.option("--port", type=int, default=6510, show_default=True, help="Port; 0 takes a free one.")
@click.option("--folder", type=click.Path(path_type=Path), required=True, help="Where readings and frames are kept.")
@click.option("--dialect", "dialect_files", multiple=True, type=click.Path(path_type=Path), help="TOML.")
@click.option("--any-clock", is_flag=True, help="Do not hold the stations' clocks against this machine's.")
@click.option("--every", type=float, default=60.0, show_default=True, help="Seconds between lines of counts.")
@click.option("--json", "as_json", is_flag=True, help="Print the counts as JSON, a line each time.")
def listen(
    basin: str,
    host: str,
    port: int,
    folder: Path,
    dialect_files: tuple[Path, ...],
    any_clock: bool,
    every: float,
    as_json: bool,
) -> None:
    """Let stations of SL 651 report over TCP and UDP; confirm what is durable. SIGTERM or Ctrl-C ends it cleanly.

    Example: liuyu listen --basin yangtze --port 6510 --folder var/stations
    """
    place = read_basin(find_basin(basin))
    dialects = read_dialects(dialect_files) if dialect_files else Dialects()
    with closing(open_store(folder / "store")) as store:
        sink = StoreSink(store, place, dialects, pictures=folder / "pictures", check_clock=not any_clock)
        raw = RawLog(folder / "raw")
        asyncio.run(_serve(sink, raw, dialects, host, port, every, as_json))


async def _serve(
    sink: StoreSink, raw: RawLog, dialects: Dialects, host: str, port: int, every: float, as_json: bool
) -> None:
    server = StationServer(sink, lambda: int(time.time()), raw=raw, dialects=dialects, limits=Limits())
    port = await server.start(host, port)
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    click.echo(json.dumps({"listening": f"{host}:{port}"}) if as_json else f"Listening on {host}:{port}")
    while not ended.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), every)
        if not ended.is_set():
            _tell(server, sink, as_json)
    await server.stop()
    _tell(server, sink, as_json)


def _tell(server: StationServer, sink: StoreSink, as_json: bool) -> None:
    counts = {**_named(server), **sink.counts}
    text = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in counts.items() if count)
    click.echo(json.dumps(counts) if as_json else text or "nothing yet")


def _named(server: StationServer) -> dict[str, int]:
    counts: dict[str, int] = msgspec.to_builtins(server.counts)
    return counts
