"""The loops: a model over time for many series at once. A series is a row of forcing with a set of parameters.

Every step is checked: inflow + gain - runoff - evaporation must equal the change of storage. A series that misses by
more than TOLERANCE, or turns into NaN, is left at that step, and the step is reported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.degree_day import snow_bands, snow_storage
from liuyu.physics.runoff.gr4j import (
    LONGEST,
    gr4j_prepare,
    gr4j_start,
    gr4j_step,
    gr4j_storage,
    production,
    routing,
)
from liuyu.physics.runoff.gr6j import gr6j_prepare, gr6j_start, gr6j_step, gr6j_storage
from liuyu.physics.runoff.hbv import hbv_prepare, hbv_start, hbv_step, hbv_storage
from liuyu.physics.runoff.sacsma import sacsma_prepare, sacsma_start, sacsma_step, sacsma_storage
from liuyu.physics.runoff.xinanjiang import (
    xinanjiang_prepare,
    xinanjiang_start,
    xinanjiang_step,
    xinanjiang_storage,
)

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
GR4J, GR6J, HBV, XINANJIANG, SACSMA = range(5)
TOLERANCE = 1e-6  # [mm] a step's balance may miss by this; rounding misses by 1e-12
LANES = 16  # series that one vector loop carries; with 8 the compiler unrolls instead, and is three times slower
_LEVELS = 1_000_000.0  # [mm] a store beyond this is an error that no balance would show


@compiled_ieee
def prepare(kind: int, parameters: Floats, prepared: Floats) -> None:
    """Prepared rows (n, size) of a model from its parameters (n, count)."""
    for series in range(len(parameters)):
        if kind == GR4J:
            gr4j_prepare(parameters[series], prepared[series])
        elif kind == GR6J:
            gr6j_prepare(parameters[series], prepared[series])
        elif kind == HBV:
            hbv_prepare(parameters[series], prepared[series])
        elif kind == XINANJIANG:
            xinanjiang_prepare(parameters[series], prepared[series])
        else:
            sacsma_prepare(parameters[series], prepared[series])


@compiled_ieee
def start(kind: int, prepared: Floats, state: Floats) -> None:
    """States (n, size) to begin with."""
    for series in range(len(prepared)):
        if kind == GR4J:
            gr4j_start(state[series], prepared[series])
        elif kind == GR6J:
            gr6j_start(state[series], prepared[series])
        elif kind == HBV:
            hbv_start(state[series], prepared[series])
        elif kind == XINANJIANG:
            xinanjiang_start(state[series], prepared[series])
        else:
            sacsma_start(state[series], prepared[series])


@compiled_ieee
def step(kind: int, state: Floats, prepared: Floats, water: float, pet: float) -> tuple[float, float, float]:
    """One step of a model in place; runoff, actual evaporation, water gained [mm]."""
    if kind == GR4J:
        return gr4j_step(state, prepared, water, pet)
    if kind == GR6J:
        return gr6j_step(state, prepared, water, pet)
    if kind == HBV:
        return hbv_step(state, prepared, water, pet)
    if kind == XINANJIANG:
        return xinanjiang_step(state, prepared, water, pet)
    return sacsma_step(state, prepared, water, pet)


@compiled_ieee
def storage(kind: int, state: Floats, prepared: Floats) -> float:
    """Water within a model [mm]."""
    if kind == GR4J:
        return gr4j_storage(state, prepared)
    if kind == GR6J:
        return gr6j_storage(state, prepared)
    if kind == HBV:
        return hbv_storage(state, prepared)
    if kind == XINANJIANG:
        return xinanjiang_storage(state, prepared)
    return sacsma_storage(state, prepared)


@compiled_ieee
def snow_series(
    precipitation: Floats, temperature: Floats, row: Places, parameters: Floats, state: Floats, out: Floats, bad: Places
) -> None:
    """Rain and melt of many series, in `out` (n, steps) [mm].

    precipitation [mm], temperature [°C]: (rows, steps); row: (n,); parameters: (n, 6) factors of precipitation and
    evaporation, threshold, factor, spread, catch; state: (n, size), changed; bad: (n,) first step whose balance
    fails, -1 where none does.
    """
    for series in range(len(row)):
        bad[series] = -1
        held = snow_storage(state[series])
        correction, _, threshold, factor, spread, catch = parameters[series]
        for at in range(precipitation.shape[1]):
            fallen = correction * precipitation[row[series], at]
            water, gain = snow_bands(
                state[series], fallen, temperature[row[series], at], threshold, factor, spread, catch
            )
            out[series, at] = water
            now = snow_storage(state[series])
            if not abs(fallen + gain - water - (now - held)) <= TOLERANCE:
                bad[series] = at
                break
            held = now


@compiled_ieee
def run_series(
    kind: int,
    water: Floats,
    pet: Floats,
    water_row: Places,
    pet_row: Places,
    factors: Floats,
    prepared: Floats,
    state: Floats,
    out: Floats,
    bad: Places,
) -> None:
    """Runoff of many series, in `out` (n, steps) [mm].

    water, pet: (rows, steps) [mm]; water_row, pet_row: (n,) which row a series reads; factors: (n, 2) of
    water and of pet [1]; prepared, state: (n, size), the state changed; bad: (n,) first step whose balance
    fails, -1 where none does.
    """
    first = 0
    if kind == GR4J:
        first = len(water_row) // LANES * LANES
        for block in range(0, first, LANES):
            gr4j_lanes(block, water, pet, water_row, pet_row, factors, prepared, state, out, bad)
    for series in range(first, len(water_row)):
        bad[series] = -1
        held = storage(kind, state[series], prepared[series])
        rain, demand = water[water_row[series]], pet[pet_row[series]]
        for at in range(len(rain)):
            fallen = factors[series, 0] * rain[at]
            runoff, evaporated, gain = step(
                kind, state[series], prepared[series], fallen, factors[series, 1] * demand[at]
            )
            out[series, at] = runoff
            now = storage(kind, state[series], prepared[series])
            if not (abs(fallen + gain - runoff - evaporated - (now - held)) <= TOLERANCE and abs(now) < _LEVELS):
                bad[series] = at
                break
            held = now


@compiled_ieee
def gr4j_lanes(
    block: int,
    water: Floats,
    pet: Floats,
    water_row: Places,
    pet_row: Places,
    factors: Floats,
    prepared: Floats,
    state: Floats,
    out: Floats,
    bad: Places,
) -> None:
    """Sixteen series of GR4J side by side, from series `block` on; arguments and results as in `run_series`.

    The laws are those of gr4j_step, number for number; series lie beside each other in memory, so that one instruction
    serves several.
    """
    first, second = 1, 1
    for lane in range(LANES):
        first = max(first, int(prepared[block + lane, 4]))
        second = max(second, int(prepared[block + lane, 5]))
    stores, fixed, now = np.empty((2, LANES)), np.empty((3, LANES)), np.empty((6, LANES))
    queue1, shares1 = np.zeros((first + 1, LANES)), np.empty((first, LANES))
    queue2, shares2 = np.zeros((second + 1, LANES)), np.empty((second, LANES))
    for lane in range(LANES):
        row, own = state[block + lane], prepared[block + lane]
        fixed[:, lane], stores[:, lane] = own[:3], row[:2]
        queue1[:first, lane], shares1[:, lane] = row[2 : 2 + first], own[6 : 6 + first]
        queue2[:second, lane] = row[2 + LONGEST : 2 + LONGEST + second]
        shares2[:, lane] = own[6 + LONGEST : 6 + LONGEST + second]
    failed = np.full(LANES, -1.0)
    held = now[5]
    held[:] = stores.sum(axis=0) + queue1.sum(axis=0) + queue2.sum(axis=0)
    for at in range(water.shape[1]):
        for lane in range(LANES):
            now[0, lane] = water[water_row[block + lane], at] * factors[block + lane, 0]
            now[1, lane] = pet[pet_row[block + lane], at] * factors[block + lane, 1]
        _lanes_step(stores, fixed, queue1, shares1, queue2, shares2, now)
        _lanes_check(stores, queue1, queue2, now, failed, at)
        for lane in range(LANES):
            out[block + lane, at] = now[2, lane]
    for lane in range(LANES):
        row = state[block + lane]
        row[:2] = stores[:, lane]
        row[2 : 2 + first] = queue1[:first, lane]
        row[2 + LONGEST : 2 + LONGEST + second] = queue2[:second, lane]
        bad[block + lane] = int(failed[lane])


@compiled_ieee
def _lanes_step(
    stores: Floats, fixed: Floats, queue1: Floats, shares1: Floats, queue2: Floats, shares2: Floats, now: Floats
) -> None:
    """One day of sixteen series in place. now: rows of water, pet, runoff, effective rain, net gain, storage before."""
    for lane in range(LANES):
        stores[0, lane], now[3, lane], now[4, lane] = production(
            stores[0, lane], fixed[0, lane], now[0, lane], now[1, lane]
        )
    for lane in range(LANES):
        queue1[0, lane] += shares1[0, lane] * (0.9 * now[3, lane])
        queue2[0, lane] += shares2[0, lane] * (0.1 * now[3, lane])
    for lane in range(LANES):
        stores[1, lane], now[2, lane], gain = routing(
            stores[1, lane], fixed[1, lane], fixed[2, lane], queue1[0, lane], queue2[0, lane]
        )
        now[4, lane] = now[0, lane] + gain - now[2, lane] - now[4, lane]
    for place in range(1, len(shares1)):
        for lane in range(LANES):
            queue1[place - 1, lane] = queue1[place, lane] + shares1[place, lane] * (0.9 * now[3, lane])
    for place in range(1, len(shares2)):
        for lane in range(LANES):
            queue2[place - 1, lane] = queue2[place, lane] + shares2[place, lane] * (0.1 * now[3, lane])
    for lane in range(LANES):
        queue1[len(shares1) - 1, lane] = 0.0
        queue2[len(shares2) - 1, lane] = 0.0


@compiled_ieee
def _lanes_check(stores: Floats, queue1: Floats, queue2: Floats, now: Floats, failed: Floats, at: int) -> None:
    """Compare the net gain of a day with the change of storage; remember the first day that misses."""
    within = now[3]
    for lane in range(LANES):
        within[lane] = stores[0, lane] + stores[1, lane]
    for place in range(len(queue1) - 2):
        for lane in range(LANES):
            within[lane] += queue1[place, lane]
    for place in range(len(queue2) - 2):
        for lane in range(LANES):
            within[lane] += queue2[place, lane]
    for lane in range(LANES):
        right = abs(now[4, lane] - (within[lane] - now[5, lane])) <= TOLERANCE
        failed[lane] = at if failed[lane] < 0.0 and not right else failed[lane]
        now[5, lane] = within[lane]
