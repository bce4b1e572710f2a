"""`liuyu rehearse`: scenarios as files, run on a past moment or on a twin's newest, and compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import click

from liuyu.app.commands.shared import progress, say
from liuyu.app.rehearsals.base import base_of, basin_of
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.basin.package import find_basin, read_basin
from liuyu.outlook.rehearse import read_scenario, run_scenario
from liuyu.outlook.rehearse.comparing.album import write_album
from liuyu.outlook.rehearse.comparing.compare import Comparison, read_result
from liuyu.outlook.rehearse.zarr_form import write_zarr
from liuyu.twin.executor import Executor, ProcessExecutor
from liuyu.twin.executor.dask import DaskExecutor

FONT = Path(str(files("liuyu.monitor.summarise").joinpath("fonts/NotoSansSC-Regular.ttf")))


@click.group()
def rehearse() -> None:
    """Rehearse what could happen: other releases, more rain, a breach, a detention basin, a failed gate.

    `run` runs a scenario file, `compare` sets two or more results side by side.

    Example: liuyu rehearse run examples/rehearse/breach.toml --out out/breach
    """


@rehearse.command()
@click.argument("scenario_file", metavar="SCENARIO.toml", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--out", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Made if absent.")
@click.option("--basin", metavar="NAME|FOLDER", help="Instead of the basin that the file names.")
@click.option("--workers", type=click.IntRange(0), default=0, help="Processes for floods; 0 takes every core.")
@click.option("--dask", metavar="ADDRESS", help="A Dask scheduler to run floods on, as tcp://host:8786.")
@click.option("--zarr", "as_zarr", is_flag=True, help="Write the results as Zarr too.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json.")
def run(
    scenario_file: Path, folder: Path, basin: str | None, workers: int, dask: str | None, as_zarr: bool, as_json: bool
) -> None:
    """Run a scenario; write its results to DIR.

    \b
    A scenario names, in TOML, with paths relative to itself:
      name, name_en, basin, hours
      [base]        at = a moment of the archive, or store = the folder of a twin (its newest moment)
      [[release]]   reservoir, constant | delta | series (CSV of hours and m3/s), from, to
      [rain]        factor
      [[breach]]    levee, chainage_m, at, width_m, bottom_m, duration_h
      [[detention]] basin, opens, closes, inflow_m3s
      [[gate]]      gate, stuck = "closed" | "open" | share
      [[flood]]     case, station, quantity, into, offset_m, hours, output_min
      [ensemble]    members
      [impact]      layers
      [[place]]     name, position
    Times are moments, or hours after the base as numbers.

    Exit code 1 where the scenario has faults, all of them listed, or a model fails: summary.json then says "failed",
    with the cell, the time and the reason.

    Example: liuyu rehearse run examples/rehearse/breach.toml --out out/breach --json
    """
    place = basin_of(scenario_file, basin)
    setup = read_scenario(scenario_file, place)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder} cannot be made ({error.strerror}); name another folder") from None
    executor: Executor = DaskExecutor(dask) if dask else ProcessExecutor(workers)
    try:
        with (
            progress(f"rehearse {setup.head.name}", quiet=as_json) as told,
            base_of(setup, place) as (twin, outlook, store),
        ):
            result = run_scenario(setup, twin, outlook, store, folder, executor, _shares(told))
    except ModelFailed:
        click.echo(f"{folder}/summary.json says how far it came; what is there of the floods is partial", err=True)
        raise
    finally:
        executor.close()
    if as_zarr:
        write_zarr(folder, result)
    say(result, _text(result, folder), as_json=as_json)


def _shares(told: Callable[[float], None]) -> Callable[[float, Mapping[str, str]], None]:
    return lambda share, _: told(share)


def _text(result: Mapping[str, Any], folder: Path) -> str:
    """The result in a few lines: where levels change most, pools, floods and whom they reach."""
    lines = [f"{result['name']['en']}, from {result['base']}, {result['hours']} h"]
    changed = [each for each in result["gauges"] if each["quantity"] == "water_level"]
    for each in sorted(changed, key=lambda one: -abs(one["peak_change"]))[:8]:
        warning = f", {each['hours_above_warning_with']:g} h above warning" if "warning" in each else ""
        lines.append(
            f"  {each['name']['zh']} {each['name']['en']}: peak {each['peak_with']:.2f} m instead of "
            f"{each['peak_without']:.2f} m ({each['peak_change']:+.2f} m){warning}"
        )
    for each in result["reservoirs"]:
        used = each["storage_used_with_m3"] / 1e8
        lines.append(f"  {each['name']['zh']} {each['name']['en']}: pool up to {each['highest_pool_with']:.2f} m "
                     f"instead of {each['highest_pool_without']:.2f} m, {used:.2f} x 10^8 m3 filled")  # fmt: skip
    for each in result.get("floods", ()):
        lines.append(f"  flood {each['flood']}, {each['member']}: {each['flooded_area_km2']:.2f} km2, up to "
                     f"{each['maximum_depth_m']:.2f} m deep, mass error {each['mass_error']:.1e}")  # fmt: skip
        lines += [f"    {row['column']} ({row['layer']}): {row['affected']:,.6g} of {row['total']:,.6g}"
                  for row in each["impact"]]  # fmt: skip
        lines += [
            f"    river at {row['name']}: peak {row['peak']:.2f} m instead of {row['peak_held']:.2f} m, levee whole, "
            f"lower by {row['lowered_most_m']:.2f} m at most"
            for row in each["river"]
            if abs(row["lowered_most_m"]) >= 0.01
        ]
        lines += [f"    note: {note['en']}" for note in each["notes"]]
    lines += [f"  {each['en']}" for each in result["binding"]]
    return "\n".join([*lines, f"wrote {folder}"])


@rehearse.command()
@click.argument("folders", metavar="A B [C...]", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Made if absent.")
@click.option("--film", type=click.Choice(["gif", "mp4", "none"]), default="gif", show_default=True,
              help="Form of the film; mp4 needs liuyu[film].")  # fmt: skip
@click.option("--basin", metavar="NAME|FOLDER", help="Where the package of the results' basin is now.")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(folders: tuple[Path, ...], out: Path, film: str, basin: str | None, as_json: bool) -> None:
    """Set results of `run` side by side; write tables, pages, difference maps and a film to DIR.

    comparison.csv and comparison.json hold a row for each gauge, reservoir, flood, exposure layer and place, and a
    column for each scenario; the first is the river without any change where all start from one state. Pages in
    Chinese and English show the same with hydrographs, maps of each pair's difference, and a film of the first two.

    Exit code 1 where results are absent, of a scenario that failed, or of different basins.

    Example: liuyu rehearse compare out/breach out/held --out out/compared
    """
    code = str(read_result(folders[0])["basin"])
    place = read_basin(find_basin(basin or code))
    with progress("compare", quiet=as_json) as told:
        comparison = write_album(folders, out, place, font=FONT, film=film, tell=told)
    say(comparison, _table(comparison, out), as_json=as_json)


def _table(comparison: Comparison, out: Path) -> str:
    """What differs, in lines."""
    lines = ["  |  ".join(each["en"] for each in comparison.columns)]
    for row in comparison.rows:
        shown = [each for each in row.values if each is not None]
        if row.unit in ("text", "time") or len({str(each) for each in shown}) < 2:
            continue
        values = "  |  ".join("-" if each is None else f"{each:,.6g}" for each in row.values)
        lines.append(f"  {row.where['zh']} {row.where['en']}, {row.what['en']} [{row.unit}]: {values}")
    return "\n".join([*lines, *(each["en"] for each in comparison.notes), f"wrote {out}"])
