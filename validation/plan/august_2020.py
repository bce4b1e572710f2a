"""August 2020 replayed with other releases from Three Gorges: python validation/plan/august_2020.py [START END]

Every six hours the twin looks ahead from what was observed by then, a schedule is made, and its first six hours are
carried out. Three schedules: the releases that were made, the flood-control rules, and the optimiser. Prints a table,
writes it with a figure beside this file, and exits with 1 where a tolerance is missed. With two other days the table of
another time is printed, and nothing is judged. Needs the data bundle.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Reservoir
from liuyu.outlook.plan.aims import goals_of
from liuyu.outlook.plan.by_rule import by_rule
from liuyu.outlook.plan.horizon import STEP_H, Base, base_of, problem_of, stored
from liuyu.outlook.plan.optimise import solve
from liuyu.outlook.plan.rules import rules_of
from liuyu.twin import RiverTwin, along_curve
from liuyu.twin.archive import Archive, read_archive
from liuyu.twin.fit import clean, fill
from liuyu.twin.hindcast import issues
from liuyu.twin.limits import level_limits

HERE = Path(__file__).resolve().parent
START, END = "2020-08-08", "2020-09-05"
GAUGES = {
    "60108300": "沙市 Shashi",
    "60111200": "莲花塘 Lianhuatang",
    "60112200": "汉口 Hankou",
    "60113400": "九江 Jiujiang",
}
DAM = "three_gorges"
PEAK_TOLERANCE = 0.03  # [m] by which a peak may lie above the recorded one
NOISE = 1e-9
Floats = NDArray[np.float64]
Decide = Callable[[int, Base, float, float], float]


@dataclass(frozen=True)
class Ground:
    """The twin, what was observed hour by hour (series, hours), and the outlooks in steps of six hours."""

    twin: RiverTwin
    reservoir: Reservoir
    time: NDArray[np.int64]
    observed: Floats
    issued: tuple[int, ...]
    bases: tuple[Base, ...]

    def of(self, station: str, quantity: str, times: Sequence[int]) -> Floats:
        """What a gauge showed at times."""
        return self.observed[self.twin.plumbing.row[station, quantity], np.searchsorted(self.time, times)]

    def passed(self, quantity: str, time: int) -> float:
        """The mean of a flow of the reservoir in the step after a time [m3/s]."""
        hours = time + HOUR * np.arange(1, STEP_H + 1)
        return float(self.of(self.reservoir.station, quantity, hours.tolist()).mean())

    def level(self, storage: Floats) -> Floats:
        """Levels of the pool by the curve [m]."""
        levels, held = np.array(self.reservoir.curve).T
        return along_curve(storage, held, levels)


@dataclass(frozen=True)
class Run:
    """A course of August: release and storage by step, levels by gauge; balance: what fails to close, as a share."""

    release: Floats
    storage: Floats
    level: Mapping[str, Floats]
    balance: float


def ground(start: str, end_day: str) -> Ground:
    """Read the archive and look ahead from every step, each time from nothing later."""
    twin = RiverTwin(read_basin(find_basin("yangtze")))
    archive = read_archive(bundle_file(twin.basin.archive), twin.basin, twin.model.series)
    first, last = (epoch(parse_time(each, twin.basin.time_zone)) for each in (start, end_day))
    begin = max(int(np.searchsorted(archive.time, first)) - twin.model.history_h, 0)
    end = int(np.searchsorted(archive.time, last)) + 1
    part = Archive(archive.time[begin:end], archive.value[:, begin:end])
    known = issues(part, twin.plumbing, STEP_H)
    reservoir = twin.reservoir(DAM)
    if reservoir is None:
        raise SystemExit(f"{twin.basin.code} has no reservoir {DAM}")
    bases, issued = [], []
    for place, here in zip(known.place, known.presents, strict=True):
        if int(part.time[place]) + STEP_H * HOUR <= part.time[-1]:
            issued.append(int(part.time[place]))
            bases.append(base_of(twin, twin.ahead(here), reservoir, tuple(GAUGES)))
    apart = np.diff(issued)
    if len(issued) < 2 or (apart != STEP_H * HOUR).any():
        raise SystemExit(f"the archive has gaps between {start} and {end_day}")
    observed = np.stack([fill(each) for each in clean(part.value, twin.model.series)])
    return Ground(twin, reservoir, part.time, observed, tuple(issued), tuple(bases))


def record(here: Ground) -> Run:
    """What was observed."""
    ends = [time + STEP_H * HOUR for time in here.issued]
    pool = here.of(here.reservoir.station, "water_level", ends)
    return Run(
        np.array([here.passed("reservoir_outflow", time) for time in here.issued]),
        np.array([stored(here.reservoir, each) for each in pool]),
        {code: here.of(code, "water_level", ends) for code in GAUGES},
        0.0,
    )


def carried_out(here: Ground, decide: Decide) -> Run:
    """August with other releases: what was observed, moved by what the difference of releases does.

    Storage takes the difference as it is; levels take it by the response that the twin has at that hour.
    """
    was = record(here)
    steps = len(here.issued)
    reach = len(here.bases[0].release)
    effect = {code: np.zeros(steps + reach) for code in GAUGES}
    opening = float(here.of(here.reservoir.station, "water_level", [here.issued[0]])[0])
    before = np.concatenate([[stored(here.reservoir, opening)], was.storage[:-1]])
    moved, release = 0.0, float(here.of(here.reservoir.station, "reservoir_outflow", [here.issued[0]])[0])
    out, pool = np.empty(steps), np.empty(steps)
    for step, base in enumerate(here.bases):
        shifted = {code: base.level[code] + effect[code][step : step + reach] for code in GAUGES}
        release = decide(here.issued[step], replace(base, level=shifted), float(before[step] + moved), release)
        more = release - was.release[step]
        for code, kernel in base.kernel.items():
            effect[code][step : step + reach] += kernel * more
        moved -= more * STEP_H * HOUR
        out[step], pool[step] = release, was.storage[step] + moved
    inflow = np.diff(np.concatenate([before[:1], was.storage])) / (STEP_H * HOUR) + was.release
    gap = pool[-1] - before[0] - ((inflow - out) * STEP_H * HOUR).sum()
    level = {code: was.level[code] + effect[code][:steps] for code in GAUGES}
    return Run(out, pool, level, float(abs(gap) / pool.max()))


def deciders(here: Ground) -> dict[str, Decide]:
    """The rules, and the optimiser with the rules as its goals."""
    basin, dam = here.twin.basin, here.reservoir
    rules = rules_of(basin, dam, here.twin.below(here.twin.reservoir_places[DAM]))

    def ruled(time: int, base: Base, storage: float, release: float) -> float:
        limit = level_limits(basin, dam, moment(time, basin.zone).date()).get("flood_limit")
        return float(by_rule(dam, rules, base, storage=storage, release=release, limit=limit)[0])

    def optimised(time: int, base: Base, storage: float, release: float) -> float:
        goals = goals_of(basin, dam, rules, tuple(GAUGES), moment(time, basin.zone).date(), len(base.release))
        ramp = rules.ramp * STEP_H
        problem = problem_of(basin, dam, base, storage=storage, release=release, goals=goals, ramp=ramp)
        return float(solve(problem).course.release[DAM][0])

    return {"rules": ruled, "optimiser": optimised}


def table(here: Ground, runs: Mapping[str, Run]) -> list[list[str]]:
    """Rows of the result: what it is, and a number for each run."""
    rows = [["", *runs]]
    spare = stored(here.reservoir, 175.0)
    for code, name in GAUGES.items():
        line = next(t.value for t in here.twin.basin.thresholds_of(code, "water_level") if t.kind == "warning")
        rows.append([f"{name}: peak [m]", *(f"{run.level[code].max():.2f}" for run in runs.values())])
        hours = [STEP_H * int((run.level[code] > line).sum()) for run in runs.values()]
        rows.append([f"{name}: hours above the warning level, {line:.2f} m", *map(str, hours)])
    tops = [here.level(run.storage) for run in runs.values()]
    rows.append(["三峡 Three Gorges: highest pool [m]", *(f"{each.max():.2f}" for each in tops)])
    rows.append(["pool at the end [m]", *(f"{each[-1]:.2f}" for each in tops)])
    used = [(run.storage.max() - run.storage[0]) / 1e9 for run in runs.values()]
    rows.append(["storage used, highest less first [10⁹ m³]", *(f"{each:.2f}" for each in used)])
    left = [(spare - run.storage[-1]) / 1e9 for run in runs.values()]
    rows.append(["spare storage below 175 m at the end [10⁹ m³]", *(f"{each:.2f}" for each in left)])
    rows.append(["most released [m³/s]", *(f"{run.release.max():.0f}" for run in runs.values())])
    rows.append(["least released [m³/s]", *(f"{run.release.min():.0f}" for run in runs.values())])
    return rows


def figure(here: Ground, runs: Mapping[str, Run]) -> str:
    """Release, pool, and the levels at the two gauges nearest to the dam, as an SVG."""
    first, second = list(GAUGES)[:2]
    panels = [
        ("release [1000 m³/s]", [run.release / 1000 for run in runs.values()]),
        ("pool of Three Gorges [m]", [here.level(run.storage) for run in runs.values()]),
        (f"{GAUGES[first]} [m], warning 43.00", [run.level[first] for run in runs.values()]),
        (f"{GAUGES[second]} [m], warning 32.50", [run.level[second] for run in runs.values()]),
    ]
    colours = ("#222", "#28c", "#c33")
    out = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 660" font-family="sans-serif" font-size="12">']
    out.append('<rect width="760" height="660" fill="#fff"/>')
    for place, (name, colour) in enumerate(zip(runs, colours, strict=True)):
        out.append(f'<text x="{60 + 120 * place}" y="18" fill="{colour}">{name}</text>')
    for place, (title, lines) in enumerate(panels):
        top, height = 44 + 154 * place, 118
        low, high = min(each.min() for each in lines), max(each.max() for each in lines)
        out.append(f'<text x="60" y="{top - 6}">{title}: {low:.2f} to {high:.2f}</text>')
        out.append(f'<rect x="60" y="{top}" width="680" height="{height}" fill="none" stroke="#ccc"/>')
        for line, colour in zip(lines, colours, strict=True):
            x = 60 + 680 * np.arange(len(line)) / (len(line) - 1)
            y = top + height - (height - 6) * (line - low) / (high - low) - 3
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
    return "\n".join([*out, f'<text x="60" y="648">{START} to {END}</text></svg>\n'])


def faults(here: Ground, runs: Mapping[str, Run]) -> list[str]:
    """Which tolerances are missed."""
    was, best = runs["record"], runs["optimiser"]
    out = []
    for code, name in GAUGES.items():
        above = float(best.level[code].max() - was.level[code].max())
        if above > PEAK_TOLERANCE:
            out.append(f"{name}: peak {above:.2f} m above the recorded one")
    for what, own, recorded in (
        ("highest pool", best.storage.max(), was.storage.max()),
        ("pool at the end", best.storage[-1], was.storage[-1]),
    ):
        if own > recorded:
            out.append(f"{what} {here.level(np.array([own, recorded]))} is above the recorded one")
    out += [f"{name}: balance {run.balance:.1e}" for name, run in runs.items() if run.balance > NOISE]
    return out


def main() -> int:
    """Run and judge."""
    if bundle_folder() is None:
        print("skipped: no data bundle (LIUYU_DATA)")
        return 0
    other = sys.argv[1:3]
    here = ground(*(other if len(other) == 2 else (START, END)))
    runs = {"record": record(here)} | {name: carried_out(here, each) for name, each in deciders(here).items()}
    rows = table(here, runs)
    for row in rows:
        print("| " + " | ".join(row) + " |")
    if other:
        return 0
    with (HERE / "august_2020.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    (HERE / "august_2020.svg").write_text(figure(here, runs), encoding="utf-8")
    found = faults(here, runs)
    print("\n".join(found) or "all tolerances are kept")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
