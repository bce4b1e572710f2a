"""The files and columns of a basin package, from the one table in `columns.csv`: reader, checks and manual use it."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

CONFIG_FILE = "basin.toml"
LEVEES_FILE = "levees.geojson"
REQUIRED_FILES = (CONFIG_FILE, "stations.csv")

Kind = Literal["code", "reference", "text", "choice", "number", "whole", "day", "quantity", "quantities"]


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of one file: how its cells are read, what is legal [unit], what a blank stands for."""

    file: str
    column: str
    kind: Kind
    needed: bool
    unit: str
    lower: float | None
    upper: float | None
    choices: tuple[str, ...]
    default: str
    meaning: str


@cache
def columns() -> dict[str, tuple[Column, ...]]:
    """The columns of every CSV file of a package, by file name, in the order of the table."""
    text = files("liuyu.basin.package").joinpath("columns.csv").read_text(encoding="utf-8")
    found: dict[str, list[Column]] = {}
    for row in csv.DictReader(text.splitlines()):
        column = Column(
            file=row["file"],
            column=row["column"],
            kind=msgspec.convert(row["kind"], Kind),
            needed=row["needed"] == "yes",
            unit=row["unit"],
            lower=float(row["lower"]) if row["lower"] else None,
            upper=float(row["upper"]) if row["upper"] else None,
            choices=tuple(row["choices"].split()),
            default=row["default"],
            meaning=row["meaning"],
        )
        found.setdefault(column.file, []).append(column)
    return {file: tuple(each) for file, each in found.items()}
