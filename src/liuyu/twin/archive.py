"""An archive of observations as an hourly table, for calibration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.twin.model import SeriesModel

COLUMNS = {
    "water_level": "z_m",
    "discharge": "q_m3s",
    "reservoir_inflow": "inflow_m3s",
    "reservoir_outflow": "outflow_m3s",
}


@dataclass(frozen=True, slots=True)
class Archive:
    """Hourly values: time (hours,) [s UTC]; value (series, hours) [unit], NaN where none was reported."""

    time: NDArray[np.int64]
    value: NDArray[np.float64]


def read_archive(path: Path, basin: Basin, series: tuple[SeriesModel, ...]) -> Archive:
    """The series of an archive with the catalogue's columns, the newest value of each hour. Raises BadInput."""
    table = pa.csv.read_csv(path) if path.suffix == ".csv" else pa.parquet.read_table(path)
    codes = np.asarray(table["stcd"].cast(pa.string()).to_numpy(zero_copy_only=False), str)
    wall = table["time_cst"].cast(pa.timestamp("s")).to_numpy().astype("datetime64[s]")
    offset = _offset(basin)
    time = wall.astype(np.int64) - offset
    wanted = {each.station for each in series}
    keep = np.isin(codes, sorted(wanted))
    if not keep.any():
        raise BadInput(f"{path} has no row of {', '.join(sorted(wanted))}; is it this basin's archive?")
    first, last = int(time[keep].min()) // HOUR, -(-int(time[keep].max()) // HOUR)
    hours = np.arange(first, last + 1, dtype=np.int64) * HOUR
    value = np.full((len(series), len(hours)), np.nan)
    order = np.argsort(time, kind="stable")
    order = order[keep[order]]
    columns = {name: np.asarray(table[name].to_numpy(zero_copy_only=False), np.float64) for name in COLUMNS.values()}
    for row, each in enumerate(series):
        mine = order[codes[order] == each.station]
        found = columns[COLUMNS[each.quantity]][mine]
        real = np.isfinite(found)
        value[row, -(-time[mine][real] // HOUR) - first] = found[real].round(3)
    return Archive(hours, value)


def _offset(basin: Basin) -> int:
    """Seconds by which the archive's wall time is ahead of UTC; the zones in use have no summer time."""
    offset = datetime(2020, 1, 1, tzinfo=basin.zone).utcoffset()
    return int(offset.total_seconds()) if offset else 0


def span(archive: Archive, start: str, end: str, basin: Basin) -> NDArray[np.bool_]:
    """Hours of an archive from one day to another, both within, by the basin's clock."""
    offset = _offset(basin)
    first = int(np.datetime64(start, "s").astype(np.int64)) - offset
    last = int((np.datetime64(end, "D") + 1).astype("datetime64[s]").astype(np.int64)) - offset
    return np.asarray((archive.time >= first) & (archive.time < last), bool)


def months(archive: Archive, basin: Basin) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Year and month of every hour of an archive, by the basin's clock."""
    wall = (archive.time + _offset(basin)).astype("datetime64[s]")
    month = wall.astype("datetime64[M]").astype(np.int64)
    return np.asarray(month // 12 + 1970, np.int64), np.asarray(month % 12 + 1, np.int64)
