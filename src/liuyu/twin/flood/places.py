"""Points, lines and polygons as cells of a grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.flood.problem import Floats, Integers
from liuyu.twin.flood.rasters import Grid

Point = Sequence[float]


def cell_of(grid: Grid, point: Point) -> tuple[int, int]:
    """Row and column that hold a point (x, y); they may lie outside the grid."""
    return int(np.floor((point[1] - grid.y) / grid.cell)), int(np.floor((point[0] - grid.x) / grid.cell))


def cells_in(grid: Grid, polygon: Sequence[Point]) -> Integers:
    """Cells (n, 2) whose centre lies within a polygon; the cell of its middle where it is too small to hold any."""
    corners = np.asarray(polygon, float)
    x, y = np.meshgrid(grid.columns_x, grid.rows_y)
    inside = np.zeros(grid.shape, bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, 0), strict=True):
        if ay == by:
            continue
        crosses = (ay > y) != (by > y)
        inside ^= crosses & (x < ax + (y - ay) / (by - ay) * (bx - ax))
    found = np.argwhere(inside)
    return found if len(found) else within(grid, np.array([cell_of(grid, corners.mean(0))]))


def cells_along(grid: Grid, line: Sequence[Point]) -> tuple[Integers, Floats]:
    """Cells (n, 2) that a line crosses, each once, neighbours sharing a side; and how far along each is [m]."""
    cells: list[tuple[int, int]] = []
    distances: list[float] = []
    before, seen = 0.0, set()
    for start, end in pairwise(line):
        a, b = np.asarray(start, float), np.asarray(end, float)
        length = float(np.hypot(*(b - a)))
        for share in _crossings(grid, a, b):
            cell = cell_of(grid, a + share * (b - a))
            if cell not in seen:
                seen.add(cell)
                cells.append(cell)
                distances.append(before + share * length)
        before += length
    if len(line) == 1:
        cells, distances = [cell_of(grid, line[0])], [0.0]
    found = np.array(cells, np.int64).reshape(-1, 2)
    held = _is_within(grid, found)
    return found[held], np.array(distances)[held]


def within(grid: Grid, cells: Integers) -> Integers:
    """Those cells that lie in the grid."""
    return cells[_is_within(grid, cells)]


def _is_within(grid: Grid, cells: Integers) -> NDArray[np.bool_]:
    return np.asarray(((cells >= 0) & (cells < np.array(grid.shape))).all(1))


def _crossings(grid: Grid, a: Floats, b: Floats) -> Floats:
    """The middle, as a share of a to b, of every stretch between two lines of the grid."""
    shares = [0.0, 1.0]
    for axis, origin in ((0, grid.x), (1, grid.y)):
        low, high = sorted(((a[axis] - origin) / grid.cell, (b[axis] - origin) / grid.cell))
        if high > low:
            lines = np.arange(np.ceil(low), np.floor(high) + 1) * grid.cell + origin
            shares.extend((lines - a[axis]) / (b[axis] - a[axis]))
    ordered = np.unique(np.clip(shares, 0.0, 1.0))
    return np.asarray(0.5 * (ordered[1:] + ordered[:-1])) if len(ordered) > 1 else np.zeros(1)
