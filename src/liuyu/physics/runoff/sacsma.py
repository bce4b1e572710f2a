"""SAC-SMA, Sacramento soil moisture accounting, without frozen ground.

Tension and free water in an upper and a lower zone, percolation driven by the lower zone's deficit, direct runoff from
a variable impervious area, interflow and two base flows. A step is cut so that no part moves more than 5 mm.

Stores below 1e-5 mm are emptied, as in the National Weather Service's program; what that takes away is returned as a
(negative) gain, so that every step closes.

[1] Burnash R.J.C., Ferral R.L., McGuire R.A. (1973) A generalized streamflow simulation system. US NWS, Sacramento.
[2] NOAA-OWP/sac-sma, version of 2023: the reference output that the tests compare with.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay, triangle

LONGEST = 20  # [d] greatest base of the unit hydrograph
QUEUE = 6  # UZTWC, UZFWC, LZTWC, LZFSC, LZFPC, ADIMC, then the queue
STATE_SIZE = QUEUE + LONGEST
COUNT, SHARES = 16, 17  # places in a prepared row behind the sixteen parameters
PREPARED_SIZE = SHARES + LONGEST
LEAST = 1e-5  # [mm]


@compiled_ieee
def evaporate(state: NDArray[np.float64], p: NDArray[np.float64], pet: float) -> tuple[float, float, float]:
    """Evaporation of the pervious and of the variable impervious land, in place; what was trimmed [mm over each]."""
    uztwm, uzfwm, lztwm, lzfsm, lzfpm = p[0], p[1], p[8], p[9], p[10]
    e1 = min(pet * (state[0] / uztwm), state[0])
    rest = pet - e1
    drained = pet * (state[0] / uztwm) > state[0]
    state[0] = 0.0 if drained else state[0] - e1
    e2 = 0.0
    if drained:
        e2 = min(rest, state[1])
        state[1] -= e2
        rest -= e2
    if state[0] / uztwm < state[1] / uzfwm:
        ratio = (state[0] + state[1]) / (uztwm + uzfwm)
        state[0], state[1] = uztwm * ratio, uzfwm * ratio
    trimmed = trim(state, 0) + trim(state, 1)
    e3 = min(rest * (state[2] / (uztwm + lztwm)), state[2])
    state[2] -= e3
    saved = p[15] * (lzfpm + lzfsm)
    full = state[2] / lztwm
    whole = (state[2] + state[4] + state[3] - saved) / (lztwm + lzfpm + lzfsm - saved)
    if full < whole:
        moved = (whole - full) * lztwm
        state[2] += moved
        state[3] -= moved
        if state[3] < 0.0:
            state[4] += state[3]
            state[3] = 0.0
    trimmed += trim(state, 2)
    e5 = min(e1 + (rest + e2) * ((state[5] - e1 - state[0]) / (uztwm + lztwm)), state[5])
    state[5] -= e5
    return e1 + e2 + e3, e5, trimmed


@compiled_ieee
def trim(state: NDArray[np.float64], place: int) -> float:
    """Empty a store that holds next to nothing; what it held [mm]."""
    held = float(state[place])
    if held >= LEAST:
        return 0.0
    state[place] = 0.0
    return held


@compiled_ieee
def percolate(state: NDArray[np.float64], p: NDArray[np.float64], most: float, duz: float) -> float:
    """Percolation of one part of a step, and interflow, which is returned [mm over the pervious land]; in place.

    most: percolation of a full upper over a full lower zone [mm]; duz: share of upper free water drained [1].
    """
    pfree, lztwm, lzfsm, lzfpm = p[7], p[8], p[9], p[10]
    lower = lztwm + lzfpm + lzfsm
    deficit = max(1.0 - (state[2] + state[4] + state[3]) / lower, 0.0)
    water = min(most * (state[1] / p[1]) * (1.0 + p[5] * deficit ** p[6]), state[1])
    water -= max(state[2] + state[4] + state[3] + water - lower, 0.0)
    state[1] -= water
    interflow = state[1] * duz
    state[1] -= interflow
    tension = water * (1.0 - pfree)
    over = max(tension + state[2] - lztwm, 0.0)
    state[2] += tension - over
    free = over + water * pfree
    if free != 0.0:
        room, other = 1.0 - state[4] / lzfpm, 1.0 - state[3] / lzfsm
        share = lzfpm / (lzfpm + lzfsm) * 2.0 * room / (room + other) if room + other > 0.0 else 1.0
        second = free - free * min(share, 1.0)
        second = min(second, lzfsm - state[3])
        state[3] += second
        state[4] += free - second
        excess = max(state[4] - lzfpm, 0.0)
        state[4] -= excess
        state[2] += excess
    return float(interflow)


@compiled_ieee
def drain(state: NDArray[np.float64], place: int, share: float) -> float:
    """Base flow of a lower store in a part of a step, in place [mm]; next to nothing left leaves with it."""
    out = state[place] * share
    if state[place] - out <= 1e-4:
        out = state[place]
    state[place] -= out
    return float(out)


@compiled_ieee
def part(
    state: NDArray[np.float64],
    p: NDArray[np.float64],
    water: float,
    rates: tuple[float, float, float],
    sums: NDArray[np.float64],
) -> None:
    """One part of a step in place, with `water` above the upper tension capacity [mm].

    rates: shares drained from upper free, lower supplemental and lower primary water; sums: (6,) direct, surface,
    interflow, supplemental and primary base flow, each over the land it comes from, and what was trimmed [mm].
    """
    duz, dlzs, dlzp = rates
    uztwm, uzfwm, adimp = p[0], p[1], p[4]
    direct = water * max((state[5] - state[0]) / p[8], 0.0) ** 2
    sums[4] += drain(state, 4, dlzp)
    sums[3] += drain(state, 3, dlzs)
    surface = 0.0
    if water + state[1] <= 0.01:
        state[1] += water
    else:
        sums[2] += percolate(state, p, p[10] * dlzp + p[9] * dlzs, duz)
        if water > 0.0:
            over = max(water + state[1] - uzfwm, 0.0)
            state[1] += water - over
            surface = over * (1.0 - direct / water)
            sums[1] += over * (1.0 - adimp - p[3]) + surface * adimp
    state[5] += water - direct - surface
    over = max(state[5] - (uztwm + p[8]), 0.0)
    state[5] -= over
    sums[0] += (direct + over) * adimp
    sums[5] += trim(state, 5) * adimp


@compiled_ieee
def sacsma_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From seventeen parameters what a step reads, into `prepared` (PREPARED_SIZE,).

    UZTWM, UZFWM [mm], UZK [1/d], PCTIM, ADIMP [1], ZPERC, REXP, PFREE [1], LZTWM, LZFSM, LZFPM [mm], LZSK, LZPK [1/d],
    RIVA, SIDE, RSERV [1], base of the unit hydrograph [d].
    """
    prepared[:] = 0.0
    prepared[:16] = parameters[:16]
    prepared[COUNT] = triangle(parameters[16], prepared[SHARES:])


@compiled_ieee
def sacsma_soil(
    state: NDArray[np.float64], p: NDArray[np.float64], water: float, pet: float, sums: NDArray[np.float64]
) -> tuple[float, float, float]:
    """One day of soil moisture in place; total channel inflow, actual evaporation, water gained [mm].

    sums: (6,) as in `part`, overwritten. The gain is what trimming took away and base flow that bypasses the channel.
    """
    uztwm, pctim, adimp = p[0], p[3], p[4]
    pervious = 1.0 - adimp - pctim
    used, e5, trimmed = evaporate(state, p, pet)
    excess = max(water + state[0] - uztwm, 0.0)
    state[0] = uztwm if excess > 0.0 else state[0] + water
    state[5] += water - excess
    parts = int(1.0 + 0.2 * (state[1] + excess))
    length = 1.0 / parts
    rates = (1.0 - (1.0 - p[2]) ** length, 1.0 - (1.0 - p[11]) ** length, 1.0 - (1.0 - p[12]) ** length)
    sums[:] = 0.0
    for _ in range(parts):
        part(state, p, excess / parts, rates, sums)
    below = (sums[3] + sums[4]) * pervious
    base = below / (1.0 + p[14])
    channel = water * pctim + sums[0] + sums[1] + sums[2] * pervious + base
    riparian = min((pet - used) * p[13], channel)
    channel -= riparian
    evaporated = used * pervious + e5 * adimp + riparian
    raised = max(state[0] - state[5], 0.0)
    state[5] += raised
    gain = raised * adimp - trimmed * pervious - sums[5] - (below - base)
    return channel, evaporated, gain


@compiled_ieee
def soil_storage(state: NDArray[np.float64], p: NDArray[np.float64]) -> float:
    """Water within the soil, each store over the land it lies in [mm]."""
    held = state[0] + state[1] + state[2] + state[3] + state[4]
    return float(held * (1.0 - p[4] - p[3]) + state[5] * p[4])


@compiled_ieee
def sacsma_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One day in place; runoff, actual evaporation, water gained (trimmed, raised or bypassing) [mm].

    state: (STATE_SIZE,) upper tension and free water, lower tension, supplemental and primary free water, the variable
    impervious area's content, queue [mm].
    """
    channel, evaporated, gain = sacsma_soil(state, prepared, water, pet, np.empty(6))
    return delay(state[QUEUE:], prepared[SHARES:], int(prepared[COUNT]), channel), evaporated, gain


@compiled_ieee
def sacsma_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within, that on its way included [mm]."""
    total = soil_storage(state, prepared)
    for place in range(int(prepared[COUNT])):
        total += state[QUEUE + place]
    return float(total)


@compiled_ieee
def sacsma_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """Tension water at half its capacity, free water at a fifth, the upper free water empty."""
    state[:] = 0.0
    state[0] = 0.5 * prepared[0]
    state[2] = 0.5 * prepared[8]
    state[3] = 0.2 * prepared[9]
    state[4] = 0.2 * prepared[10]
    state[5] = state[0] + state[2]
