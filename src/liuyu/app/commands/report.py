"""`liuyu report`: the report of a period, or the bulletin of a forecast, from a twin's store."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.app.export import LANGUAGES, write_reports
from liuyu.app.storage import open_store
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.monitor.summarise import bulletin, bulletin_docx, bulletin_html, bulletin_pdf
from liuyu.outlook.warn import crossing
from liuyu.store.interface import Store

_FAR = 2**40


@click.command()
@click.option("--store", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="A twin's store.")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin that the store twins.")
@click.option("--from", "start", metavar="TIME", help="Start of the period, in the basin's zone.")
@click.option("--to", "end", metavar="TIME", help="End of the period, not included.")
@click.option(
    "--bulletin", "kind", type=click.Choice(["forecast"]), help="The bulletin (水情预报) of a forecast instead."
)
@click.option("--at", metavar="TIME", help="With --bulletin: the newest issue at or before this time; else the last.")
@click.option(
    "--stations", metavar="CODES", help="With --bulletin: codes or names, parted by commas; else the main ones."
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="Print the files as JSON.")
def report(
    folder: Path, basin: str, start: str | None, end: str | None, kind: str | None, at: str | None,
    stations: str | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Write the after-event report of a period as HTML, PDF and DOCX, in Chinese and English; or a forecast bulletin.

    With --bulletin forecast it is the newest forecast of the store instead: values to come, peaks with their times,
    chances of reaching each line, grounds and verification.

    Example: liuyu report --store out/summer-2020/store --basin yangtze --from 2020-08-10 --to 2020-09-01 --out out

    liuyu report --store out/summer-2020/store --basin yangtze --bulletin forecast --at 2020-08-17T14:00 --out out
    """
    place = read_basin(find_basin(basin))
    with closing(open_store(folder, read_only=True)) as store:
        if kind is not None:
            if start or end:
                raise BadInput("a bulletin is of one moment; give --at in place of --from and --to")
            moment = epoch(parse_time(at, place.zone)) if at else _FAR
            files = _write_bulletin(store, place, moment, _codes(place, stations), out)
        else:
            files = write_reports(store, place, *_period(place, start, end, at, stations), out)
    names = [str(each) for each in files]
    say({"files": names}, "\n".join(names), as_json=as_json)


def _period(place: Basin, start: str | None, end: str | None, at: str | None, stations: str | None) -> tuple[int, int]:
    if not start or not end:
        raise BadInput("a report needs --from and --to; for the bulletin of a forecast give --bulletin forecast")
    if at or stations:
        raise BadInput("--at and --stations belong to --bulletin forecast; leave them out for a report")
    first, last = (epoch(parse_time(each, place.zone)) for each in (start, end))
    return first, last


def _codes(place: Basin, text: str | None) -> list[str]:
    """Codes of stations given by code or name. Raises NotFound for one that the basin does not have."""
    wanted = [each.strip() for each in (text or "").split(",") if each.strip()]
    code = {word: each.code for each in place.stations for word in (each.name_en, each.name, each.code)}
    unknown = [each for each in wanted if each not in code]
    if unknown:
        raise NotFound(f"basin {place.code} has no station {', '.join(unknown)}; see its stations.csv")
    return [code[each] for each in wanted]


def _write_bulletin(store: Store, place: Basin, at: int, stations: list[str], out: Path) -> tuple[Path, ...]:
    made = bulletin(place, store, at, crossing, stations)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for language in LANGUAGES:
        for kind, written in (("html", bulletin_html), ("pdf", bulletin_pdf), ("docx", bulletin_docx)):
            files.append(out / f"bulletin.{language}.{kind}")
            files[-1].write_bytes(written(made, language))
    return tuple(files)
