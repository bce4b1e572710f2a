"""The frame of ghost cells, filled before a step so that the faces of each side do what its boundary says.

wall       the cell beside it in a mirror: nothing passes, and moving water is thrown back
open       the cell beside it again: what arrives leaves, and little comes in
stage      a given level [m], with the velocity that the outgoing characteristic brings there
discharge  no cell: the face carries the pressure of the water alone, and the water itself is put in by `sources`
"""

from __future__ import annotations

import math

from liuyu.physics.flood.compiled import inner, law, loop
from liuyu.physics.flood.fields import (
    BLOCKED,
    DISCHARGE,
    EAST,
    GHOSTS,
    OPEN,
    SOUTH,
    STAGE,
    WALL,
    WEST,
    Cells,
    Floats,
    Integers,
    value_at,
)  # fmt: skip
from liuyu.physics.flood.laws import GRAVITY


@inner
def frame(side: int, rows: int, columns: int, depth: int) -> tuple[int, int]:
    """Row or column of a cell by its distance within a side (0 the outermost cell, -1 and -2 the ghosts)."""
    count = columns if side in (WEST, EAST) else rows
    return (GHOSTS + depth, 1) if side in (WEST, SOUTH) else (count - GHOSTS - 1 - depth, -1)


@loop
def fill_bed(bed: Cells, kinds: Integers, inertial: bool) -> None:
    """Bed of the ghosts: as within; but none beyond a discharge, nor beyond a wall where discharges stand at faces."""
    rows, columns = bed.shape
    for side in range(4):
        for away in range(1, GHOSTS + 1):
            ghost, _ = frame(side, rows, columns, -away)
            blocked = kinds[side] == DISCHARGE or (inertial and kinds[side] == WALL)
            twin, _ = frame(side, rows, columns, away - 1 if kinds[side] == WALL else 0)
            if side in (WEST, EAST):
                for i in range(rows):
                    bed[i, ghost] = BLOCKED if blocked else bed[i, twin]
            else:
                for j in range(columns):
                    bed[ghost, j] = BLOCKED if blocked else bed[twin, j]


@inner
def stage_ghost(h: float, normal: float, bed: float, stage: float, dry: float) -> tuple[float, float]:
    """Depth [m] and outward velocity [m/s] at a given level: the characteristic that leaves keeps u + 2 sqrt(g h)."""
    depth = max(stage - bed, 0.0)
    if h <= dry or depth <= dry:
        return depth, 0.0
    speed, celerity = normal / h, math.sqrt(GRAVITY * h)
    if speed >= celerity:
        return h, speed
    return depth, min(max(speed + 2.0 * (celerity - math.sqrt(GRAVITY * depth)), -10.0), 10.0 + celerity)


@law
def open_share(h: float, normal: float, dry: float) -> float:
    """Share of the outward discharge that an open side takes over: all that leaves, and what returns as part of a
    small wave; a current inwards finds less and less beyond the side, for there is no sea to feed it."""
    if normal >= 0.0 or h <= dry:
        return 1.0
    return max(1.0 + 2.0 * normal / (h * math.sqrt(GRAVITY * h)), 0.0)


@inner
def fill_ghosts(
    h: Cells,
    qx: Cells,
    qy: Cells,
    bed: Cells,
    kinds: Integers,
    tables: Integers,
    times: Floats,
    values: Floats,
    starts: Integers,
    inertial: bool,
    datum: float,
    t: float,
    dry: float,
) -> float:
    """Fill depth and unit discharges of all ghosts; returns the greatest speed [m/s] that a stage brings."""
    rows, columns = h.shape
    fastest = 0.0
    for side in range(4):
        stage = 0.0
        if kinds[side] == STAGE:
            table = tables[side]
            stage = value_at(times, values, starts[table], starts[table + 1], t) - datum
        for along in range(rows if side in (WEST, EAST) else columns):
            if inertial:
                _fill_level(h, qx, qy, bed, side, kinds[side], along, stage)
            else:
                fastest = max(fastest, _fill_state(h, qx, qy, bed, side, kinds[side], along, stage, dry))
    return fastest


@inner
def _fill_state(
    h: Cells, qx: Cells, qy: Cells, bed: Cells, side: int, kind: int, along: int, stage: float, dry: float
) -> float:
    """The ghosts beside one cell, where discharges stand at cells; returns the speed that a stage brings."""
    real = h.dtype.type
    edge, inward = frame(side, h.shape[0], h.shape[1], 0)
    upright = side in (WEST, EAST)
    fastest = 0.0
    for away in range(1, GHOSTS + 1):
        ghost = edge - inward * away
        twin = edge + inward * (away - 1) if kind == WALL else edge
        i, j = (along, ghost) if upright else (ghost, along)
        m, k = (along, twin) if upright else (twin, along)
        depth, x, y = h[m, k], qx[m, k], qy[m, k]
        if kind == WALL:
            x, y = (-x, y) if upright else (x, -y)
        elif kind == OPEN:
            kept = real(open_share(depth, -inward * (x if upright else y), dry))
            x, y = (kept * x, y) if upright else (x, kept * y)
        elif kind == DISCHARGE:
            depth, x, y = real(0), real(0), real(0)
        elif kind == STAGE:
            deep, speed = stage_ghost(depth, -inward * (x if upright else y), bed[i, j], stage, dry)
            fastest = max(fastest, abs(speed) + 2.0 * math.sqrt(GRAVITY * deep))
            through = real(-inward * deep * speed)
            depth, x, y = real(deep), through if upright else real(0), real(0) if upright else through
        h[i, j], qx[i, j], qy[i, j] = depth, x, y
    return fastest


@inner
def _fill_level(h: Cells, qx: Cells, qy: Cells, bed: Cells, side: int, kind: int, along: int, stage: float) -> None:
    """The ghosts beside one cell, where discharges stand at faces. Beyond an open side the level falls on as before."""
    edge, inward = frame(side, h.shape[0], h.shape[1], 0)
    upright = side in (WEST, EAST)
    ghost, within = edge - inward, edge + inward
    i, j = (along, edge) if upright else (edge, along)
    m, k = (along, within) if upright else (within, along)
    depth = h[i, j] * 0.0
    if kind == OPEN:
        depth = max(h[i, j] - max(h[m, k] + bed[m, k] - h[i, j] - bed[i, j], depth), depth)
    elif kind == STAGE:
        depth = max(h.dtype.type(stage) - bed[i, j], depth)
    if upright:
        h[along, ghost] = depth
        last = ghost if side == WEST else ghost + 1
        qx[along, last] = qx[along, edge if side == WEST else ghost]
    else:
        h[ghost, along] = depth
        last = ghost if side == SOUTH else ghost + 1
        qy[last, along] = qy[edge if side == SOUTH else ghost, along]
