"""How good routed forecasts are in seasons that their calibration never saw, beside persistence and a ridge.

Run `python validation/routing/routing.py` with the data bundle at hand (LIUYU_DATA). It calibrates the network of the
package on the training periods below, issues a forecast every six hours of the held-out ones, prints root mean square
errors, writes them to `skill.csv` here,
and exits with 1 where the tolerance of README.md is missed. About two minutes on two cores. The model that is shipped
learned from every period; what it adds to routing is judged in `validation/forecast`.

The ridge regression sees what the twin sees: every level and flow now and 6, 12, 24, 48 and 72 h ago, trained on the
same periods. `known` gives the twin, beside what was known, the releases that Three Gorges then made: what is left is
not the dam's secret but the river's.
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_file
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.twin import RiverTwin, calibrate
from liuyu.twin.archive import Archive, months, read_archive, span
from liuyu.twin.course import flow_on, to_series
from liuyu.twin.fit import bridge, clean, fill, ridge
from liuyu.twin.hindcast import at_leads, issues
from liuyu.twin.model import read_network

Floats = NDArray[np.float64]
STATIONS = ("60107300", "60108300", "60111200", "60112200", "60113400", "62601600", "60115000")
LEADS = (24, 48, 72, 120, 168)
PAST = (6, 12, 24, 48, 72)
STEP_H = 6
RIDGE_PENALTY = 0.01
TOLERANCE = 1.15
TRAIN = (("2020-10-01", "2023-12-31"), ("2025-01-01", "2025-12-31"))
HELD_OUT = (("2020-07-28", "2020-09-30"), ("2026-08-01", "2026-08-22"))
HEAD: list[object] = ["station", "name", "lead_h", "n", "twin", "ridge", "persistence", "known_releases"]


def calibrated(basin: Basin) -> RiverTwin:
    """The routed twin alone, calibrated on the training periods."""
    with tempfile.TemporaryDirectory() as scratch:
        network = read_network(Path(basin.folder) / basin.model_file)
        network = msgspec.structs.replace(network, train=TRAIN, held_out=HELD_OUT, learned=None)
        file = Path(scratch) / "network.json"
        file.write_bytes(msgspec.json.encode(network))
        return RiverTwin(basin, calibrate(basin, bundle_file(basin.archive), Path(scratch) / "model", network=file))


def periods(archive: Archive, twin: RiverTwin) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Hours that train (season only) and hours that are held out."""
    model, basin = twin.model, twin.basin
    train, held_out = np.zeros(len(archive.time), bool), np.zeros(len(archive.time), bool)
    for start, end in model.held_out:
        held_out |= span(archive, start, end, basin)
    for start, end in model.train:
        train |= span(archive, start, end, basin)
    month = months(archive, basin)[1]
    return train & ~held_out & (month >= model.season[0]) & (month <= model.season[1]), held_out


def by_ridge(filled: Floats, place: NDArray[np.int64], train: NDArray[np.bool_], test: NDArray[np.int64], row: int,
             lead: int) -> Floats:  # fmt: skip
    """The value at a lead by ridge regression on the past 72 h of every series: (len(test),)."""

    def features(where: NDArray[np.int64]) -> Floats:
        now = filled[:, where]
        past = [now - filled[:, where - hours] for hours in PAST]
        return np.concatenate([now, *past]).T

    learn = place[train[place] & (place + lead < filled.shape[1])]
    target = filled[row, learn + lead] - filled[row, learn]
    weights = ridge(features(learn), target[:, None], RIDGE_PENALTY)
    return np.asarray(filled[row, test] + (features(test) @ weights[:-1] + weights[-1])[:, 0], np.float64)


def forecasts(
    twin: RiverTwin, archive: Archive, filled: Floats, held_out: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Hours of issue in the held-out periods; medians (issues, series, hours) as issued and with the releases known."""
    dam = twin.reservoir_places["three_gorges"]
    releases = filled[twin.plumbing.flow_row[dam]]
    first = max(int(np.flatnonzero(held_out).min()) - twin.model.history_h, 0)
    known = issues(Archive(archive.time[first:], archive.value[:, first:]), twin.plumbing, STEP_H)
    inside = [number for number, place in enumerate(known.place + first) if held_out[place]]
    test = known.place[inside] + first
    issued, informed = (np.empty((len(inside), len(twin.model.series), twin.model.horizon_h)) for _ in range(2))
    for number, issue in enumerate(inside):
        outlook = twin.ahead(known.presents[issue])
        later = np.minimum(test[number] + 1 + np.arange(twin.model.horizon_h), filled.shape[1] - 1)
        course = flow_on(outlook.here, twin.plumbing, outlook.ahead, {dam: releases[later]})
        issued[number] = outlook.median
        informed[number] = outlook.median + to_series(course, outlook.here, twin.plumbing) - outlook.base
    return test, issued, informed


def main() -> int:
    """Compute, print, write, judge."""
    twin = calibrated(read_basin(find_basin("yangtze")))
    archive = read_archive(bundle_file(twin.basin.archive), twin.basin, twin.model.series)
    cleaned = clean(archive.value, twin.model.series)
    filled = np.stack([fill(each) for each in cleaned])
    train, held_out = periods(archive, twin)
    test, issued, informed = forecasts(twin, archive, filled, held_out)
    truth = at_leads(bridge(cleaned, 6), test, LEADS)
    every = np.arange(twin.model.history_h, filled.shape[1], STEP_H)
    rows, missed = [], []
    for station in STATIONS:
        row = twin.plumbing.row[station, "water_level"]
        for number, lead in enumerate(LEADS):
            real = truth[:, row, number]
            ok = np.isfinite(real)
            guesses = (
                issued[:, row, lead - 1],
                by_ridge(filled, every, train, test, row, lead),
                filled[row, test],
                informed[:, row, lead - 1],
            )
            scores = [float(np.sqrt(np.mean((each[ok] - real[ok]) ** 2))) for each in guesses]
            name = twin.basin.station_by_code[station].name_en
            rows.append([station, name, lead, int(ok.sum()), *(f"{each:.3f}" for each in scores)])
            if scores[0] > TOLERANCE * min(scores[1], scores[2]):
                missed.append(f"{station} at {lead} h")
    tell([HEAD, *rows])
    ratio = np.median([float(str(each[4])) / float(str(each[5])) for each in rows])
    print(f"median of twin / ridge: {ratio:.3f}; outside the tolerance: {', '.join(missed) or 'none'}")
    return 1 if missed else 0


def tell(rows: list[list[object]]) -> None:
    """Print the table and write it."""
    with (Path(__file__).parent / "skill.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    for each in rows:
        print("".join(f"{cell!s:>15}" for cell in each))


if __name__ == "__main__":
    sys.exit(main())
