"""The basin's plain, joined to its river in one dimension, under a scenario: what is given to it, and its run."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import ModelFailed
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.flooding.draw import Canvas
from liuyu.outlook.rehearse.flooding.floods import (
    MEDIAN,
    FloodDone,
    Sight,
    arrivals_of,
    first_water,
    flooded_km2,
    keep,
    kept_already,
    mark,
)
from liuyu.outlook.rehearse.flooding.ground import WGS84
from liuyu.outlook.rehearse.flooding.impact import impact_of
from liuyu.outlook.rehearse.flooding.pictures import draw_results
from liuyu.outlook.rehearse.places import length_m, plain_of
from liuyu.outlook.rehearse.read import seconds_of
from liuyu.outlook.rehearse.river import Futures, chosen_members
from liuyu.outlook.rehearse.scenario import Setup
from liuyu.store.interface import Store
from liuyu.twin.channel import ChannelState
from liuyu.twin.channel.ahead import Ahead, ahead
from liuyu.twin.executor import tell
from liuyu.twin.plain import Breach, Opening, PlainChange, PlainPackage, read_plain, run_plain, write_layers

Floats = NDArray[np.float64]
Series = Mapping[str, tuple[Floats, Floats]]


class PlainJob(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one run of the plain needs; picklable. `held` are the levels [m] at each gauge of the river while
    its levees hold, by station; `errors` by how much the model stands above each gauge now [m]."""

    label: str
    flood: str
    member: int
    folder: str
    base: int
    package: str
    state: ChannelState
    upstream: dict[str, tuple[Floats, Floats]]
    downstream: dict[str, tuple[Floats, Floats]]
    change: PlainChange
    seconds: float
    output_s: float
    held: dict[str, Floats]
    errors: dict[str, float]
    digest: str
    sights: tuple[Sight, ...] = ()
    layers: tuple[str, ...] = ()


def wants_plain(setup: Setup, basin: Basin) -> bool:
    """Whether a scenario needs the plain: it is asked for, or a breach, basin or gate is in it."""
    package = plain_of(basin)
    if package is None or (setup.plain is not None and not setup.plain.run):
        return False
    if setup.plain is not None:
        return True
    return (
        any(package.levee(each.levee) for each in setup.breaches)
        or any(package.detention(each.basin) for each in setup.detentions)
        or any(package.detention(each.gate) or each.gate in package.structures for each in setup.gates)
    )


def plain_jobs(setup: Setup, futures: Futures, store: Store, folder: Path) -> list[PlainJob]:
    """The runs of the plain: the median of the river's futures, and so many members as are asked for."""
    basin, package = futures.twin.basin, plain_of(futures.twin.basin)
    assert package is not None
    members = [MEDIAN]
    if setup.ensemble.members:
        gauge = _control(futures)
        members += sorted(chosen_members(futures, gauge, "water_level", setup.ensemble.members))
    rows = {target: row for row, target in enumerate(futures.twin.targets)}
    given = {key: np.stack([_line(futures, row, each) for each in members]) for key, row in rows.items()}
    river = ahead(
        basin, store, futures.now, len(members), reaches=package.reaches, spacing=package.coupling.spacing_m,
        futures=given,
    )  # fmt: skip
    change = change_of(setup, futures, package)
    return [_job(setup, futures, folder, package, river, change, place, each) for place, each in enumerate(members)]


def _line(futures: Futures, row: int, member: int) -> Floats:
    line: Floats = futures.median_changed[row] if member == MEDIAN else futures.changed[row, member]
    return line


def _control(futures: Futures) -> str:
    """The gauge by whose peak members are chosen: the first of the main ones with a level that is no reservoir's."""
    basin = futures.twin.basin
    levels = [code for code, name in futures.twin.targets if name == "water_level"]
    rivers = [code for code in levels if code not in basin.reservoir_by_station]
    return min(rivers, key=lambda code: (basin.station_by_code[code].rank, levels.index(code)))


def _job(
    setup: Setup, futures: Futures, folder: Path, package: PlainPackage, river: Ahead, change: PlainChange, place: int,
    member: int,
) -> PlainJob:  # fmt: skip
    label = "median" if member == MEDIAN else f"member {member}"
    gauges = river.gauges
    return PlainJob(
        label=f"scenario {setup.head.name!r}, plain {package.code}, {label}",
        flood=package.code,
        member=member,
        folder=str(folder / "floods" / package.code / label.replace(" ", "-")),
        base=futures.now,
        package=package.folder,
        state=river.state,
        upstream={name: each for name, each in river.flows(place).items() if name in package.upstream},
        downstream={name: each for name, each in river.levels(place).items() if name in package.downstream},
        change=change,
        seconds=float(futures.hours * HOUR),
        output_s=(setup.plain.output_min if setup.plain else 60.0) * 60.0,
        held={each.station: each.level[place][: futures.hours] for each in gauges.values()},
        errors={each.station: each.error for each in gauges.values()},
        digest=f"{setup.digest}-{futures.inputs}-{futures.hours}-{member}",
        sights=tuple(Sight(name=each.name, name_en=each.name_en, position=each.position) for each in setup.places)
        or towns_of(package),
        layers=tuple(str((Path(setup.folder) / each).resolve()) for each in setup.impact.layers),
    )


def change_of(setup: Setup, futures: Futures, package: PlainPackage) -> PlainChange:
    """What of a scenario changes the plain. Chainages of its levees are told along the levee, the plain's along the
    reach."""
    basin, now = futures.twin.basin, futures.now
    breaches = []
    for each in setup.breaches:
        levee = package.levee(each.levee)
        if levee is not None:
            along = each.chainage_m / length_m(package, each.levee)
            breaches.append(
                Breach(
                    levee=each.levee,
                    chainage_m=levee.start_m + along * (levee.end_m - levee.start_m),
                    start_s=float(seconds_of(each.at, now, basin) - now),
                    width_m=each.width_m,
                    bottom_m=each.bottom_m,
                    duration_s=each.duration_h * HOUR,
                )
            )
    openings = [
        Opening(
            each.basin,
            float(seconds_of(each.opens, now, basin) - now),
            None if each.closes is None else float(seconds_of(each.closes, now, basin) - now),
        )
        for each in setup.detentions
        if package.detention(each.basin)
    ]
    known = {*(each.code for each in package.detention_basins), *package.structures}
    return PlainChange(
        breaches=tuple(breaches),
        openings=tuple(openings),
        failed_gates=tuple(each.gate for each in setup.gates if each.gate in known),
    )


def towns_of(package: PlainPackage) -> tuple[Sight, ...]:
    """The towns of a plain as places whose arrival is told."""
    if not package.towns or not package.grid.reference:
        return ()
    x, y = [each[2] for each in package.towns], [each[3] for each in package.towns]
    lon, lat = transform(package.grid.reference, WGS84, x, y)
    return tuple(
        Sight(name=each[0], name_en=each[1], position=(east, north))
        for each, east, north in zip(package.towns, lon, lat, strict=True)
    )


def run_plain_job(job: PlainJob) -> FloodDone:
    """Run it in a worker, or take what an earlier run of the same work has left. Raises BadInput, ModelFailed."""
    folder = Path(job.folder)
    found = kept_already(folder, job.digest)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    package = read_plain(Path(job.package))
    try:
        result = run_plain(
            package, upstream=job.upstream, downstream=job.downstream, initial=job.state, change=job.change,
            seconds=job.seconds, output_s=job.output_s, out=folder, tell=lambda share, _: tell(0.9 * share),
        )  # fmt: skip
    except ModelFailed as error:
        if (folder / "flow.nc").exists():
            mark(folder / "flow.nc", job.base, f"failed: {error}")
        raise
    mark(folder / "flow.nc", job.base, "complete")
    begins = [each.start_s for each in job.change.breaches] + [each.start_s for each in job.change.openings]
    pictures = draw_results(folder, lambda share: tell(0.9 + 0.08 * share), since=min(begins, default=0.0))
    river = first_water(folder / "flow.nc")
    written = write_layers(package, folder.parent / "exposure")
    layers = [Path(each) for each in job.layers] or [written[each.code] for each in package.exposure]
    maximum, grid, books = result.maximum, package.grid, result.books
    done = FloodDone(
        digest=job.digest,
        flood=job.flood,
        member=job.member,
        title=f"{package.name} {package.name_en}",
        flooded_area_km2=flooded_km2(maximum, grid, river),
        maximum_depth_m=float(np.nanmax(maximum.depth)),
        maximum_speed_m_s=float(np.nanmax(maximum.speed)),
        volume_in_m3=books.exchanged,
        volume_stored_m3=books.plain_stored,
        mass_error=books.relative_error,
        wall_s=0.0,
        arrivals=arrivals_of(maximum, grid, job.sights),
        impact=tuple(impact_of(maximum, grid, layers, river)),
        pictures=pictures,
        case=package.code,
        notes=(dict(package.note),) if package.synthetic else (),
        river=tuple(_gauges(result.hydrographs, job)),
    )
    keep(folder, done)
    return done


def _gauges(hydrographs: Mapping[str, Any], job: PlainJob) -> list[dict[str, Any]]:
    """At each gauge of the river its peak [m] with the levees holding and with what happens on the plain."""
    rows = []
    by_name = _stations(job)
    for name, each in hydrographs.items():
        station = by_name.get(name, "")
        if station not in job.held:
            continue
        level = each.level - job.errors[station]
        held = job.held[station]
        hours = np.interp((1 + np.arange(len(held))) * HOUR, each.time, level)
        lowered = held - hours
        most = int(np.argmax(lowered))
        rows.append({
            "station": station,
            "name": name,
            "peak_held": round(float(held.max()), 3),
            "peak": round(float(hours.max()), 3),
            "lowered_most_m": round(float(lowered[most]), 3),
            "lowered_most_time": moment(job.base + (most + 1) * HOUR).isoformat().replace("+00:00", "Z"),
        })  # fmt: skip
    return rows


def _stations(job: PlainJob) -> dict[str, str]:
    """Station of each gauge of the network, from gauges.csv."""
    with (Path(job.folder) / "gauges.csv").open(encoding="utf-8", newline="") as stream:
        return {row["gauge"]: row["station"] for row in csv.DictReader(stream)}


def plain_options(basin: Basin) -> tuple[dict[str, Any] | None, list[dict[str, Any]], list[dict[str, Any]]]:
    """What a page shows of the plain: itself, its levees and its detention basins, as longitudes and latitudes."""
    package = plain_of(basin)
    if package is None:
        return None, [], []
    bounds = Canvas(package.grid).bounds
    plain = {
        "code": package.code,
        "name": {"zh": package.name, "en": package.name_en},
        "note": dict(package.note),
        "synthetic": package.synthetic,
        "bounds": None if bounds is None else [round(each, 6) for each in bounds],
    }
    levees = [
        {"code": each.code, "name": {"zh": each.name, "en": each.name_en}, "line": _lonlat(package, each.line),
         "length_m": round(length_m(package, each.code), 1), "crest_m": min(each.crest_m), "plain": True}
        for each in package.levees
    ]  # fmt: skip
    basins = []
    for each in package.detention_basins:
        outline = _lonlat(package, each.outline)
        middle = np.mean(outline, axis=0).round(6).tolist()
        basins.append({
            "code": each.code, "name": {"zh": each.name, "en": each.name_en}, "position": middle, "outline": outline,
            "capacity_m3": None, "population": _people(package, each.code),
            "station": "", "plain": True,
        })  # fmt: skip
    return plain, levees, basins


def _people(package: PlainPackage, code: str) -> int | None:
    """People who live in a detention basin, where there is a layer of them."""
    layer = package.layers.get("people")
    return None if layer is None else round(float(np.nansum(layer[package.inside(code)])))


def _lonlat(package: PlainPackage, line: Sequence[tuple[float, float]]) -> list[list[float]]:
    if not package.grid.reference:
        return []
    lon, lat = transform(package.grid.reference, WGS84, [p[0] for p in line], [p[1] for p in line])
    return [[round(a, 6), round(b, 6)] for a, b in zip(lon, lat, strict=True)]


__all__: Sequence[str] = ["PlainJob", "plain_jobs", "plain_of", "run_plain_job", "wants_plain"]
