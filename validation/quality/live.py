"""The live stage on the archive, hour by hour: how soon it doubts and trusts, and how near to hindsight it ends.

    python validation/quality/live.py

Prints what was doubted on arrival and what became of it, recall and precision of the flags that stand in the end, and
how many of them equal those of the hindsight run. Exits with 1 where the tolerance of README.md is missed.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from score import ARCHIVE, line, marked, missed, rates

from liuyu.basin.bundle import bundle_file
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.quality import Quality, check_file

COLUMNS = {
    "z_m": "water_level",
    "q_m3s": "discharge",
    "inflow_m3s": "reservoir_inflow",
    "outflow_m3s": "reservoir_outflow",
}
HOUR = 3600
LEAST, LEAST_EQUAL = (0.80, 0.75), 0.9995  # recall and precision in the end; share of flags as in hindsight


def observations(roster: dict[str, int]) -> pd.DataFrame:
    """The archive in long form by time: station, quantity, time [s, wall time as UTC], value."""
    data = pd.read_parquet(bundle_file(ARCHIVE))
    data["station"] = data.stcd.astype(str).map(roster)
    data["time"] = data.time_cst.to_numpy("datetime64[s]").astype(np.int64)
    parts = []
    for column, name in COLUMNS.items():
        part = data[["station", "time", column]].dropna().rename(columns={column: "value"})
        parts.append(part.assign(quantity=quantity(name).number))
    return pd.concat(parts).sort_values(["time", "station", "quantity"], ignore_index=True)


def main() -> int:
    """Replay, and print; returns the exit code."""
    basin = read_basin(find_basin("yangtze"))
    data = observations(basin.roster.number)
    batch = Batch.of(basin.roster, data.station, data.quantity, data.time, data.value.astype(float).round(3))
    stage = Quality(basin)
    hour = -(-batch.time // HOUR)
    cuts = [0, *(np.flatnonzero(np.diff(hour)) + 1), len(batch)]
    row = {key: k for k, key in enumerate(zip(data.station, data.quantity, data.time, strict=True))}
    first, last, settled = np.ones(len(batch), np.uint8), np.ones(len(batch), np.uint8), np.zeros(len(batch), np.int64)
    events = 0
    for start, end in itertools.pairwise(cuts):
        now = int(hour[start]) * HOUR
        checked = stage.step(batch.take(slice(start, end)), now)
        first[start:end] = last[start:end] = checked.batch.flag
        revised, events = checked.revised, events + len(checked.events)
        for s, q, t, flag in zip(revised.station, revised.quantity, revised.time, revised.flag, strict=True):
            place = row[s, q, t]
            last[place], settled[place] = flag, (now - t) // HOUR
    cleared = (first >= 3) & (last == 1)
    print(f"doubted on arrival: {(first >= 3).sum()} of {len(batch)}; of these good in the end: {cleared.sum()}")
    print("hours until they were trusted:", pd.Series(settled[cleared]).value_counts().sort_index().to_dict())
    print(f"good on arrival, bad in the end: {((first < 3) & (last >= 3)).sum()}; notes: {events}")
    names = {number: quantity(number).name for number in set(data.quantity)}
    live = pd.DataFrame(
        {
            "stcd": np.array(basin.roster.codes)[batch.station],
            "time": pd.to_datetime(batch.time, unit="s"),
            "quantity": data.quantity.map(names),
            "flag": last,
            "test": "",
        }
    )
    print(f"{'':24} faults  found  recall  false precision")
    part = marked(live)
    print(line("live, in the end", part))
    path = Path(tempfile.mkdtemp()) / "flags.csv"
    check_file(bundle_file(ARCHIVE), path, basin)
    whole = pd.read_csv(path, dtype={"stcd": str}, parse_dates=["time"], keep_default_na=False)
    both = live.merge(whole, on=["stcd", "time", "quantity"], suffixes=("", "_whole"))
    mine, theirs = both.flag >= 3, both.flag_whole >= 3
    alone, theirs_alone = (mine & ~theirs).sum(), (~mine & theirs).sum()
    print(f"doubted by both {(mine & theirs).sum()}, live alone {alone}, hindsight alone {theirs_alone}")
    equal = float((mine == theirs).mean())
    print(f"equal: {equal:.6f} of {len(both)} values")
    _, _, recall, _, precision = rates(part)
    return missed("live, in the end", recall, precision, LEAST) | int(equal < LEAST_EQUAL)


if __name__ == "__main__":
    sys.exit(main())
