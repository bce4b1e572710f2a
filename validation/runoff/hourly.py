"""Hourly models in hours never calibrated on: python validation/runoff/hourly.py

Two rivers of the bundle: Bubry Creek (920 km2, three years to calibrate on and two to score) and the Wye at Cefn Brwyn
(11 km2, April 1987 to March 1988, and the nine months after). The Wye has no evaporation; a sine of mean 1.3 mm/d
stands in for it. Writes hourly.csv. Needs the data bundle (LIUYU_DATA).
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liuyu.basin.bundle import bundle_file
from liuyu.twin.runoff import HOURLY, MODELS, Forcing, both, fit, mean_of, warmed, weights_of

FOLDER = "rainfall_runoff"


def rivers() -> Iterator[tuple[str, Forcing, np.ndarray, int]]:
    """Name, forcing, runoff [mm/h], and the hour at which validation begins."""
    with gzip.open(bundle_file(f"{FOLDER}/airgr_hourly_L0123003/hourly.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rain, pet, flow = (np.array([float(row[name]) for row in rows]) for name in ("precip_mm", "pet_mm", "q_mm"))
    yield "Bubry", Forcing(rain[None], pet[None]), flow, [row["time"][:4] for row in rows].index("2007")
    with bundle_file(f"{FOLDER}/wye_cefn_brwyn_hourly/hourly.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["time"] >= "1987-04"]
    rain, flow = (np.array([float(row[name]) for row in rows]) for name in ("precip_mm", "q_mm"))
    day = np.arange(len(rows)) / 24.0 + 90.0
    pet = (1.3 - 1.1 * np.cos(2.0 * np.pi * (day - 20.0) / 365.25)) / 24.0
    yield "Wye", Forcing(rain[None], pet[None]), flow, [row["time"][:7] for row in rows].index("1988-04")


def main() -> None:
    """Calibrate each model and their mean, print and write the table."""
    table = []
    for river, forcing, flow, cut in rivers():
        parts, runs = (slice(0, cut), slice(cut, len(flow))), []
        for name in HOURLY:
            found = fit(MODELS[name], forcing, flow, parts[0])
            runs.append(warmed(found.model, forcing, found.parameters[None], known=cut)[0])
            scores = both(runs[-1], flow, *parts)
            table.append((river, name, scores.calibration.nse, scores.validation.nse, scores.validation.kge,
                          scores.validation.bias))  # fmt: skip
            print(*table[-1], flush=True)
        scores = both(mean_of(runs, weights_of(runs, flow, parts[0])), flow, *parts)
        table.append((river, "mean", scores.calibration.nse, scores.validation.nse, scores.validation.kge,
                      scores.validation.bias))  # fmt: skip
        print(*table[-1], flush=True)
    head = ("river", "model", "nse_calibration", "nse_validation", "kge_validation", "bias_validation")
    with Path(__file__).with_name("hourly.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *table])


if __name__ == "__main__":
    main()
