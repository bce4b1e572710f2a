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
    part = on_grid(grid, stretch(line, chainage - width / 2, chainage + width / 2))
    cells, along = cells_along(grid, part)
    if not len(cells):
        return None
    distances = np.abs(along - 0.5 * (along.min() + along.max())) / max(0.5 * width, 0.5 * grid.cell)
    if bottom is None:
        bottom = _ground_around(terrain, cells)
    spread: dict[tuple[int, int], float] = {}
    for cell, distance in zip(cells, distances, strict=True):
        for down, across in _NEAR:
            each = (int(cell[0]) + down, int(cell[1]) + across)
            spread[each] = min(spread.get(each, 1.0), float(min(distance, 1.0)))
    held = within(grid, np.array(list(spread)))
    higher = terrain[held[:, 0], held[:, 1]] > bottom
    held = held[higher]
    if not len(held):
        return None
    shares = np.array([spread[int(row), int(column)] for row, column in held])
    return Breach(name=name, cells=held, distances=shares, bottom=bottom, start_s=start_s, duration_s=duration_s)


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
