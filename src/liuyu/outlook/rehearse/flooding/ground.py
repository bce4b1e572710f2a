"""Where things lie: levees along their chainage, and places on a flood's grid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from rasterio.warp import transform

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Position
from liuyu.twin.flood import Breach, Grid
from liuyu.twin.flood.places import cell_of, cells_along, within
from liuyu.twin.flood.problem import Floats

EARTH = 6371008.8  # mean radius [m]
WGS84 = "EPSG:4326"
_STANDS = 0.5  # [m] above the bottom of a breach from which a cell counts as levee
_NEAR = ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0))


def length_of(line: Sequence[Position]) -> float:
    """Length [m] of a line of longitudes and latitudes, on a sphere."""
    return float(sum(_apart(a, b) for a, b in pairwise(line)))


def _apart(a: Position, b: Position) -> float:
    (west, south), (east, north) = np.radians(a), np.radians(b)
    half = np.sin((north - south) / 2) ** 2 + np.cos(south) * np.cos(north) * np.sin((east - west) / 2) ** 2
    return float(2 * EARTH * np.arcsin(np.sqrt(half)))


def stretch(line: Sequence[Position], start: float, end: float) -> list[Position]:
    """The part of a line between two chainages [m], which are held within it."""
    along = np.concatenate([[0.0], np.cumsum([_apart(a, b) for a, b in pairwise(line)])])
    start, end = np.clip([start, end], 0.0, along[-1])
    corners = np.asarray(line, float)
    inner = (along > start) & (along < end)
    ends = [[np.interp(at, along, corners[:, axis]) for axis in (0, 1)] for at in (start, end)]
    return [(float(x), float(y)) for x, y in np.vstack([ends[:1], corners[inner], ends[1:]])]


def on_grid(grid: Grid, places: Sequence[Position]) -> list[tuple[float, float]]:
    """Longitudes and latitudes in the grid's own coordinates. Raises BadInput where it names no reference."""
    if not grid.reference:
        raise BadInput("the terrain names no coordinate reference, so nothing can be placed on it; write one into it")
    x, y = transform(WGS84, grid.reference, [p[0] for p in places], [p[1] for p in places])
    return list(zip(x, y, strict=True))


def cell_at(grid: Grid, place: Position) -> tuple[int, int] | None:
    """The cell that holds a longitude and latitude, None outside."""
    row, column = cell_of(grid, on_grid(grid, [place])[0])
    return (row, column) if 0 <= row < grid.shape[0] and 0 <= column < grid.shape[1] else None


def breach_on(
    grid: Grid, terrain: Floats, line: Sequence[Position], chainage: float, width: float, bottom: float | None,
    start_s: float, duration_s: float, name: str,
) -> Breach | None:  # fmt: skip
    """A breach of a levee as cells of a grid; None where the levee does not cross it there.

    The levee's cells are those under the stretch and beside it that stand higher than `bottom`, without which the
    median of the ground five cells around is taken.
    """
    reach = 0.5 * width + 3.0 * grid.cell
    part = on_grid(grid, stretch(line, chainage - reach, chainage + reach))
    middle = on_grid(grid, stretch(line, chainage, chainage))[0]
    along = cells_along(grid, part)[0]
    beside = {(int(row) + down, int(column) + across) for row, column in along for down, across in _NEAR}
    cells = within(grid, np.array(sorted(beside), np.int64).reshape(-1, 2))
    if not len(cells):
        return None
    if bottom is None:
        bottom = _ground_around(terrain, cells)
    cells = cells[terrain[cells[:, 0], cells[:, 1]] > bottom + _STANDS]
    if not len(cells):
        return None
    far = np.abs(_chainages(grid, cells, part) - _chainage_of(middle, part))
    held = far <= max(0.5 * width, float(far.min()))
    shares = np.minimum(far[held] / max(0.5 * width, 0.5 * grid.cell), 1.0)
    return Breach(name=name, cells=cells[held], distances=shares, bottom=bottom, start_s=start_s, duration_s=duration_s)


def _chainages(grid: Grid, cells: NDArray[np.int64], line: Sequence[tuple[float, float]]) -> Floats:
    """How far along a line [m] the nearest point to each cell's centre lies."""
    x, y = grid.columns_x[cells[:, 1]], grid.rows_y[cells[:, 0]]
    return np.array([_chainage_of((px, py), line) for px, py in zip(x, y, strict=True)])


def _chainage_of(point: tuple[float, float], line: Sequence[tuple[float, float]]) -> float:
    best, found, before = np.inf, 0.0, 0.0
    for a, b in pairwise(np.asarray(line, float)):
        length = float(np.hypot(*(b - a)))
        at = float(np.clip(np.dot(np.asarray(point) - a, b - a) / max(length**2, 1e-12), 0.0, 1.0))
        away = float(np.hypot(*(a + at * (b - a) - point)))
        if away < best:
            best, found = away, before + at * length
        before += length
    return found


def _ground_around(terrain: Floats, cells: NDArray[np.int64]) -> float:
    (south, west), (north, east) = cells.min(0) - 5, cells.max(0) + 6
    box = terrain[max(south, 0) : north, max(west, 0) : east]
    return float(np.nanmedian(box))


def filled(terrain: Floats, side: str, level: float) -> Floats:
    """Depth [m] of water that stands at a level wherever that reaches from one side of a terrain, 0 elsewhere."""
    low = np.nan_to_num(terrain, nan=np.inf) < level
    wet = np.zeros(terrain.shape, bool)
    edge = {"west": (slice(None), 0), "east": (slice(None), -1), "south": (0,), "north": (-1,)}[side]
    wet[edge] = low[edge]
    while True:
        grown = wet.copy()
        grown[1:] |= wet[:-1]
        grown[:-1] |= wet[1:]
        grown[:, 1:] |= wet[:, :-1]
        grown[:, :-1] |= wet[:, 1:]
        grown &= low
        if (grown == wet).all():
            break
        wet = grown
    return np.where(wet, level - np.where(wet, terrain, 0.0), 0.0)
