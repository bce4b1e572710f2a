"""One step of the first-order scheme on a rectangle of cells.

Two rows of fluxes are alive at a time: those through the southern and the northern faces of the row that is being
balanced. So a cell's state is read once and written once in a step, and everything between stays in the nearest cache.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner
from liuyu.physics.flood.fields import EAST, GHOSTS, NORTH, SOUTH, WEST, Cells, Floats
from liuyu.physics.flood.rows import balance, find_velocities, pass_faces


@inner
def step_godunov(
    box: NDArray[np.int64],
    h: Cells,
    qx: Cells,
    qy: Cells,
    new_h: Cells,
    new_qx: Cells,
    new_qy: Cells,
    bed: Cells,
    drag: Cells,
    rain: Cells,
    ratio: Any,
    dt: Any,
    water: Any,
    dry: Any,
    through: Floats,
) -> Any:
    """March the cells of `box` (first row, end row, first column, end column); returns the greatest speed's bits.

    `drag` is g n² and `rain` a pattern, both by cell, or a single row where they do not vary. `through[side]` takes the
    sum of the unit discharges [m²/s] through the faces of that side, where the box touches it, positive inwards.
    """
    r0, r1, a, b = box
    n = b - a
    cells = np.empty((6, n + 2), h.dtype)
    y_faces = np.empty((8, n), h.dtype)
    x_faces = np.empty((4, n + 1), h.dtype)
    here, there, below, above = cells[:3], cells[3:], y_faces[:4], y_faces[4:]
    by_row, rain_by_row = drag.shape[0] > 1, rain.shape[0] > 1
    fastest: Any = np.int32(0)
    find_velocities(
        h[r0 - 1, a - 1 : b + 1], qx[r0 - 1, a - 1 : b + 1], qy[r0 - 1, a - 1 : b + 1], here[0], here[1], here[2], dry
    )
    for i in range(r0 - 1, r1):
        k = i + 1
        find_velocities(
            h[k, a - 1 : b + 1], qx[k, a - 1 : b + 1], qy[k, a - 1 : b + 1], there[0], there[1], there[2], dry
        )
        pass_faces(
            here[0, 1 : n + 1],
            there[0, 1 : n + 1],
            bed[i, a:b],
            bed[k, a:b],
            here[2, 1 : n + 1],
            there[2, 1 : n + 1],
            here[1, 1 : n + 1],
            there[1, 1 : n + 1],
            above[0],
            above[1],
            above[2],
            above[3],
        )
        if i >= r0:
            pass_faces(
                here[0, : n + 1],
                here[0, 1:],
                bed[i, a - 1 : b],
                bed[i, a : b + 1],
                here[1, : n + 1],
                here[1, 1:],
                here[2, : n + 1],
                here[2, 1:],
                x_faces[0],
                x_faces[1],
                x_faces[2],
                x_faces[3],
            )
            fastest = balance(
                h[i, a:b],
                qx[i, a:b],
                qy[i, a:b],
                new_h[i, a:b],
                new_qx[i, a:b],
                new_qy[i, a:b],
                drag[i if by_row else 0, a:b],
                rain[i if rain_by_row else 0, a:b],
                x_faces[0, :n],
                x_faces[0, 1:],
                x_faces[2, :n],
                x_faces[1, 1:],
                x_faces[3, :n],
                x_faces[3, 1:],
                below[0],
                above[0],
                below[2],
                above[1],
                below[3],
                above[3],
                ratio,
                dt,
                water,
                dry,
                fastest,
            )
            if a == GHOSTS:
                through[WEST] += x_faces[0, 0]
            if b == h.shape[1] - GHOSTS:
                through[EAST] -= x_faces[0, n]
        elif r0 == GHOSTS:
            through[SOUTH] += above[0].sum()
        if k == h.shape[0] - GHOSTS:
            through[NORTH] -= above[0].sum()
        here, there = there, here
        below, above = above, below
    return fastest
