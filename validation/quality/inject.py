"""Recall and precision on faults that are put into the archive by a seeded draw.

    python validation/quality/inject.py [--seed 1] [--each 60] [--basin yangtze]

Each fault is laid on a stretch of a station that has neither labels nor flags nearby: spikes of 0.3 to 3 m (or 30 % to
ten times the discharge), values ten and a hundred times too large, offsets, drifts and stuck sensors of 6 to 72 hours.
A stuck sensor is counted only where the river moved by 0.3 m meanwhile: elsewhere nobody could tell. What is flagged
outside the faults and the labels, and was not flagged without them, is false. Exits with 1 where the tolerance of
README.md is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from score import ARCHIVE, labels

from liuyu.basin.bundle import bundle_file
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.quality import check_file

LEAST_PRECISION, LEAST_UNITS = 0.90, 0.95
SIZES: dict[str, tuple[float, ...]] = {
    "spike": (0.3, 0.5, 1.0, 3.0),
    "offset": (0.3, 0.5, 1.0, 3.0),
    "drift": (0.5, 1.0, 3.0),
    "stuck": (12, 24, 48),
    "times": (10, 100),
}
LENGTHS: dict[str, tuple[int, ...]] = {"offset": (6, 24, 72), "drift": (12, 48), "times": (1, 6, 24)}


def faulty(value: np.ndarray, kind: str, size: float) -> np.ndarray:
    """Values with a fault laid on them. A drift grows evenly to its size [m]; a stuck sensor keeps its first value."""
    if kind == "stuck":
        return np.full(len(value), value[0])
    if kind == "times":
        return value * size
    if kind == "drift":
        return value + np.linspace(size / len(value), size, len(value))
    return value + size


def near_labels(data: pd.DataFrame) -> np.ndarray:
    """True for rows within five days of a label at their station."""
    near, days = np.zeros(len(data), bool), pd.Timedelta("5D")
    for row in labels().itertuples():
        near |= ((data.stcd == row.stcd) & data.time_cst.between(row.start - days, row.end + days)).to_numpy()
    return near


def draw(data: pd.DataFrame, each: int, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The archive with faults, and one row for every faulty value: row, column, kind, size, length."""
    rng = np.random.default_rng(seed)
    taken, marks = near_labels(data), []
    values = {column: data[column].to_numpy(float).copy() for column in ("z_m", "q_m3s")}
    hours = data.time_cst.to_numpy("datetime64[s]").astype(np.int64) / 3600
    station = data.stcd.to_numpy(str)
    plan = [
        (kind, size, length)
        for kind, sizes in SIZES.items()
        for size in sizes
        for length in LENGTHS.get(kind, (int(size),) if kind == "stuck" else (1,))
        for _ in range(each)
    ]
    for kind, size, length in plan:
        column = "q_m3s" if kind == "times" else "z_m"
        for at in rng.integers(40, len(data) - length - 40, size=400):
            rows, around = np.arange(at, at + length), slice(at - 36, at + length + 36)
            before, close = values[column][rows], slice(at - 3, at + length + 3)
            if taken[around].any() or station[around.start] != station[around.stop - 1]:
                continue
            if np.isnan(values[column][close]).any() or np.diff(hours[close]).max() > 3:
                continue
            if kind == "stuck" and np.ptp(before) < 0.3:
                continue
            sign = 1.0 if kind in ("stuck", "times") or rng.random() < 0.5 else -1.0
            values[column][rows] = np.round(faulty(before, kind, sign * size), 3)
            taken[around] = True
            marks += [(row, column, kind, size, length) for row in (rows[1:] if kind == "stuck" else rows)]
            break
    return data.assign(**values), pd.DataFrame(marks, columns=["row", "column", "kind", "size", "length"])


def main() -> int:
    """Print recall by kind, size and length, and precision; returns the exit code."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--each", type=int, default=60)
    options.add_argument("--basin", default="")
    given = options.parse_args()
    basin = read_basin(find_basin(given.basin)) if given.basin else None
    folder = Path(tempfile.mkdtemp())
    data = pd.read_parquet(bundle_file(ARCHIVE))
    data["stcd"] = data.stcd.astype(str)
    data = data.sort_values(["stcd", "time_cst"], ignore_index=True)
    worse, marks = draw(data, given.each, given.seed)
    worse.to_parquet(folder / "worse.parquet")
    check_file(bundle_file(ARCHIVE), folder / "before.csv", basin)
    check_file(folder / "worse.parquet", folder / "after.csv", basin)
    read = {"dtype": {"stcd": str, "test": str}, "parse_dates": ["time"], "keep_default_na": False}
    before, after = (pd.read_csv(folder / f"{name}.csv", **read) for name in ("before", "after"))
    marks["stcd"], marks["time"] = data.stcd.loc[marks.row].to_numpy(), data.time_cst.loc[marks.row].to_numpy()
    marks["quantity"] = marks.column.map({"z_m": "water_level", "q_m3s": "discharge"})
    key = ["stcd", "time", "quantity"]
    found = marks.merge(after[[*key, "flag", "test"]], on=key, how="left")
    found["hit"] = found.flag.isin([3, 4])
    found["event"] = (found.row.diff() != 1) | (found.kind != found.kind.shift())
    found["event"] = found.event.cumsum()
    table = found.groupby(["kind", "size", "length"]).agg(values=("hit", "size"), recall=("hit", "mean"))
    events = found.groupby(["kind", "size", "length", "event"]).hit.any().groupby(["kind", "size", "length"]).mean()
    print(table.assign(events_seen=events).round(3).to_string())
    print(found.groupby("kind").hit.agg(["size", "mean"]).round(3).to_string())
    flagged = after[after.flag.isin([3, 4])].merge(before[[*key, "flag"]], on=key, suffixes=("", "_before"))
    new = flagged[flagged.flag_before == 1].merge(marks[key].assign(mark=1), on=key, how="left")
    hits, false = int((new.mark == 1).sum()), int(new.mark.isna().sum())
    print(f"new flags {len(new)}: on faults {hits}, elsewhere {false}; precision {hits / max(len(new), 1):.3f}")
    print(new[new.mark.isna()].groupby("test").size().to_string())
    precision = hits / max(len(new), 1)
    units = found[found.kind == "times"].hit.mean()
    print(f"unit errors found: {units:.3f}")
    return int(precision < LEAST_PRECISION or units < LEAST_UNITS)


if __name__ == "__main__":
    sys.exit(main())
