"""A forecast's arithmetic: runoff of every model, routing on a million reaches, and a whole basin's ensemble.

    python benchmarks/forecast.py [--only runoff|routing|headline] [--reaches 1000000] [--sub-basins 13001]

`pip install hydromodel grsuite river-route muskingumcunge` to compare in the same run; a peer that is absent is named.
Rates are per second of one core's work (processor time, so that a busy machine does not count against anyone), and for
routing and the headline also by the clock on two cores. Each balance of each step is checked while the clock runs.
"""

from __future__ import annotations

import argparse
import importlib
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from runoff import peer as grsuite_peer
from runoff import sets, weather
from trees import random_tree

from liuyu.twin.ensemble import BasinModel, Land, Weather
from liuyu.twin.network import RiverNetwork, Router, channel_laws
from liuyu.twin.runoff import MODELS, simulate

Floats = NDArray[np.float64]
HOUR = 3600.0


def timed(work: Callable[[], object], times: int = 3) -> tuple[float, float]:
    """Least time by the clock and least processor time of some runs [s], after one that compiles."""
    work()
    clock, processor = [], []
    for _ in range(times):
        begun, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    return min(clock), min(processor)


def optional(name: str) -> Any:
    """A peer's module, or None with a line that says so."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ImportError as missing:
        print(f"{name.split('.', maxsplit=1)[0]:28s} absent ({missing}); not compared")
        return None


def downstream(down: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same tree numbered from the springs down, as river networks are kept."""
    law = np.ones((len(down), 4))
    router = Router(RiverNetwork.tree(range(len(down)), down, law), HOUR, cores=1)  # type: ignore[arg-type]
    return np.where(down[router.order] < 0, -1, router.place[down[router.order]])


def network(count: int) -> RiverNetwork:
    """A random tree of reaches from 3 to 15 km."""
    down, draw = downstream(random_tree(count)), np.random.default_rng(3)
    n = len(down)
    law = channel_laws(
        draw.uniform(3e3, 15e3, n), draw.uniform(1e-4, 3e-3, n), draw.uniform(10, 300, n), np.full(n, 0.035)
    )
    return RiverNetwork.tree([f"reach {k}" for k in range(n)], down, law)


def runoff(series: int, days: int) -> None:
    """Basin-steps a second of each model on one core, and of peers."""
    rates = {}
    for name, model in MODELS.items():
        forcing, parameters = weather(series, days, snow=False), sets(model, series)
        rates[name] = series * days / timed(lambda m=model, f=forcing, p=parameters: simulate(m, f, p))[1]  # type: ignore[misc]
        step = "days" if model.step_h == 24 else "hours"
        print(f"{name:28s} {rates[name] / 1e6:8.2f} million basin-{step} a second and core")
    other = grsuite_peer(min(series, 128), days)
    if other:
        print(
            f"{'grsuite gr4j':28s} {other[0] / 1e6:8.2f} million; ours is {rates['gr4j'] / other[0]:.0f} times as fast"
        )
    else:
        print(f"{'grsuite':28s} absent; not compared")
    for name, ours in (("gr4j", "gr4j"), ("xaj", "xinanjiang")):
        module = optional(f"hydromodel.models.{name}")
        if module is not None:
            rate = hydromodel(module, name, days)
            print(f"hydromodel {name:17s} {rate / 1e6:8.3f} million; ours is {rates[ours] / rate:.0f} times as fast")


def hydromodel(module: Any, name: str, days: int, basins: int = 8) -> float:
    """Basin-days a second of a model of the hydromodel package, its parameters in the middle of their ranges."""
    forcing = weather(basins, days, snow=False)
    both = np.stack([forcing.precipitation.T, forcing.pet.T], axis=2)
    count = {"gr4j": 4, "xaj": 15}[name]
    middle = np.full((basins, count), 0.5)
    work = getattr(module, name)
    return basins * days / timed(lambda: work(both, middle, warmup_length=0, normalized_params=True), 1)[1]


def routing(count: int, steps: int) -> None:
    """Reach-steps a second of Muskingum-Cunge with variable parameters."""
    tree = network(count)
    begun = time.perf_counter()
    router = Router(tree, HOUR)
    print(f"{tree.size} reaches in order after {time.perf_counter() - begun:.1f} s")
    draw = np.random.default_rng(4)
    lateral = draw.gamma(1.0, 0.2, (tree.size, 1, steps))
    state, mouth = (
        router.steady(lateral.mean(axis=2)),
        np.flatnonzero(np.isin(np.arange(tree.size), tree.source, invert=True)),
    )
    clock, processor = timed(lambda: router.run(state, lateral, keep=mouth))
    work = tree.size * steps
    print(f"{'muskingum-cunge':28s} {work / clock / 1e6:8.2f} million reach-steps a second on two cores, by the clock")
    print(f"{'':28s} {work / processor / 1e6:8.2f} million a second of one core's work")
    optional("river_route")
    peer = optional("muskingumcunge.reach")
    if peer is not None:
        reach = peer.BaseReach(100.0, 0.035, 5e-4, 8000.0, 40.0)
        inflow = 100.0 + 300.0 * np.exp(-0.5 * ((np.arange(2000.0) - 60) / 12) ** 2)
        rate = len(inflow) / timed(lambda: reach.route_hydrograph(inflow, 1.0), 1)[1]
        print(f"{'muskingumcunge':28s} {rate / 1e6:8.4f} million; ours is {work / processor / rate:.0f} times as fast")


def headline(count: int, members: int, days: int, names: tuple[str, ...]) -> None:
    """Sub-basins, members and days at hourly steps, rain to routed flow."""
    tree, draw = network(count), np.random.default_rng(5)
    router, steps, n = Router(tree, HOUR), 24 * days, tree.size
    storm = draw.gamma(0.5, 1.0, (n, 1)) * np.exp(-0.5 * ((np.arange(steps) - 60) / 12.0) ** 2)
    given = Weather(lambda member: storm * (0.5 + member / members), np.full((n, steps), 0.15))
    for name in names:
        model = MODELS[name]
        parameters = sets(model, n)
        parameters[:, :2] = 1.0
        delay = [each.name in ("x4", "base") for each in model.parameters].index(True)
        parameters[:, delay] = draw.uniform(4.0, 24.0, n)  # [h] of a sub-basin of some 140 km2
        basin = BasinModel(tree.codes, draw.uniform(60.0, 220.0, n), [Land(model, np.arange(n), parameters)], router)
        state = basin.begin()
        basin.run(state, given, keep=[0])
        begun, used = time.perf_counter(), time.process_time()
        basin.run(state, given, members=members, keep=np.arange(0, n, max(n // 100, 1)))
        clock, processor = time.perf_counter() - begun, time.process_time() - used
        print(
            f"{name:28s} {n} sub-basins x {members} members x {days} days hourly, routed: {clock:.1f} s by the clock, "
            f"{processor:.1f} s of processor time ({processor / 2:.1f} s on two free cores)"
        )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("runoff", "routing", "headline"))
    parser.add_argument("--series", type=int, default=512)
    parser.add_argument("--days", type=int, default=3650)
    parser.add_argument("--reaches", type=int, default=1_000_001)
    parser.add_argument("--steps", type=int, default=96)
    parser.add_argument("--sub-basins", type=int, default=13_001)
    parser.add_argument("--members", type=int, default=51)
    parser.add_argument("--models", default="gr5h,xinanjiang_h")
    chosen = parser.parse_args()
    if chosen.only in (None, "runoff"):
        runoff(chosen.series, chosen.days)
    if chosen.only in (None, "routing"):
        routing(chosen.reaches, chosen.steps)
    if chosen.only in (None, "headline"):
        headline(chosen.sub_basins, chosen.members, 10, tuple(chosen.models.split(",")))


if __name__ == "__main__":
    main()
