"""From the columns of an archive to observations: one for each station, time and quantity that a row reports."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantities, quantity
from liuyu.basin.series import Aside, Batch, Roster

VALUES = {
    "z_m": "water_level",
    "q_m3s": "discharge",
    "inflow_m3s": "reservoir_inflow",
    "outflow_m3s": "reservoir_outflow",
}


FLAG, BAD_VALUE = "_flag", "_bad"
"""What follows a column's name in those of the flags of its values, and of the values that are BAD or infinite."""


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column of values: its name, its quantity, and whether 0 means "not reported" in it, as in the feed."""

    name: str
    quantity: Quantity
    zero_is_blank: bool


def value_columns(found: Sequence[str]) -> list[ValueColumn]:
    """The columns of values among some names: those of the feed, and those named by a quantity."""
    by_feed = [ValueColumn(name, quantity(each), True) for name, each in VALUES.items() if name in found]
    return [*by_feed, *(ValueColumn(each.name, each, False) for each in quantities() if each.name in found)]


def to_observations(table: Any, source: str, basin: Basin) -> tuple[Batch, list[Aside]]:
    """The observations of an Arrow table, in its order, and what of it cannot be used.

    A value beside which stands a flag is taken as it is, 0 and none too; another is rounded to the decimals of its
    quantity. Raises BadInput where a column that must be there is not.
    """
    _check_columns(table.column_names, source)
    roster = basin.roster
    setter = _Setter(table, source)
    codes, station = _stations(table["stcd"], roster)
    time, timed = _times(table["time_cst"], basin.time_zone)
    setter.add_unknown(codes, station)
    setter.add(~timed & (station >= 0), "time that cannot be read, in time_cst")
    usable = timed & (station >= 0)
    parts = []
    for column in value_columns(table.column_names):
        value, flag, there = _values(column, table, setter, usable)
        parts.append((station[there], column.quantity.number, time[there], value[there], flag[there]))
    stations, numbers, times, values, flags = zip(*parts, strict=True)
    kinds = np.repeat(np.array(numbers, np.int16), [len(each) for each in times])
    time, value, flag = (np.concatenate(each) for each in (times, values, flags))
    return Batch.of(roster, np.concatenate(stations), kinds, time, value, flag, source), setter.asides


def _values(
    column: ValueColumn, table: Any, setter: _Setter, usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.bool_]]:
    """Value and flag of each row in a column, and where there is one."""
    value, wrong = _numbers(table[column.name])
    setter.add(wrong & usable, f"not a number, in {column.name}")
    flag, flagged = np.full(len(value), Flag.NOT_EVALUATED, np.uint8), np.zeros(len(value), np.bool_)
    if column.name + FLAG in table.column_names:
        given, unread = _numbers(table[column.name + FLAG])
        flagged = np.isin(given, [float(each) for each in Flag])
        flag[flagged] = given[flagged].astype(np.uint8)
        unknown = unread | (np.isfinite(given) & ~flagged)
        setter.add(unknown & usable, f"not a flag, in {column.name}{FLAG}")
        usable = usable & ~unknown
    if column.name + BAD_VALUE in table.column_names:
        bad, unread = _numbers(table[column.name + BAD_VALUE], infinite=True)
        setter.add(unread & usable, f"not a number, in {column.name}{BAD_VALUE}")
        value, wrong = np.where(flagged & ~np.isnan(bad), bad, value), wrong | unread
    plain = np.isfinite(value) & ~((value == 0.0) & column.zero_is_blank)
    return np.where(flagged, value, rounded(value, column.quantity)), flag, usable & ~wrong & (plain | flagged)


def rounded(value: NDArray[np.float64], what: Quantity) -> NDArray[np.float64]:
    """Values at the decimals of a quantity; those that are too large to have any stay."""
    with np.errstate(over="ignore"):
        found = value.round(what.decimals)
    return np.where(np.isinf(found), value, found)


def _check_columns(found: list[str], source: str) -> None:
    missing = [each for each in ("stcd", "time_cst") if each not in found]
    if not value_columns(found):
        missing.append(f"one of {', '.join(VALUES)}, or one named by a quantity")
    if missing:
        raise BadInput(
            f"{source} lacks {' and '.join(missing)}; found: {', '.join(found) or 'nothing'}. "
            "Rename its columns as the catalogue of the archive names them"
        )


def _plain(column: Any) -> Any:
    """A chunked or dictionary column as one array of its values."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks) if whole.num_chunks else pa.array([], whole.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole


def _stations(column: Any, roster: Roster) -> tuple[Any, NDArray[np.int32]]:
    """The code of each row as text, and its place in the roster, -1 where it has none."""
    codes = pc.utf8_trim_whitespace(_plain(column).cast(pa.string()))
    encoded = codes.dictionary_encode()
    known = [roster.number.get(each, -1) for each in encoded.dictionary.to_pylist()]
    indices = pc.fill_null(encoded.indices, len(known)).to_numpy(zero_copy_only=False)
    return codes, np.array([*known, -1], np.int32)[indices]


def _times(column: Any, zone: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds since 1970 UTC of each row, and whether it has a time that can be read."""
    whole = _plain(column)
    if not pa.types.is_timestamp(whole.type):
        whole = _parsed(whole.cast(pa.string()))
    if whole.type.tz is None:
        whole = pc.assume_timezone(whole, zone, ambiguous="earliest", nonexistent="earliest")
    valid = whole.is_valid().to_numpy(zero_copy_only=False)
    units = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
    ticks = pc.fill_null(whole.cast(pa.timestamp(whole.type.unit)).cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    return ticks // units[whole.type.unit], valid


def _parsed(texts: Any) -> Any:
    """ISO 8601 text as timestamps, null where it is none; the wall time is kept where any row lacks a zone."""
    try:
        return texts.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        pass
    try:
        return texts.cast(pa.timestamp("us", tz="UTC"))
    except pa.ArrowInvalid:
        return pa.array([_moment(each) for each in texts.to_pylist()], pa.timestamp("us"))


def _moment(text: str | None) -> np.datetime64 | None:
    try:
        found = np.datetime64(text.strip().replace(" ", "T"), "us") if text else None
    except ValueError:
        return None
    return None if found is None or np.isnat(found) else found


def _numbers(column: Any, *, infinite: bool = False) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The numbers of a column, NaN where blank or unreadable, and where there is something that is no number."""
    whole = _plain(column)
    if pa.types.is_string(whole.type) or pa.types.is_large_string(whole.type):
        texts = pc.utf8_trim_whitespace(whole)
        plain = pc.match_substring_regex(texts, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
        given = pc.and_(texts.is_valid(), pc.not_equal(pc.fill_null(texts, ""), ""))
        whole = pc.if_else(pc.fill_null(plain, False), texts, None).cast(pa.float64())
        unread = pc.and_(given, whole.is_null()).to_numpy(zero_copy_only=False)
    else:
        unread = np.zeros(len(whole), np.bool_)
    value = np.asarray(pc.fill_null(whole.cast(pa.float64()), np.nan).to_numpy(zero_copy_only=False), np.float64)
    if infinite:
        return value, unread
    return np.where(np.isinf(value), np.nan, value), unread | np.isinf(value)


@dataclass(slots=True)
class _Setter:
    """Sets rows of a table aside, all rows of one reason together."""

    table: Any
    source: str
    asides: list[Aside]

    def __init__(self, table: Any, source: str) -> None:
        self.table, self.source, self.asides = table, source, []

    def add(self, rows: NDArray[np.bool_], reason: str) -> None:
        """Set the rows of a mask aside, as CSV with a header, if there are any."""
        if rows.any():
            self._keep(self._rows(np.flatnonzero(rows)), reason)

    def _rows(self, places: NDArray[np.intp]) -> Any:
        taken = self.table.take(pa.array(places))
        return taken.cast(_writable(taken.schema)).combine_chunks()

    def _keep(self, rows: Any, reason: str) -> None:
        out = io.BytesIO()
        pa_csv.write_csv(rows, out)
        count = f"{len(rows)} row{'s' if len(rows) > 1 else ''}"
        self.asides.append(Aside(self.source, f"{reason}: {count}", out.getvalue()))

    def add_unknown(self, codes: Any, station: NDArray[np.int32]) -> None:
        """Set the rows of each station that the basin does not know aside, and those without a code."""
        places = np.flatnonzero(station < 0)
        named = pc.fill_null(codes.take(pa.array(places)), "").dictionary_encode()
        which = named.indices.to_numpy(zero_copy_only=False)
        rows, first = self._rows(places[np.argsort(which, kind="stable")]), 0
        for code, many in zip(named.dictionary.to_pylist(), np.bincount(which).tolist(), strict=True):
            reason = (
                f"unknown station {code}, add it to stations.csv" if code else "row without a station code, in stcd"
            )
            self._keep(rows.slice(first, many), reason)
            first += many


def _writable(schema: Any) -> Any:
    """The schema with dictionaries as plain text, which the CSV writer asks for."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field for field in schema
    ]
    return pa.schema(fields)
