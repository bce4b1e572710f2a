"""`liuyu qc`: quality control of a file of observations."""

from __future__ import annotations

from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.quality import Summary, check_file


@click.command()
@click.option("--in", "source", required=True, type=click.Path(path_type=Path), help="Parquet or CSV of observations.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV: stcd,time,quantity,flag,test.")
@click.option("--basin", metavar="NAME|FOLDER", help="A basin whose network serves the neighbour tests.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def qc(source: Path, out: Path, basin: str | None, as_json: bool) -> None:
    """Check every value of a file, with hindsight, and write a flag and the deciding test for each.

    Flags: 1 good, 2 not evaluated, 3 suspect, 4 bad, 9 missing.

    Example: liuyu qc --in observations.parquet --out flags.csv --basin yangtze
    """
    summary = check_file(source, out, read_basin(find_basin(basin)) if basin else None)
    say(summary, _sentence(summary, out), as_json=as_json)


def _sentence(summary: Summary, out: Path) -> str:
    flags = ", ".join(f"{count:,} {name.lower().replace('_', ' ')}" for name, count in summary.flags.items() if count)
    tests = ", ".join(f"{name} {count:,}" for name, count in summary.tests.items() if count)
    return f"{summary.values:,} values: {flags}\ndecided by: {tests or 'no test'}\nflags are in {out}"
