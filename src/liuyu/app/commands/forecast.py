"""`liuyu forecast`: a forecast from an archive, at any moment of it."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

import click

from liuyu.app.choice import choose
from liuyu.app.commands.shared import configure, progress, say
from liuyu.app.export import write_forecasts
from liuyu.app.run import Run
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.package import find_basin, read_basin
from liuyu.store.sqlite import open_store

HISTORY_DAYS = 15


@click.group()
def forecast() -> None:
    """Issue forecasts.

    Example: liuyu forecast issue --basin yangtze --at 2020-08-17T14:00 --out out/forecast.parquet
    """


@forecast.command()
@click.option("--basin", required=True, metavar="NAME|FOLDER", help="A shipped basin, or a package's folder.")
@click.option("--at", required=True, metavar="TIME", help="The moment of issue, in the basin's time zone.")
@click.option("--observations", metavar="FILE", help="Parquet or CSV with the archive's columns.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Parquet: quantiles by station and time.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def issue(basin: str, at: str, observations: str | None, out: Path, as_json: bool) -> None:
    """Issue one forecast for every station, from what was known at a moment and nothing later.

    Example: liuyu forecast issue --basin yangtze --at 2020-08-17T14:00 --out out/forecast.parquet
    """
    place = read_basin(find_basin(basin))
    now = epoch(parse_time(at, place.zone))
    later = moment(now + HOUR).isoformat()  # a course needs an end; only what comes before its start is taken
    config = configure(None, basin, at, later, observations, warm_up_days=HISTORY_DAYS)
    with tempfile.TemporaryDirectory() as scratch, closing(open_store(Path(scratch) / "store")) as store:
        run = Run(choose(config, Path(scratch)), store)
        with progress("checking the days before", quiet=as_json) as tell:
            for share in run.warm_up():
                tell(share)
        forecasts = run.pipeline.issue(now)
        store.put_forecasts(forecasts)
        rows = write_forecasts(store, now, now + 1, place, out)
    result = {"basin": place.code, "issued": forecasts[0].issued, "stations": len({each.station for each in forecasts})}
    say(
        {**result, "rows": rows, "out": str(out)},
        f"{rows} rows for {result['stations']} stations are in {out}",
        as_json=as_json,
    )
