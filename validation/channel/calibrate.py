"""Calibrates the sections and the friction of the main stem on some seasons, and writes `shape.csv`.

    python validation/channel/calibrate.py [--rounds 5]

Damped Gauss-Newton on the levels of six gauges in June to September of 2020 (a record flood, from 20 July), 2022 (a
drought) and 2025; coarse in space and time (15 km, 6 h), which changes levels by less than is fitted. Bed, width, power
of the width and the yearly fall of the bed at six knots, friction and how it falls with depth between them, and the
share of 藕池口: all synthetic, so that the record is met; no survey stands behind them.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from damped import least
from main_stem import CHAINAGE, KNOTS, Floats, Season, Shape, records, run_lower

HERE = Path(__file__).parent
SEASONS = {
    "2020": ("2020-07-20", "2020-09-30"), "2021": ("2021-06-01", "2021-09-29"), "2022": ("2022-06-01", "2022-09-29"),
    "2023": ("2023-06-01", "2023-09-29"), "2025": ("2025-06-01", "2025-09-29"), "2026": ("2026-06-01", "2026-08-05"),
}  # fmt: skip
KNOWN = ("2020", "2022", "2025")  # the seasons that are learned from
SPREAD = np.repeat([4.0, 0.25, 0.7, 0.2, 0.05, 0.3, 0.3], [6, 6, 6, 5, 6, 5, 1])
STRAY = 0.01  # [m] what straying from the first guess by its spread costs
WEIGHT = {"宜昌": 0.4, "湖口": 0.6}  # of a gauge in the fit; 1 where none is given
SPIN_UP = 24  # steps that do not count
FIRST = Shape(
    bed=np.array([31.0, 22.0, 11.0, 2.5, -4.5, -9.5]),
    width=np.array([1100.0, 1100.0, 1100.0, 1250.0, 1900.0, 2300.0]),
    power=np.array([0.5, 0.25, 0.25, 0.33, 0.5, 0.25]),
    manning=np.array([0.018, 0.023, 0.016, 0.020, 0.021]),
    scour=np.zeros(6),
    deepening=np.zeros(5),
)


def season_of(year: str) -> Season:
    """The record of a season."""
    return records(*SEASONS[year])


def shape_of(x: Floats) -> Shape:
    """The shape of a vector of changes against the first guess."""
    power = np.clip(FIRST.power * np.exp(x[12:18]), 0.05, 1.5)
    return Shape(FIRST.bed + x[:6], FIRST.width * np.exp(x[6:12]), power, FIRST.manning * np.exp(x[18:23]), x[23:29],
                 x[29:34], FIRST.ouchi * float(np.exp(x[34])))  # fmt: skip


def misses(x: Floats, seasons: list[Season]) -> Floats:
    """Simulated less recorded levels [m] of every season and gauge, and how far the vector strays."""
    found = []
    for season in seasons:
        levels, _ = run_lower(shape_of(x), season, 15e3, 6)
        found += [
            WEIGHT.get(gauge, 1.0) * (each - season.level[gauge][6::6][: len(each)])[SPIN_UP:]
            for gauge, each in levels.items()
        ]
    weight = 1.0 / np.sqrt(sum(len(each) for each in found))
    stray = STRAY * x / SPREAD
    return np.concatenate([np.concatenate(found) * weight, stray])


def fit(seasons: list[Season], rounds: int, begin: Floats | None = None) -> Floats:
    """The vector that misses least."""

    def done(turn: int, x: Floats, miss: float) -> None:
        print(f"round {turn}: {miss:.4f} m with the pull to the first guess", flush=True)
        write(shape_of(x))

    return least(lambda x: misses(x, seasons), np.zeros(35) if begin is None else begin.copy(), rounds, 4, done)


def write(shape: Shape) -> None:
    """Keep a shape as `shape.csv`."""
    with (HERE / "shape.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(
            [
                "knot",
                "chainage_km",
                "bed_m",
                "width_m",
                "power",
                "manning_below",
                "deepening_below",
                "scour_m_per_year",
                "ouchi_share",
                "source",
            ]
        )
        for k, knot in enumerate(KNOTS):
            below = (f"{shape.manning[k]:.5f}", f"{shape.deepening[k]:.4f}") if k < len(shape.manning) else ("", "")
            values = (f"{shape.bed[k]:.3f}", f"{shape.width[k]:.1f}", f"{shape.power[k]:.4f}", *below)
            more = (f"{shape.scour[k]:.4f}", f"{shape.ouchi:.4f}")
            source = "synthetic, calibrated on recorded levels"
            rows.writerow([knot, f"{CHAINAGE[knot]:g}", *values, *more, source])


def read() -> Shape:
    """The shape of `shape.csv`."""
    with (HERE / "shape.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bed, width, power = (np.array([float(each[name]) for each in rows]) for name in ("bed_m", "width_m", "power"))
    scour = np.array([float(each.get("scour_m_per_year") or 0.0) for each in rows])
    manning, deepening = (
        np.array([float(each.get(name) or 0.0) for each in rows[:-1]]) for name in ("manning_below", "deepening_below")
    )
    return Shape(bed, width, power, manning, scour, deepening, float(rows[0].get("ouchi_share") or 0.13))


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=6)
    fit([season_of(each) for each in KNOWN], ask.parse_args().rounds)
