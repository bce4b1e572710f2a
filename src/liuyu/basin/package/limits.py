"""Whether the numbers of a package agree: thresholds with stations and one another, curves, frequencies, positions."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

from liuyu.basin.package.reading import Faults
from liuyu.basin.package.references import Tables
from liuyu.basin.package.tables import Row
from liuyu.basin.quantities import quantity

ORDER: tuple[tuple[str, str], ...] = (
    ("warning", "guarantee"),
    ("historical_minimum", "warning"),
    ("historical_minimum", "historical_maximum"),
    ("drought_warning", "warning"),
    ("dead_pool", "flood_limit"),
    ("flood_limit", "normal_pool"),
    ("normal_pool", "design_flood"),
)
POOLS = ("dead_pool", "flood_limit", "normal_pool")
WIDEST = 300.0  # m; no station's lines lie farther apart, those of the highest dams included
SMALL_STORAGE = 1e5  # m3; a reservoir worth a curve holds more, so less was written in 10^8 or 10^4 m3


def check_limits(tables: Tables, faults: Faults) -> None:
    """Note every number that does not agree with another one."""
    stations = {row["code"]: row for row in tables.get("stations.csv", ()) if row["code"]}
    for file in tables:
        for row in tables[file]:
            _check_position(row, faults)
    for row in (*tables.get("thresholds.csv", ()), *tables.get("frequencies.csv", ())):
        _check_value(row, stations.get(row["station"]), faults)
    thresholds = tables.get("thresholds.csv", [])
    _check_seasons(thresholds, faults)
    _check_datums(thresholds, stations, faults)
    for group in _groups(thresholds, "station", "quantity"):
        _check_order(group, faults)
        _check_spread(group, faults)
        _check_twice(group, faults)
    for group in _groups(tables.get("frequencies.csv", []), "station", "quantity"):
        _check_rising(group, "return_period", "value", faults)
    _check_reservoirs(tables, stations, faults)


def _fault(faults: Faults, row: Row, column: str, problem: str, cure: str) -> None:
    faults.add(row.file, problem, cure, line=row.line, field=column, value=row.text.get(column, ""))


def _groups(rows: Iterable[Row], *columns: str) -> list[list[Row]]:
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        key = tuple(row[column] for column in columns)
        if all(key):
            found.setdefault(key, []).append(row)
    return list(found.values())


def _check_position(row: Row, faults: Faults) -> None:
    lon, lat = row.text.get("lon", ""), row.text.get("lat", "")
    if bool(lon) != bool(lat):
        missing = "lat" if lon else "lon"
        _fault(faults, row, missing, "half a position", f"give {missing} too, or leave both blank")
    elif row["lon"] == 0 and row["lat"] == 0:
        _fault(faults, row, "lon", "lies in the Gulf of Guinea", "leave both blank where the position is not known")
    elif lat and row["lat"] is None and row["lon"] is not None and abs(row["lon"]) <= 90:
        _fault(faults, row, "lon", "looks like a latitude", "swap lon and lat")


def _check_value(row: Row, station: Row | None, faults: Faults) -> None:
    name, value = row["quantity"], row["value"]
    if name is None:
        return
    declared = quantity(name)
    if value is not None and not declared.lower <= value <= declared.upper:
        problem = f"lies outside {declared.lower:g} to {declared.upper:g} {declared.unit}"
        _fault(faults, row, "value", problem, f"give it in {declared.unit}")
    if station is not None and station["quantities"] and name not in station["quantities"]:
        problem = f"station {station['code']} reports {' '.join(station['quantities'])} alone"
        _fault(faults, row, "quantity", problem, f"add {name} to its quantities in stations.csv:{station.line}")


def _check_seasons(thresholds: Iterable[Row], faults: Faults) -> None:
    for row in thresholds:
        given = [each for each in ("season_start", "season_end") if row.text.get(each)]
        if len(given) == 1:
            other = "season_end" if given[0] == "season_start" else "season_start"
            _fault(faults, row, other, "half a season", f"give {other} too, or leave both blank")


def _check_datums(thresholds: Iterable[Row], stations: Mapping[str, Row], faults: Faults) -> None:
    for row in thresholds:
        station = stations.get(row["station"])
        if station is None or row["quantity"] != "water_level" or row["datum"] == station["datum"]:
            continue
        problem = f"but station {station['code']} measures from {station['datum']} (stations.csv:{station.line})"
        cure = "convert the value to the station's datum, or correct the one that is wrong"
        faults.add(row.file, problem, cure, line=row.line, field="datum", value=row["datum"])


def _season(row: Row) -> tuple[tuple[int, int], tuple[int, int]] | None:
    start, end = row["season_start"], row["season_end"]
    return (start, end) if start and end else None


def _meet(one: Row, other: Row) -> bool:
    """Whether there is a day of the year on which both hold."""
    here, there = _season(one), _season(other)
    if here is None or there is None:
        return True
    return _within(here, there[0]) or _within(there, here[0])


def _within(season: tuple[tuple[int, int], tuple[int, int]], day: tuple[int, int]) -> bool:
    start, end = season
    return start <= day <= end if start <= end else day >= start or day <= end


def _check_order(group: list[Row], faults: Faults) -> None:
    for lower_kind, upper_kind in ORDER:
        for low in (row for row in group if row["kind"] == lower_kind and row["value"] is not None):
            for high in (row for row in group if row["kind"] == upper_kind and row["value"] is not None):
                if low["value"] > high["value"] and _meet(low, high):
                    problem = f"{lower_kind} lies above {upper_kind} {high['value']:g} (line {high.line})"
                    _fault(faults, low, "value", problem, "correct one of the two, or check their units")


def _check_spread(group: list[Row], faults: Faults) -> None:
    """A level far from the station's other levels was written in cm, or from another zero."""
    known = sorted((row for row in group if row["value"] is not None), key=lambda one: one["value"])
    if len(known) < 2 or known[0]["quantity"] != "water_level":
        return
    middle = known[(len(known) - 1) // 2]
    for row in known:
        apart = abs(row["value"] - middle["value"])
        if apart > WIDEST:
            problem = f"lies {apart:g} m from the station's {middle['kind']} (line {middle.line})"
            _fault(faults, row, "value", problem, "give levels in m, from the datum of the station")


def _check_twice(group: list[Row], faults: Faults) -> None:
    for place, row in enumerate(group):
        for before in group[:place]:
            if row["kind"] and row["kind"] == before["kind"] and _meet(row, before):
                problem = f"station {row['station']} has this line already (line {before.line})"
                _fault(faults, row, "kind", problem, "remove one, or give them seasons that do not meet")
                break


def _check_rising(rows: list[Row], over: str, column: str, faults: Faults) -> None:
    known = sorted(
        (row for row in rows if row[over] is not None and row[column] is not None), key=lambda one: one[over]
    )
    for before, row in itertools.pairwise(known):
        if row[over] == before[over]:
            _fault(faults, row, over, f"is there already (line {before.line})", "remove one of them")
        elif row[column] <= before[column]:
            problem = f"does not rise above {before[column]:g} of {over} {before[over]:g} (line {before.line})"
            _fault(faults, row, column, problem, "correct the value, or its unit")


def _check_reservoirs(tables: Tables, stations: Mapping[str, Row], faults: Faults) -> None:
    curves: dict[str, list[Row]] = {}
    for row in tables.get("curves.csv", ()):
        curves.setdefault(row["reservoir"], []).append(row)
    reporting: dict[str, Row] = {}
    for row in tables.get("reservoirs.csv", ()):
        if row["station"] in reporting:
            problem = f"reports reservoir {reporting[row['station']]['code']} already"
            _fault(faults, row, "station", problem, "name one station for each reservoir")
        elif row["station"]:
            reporting[row["station"]] = row
        station = stations.get(row["station"])
        if station is not None and station["quantities"] and "water_level" not in station["quantities"]:
            cure = f"add it to its quantities in stations.csv:{station.line}"
            _fault(faults, row, "station", "does not report water_level", cure)
        if None not in (row["release_min"], row["release_max"]) and row["release_min"] > row["release_max"]:
            _fault(faults, row, "release_min", f"exceeds release_max {row['release_max']:g}", "swap the two")
        _check_curve(row, curves.get(row["code"], []), tables, faults)


def _check_curve(reservoir: Row, points: list[Row], tables: Tables, faults: Faults) -> None:
    known = [row for row in points if row["level_m"] is not None and row["storage_m3"] is not None]
    if len(points) < 2:
        problem = f"has too few points of its curve in curves.csv: {len(points)}"
        _fault(faults, reservoir, "code", problem, "give two or more, with level and storage")
        return
    for before, row in itertools.pairwise(known):
        for column in ("level_m", "storage_m3"):
            if row[column] <= before[column]:
                problem = f"does not rise above {before[column]:g} (line {before.line})"
                _fault(faults, row, column, problem, "order the points by level; storage grows with it")
    if known and max(row["storage_m3"] for row in known) < SMALL_STORAGE:
        _fault(faults, known[-1], "storage_m3", "is too little for a reservoir", "give it in m3, not in 10^8 m3")
    if known:
        _check_pools(reservoir, known, tables.get("thresholds.csv", []), faults)


def _check_pools(reservoir: Row, known: list[Row], thresholds: Iterable[Row], faults: Faults) -> None:
    low, high = min(row["level_m"] for row in known), max(row["level_m"] for row in known)
    for row in thresholds:
        here = row["station"] == reservoir["station"] and row["quantity"] == "water_level"
        if here and row["kind"] in POOLS and row["value"] is not None and not low <= row["value"] <= high:
            problem = f"lies off the curve of {reservoir['code']}, {low:g} to {high:g} m (curves.csv:{known[0].line})"
            _fault(faults, row, "value", problem, "correct the level, or lengthen the curve")
