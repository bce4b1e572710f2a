"""Codes that are there twice, and codes that are named but not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from liuyu.basin.package.columns import LEVEES_FILE
from liuyu.basin.package.reading import Faults, near
from liuyu.basin.package.tables import Row

Tables = Mapping[str, list[Row]]

PLACES = (
    "stations.csv",
    "junctions.csv",
    "reservoirs.csv",
    "reaches.csv",
    "subbasins.csv",
    "detention_basins.csv",
    "cameras.csv",
    "intakes.csv",
    LEVEES_FILE,
)
NODES = PLACES[:3]

_REFERENCES: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    ("stations.csv", "reach", ("reaches.csv",), "reach"),
    ("thresholds.csv", "station", ("stations.csv",), "station"),
    ("frequencies.csv", "station", ("stations.csv",), "station"),
    ("reaches.csv", "upper", NODES, "station, junction or reservoir"),
    ("reaches.csv", "lower", NODES, "station, junction or reservoir"),
    ("subbasins.csv", "outlet", NODES, "station, junction or reservoir"),
    ("reservoirs.csv", "station", ("stations.csv",), "station"),
    ("reservoirs.csv", "downstream", NODES, "station, junction or reservoir"),
    ("curves.csv", "reservoir", ("reservoirs.csv",), "reservoir"),
    ("detention_basins.csv", "station", ("stations.csv",), "station"),
    ("cameras.csv", "watches", PLACES, "place"),
)


def codes(tables: Tables, files: Iterable[str]) -> set[str]:
    """The codes that some files declare; a row with other faults declares its code all the same."""
    return {row.text["code"] for file in files for row in tables.get(file, ()) if row.text.get("code")}


def check_references(tables: Tables, faults: Faults) -> None:
    """Every code once; every code that is named exists."""
    _check_unique(tables, faults)
    for file, column, among, what in _REFERENCES:
        known = codes(tables, among)
        for row in tables.get(file, ()):
            code = row[column]
            if code and code not in known:
                cure = near(code, known, f"add it to {among[0]}, or correct the code")
                faults.add(file, f"there is no such {what}", cure, line=row.line, field=column, value=code)


def _check_unique(tables: Tables, faults: Faults) -> None:
    first: dict[str, Row] = {}
    for file in PLACES:
        for row in tables.get(file, ()):
            code = row["code"]
            if not code:
                continue
            if code in first:
                where = f"{first[code].file}:{first[code].line}"
                cure = "give each place a code of its own"
                faults.add(file, f"is the code of {where} too", cure, line=row.line, field="code", value=code)
            else:
                first[code] = row
