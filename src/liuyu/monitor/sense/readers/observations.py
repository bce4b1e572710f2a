"""Observations into one Parquet file with the columns of an archive, so that a replay can play it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantities
from liuyu.basin.series import Batch
from liuyu.monitor.sense.columns import BAD_VALUE, FLAG, VALUES, rounded

_COLUMNS = {name: column for column, name in VALUES.items()}


def write_observations(batch: Batch, basin: Basin, path: Path) -> int:
    """Write a batch as `stcd`, `time_cst` and a column for each quantity; returns the rows.

    An `Archive` of the file gives the same observations again, bit for bit; of two for one key the later is written.
    The four quantities of an archive have its columns (`z_m`, `q_m3s`, `inflow_m3s`, `outflow_m3s`); others are named
    by the quantity. Where a value has been judged, or an archive would take it for another, `<column>_flag` holds its
    flag; one that is BAD, MISSING or infinite is left out of the column of the value and stands in `<column>_bad`.
    `time_cst` is wall time of the basin, or with its zone where summer time would make that ambiguous.
    """
    keys, row = np.unique(np.stack([batch.time, batch.station.astype(np.int64)]), axis=1, return_inverse=True)
    codes = np.array(batch.roster.codes, dtype=object)
    columns: dict[str, Any] = {
        "stcd": pa.array(codes[keys[1]], pa.string()).dictionary_encode(),
        "time_cst": _times(keys[0], basin.zone),
    }
    for each in quantities():
        here = batch.quantity == each.number
        if here.any():
            value, flag = np.full(keys.shape[1], np.nan), np.zeros(keys.shape[1], np.uint8)
            value[row.ravel()[here]], flag[row.ravel()[here]] = batch.value[here], batch.flag[here]
            columns |= _values(each, value, flag)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    pq.write_table(pa.table(columns), part, compression="zstd")
    part.replace(path)
    return int(keys.shape[1])


def _values(what: Quantity, value: NDArray[np.float64], flag: NDArray[np.uint8]) -> dict[str, Any]:
    """The columns of one quantity. flag is 0 where a row has no observation of it."""
    name, here, number = _COLUMNS.get(what.name, what.name), flag > 0, ~np.isnan(value)
    bad = number & ((flag >= Flag.BAD) | np.isinf(value))
    shown = number & ~bad
    found: dict[str, Any] = {name: pa.array(np.where(shown, value, np.nan), mask=~shown)}
    other = (flag != Flag.NOT_EVALUATED) | ~shown | (value != rounded(value, what))
    if name in VALUES:
        other |= value == 0.0
    if (other & here).any():
        found[name + FLAG] = pa.array(flag, mask=~here)
    if bad.any():
        found[name + BAD_VALUE] = pa.array(value, mask=~bad)
    return found


def _times(seconds: NDArray[np.int64], zone: ZoneInfo) -> Any:
    aware = pa.array(seconds * 1_000_000, pa.timestamp("us", "UTC")).cast(pa.timestamp("us", str(zone)))
    wall = pa.compute.local_timestamp(aware)
    try:
        back = pa.compute.assume_timezone(wall, str(zone))
    except pa.ArrowInvalid:
        return aware
    return wall if back.equals(aware) else aware
