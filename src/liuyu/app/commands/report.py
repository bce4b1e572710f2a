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
from liuyu.monitor.summarise import FORMS, KINDS, Kind, bulletin_file, bulletin_pages
from liuyu.outlook.warn import crossing
from liuyu.store.interface import Store


@click.command()
@click.option("--store", "folder", required=True, type=click.Path(path_type=Path, exists=True), help="A twin's store.")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin that the store twins.")
@click.option("--from", "start", metavar="TIME", help="Start of the period, in the basin's zone.")
@click.option("--to", "end", metavar="TIME", help="End of the period, not included.")
@click.option(
    "--bulletin",
    "kind",
    type=click.Choice(KINDS),
    help="A bulletin instead: forecast (水情预报), daily (水情日报) or flood (汛情通报).",
)
@click.option("--at", metavar="TIME", help="With --bulletin: as of this time; else as of the last forecast.")
@click.option(
    "--stations",
    metavar="CODES",
    help="With a forecast bulletin: codes or names, parted by commas; else the main.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the files.")
@click.option("--json", "as_json", is_flag=True, help="Print the files as JSON.")
def report(
    folder: Path, basin: str, start: str | None, end: str | None, kind: Kind | None, at: str | None,
    stations: str | None, out: Path, as_json: bool,
) -> None:  # fmt: skip
    """Write the after-event report of a period as HTML, PDF and DOCX, in Chinese and English; or a bulletin.

    With --bulletin forecast it is the newest forecast of the store instead: values to come, peaks with their times,
    chances of reaching each line, grounds and verification. With daily it is the bulletin of the duty room: rivers and
    reservoirs over a day, what is expected, notices, tasks and orders. With flood it is that of the flood in course.

    Example: liuyu report --store out/summer-2020/store --basin yangtze --from 2020-08-10 --to 2020-09-01 --out out

    liuyu report --store out/summer-2020/store --basin yangtze --bulletin daily --at 2020-08-17T14:00 --out out
    """
    place = read_basin(find_basin(basin))
    with closing(open_store(folder, read_only=True)) as store:
        if kind is not None:
            if start or end:
                raise BadInput("a bulletin is of one moment; give --at in place of --from and --to")
            moment = epoch(parse_time(at, place.zone)) if at else _last(store)
            files = _write_bulletin(kind, store, place, moment, _codes(place, stations), out)
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


def _write_bulletin(
    kind: Kind, store: Store, place: Basin, at: int, stations: list[str], out: Path
) -> tuple[Path, ...]:
    if stations and kind != "forecast":
        raise BadInput(f"--stations belongs to --bulletin forecast; leave it out for the {kind} bulletin")
    pages = bulletin_pages(kind, place, store, at, crossing, stations)
    out.mkdir(parents=True, exist_ok=True)
    files = []
    for language in LANGUAGES:
        page = pages(language)
        for form in FORMS:
            files.append(out / f"{'bulletin' if kind == 'forecast' else kind}.{language}.{form}")
            files[-1].write_bytes(bulletin_file(page, form))
    return tuple(files)


def _last(store: Store) -> int:
    """When the newest forecast of a store was issued, or its newest event; a bulletin is of that moment."""
    newest = store.events(kinds=["forecast"], newest_first=True, limit=1) or store.events(newest_first=True, limit=1)
    if not newest:
        raise NotFound("this store has no event yet; run the twin on")
    return epoch(newest[0].time)
