"""What a flood does to people, land and whatever else is laid over it: by class of depth and of hazard."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.outlook.rehearse.flooding.classes import Classes, classes
from liuyu.outlook.rehearse.flooding.layers import read_exposure
from liuyu.twin.flood import Grid, Maximum
from liuyu.twin.flood.problem import Floats, Integers

COLUMNS = ("flood", "member", "layer", "feature", "column", "class_kind", "class", "affected", "total", "share")
ALL = "*"


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a number of a feature lies in a class; feature and class "*" stand for all of them together."""

    layer: str
    feature: str
    column: str
    class_kind: str
    name: str
    affected: float
    total: float


def impact_of(maximum: Maximum, grid: Grid, layers: Sequence[Path], river: NDArray[np.bool_]) -> list[Affected]:
    """Rows for every layer, feature, column and class that is touched, and for the flooded land itself.

    `river` marks the cells that are under water anyway, where nothing counts as affected.
    """
    known = classes()
    depths, hazards = (np.where(river, -1, each) for each in _classes_of(maximum, known))
    stems = [each.stem for each in layers]
    rows = list(_land(depths, hazards, grid, known))
    for path in layers:
        sums: dict[tuple[str, str, str], float] = {}
        totals: dict[str, float] = {}
        found: list[Affected] = []
        layer = path.stem if stems.count(path.stem) == 1 else path.name
        for each in read_exposure(path, grid):
            totals[each.column] = totals.get(each.column, 0.0) + each.total
            for kind, name, amount in _shares(each.amount, depths, hazards, known):
                key = (each.column, kind, name)
                sums[key] = sums.get(key, 0.0) + amount
                if amount > 0.0:
                    found.append(_row(layer, each.feature, each.column, kind, name, amount, each.total))
        rows += [_row(layer, ALL, column, kind, name, sums[column, kind, name], totals[column])
                 for column, kind, name in sums]  # fmt: skip
        rows += found
    return rows


def _row(layer: str, feature: str, column: str, kind: str, name: str, affected: float, total: float) -> Affected:
    return Affected(
        layer=layer, feature=feature, column=column, class_kind=kind, name=name, affected=affected, total=total
    )


def _classes_of(maximum: Maximum, known: Classes) -> tuple[Integers, Integers]:
    depth, speed, product = (np.nan_to_num(each) for each in (maximum.depth, maximum.speed, maximum.hazard))
    return known.depth_class(depth), known.hazard_class(depth, speed, product)


def _land(depths: Integers, hazards: Integers, grid: Grid, known: Classes) -> list[Affected]:
    cells = np.full(depths.shape, grid.cell**2 / 1e6)
    total = float(cells.sum())
    return [
        _row("flood", ALL, "area_km2", kind, name, amount, total)
        for kind, name, amount in _shares(cells, depths, hazards, known)
    ]


def _shares(amount: Floats, depths: Integers, hazards: Integers, known: Classes) -> list[tuple[str, str, float]]:
    out = [("depth", ALL, float(amount[depths >= 0].sum()))]
    out += [("depth", name, float(amount[depths == place].sum())) for place, name in enumerate(known.depths)]
    out += [("hazard", each.code, float(amount[hazards == place].sum())) for place, each in enumerate(known.hazards)]
    return out


def totals_of(rows: Sequence[Affected]) -> list[dict[str, object]]:
    """What is affected at all, a row for each layer and column."""
    return [
        {"layer": each.layer, "column": each.column, "affected": round(each.affected, 3), "total": round(each.total, 3)}
        for each in rows
        if (each.feature, each.class_kind, each.name) == (ALL, "depth", ALL)
    ]


def write_impact(path: Path, found: Sequence[tuple[str, str, Sequence[Affected]]]) -> None:
    """impact.csv of some floods and members."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(COLUMNS)
        for flood, member, rows in found:
            for each in rows:
                share = each.affected / each.total if each.total > 0.0 else 0.0
                writer.writerow(
                    [flood, member, each.layer, each.feature, each.column, each.class_kind, each.name,
                     f"{each.affected:.6g}", f"{each.total:.6g}", f"{share:.4f}"]
                )  # fmt: skip
