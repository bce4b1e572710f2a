"""`liuyu sl323`: exchange with databases after SL 323."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.app.storage import open_store
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import basin_file, find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense import Archive
from liuyu.monitor.sense.readers import write_observations
from liuyu.monitor.sense.sl323 import Imported, export_tables, import_records, import_tables, open_database
from liuyu.store.interface import Store

FOREVER = 2**40


@click.group()
def sl323() -> None:
    """Exchange stations, thresholds, observations and forecasts with the tables of SL 323-2011.

    Example: liuyu sl323 export --basin yangtze --to yangtze.db
    """


@sl323.command("export")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin to write.")
@click.option("--to", "address", required=True, metavar="DATABASE", help="A SQLite file, or postgresql://host/name.")
@click.option("--observations", metavar="FILE", help="Parquet or CSV with the archive's columns.")
@click.option("--archive", is_flag=True, help="Write the observations of the archive that the package names.")
@click.option("--store", type=click.Path(path_type=Path, exists=True), help="A twin's store, for its forecasts.")
@click.option("--from", "start", metavar="TIME", help="Start of the period of observations and forecasts.")
@click.option("--until", "end", metavar="TIME", help="End of it, not included.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def export_(
    basin: str,
    address: str,
    observations: str | None,
    archive: bool,
    store: Path | None,
    start: str | None,
    end: str | None,
    as_json: bool,
) -> None:
    """Write a basin to the tables, with observations and forecasts where they are named.

    Example: liuyu sl323 export --basin yangtze --to postgresql://localhost/hydrology --archive
    """
    place = read_basin(find_basin(basin))
    first, last = (
        epoch(parse_time(text, place.zone)) if text else otherwise for text, otherwise in ((start, 0), (end, FOREVER))
    )
    batch = _observations(place, observations, archive, first, last)
    forecasts = _forecasts(store, first, last) if store else []
    with closing(open_database(address, create=True)) as database:
        done = export_tables(place, database, batch, forecasts)
    lines = [f"{table}: {count} rows" for table, count in done.rows.items()]
    result = {"rows": done.rows, "asides": _reasons(done.asides), "to": database.name}
    say(result, "\n".join([*lines, *(f"left out: {each.reason}" for each in done.asides)]), as_json=as_json)


def _observations(basin: Basin, named: str | None, archive: bool, start: int, end: int) -> Batch | None:
    file = Path(named) if named else basin_file(basin, basin.archive) if archive and basin.archive else None
    return Archive(file, basin).take(start - 1, end - 1) if file else None


def _forecasts(folder: Path, start: int, end: int) -> list[Forecast]:
    with closing(open_store(folder, read_only=True)) as store:
        return store.forecasts(start, end)


@sl323.command("import")
@click.option("--from", "address", required=True, metavar="DATABASE", help="A SQLite file, or postgresql://host/name.")
@click.option("--basin", metavar="NAME|FOLDER", help="Read for a basin that there is, and make no package.")
@click.option("--out", "folder", type=click.Path(path_type=Path), help="Folder of a new package.")
@click.option("--code", help="Code of the new basin.")
@click.option("--name", default="", help="Its name in the local language.")
@click.option("--name-en", default="", help="Its name in English.")
@click.option("--observations", type=click.Path(path_type=Path), help="Parquet for what the tables observed.")
@click.option("--store", type=click.Path(path_type=Path), help="A twin's store that takes observations and forecasts.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_context
def import_(
    context: click.Context,
    address: str,
    basin: str | None,
    folder: Path | None,
    code: str | None,
    name: str,
    name_en: str,
    observations: Path | None,
    store: Path | None,
    as_json: bool,
) -> None:
    """Make a basin package of the tables, or read what they hold for one that there is already.

    A replay can play the file of observations. A store gets each value once; forecasts that it has already stay.
    Exit code 0: no fault; 1: the package has faults, or the codes of tendency look exchanged.

    Example: liuyu sl323 import --from yangtze.db --out basins/ours --code ours --observations ours.parquet
    """
    if (basin is None) == (folder is None):
        raise BadInput("give --out FOLDER --code CODE for a new package, or --basin for one that there is")
    if folder is not None and not code:
        raise BadInput("a new package needs --code, such as --code ours")
    known = read_basin(find_basin(basin)) if basin else None
    with closing(open_database(address)) as database:
        if known:
            done = import_records(database, known)
        else:
            done = import_tables(database, folder or Path(), code or "", name, name_en)
    rows, kept = 0, 0
    if not done.faults:
        place = known or read_basin(folder or Path())
        rows = write_observations(done.batch, place, observations) if observations and len(done.batch) else 0
        kept = _keep(done, store) if store else 0
    result = {
        "files": done.files,
        "observations": len(done.batch),
        "forecasts": len(done.forecasts),
        "rows": rows,
        "kept": kept,
        "tendency": done.tendency,
        "asides": _reasons(done.asides),
        "faults": done.faults,
    }
    lines = [str(each) for each in done.faults] + [f"set aside: {each.reason}" for each in done.asides]
    made = f"{len(done.files)} files are in {folder}; " if folder else ""
    lines.append(
        f"{made}{len(done.batch)} observations, {len(done.forecasts)} forecasts, {len(done.faults)} faults"
        + (f"; {kept} new in {store}" if store and not done.faults else "")
    )
    say(result, "\n".join(lines), as_json=as_json)
    context.exit(1 if done.faults else 0)


def _keep(done: Imported, folder: Path) -> int:
    """Write observations and forecasts to a store; returns how many were new, or corrected what was there."""
    now = epoch(datetime.now(UTC))
    with closing(open_store(folder)) as store, store.transaction():
        written = store.write(done.batch, received=now)
        new = [each for each in done.forecasts if not _is_there(store, each)]
        store.put_forecasts(new)
        for each in done.asides:
            store.set_aside(each.source, each.reason, each.payload, received=now)
    return written.new + written.corrected + len(new)


def _is_there(store: Store, forecast: Forecast) -> bool:
    asked = store.forecast(forecast.station, forecast.quantity, at=epoch(forecast.issued), model=forecast.model)
    return asked is not None and asked.issued == forecast.issued


def _reasons(asides: tuple[Aside, ...]) -> list[dict[str, str]]:
    return [{"source": each.source, "reason": each.reason} for each in asides]
