"""Recall and precision of quality control on the labels: in all, by kind, by test and by station.

    python validation/quality/score.py [FLAGS.csv]

Without a file, `check_file` judges the archive of the bundle first. A value is detected where its flag is SUSPECT or
BAD. Values that a label calls unclear count neither way. Exits with 1 where the tolerance of README.md is missed.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pandas as pd

from liuyu.basin.bundle import bundle_file
from liuyu.monitor.quality import check_file

ARCHIVE = "yangtze_gauges_hourly/observations.parquet"
HELD_OUT_STATIONS = ("60106000", "60108300", "61512000", "61705000", "61804110", "60803000")
LEAST = 0.95, 0.80  # recall and precision that are asked for
HELD_OUT_FROM = pd.Timestamp("2025-07-01")


def labels() -> pd.DataFrame:
    """The labels, with times."""
    path = Path(__file__).with_name("labels.csv")
    return pd.read_csv(path, dtype={"stcd": str}, parse_dates=["start", "end"])


def held_out(stcd: pd.Series, time: pd.Series) -> pd.Series:
    """True for the stations and the period on which nothing was tuned."""
    return stcd.isin(HELD_OUT_STATIONS) | (time >= HELD_OUT_FROM)


def marked(flags: pd.DataFrame) -> pd.DataFrame:
    """Flagged values with the verdict of the labels on each: fault, unclear or fine; missed faults are in too."""
    flags = flags.assign(verdict="fine", kind="", found=flags.flag.isin([3, 4]))
    groups = dict(tuple(flags.groupby(["stcd", "quantity"]).groups.items()))
    for row in labels().itertuples():
        at = groups.get((row.stcd, row.quantity))
        if at is None:
            continue
        time = flags.time.loc[at]
        hit = at[(time >= row.start) & (time <= row.end)]
        hit = hit[flags.verdict.loc[hit] != "fault"] if row.verdict == "unclear" else hit
        flags.loc[hit, ["verdict", "kind"]] = row.verdict, row.kind
    return flags[flags.found | (flags.verdict == "fault")]


def rates(part: pd.DataFrame) -> tuple[int, int, float, int, float]:
    """Faults, found, recall, false, precision."""
    fault = part.verdict == "fault"
    hits, false = int((fault & part.found).sum()), int(((part.verdict == "fine") & part.found).sum())
    return int(fault.sum()), hits, hits / max(int(fault.sum()), 1), false, hits / max(hits + false, 1)


def line(name: str, part: pd.DataFrame) -> str:
    """One line of the table: faults, found, recall, false, precision."""
    faults, hits, recall, false, precision = rates(part)
    return f"{name:24} {faults:6} {hits:6} {recall:7.3f} {false:6} {precision:9.3f}"


def missed(name: str, recall: float, precision: float, least: tuple[float, float]) -> int:
    """1 where recall or precision lies below a tolerance, and says so; else 0."""
    if recall >= least[0] and precision >= least[1]:
        return 0
    print(f"{name}: recall {recall:.3f}, precision {precision:.3f} miss the tolerance of {least[0]} and {least[1]}")
    return 1


def main() -> int:
    """Print the tables; returns the exit code."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "flags.csv"
    if len(sys.argv) < 2:
        check_file(bundle_file(ARCHIVE), path)
    flags = pd.read_csv(path, dtype={"stcd": str, "test": str}, parse_dates=["time"], keep_default_na=False)
    part = marked(flags)
    print(f"{'':24} faults  found  recall  false precision")
    print(line("all", part))
    held = held_out(part.stcd, part.time)
    print(line("tuned on", part[~held]))
    print(line("held out", part[held]))
    for column in ("quantity", "kind", "test", "stcd"):
        for name, group in part.groupby(column):
            print(line(f"{column} {name}", group))
    wrong = part[(part.verdict != "unclear") & (part.found != (part.verdict == "fault"))]
    print(wrong[["stcd", "time", "quantity", "flag", "test", "verdict", "kind"]].to_string(index=False))
    _, _, recall, _, precision = rates(part)
    return missed("all", recall, precision, LEAST)


if __name__ == "__main__":
    sys.exit(main())
