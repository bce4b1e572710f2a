"""Kalman on Muskingum states against autoregression, on reaches of the Yangtze in seasons not learned from.

Run `python validation/reaches/reaches.py` with the data bundle (LIUYU_DATA). A reach is fitted, its filter tuned, its
autoregression learned on the flood seasons of 2021 and 2022; 2023 and 2025 are scored. The upper gauge is taken as
known ahead, so that what is compared is the correction and not the guess of the inflow. Writes skill.csv, prints the
table, and exits with 1 where neither correction beats the open run.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_file
from liuyu.basin.package import find_basin, read_basin
from liuyu.twin.archive import read_archive, span
from liuyu.twin.fit import bridge, clean
from liuyu.twin.river import load
from liuyu.twin.routing import fit_reach, forecasts, open_run, tune
from liuyu.twin.runoff.correct import autoregressive, choose

Floats = NDArray[np.float64]
REACHES = (
    ("60107300", "60108300", "Yichang to Shashi"),
    ("60112200", "60113400", "Hankou to Jiujiang"),
    ("60113400", "60115000", "Jiujiang to Datong"),
)
LEADS = (6, 12, 24, 48, 72)
LEARN = (("2021-05-01", "2021-10-31"), ("2022-05-01", "2022-10-31"))
TEST = (("2023-05-01", "2023-10-31"), ("2025-05-01", "2025-10-31"))
HEAD = ("reach", "lead_h", "n", "open", "persistence", "ar", "kalman", "chosen")


def main() -> int:
    """Fit, forecast, compare, write."""
    basin = read_basin(find_basin("yangtze"))
    series = tuple(each for each in load(basin).model.series if each.quantity == "discharge")
    archive = read_archive(bundle_file(basin.archive), basin, series)
    value = dict(zip((each.station for each in series), bridge(clean(archive.value, series), 12), strict=True))
    seasons = [np.flatnonzero(span(archive, *each, basin)) for each in (*LEARN, *TEST)]
    join = np.concatenate(seasons)
    learn = slice(0, sum(len(each) for each in seasons[: len(LEARN)]))
    test = slice(learn.stop, len(join))
    rows: list[tuple[object, ...]] = []
    for upper, lower, name in REACHES:
        inflow, outflow = _filled(value[upper][join]), value[lower][join]
        reach = fit_reach(inflow, outflow, learn, travels=np.arange(4.0, 61.0, 2.0), weights=(0.0, 0.1, 0.2, 0.3))
        noise = tune(inflow, outflow, reach, LEADS, learn)
        routed = open_run(inflow, reach)
        ways = {
            "ar": autoregressive(routed, outflow, LEADS, learn),
            "kalman": forecasts(inflow, outflow, reach, noise, LEADS),
        }
        _, choices = choose(ways, outflow, LEADS, learn)
        print(name, reach, noise)
        for row, (lead, choice) in enumerate(zip(LEADS, choices, strict=True)):
            late = np.concatenate([np.full(lead, np.nan), outflow[:-lead]])
            tried = (routed, late, ways["ar"][row], ways["kalman"][row])
            there = np.isfinite(outflow[test]) & np.all([np.isfinite(each[test]) for each in tried], axis=0)
            error = [float(np.sqrt(np.mean((each[test] - outflow[test])[there] ** 2))) for each in tried]
            rows.append((name, lead, int(there.sum()), *(f"{each:.0f}" for each in error), choice.name))
    with (Path(__file__).parent / "skill.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([HEAD, *rows])
    for each in (HEAD, *rows):
        print("".join(f"{cell!s:>20}" for cell in each))
    return 1 if any(min(float(str(each[5])), float(str(each[6]))) > float(str(each[3])) for each in rows) else 0


def _filled(flow: Floats) -> Floats:
    """Gaps bridged by a line."""
    there = np.isfinite(flow)
    return np.interp(np.arange(len(flow)), np.flatnonzero(there), flow[there])


if __name__ == "__main__":
    sys.exit(main())
