"""A basin package to the tables of stations, thresholds, curves, frequencies and travel times."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.rules import Rules
from liuyu.monitor.sense.sl323.tables import column, meanings

ENGLISH = "en: "
SYNTHETIC = " [SYNTHETIC 合成数据]"
RATINGS_FILE = "ratings/ratings.csv"
_GRADE = {1: "1", 2: "2", 3: "3"}
_UNDATED = "1900-01-01 00:00:00"
_EVERY_DISCHARGE = 0

Row = dict[str, Any]


@dataclass(slots=True)
class Sheets:
    """Rows by table, and what no column holds."""

    rows: dict[str, list[Row]] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)

    def add(self, table: str, row: Row) -> None:
        """One row; a number that does not fit its column is left out, and a text cut."""
        made: Row = {}
        for name, value in row.items():
            target = column(table, name)
            if isinstance(value, str) and target.width and len(value) > target.width:
                self.lose(f"{table}.{name} holds {target.width} signs", f"{row.get('STCD', '')}: {value}")
                value = value[: target.width]  # noqa: PLW2901
            elif isinstance(value, float) and target.type in ("number", "whole"):
                value = round(value, target.decimals)  # noqa: PLW2901
                if abs(value) > target.largest:
                    self.lose(f"too large for {table}.{name}", f"{row.get('STCD', '')}: {value:g}")
                    continue
            made[name] = int(value) if isinstance(value, float) and target.type == "whole" else value
        self.rows.setdefault(table, []).append(made)

    def lose(self, reason: str, what: str) -> None:
        """Note what no column holds."""
        self.lost.setdefault(reason, []).append(what)


def station_codes(basin: Basin, rules: Rules) -> dict[str, str]:
    """STCD of each station. Raises BadPackage that names every code that does not fit, or is there twice."""
    width = column("ST_STBPRP_B", "STCD").width
    codes = {each.code: rules.stations.get(each.code, each.code) for each in basin.stations}
    faults, seen = [], set()
    for ours, theirs in codes.items():
        problem = ""
        if len(theirs) > width or not theirs.isascii():
            problem = f"is longer than the {width} signs of STCD" if theirs.isascii() else "has signs beyond ASCII"
        elif theirs in seen:
            problem = "stands for two stations"
        seen.add(theirs)
        if problem:
            cure = 'name another under [stations] in sl323.toml, as "ours" = "theirs"'
            faults.append(Fault(file="stations.csv", field="code", value=theirs or ours, problem=problem, cure=cure))
    if faults:
        raise BadPackage(basin.folder, faults)
    return codes


def export_basics(basin: Basin, database: Database, rules: Rules) -> tuple[dict[str, int], list[Aside]]:
    """Write what a package tells of its stations; returns the rows of each table and what no column holds."""
    codes = station_codes(basin, rules)
    sheets = Sheets()
    for station in basin.stations:
        sheets.add("ST_STBPRP_B", _station(station, codes[station.code], basin))
    _thresholds(basin, codes, sheets)
    _curves(basin, codes, sheets)
    _frequencies(basin, codes, sheets)
    for row in travel_times(basin, codes):
        sheets.add("ST_FSDR_B", row)
    _ratings(Path(basin.folder) / RATINGS_FILE, codes, sheets)
    written = {}
    for table, rows in sheets.rows.items():
        database.create(table)
        there = database.columns(table)
        names = [name for name in dict.fromkeys(name for row in rows for name in row) if name in there]
        written[table] = database.upsert(table, names, [[row.get(name) for name in names] for row in rows])
    asides = [
        Aside(basin.code, f"{reason}: {len(each)}", "\n".join(each).encode()) for reason, each in sheets.lost.items()
    ]
    return written, asides


def _station(station: Station, code: str, basin: Basin) -> Row:
    longitude, latitude = station.position or (None, None)
    return {
        "STCD": code,
        "STNM": station.name,
        "RVNM": station.river or None,
        "BSNM": basin.name,
        "LGTD": longitude,
        "LTTD": latitude,
        "DTMNM": station.datum if station.datum != "unknown" else None,
        "STTP": station.kind,
        "FRGRD": _GRADE.get(station.rank),
        "LOCALITY": basin.code[:10],
        "USFL": "1",
        "COMMENTS": f"{ENGLISH}{station.name_en}{SYNTHETIC if basin.synthetic else ''}",
    }


def _thresholds(basin: Basin, codes: Mapping[str, str], sheets: Sheets) -> None:
    kinds = {each.code: each.kind for each in basin.stations}
    homes: dict[tuple[str, str], Row] = {}
    for each in basin.thresholds:
        home = next(
            (
                one
                for one in meanings("threshold")
                if (one.quantity, one.kind) == (each.quantity, each.kind) and one.fits(kinds[each.station])
            ),
            None,
        )
        said = f"{each.station}: {each.kind} of {each.quantity} {each.value:g} {quantity(each.quantity).unit}"
        if home is None or (each.season is not None and home.table != "ST_RSVRFSR_B"):
            sheets.lose(f"SL 323 has no column for {each.kind}{' by season' if each.season else ''}", said)
        elif home.table == "ST_RSVRFSR_B":
            sheets.add(home.table, _season(each, codes[each.station]))
        else:
            row = homes.setdefault((home.table, each.station), {"STCD": codes[each.station]})
            row[home.column] = each.value
    for (table, _), row in homes.items():
        sheets.add(table, row)


def _season(threshold: Threshold, code: str) -> Row:
    start, end = (threshold.season.start, threshold.season.end) if threshold.season else ((1, 1), (12, 31))
    first, last = (f"{month:02d}{day:02d}" for month, day in (start, end))
    return {"STCD": code, "BGMD": first, "EDMD": last, "FSLTDZ": threshold.value, "FSTP": "4"}


def _curves(basin: Basin, codes: Mapping[str, str], sheets: Sheets) -> None:
    for reservoir in basin.reservoirs:
        for number, (level, storage) in enumerate(reservoir.curve, 1):
            row = {"STCD": codes[reservoir.station], "MSTM": _UNDATED, "PTNO": number, "RZ": level, "W": storage / 1e6}
            sheets.add("ST_ZVARL_B", row)
        sheets.lose("SL 323 has no column for the limits of releases", f"{reservoir.code}: {reservoir.release_range}")


def _frequencies(basin: Basin, codes: Mapping[str, str], sheets: Sheets) -> None:
    rows: dict[tuple[str, int], Row] = {}
    names = {"water_level": "Z", "discharge": "Q", "reservoir_inflow": "Q"}
    for each in basin.frequencies:
        years = round(each.return_period)
        if each.quantity not in names or years != each.return_period:
            sheets.lose(
                "SL 323 has no column for such a frequency", f"{each.station}: {each.quantity} {each.return_period:g}"
            )
            continue
        blank = {"STCD": codes[each.station], "TPCYR": 0, "RCINT": years}
        rows.setdefault((each.station, years), blank)[names[each.quantity]] = each.value
    for row in rows.values():
        sheets.add("ST_ZQFRAR_B", row)


def travel_times(basin: Basin, codes: Mapping[str, str]) -> Iterator[Row]:
    """Travel time and length from each station to the next ones downstream, over the nodes between, by ST_FSDR_B."""
    home = {each.code: each.station for each in basin.reservoirs}
    below: dict[str, list[tuple[str, float, float]]] = {}
    for reach in basin.reaches:
        upper, lower = (home.get(node, node) for node in (reach.upper, reach.lower))
        below.setdefault(upper, []).append((lower, reach.length_km, reach.travel_hours))
    for station in basin.stations:
        found: dict[str, tuple[float, float]] = {}
        waiting = [(lower, length, hours, {station.code}) for lower, length, hours in below.get(station.code, ())]
        while waiting:
            node, length, hours, passed = waiting.pop()
            if node in passed:
                continue
            if node in codes:
                found[node] = min(found.get(node, (hours, length)), (hours, length))
            else:
                more = below.get(node, ())
                waiting += [(lower, length + far, hours + long, passed | {node}) for lower, far, long in more]
        for node in sorted(found):
            hours, length = found[node]
            pair = {"UPSTCD": codes[station.code], "DWSTCD": codes[node], "QMGN": _EVERY_DISCHARGE}
            yield pair | {"RCHLEN": float(max(1, round(length))), "AVTRTM": float(hours)}


def _ratings(file: Path, codes: Mapping[str, str], sheets: Sheets) -> None:
    """Stage-discharge curves, where the package keeps some."""
    if not file.is_file():
        return
    numbers: dict[tuple[str, str], int] = {}
    with file.open(encoding="utf-8-sig", newline="") as handle:
        for row in csv.DictReader(handle):
            if row["station"] not in codes:
                sheets.lose("rating of a station that the package does not have", row["station"])
                continue
            key = row["station"], row["line"]
            numbers[key] = numbers.get(key, 0) + 1
            point = {"Z": float(row["level_m"]), "Q": float(row["discharge_m3s"])}
            sheets.add("ST_ZQRL_B", {"STCD": codes[key[0]], "LNNM": key[1], "PTNO": numbers[key], **point})


def day_of(text: str | None, otherwise: str) -> tuple[int, int]:
    """Month and day of MMDD. Raises ValueError where no year has it."""
    plain = (text or "").strip() or otherwise
    found = date(2020, int(plain[:2]), int(plain[2:]))
    return found.month, found.day
