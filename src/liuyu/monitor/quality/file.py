"""`liuyu qc`: quality control of a whole file in hindsight, with flags written as CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.quality.hindsight import judge
from liuyu.monitor.quality.table import NAMES

COLUMNS: Mapping[str, str] = {
    "z_m": "water_level",
    "q_m3s": "discharge",
    "inflow_m3s": "reservoir_inflow",
    "outflow_m3s": "reservoir_outflow",
}
"""Columns of a file of observations, and the quantity of each."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What quality control found in a file: values in all, and how many by flag, by test and doubted by station."""

    values: int
    flags: Mapping[str, int]
    tests: Mapping[str, int]
    stations: Mapping[str, int]


def check_file(path_in: Path, path_out: Path, basin: Basin | None = None) -> Summary:
    """Judge every value of a Parquet or CSV file and write one row for each: stcd,time,quantity,flag,test.

    The file has columns stcd, time_cst (wall time without zone) and any of z_m [m], q_m3s, inflow_m3s, outflow_m3s
    [m3/s]. Times are written as they came. `basin` adds which stations lie beside which; without one, stations that
    move together are found in the data. Raises BadInput where the file cannot be read so.
    """
    table = _read(path_in)
    batch = _batch(table)
    flag, test = judge(batch, basin)
    _write(path_out, batch, flag, test)
    return _summary(batch, flag, test)


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give the path of a Parquet or CSV file of observations")
    text = path.suffix.lower() == ".csv"
    try:
        table = _read_csv(path) if text else None
        have = table.column_names if table is not None else pq.read_schema(path).names
        wanted = ["stcd", "time_cst", *(name for name in COLUMNS if name in have)]
        lacking = [name for name in wanted[:2] if name not in have]
        if lacking or len(wanted) == 2:
            need = ", ".join(lacking) or f"one of {', '.join(COLUMNS)}"
            raise BadInput(f"{path} has no column {need}; it has {', '.join(have)}")
        table = table.select(wanted) if table is not None else pq.read_table(path, columns=wanted)
    except (pa.ArrowInvalid, OSError) as error:
        kind = "CSV" if text else "Parquet"
        raise BadInput(f"{path} is not a {kind} file that can be read: {error}; write it anew") from None
    return _typed(table, path)


def _read_csv(path: Path) -> pa.Table:
    """A table of a CSV file; station codes stay text, so that none loses its zeros."""
    kinds = {"stcd": pa.string(), "time_cst": pa.string(), **{name: pa.float64() for name in COLUMNS}}
    return pcsv.read_csv(path, convert_options=pcsv.ConvertOptions(column_types=kinds))


def _typed(table: pa.Table, path: Path) -> pa.Table:
    for name in table.column_names:
        column, kind = table[name], table[name].type
        try:
            if name == "stcd":
                column = column.cast(pa.string())
            elif name == "time_cst":
                if pa.types.is_timestamp(kind) and kind.tz:
                    column = pc.local_timestamp(column.cast(pa.timestamp("s", "Asia/Shanghai"), safe=False))
                column = column.cast(pa.timestamp("us")).cast(pa.timestamp("s"), safe=False)
            else:
                column = column.cast(pa.float64())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadInput(f"{path}: column {name} of type {kind} cannot be used: {error}; convert it") from None
        if name in ("stcd", "time_cst") and column.null_count:
            row = pc.index(column.is_null(), pa.scalar(True)).as_py()
            raise BadInput(f"{path}: {name} is empty in row {row + 1} of {len(column)}; every row needs one")
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _batch(table: pa.Table) -> Batch:
    """The reported values as a batch, by station, quantity and time; times are wall time as if it were UTC."""
    coded = table["stcd"].combine_chunks().dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    codes = np.array(coded.dictionary.to_pylist(), object)
    order = np.argsort(codes)
    rank = np.empty(len(codes), np.int32)
    rank[order] = np.arange(len(codes))
    station = rank[coded.indices.to_numpy()] if len(codes) else np.empty(0, np.int32)
    time = table["time_cst"].to_numpy().astype("datetime64[s]").astype(np.int64)
    parts = []
    roster = Roster(tuple(codes[order]))
    for name, named in COLUMNS.items():
        if name not in table.column_names:
            continue
        value = table[name].to_numpy()
        at = np.flatnonzero(~np.isnan(value))
        number = np.full(len(at), quantity(named).number, np.int16)
        parts.append(Batch.of(roster, station[at], number, time[at], np.round(value[at], quantity(named).decimals)))
    batch = Batch.join(parts)
    return batch.take(np.lexsort((batch.time, batch.quantity, batch.station)))


def _write(path: Path, batch: Batch, flag: NDArray[np.uint8], test: NDArray[np.uint8]) -> None:
    names = [quantity(number).name if number in batch.quantity else "" for number in range(5)]
    time = pa.array(batch.time.astype("datetime64[s]"))
    out = pa.table(
        {
            "stcd": pa.DictionaryArray.from_arrays(batch.station, list(batch.roster.codes)).cast(pa.string()),
            "time": pc.strftime(time, format="%Y-%m-%d %H:%M:%S"),
            "quantity": pa.DictionaryArray.from_arrays(batch.quantity, names).cast(pa.string()),
            "flag": pa.array(flag),
            "test": pa.DictionaryArray.from_arrays(test, list(NAMES)).cast(pa.string()),
        }
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write((",".join(out.column_names) + "\n").encode())
        pcsv.write_csv(out, file, pcsv.WriteOptions(include_header=False, quoting_style="none"))


def _summary(batch: Batch, flag: NDArray[np.uint8], test: NDArray[np.uint8]) -> Summary:
    doubted = flag >= Flag.SUSPECT
    by_station = np.bincount(batch.station[doubted], minlength=len(batch.roster))
    return Summary(
        values=len(batch),
        flags={each.name: int((flag == each).sum()) for each in Flag},
        tests={name: int((test == number).sum()) for number, name in enumerate(NAMES) if name},
        stations={code: int(n) for code, n in zip(batch.roster.codes, by_station, strict=True) if n},
    )
