"""HBV-96: soil moisture, a nonlinear upper and a linear lower zone, a triangular transformation.

Its snow is `degree_day`. Parameters: FC field capacity [mm], LP share of FC above which evaporation is potential [1],
BETA [1], K share of the upper zone that runs off in a day when it holds 10 mm [1/d], ALPHA how much faster it drains
when fuller [1], K4 recession of the lower zone [1/d], PERC percolation [mm/d], MAXBAS [d].

[1] Lindström G. et al. (1997) Development and test of the distributed HBV-96 hydrological model. J. Hydrol. 201,
    272-288.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay, triangle

LONGEST = 20  # [d] greatest MAXBAS
QUEUE = 3  # soil moisture, upper zone, lower zone, then the queue
STATE_SIZE = QUEUE + LONGEST
COUNT, SHARES = 8, 9  # places in a prepared row behind the eight parameters
FULLNESS = 10.0  # [mm] of the upper zone for which K is given
PREPARED_SIZE = SHARES + LONGEST


@compiled_ieee
def soil(moisture: float, water: float, pet: float, fc: float, lp: float, beta: float) -> tuple[float, float, float]:
    """Soil moisture after a step, recharge, actual evaporation [mm]: recharge is water (moisture / FC)^BETA [1]."""
    recharge = water * min(moisture / fc, 1.0) ** beta
    moisture += water - recharge
    over = max(moisture - fc, 0.0)
    moisture -= over
    evaporated = min(pet * min(moisture / (lp * fc), 1.0), moisture)
    return moisture - evaporated, recharge + over, evaporated


@compiled_ieee
def hbv_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From FC, LP, BETA, K, ALPHA, K4, PERC, MAXBAS what a step reads, into `prepared` (PREPARED_SIZE,)."""
    prepared[:] = 0.0
    prepared[:8] = parameters[:8]
    prepared[COUNT] = triangle(parameters[7], prepared[SHARES:])


@compiled_ieee
def hbv_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One day in place; runoff, actual evaporation, water gained (none) [mm].

    state: (STATE_SIZE,) soil moisture, upper zone, lower zone, queue [mm]; water: rain and melt [mm].
    """
    state[0], recharge, evaporated = soil(state[0], water, pet, prepared[0], prepared[1], prepared[2])
    upper = state[1] + recharge
    percolated = min(prepared[6], upper)
    upper -= percolated
    quick = upper * min(prepared[3] * (upper / FULLNESS) ** prepared[4], 1.0)
    lower = state[2] + percolated
    base = prepared[5] * lower
    state[1] = upper - quick
    state[2] = lower - base
    runoff = delay(state[QUEUE:], prepared[SHARES:], int(prepared[COUNT]), quick + base)
    return runoff, evaporated, 0.0


@compiled_ieee
def hbv_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within [mm]."""
    total = 0.0
    for place in range(QUEUE + int(prepared[COUNT])):
        total += state[place]
    return total


@compiled_ieee
def hbv_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """Soil at half its capacity, the zones and the queue empty."""
    state[:] = 0.0
    state[0] = 0.5 * prepared[0]
