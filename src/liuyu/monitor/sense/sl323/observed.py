"""Observations to the tables of what was observed, and back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from liuyu.basin.flags import Flag
from liuyu.basin.places import Station
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside, Batch, Roster
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.rules import TENDENCIES, Rules
from liuyu.monitor.sense.sl323.tables import Meaning, column, meanings
from liuyu.monitor.sense.sl323.tendency import Check, check, tendencies

_TENDENCY = {"ST_RIVER_R": ("WPTN", "Z"), "ST_RSVR_R": ("RWPTN", "RZ")}
_EXTENSION = "EXKEY"
_FIRST = "A"
"""Which of several gates or fields, where a table asks: we know of one, and of theirs we take the first."""
CHUNK = 200_000


def observed_tables() -> tuple[str, ...]:
    """The tables of what was observed, in the order of their meanings."""
    return tuple(dict.fromkeys(each.table for each in meanings("observed")))


@dataclass(frozen=True, slots=True)
class _Grid:
    """Values by row and column: one row for each station and time, NaN where there is none."""

    station: NDArray[np.int64]
    time: NDArray[np.int64]
    columns: Mapping[str, NDArray[np.float64]]


def export_observed(
    batch: Batch,
    stations: Sequence[Station],
    codes: Sequence[str],
    database: Database,
    rules: Rules,
    zone: ZoneInfo,
) -> tuple[dict[str, int], list[Aside]]:
    """Write observations. `stations` and `codes` (STCD) are those of each place in the roster.

    Returns the rows of each table, and what does not fit in its column, or has none: SL 323 has no flags, so what is
    BAD or MISSING is not written either.
    """
    batch, asides = _trusted(batch)
    asides += _homeless(batch)
    written: dict[str, int] = {}
    for table in observed_tables():
        parts = []
        for meaning in (each for each in meanings("observed") if each.table == table):
            fits = np.array([meaning.fits(each.kind) for each in stations])
            here = (batch.quantity == quantity(meaning.quantity).number) & fits[batch.station]
            fitting, aside = _fit(batch.take(here), meaning)
            asides += aside
            if len(fitting):
                parts.append((meaning, fitting))
        if parts:
            database.create(table)
            written[table] = _write(table, _grid(parts), stations, codes, database, rules, zone)
    return written, asides


def _trusted(batch: Batch) -> tuple[Batch, list[Aside]]:
    """The observations without those that are BAD or MISSING; those that have a value are set aside."""
    doubted = (batch.flag >= Flag.BAD) | np.isnan(batch.value)
    bad = batch.take(doubted & ~np.isnan(batch.value))
    asides = [Aside(batch.source, f"bad, and SL 323 has no flags: {len(bad)}", _lines(bad))] if len(bad) else []
    return batch.take(~doubted), asides


def _homeless(batch: Batch) -> list[Aside]:
    known = {quantity(each.quantity).number for each in meanings("observed")}
    found = []
    for number in sorted(set(batch.quantity.tolist()) - known):
        name = quantity(int(number)).name
        rest = batch.take(batch.quantity == number)
        found.append(Aside(batch.source, f"no column of SL 323 here holds {name}: {len(rest)}", _lines(rest)))
    return found


def _fit(batch: Batch, meaning: Meaning) -> tuple[Batch, list[Aside]]:
    """The values that fit in their column, in its unit, and the others."""
    target = column(meaning.table, meaning.column)
    value = np.round(batch.value / meaning.factor, target.decimals)
    fits = np.isfinite(value) & (np.abs(value) <= target.largest)
    kept = Batch.of(
        batch.roster, batch.station[fits], batch.quantity[fits], batch.time[fits], value[fits], batch.flag[fits]
    )
    if fits.all():
        return kept, []
    width = f"DECIMAL({target.width},{target.decimals})"
    reason = f"too large for {meaning.table}.{meaning.column}, {width}: {int((~fits).sum())}"
    return kept, [Aside(batch.source, reason, _lines(batch.take(~fits)))]


def _lines(batch: Batch) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("station", "quantity", "time", "value"))
    for place, number, time, value in zip(batch.station, batch.quantity, batch.time, batch.value, strict=True):
        writer.writerow((batch.roster.codes[place], quantity(int(number)).name, int(time), float(value)))
    return out.getvalue().encode()


def _grid(parts: Sequence[tuple[Meaning, Batch]]) -> _Grid:
    station = np.concatenate([each.station for _, each in parts]).astype(np.int64)
    time = np.concatenate([each.time for _, each in parts])
    keys, row = np.unique(np.stack([station, time]), axis=1, return_inverse=True)
    columns, start = {}, 0
    for meaning, batch in parts:
        made = np.full(keys.shape[1], np.nan)
        made[row.ravel()[start : start + len(batch)]] = batch.value
        columns[meaning.column] = made
        start += len(batch)
    return _Grid(keys[0], keys[1], columns)


def _write(
    table: str,
    grid: _Grid,
    stations: Sequence[Station],
    codes: Sequence[str],
    database: Database,
    rules: Rules,
    zone: ZoneInfo,
) -> int:
    there = database.columns(table)
    sign, level = _TENDENCY.get(table, ("", ""))
    signs = np.array([*(rules.wptn[each] for each in TENDENCIES), None], dtype=object)
    kinds = tendencies(grid.station, grid.time, grid.columns[level]) if level in grid.columns else None
    written = 0
    for start in range(0, len(grid.time), CHUNK):
        part = slice(start, start + CHUNK)
        cells: dict[str, list[Any]] = {
            "STCD": np.array(codes, dtype=object)[grid.station[part]].tolist(),
            "TM": wall_texts(grid.time[part], zone),
            **{name: _numbers(made[part]) for name, made in grid.columns.items()},
        }
        if _EXTENSION in there:
            cells[_EXTENSION] = [_FIRST] * len(cells["STCD"])
        if table == "ST_PPTN_R":
            intervals = np.array([hours_and_minutes(each.interval) for each in stations])
            cells["INTV"] = intervals[grid.station[part]].tolist()
        if kinds is not None:
            cells[sign] = signs[kinds[part]].tolist()
        names = [name for name in cells if name in there]
        written += database.upsert(table, names, zip(*(cells[name] for name in names), strict=True))
    return written


def hours_and_minutes(seconds: int) -> float:
    """A length of time as SL 323 writes it: hours, and minutes behind the point.

    >>> hours_and_minutes(5400)
    1.3
    """
    return round(seconds // 3600 + seconds % 3600 // 60 / 100, 2)


def _numbers(values: NDArray[np.float64]) -> list[float | None]:
    """Numbers, with None for NaN."""
    return [each if isfinite(each) else None for each in values.tolist()]


def wall_texts(seconds: NDArray[np.int64], zone: ZoneInfo) -> list[str]:
    """Times [s UTC] as the wall time of a zone, YYYY-MM-DD HH:MM:SS."""
    aware = pa.array(seconds, pa.timestamp("s", "UTC")).cast(pa.timestamp("s", str(zone)))
    wall = pc.local_timestamp(aware).to_numpy(zero_copy_only=False).astype("datetime64[s]")
    texts: list[str] = np.char.replace(np.datetime_as_string(wall, unit="s"), "T", " ").tolist()
    return texts


def seconds_of(texts: Sequence[str | None], zone: ZoneInfo) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Seconds since 1970 UTC of wall times of a zone, and whether there is one; a doubled hour is the earlier."""
    wall = pa.array(texts, pa.string()).cast(pa.timestamp("s"))
    aware = pc.assume_timezone(wall, str(zone), ambiguous="earliest", nonexistent="earliest")
    valid = aware.is_valid().to_numpy(zero_copy_only=False)
    return pc.fill_null(aware.cast(pa.int64()), 0).to_numpy(zero_copy_only=False), valid


@dataclass(frozen=True, slots=True)
class Observed:
    """What the tables held: observations, what could not be used, and how the tendencies agree, by table."""

    batch: Batch
    asides: tuple[Aside, ...]
    tendency: Mapping[str, Check]


def import_observed(
    database: Database, roster: Roster, codes: Mapping[str, str], rules: Rules, zone: ZoneInfo
) -> Observed:
    """Read every observation of the stations in a roster. `codes` turns a code of the tables into one of ours."""
    reader = _Reader(database.name, roster, codes, zone)
    checks: dict[str, Check] = {}
    for table in observed_tables():
        there = database.columns(table)
        wanted = [each for each in meanings("observed") if each.table == table and each.column in there]
        if "STCD" not in there or "TM" not in there or not wanted:
            continue
        sign, level = _TENDENCY.get(table, ("", ""))
        extension = [_EXTENSION] if _EXTENSION in there else []
        names = ["STCD", "TM", *(each.column for each in wanted), *extension, *([sign] if sign in there else [])]
        rows = database.rows(table, names, ("STCD", "TM", *extension))
        found = Check(0, 0, 0)
        rows = reader.first_of_each(table, names, rows) if extension else rows
        while piece := list(islice(rows, CHUNK)):
            place, time, read = reader.take(table, names, wanted, piece)
            if sign in names and level in names:
                derived = tendencies(place, time, np.array(read[names.index(level)], np.float64))
                found += check(np.array(read[-1], dtype=object), derived, rules)
        if found.compared:
            checks[table] = found
    whole = Batch.join(reader.batches).ordered() if reader.batches else Batch.empty(roster)
    return Observed(replace(whole, source=database.name), reader.set_aside(), checks)


class _Reader:
    """Takes rows up, piece by piece, and keeps what it cannot use by its reason."""

    def __init__(self, source: str, roster: Roster, codes: Mapping[str, str], zone: ZoneInfo) -> None:
        self.batches: list[Batch] = []
        self._source, self._roster, self._codes, self._zone = source, roster, codes, zone
        self._aside: dict[str, list[str]] = {}

    def take(
        self, table: str, names: Sequence[str], wanted: Sequence[Meaning], rows: Sequence[tuple[Any, ...]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], list[tuple[Any, ...]]]:
        """The observations of some rows; returns their stations, their times and their columns."""
        read = list(zip(*rows, strict=True))
        place = np.array([self._roster.number.get(self._codes.get(code, code), -1) for code in read[0]], np.int64)
        time, timed = seconds_of(read[1], self._zone)
        self._keep(place < 0, f"{table}: no such station, add it to ST_STBPRP_B or stations.csv", names, rows)
        self._keep(~timed & (place >= 0), f"{table}: time that cannot be read", names, rows)
        for number, meaning in enumerate(wanted, 2):
            what = quantity(meaning.quantity)
            value = np.array(read[number], np.float64)
            here = timed & (place >= 0) & np.isfinite(value)
            kind = np.full(int(here.sum()), what.number)
            value = np.round(value[here] * meaning.factor, what.decimals)
            self.batches.append(Batch.of(self._roster, place[here], kind, time[here], value))
        return place, time, read

    def first_of_each(
        self, table: str, names: Sequence[str], rows: Iterator[tuple[Any, ...]]
    ) -> Iterator[tuple[Any, ...]]:
        """Of rows that differ in their extension alone, in order, the first; the others are set aside."""
        last = None
        for row in rows:
            if row[:2] == last:
                self._keep(np.array([True]), f"{table}: another of the same station and time", names, [row])
                continue
            last = row[:2]
            yield row

    def _keep(
        self, where: NDArray[np.bool_], reason: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        found = np.flatnonzero(where)
        if len(found):
            lines = self._aside.setdefault(reason, [",".join(names)])
            lines += [",".join("" if each is None else str(each) for each in rows[place]) for place in found.tolist()]

    def set_aside(self) -> tuple[Aside, ...]:
        """What could not be used."""
        return tuple(
            Aside(self._source, f"{reason}: {len(lines) - 1}", "\n".join(lines).encode())
            for reason, lines in self._aside.items()
        )
