"""Rainfall-runoff: basin-days a second on one core for each model, the balance of every step checked.

    python benchmarks/runoff.py [--series 512] [--days 3650]

`pip install grsuite` to compare with its compiled GR4J, which also keeps the inner variables of every day; it runs in
the same process on the same weather. Read the ratios: machines differ.
"""

from __future__ import annotations

import argparse
import importlib.util
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.runoff import MODELS, Forcing, RunoffModel, simulate

Floats = NDArray[np.float64]


def best(work: Callable[[], object], times: int = 3) -> float:
    """Least of some timings [s], after one run that compiles."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def weather(rows: int, days: int, *, snow: bool) -> Forcing:
    """Rain, evaporation and temperature of a temperate climate."""
    draw = np.random.default_rng(1)
    season = np.cos(2 * np.pi * np.arange(days) / 365.25)
    warmth = 9.0 - 8.0 * season + draw.normal(0.0, 3.0, (rows, days))
    pet = np.tile(2.0 - 1.7 * season, (rows, 1))
    return Forcing(draw.gamma(0.3, 9.0, (rows, days)), pet, warmth if snow else None)


def sets(model: RunoffModel, count: int) -> Floats:
    """Parameter sets from the middle of the ranges, where a calibrated model mostly lies."""
    draw = np.random.default_rng(2).random((count, len(model.parameters)))
    out = np.empty_like(draw)
    for place, each in enumerate(model.parameters):
        x = 0.3 + 0.4 * draw[:, place]
        wide = each.logarithmic
        out[:, place] = each.low * (each.high / each.low) ** x if wide else each.low + (each.high - each.low) * x
    return out


def own(series: int, days: int) -> dict[str, float]:
    """Basin-days a second of every model, without snow and with it."""
    rates = {}
    for snow in (False, True):
        forcing = weather(series, days, snow=snow)
        for name, model in MODELS.items():
            parameters = sets(model, series)
            taken = best(lambda m=model, f=forcing, p=parameters: simulate(m, f, p))  # type: ignore[misc]
            rates[name + (" with snow" if snow else "")] = series * days / taken
    return rates


def peer(series: int, days: int) -> tuple[float, float] | None:
    """Basin-days a second of GR4J in grsuite, where it is installed, and how far the two differ [mm]."""
    if importlib.util.find_spec("grsuite") is None:
        return None
    from grsuite._kernels import run_gr4j  # noqa: PLC0415 - an optional peer

    forcing, model = weather(series, days, snow=False), MODELS["gr4j"]
    parameters = sets(model, series)
    parameters[:, :2] = 1.0  # no correction of rain and evaporation
    theirs = np.empty((series, days))

    def run() -> None:
        for place in range(series):
            x1, x3 = parameters[place, 6], parameters[place, 8]
            begin = np.zeros(67)
            begin[:2] = 0.3 * x1, 0.5 * x3
            out, _ = run_gr4j(forcing.precipitation[place], forcing.pet[place], parameters[place, 6:], begin)
            theirs[place] = out[:, -1]

    rate = series * days / best(run)
    return rate, float(abs(theirs - simulate(model, forcing, parameters)[0]).max())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=512)
    parser.add_argument("--days", type=int, default=3650)
    arguments = parser.parse_args()
    rates = own(arguments.series, arguments.days)
    other = peer(min(arguments.series, 128), arguments.days)
    for name, rate in rates.items():
        print(f"{name:22s} {rate / 1e6:8.2f} million basin-days a second")
    if other:
        ratio = rates["gr4j"] / other[0]
        print(f"{'grsuite gr4j':22s} {other[0] / 1e6:8.2f} million; ours is {ratio:.1f} times as fast")
        print(f"greatest difference of the two {other[1]:.1e} mm/d")


if __name__ == "__main__":
    main()
