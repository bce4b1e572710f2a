"""GR5J and GR5H: GR4J with one unit hydrograph for both branches, an exchange that has a threshold, and interception.

An exchange X2 (R / X3 - X5) turns from loss to gain with the level of the routing store [1]. At hourly steps the days'
laws would let rain evaporate within hours that has fallen onto leaves before: a store of `imax` mm takes it up first
[2]. With imax = 0 the store does nothing. The two models differ in the time for which percolation and the unit
hydrograph were fitted.

[1] Le Moine N. (2008) Le bassin versant de surface vu par le souterrain. PhD thesis, UPMC, Paris.
[2] Ficchì A., Perrin C., Andréassian V. (2019) Hydrological modelling at multiple sub-daily time steps: model
    improvement via flux-matching. J. Hydrol. 575, 1308-1327.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay
from liuyu.physics.runoff.gr4j import DAILY, production, release, s_curve

HOURLY = 759.69140625  # (21/4)^4, by which an hour's percolation is held back
LONGEST = 96  # [steps] greatest X4
QUEUE = 3  # production store, routing store, interception, then the queue
STATE_SIZE = QUEUE + 2 * LONGEST
X5, IMAX, HELD_BACK, COUNT, SHARES = 4, 5, 6, 7, 8  # places in a prepared row; X1 to X4 lie before
PREPARED_SIZE = SHARES + 2 * LONGEST


@compiled_ieee
def _prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64], held_back: float, exponent: float) -> None:
    prepared[:] = 0.0
    prepared[:6] = parameters[:6]
    prepared[HELD_BACK] = held_back
    x4 = parameters[3]
    count = max(math.ceil(2.0 * x4), 1)
    prepared[COUNT] = count
    for place in range(count):
        through = s_curve(place + 1.0, x4, True, exponent)
        prepared[SHARES + place] = through - s_curve(float(place), x4, True, exponent)


@compiled_ieee
def gr5j_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From X1..X5 and imax [mm] what a step of a day reads, into `prepared` (PREPARED_SIZE,)."""
    _prepare(parameters, prepared, DAILY, 2.5)


@compiled_ieee
def gr5h_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From X1..X5 and imax [mm] what a step of an hour reads; X2 [mm/h], X4 [h]."""
    _prepare(parameters, prepared, HOURLY, 1.25)


@compiled_ieee
def interception(store: float, imax: float, water: float, pet: float) -> tuple[float, float, float, float]:
    """Interception store after a step, rain that falls through, evaporation left to meet, evaporation met [mm]."""
    met = min(pet, water + store)
    through = max(water - (imax - store) - met, 0.0)
    return store + water - met - through, through, max(pet - met, 0.0), met


@compiled_ieee
def routing(store: float, x2: float, x3: float, x5: float, delayed: float) -> tuple[float, float, float]:
    """Routing store after a step, runoff, water gained by exchange [mm]; delayed: what the hydrograph gives [mm]."""
    slow, direct = 0.9 * delayed, 0.1 * delayed
    traded = x2 * (store / x3 - x5)
    filled = max(store + slow + traded, 0.0)
    left = max(direct + traded, 0.0)
    gain = filled - store - slow + left - direct
    out = release(filled, x3)
    return filled - out, out + left, gain


@compiled_ieee
def gr5_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One step in place; runoff, actual evaporation, water gained by exchange [mm].

    state: (STATE_SIZE,) production store, routing store, interception, queue [mm]; water: rain and melt [mm].
    """
    state[2], through, demand, met = interception(state[2], prepared[IMAX], water, pet)
    state[0], effective, evaporated = production(state[0], prepared[0], through, demand, prepared[HELD_BACK])
    delayed = delay(state[QUEUE:], prepared[SHARES:], int(prepared[COUNT]), effective)
    state[1], runoff, gain = routing(state[1], prepared[1], prepared[2], prepared[X5], delayed)
    return runoff, evaporated + met, gain


@compiled_ieee
def gr5_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within [mm]."""
    total = state[0] + state[1] + state[2]
    for place in range(int(prepared[COUNT])):
        total += state[QUEUE + place]
    return float(total)


@compiled_ieee
def gr5_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """Production store at 0.3 X1, routing store at 0.5 X3, leaves dry, nothing on its way."""
    state[:] = 0.0
    state[0] = 0.3 * prepared[0]
    state[1] = 0.5 * prepared[2]
