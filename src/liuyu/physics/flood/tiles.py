"""Which squares of cells are marched: those with water and those beside, for water moves a cell a step at most."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner, loop
from liuyu.physics.flood.fields import GHOSTS, TILE, Cells, Integers

WIDEST = 8  # tiles in one piece of work, whose rows then stay in the nearest cache
INTERVAL = 16  # steps between two looks, well below TILE


class Tiles(NamedTuple):
    """Flags by tile: marched now, to be marched always, found wet; and the pieces of work (n, 4) they make."""

    active: NDArray[np.uint8]
    always: NDArray[np.uint8]
    wet: NDArray[np.uint8]
    runs: Integers


@inner
def mark_wet(tiles: Tiles, box: Integers, h: Cells, dry: float) -> None:
    """Note which tiles of a piece of work hold water that can move."""
    row = (box[0] - GHOSTS) // TILE
    for column in range((box[2] - GHOSTS) // TILE, (box[3] - GHOSTS + TILE - 1) // TILE):
        tiles.wet[row, column] = _any_wet(h, box[0], box[1], GHOSTS + column * TILE, box[3], dry)


@inner
def _any_wet(h: Cells, r0: int, r1: int, a: int, end: int, dry: float) -> bool:
    b = min(a + TILE, end)
    for i in range(r0, r1):
        count = 0
        for j in range(a, b):
            count += h[i, j] > dry
        if count:
            return True
    return False


@inner
def list_runs(tiles: Tiles, rows: int, columns: int) -> int:
    """Write the active tiles as pieces of work, neighbours in a row joined up to WIDEST; returns their number."""
    count = 0
    down, across = tiles.active.shape
    for r in range(down):
        c = 0
        while c < across:
            if not tiles.active[r, c]:
                c += 1
                continue
            first = c
            while c < across and tiles.active[r, c] and c - first < WIDEST:
                c += 1
            tiles.runs[count, 0] = GHOSTS + r * TILE
            tiles.runs[count, 1] = min(GHOSTS + (r + 1) * TILE, GHOSTS + rows)
            tiles.runs[count, 2] = GHOSTS + first * TILE
            tiles.runs[count, 3] = min(GHOSTS + c * TILE, GHOSTS + columns)
            count += 1
    return count


@loop
def choose_tiles(tiles: Tiles, depth: Cells, qx: Cells, qy: Cells, now: int) -> int:
    """Mark tiles that are wet or beside a wet one, and list the work; a tile that falls out keeps what it holds."""
    down, across = tiles.active.shape
    rows, columns = depth.shape[1] - 2 * GHOSTS, depth.shape[2] - 2 * GHOSTS
    for r in range(down):
        for c in range(across):
            near = tiles.always[r, c] > 0
            for m in range(max(r - 1, 0), min(r + 2, down)):
                for n in range(max(c - 1, 0), min(c + 2, across)):
                    near = near or tiles.wet[m, n] > 0
            if tiles.active[r, c] and not near:
                i, j = GHOSTS + r * TILE, GHOSTS + c * TILE
                m, n = min(i + TILE, GHOSTS + rows), min(j + TILE, GHOSTS + columns)
                depth[1 - now, i:m, j:n] = depth[now, i:m, j:n]
                qx[1 - now, i:m, j:n] = qx[now, i:m, j:n]
                qy[1 - now, i:m, j:n] = qy[now, i:m, j:n]
            tiles.active[r, c] = near
    for r in range(down):
        for c in range(across):
            tiles.wet[r, c] = 0 if not tiles.active[r, c] else tiles.wet[r, c]
    return list_runs(tiles, rows, columns)
