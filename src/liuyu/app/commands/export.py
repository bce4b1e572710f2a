"""`liuyu export`: what a twin remembers, as files that others read."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.app.export import write_cap, write_events, write_forecasts
from liuyu.app.storage import open_store
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.package import find_basin, read_basin

WHAT = ("events", "cap", "forecasts")


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.option("--store", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="A twin's store.")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin that the store twins.")
@click.option("--from", "start", metavar="TIME", help="Start of the period; all if left out.")
@click.option("--to", "end", metavar="TIME", help="End of the period, not included.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="File, or folder for CAP.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def export(what: str, folder: Path, basin: str, start: str | None, end: str | None, out: Path, as_json: bool) -> None:
    """Write the event log (JSON lines), alerts and notices (CAP 1.2), or forecasts (Parquet) of a store.

    Example: liuyu export cap --store out/summer-2020/store --basin yangtze --out out/cap
    """
    place = read_basin(find_basin(basin))
    first = epoch(parse_time(start, place.zone)) if start else 0
    last = epoch(parse_time(end, place.zone)) if end else 2**40
    with closing(open_store(folder, read_only=True)) as store:
        events = store.events(start=first, end=last)
        if what == "events":
            count = write_events(events, place, out)
        elif what == "cap":
            count = len(write_cap(events, place, out))
        else:
            issued = [epoch(each.time) for each in store.events(kinds=["forecast"], start=first, end=last)]
            count = write_forecasts(store, min(issued), max(issued) + 1, place, out) if issued else 0
    say({"what": what, "count": count, "out": str(out)}, f"{count} {what} written to {out}", as_json=as_json)
