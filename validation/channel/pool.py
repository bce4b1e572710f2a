"""Calibrates the sections and the friction of the reservoir, 寸滩 to the dam, and writes `pool.csv`.

    python validation/channel/pool.py [--rounds 6]

Damped Gauss-Newton on recorded levels of 寸滩, and of 万县 where there are any, in the seasons of KNOWN, with the
record of the forebay as the lower end; and on the storage curve of the package (145, 161.81 and 175 m), so that the
pool holds what it must. What comes in ungauged follows from the reservoir's own balance (`drivers.toml`). All of it is
synthetic.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from calibrate import KNOWN, read, season_of
from damped import least
from main_stem import POOL, UPPER, Floats, Pool, Season, run, upper, upper_reach, whole

from liuyu.twin.channel import Network
from liuyu.twin.channel.drivers import held_by

HERE = Path(__file__).parent

STORAGE = ((145.0, 17.15e9), (161.81, 27.521e9), (175.0, 39.3e9))  # [m], [m³]: curves.csv of the package
STRAY, SPIN_UP = 0.02, 24


def pool_of(x: Floats) -> Pool:
    """The sections of a vector of changes against the first guess."""
    return Pool(
        POOL.bed + x[:4], POOL.width * np.exp(x[4:8]), POOL.manning * np.exp(x[8:12]),
        float(np.clip(POOL.power + x[12], 0.05, 1.5)), float(x[13]),
    )  # fmt: skip


def misses(x: Floats, seasons: list[Season]) -> Floats:
    """Simulated less recorded levels [m], how far the pool's storage is off, and how far the vector strays."""
    pool = pool_of(x)
    found = []
    for season in seasons:
        levels, _ = run(upper(whole(read(), pool, season, 15e3), season), season, 6)
        for gauge, weight in (("寸滩", 1.0), ("万县", 1.0)):
            seen = season.level[gauge][6::6][: len(levels[gauge])]
            apart = weight * (levels[gauge] - seen)[SPIN_UP:]
            found.append(apart[np.isfinite(apart)])
    held = held_by(Network(reaches=(upper_reach(pool),)), "库区")
    level, volume = (np.array(each) for each in zip(*STORAGE, strict=True))
    short = np.diff(held(level)) / np.diff(volume) - 1.0
    stray = np.concatenate([x[:4] / 6.0, x[4:8] / 0.4, x[8:12] / 0.3, x[12:13] / 0.3, x[13:] / 0.2]) * STRAY
    return np.concatenate([np.concatenate(found) / np.sqrt(sum(map(len, found))), 5.0 * short, stray])


def fit(seasons: list[Season], rounds: int) -> Floats:
    """The vector that misses least."""

    def done(turn: int, _: Floats, miss: float) -> None:
        print(f"round {turn}: {miss:.4f}", flush=True)

    return least(lambda x: misses(x, seasons), np.zeros(14), rounds, 5, done)


def write(pool: Pool) -> None:
    """Keep it as `pool.csv`."""
    with (HERE / "pool.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["knot", "chainage_km", "bed_m", "width_m", "manning", "power", "deepening", "source"])
        for k, (knot, x) in enumerate(UPPER.items()):
            values = (f"{pool.bed[k]:.3f}", f"{pool.width[k]:.1f}", f"{pool.manning[k]:.5f}", f"{pool.power:.4f}")
            source = "synthetic, calibrated on recorded levels and on the storage curve"
            rows.writerow([knot, f"{x:g}", *values, f"{pool.deepening:.4f}", source])


def read_pool() -> Pool:
    """The sections of `pool.csv`."""
    with (HERE / "pool.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    bed, width, manning = (np.array([float(each[name]) for each in rows]) for name in ("bed_m", "width_m", "manning"))
    return Pool(bed, width, manning, float(rows[0]["power"]), float(rows[0]["deepening"]))


if __name__ == "__main__":
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--rounds", type=int, default=6)
    write(pool_of(fit([season_of(each) for each in KNOWN], ask.parse_args().rounds)))
