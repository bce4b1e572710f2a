"""`liuyu channel`: rivers in one dimension, from folders of CSV files."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import click
import msgspec
import numpy as np
from msgspec.structs import replace

from liuyu.app.commands.shared import progress, say
from liuyu.basin import bundle
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.twin.channel import ChannelModel, Network, Reach, read_network, refine, series_names
from liuyu.twin.channel.check import check_folder
from liuyu.twin.channel.drivers import Drivers, Hourly, drive, read_drivers
from liuyu.twin.channel.gauges import GaugePlace, gauges_of, read_gauges
from liuyu.twin.channel.model import Course
from liuyu.twin.channel.record import read_hourly
from liuyu.twin.channel.scour import in_year, read_scour, year_of
from liuyu.twin.channel.start import Profile, from_gauges, read_start, settle
from liuyu.twin.channel.write import Summary, write_gauges, write_river
from liuyu.twin.flood.problem import Floats, Series

HOUR = 3600.0
THETA = 0.8


@click.group()
def channel() -> None:
    """Run a river in one dimension: Saint-Venant over a network of reaches, lakes, dams and gates.

    Example: liuyu channel run basins/yangtze/channel --from 2023-06-01 --to 2023-08-30 --out out/2023
    """


@channel.command()
@click.argument("folder", metavar="NETWORK_FOLDER", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
@click.pass_context
def check(context: click.Context, folder: Path, as_json: bool) -> None:
    """Find every fault of a network's folder at once, by file and line.

    Exit code 1 where there is any.

    Example: liuyu channel check basins/yangtze/channel
    """
    faults, counts = check_folder(folder)
    lines = [str(each) for each in faults]
    words = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    lines.append(f"{folder}: {len(faults)} faults" + (f"; {words}" if words and not faults else ""))
    say({"folder": str(folder), "faults": faults, "counts": counts}, "\n".join(lines), as_json=as_json)
    context.exit(1 if faults else 0)


@channel.command()
@click.argument("folder", metavar="NETWORK_FOLDER", type=click.Path(path_type=Path))
@click.option("--from", "start", required=True, metavar="TIME", help="Start, in the basin's time zone, else UTC.")
@click.option("--to", "end", required=True, metavar="TIME", help="End; a date means the whole day.")
@click.option("--out", required=True, metavar="DIR", type=click.Path(path_type=Path), help="Made if absent.")
@click.option("--observations", metavar="FILE", type=click.Path(path_type=Path), help="Archive that drives it.")
@click.option("--basin", metavar="FOLDER", type=click.Path(path_type=Path), help="Basin package; else the one around.")
@click.option("--step", default=3600.0, show_default=True, metavar="S", help="Step; accuracy alone asks for less.")
@click.option("--every", default=1, show_default=True, type=click.IntRange(1), help="Keep each n-th step.")
@click.option("--spacing", default=1800.0, show_default=True, metavar="M", help="Most between two sections.")
@click.option("--spin-up", default=5.0, show_default=True, metavar="DAYS", help="Days of the first flows before.")
@click.option("--state", metavar="FILE", type=click.Path(path_type=Path), help="Begin from a state.npz instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def run(
    folder: Path, start: str, end: str, out: Path, observations: Path | None, basin: Path | None, step: float,
    every: int, spacing: float, spin_up: float, state: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """March a network through a period.

    \b
    What drives it is named in boundaries.csv, structures.csv and laterals.csv:
      NAME.csv   a file of seconds since --from and values, in the folder
      NAME       a series that drivers.toml makes from gauges: of --observations,
                 or of the archive of the basin package around the folder
    DIR gets gauges.csv (time, gauge, station, level_m, discharge_m3s), river.nc (CF: time, section),
    state.npz to go on from, and summary.json (volumes, their error, seconds, error at each gauge).
    Without --state it begins from the levels of the gauges (or start.csv), held for --spin-up days.

    Exit code 1 where the folder has faults, all of them listed, or the march fails: place, time and reason are told.

    Example: liuyu channel run basins/yangtze/channel --from 2023-06-01 --to 2023-08-30 --out out/2023
    """
    if not (step > 0.0 and spacing > 0.0 and spin_up >= 0.0):
        raise BadInput("--step and --spacing must be above 0, --spin-up not below 0")
    owner = _basin(folder, basin)
    period = _period(start, end, owner)
    hours = int(np.ceil((period[1] - period[0]).total_seconds() / HOUR))
    drivers = read_drivers(folder)
    hourly = _hourly(drivers, read_gauges(folder), owner, observations, period[0], hours)
    network = _network(folder, drivers, hourly, spacing, period[0])
    out.mkdir(parents=True, exist_ok=True)
    began, clock = time.process_time(), time.perf_counter()
    model = ChannelModel(network, step=step, theta=THETA)
    if state is not None:
        model.restore(state)
        model.time = 0.0
        model.refill()  # the books of this run begin here
    else:
        model.begin(settle(network, _profile(folder, network, hourly), spin_up))
    with progress(f"river {folder.name}", quiet=as_json) as tell:
        course = _march(model, hours * HOUR, every, tell)
    spent = time.process_time() - began, time.perf_counter() - clock
    gauges = gauges_of(folder, model)
    write_gauges(out / "gauges.csv", course, gauges, period[0])
    write_river(out / "river.nc", model, course, period[0], f"{folder.parent.name} {folder.name}")
    model.save(out / "state.npz")
    errors = {each.place.name: _error(each.level(course.level), course, hourly, each.place) for each in gauges}
    summary = _summary(model, period, step, spin_up if state is None else 0.0, spent, errors)
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    say(summary, _sentence(summary, out), as_json=as_json)


def _basin(folder: Path, given: Path | None) -> Basin | None:
    """The basin package named, or the one that the folder lies in; None where there is none."""
    if given is not None:
        return read_basin(given)
    around = folder.resolve().parent
    return read_basin(around) if (around / "basin.toml").exists() else None


def _period(start: str, end: str, owner: Basin | None) -> tuple[datetime, datetime]:
    zone = owner.zone if owner is not None else ZoneInfo("UTC")
    first, last = parse_time(start, zone), parse_time(end, zone)
    if len(end.strip()) == 10:
        last += timedelta(days=1)
    if last <= first:
        raise BadInput(f"--to {end} is not after --from {start}; put the later one at --to")
    return first.astimezone(zone), last.astimezone(zone)


def _hourly(
    drivers: Drivers | None, places: tuple[GaugePlace, ...], owner: Basin | None, observations: Path | None,
    start: datetime, hours: int,
) -> Hourly:  # fmt: skip
    """The record of the gauges that drive the network, and of those along it where the file has them."""
    if drivers is None:
        return {}
    file = observations
    if file is None:
        if owner is None or not owner.archive:
            raise BadInput("drivers.toml needs gauges, and no archive is named; give --observations FILE")
        own = Path(owner.folder) / owner.archive
        file = own if own.exists() else bundle.bundle_file(owner.archive)
    if not file.exists():
        raise BadInput(f"--observations {file} is not there; name a Parquet or CSV file")
    offset = start.utcoffset() or timedelta()
    first = int(start.timestamp())
    seconds = int(offset.total_seconds())
    hourly = read_hourly(file, drivers.keys, first, hours + 1, seconds)
    along = [(each.station, "water_level") for each in places if each.station]
    more = [key for key in along if key not in hourly]
    return {**read_hourly(file, more, first, hours + 1, seconds, whole=False), **hourly}


def _network(folder: Path, drivers: Drivers | None, hourly: Hourly, spacing: float, start: datetime) -> Network:
    """The network as its beds are at the start, with its series."""
    upstream, downstream = series_names(folder)
    spare = {name: Series.constant(0.0) for name in (*upstream, *downstream)} if drivers is not None else {}
    still = in_year(read_network(folder, spare), read_scour(folder), year_of(start.timestamp()))
    still = replace(still, reaches=tuple(_finer(each, spacing) for each in still.reaches))
    if drivers is None:
        return still
    network = read_network(folder, drive(drivers, hourly, still))
    return replace(network, reaches=still.reaches)


def _finer(reach: Reach, spacing: float) -> Reach:
    """Sections between those given, where all have as many points; else the reach as it is."""
    return refine(reach, spacing) if len({len(each.station) for each in reach.sections}) == 1 else reach


def _profile(folder: Path, network: Network, hourly: Hourly) -> Profile:
    first = {station: float(values[0]) for (station, quantity), values in hourly.items() if quantity == "water_level"}
    return from_gauges(network, read_gauges(folder), first, read_start(folder))


def _march(model: ChannelModel, seconds: float, every: int, tell: Callable[[float], None]) -> Course:
    """March in some twenty pieces, so that the bar moves; what is noted is the same as in one."""
    steps = round(seconds / model.step)
    if abs(steps * model.step - seconds) > 1e-6 * seconds:
        raise BadInput(
            f"--step {model.step:g} s does not divide the period of {seconds:g} s; take 3600 or a part of it"
        )
    piece = max(steps // 20 // every, 1) * every
    done: list[Course] = []
    for first in range(0, steps, piece):
        last = min(first + piece, steps)
        if last - first >= every:
            done.append(model.advance(last * model.step, every))
        else:
            model.advance(last * model.step)
        tell(last / steps)
    if not done:
        raise BadInput(f"--every {every} keeps no step of {steps}; take a smaller number")
    return Course(*(np.concatenate([getattr(each, name) for each in done]) for name in ("time", "level", "discharge")))


def _error(levels: Floats, course: Course, hourly: Hourly, place: GaugePlace) -> dict[str, float | str | None]:
    """How a gauge's levels stand against its record: bias and root mean square [m], none where it has no record."""
    seen = hourly.get((place.station, "water_level"))
    found: dict[str, float | str | None] = {
        "station": place.station, "highest_m": round(float(levels.max()), 3), "bias_m": None, "rms_m": None
    }  # fmt: skip
    if seen is not None:
        apart = levels - np.interp(course.time, HOUR * np.arange(len(seen)), seen)
        found["bias_m"] = round(float(apart.mean()), 3)
        found["rms_m"] = round(float(np.sqrt(np.mean(apart**2))), 3)
    return found


def _summary(
    model: ChannelModel, period: tuple[datetime, datetime], step: float, spin_up: float, spent: tuple[float, float],
    errors: dict[str, dict[str, float | str | None]],
) -> Summary:  # fmt: skip
    books, reaches = model.balance, model.network.reaches
    sections = [each for reach in reaches for each in reach.sections]
    return Summary(
        start=period[0], end=period[0] + timedelta(seconds=model.time), step_s=step, steps=round(model.time / step),
        reaches=len(reaches), sections=len(sections),
        length_km=round(sum(each.sections[-1].chainage - each.sections[0].chainage for each in reaches) / 1000.0, 3),
        synthetic_sections=sum(each.synthetic for each in sections), spin_up_days=spin_up,
        processor_s=round(spent[0], 3), wall_s=round(spent[1], 3), volume_start_m3=books.start,
        volume_stored_m3=books.stored, volume_in_m3=books.inflow, volume_out_m3=books.outflow,
        volume_error_m3=books.error, volume_error=books.relative_error, gauges=errors,
    )  # fmt: skip


def _sentence(summary: Summary, out: Path) -> str:
    lines = [
        f"{summary.start:%Y-%m-%d %H:%M} to {summary.end:%Y-%m-%d %H:%M}, "
        f"{summary.steps} steps of {summary.step_s:g} s, "
        f"{summary.sections} sections over {summary.length_km:g} km ({summary.synthetic_sections} synthetic), "
        f"{summary.processor_s:.1f} s of processor time",
        f"in {summary.volume_in_m3:.6g} m³, out {summary.volume_out_m3:.6g} m³, "
        f"stored {summary.volume_stored_m3:.6g} m³, volume error {summary.volume_error:.1e}",
    ]
    for name, each in summary.gauges.items():
        against = "no record" if each["rms_m"] is None else f"bias {each['bias_m']:+.2f} m, rms {each['rms_m']:.2f} m"
        lines.append(f"{name} {each['station']}: highest {each['highest_m']:.2f} m, {against}")
    return "\n".join([*lines, f"wrote {out}"])
