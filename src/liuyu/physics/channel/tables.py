"""Look-up in tables by level: between knots the width runs straight, so that the area is its exact integral."""

from __future__ import annotations

from liuyu.physics.channel.compiled import within
from liuyu.physics.channel.fields import Floats, Integers, Tables


@within
def interval(level: Floats, first: int, last: int, hint: int, z: float) -> int:
    """The knot at or below a level z, between first and last (exclusive): the search begins at a hint.

    Below the first knot the first, above the last the last; of equal knots the last one.
    """
    k = min(max(hint, first), last - 1)
    while k + 1 < last and level[k + 1] <= z:
        k += 1
    while k > first and level[k] > z:
        k -= 1
    return k


@within
def measures(tables: Tables, table: int, hint: int, z: float) -> tuple[int, float, float, float, float]:
    """Where the look-up ended, width [m], area [m²], conveyance [m³/s] and its rise per metre, at a level [m].

    Nothing below the lowest point; above the highest the walls stand upright and the conveyance goes on rising.
    """
    first, last = tables.first[table], tables.first[table + 1]
    k = interval(tables.level, first, last, hint, z)
    depth = z - tables.level[k]
    if depth < 0.0:
        return k, 0.0, 0.0, 0.0, 0.0
    bend, turn = 0.0, 0.0
    if k + 1 < last:
        span = tables.level[k + 1] - tables.level[k]
        bend = (tables.width[k + 1] - tables.width[k]) / span
        turn = (tables.shape[k + 1] - tables.shape[k]) / span
    width = tables.width[k] + bend * depth
    area = tables.area[k] + (tables.width[k] + 0.5 * bend * depth) * depth
    shape = tables.shape[k] + turn * depth
    power = area ** (2.0 / 3.0)
    return k, width, area, shape * area * power, (turn * area + shape * width * (5.0 / 3.0)) * power


@within
def wetted(tables: Tables, table: int, hint: int, z: float) -> tuple[int, float, float]:
    """Where the look-up ended, width [m] and area [m²]: `measures` without its power, which costs most."""
    first, last = tables.first[table], tables.first[table + 1]
    k = interval(tables.level, first, last, hint, z)
    depth = z - tables.level[k]
    if depth < 0.0:
        return k, 0.0, 0.0
    bend = 0.0
    if k + 1 < last:
        bend = (tables.width[k + 1] - tables.width[k]) / (tables.level[k + 1] - tables.level[k])
    width = tables.width[k] + bend * depth
    return k, width, tables.area[k] + (tables.width[k] + 0.5 * bend * depth) * depth


@within
def cell_volume(
    tables: Tables, parts: Integers, lengths: Floats, hints: Integers, first: int, last: int, z: float
) -> tuple[float, float]:
    """Volume [m³] and surface [m²] of a cell at a level [m], over its parts from first to last."""
    volume, surface = 0.0, 0.0
    for part in range(first, last):
        k, width, area = wetted(tables, parts[part], hints[part], z)
        hints[part] = k
        volume += area * lengths[part]
        surface += width * lengths[part]
    return volume, surface


@within
def rated(level: Floats, discharge: Floats, first: int, last: int, z: float) -> tuple[float, float]:
    """Discharge [m³/s] and its rise per metre at a level [m]; none below the first knot, straight on above the last."""
    if z <= level[first] or last - first < 2:
        return 0.0, 0.0
    k = min(interval(level, first, last, first, z), last - 2)
    rise = (discharge[k + 1] - discharge[k]) / (level[k + 1] - level[k])
    return discharge[k] + rise * (z - level[k]), rise
