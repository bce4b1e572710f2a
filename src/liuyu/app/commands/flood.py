"""`liuyu flood`: two-dimensional floods from case files."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from liuyu.app.commands.shared import progress, say
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.twin.flood import FlowFile, Run, read_case, write_maximum, write_summary


@click.group()
def flood() -> None:
    """Flood a terrain: the shallow water equations in two dimensions.

    Example: liuyu flood run breach.toml --out breach
    """


@flood.command()
@click.argument("case_file", metavar="CASE.toml", type=click.Path(path_type=Path))
@click.option("--out", "folder", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Made if absent.")
@click.option("--threads", type=click.IntRange(0), help="Instead of the case's; 0 takes every core.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(case_file: Path, folder: Path, threads: int | None, as_json: bool) -> None:
    """Run a case; write flow.nc, maximum.tif and summary.json to DIR.

    \b
    A case names, in TOML, with paths relative to itself:
      [grid]      terrain (GeoTIFF or ESRI ASCII, metres)
      [time]      end_s, output_s
      [initial]   depth or level, velocity_x, velocity_y   numbers or rasters
      [friction]  manning                                  number or raster
      [boundary]  west, east, north, south: "wall", "open", {stage = CSV}, {discharge = CSV}
      [[inflow]]  polygon, line or point, discharge = CSV (s, m3/s)
      [[breach]]  line or polygon, bottom, start_s, duration_s, width, level
      [[structure]]  kind, upstream, downstream, crest, width, height, opens_s, opens_level
      [rain]      mm_per_h = number, CSV or raster; infiltration_mm_per_h
      [scheme]    name = "hllc"|"inertial", order, precision, threads, device

    Exit code 1 where the case has faults, all of them listed, or the flood becomes unstable.

    Example: liuyu flood run breach.toml --out breach
    """
    case = read_case(case_file)
    flood = case.flood
    if threads is not None:
        flood = msgspec.structs.replace(flood, scheme=msgspec.structs.replace(flood.scheme, threads=threads))
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--out {folder} cannot be made ({error.strerror}); name another folder") from None
    course = Run(flood, case.end, case.output)
    with (
        FlowFile(folder / "flow.nc", case.grid, course.model.bed, case.name) as flow,
        progress(f"flood {case.name}", quiet=as_json) as told,
    ):
        try:
            for frame in course.frames(lambda now: told(now / case.end)):
                flow.add(frame)
        except ModelFailed:
            click.echo(f"{folder}/flow.nc holds the frames up to the failure", err=True)
            raise
    write_maximum(folder / "maximum.tif", course.maximum, case.grid)
    summary = course.summary
    write_summary(folder / "summary.json", summary)
    text = (
        f"{summary.end_s:g} s in {summary.steps} steps and {summary.wall_s:.2f} s, "
        f"{summary.cell_updates_per_s / 1e6:.0f} million cell updates a second on {summary.threads} threads\n"
        f"in {summary.volume_in_m3:.6g} m³, out {summary.volume_out_m3:.6g} m³, "
        f"stored {summary.volume_stored_m3:.6g} m³, mass error {summary.mass_error:.1e}; "
        f"deepest {summary.maximum_depth_m:.2f} m, "
        f"flooded {summary.flooded_area_m2 / 1e6:.3g} km²\nwrote {folder}"
    )
    say(summary, text, as_json=as_json)
