"""`liuyu read`: a foreign file into observations that a replay can play."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.basin.series import Aside
from liuyu.monitor.sense.readers import READERS, Reading, read_file, read_mapping, write_observations
from liuyu.monitor.sense.readers.mapping import Mapping

SHOWN = 50


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--as", "kind", required=True, type=click.Choice(tuple(READERS)), help="What the files are.")
@click.option("--mapping", "mapping_file", type=click.Path(path_type=Path), help="TOML: columns, units, zone, codes.")
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="The basin whose stations they report.")
@click.option("--out", type=click.Path(path_type=Path), help="Parquet with the archive's columns; without it, a check.")
@click.option("--asides", "asides_folder", type=click.Path(path_type=Path), help="Folder for what is set aside, raw.")
@click.option("--near", metavar="TIME", help="Where dates without a year lie (SHEF); today unless told otherwise.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@click.pass_context
def read(
    context: click.Context,
    files: tuple[Path, ...],
    kind: str,
    mapping_file: Path | None,
    basin: str,
    out: Path | None,
    asides_folder: Path | None,
    near: str | None,
    as_json: bool,
) -> None:
    """Read CSV, Excel, WaterML 2 or SHEF by a mapping file, tell every fault at once, and write the observations.

    What is sound is written, what is not is told with its line and kept raw by --asides.
    Exit code 0: no fault; 1: faults were found.

    Example: liuyu read levels.csv --as csv --mapping levels.toml --basin yangtze --out observations.parquet
    """
    place = read_basin(find_basin(basin))
    if mapping_file is None and kind in ("csv", "excel"):
        raise BadInput(f"--as {kind} needs --mapping FILE; docs/reference/exchange.md tells what it holds")
    mapping = read_mapping(mapping_file) if mapping_file else Mapping()
    day = parse_time(near, place.zone) if near else datetime.now(UTC)
    reading = _join([read_file(each, kind, mapping, place, day) for each in files])
    rows = write_observations(reading.batch, place, out) if out and len(reading.batch) else 0
    if asides_folder:
        _write_asides(reading.asides, asides_folder)
    _tell(reading, place, rows, out, as_json)
    context.exit(1 if reading.faults else 0)


def _join(readings: list[Reading]) -> Reading:
    first = readings[0]
    return Reading(
        first.batch.join([each.batch for each in readings]).ordered(),
        tuple(aside for each in readings for aside in each.asides),
        tuple(fault for each in readings for fault in each.faults),
        sum(each.missing for each in readings),
    )


def _write_asides(asides: tuple[Aside, ...], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number, aside in enumerate(asides, 1):
        head = f"# {aside.source}: {aside.reason}\n".encode()
        (folder / f"{number:04d}.txt").write_bytes(head + aside.payload + b"\n")


def _tell(reading: Reading, basin: Basin, rows: int, out: Path | None, as_json: bool) -> None:
    stations = len(set(reading.batch.station.tolist()))
    result = {
        "basin": basin.code,
        "values": len(reading.batch),
        "stations": stations,
        "rows": rows,
        "missing": reading.missing,
        "asides": [{"source": each.source, "reason": each.reason} for each in reading.asides],
        "faults": reading.faults,
        "out": str(out) if out and rows else "",
    }
    lines = [str(each) for each in reading.faults[:SHOWN]]
    if len(reading.faults) > SHOWN:
        lines.append(f"... and {len(reading.faults) - SHOWN} faults more; --json tells them all")
    lines += [f"set aside: {each.reason}" for each in reading.asides]
    lines.append(
        f"{len(reading.batch)} values of {stations} stations, {reading.missing} missing, {len(reading.faults)} faults"
        + (f"; {rows} rows are in {out}" if out and rows else "")
    )
    say(result, "\n".join(lines), as_json=as_json)
