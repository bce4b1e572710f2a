"""The hourly record of gauges from an archive, with spikes out and gaps bridged, as networks are driven by."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.archive import COLUMNS
from liuyu.twin.channel.drivers import Key
from liuyu.twin.flood.problem import Floats

HOUR = 3600
BEFORE_H, AFTER_H = 240, 48  # hours beyond the period by which gaps at its ends are bridged
_LEVEL_JUMP = 0.5  # [m] by which a level may leave the median of its day
_FLOW_JUMP = 6000.0  # [m³/s]


def read_hourly(
    file: Path, keys: Sequence[Key], start: int, hours: int, offset: int, *, whole: bool = True
) -> dict[Key, Floats]:
    """Values (hours,) by station and quantity from a time [s UTC] on; the archive's clock is `offset` s ahead of UTC.

    A value that leaves the median of its day by more than 0.5 m or 6,000 m³/s is taken for a spike. Raises BadInput
    naming every series of which the period holds less than a tenth; unless `whole`, those are left out.
    """
    table = pa.csv.read_csv(file) if file.suffix == ".csv" else pa.parquet.read_table(file)
    if absent := [name for name in ("stcd", "time_cst") if name not in table.column_names]:
        raise BadInput(f"{file} has no column {absent[0]}; an archive has stcd, time_cst, z_m, q_m3s and so on")
    codes = np.asarray(table["stcd"].cast(pa.string()).to_numpy(zero_copy_only=False), str)
    time = table["time_cst"].cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]").astype(np.int64) - offset
    hour = (time - start) // HOUR
    near = (hour >= -BEFORE_H) & (hour < hours + AFTER_H)
    made, faults = {}, []
    for station, quantity in keys:
        keep = near & (codes == station)
        column = COLUMNS.get(quantity, "")
        if column not in table.column_names:
            faults.append(f"{station} {quantity}: the file has no column {column or 'for it'}")
            continue
        value = np.asarray(table[column].to_numpy(zero_copy_only=False), np.float64)[keep]
        jump = _LEVEL_JUMP if quantity == "water_level" else _FLOW_JUMP
        found, seen = clean(hour[keep], value, hours, jump)
        if seen < 0.1:
            faults.append(f"{station} {quantity}: {seen:.0%} of the hours have a value")
        else:
            made[station, quantity] = found
    if faults and whole:
        raise BadInput(f"{file} does not hold what drives the network in this period:\n" + "\n".join(faults))
    return made


def clean(hour: NDArray[np.int64], value: Floats, count: int, jump: float) -> tuple[Floats, float]:
    """Hourly values without those that leave the median of their day by more than `jump`, gaps bridged by straight
    lines, and the share of hours that had one. `hour` counts from the first hour wanted and may reach beyond."""
    grid = np.full(count + BEFORE_H + AFTER_H, np.nan)
    real = np.isfinite(value)
    grid[hour[real] + BEFORE_H] = value[real]
    at = np.flatnonzero(np.isfinite(grid))
    if not len(at):
        return np.full(count, np.nan), 0.0
    seen = float(np.isfinite(grid[BEFORE_H : BEFORE_H + count]).mean())
    full = np.interp(np.arange(len(grid)), at, grid[at])
    padded = np.pad(full, 12, mode="edge")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 25), axis=1)
    kept = at[np.abs(grid[at] - middle[at]) <= jump]
    at = kept if len(kept) else at
    return np.interp(np.arange(BEFORE_H, BEFORE_H + count), at, grid[at]), seen
