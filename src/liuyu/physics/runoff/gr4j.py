"""GR4J, the daily model of four parameters.

A production store fills and empties by tanh laws, percolates, and sends nine tenths of the effective rain through one
unit hydrograph into a routing store and one tenth through another directly to the river; both meet a groundwater
exchange. Parameters: X1 capacity of the production store [mm], X2 exchange [mm/d], X3 capacity of the routing store
[mm], X4 time base of the unit hydrograph [d].

The hyperbolic tangent is made of additions, multiplications and divisions alone, so that a compiler can work on many
series at once; it differs from the library's by some 1e-16.

[1] Perrin C., Michel C., Andréassian V. (2003) Improvement of a parsimonious model for streamflow simulation.
    J. Hydrol. 279, 275-289.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay

LONGEST = 20  # [steps] greatest X4
FIRST, SECOND = 2, 2 + LONGEST  # where the two queues begin in a state: production store, routing store, queues
STATE_SIZE = 2 + 3 * LONGEST
PREPARED_SIZE = 6 + 3 * LONGEST  # X1..X4, lengths of the two hydrographs, their shares
DAILY = 25.62890625  # (9/4)^4, by which a day's percolation is held back


@compiled_ieee
def hyperbolic_tangent(x: float) -> float:
    """tanh x for 0 <= x <= 13: a continued fraction at x / 64, then tanh 2y = 2 tanh y / (1 + tanh^2 y) six times."""
    y = x * 0.015625
    z = y * y
    t = y * (135135.0 + z * (17325.0 + z * (378.0 + z))) / (135135.0 + z * (62370.0 + z * (3150.0 + z * 28.0)))
    t = 2.0 * t / (1.0 + t * t)
    t = 2.0 * t / (1.0 + t * t)
    t = 2.0 * t / (1.0 + t * t)
    t = 2.0 * t / (1.0 + t * t)
    t = 2.0 * t / (1.0 + t * t)
    return 2.0 * t / (1.0 + t * t)


@compiled_ieee
def production(store: float, x1: float, water: float, pet: float, held_back: float) -> tuple[float, float, float]:
    """Production store after a step [mm], effective rain [mm], actual evaporation [mm] (equations 1 to 7 of [1]).

    held_back: DAILY, or what stands for it at another step [1].
    """
    net = water - pet
    t = hyperbolic_tangent(min(abs(net) / x1, 13.0))
    full = store / x1
    wetted = t if net > 0.0 else 0.0
    dried = t - wetted
    gained = x1 * (1.0 - full * full) * wetted / (1.0 + full * wetted)
    lost = store * (2.0 - full) * dried / (1.0 + (1.0 - full) * dried)
    store = store + gained - lost
    ratio = store / x1
    ratio = ratio * ratio
    percolated = store * (1.0 - 1.0 / math.sqrt(math.sqrt(1.0 + ratio * ratio / held_back)))
    return store - percolated, percolated + max(net, 0.0) - gained, lost + min(water, pet)


@compiled_ieee
def exchange(store: float, x2: float, x3: float) -> float:
    """Groundwater exchange [mm]: X2 (R / X3)^3.5 (equation 18)."""
    full = store / x3
    return x2 * full * full * full * math.sqrt(full)


@compiled_ieee
def release(store: float, x3: float) -> float:
    """Outflow of the routing store [mm]: R (1 - (1 + (R / X3)^4)^(-1/4)) (equation 20)."""
    ratio = store / x3
    ratio = ratio * ratio
    return store * (1.0 - 1.0 / math.sqrt(math.sqrt(1.0 + ratio * ratio)))


@compiled_ieee
def routing(store: float, x2: float, x3: float, delayed: float, direct: float) -> tuple[float, float, float]:
    """Routing store after a step [mm], runoff [mm], water gained by exchange [mm] (equations 18 to 22 of [1])."""
    traded = exchange(store, x2, x3)
    filled = max(store + delayed + traded, 0.0)
    left = max(direct + traded, 0.0)
    gain = filled - store - delayed + left - direct
    out = release(filled, x3)
    return filled - out, out + left, gain


@compiled_ieee
def s_curve(x: float, x4: float, double: bool, exponent: float) -> float:
    """Share of the water through by time x of the first hydrograph, or of the `double` one (equations 9 to 16).

    x, x4 [steps]; exponent: 2.5 for days, 1.25 for hours.
    """
    t = x / x4
    if not double:
        return float(min(t, 1.0) ** exponent)
    return float(0.5 * t**exponent if t < 1.0 else 1.0 - 0.5 * max(2.0 - t, 0.0) ** exponent)


@compiled_ieee
def hydrographs(x4: float, prepared: NDArray[np.float64]) -> None:
    """Write the lengths and shares of both unit hydrographs into a prepared row, from place 4 on."""
    for double in (False, True):
        count = max(math.ceil(2.0 * x4 if double else x4), 1)
        begin = 6 + (LONGEST if double else 0)
        prepared[5 if double else 4] = count
        for place in range(count):
            prepared[begin + place] = s_curve(place + 1.0, x4, double, 2.5) - s_curve(float(place), x4, double, 2.5)


@compiled_ieee
def gr4j_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From X1..X4 what a step reads, into `prepared` (PREPARED_SIZE,)."""
    prepared[:] = 0.0
    prepared[:4] = parameters[:4]
    hydrographs(parameters[3], prepared)


@compiled_ieee
def gr4j_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One day in place; runoff, actual evaporation, water gained by exchange [mm].

    state: (STATE_SIZE,) production store, routing store, queues [mm]; prepared: see gr4j_prepare; water: rain and melt
    [mm]; pet: potential evaporation [mm].
    """
    state[0], effective, evaporated = production(state[0], prepared[0], water, pet, DAILY)
    delayed = delay(state[FIRST:], prepared[6:], int(prepared[4]), 0.9 * effective)
    direct = delay(state[SECOND:], prepared[6 + LONGEST :], int(prepared[5]), 0.1 * effective)
    state[1], runoff, gain = routing(state[1], prepared[1], prepared[2], delayed, direct)
    return runoff, evaporated, gain


@compiled_ieee
def gr4j_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within [mm]."""
    total = state[0] + state[1]
    for place in range(int(prepared[4])):
        total += state[FIRST + place]
    for place in range(int(prepared[5])):
        total += state[SECOND + place]
    return float(total)


@compiled_ieee
def gr4j_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """The usual start: production store at 0.3 X1, routing store at 0.5 X3, nothing on its way."""
    state[:] = 0.0
    state[0] = 0.3 * prepared[0]
    state[1] = 0.5 * prepared[2]
