"""The tables of stations, thresholds, curves, frequencies and travel times to the files of a basin package."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any

from liuyu.basin.package.columns import columns
from liuyu.basin.series import Aside
from liuyu.monitor.sense.sl323.basics import ENGLISH, RATINGS_FILE, SYNTHETIC, day_of
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.tables import meanings, tables

Row = dict[str, Any]
_KINDS = next(each for each in columns()["stations.csv"] if each.column == "kind").choices
_REPORTS = {
    "ZZ": ("water_level",),
    "ZQ": ("water_level", "discharge"),
    "RR": ("water_level", "reservoir_inflow", "reservoir_outflow"),
    "PP": ("rainfall",),
}
_RANK = {"1": 1, "2": 2}
_WINDING = 1.3
_SPEED = 7.2  # km/h, two metres a second
_EARTH = 6371.0


@dataclass(slots=True)
class Draft:
    """The rows of each file of a package, and what could not be used of the tables."""

    files: dict[str, list[Row]] = field(default_factory=dict)
    lost: dict[str, list[str]] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    synthetic: bool = False

    def add(self, file: str, row: Row) -> None:
        """One row of a file."""
        self.files.setdefault(file, []).append(row)

    def lose(self, reason: str, row: Row) -> None:
        """Set a row of a table aside."""
        shown = ", ".join(f"{name}={value}" for name, value in row.items() if value is not None)
        self.lost.setdefault(reason, []).append(shown)

    def asides(self, source: str) -> list[Aside]:
        """What could not be used."""
        return [Aside(source, f"{why}: {len(rows)}", "\n".join(rows).encode()) for why, rows in self.lost.items()]

    def text(self, file: str) -> str:
        """A file of the package as CSV; only columns that hold something, and those that must be there."""
        rows = self.files[file]
        if file == RATINGS_FILE:
            names = list(rows[0])
        else:
            known = columns()[file]
            names = [each.column for each in known if each.needed or any(row.get(each.column) for row in rows)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([_shown(row.get(name)) for name in names] for row in rows)
        return out.getvalue()


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def read_table(database: Database, table: str) -> Iterator[Row]:
    """Every row of a table by our names of its columns; nothing where there is no such table."""
    there = database.columns(table)
    names = [each.column for each in tables()[table] if each.column in there]
    keys = [each.column for each in tables()[table] if each.key and each.column in there]
    if names:
        for cells in database.rows(table, names, keys):
            yield dict(zip(names, cells, strict=True))


def draft_package(database: Database, theirs_to_ours: Mapping[str, str]) -> Draft:
    """Draw up a package from the tables. Codes are translated where `theirs_to_ours` names them."""
    draft = Draft()
    for row in read_table(database, "ST_STBPRP_B"):
        _station(row, theirs_to_ours, draft)
    stations = {row["code"]: row for row in draft.files.get("stations.csv", ())}
    _thresholds(database, stations, draft)
    _curves(database, stations, draft)
    _frequencies(database, stations, draft)
    _reaches(database, stations, draft)
    _ratings(database, stations, draft)
    for row in stations.values():
        row["quantities"] = " ".join(row["quantities"])
    return draft


def _station(row: Row, codes: Mapping[str, str], draft: Draft) -> None:
    code = codes.get(row["STCD"], row["STCD"])
    kind = row.get("STTP") or "ZZ"
    if kind not in _KINDS:
        draft.lose(f"ST_STBPRP_B: kind {kind} is not known, taken as ZZ", row)
        kind = "ZZ"
    name, remark = row.get("STNM") or code, row.get("COMMENTS") or ""
    draft.synthetic |= SYNTHETIC in remark
    remark = remark.removesuffix(SYNTHETIC)
    longitude, latitude = row.get("LGTD"), row.get("LTTD")
    placed = bool(longitude and latitude)
    draft.ours[row["STCD"]] = code
    made = {
        "code": code,
        "name": name,
        "name_en": remark.removeprefix(ENGLISH) if remark.startswith(ENGLISH) else name,
        "lon": longitude if placed else None,
        "lat": latitude if placed else None,
        "river": row.get("RVNM"),
        "kind": kind,
        "quantities": dict.fromkeys(_REPORTS.get(str(kind), ("water_level",))),
        "datum": row.get("DTMNM") or "unknown",
        "rank": _RANK.get(str(row.get("FRGRD")), 3),
        "source": "SL 323 ST_STBPRP_B",
        "to_mouth": row.get("DSTRVM"),
    }
    draft.add("stations.csv", made)


def _known(row: Row, stations: Mapping[str, Row], draft: Draft, table: str, name: str = "STCD") -> Row | None:
    theirs = str(row[name])
    station = stations.get(draft.ours.get(theirs, theirs))
    if station is None:
        draft.lose(f"{table}: no such station in ST_STBPRP_B", row)
    return station


def _thresholds(database: Database, stations: Mapping[str, Row], draft: Draft) -> None:
    for table in dict.fromkeys(each.table for each in meanings("threshold")):
        wanted = [each for each in meanings("threshold") if each.table == table]
        for row in read_table(database, table):
            station = _known(row, stations, draft, table)
            if station is None:
                continue
            for each in wanted:
                if row.get(each.column) is None or not each.fits(station["kind"]):
                    continue
                station["quantities"].setdefault(each.quantity)
                datum = station["datum"] if each.quantity == "water_level" else "unknown"
                made = {
                    "station": station["code"],
                    "quantity": each.quantity,
                    "kind": each.kind,
                    "value": row[each.column],
                    "datum": datum,
                    "source": f"SL 323 {table}.{each.column}",
                }
                if table == "ST_RSVRFSR_B" and not _season(row, made, draft):
                    continue
                draft.add("thresholds.csv", made)


def _season(row: Row, made: Row, draft: Draft) -> bool:
    try:
        start, end = day_of(row.get("BGMD"), "0101"), day_of(row.get("EDMD"), "1231")
    except ValueError:
        draft.lose("ST_RSVRFSR_B: BGMD or EDMD is no day, write it as MMDD", row)
        return False
    if (start, end) != ((1, 1), (12, 31)):
        made["season_start"], made["season_end"] = (f"{month:02d}-{day:02d}" for month, day in (start, end))
    return True


def _curves(database: Database, stations: Mapping[str, Row], draft: Draft) -> None:
    """The curve surveyed last, of each reservoir; one of fewer than two rising points is none."""
    surveys: dict[str, dict[str, list[Row]]] = {}
    for row in read_table(database, "ST_ZVARL_B"):
        surveys.setdefault(row["STCD"], {}).setdefault(row.get("MSTM") or "", []).append(row)
    for code, dated in surveys.items():
        rows = dated[max(dated)]
        station = _known(rows[0], stations, draft, "ST_ZVARL_B")
        points = [(row["RZ"], row["W"]) for row in rows if row["RZ"] is not None and row["W"] is not None]
        points.sort()
        rising = all(low[0] < high[0] and low[1] < high[1] for low, high in pairwise(points))
        if station is None:
            continue
        if len(points) < 2 or not rising:
            draft.lose(f"ST_ZVARL_B: the curve of {code} does not rise from point to point", rows[0])
            continue
        reservoir = f"reservoir_{station['code']}"
        place = {name: station[name] for name in ("name", "name_en", "lon", "lat")}
        draft.add("reservoirs.csv", {"code": reservoir, **place, "station": station["code"]})
        for level, storage in points:
            source = "SL 323 ST_ZVARL_B"
            made = {"reservoir": reservoir, "level_m": level, "storage_m3": round(storage * 1e6), "source": source}
            draft.add("curves.csv", made)


def _frequencies(database: Database, stations: Mapping[str, Row], draft: Draft) -> None:
    for row in read_table(database, "ST_ZQFRAR_B"):
        station = _known(row, stations, draft, "ST_ZQFRAR_B")
        for name, what in (("Z", "water_level"), ("Q", "discharge")):
            if station is None or row.get(name) is None:
                continue
            named = "reservoir_inflow" if what == "discharge" and station["kind"] == "RR" else what
            station["quantities"].setdefault(named)
            made = {"station": station["code"], "quantity": named, "return_period": row["RCINT"], "value": row[name]}
            draft.add("frequencies.csv", made | {"source": f"SL 323 ST_ZQFRAR_B.{name}"})


def _reaches(database: Database, stations: Mapping[str, Row], draft: Draft) -> None:
    """A reach for each pair of stations; of several discharges the largest counts, which is that of a flood."""
    pairs: dict[tuple[str, str], Row] = {}
    for row in read_table(database, "ST_FSDR_B"):
        upper = _known(row, stations, draft, "ST_FSDR_B", "UPSTCD")
        lower = _known(row, stations, draft, "ST_FSDR_B", "DWSTCD") if upper else None
        if upper is None or lower is None:
            continue
        if not _hours(row):
            draft.lose("ST_FSDR_B: no travel time", row)
            continue
        key = upper["code"], lower["code"]
        if key not in pairs or (row.get("QMGN") or 0) >= (pairs[key].get("QMGN") or 0):
            pairs[key] = row
    for (upper_code, lower_code), row in pairs.items():
        upper, lower, hours = stations[upper_code], stations[lower_code], _hours(row)
        length, how = _length(row, upper, lower, hours)
        made = {
            "code": f"{upper_code}_{lower_code}",
            "name": f"{upper['name']}至{lower['name']}",
            "name_en": f"{upper['name_en']} to {lower['name_en']}",
            "upper": upper_code,
            "lower": lower_code,
            "length_km": round(max(length, 0.01), 2),
            "travel_hours": round(max(hours, 0.01), 2),
            "source": f"SL 323 ST_FSDR_B; length: {how}",
        }
        draft.add("reaches.csv", made)


def _hours(row: Row) -> float:
    mean, least, most = (row.get(name) for name in ("AVTRTM", "MNTRTM", "MXTRTM"))
    given = [each for each in (least, most) if each]
    return float(mean or (sum(given) / len(given) if given else 0.0))


def _length(row: Row, upper: Row, lower: Row, hours: float) -> tuple[float, str]:
    """Length of a reach [km], and how it was come by."""
    if row.get("RCHLEN"):
        return float(row["RCHLEN"]), "RCHLEN"
    if upper["to_mouth"] and lower["to_mouth"] and upper["to_mouth"] > lower["to_mouth"]:
        return upper["to_mouth"] - lower["to_mouth"], "difference of DSTRVM"
    if upper["lon"] and lower["lon"]:
        return _WINDING * _distance(upper, lower), "1.3 times the great circle, an estimate"
    return _SPEED * hours, "travel time at 2 m/s, an estimate"


def _distance(one: Row, other: Row) -> float:
    """Great-circle distance [km]."""
    east = radians(other["lon"] - one["lon"]) / 2
    south, north = radians(one["lat"]), radians(other["lat"])
    chord = sin((north - south) / 2) ** 2 + cos(south) * cos(north) * sin(east) ** 2
    return 2 * _EARTH * asin(sqrt(chord))


def _ratings(database: Database, stations: Mapping[str, Row], draft: Draft) -> None:
    for row in read_table(database, "ST_ZQRL_B"):
        station = _known(row, stations, draft, "ST_ZQRL_B")
        if station is not None and row["Z"] is not None and row["Q"] is not None:
            made = {"station": station["code"], "line": row["LNNM"], "level_m": row["Z"], "discharge_m3s": row["Q"]}
            draft.add(RATINGS_FILE, made | {"source": "SL 323 ST_ZQRL_B"})


def reported(draft: Draft, found: Mapping[str, Sequence[str]]) -> None:
    """Add the quantities that a station was seen to report, by code, to those that its kind promises."""
    for row in draft.files.get("stations.csv", ()):
        named = [*row["quantities"].split(), *found.get(row["code"], ())]
        row["quantities"] = " ".join(dict.fromkeys(named))
