"""The diffusive wave on a tree of cells: rivers and lakes that push each other's water back, and flow both ways.

A cell is a stretch of river or a lake with one level z and the storage curve V(z). A link joins it to the cell below;
Manning's law with the slope of the water surface drives it, whichever way that points [1]:

    q = B / n h^(5/3) (zi - zj) / (L sqrt(|zi - zj| / L)),   dV_i/dt = inflow_i + sum of q from above - q_i.

h is the mean depth over the bed of the link, but never more than half again the depth of the cell that the water comes
from, so that a dry cell gives nothing. Below a fall of 0.1 mm the root is rounded off, to have a slope at rest. The
last cell empties by a rating Q = a (z - b)^m.

Levels are implicit: one Newton step solves a matrix with the tree's shape by elimination from the leaves to the mouth
and back, whose cost grows with the number of cells alone. Links within take the flow at the end of the step, the mouth
the mean of both ends, so that what leaves is the trapezoid that the river below takes in. First order in time.

[1] Cappelaere B. (1997) Accurate diffusive wave routing. J. Hydraulic Engineering 123(3).
[2] Todini E., Venutelli M. (1991) Overland flow: a two-dimensional modelling approach. NATO ASI C 345.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
REST = 1e-4  # [m] fall below which the root is rounded off
SHALLOW = 0.1  # [m] depth below which a cell's surface no longer shrinks
PASSES = 60
BED, AREA, GROWTH = range(3)  # columns of a cell: bed level [m], surface at 1 m depth [m2], exponent of its growth
LINK_BED, WIDTH, ROUGHNESS, LENGTH = range(4)  # of a link: bed level, width, n, length [m]


@compiled
def surface(z: float, cell: Floats) -> float:
    """Surface of a cell [m2] at level z [m]: area depth^growth; growth 0 is a prism."""
    return float(cell[AREA] * max(z - cell[BED], SHALLOW) ** cell[GROWTH])


@compiled
def volume(z: float, cell: Floats) -> float:
    """Water in a cell [m3] at level z [m]: the integral of `surface` from the bed, below zero under it."""
    depth, growth = z - cell[BED], cell[GROWTH]
    if depth < SHALLOW:
        return float(cell[AREA] * SHALLOW**growth * depth)
    whole = growth + 1.0
    return float(cell[AREA] * (SHALLOW**whole + (depth**whole - SHALLOW**whole) / whole))


@compiled
def level(held: float, cell: Floats) -> float:
    """Level [m] at which a cell holds a volume [m3], the inverse of `volume`."""
    growth, shallow = cell[GROWTH], cell[AREA] * SHALLOW ** (cell[GROWTH] + 1.0)
    if held < shallow:
        return float(cell[BED] + held / (cell[AREA] * SHALLOW**growth))
    whole = growth + 1.0
    return float(cell[BED] + (SHALLOW**whole + (held - shallow) / cell[AREA] * whole) ** (1.0 / whole))


@compiled
def link_flow(z: float, below: float, link: Floats, bed: float, bed_below: float) -> tuple[float, float, float]:
    """Flow to the cell below [m3/s], and its slopes with both levels [m2/s]; negative where water flows back.

    z, below: levels of the two cells [m]; bed, bed_below: their beds [m].
    """
    fall = z - below
    upper = max(z, below) - link[LINK_BED]
    lower = min(z, below) - link[LINK_BED]
    most = 1.5 * (z - bed if fall >= 0.0 else below - bed_below)
    if upper <= 0.0 or most <= 0.0:
        return 0.0, 0.0, 0.0
    mean = 0.5 * (upper + max(lower, 0.0))
    depth = min(mean, most)
    by_upper = 0.5 if mean <= most else 1.5
    by_lower = 0.5 if mean <= most and lower > 0.0 else 0.0
    smooth = math.sqrt(math.sqrt(fall * fall + REST * REST))
    conveyance = link[WIDTH] / link[ROUGHNESS] / math.sqrt(link[LENGTH]) * depth ** (5.0 / 3.0)
    flow = conveyance * fall / smooth
    by_fall = conveyance * (1.0 - 0.5 * fall * fall / (fall * fall + REST * REST)) / smooth
    rise = flow * 5.0 / (3.0 * depth)
    first, second = (by_upper, by_lower) if fall >= 0.0 else (by_lower, by_upper)
    return flow, by_fall + rise * first, rise * second - by_fall


@compiled
def mouth_flow(z: float, rating: Floats) -> tuple[float, float]:
    """Outflow of the last cell [m3/s] and its slope [m2/s]; rating: (3,) a, b, m of a (z - b)^m."""
    depth = z - rating[1]
    if depth <= 0.0:
        return 0.0, 0.0
    flow = rating[0] * depth ** rating[2]
    return flow, flow * rating[2] / depth


@compiled
def diffusive_step(
    z: Floats, held: Floats, enters: Floats, out: float, down: Places, cell: Floats, link: Floats, rating: Floats,
    dt: float, flow: Floats,
) -> tuple[float, int]:  # fmt: skip
    """One step of a tree of cells in place; the largest volume missed [m3], and in which cell.

    z, held: (n,) levels [m] and volumes [m3], changed; enters: (n,) mean inflow from outside [m3/s]; out: the mouth's
    outflow at the beginning [m3/s]; down: (n,) cell below, which comes later, -1 at the last, the mouth; cell: (n, 3);
    link: (n, 4); flow: (n,) what each cell hands down at the end of the step [m3/s], written.
    """
    count = len(z)
    diagonal, below, above, miss = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for _ in range(PASSES):
        for i in range(count):
            diagonal[i] = surface(z[i], cell[i])
            miss[i] = volume(z[i], cell[i]) - held[i] - dt * enters[i]
        for i in range(count):
            j = down[i]
            if j < 0:
                flow[i], slope = mouth_flow(z[i], rating)
                diagonal[i] += 0.5 * dt * slope
                miss[i] += 0.5 * dt * (flow[i] + out)
                continue
            flow[i], own, other = link_flow(z[i], z[j], link[i], cell[i, BED], cell[j, BED])
            diagonal[i] += dt * own
            diagonal[j] -= dt * other
            below[i], above[i] = dt * other, -dt * own
            miss[i] += dt * flow[i]
            miss[j] -= dt * flow[i]
        largest = _eliminate(z, down, diagonal, below, above, miss)
        if largest < 1e-11:
            break
    return _book(z, held, enters, out, down, cell, flow, dt)


@compiled
def _eliminate(z: Floats, down: Places, diagonal: Floats, below: Floats, above: Floats, miss: Floats) -> float:
    """One Newton step of the levels, in place; the largest change [m]."""
    count = len(z)
    for i in range(count - 1):
        share = above[i] / diagonal[i]
        diagonal[down[i]] -= share * below[i]
        miss[down[i]] -= share * miss[i]
    largest = 0.0
    for i in range(count - 1, -1, -1):
        if down[i] >= 0:
            miss[i] -= below[i] * miss[down[i]]
        miss[i] /= diagonal[i]
        change = min(max(miss[i], -2.0), 2.0)
        z[i] -= change
        largest = max(largest, abs(change))
    return largest


@compiled
def _book(
    z: Floats, held: Floats, enters: Floats, out: float, down: Places, cell: Floats, flow: Floats, dt: float
) -> tuple[float, int]:
    """Move the volumes by the flows that were found: the balance closes by that. How far levels and volumes part."""
    for i in range(len(z)):
        held[i] += dt * enters[i]
        if down[i] < 0:
            held[i] -= 0.5 * dt * (flow[i] + out)
        else:
            held[i] -= dt * flow[i]
            held[down[i]] += dt * flow[i]
    worst, where = 0.0, 0
    for i in range(len(z)):
        miss = abs(volume(z[i], cell[i]) - held[i])
        if not miss <= worst:
            worst, where = miss, i
    return worst, where


@compiled
def steady_levels(z: Floats, passing: Floats, down: Places, cell: Floats, link: Floats, rating: Floats) -> None:
    """Levels [m] at which each cell hands down what passes it, (n,) >= 0 [m3/s], written into z from the mouth up."""
    for i in range(len(z) - 1, -1, -1):
        if down[i] < 0:
            z[i] = rating[1] + (max(passing[i], 0.0) / rating[0]) ** (1.0 / rating[2])
            continue
        j = down[i]
        low = max(z[j], min(cell[i, BED], link[i, LINK_BED]))
        high = low + 1.0
        while link_flow(high, z[j], link[i], cell[i, BED], cell[j, BED])[0] < passing[i]:
            high += high - low
        for _ in range(100):
            middle = 0.5 * (low + high)
            if link_flow(middle, z[j], link[i], cell[i, BED], cell[j, BED])[0] < passing[i]:
                low = middle
            else:
                high = middle
        z[i] = 0.5 * (low + high)
