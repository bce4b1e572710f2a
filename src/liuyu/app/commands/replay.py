"""`liuyu replay`: run a course without a page."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from liuyu.app import replay as runner
from liuyu.app.choice import choose
from liuyu.app.commands.shared import configure, course_options, progress, say


@click.command()
@course_options
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the results.")
@click.option("--fresh", is_flag=True, help="Begin again, even where a killed replay could go on.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def replay(
    config_file: Path | None,
    basin: str | None,
    start: str | None,
    end: str | None,
    observations: str | None,
    out: Path,
    fresh: bool,
    as_json: bool,
) -> None:
    """Replay a period as fast as it goes and write events.jsonl, forecasts.parquet and the reports.

    The same inputs give the same bytes. A replay that was killed goes on where it stopped.

    Example: liuyu replay --basin yangtze --from 2020-07-18 --to 2020-09-30 --out out/summer-2020
    """
    config = configure(config_file, basin, start, end, observations)
    with tempfile.TemporaryDirectory() as scratch, progress("replay", quiet=as_json) as tell:
        course = choose(config, Path(scratch))
        done = runner.replay(course, out, fresh=fresh, tell=tell, storage=config.storage)
    result = {"basin": course.basin.code, "events": done.events, "forecast_rows": done.forecasts, "out": str(out)}
    text = f"{done.events} events, {done.forecasts} rows of forecasts and {len(done.files)} reports are in {out}"
    say({**result, "synthetic": course.basin.synthetic}, text, as_json=as_json)
