"""One flood of a scenario, run in a worker: the case as the scenario changes it, its results, pictures and impact."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
import netCDF4
import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.outlook.rehearse.flooding.classes import classes
from liuyu.outlook.rehearse.flooding.ground import breach_on, cell_at, filled
from liuyu.outlook.rehearse.flooding.impact import Affected, impact_of
from liuyu.outlook.rehearse.flooding.pictures import draw_results
from liuyu.outlook.rehearse.scenario import Stuck
from liuyu.twin.executor import tell
from liuyu.twin.flood import Case, Flood, FlowFile, Grid, Maximum, Run, Series, Side, read_case

from liuyu.twin.flood import write_maximum, write_summary  # isort: skip
from liuyu.twin.flood.problem import NEVER, Floats

SIDES = ("west", "east", "south", "north")
MEDIAN = -1
Text = dict[str, str]


class LeveeCut(msgspec.Struct, frozen=True, kw_only=True):
    """A breach of a levee, whose line (longitudes, latitudes) comes along; times in s after the base."""

    levee: str
    line: tuple[tuple[float, float], ...]
    chainage_m: float
    width_m: float
    bottom_m: float | None
    start_s: float
    duration_s: float


class Sight(msgspec.Struct, frozen=True, kw_only=True):
    """A place whose arrival is told."""

    name: str
    name_en: str
    position: tuple[float, float]


class FloodJob(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that one flood needs. `member` -1 is the median; times of the driver in s after `base` [s UTC]."""

    label: str
    flood: str
    member: int
    folder: str
    base: int
    case: str
    end_s: float
    output_s: float
    threads: int
    quantity: Literal["water_level", "discharge"] = "water_level"
    into: str = ""
    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    cuts: tuple[LeveeCut, ...] = ()
    openings: tuple[tuple[str, float], ...] = ()
    stuck: tuple[tuple[str, Stuck], ...] = ()
    layers: tuple[str, ...] = ()
    sights: tuple[Sight, ...] = ()

    @property
    def digest(self) -> str:
        """A name for this work and the files that it rests on."""
        plain = replace(self, folder="", threads=0)
        parts = msgspec.json.encode(plain) + "".join(digest_of(Path(each)) for each in self.layers).encode()
        return hashlib.sha256(parts + case_digest(Path(self.case)).encode()).hexdigest()[:16]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """When water comes to a place [h after the base], and how deep it gets there [m]; None where it stays dry."""

    place: Text
    arrival_h: float | None
    depth_m: float | None


class FloodDone(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one flood. `pictures` is what `pictures.json` says; `notes` what should be known about it.

    Water that is there at the start, the river's, is no flooded area.
    """

    digest: str
    flood: str
    member: int
    title: str
    flooded_area_km2: float
    maximum_depth_m: float
    maximum_speed_m_s: float
    volume_in_m3: float
    volume_stored_m3: float
    mass_error: float
    wall_s: float
    arrivals: tuple[Arrival, ...]
    impact: tuple[Affected, ...]
    pictures: dict[str, Any]
    case: str
    notes: tuple[Text, ...] = ()
    river: tuple[dict[str, Any], ...] = ()


def run_flood(job: FloodJob) -> FloodDone:
    """Run it, or take what an earlier run of the same work has left. Raises BadInput, ModelFailed.

    Where the flood becomes unstable, flow.nc holds the frames up to then and says so.
    """
    folder, digest = Path(job.folder), job.digest
    found = kept_already(folder, digest)
    if found is not None:
        return found
    folder.mkdir(parents=True, exist_ok=True)
    case = read_case(Path(job.case))
    notes: list[Text] = []
    flood = changed(case, job, notes)
    course = Run(flood, job.end_s, job.output_s)
    flow = folder / "flow.nc"
    with FlowFile(flow, case.grid, course.model.bed, f"{job.label}: {case.name}") as file:
        try:
            for frame in course.frames(lambda now: tell(0.9 * now / job.end_s)):
                file.add(frame)
        except ModelFailed as error:
            at = moment(job.base + int(course.model.time))
            mark(flow, job.base, f"failed at {at.isoformat()}: {error}")
            raise ModelFailed(f"at {at.isoformat()}, {error}") from None
    mark(flow, job.base, "complete")
    maximum, summary = course.maximum, course.summary
    write_maximum(folder / "maximum.tif", maximum, case.grid)
    write_summary(folder / "summary.json", summary)
    since = min((each.start_s for each in job.cuts), default=0.0)
    pictures = draw_results(folder, lambda share: tell(0.9 + 0.08 * share), since=since)
    river = first_water(flow)
    done = FloodDone(
        digest=digest,
        flood=job.flood,
        member=job.member,
        title=case.name,
        flooded_area_km2=flooded_km2(maximum, case.grid, river),
        maximum_depth_m=summary.maximum_depth_m,
        maximum_speed_m_s=summary.maximum_speed_m_s,
        volume_in_m3=summary.volume_in_m3,
        volume_stored_m3=summary.volume_stored_m3,
        mass_error=summary.mass_error,
        wall_s=round(summary.wall_s, 2),
        arrivals=arrivals_of(maximum, case.grid, job.sights),
        impact=tuple(impact_of(maximum, case.grid, [Path(each) for each in job.layers], river)),
        pictures=pictures,
        case=case_digest(Path(job.case)),
        notes=tuple(notes),
    )
    keep(folder, done)
    return done


def kept_already(folder: Path, digest: str) -> FloodDone | None:
    """What an earlier run of the same work left in a folder."""
    path = folder / "flood.json"
    if not path.exists():
        return None
    found = msgspec.json.decode(path.read_bytes(), type=FloodDone)
    return found if found.digest == digest else None


def keep(folder: Path, done: FloodDone) -> None:
    """Keep what came of a flood, whole or not at all."""
    part = folder / "flood.part"
    part.write_bytes(msgspec.json.encode(done))
    part.replace(folder / "flood.json")


def flooded_km2(maximum: Maximum, grid: Grid, river: NDArray[np.bool_]) -> float:
    """Area [km2] that gets wet and is not the river's."""
    depth = np.nan_to_num(maximum.depth)
    return float(((depth >= classes().above_m[0]) & ~river).sum()) * grid.cell**2 / 1e6


def changed(case: Case, job: FloodJob, notes: list[Text]) -> Flood:
    """The flood of a case with what the scenario changes. Raises BadInput where a change finds nothing to change."""
    flood = replace(case.flood, scheme=replace(case.flood.scheme, threads=job.threads))
    if job.into:
        flood = _driven(flood, job)
    return _with_structures(_with_cuts(flood, case.grid, job, notes), job)


def _driven(flood: Flood, job: FloodJob) -> Flood:
    series = Series(times=np.array(job.times), values=np.array(job.values))
    if not np.isfinite(series.values).all():
        hour = float(series.times[~np.isfinite(series.values)][0]) / 3600.0
        raise ModelFailed(
            f"what drives {job.into} is no number {hour:g} h after the base; look at the gauge's forecast"
        )
    if job.into in SIDES:
        kind: Literal["stage", "discharge"] = "stage" if job.quantity == "water_level" else "discharge"
        depth = flood.depth
        if kind == "stage" and not np.any(np.asarray(depth)):
            depth = filled(flood.terrain, job.into, float(series.values[0]))
        return replace(flood, depth=depth, **{job.into: Side(kind=kind, series=series)})
    names = [each.name for each in flood.inflows]
    if job.into not in names or job.quantity != "discharge":
        known = ", ".join([*SIDES, *names])
        raise BadInput(f"into={job.into!r} takes no {job.quantity}; a side takes both, an inflow a discharge: {known}")
    return replace(flood, inflows=tuple(replace(e, series=series) if e.name == job.into else e for e in flood.inflows))


def _with_cuts(flood: Flood, grid: Grid, job: FloodJob, notes: list[Text]) -> Flood:
    breaches = list(flood.breaches)
    for cut in job.cuts:
        found = breach_on(
            grid, flood.terrain, cut.line, cut.chainage_m, cut.width_m, cut.bottom_m, cut.start_s, cut.duration_s,
            f"{cut.levee} at {cut.chainage_m:.0f} m",
        )  # fmt: skip
        if found is None:
            notes.append({
                "zh": f"堤防{cut.levee}桩号{cut.chainage_m:.0f} m处在{job.flood}地形上没有堤身，溃口未计算",
                "en": f"levee {cut.levee} at {cut.chainage_m:.0f} m does not stand on the terrain of {job.flood}; "
                "its breach changes nothing there",
            })  # fmt: skip
            continue
        if cut.width_m < grid.cell:
            notes.append({
                "zh": f"溃口宽{cut.width_m:g} m小于网格{grid.cell:g} m，按一个网格计算，流量偏大",
                "en": f"the breach of {cut.width_m:g} m is narrower than a cell of {grid.cell:g} m and is run as one "
                "cell: it lets more through",
            })  # fmt: skip
        breaches.append(found)
    return replace(flood, breaches=tuple(breaches))


def _with_structures(flood: Flood, job: FloodJob) -> Flood:
    opens, stuck = dict(job.openings), dict(job.stuck)
    kept = []
    for each in flood.structures:
        now = each
        if each.name in opens:
            now = replace(now, opens_s=opens[each.name], opens_level=-NEVER)
        how = stuck.get(each.name)
        if how in ("closed", 0):
            continue
        if how is not None:
            share = 1.0 if how == "open" else float(how)
            part = "width" if each.kind == "weir" else "height"
            now = replace(now, opens_s=0.0, opens_level=-NEVER, **{part: share * getattr(each, part)})
        kept.append(now)
    return replace(flood, structures=tuple(kept))


def structures_of(case: str) -> list[str]:
    """Names of the structures of a case, from its file alone."""
    return [str(each.get("name", "")) for each in tomllib.loads(Path(case).read_text("utf-8")).get("structure", [])]


def arrivals_of(maximum: Maximum, grid: Grid, sights: tuple[Sight, ...]) -> tuple[Arrival, ...]:
    """When water comes to each place. Raises BadInput where the terrain names no reference."""
    found = []
    for each in sights:
        cell = cell_at(grid, each.position)
        seconds = float(maximum.arrival[cell]) if cell else float("nan")
        wet = np.isfinite(seconds)
        found.append(
            Arrival(
                place={"zh": each.name, "en": each.name_en or each.name},
                arrival_h=round(seconds / 3600.0, 2) if wet else None,
                depth_m=round(float(maximum.depth[cell]), 2) if wet and cell else None,
            )
        )
    return tuple(found)


def mark(flow: Path, base: int, state: str) -> None:
    """Say in flow.nc from when its time counts, and whether it is complete."""
    with netCDF4.Dataset(flow, "a") as file:
        file["time"].units = f"seconds since {moment(base).strftime('%Y-%m-%d %H:%M:%S')}"
        file["time"].calendar = "proleptic_gregorian"
        file["time"].standard_name = "time"
        file["time"].long_name = "time"
        file.setncattr("comment", state)


def first_water(flow: Path) -> NDArray[np.bool_]:
    """Cells that are wet at the start: the river's own, which are not counted as flooded."""
    with netCDF4.Dataset(flow) as file:
        depth = np.ma.filled(file["depth"][0].astype(float), 0.0)
    return np.asarray(np.nan_to_num(depth) >= classes().above_m[0])


def digest_of(path: Path) -> str:
    """The content of a file by name."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def case_digest(path: Path) -> str:
    """A case with every file that it names."""
    parts = [path.read_bytes()]

    def walk(value: Any) -> None:
        if isinstance(value, str) and (path.parent / value).is_file():
            parts.append((path.parent / value).read_bytes())
        for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(each)

    walk(tomllib.loads(parts[0].decode()))
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


Listener = Callable[[float], None]
__all__ = ["MEDIAN", "SIDES", "Arrival", "Floats", "FloodDone", "FloodJob", "LeveeCut", "Sight", "run_flood"]
