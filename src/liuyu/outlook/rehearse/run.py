"""A whole scenario: the river, then every flood and member through an executor, then what it all comes to.

A failure ends it there: summary.json says failed, and why; nothing that would rest on it is written.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

import liuyu
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.outlook.rehearse.ensemble import write_chances
from liuyu.outlook.rehearse.flooding.cases import completed
from liuyu.outlook.rehearse.flooding.floods import (
    MEDIAN,
    FloodDone,
    FloodJob,
    LeveeCut,
    Sight,
    run_flood,
    structures_of,
)
from liuyu.outlook.rehearse.flooding.impact import totals_of, write_impact
from liuyu.outlook.rehearse.flooding.plain import PlainJob, plain_jobs, run_plain_job, wants_plain
from liuyu.outlook.rehearse.places import find_case, plain_of
from liuyu.outlook.rehearse.read import seconds_of
from liuyu.outlook.rehearse.results import gauges_of, reservoirs_of, write_river, write_tables
from liuyu.outlook.rehearse.river import Futures, chosen_members, run_river
from liuyu.outlook.rehearse.scenario import FloodTable, Setup
from liuyu.store.interface import Store
from liuyu.twin import Outlook, RiverTwin
from liuyu.twin.executor import Executor

Tell = Callable[[float, Mapping[str, str]], None]
SUMMARY = "summary.json"
_RIVER_SHARE = 0.1


def run_scenario(
    setup: Setup, twin: RiverTwin, outlook: Outlook, store: Store, folder: Path, executor: Executor, tell: Tell
) -> dict[str, Any]:
    """Run a scenario and write everything of it to a folder; returns what summary.json says. `store` is where the
    outlook came from.

    Floods that an earlier run of the same scenario finished in that folder are taken as they are. Raises BadInput for a
    scenario that cannot be run, ModelFailed where a model or a worker failed, naming scenario, flood and member.
    """
    folder.mkdir(parents=True, exist_ok=True)
    setup = completed(setup, twin.basin)
    told = _begun(setup, twin, outlook)
    with _ending(folder, told):
        tell(0.0, {"zh": "推演河道", "en": "routing the river"})
        futures = run_river(twin, outlook, setup)
        told["provenance"]["inputs"]["river"] = futures.inputs
        gauges = gauges_of(futures)
        told["releases"] = {
            code: [round(each, 1) for each in series[: futures.hours]]
            for code, series in futures.scenario.releases.items()
        }
        told |= {"hours": futures.hours, "gauges": gauges, "reservoirs": reservoirs_of(futures)}
        told["binding"] = [dict(each) for each in futures.binding]
        write_tables(folder, futures, gauges)
        write_river(folder / "river.nc", futures, setup.head.name, told["provenance"])
        jobs: list[FloodJob | PlainJob] = [*flood_jobs(setup, futures, folder, executor.workers)]
        if wants_plain(setup, twin.basin):
            tell(0.05, {"zh": "推演一维河道", "en": "running the river in one dimension"})
            jobs += plain_jobs(setup, futures, store, folder)
        done = _flooded(jobs, executor, tell)
        told |= _floods_told(folder, done, setup)
        told["state"] = "done"
    tell(1.0, {"zh": "完成", "en": "done"})
    return told


def _begun(setup: Setup, twin: RiverTwin, outlook: Outlook) -> dict[str, Any]:
    return {
        "name": setup.name,
        "basin": twin.basin.code,
        "synthetic": twin.basin.synthetic,
        "state": "running",
        "reason": "",
        "base": moment(outlook.now).isoformat().replace("+00:00", "Z"),
        "members": setup.ensemble.members,
        "provenance": {
            "code": "liuyu",
            "version": liuyu.__version__,
            "base": moment(outlook.now).isoformat().replace("+00:00", "Z"),
            "model": f"{twin.model.name}@{twin.calibrated.digest}",
            "inputs": {"scenario": setup.digest},
        },
        "scenario": _without_defaults(setup),
    }


def _without_defaults(setup: Setup) -> dict[str, Any]:
    """The scenario as it was given, to be read and to be run again."""
    head = {name: each for name, each in msgspec.structs.asdict(setup.head).items() if each not in ("", None)}
    plain = msgspec.to_builtins(setup)
    parts = {name: plain[name] for name in ("rain", "ensemble") if getattr(setup, name) != type(getattr(setup, name))()}
    lists = {name: plain[name] for name in ("releases", "breaches", "detentions", "gates", "floods", "places")}
    layers = {"impact": plain["impact"]} if setup.impact.layers else {}
    return {**head, **parts, **{name: each for name, each in lists.items() if each}, **layers}


@contextmanager
def _ending(folder: Path, told: dict[str, Any]) -> Iterator[None]:
    """Write summary.json however it ends."""
    for stale in ("impact.csv", "comparison.csv"):
        (folder / stale).unlink(missing_ok=True)
    write_summary(folder, told)
    try:
        yield
    except LiuyuError as error:
        told["state"], told["reason"] = "failed", str(error)
        told["partial"] = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.nc"))
        raise
    except BaseException as error:
        told["state"], told["reason"] = "failed", f"{type(error).__name__}: {error}"
        raise
    finally:
        write_summary(folder, told)


def write_summary(folder: Path, told: Mapping[str, Any]) -> None:
    """summary.json, whole or not at all."""
    part = folder / f"{SUMMARY}.part"
    part.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
    part.replace(folder / SUMMARY)


def flood_jobs(setup: Setup, futures: Futures, folder: Path, workers: int) -> list[FloodJob]:
    """The work of every flood and member, in order. Raises BadInput where a change has no flood to act on."""
    jobs: list[FloodJob] = []
    cases = [(each, str(find_case(each.case, futures.twin.basin, setup.folder))) for each in setup.floods]
    _check_changes(setup, futures, [case for _, case in cases])
    runs = sum(1 + (setup.ensemble.members if each.station else 0) for each, _ in cases)
    threads = max(1, workers // max(runs, 1))
    for table, case in cases:
        name = table.name or Path(table.case).stem
        members = [MEDIAN]
        if table.station and setup.ensemble.members:
            members += sorted(chosen_members(futures, table.station, table.quantity, setup.ensemble.members))
        jobs += [_job(setup, futures, folder, table, name, case, member, threads) for member in members]
    return jobs


def _job(
    setup: Setup, futures: Futures, folder: Path, table: FloodTable, name: str, case: str, member: int, threads: int
) -> FloodJob:
    basin, now = futures.twin.basin, futures.now
    label = "median" if member == MEDIAN else f"member {member}"
    times, values = _driver(futures, table, member) if table.station else ((), ())
    lines = {each.code: each.line for each in basin.levees}
    return FloodJob(
        label=f"scenario {setup.head.name!r}, flood {name}, {label}",
        flood=name,
        member=member,
        folder=str(folder / "floods" / name / label.replace(" ", "-")),
        base=now,
        case=case,
        end_s=(table.hours or futures.hours) * HOUR,
        output_s=table.output_min * 60.0,
        threads=threads,
        quantity=table.quantity,
        into=table.into if table.station else "",
        times=times,
        values=values,
        cuts=tuple(
            LeveeCut(
                levee=each.levee, line=lines[each.levee], chainage_m=each.chainage_m, width_m=each.width_m,
                bottom_m=each.bottom_m, start_s=float(seconds_of(each.at, now, basin) - now),
                duration_s=each.duration_h * HOUR,
            )
            for each in setup.breaches if each.levee in lines
        ),
        openings=tuple((each.basin, float(seconds_of(each.opens, now, basin) - now)) for each in setup.detentions),
        stuck=tuple((each.gate, each.stuck) for each in setup.gates),
        layers=tuple(str((Path(setup.folder) / each).resolve()) for each in setup.impact.layers) or basin_layers(case),
        sights=tuple(Sight(name=each.name, name_en=each.name_en, position=each.position) for each in setup.places),
    )  # fmt: skip


def basin_layers(case: str) -> tuple[str, ...]:
    """Exposure layers that lie in a folder `exposure` beside a case."""
    folder = Path(case).parent / "exposure"
    return tuple(str(each) for each in sorted(folder.glob("*")) if each.suffix in (".geojson", ".tif", ".gpkg"))


def _driver(futures: Futures, table: FloodTable, member: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """What a gauge shows from the base on: seconds and values, moved to the terrain's levels or shared out."""
    row = futures.row(table.station, table.quantity)
    line = np.median(futures.changed[row], axis=0) if member == MEDIAN else futures.changed[row, member]
    here = futures.outlook.here.window.value[row, -1]
    values = np.concatenate([[here], line])
    values = values + (table.offset_m or 0.0) if table.quantity == "water_level" else values * table.share
    return tuple(float(HOUR * k) for k in range(len(values))), tuple(values.tolist())


def _check_changes(setup: Setup, futures: Futures, cases: Sequence[str]) -> None:
    faults = []
    gates = {name for case in cases for name in structures_of(case)}
    lines = {each.code for each in futures.twin.basin.levees}
    package = plain_of(futures.twin.basin)
    if package is not None and wants_plain(setup, futures.twin.basin):
        gates |= {each.code for each in package.detention_basins} | set(package.structures)
        lines -= {each.code for each in package.levees}
    if any(each.levee in lines for each in setup.breaches) and not cases:
        faults.append("a breach needs a [[flood]] whose terrain holds the levee; this scenario has none")
    for each in setup.detentions:
        if each.inflow_m3s is None and each.basin not in gates:
            faults.append(
                f"nothing takes up the opening of {each.basin!r}: give inflow_m3s, or a [[flood]] with a gate so named"
            )
    for gate in setup.gates:
        if gate.gate not in gates:
            faults.append(f"no flood of the scenario has a structure {gate.gate!r}; known: {', '.join(sorted(gates))}")
    for table in setup.floods:
        if table.station:
            try:
                futures.row(table.station, table.quantity)
            except BadInput as error:
                faults.append(str(error))
    if faults:
        raise BadInput("; ".join(faults))


def run_job(job: FloodJob | PlainJob) -> FloodDone:
    """One flood, whatever it is."""
    return run_plain_job(job) if isinstance(job, PlainJob) else run_flood(job)


def _flooded(jobs: Sequence[FloodJob | PlainJob], executor: Executor, tell: Tell) -> list[FloodDone]:
    """Every flood through the executor, with progress; the first that fails ends the rest."""
    shares = [0.0] * len(jobs)

    def heard(place: int, share: float) -> None:
        shares[place] = max(shares[place], float(share))
        at = _RIVER_SHARE + (1.0 - _RIVER_SHARE) * sum(shares) / len(jobs)
        ended = sum(each >= 0.98 for each in shares)
        many = len(jobs) > 1
        tell(at, {
            "zh": f"淹没计算：已完成{ended}/{len(jobs)}" if many else f"淹没计算：{jobs[place].flood}",
            "en": f"flood runs: {ended} of {len(jobs)} done" if many else f"flooding {jobs[place].flood}",
        })  # fmt: skip

    done = []
    try:
        for place, each in enumerate(executor.map(run_job, jobs, labels=[j.label for j in jobs], heard=heard)):
            done.append(each)
            heard(place, 1.0)
    except LiuyuError:
        executor.abandon()
        raise
    return done


def _floods_told(folder: Path, done: Sequence[FloodDone], setup: Setup) -> dict[str, Any]:
    if not done:
        return {"floods": [], "impact": []}
    floods, impact = [], []
    for each in done:
        label = "median" if each.member == MEDIAN else f"member-{each.member}"
        plain = msgspec.to_builtins(each)
        totals = totals_of(each.impact)
        floods.append({
            "flood": each.flood, "member": label, "path": f"floods/{each.flood}/{label}",
            **{name: plain[name] for name in (
                "title", "flooded_area_km2", "maximum_depth_m", "maximum_speed_m_s", "volume_in_m3", "volume_stored_m3",
                "mass_error", "wall_s", "arrivals", "pictures", "notes", "case", "river",
            )},
            "impact": totals,
        })  # fmt: skip
        impact += [{"flood": each.flood, "member": label, **row} for row in totals]
    rows = [(d.flood, "median" if d.member == MEDIAN else str(d.member), d.impact) for d in done]
    write_impact(folder / "impact.csv", rows)
    chances = write_chances(folder, done) if setup.ensemble.members else {}
    return {"floods": floods, "impact": impact, "chances": chances}


def forget(folder: Path) -> None:
    """Remove what an earlier run left in a folder that is used again for another scenario."""
    for name in ("floods", "zarr"):
        shutil.rmtree(folder / name, ignore_errors=True)
