"""Water put into cells, taken from them, and led from one to another; every volume is accounted for.

Sources act between steps, one after the other on one thread, so that their order and their sums never change.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from liuyu.physics.flood.compiled import inner, law
from liuyu.physics.flood.fields import (
    DISCHARGE,
    EAST,
    GHOSTS,
    IN,
    OUT,
    WEST,
    Cells,
    Floats,
    Integers,
    integral,
)
from liuyu.physics.flood.ghosts import frame
from liuyu.physics.flood.laws import GRAVITY
from liuyu.physics.flood.structures import PUMP, link_discharge, opening


class Tables(NamedTuple):
    """Numbers over time, one table after the other: knots of table k are starts[k] to starts[k + 1]."""

    times: Floats
    values: Floats
    starts: Integers


class Sources(NamedTuple):
    """Cells (n, 2) that take a share of a table's discharge [m³/s], and what rounding still owes each [m³]."""

    cells: Integers
    shares: Floats
    tables: Integers
    owed: Floats


class Links(NamedTuple):
    """Structures between two cells: cells (n, 4), kind, and crest, width, height, coefficient, start, duration,
    level at which it opens, time of opening (infinite until then)."""

    cells: Integers
    kinds: Integers
    numbers: Floats


@inner
def put(h: Cells, i: int, j: int, volume: float, area: float, volumes: Floats) -> float:
    """Add a volume [m³] to a cell, or take what there is of it; returns what was added and enters it in `volumes`."""
    before = h[i, j]
    h[i, j] = max(before + volume / area, 0.0)
    moved = (float(h[i, j]) - float(before)) * area
    volumes[IN if moved >= 0.0 else OUT] += abs(moved)
    return moved


@inner
def pour(
    h: Cells, qx: Cells, qy: Cells, sources: Sources, tables: Tables, t: float, dt: float, area: float, volumes: Floats
) -> None:
    """Inflows at points, lines and areas, and abstractions, over a step; what is taken leaves with its momentum."""
    table, volume = -1, 0.0
    for k in range(len(sources.tables)):
        if sources.tables[k] != table:
            table = sources.tables[k]
            volume = integral(tables.times, tables.values, tables.starts[table], tables.starts[table + 1], t, t + dt)
        i, j = sources.cells[k]
        before = h[i, j]
        wanted = volume * sources.shares[k] + sources.owed[k]
        moved = put(h, i, j, wanted, area, volumes)
        sources.owed[k] = wanted - moved if wanted > 0.0 else 0.0
        if moved < 0.0:
            left = h[i, j] / before
            qx[i, j] *= left
            qy[i, j] *= left


@law
def conveyance(depth: float, bed: float, lowest: float, wet: bool, dry: float) -> float:
    """A cell's weight at a discharge side: depth^(5/3), or 1 at the lowest cells of a dry side."""
    if wet:
        return depth ** (5.0 / 3.0) if depth > dry else 0.0
    return 1.0 if bed <= lowest + 1e-3 else 0.0


@inner
def weigh_side(h: Cells, bed: Cells, side: int, dry: float) -> tuple[bool, float, float]:
    """Whether a side is wet, its lowest bed [m], and the sum of its cells' weights."""
    rows, columns = h.shape
    edge, _ = frame(side, rows, columns, 0)
    lowest, wet, whole = 1e30, False, 0.0
    upright = side in (WEST, EAST)
    count = rows if upright else columns
    for along in range(GHOSTS, count - GHOSTS):
        i, j = (along, edge) if upright else (edge, along)
        lowest = min(lowest, bed[i, j])
        wet = wet or h[i, j] > dry
    for along in range(GHOSTS, count - GHOSTS):
        i, j = (along, edge) if upright else (edge, along)
        whole += conveyance(h[i, j], bed[i, j], lowest, wet, dry)
    return wet, lowest, whole


@inner
def feed_side(
    h: Cells,
    qx: Cells,
    qy: Cells,
    bed: Cells,
    side: int,
    volume: float,
    inertial: bool,
    dt: float,
    cell: float,
    dry: float,
    volumes: Floats,
) -> None:
    """A volume [m³] through a side, over its wet cells by depth^(5/3), with its momentum.

    A dry side takes it in at its lowest cells. The speed is at most critical, for the discharge alone says no more.
    """
    rows, columns = h.shape
    edge, inward = frame(side, rows, columns, 0)
    upright = side in (WEST, EAST)
    wet, lowest, whole = weigh_side(h, bed, side, dry)
    for along in range(GHOSTS, (rows if upright else columns) - GHOSTS):
        i, j = (along, edge) if upright else (edge, along)
        share = conveyance(h[i, j], bed[i, j], lowest, wet, dry) / whole
        before = h[i, j]
        moved = put(h, i, j, volume * share, cell * cell, volumes) if share > 0.0 else 0.0
        if moved < 0.0 and not inertial:
            qx[i, j] *= h[i, j] / before
            qy[i, j] *= h[i, j] / before
        elif moved > 0.0 and not inertial:
            q = moved / (cell * dt)
            push = q * min(q / h[i, j], (GRAVITY * q) ** (1.0 / 3.0)) * dt / cell * inward
            qx[i, j] += push if upright else 0.0
            qy[i, j] += 0.0 if upright else push


@inner
def feed_sides(
    h: Cells,
    qx: Cells,
    qy: Cells,
    bed: Cells,
    kinds: Integers,
    side_tables: Integers,
    tables: Tables,
    inertial: bool,
    t: float,
    dt: float,
    cell: float,
    dry: float,
    volumes: Floats,
) -> None:
    """Discharge boundaries over a step."""
    for side in range(4):
        if kinds[side] == DISCHARGE:
            first, last = tables.starts[side_tables[side]], tables.starts[side_tables[side] + 1]
            volume = integral(tables.times, tables.values, first, last, t, t + dt)
            feed_side(h, qx, qy, bed, side, volume, inertial, dt, cell, dry, volumes)


@inner
def lead(h: Cells, bed: Cells, links: Links, t: float, dt: float, area: float, datum: float) -> None:
    """Move water through structures, never past equal levels, nor more than half of what a cell holds."""
    for k in range(len(links.kinds)):
        i, j, m, n = links.cells[k]
        crest, width, height, coefficient, start, duration, trigger, opened = links.numbers[k]
        one, other = h[i, j] + bed[i, j] + datum, h[m, n] + bed[m, n] + datum
        if math.isinf(opened) and t >= start and max(one, other) >= trigger:
            links.numbers[k, 7] = opened = t
        if math.isinf(opened):
            continue
        one = one if h[i, j] > 0.0 else -1e30
        other = other if h[m, n] > 0.0 else -1e30
        wide = width * opening(t + dt, opened, duration)
        volume = dt * link_discharge(links.kinds[k], one, other, crest, wide, height, coefficient)
        if links.kinds[k] != PUMP:
            level = 0.5 * area * abs(max(one, crest) - max(other, crest))
            volume = max(min(volume, level), -level)
        volume = max(min(volume, 0.5 * h[i, j] * area), -0.5 * h[m, n] * area)
        before = h[i, j]
        h[i, j] = before - volume / area
        h[m, n] += before - h[i, j]
