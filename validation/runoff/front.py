"""What a front of three objectives is worth in years not calibrated on: python validation/runoff/front.py

Three French rivers, one that rains, one that snows and one on chalk; GR6J, 12,000 runs, seed 1, first half against the
second, as in runoff.py. Beside the ends and the compromise stands the plain calibration. Writes front.csv, and
front_GAUGE.svg of each front. Needs the data bundle (LIUYU_DATA).
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from runoff import gauges

from liuyu.twin.runoff import find_model, fit, warmed
from liuyu.twin.runoff.figure import front_picture
from liuyu.twin.runoff.fronts import find_objectives, fit_front, losses_of

RIVERS = ("B222001001", "X031001001", "E645651001")
MODEL = "gr6j"
HERE = Path(__file__).resolve().parent


def main() -> None:
    """Find the fronts, write the table and the pictures."""
    model, objectives, rows = find_model(MODEL), find_objectives("nse,log_nse,bias"), []
    names = [each.name for each in objectives]
    record = {name: (forcing, observed) for name, forcing, observed in gauges("camels_fr_14")}
    for river in RIVERS:
        forcing, observed = record[river]
        half = len(observed) // 2
        parts = slice(0, half), slice(half, len(observed))
        found = fit_front(model, forcing, observed, parts[0], objectives)
        plain = fit(model, forcing, observed, parts[0])
        every = np.vstack([found.parameters, plain.parameters])
        runs = warmed(model, forcing, every, known=half)
        losses = [losses_of(objectives, runs[:, part], observed[part]) for part in parts]
        shown = [np.array([[o.shown(float(x)) for o, x in zip(objectives, row, strict=True)] for row in each])
                 for each in losses]  # fmt: skip
        places = {f"best {name}": int(np.argmin(losses[0][:-1, k])) for k, name in enumerate(names)}
        for what, place in {**places, "compromise": found.chosen, "plain": len(every) - 1}.items():
            rows.append((river, what, *(f"{x:.4f}" for each in shown for x in each[place])))
            print(*rows[-1], flush=True)
        title = f"{river}  {MODEL}  validation/runoff/front.py"
        picture = front_picture(names, (shown[0][:-1], shown[1][:-1]), found.chosen, title)
        (HERE / f"front_{river}.svg").write_text(picture, encoding="utf-8")
    head = ("gauge", "point", *(f"{name}_{part}" for part in ("calibration", "validation") for name in names))
    with (HERE / "front.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main()
