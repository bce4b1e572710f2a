"""Semi-distributed against lumped on the nested gauges of the Severn: python validation/runoff/nested.py [--model hbv]

Gauges are calibrated from the springs down on the first half of the record; the second is scored. An interval's weather
is what remains of the whole area's when the gauges above are taken away. Prints Nash-Sutcliffe efficiencies of both and
writes nested.csv. Needs the data bundle (LIUYU_DATA).
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from runoff import gauges

from liuyu.basin.bundle import bundle_file
from liuyu.twin.runoff import Forcing, both, find_model, fit, warmed
from liuyu.twin.runoff.nested import Gauge, fit_nested

ORDER = ("54095", "54001", "54029", "54032", "54002", "54057")


def severn() -> list[Gauge]:
    """The six gauges, each after those above it."""
    with bundle_file("rainfall_runoff/severn_camels_gb_6/basins.csv").open(encoding="utf-8") as file:
        table = {row["gauge_id"]: row for row in csv.DictReader(file)}
    record = {name: (forcing, observed) for name, forcing, observed in gauges("severn_camels_gb_6")}
    out = []
    for name in ORDER:
        above = tuple(ORDER.index(each) for each in ORDER if table[each]["downstream_id"] == name)
        whole = float(table[name]["area"])
        forcing, observed = record[name]
        rain, pet = forcing.precipitation * whole, forcing.pet * whole
        for each in above:
            area = float(table[ORDER[each]]["area"])
            rain = rain - area * record[ORDER[each]][0].precipitation
            pet = pet - area * record[ORDER[each]][0].pet
        own = whole - sum(float(table[ORDER[each]]["area"]) for each in above)
        weather = Forcing(np.maximum(rain / own, 0.0), np.maximum(pet / own, 0.0), None, (name,), forcing.times)
        far = tuple(float(table[ORDER[each]]["distance_downstream"]) for each in above)
        out.append(Gauge(name, above, far, whole, weather, observed))
    return out


def main() -> None:
    """Calibrate both ways, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="hbv")
    parser.add_argument("--evaluations", type=int, default=4_000)
    chosen = parser.parse_args()
    model, chain = find_model(chosen.model), severn()
    half = len(chain[0].observed) // 2
    halves = slice(0, half), slice(half, len(chain[0].observed))
    lumped = {name: (forcing, observed) for name, forcing, observed in gauges("severn_camels_gb_6")}
    rows = []
    for gauge, interval in zip(chain, fit_nested(model, chain, halves[0], evaluations=chosen.evaluations), strict=True):
        forcing, observed = lumped[gauge.name]
        whole = fit(model, forcing, observed, halves[0], evaluations=chosen.evaluations)
        alone = both(warmed(model, forcing, whole.parameters[None])[0], observed, *halves).validation.nse
        nested = both(interval.simulated, observed, *halves).validation.nse
        rows.append((gauge.name, model.name, alone, nested, round(interval.velocity, 2) if gauge.above else ""))
        print(*rows[-1], flush=True)
    with Path(__file__).with_name("nested.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("gauge", "model", "lumped", "nested", "velocity_ms"), *rows])


if __name__ == "__main__":
    main()
