"""The tables of SL 323-2011 that hold what we use, from `tables.csv`, and what their columns mean here.

Columns, widths and units were read in a public field dictionary and a public schema [verified]; where copies differ
(`LGTD1`, `USESYMB`, `COMMENT`), `ALIASES` tells the other names. Which of our lines a column stands for is in
`meanings.csv`; that LAZ and LAQ are drought warnings is our reading [unverified].
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from liuyu.basin.quantities import quantity
from liuyu.monitor.sense.readers.units import conversion

ALIASES = {"LGTD1": "LGTD", "LTTD1": "LTTD", "USESYMB": "USFL", "COMMENT": "COMMENTS", "RHMXOTQ": "HMXOTQ"}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column: its type, width in signs or digits, decimals, whether it is of the key, and its unit."""

    table: str
    column: str
    type: Literal["text", "number", "whole", "time"]
    width: int = 0
    decimals: int = 0
    key: bool = False
    unit: str = ""
    meaning: str = ""

    @property
    def largest(self) -> float:
        """The largest number that fits."""
        return float(10 ** (self.width - self.decimals) - 10.0**-self.decimals)


class Meaning(msgspec.Struct, frozen=True, kw_only=True):
    """What a column holds: a quantity, as a threshold of a kind, at stations of some kinds.

    `stations` is any, or SL 323 codes of kinds (STTP), with `not` before those for which it does not hold it. A value
    of the column times `factor` is in the unit of the quantity.
    """

    what: Literal["observed", "threshold", "forecast"]
    table: str
    column: str
    quantity: str
    kind: str = ""
    stations: str = "any"
    factor: float = 1.0

    def fits(self, station_kind: str) -> bool:
        """Whether a station of a kind has its value in this column.

        >>> [each.table for each in meanings("observed") if each.quantity == "water_level" and each.fits("DD")]
        ['ST_WAS_R']
        """
        refused, kinds = self.stations.startswith("not "), self.stations.removeprefix("not ").split()
        return self.stations == "any" or (station_kind in kinds) != refused


def _read(file: str) -> list[dict[str, str]]:
    text = files("liuyu.monitor.sense.sl323").joinpath(file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def tables() -> dict[str, tuple[Column, ...]]:
    """The columns of every table, in order."""
    found: dict[str, list[Column]] = {}
    for row in _read("tables.csv"):
        given = {**row, "key": row["key"] == "key", "width": row["width"] or 0, "decimals": row["decimals"] or 0}
        found.setdefault(row["table"], []).append(msgspec.convert(given, Column, strict=False))
    return {table: tuple(each) for table, each in found.items()}


@cache
def column(table: str, name: str) -> Column:
    """One column of a table."""
    return next(each for each in tables()[table] if each.column == name)


@cache
def meanings(what: str) -> tuple[Meaning, ...]:
    """What the columns of observations, thresholds or forecasts mean."""
    found = []
    for row in _read("meanings.csv"):
        if row["what"] == what:
            unit = column(row["table"], row["column"]).unit
            factor, _ = conversion(unit, quantity(row["quantity"]))
            found.append(msgspec.convert({**row, "factor": factor}, Meaning, strict=False))
    return tuple(found)
