"""GR6J: GR4J with a threshold in the exchange (X5) and an exponential store beside the routing store (X6).

It simulates low flow and rivers fed by chalk better than GR4J. The exponential store may run below zero: it is measured
from a level, and the water balance closes all the same.

[1] Pushpalatha R. et al. (2011) A downward structural sensitivity analysis of hydrological models to improve low-flow
    simulation. J. Hydrol. 411, 66-76.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay
from liuyu.physics.runoff.gr4j import DAILY, FIRST, LONGEST, SECOND, gr4j_storage, hydrographs, production, release

EXPONENTIAL = 2 + 3 * LONGEST  # place of the exponential store in a state; the others lie as in GR4J
STATE_SIZE = EXPONENTIAL + 1
X5, X6 = 6 + 3 * LONGEST, 7 + 3 * LONGEST  # places in a prepared row
PREPARED_SIZE = 8 + 3 * LONGEST


@compiled_ieee
def exponential_release(store: float, x6: float) -> float:
    """Outflow of the exponential store [mm]: X6 log(1 + exp(R / X6)), without overflow."""
    level = min(max(store / x6, -33.0), 33.0)
    if level > 7.0:
        return store + x6 / math.exp(level)
    if level < -7.0:
        return x6 * math.exp(level)
    return x6 * math.log(math.exp(level) + 1.0)


@compiled_ieee
def gr6j_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From X1..X6 what a step reads, into `prepared` (PREPARED_SIZE,)."""
    prepared[:] = 0.0
    prepared[:4] = parameters[:4]
    hydrographs(parameters[3], prepared)
    prepared[X5] = parameters[4]
    prepared[X6] = parameters[5]


@compiled_ieee
def gr6j_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One day in place; runoff, actual evaporation, water gained by exchange [mm]. Arguments as in gr4j_step."""
    x2, x3, x6 = prepared[1], prepared[2], prepared[X6]
    state[0], effective, evaporated = production(state[0], prepared[0], water, pet, DAILY)
    delayed = delay(state[FIRST:], prepared[6:], int(prepared[4]), 0.9 * effective)
    direct = delay(state[SECOND:], prepared[6 + LONGEST :], int(prepared[5]), 0.1 * effective)
    traded = x2 * (state[1] / x3 - prepared[X5])
    filled = max(state[1] + 0.6 * delayed + traded, 0.0)
    gain = filled - state[1] - 0.6 * delayed + traded
    routed = release(filled, x3)
    state[1] = filled - routed
    level = state[EXPONENTIAL] + 0.4 * delayed + traded
    slow = exponential_release(level, x6)
    state[EXPONENTIAL] = level - slow
    left = max(direct + traded, 0.0)
    return routed + slow + left, evaporated, gain + left - direct


@compiled_ieee
def gr6j_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within, the exponential store counted from its level [mm]."""
    return float(gr4j_storage(state, prepared) + state[EXPONENTIAL])


@compiled_ieee
def gr6j_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """Production store at 0.3 X1, routing store at 0.5 X3, the exponential store at its level."""
    state[:] = 0.0
    state[0] = 0.3 * prepared[0]
    state[1] = 0.5 * prepared[2]
