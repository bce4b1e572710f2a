"""One step of the local-inertial scheme on a rectangle of cells: discharges through all faces, then depths.

Advection of momentum is left out, which suits slow wide floods: the step is a fraction of the arithmetic.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner
from liuyu.physics.flood.fields import EAST, GHOSTS, NORTH, SOUTH, TOO_LONG, WEST, Cells, Floats
from liuyu.physics.flood.laws import GRAVITY, inertial_discharge

Row = NDArray[Any]


@inner
def move_faces(
    q: Row,
    before: Row,
    after: Row,
    hl: Row,
    hr: Row,
    zl: Row,
    zr: Row,
    drag: Row,
    new: Row,
    ratio: float,
    most: float,
    dt: float,
) -> None:
    """Discharges of a row of faces after the step."""
    for j in range(len(new)):
        new[j] = inertial_discharge(q[j], before[j], after[j], hl[j], hr[j], zr[j] - zl[j], ratio, most, dt * drag[j])


@inner
def fill_cells(
    h: Row,
    west: Row,
    east: Row,
    south: Row,
    north: Row,
    rain: Row,
    new: Row,
    kept: Row,
    ratio: float,
    water: float,
    top: Any,
) -> Any:
    """Depths of a row after the step, and its western discharges kept; returns the bits of the greatest depth,
    or of TOO_LONG where a cell would give more water than it holds."""
    real = type(ratio)
    zero, slack, too_long = real(0.0), real(-1e-13), real(TOO_LONG)
    for j in range(len(h)):
        depth = h[j] - ratio * ((east[j] - west[j]) + (north[j] - south[j])) + water * rain[j]
        drained = depth < slack
        depth = zero if depth < zero else depth
        new[j] = depth
        kept[j] = west[j]
        told = abs(depth)
        told = too_long if drained else told
        top = max(top, np.float32(told).view(np.int32))
    return top


@inner
def step_inertial(
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
    share: Any,
    through: Floats,
) -> Any:
    """March the cells of `box`; arguments and result as in `step_godunov`, with speed sqrt(g h).

    `share` is the part of its water that a cell gives through one face at most: 1/2, and 1/4 where that was too much.

    A piece of work writes its western and southern faces, and the eastern and northern ones where they are the edge.
    For a step of cfl cells, sqrt(g h) dt / cell <= 0.63 keeps the shortest wave stable in two dimensions without
    friction (theta = 0.8: the square is at most (1 + 2 theta - 1) / 4).
    """
    r0, r1, a, b = box
    n = b - a
    most = share / ratio
    last_row, last_column = r1 == h.shape[0] - GHOSTS, b == h.shape[1] - GHOSTS
    east = np.empty(n + 1, h.dtype)
    spare = np.empty(n, h.dtype)
    south = spare
    by_row, rain_by_row = drag.shape[0] > 1, rain.shape[0] > 1
    top: Any = np.int32(0)
    for i in range(r0, r1 + 1):
        m = min(i, h.shape[0] - GHOSTS - 1) if by_row else 0
        north = new_qy[i, a:b] if i < r1 or last_row else spare
        move_faces(
            qy[i, a:b], qy[i - 1, a:b], qy[i + 1, a:b], h[i - 1, a:b], h[i, a:b], bed[i - 1, a:b], bed[i, a:b],
            drag[m, a:b], north, ratio, most, dt,
        )  # fmt: skip
        if i == GHOSTS:
            through[SOUTH] += north.sum()
        if i == h.shape[0] - GHOSTS:
            through[NORTH] -= north.sum()
        if i > r0:
            k = i - 1
            move_faces(
                qx[k, a : b + 1], qx[k, a - 1 : b], qx[k, a + 1 : b + 2], h[k, a - 1 : b], h[k, a : b + 1],
                bed[k, a - 1 : b], bed[k, a : b + 1], drag[k if by_row else 0, a : b + 1], east, ratio, most, dt,
            )  # fmt: skip
            top = fill_cells(
                h[k, a:b], east[:n], east[1:], south, north, rain[k if rain_by_row else 0, a:b], new_h[k, a:b],
                new_qx[k, a:b], ratio, water, top,
            )  # fmt: skip
            if last_column:
                new_qx[k, b] = east[n]
                through[EAST] -= east[n]
            if a == GHOSTS:
                through[WEST] += east[0]
        south = north
    deepest = np.int32(top).view(np.float32)
    if deepest >= np.float32(TOO_LONG):
        return top
    return np.int32(np.float32(math.sqrt(GRAVITY * deepest)).view(np.int32))
