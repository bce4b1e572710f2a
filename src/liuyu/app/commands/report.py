"""`liuyu report`: the report of a period, from a twin's store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.app.export import write_reports
from liuyu.app.storage import open_store
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.package import find_basin, read_basin


@click.command()
@click.option("--store", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="A twin's store.")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin that the store twins.")
@click.option("--from", "start", required=True, metavar="TIME", help="Start of the period, in the basin's zone.")
@click.option("--to", "end", required=True, metavar="TIME", help="End of the period, not included.")
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="Print the files as JSON.")
def report(folder: Path, basin: str, start: str, end: str, out: Path, as_json: bool) -> None:
    """Write the after-event report of a period as HTML and PDF, in Chinese and English.

    Example: liuyu report --store out/summer-2020/store --basin yangtze --from 2020-08-10 --to 2020-09-01 --out out
    """
    place = read_basin(find_basin(basin))
    first, last = (epoch(parse_time(each, place.zone)) for each in (start, end))
    with closing(open_store(folder, read_only=True)) as store:
        files = write_reports(store, place, first, last, out)
    names = [str(each) for each in files]
    say({"files": names}, "\n".join(names), as_json=as_json)
