"""How well an ungauged sub-basin is simulated: python validation/runoff/transfer.py

Each French gauge in turn is taken as ungauged and runs with the parameters of the one that it resembles most, by place,
size, height and climate, as runoff.py found them (parameters_camels_fr_14.json); the plain mean of the models is scored
on the second half of the record. Writes transfer.csv, prints the median, exits with 1 below the tolerance. Needs the
data bundle (LIUYU_DATA).
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from runoff import gauges

from liuyu.basin.bundle import bundle_file
from liuyu.twin.runoff import DAILY, MODELS, Fitted, Forcing, score
from liuyu.twin.runoff.transfer import climate, donors, transferred

HERE = Path(__file__).resolve().parent
LEAST = 0.75
DONORS = 1


def attributes(row: dict[str, str], forcing: Forcing) -> NDArray[np.float64]:
    """Longitude, latitude, logarithms of area and of median height, and the climate."""
    place = [float(row["lon"]), float(row["lat"]), 0.5 * np.log(float(row["area_km2"])), np.log(float(row["z_med"]))]
    return np.concatenate([place, climate(forcing)])


def main() -> int:
    """Leave each out, simulate it, score."""
    found = json.loads((HERE / "parameters_camels_fr_14.json").read_text(encoding="utf-8"))
    with bundle_file("rainfall_runoff/camels_fr_14/basins.csv").open(encoding="utf-8") as file:
        table = {row["code"]: row for row in csv.DictReader(file)}
    every = list(gauges("camels_fr_14"))
    space = np.stack([attributes(table[name], forcing) for name, forcing, _ in every])
    rows = []
    for place, (name, forcing, observed) in enumerate(every):
        others = np.delete(np.arange(len(every)), place)
        nearest, weights = donors(space[others], space[place], DONORS)
        givers = [every[others[each]][0] for each in nearest]
        runs = [
            transferred(forcing, [Fitted(MODELS[m], np.array(found[g][m]), 1, 0, 0.0) for g in givers], weights)
            for m in DAILY
        ]
        half = len(observed) // 2
        scores = score(np.mean(runs, axis=0)[half:], observed[half:])
        rows.append((name, " ".join(givers), scores.nse, scores.kge, scores.bias))
        print(*rows[-1])
    with (HERE / "transfer.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("gauge", "donors", "nse", "kge", "bias"), *rows])
    median = float(np.median([row[2] for row in rows]))
    print(f"median NSE {median:.3f}, KGE {np.median([row[3] for row in rows]):.3f}")
    return 1 if median < LEAST else 0


if __name__ == "__main__":
    sys.exit(main())
