"""What a march holds: arrays with a frame of ghost cells, numbers of the clock, counts, tables of time.

Rows run along y from south to north, columns along x from west to east. Every cell array has GHOSTS more rows and
columns on each side. The state is kept twice, read from one and written to the other: `depth`, `qx` and `qy` have shape
(2, rows, columns), and `counts[NOW]` says which is the present one. In the local-inertial scheme `qx[i, j]` and
`qy[i, j]` are the unit discharges through the western and the southern face of a cell, else those of the cell.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import loop

Cells = NDArray[Any]  # one real type, single or double, throughout a march
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

GHOSTS = 2
TILE = 32  # cells a side of the squares that are either marched or left alone
HLLC, MUSCL, INERTIAL = 0, 1, 2  # schemes
WEST, EAST, SOUTH, NORTH = 0, 1, 2, 3  # sides
WALL, OPEN, STAGE, DISCHARGE = 0, 1, 2, 3  # kinds of boundary
BLOCKED = 1.0e6  # [m] bed of a cell that is no part of the terrain
TOO_LONG = 1.0e30  # [m/s] told instead of a speed where a step takes more water than a cell holds

TIME, END, CFL, CELL, DRY, LONGEST, SPEED, STEP, RETRY = 0, 1, 2, 3, 4, 5, 6, 7, 8  # places in `clock`
CLOCK_SIZE = 9
NOW, STEPS, FAILED, UPDATES, LIMIT, TRIES = 0, 1, 2, 3, 4, 5  # places in `counts`
COUNTS_SIZE = 8
IN, OUT, RAINED, SOAKED, THROUGH = 0, 1, 2, 3, 4  # places in `volumes` [m³]; THROUGH is the first of four sides
VOLUMES_SIZE = 8


@loop
def value_at(times: Floats, values: Floats, first: int, last: int, t: float) -> float:
    """A table's value by straight lines between its knots, and level beyond them."""
    if t <= times[first]:
        return values[first]  # type: ignore[no-any-return]
    if t >= times[last - 1]:
        return values[last - 1]  # type: ignore[no-any-return]
    low, high = first, last - 1
    while high - low > 1:
        middle = (low + high) // 2
        if times[middle] <= t:
            low = middle
        else:
            high = middle
    share = (t - times[low]) / (times[high] - times[low])
    return values[low] + share * (values[high] - values[low])  # type: ignore[no-any-return]


@loop
def integral(times: Floats, values: Floats, first: int, last: int, start: float, end: float) -> float:
    """The exact integral of `value_at` from start to end."""
    total, t, place = 0.0, start, first
    before = value_at(times, values, first, last, t)
    while place < last and times[place] <= start:
        place += 1
    while place < last and times[place] < end:
        total += 0.5 * (before + values[place]) * (times[place] - t)
        before, t = values[place], times[place]
        place += 1
    return total + 0.5 * (before + value_at(times, values, first, last, end)) * (end - t)
