"""Calibrates the sections and the friction of the main stem on some seasons, and writes `shape.csv`.

    python validation/channel/calibrate.py [--rounds 6]

Damped Gauss-Newton on the levels of six gauges in June to September of 2020 (a record flood, from 20 July),
2022 (a drought) and 2025; coarse in space and time
(15 km, 6 h), which changes levels by less than is fitted. Bed, width, power of the width at six knots and friction
between them: all synthetic, so that the record is met; no survey stands behind them.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from main_stem import CHAINAGE, KNOTS, Floats, Season, Shape, records, run_lower

HERE = Path(__file__).parent
SEASONS = (("2020-07-20", "2020-09-30"), ("2022-06-01", "2022-09-29"), ("2025-06-01", "2025-09-29"))
SPIN_UP = 24  # steps that do not count
FIRST = Shape(
    bed=np.array([31.0, 22.0, 11.0, 2.5, -4.5, -9.5]),
    width=np.array([1100.0, 1100.0, 1100.0, 1250.0, 1900.0, 2300.0]),
    power=np.array([0.5, 0.25, 0.25, 0.33, 0.5, 0.25]),
    manning=np.array([0.018, 0.023, 0.016, 0.020, 0.021]),
)


def shape_of(x: Floats) -> Shape:
    """The shape of a vector of changes against the first guess."""
    power = np.clip(FIRST.power * np.exp(x[12:18]), 0.05, 1.5)
    return Shape(FIRST.bed + x[:6], FIRST.width * np.exp(x[6:12]), power, FIRST.manning * np.exp(x[18:23]))


def misses(x: Floats, seasons: list[Season]) -> Floats:
    """Simulated less recorded levels [m] of every season and gauge, and how far the vector strays."""
    found = []
    for season in seasons:
        levels, _ = run_lower(shape_of(x), season, 15e3, 6)
        found += [(each - season.level[gauge][6::6][: len(each)])[SPIN_UP:] for gauge, each in levels.items()]
    weight = 1.0 / np.sqrt(sum(len(each) for each in found))
    stray = np.concatenate([x[:6] / 4.0, x[6:12] / 0.4, x[12:18] / 0.7, x[18:] / 0.3]) * 0.006
    return np.concatenate([np.concatenate(found) * weight, stray])


def fit(seasons: list[Season], rounds: int) -> Floats:
    """The vector that misses least."""
    x = np.zeros(23)
    miss, damping = misses(x, seasons), 1e-3
    for turn in range(rounds):
        slopes = np.empty((len(miss), len(x)))
        for k in range(len(x)):
            moved = x.copy()
            moved[k] += 0.02
            slopes[:, k] = (misses(moved, seasons) - miss) / 0.02
        square = slopes.T @ slopes
        for _ in range(4):
            trial = x - np.linalg.solve(square + damping * np.eye(len(x)), slopes.T @ miss)
            tried = misses(trial, seasons)
            if tried @ tried < miss @ miss:
                x, miss, damping = trial, tried, damping / 4.0
                break
            damping *= 8.0
        print(f"round {turn + 1}: {np.sqrt(miss @ miss):.4f} m with the pull to the first guess", flush=True)
        write(shape_of(x))
    return x


def write(shape: Shape) -> None:
    """Keep a shape as `shape.csv`."""
    with (HERE / "shape.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["knot", "chainage_km", "bed_m", "width_m", "power", "manning_below", "source"])
        for k, knot in enumerate(KNOTS):
            friction = f"{shape.manning[k]:.5f}" if k < len(shape.manning) else ""
            values = (f"{shape.bed[k]:.3f}", f"{shape.width[k]:.1f}", f"{shape.power[k]:.4f}", friction)
            rows.writerow([knot, f"{CHAINAGE[knot]:g}", *values, "synthetic, calibrated on recorded levels"])


def read() -> Shape:
    """The shape of `shape.csv`."""
    with (HERE / "shape.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bed, width, power = (np.array([float(each[name]) for each in rows]) for name in ("bed_m", "width_m", "power"))
    return Shape(bed, width, power, np.array([float(each["manning_below"]) for each in rows[:-1]]))


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=6)
    fit([records(*each) for each in SEASONS], ask.parse_args().rounds)
