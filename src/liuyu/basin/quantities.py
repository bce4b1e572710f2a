"""The table of quantities: each is declared once, in `quantities.csv`; checks, codecs, API and page read it here."""

from __future__ import annotations

import csv
import difflib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from liuyu.basin.errors import NotFound


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured: its names, its SI or field unit, its widest legal range [unit] and its codes elsewhere."""

    number: int
    name: str
    name_zh: str
    unit: str
    lower: float
    upper: float
    decimals: int
    kind: Literal["instant", "interval", "accumulated"]
    meaning: str
    cf_name: str
    sl651: str
    sl323: str


@cache
def quantities() -> tuple[Quantity, ...]:
    """Every quantity, by number."""
    text = files("liuyu.basin").joinpath("quantities.csv").read_text(encoding="utf-8")
    rows = msgspec.convert(list(csv.DictReader(text.splitlines())), list[Quantity], strict=False)
    return tuple(sorted(rows, key=lambda row: row.number))


@cache
def _by_name() -> dict[str, Quantity]:
    return {each.name: each for each in quantities()}


@cache
def _by_number() -> dict[int, Quantity]:
    return {each.number: each for each in quantities()}


def quantity(key: str | int) -> Quantity:
    """The quantity of a name or number. Raises NotFound with the nearest name.

    >>> quantity("water_level").unit
    'm'
    """
    found = _by_name().get(key) if isinstance(key, str) else _by_number().get(key)
    if found is None:
        near = difflib.get_close_matches(str(key), _by_name(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(_by_name())}"
        raise NotFound(f"no quantity {key!r}; {hint}")
    return found
