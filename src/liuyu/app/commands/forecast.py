"""`liuyu forecast`: forecasts from an archive, issued at any moment of it, how good they were, and training."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
import msgspec

from liuyu.app.choice import choose
from liuyu.app.commands.ensemble import ensemble
from liuyu.app.commands.shared import configure, progress, say
from liuyu.app.export import write_forecasts
from liuyu.app.run import Run
from liuyu.app.verify import Verified, trusted
from liuyu.app.verify import verify as walk_and_judge
from liuyu.basin.clock import DAY, HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.package import find_basin, read_basin, shipped_basins
from liuyu.basin.places import Basin
from liuyu.outlook.forecast import PeakScore, Profile, Reliability, Score, find_profile, reliability, score, score_peaks
from liuyu.store.sqlite import open_store
from liuyu.twin import calibrate

HISTORY_DAYS = 15
LEADS = "24,48,72,120,168"


@click.group()
def forecast() -> None:
    """Issue forecasts, and verify them.

    `issue` makes one from an archive at any moment of it, `verify` walks a whole period and scores what would have been
    issued, `train` learns a basin's model from an archive.

    Example: liuyu forecast verify --observations season.parquet --from 2021-05-01 --to 2021-10-31 --out table.csv
    """


forecast.add_command(ensemble)


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


@forecast.command()
@click.option(
    "--observations",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parquet or CSV with the archive's columns; faults in it are found as the live loop finds them.",
)
@click.option("--from", "start", required=True, metavar="TIME", help="First issue, in the basin's time zone.")
@click.option("--to", "end", required=True, metavar="TIME", help="Last issue; a date means the whole day.")
@click.option("--stations", metavar="CODES", help="Codes or names, parted by commas; all that are forecast without it.")
@click.option("--leads", default=LEADS, show_default=True, metavar="HOURS", help="Leads in hours, parted by commas.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV: a row for each series and lead.")
@click.option("--step", default=1, show_default=True, type=click.IntRange(1, 168), help="Hours between issues.")
@click.option("--basin", metavar="NAME|FOLDER", help="A shipped basin or a folder; else the one with these stations.")
@click.option(
    "--reliability",
    "spread",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write coverage, CRPS skill and rank histogram as CSV.",
)
@click.option(
    "--peaks",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write how peaks were met, height and time together, as CSV.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write the same table with a column `model`: the forecast, and each model that it is combined of.",
)
@click.option("--grading", default="", metavar="NAME", help="Edition of the grading standard; else the one in force.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def verify(
    observations: Path, start: str, end: str, stations: str | None, leads: str, out: Path, step: int,
    basin: str | None, spread: Path | None, peaks: Path | None, models: Path | None, grading: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Walk a period, issue a forecast at each step from what was known, and score them all.

    Scores are those of the members' mean beside what was then observed and quality control trusts, and of the last
    value at issue (persistence). Model parameters come from the basin package. bias = forecast - observed;
    skill = 1 - (rmse / rmse_persistence)^2; dc = nse; qr and grade after GB/T 22482; crps of the members. An issue
    counts for a series that reported within the six hours before it.

    Example: liuyu forecast verify --observations season.parquet --from 2021-05-01 --to 2021-10-31 --stations
    60112200,60113400 --leads 24,72,168 --out table.csv
    """
    profile = find_profile(grading)
    wanted = [each.strip() for each in (stations or "").split(",") if each.strip()]
    place = read_basin(find_basin(basin)) if basin else _basin_of(wanted)
    codes = _codes(place, wanted) or [each.code for each in place.stations]
    first, last = _period(place, start, end)
    with progress("forecasting again", quiet=as_json) as tell:
        found = walk_and_judge(place, observations, first, last, codes, _leads(leads), step, tell)
    silent = [each for each in codes if wanted and each not in {code for code, _ in found.walk.targets}]
    if silent:
        click.echo(f"liuyu: the model of {place.code} does not forecast {', '.join(silent)}; left out", err=True)
    judged = [each for each in found.judged() if len(each.observed) or each.quantity == "water_level"]
    rows = [score(each, profile) for each in judged]
    write_rows(out, Score, rows)
    if spread:
        write_rows(spread, Reliability, [reliability(each) for each in judged])
    if models:
        _write_models(models, found, rows, profile)
    if peaks:
        write_rows(peaks, PeakScore, score_peaks(found.peaks(profile)))
    _report(found, rows, profile.name, out, as_json)


@forecast.command()
@click.option(
    "--observations",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Parquet or CSV with the archive's columns, several seasons of it.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="The model's files are written here; a package reads them beside its network file.",
)
@click.option(
    "--basin", default="yangtze", show_default=True, metavar="NAME|FOLDER", help="A shipped basin or a folder."
)
@click.option(
    "--network",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Network with the periods to train on and to hold out; else the package's.",
)
def train(observations: Path, out: Path, basin: str, network: Path | None) -> None:
    """Train a basin's model from an archive: network, regressions, data-driven model, spread and skill.

    It learns from what quality control trusts, in the periods `train` of the network file; scores come from
    `held_out`, or from years forecast by the others.

    Example: liuyu forecast train --observations archive.parquet --basin yangtze --out basins/yangtze/model
    """
    place = read_basin(find_basin(basin))
    if not observations.is_file():
        raise NotFound(f"there is no file {observations}; give the path of a Parquet or CSV file of observations")
    found = calibrate(place, trusted(observations, place), out, network=network, say=click.echo)
    rows = [f"  {each.station} {each.quantity} {each.lead_h} h: rmse {each.rmse:.4g}, persistence "
            f"{each.rmse_persistence:.4g}, coverage of the 80 % interval {each.coverage_80:.0%}"
            for each in found.skill]  # fmt: skip
    click.echo("\n".join([*rows, f"model {found.model.name}@{found.digest} is in {out}"]))


def _basin_of(wanted: Sequence[str]) -> Basin:
    """The shipped basin that has all of the stations, the flagship first. Raises NotFound."""
    for name in ("yangtze", *(each for each in shipped_basins() if not each.startswith("zoo/"))):
        place = read_basin(find_basin(name))
        known = {word for each in place.stations for word in (each.code, each.name, each.name_en)}
        if known.issuperset(wanted):
            return place
    raise NotFound(f"no shipped basin has all of the stations {', '.join(wanted)}; name yours with --basin")


def _codes(place: Basin, wanted: Sequence[str]) -> list[str]:
    """Codes of stations given by code or by name. Raises NotFound for one that the basin does not have."""
    code = {word: each.code for each in place.stations for word in (each.name_en, each.name, each.code)}
    unknown = [each for each in wanted if each not in code]
    if unknown:
        raise NotFound(f"basin {place.code} has no station {', '.join(unknown)}; see its stations.csv")
    return list(dict.fromkeys(code[each] for each in wanted))


def _period(place: Basin, start: str, end: str) -> tuple[int, int]:
    first, last = epoch(parse_time(start, place.zone)), epoch(parse_time(end, place.zone))
    if len(end.strip()) == len("2021-10-31"):
        last += DAY - HOUR
    if last < first:
        raise BadInput(f"the period ends at {end}, before it begins at {start}; swap --from and --to")
    return first, last


def _leads(text: str) -> list[int]:
    try:
        found = [int(each) for each in text.split(",") if each.strip()]
    except ValueError:
        found = []
    if not found:
        raise BadInput(f"leads {text!r} are no hours; write them as {LEADS}")
    return list(dict.fromkeys(found))


def _write_models(file: Path, found: Verified, rows: Sequence[Score], profile: Profile) -> None:
    """The table of the forecast, then of each model that it is combined of, with the model's name first."""
    tables = {found.walk.model: rows}
    for name in found.walk.parts:
        tables[name] = [score(each, profile) for each in found.judged(name) if len(each.observed)]
    fields = Score.__struct_fields__
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["model", *fields])
        for name, table in tables.items():
            writer.writerows([[name, *(_cell(getattr(row, each)) for each in fields)] for row in table])


def write_rows(file: Path, kind: type[msgspec.Struct], rows: Sequence[msgspec.Struct]) -> None:
    """Records as CSV, a column for each field; numbers to six digits, blank where there is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(kind.__struct_fields__)
        writer.writerows([[_cell(getattr(row, each)) for each in kind.__struct_fields__] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_cell, value))
    return f"{value:.6g}" if isinstance(value, float) else "" if value is None else str(value)


def _report(found: Verified, rows: Sequence[Score], grading: str, out: Path, as_json: bool) -> None:
    walk = found.walk
    lines = [f"{'station':<12}{'quantity':<20}{'lead':>6}{'n':>7}{'rmse':>10}{'persist.':>10}{'QR':>7}{'DC':>7}  grade"]
    for each in rows:
        if each.rmse is not None and each.rmse_persistence is not None:
            digits = 3 if each.quantity == "water_level" else 0
            lines.append(
                f"{each.stcd:<12}{each.quantity:<20}{each.lead_h:>4} h{each.n:>7}{each.rmse:>10.{digits}f}"
                f"{each.rmse_persistence:>10.{digits}f}{each.qr or 0:>6.1f}%{each.dc or 0:>7.3f}  {each.grade}"
            )
    lines.append(
        f"{len(walk.issued)} forecasts of {walk.model}, {walk.failed} hours without one; graded after {grading}; "
        f"the table is in {out}"
    )
    result = {"model": walk.model, "issues": len(walk.issued), "failed": walk.failed, "rows": len(rows),
              "grading": grading, "out": str(out)}  # fmt: skip
    say(result, "\n".join(lines), as_json=as_json)
