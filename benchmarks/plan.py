"""Release schedules against RTC-Tools and Pywr: python benchmarks/plan.py [--peers PYTHON] [--small]

In one run: RTC-Tools' shipped example "filling a reservoir" and Pywr's "simple model" rebuilt; cascades of growing size
with one schedule for all members; and 30 reservoirs x 240 steps x 51 members. `--peers` names a Python that has both
peers (default: this one); where one is absent that is said and the rest runs. `--patience`: seconds a peer has a case.

Exits with 1 where an objective is more than 0.1 % worse than a peer's, a peer is less than five times slower, or the
largest case takes 60 s. On the cascades Pywr is shown and not judged: it lets go of water step by step without a look
ahead, and for each member apart as if it were known which comes true, which is another problem.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from liuyu.outlook.plan.optimise import Dam, Goal, Junction, Link, Problem, solve

HERE = Path(__file__).resolve().parent
STEP = 3600.0
ROOM = 1e-3
FASTER = 5.0
LONGEST_S = 60.0
FILLING = (1.95, 2.55, 3.30, 4.35, 5.55, 7.20, 5.55, 4.35, 3.30, 2.55, 1.95)  # after 1.50 at the start


def filling() -> Problem:
    """RTC-Tools' example `basic`: six days of inflow, 380,000 to 420,000 m3 in store, as little let go as can be."""
    dam = Dam(code="d", storage=400_000.0, storage_range=(380_000.0, 420_000.0), release_range=(0.0, 6.5))
    goal = Goal(kind="flow_below", at="d", value=0.0)
    return Problem(step=12 * STEP, dams=(dam,), inflow={"d": np.array([FILLING])}, goals=(goal,))


def simple(steps: int) -> Problem:
    """Pywr's `simple_model`: a source of at most 10 through a link that costs 1 to a sink that takes 5 and earns 2.

    What it earns is most where the sink lacks least, so what is compared is what the sink lacks.
    """
    dam = Dam(code="A", storage=0.0, storage_range=(0.0, 1e12), release_range=(0.0, 5.0))
    goal = Goal(kind="flow_above", at="A", value=5.0)
    return Problem(step=7 * 24 * STEP, dams=(dam,), inflow={"A": np.full((1, steps), 10.0)}, goals=(goal,))


def cascade(dams: int, steps: int, members: int) -> Problem:
    """A chain of reservoirs above a gauge: the mean excess of flow there over all members is to be least."""
    dice = np.random.default_rng(0)
    hours = np.arange(steps)
    inflow, places, links = {}, [], []
    for place in range(dams):
        code = f"d{place}"
        wave = np.exp(-(((hours - steps * dice.uniform(0.3, 0.6)) / (0.1 * steps)) ** 2))
        inflow[code] = 40 + dice.uniform(100, 300) * dice.lognormal(0.0, 0.3, (members, 1)) * wave
        extra = STEP * np.abs(np.cumsum(inflow[code] - inflow[code].mean(axis=0), axis=1)).max()
        brought = STEP * (inflow[code].mean(axis=0) - 40).sum()
        room = 2.4 * extra + 0.05 * brought
        places.append(Dam(code=code, storage=0.5 * room, storage_range=(0.0, room), release_range=(10.0, 300.0 * dams)))
        links.append(Link(source=code, target=f"d{place + 1}" if place + 1 < dams else "gauge"))
    wave = np.exp(-(((hours - 0.5 * steps) / (0.1 * steps)) ** 2))
    inflow["gauge"] = 100 * dams**0.5 * dice.lognormal(0.0, 0.3, (members, 1)) * wave
    line = 0.25 * sum(each.mean(axis=0).max() for each in inflow.values())
    goals = (Goal(kind="flow_below", at="gauge", value=float(line)),)
    return Problem(
        step=STEP,
        dams=tuple(places),
        junctions=(Junction(code="gauge"),),
        links=tuple(links),
        inflow=inflow,
        goals=goals,
    )


def rich(dams: int, steps: int, members: int) -> Problem:
    """A cascade as it is in earnest: delays, ramps, outlets, and four priorities at every reservoir."""
    dice = np.random.default_rng(0)
    hours = np.arange(steps)
    places, links, inflow, goals = [], [], {}, []
    for place in range(dams):
        code, room = f"d{place}", dice.uniform(2e8, 2e9)
        capacity = (
            (0.2 * room, 1500.0 + 150 * place),
            (0.6 * room, 3500.0 + 180 * place),
            (room, 4000.0 + 200 * place),
        )
        places.append(
            Dam(
                code=code,
                storage=0.55 * room,
                storage_range=(0.2 * room, room),
                release=300.0 + 40 * place,
                release_range=(50.0, 4000.0 + 200 * place),
                ramp=(200.0, 200.0),
                capacity=capacity,
            )
        )
        late = hours[None] - 0.46 * steps - dice.normal(0, 6, (members, 1))
        inflow[code] = 60 + dice.uniform(300, 900) * dice.lognormal(0, 0.35, (members, 1)) * np.exp(-((late / 25) ** 2))
        kernel = (0.0,) * int(dice.integers(0, 4)) + (0.25, 0.5, 0.25)
        links.append(Link(source=code, target=f"d{place + 1}" if place + 1 < dams else "gauge", kernel=kernel))
        goals += [
            Goal(kind="flow_below", at=code, value=700.0 + 60 * place, priority=1),
            Goal(kind="storage_below", at=code, value=0.8 * room, priority=2),
            Goal(kind="end_storage", at=code, value=0.55 * room, priority=3),
            Goal(kind="smooth", at=code, priority=4),
        ]
    wave = np.exp(-(((hours - 0.5 * steps) / 30) ** 2))
    inflow["gauge"] = 100 + 400 * wave * dice.lognormal(0, 0.3, (members, 1))
    goals.append(Goal(kind="flow_below", at="gauge", value=2500.0, priority=1))
    return Problem(
        step=STEP,
        dams=tuple(places),
        junctions=(Junction(code="gauge"),),
        links=tuple(links),
        inflow=inflow,
        goals=tuple(goals),
    )


def plain(problem: Problem) -> dict[str, Any]:
    """A chain as a peer is given it."""
    return {
        "step": problem.step,
        "line": problem.goals[0].value,
        "dams": [[each.storage, *each.storage_range, *each.release_range] for each in problem.dams],
        "inflow": [problem.inflow[each.code].tolist() for each in problem.dams],
        "lateral": problem.inflow["gauge"].tolist() if "gauge" in problem.inflow else [],
    }


def peer(python: str, name: str, task: Mapping[str, Any], patience: float) -> dict[str, Any]:
    """What a peer answers: its objective and the seconds of its own solving; or why it does not."""
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "task.json"
        asked.write_text(json.dumps({"peer": name, "folder": folder, **task}))
        try:
            done = subprocess.run(
                [python, str(HERE / "plan_peers.py"), str(asked)],
                check=False,
                capture_output=True,
                text=True,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            return {"unfinished": patience}
        if done.returncode:
            return {"absent": (done.stderr.strip().splitlines() or ["it said nothing"])[-1]}
        answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
        return answer


def ours(problem: Problem) -> tuple[float, float]:
    """Objective and seconds."""
    begin = time.perf_counter()
    answer = solve(problem)
    taken = time.perf_counter() - begin
    if not answer.feasible:
        raise SystemExit("the optimiser calls a benchmark infeasible that is not")
    return answer.objective[1], taken


def compare(what: str, problem: Problem, names: tuple[str, ...], task: Mapping[str, Any], args: Any) -> list[str]:
    """One case by us and by peers; the faults."""
    value, taken = min((ours(problem) for _ in range(2)), key=lambda each: each[1])
    print(f"{what}\n  liuyu       objective {value:14.6g}  {taken:8.3f} s", flush=True)
    faults = []
    for name in names:
        told = peer(args.peers, name, task, args.patience)
        if "absent" in told:
            print(f"  {name:10s}  left out: {told['absent']}")
            continue
        if "unfinished" in told:
            print(f"  {name:10s}  not done after {told['unfinished']:g} s, {told['unfinished'] / taken:.0f} times ours")
            faults += [f"{what}: {name} had too little time to tell"] if told["unfinished"] < FASTER * taken else []
            continue
        times = told["seconds"] / taken
        print(f"  {name:10s}  objective {told['objective']:14.6g}  {told['seconds']:8.3f} s  {times:.1f} times ours")
        if name == "Pywr" and task["case"] == "cascade":
            continue
        if value > told["objective"] + ROOM * max(abs(told["objective"]), 1e-6 * abs(problem.goals[0].value)):
            faults.append(f"{what}: objective {value:g} is worse than {told['objective']:g} of {name}")
        if times < FASTER:
            faults.append(f"{what}: {name} takes only {times:.1f} times ours")
    return faults


def main() -> int:
    """Run all cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="a Python with rtc-tools and pywr")
    parser.add_argument("--patience", type=float, default=300.0, help="seconds that a peer gets for one case")
    parser.add_argument("--small", action="store_true", help="without the case of 30 reservoirs against peers")
    args = parser.parse_args()
    faults = compare("RTC-Tools' example, filling a reservoir", filling(), ("RTC-Tools",), {"case": "filling"}, args)
    faults += compare("Pywr's example, simple model", simple(209), ("Pywr",), {"case": "simple"}, args)
    sizes = [(3, 48, 11), (6, 96, 21)] + ([] if args.small else [(30, 240, 51)])
    for size in sizes:
        given = cascade(*size)
        name = "cascade of {} reservoirs, {} steps, {} members".format(*size)
        faults += compare(name, given, ("RTC-Tools", "Pywr"), {"case": "cascade", **plain(given)}, args)
    begin = time.perf_counter()
    answer = solve(rich(30, 240, 51))
    taken = time.perf_counter() - begin
    print(f"30 reservoirs, 240 steps, 51 members, delays, four priorities: {taken:.1f} s, feasible {answer.feasible}")
    faults += [f"the largest case took {taken:.0f} s"] if taken > LONGEST_S else []
    print("\n".join(faults) or "all bounds are kept")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
