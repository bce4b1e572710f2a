"""Water held behind a dam or in a lake: storage curves, the level-pool step, and the balance of a reservoir.

A pool's surface is level, so its state is one number. Over a step the balance dS/dt = I - O is closed exactly:
S1 = S0 + dt (I - O), with I and O the means over the step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled
from liuyu.physics.rating import discharge_of, slope_of


@compiled
def interpolate(x: float, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> float:
    """y at x on a rising curve through points; beyond its ends the last segment goes on in a straight line."""
    place = min(max(int(np.searchsorted(xs, x)), 1), len(xs) - 1)
    slope = (ys[place] - ys[place - 1]) / (xs[place] - xs[place - 1])
    return float(ys[place - 1] + slope * (x - xs[place - 1]))


@compiled
def reservoir_balance(
    storage: float, inflow: NDArray[np.float64], outflow: NDArray[np.float64], dt: float
) -> NDArray[np.float64]:
    """Storage after each step [m3] from storage before the first; inflow, outflow: (n,) means over steps of dt [s]."""
    held = np.empty_like(inflow)
    for step in range(len(inflow)):
        storage += dt * (inflow[step] - outflow[step])
        held[step] = storage
    return held


@compiled
def lake_step(
    z: float, inflow: float, s: float, area: float, dt: float, a: float, b: float, m: float, e: float, d: float
) -> float:
    """Level [m] of a lake one step later, its outflow by the law of `rating.discharge_of` at the new level (implicit).

    Solves area (z1 - z) = dt (inflow - Q(z1, s)): unconditionally stable, and the outflow Q(z1, s) closes the balance.
    z: level before [m]; inflow: mean over the step [m3/s]; s: lower gauge's level [m]; area [m2]; dt [s].
    """
    low, high = z, z
    if inflow > discharge_of(z, s, a, b, m, e, d):
        high = z + dt * inflow / area + 1.0
    else:
        low = z - dt * discharge_of(z, s, a, b, m, e, d) / area - 1.0
    level = z
    for _ in range(100):
        miss = area * (level - z) / dt + discharge_of(level, s, a, b, m, e, d) - inflow
        if miss > 0.0:
            high = level
        else:
            low = level
        following = level - miss / (area / dt + slope_of(level, s, a, b, m, e, d))
        if not low <= following <= high:
            following = 0.5 * (low + high)
        if abs(following - level) < 1e-10:
            return following
        level = following
    return level


@compiled
def level_pool_step(
    before: float,
    out: float,
    storage: float,
    now: float,
    lateral: float,
    dt: float,
    storages: NDArray[np.float64],
    outflows: NDArray[np.float64],
) -> tuple[float, float]:
    """Outflow [m3/s] and storage [m3] of an uncontrolled pool after a step, by Puls' storage-indication method.

    Solves S1 + dt O(S1) / 2 = S0 + dt (I0 + I1 - O0) / 2 + dt L exactly, O(S) being a line between points, so that the
    trapezoid of the outflow closes the balance. before, now: inflow at both ends of the step, out: outflow at its
    beginning, lateral: mean inflow besides [m3/s]; storages, outflows: (n,) rising curve [m3, m3/s]. Where more flows
    out than there is, the storage returned is below zero.
    """
    water = storage + 0.5 * dt * (before + now - out) + dt * lateral
    place = 1
    while place < len(storages) - 1 and storages[place] + 0.5 * dt * outflows[place] < water:
        place += 1
    slope = (outflows[place] - outflows[place - 1]) / (storages[place] - storages[place - 1])
    base = storages[place - 1] + 0.5 * dt * outflows[place - 1]
    above = (water - base) / (1.0 + 0.5 * dt * slope)
    flow = max(outflows[place - 1] + slope * above, 0.0)
    return flow, water - 0.5 * dt * flow


@compiled
def released_step(
    before: float, out: float, storage: float, now: float, lateral: float, dt: float, release: float
) -> tuple[float, float]:
    """Outflow [m3/s] and storage [m3] of a pool that lets go `release` [m3/s], or less where there is less.

    At the least it keeps what the trapezoid counts into the step after: the storage is never below dt O1 / 2.
    """
    water = storage + 0.5 * dt * (before + now - out) + dt * lateral
    flow = min(release, max(water / dt, 0.0))
    return flow, water - 0.5 * dt * flow
