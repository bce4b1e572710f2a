"""Rainfall-runoff skill in years never calibrated on: python validation/runoff/runoff.py [--set camels_fr_14]

Each model is calibrated on the first half of each gauge's record and scored on the second, with one setting for all;
`mean` weights the models by their mean square error in the first half. Writes skill_SET.csv and
parameters_SET.json beside this file, prints medians, and exits with 1 where a tolerance is missed. Some ten minutes on
one core for the French rivers. Needs the data bundle (LIUYU_DATA).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from liuyu.basin.bundle import bundle_file
from liuyu.twin.runoff import DAILY, MODELS, Both, Forcing, both, fit, mean_of, warmed, weights_of

HERE = Path(__file__).resolve().parent
SETS = {"camels_fr_14": "basin", "severn_camels_gb_6": "gauge_id"}
LEAST = {"camels_fr_14": (0.88, 0.89), "severn_camels_gb_6": (0.92, 0.93)}  # medians of the best model, of the mean
HEADER = ("gauge", "model", "nse_calibration", "nse_validation", "kge_validation", "bias_validation")


def gauges(name: str) -> Iterator[tuple[str, Forcing, np.ndarray]]:
    """Gauge, its forcing and observed runoff [mm/d] of a set of the bundle."""
    by_gauge: dict[str, list[dict[str, str]]] = {}
    with gzip.open(bundle_file(f"rainfall_runoff/{name}/daily.csv.gz"), "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_gauge.setdefault(row[SETS[name]], []).append(row)
    for gauge, rows in by_gauge.items():
        column = {
            key: np.array([float(row[key] or "nan") for row in rows])
            for key in ("precip_mm", "pet_mm", "temp_c", "q_mm")
            if key in rows[0]
        }
        warmth = column["temp_c"][None] if "temp_c" in column else None
        days = [row["date"] for row in rows]
        yield gauge, Forcing(column["precip_mm"][None], column["pet_mm"][None], warmth, (gauge,), days), column["q_mm"]


def row_of(gauge: str, model: str, scores: Both) -> tuple[str, str, float, float, float, float]:
    """A line of the table."""
    seen, unseen = scores.calibration, scores.validation
    return gauge, model, seen.nse, unseen.nse, unseen.kge, unseen.bias


def main() -> None:
    """Calibrate, score, write the table, print its medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, default="camels_fr_14")
    parser.add_argument("--models", default=",".join(DAILY))
    parser.add_argument("--evaluations", type=int, default=6_000)
    arguments = parser.parse_args()
    table: dict[str, list[float]] = {}
    parameters: dict[str, dict[str, list[float]]] = {}
    with (HERE / f"skill_{arguments.set}.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(HEADER)
        for gauge, forcing, observed in gauges(arguments.set):
            halves = slice(0, len(observed) // 2), slice(len(observed) // 2, len(observed))
            runs = []
            for name in arguments.models.split(","):
                found = fit(MODELS[name], forcing, observed, halves[0], evaluations=arguments.evaluations)
                runs.append(warmed(found.model, forcing, found.parameters[None])[0])
                parameters.setdefault(gauge, {})[name] = found.parameters.tolist()
                line = row_of(gauge, name, both(runs[-1], observed, *halves))
                table.setdefault(name, []).append(line[3])
                out.writerow(line)
                print(*line, flush=True)
            mean = mean_of(runs, weights_of(runs, observed, halves[0]))
            line = row_of(gauge, "mean", both(mean, observed, *halves))
            table.setdefault("mean", []).append(line[3])
            out.writerow(line)
            print(*line, flush=True)
            file.flush()
    (HERE / f"parameters_{arguments.set}.json").write_text(json.dumps(parameters, indent=1) + "\n", encoding="utf-8")
    for name, values in table.items():
        print(f"{name}: median NSE {np.median(values):.3f}, 10th percentile {np.percentile(values, 10):.3f}")
    mean = float(np.median(table.pop("mean")))
    single = max(float(np.median(values)) for values in table.values())
    if single < LEAST[arguments.set][0] or mean < LEAST[arguments.set][1]:
        sys.exit(1)


if __name__ == "__main__":
    main()
