"""`liuyu forecast ensemble`: rainfall members through land and rivers to a forecast of every station."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import click
import msgspec
import numpy as np

from liuyu.app.choice import choose
from liuyu.app.commands.shared import configure, progress, say
from liuyu.app.export import write_forecasts
from liuyu.app.run import Run
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast
from liuyu.store.sqlite import open_store

HISTORY_DAYS = 15


@click.command()
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="A package whose model has a land.toml.")
@click.option("--at", required=True, metavar="TIME", help="The moment of issue, in the basin's time zone.")
@click.option(
    "--rain",
    required=True,
    type=click.Path(path_type=Path),
    help="File of members (.csv .nc .zarr .grib), or a folder.",
)
@click.option("--past", type=click.Path(path_type=Path), help="File of the rain before, which fills the stores.")
@click.option("--observations", metavar="FILE", help="Parquet or CSV with the archive's columns.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Parquet: quantiles by station and time.")
@click.option("--members", type=click.Path(path_type=Path), metavar="FILE", help="Also write every member as NetCDF.")
@click.option(
    "--spread",
    type=click.Choice(["rain", "errors", "both"]),
    default="both",
    show_default=True,
    help="What makes the spread: rain members, past errors, or both.",
)
@click.option("--variable", default="", metavar="NAME", help="The rain in the file, where its name is unusual.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def ensemble(
    basin: str, at: str, rain: Path, past: Path | None, observations: str | None, out: Path, members: Path | None,
    spread: str, variable: str, as_json: bool,
) -> None:  # fmt: skip
    """Issue one forecast from rainfall members: through each sub-basin's land, down the rivers, met to the gauges.

    In the running twin `[outlook] rain = "FOLDER"` does the same at each issue, with the members that were put there
    last.

    Example: liuyu forecast ensemble --basin qingxi --at 2021-07-05T08:00 --rain members.nc --past past.nc
    --out out/forecast.parquet
    """
    place = read_basin(find_basin(basin))
    now = epoch(parse_time(at, place.zone))
    for path in (rain, past):
        if path is not None and not path.exists():
            raise BadInput(f"there is no file {path}; give rainfall as .csv, .nc, .zarr or .grib")
    config = configure(None, basin, at, moment(now + HOUR).isoformat(), observations, warm_up_days=HISTORY_DAYS)
    told = {"rain": str(rain), "rain_past": str(past or ""), "rain_spread": spread, "rain_name": variable}
    config = msgspec.structs.replace(config, outlook=msgspec.structs.replace(config.outlook, **told))
    with tempfile.TemporaryDirectory() as scratch, closing(open_store(Path(scratch) / "store")) as store:
        run = Run(choose(config, Path(scratch)), store)
        with progress("checking the days before", quiet=as_json) as tell:
            for share in run.warm_up():
                tell(share)
        forecasts = run.pipeline.issue(now)
        note = forecasts[0].drivers["rain"]
        if not note["members"]:
            raise BadInput(
                f"{note['why']['en']}; give members that begin at {moment(now).isoformat()} or up to a day before"
            )
        store.put_forecasts(forecasts)
        rows = write_forecasts(store, now, now + 1, place, out)
    if members is not None:
        _write_members(members, forecasts)
    result = {
        "basin": place.code,
        "issued": forecasts[0].issued,
        "stations": len({each.station for each in forecasts}),
        "members": len(forecasts[0].members),
        "rain": note,
        "rows": rows,
        "out": str(out),
    }
    words = (
        f"{result['members']} members for {result['stations']} stations from {note['members']} members of rain in "
        f"{note['file']}, which covers {note['hours']} h; {rows} rows are in {out}"
    )
    say(result, words, as_json=as_json)


def _write_members(path: Path, forecasts: Sequence[Forecast]) -> None:
    """Every member as NetCDF: a variable for each quantity, (station, member, time), NaN where a station has none."""
    import xarray as xr  # noqa: PLC0415 - slow to load

    quantities = list(dict.fromkeys(each.quantity for each in forecasts))
    stations = list(dict.fromkeys(each.station for each in forecasts))
    shape = (len(stations), *forecasts[0].members.shape)
    data = {}
    for name in quantities:
        values = np.full(shape, np.nan)
        for each in forecasts:
            if each.quantity == name:
                values[stations.index(each.station)] = each.members
        data[name] = (("station", "member", "time"), values, {"units": quantity(name).unit})
    time = forecasts[0].time.astype("datetime64[s]")
    coords = {"station": stations, "member": np.arange(shape[1]), "time": time}
    path.parent.mkdir(parents=True, exist_ok=True)
    xr.Dataset(data, coords=coords, attrs={"issued": forecasts[0].issued.isoformat()}).to_netcdf(path)
