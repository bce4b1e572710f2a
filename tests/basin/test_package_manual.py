"""The manual of the package format tells of every file, key and column, as the reader knows them."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.package.columns import LEVEES_FILE, Column, columns
from liuyu.basin.package.config import KEYS, LAYER_KINDS
from liuyu.basin.package.limits import ORDER
from liuyu.basin.places import THRESHOLD_KINDS

MANUAL = Path(__file__).parents[2] / "docs" / "reference" / "basin-package.md"


def line(column: Column) -> str:
    """The line of the manual that tells of a column."""
    blank = "needed" if column.needed else (column.default or "–")
    legal = ""
    if column.choices:
        legal = " ".join(column.choices)
    elif column.lower is not None and column.upper is not None:
        legal = f"{column.lower:.10g} to {column.upper:.10g}"
    unit = f" [{column.unit}]" if column.unit else ""
    return f"| `{column.column}` | {column.kind}{unit} | {blank} | {legal or '–'} | {column.meaning} |"


@pytest.mark.parametrize("file", [*columns()])
def test_every_column_is_told_of(file: str) -> None:
    section = MANUAL.read_text("utf-8").split(f"### {file}\n")[1].split("\n### ")[0]
    told = [each for each in section.splitlines() if each.startswith("| `")]
    assert told == [line(column) for column in columns()[file]]


def test_every_key_and_layer_is_told_of() -> None:
    text = MANUAL.read_text("utf-8")
    assert [name for name in (*KEYS, *LAYER_KINDS, LEVEES_FILE) if f"`{name}`" not in text] == []


def test_kinds_of_thresholds_are_those_of_the_nouns() -> None:
    (kind,) = [each for each in columns()["thresholds.csv"] if each.column == "kind"]
    assert kind.choices == tuple(THRESHOLD_KINDS)
    text = MANUAL.read_text("utf-8")
    assert [pair for pair in ORDER if f"{pair[0]} ≤ {pair[1]}" not in text] == []
