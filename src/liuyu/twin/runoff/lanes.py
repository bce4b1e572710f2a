"""Sixteen series side by side: the laws of GR4J and GR5 as loops that become vector instructions.

Series lie beside each other in memory, so that one instruction serves several; the laws are those of one series, number
for number.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff import gr5
from liuyu.physics.runoff.gr4j import DAILY, LONGEST, production, routing
from liuyu.physics.runoff.gr5 import COUNT, HELD_BACK, IMAX, QUEUE, SHARES, X5, interception

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
TOLERANCE = 1e-6  # [mm] a step's balance may miss by this; rounding misses by 1e-12
LANES = 16  # series that one vector loop carries; with 8 the compiler unrolls instead, and is three times slower
_routing5 = gr5.routing


@compiled_ieee
def run_lanes(
    gr4: bool,
    water: Floats,
    pet: Floats,
    water_row: Places,
    pet_row: Places,
    factors: Floats,
    prepared: Floats,
    state: Floats,
    out: Floats,
    bad: Places,
) -> int:
    """As many whole sixteens of series as there are, of GR4J or else of GR5; returns how many series that is."""
    whole = len(water_row) // LANES * LANES
    for block in range(0, whole, LANES):
        if gr4:
            gr4j_lanes(block, water, pet, water_row, pet_row, factors, prepared, state, out, bad)
        else:
            gr5_lanes(block, water, pet, water_row, pet_row, factors, prepared, state, out, bad)
    return whole


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
    """Sixteen series of GR4J side by side, from series `block` on; arguments and results as in `kernels.run_series`.

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
            stores[0, lane], fixed[0, lane], now[0, lane], now[1, lane], DAILY
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


@compiled_ieee
def gr5_lanes(
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
    """Sixteen series of GR5 side by side, from series `block` on; arguments and results as in `kernels.run_series`."""
    count = 1
    for lane in range(LANES):
        count = max(count, int(prepared[block + lane, COUNT]))
    stores, fixed, now = np.empty((3, LANES)), np.empty((6, LANES)), np.empty((7, LANES))
    queue, shares = np.zeros((count + 1, LANES)), np.empty((count, LANES))
    for lane in range(LANES):
        row, own = state[block + lane], prepared[block + lane]
        stores[:, lane] = row[:QUEUE]
        fixed[:3, lane], fixed[3, lane], fixed[4, lane], fixed[5, lane] = own[:3], own[X5], own[IMAX], own[HELD_BACK]
        queue[:count, lane], shares[:, lane] = row[QUEUE : QUEUE + count], own[SHARES : SHARES + count]
    failed = np.full(LANES, -1.0)
    now[5] = stores.sum(axis=0) + queue.sum(axis=0)
    for at in range(water.shape[1]):
        for lane in range(LANES):
            now[0, lane] = water[water_row[block + lane], at] * factors[block + lane, 0]
            now[1, lane] = pet[pet_row[block + lane], at] * factors[block + lane, 1]
        _gr5_step(stores, fixed, queue, shares, now)
        _gr5_check(stores, queue, now, failed, at)
        for lane in range(LANES):
            out[block + lane, at] = now[2, lane]
    for lane in range(LANES):
        row = state[block + lane]
        row[:QUEUE] = stores[:, lane]
        row[QUEUE : QUEUE + count] = queue[:count, lane]
        bad[block + lane] = int(failed[lane])


@compiled_ieee
def _gr5_step(stores: Floats, fixed: Floats, queue: Floats, shares: Floats, now: Floats) -> None:
    """One step in place. now: rows of water, pet, runoff, effective rain, net gain, storage before, evaporation met."""
    for lane in range(LANES):
        stores[2, lane], through, demand, now[6, lane] = interception(
            stores[2, lane], fixed[4, lane], now[0, lane], now[1, lane]
        )
        stores[0, lane], now[3, lane], now[4, lane] = production(
            stores[0, lane], fixed[0, lane], through, demand, fixed[5, lane]
        )
    for lane in range(LANES):
        queue[0, lane] += shares[0, lane] * now[3, lane]
    for lane in range(LANES):
        stores[1, lane], now[2, lane], gain = _routing5(
            stores[1, lane], fixed[1, lane], fixed[2, lane], fixed[3, lane], queue[0, lane]
        )
        now[4, lane] = now[0, lane] + gain - now[2, lane] - (now[4, lane] + now[6, lane])
    for place in range(1, len(shares)):
        for lane in range(LANES):
            queue[place - 1, lane] = queue[place, lane] + shares[place, lane] * now[3, lane]
    for lane in range(LANES):
        queue[len(shares) - 1, lane] = 0.0


@compiled_ieee
def _gr5_check(stores: Floats, queue: Floats, now: Floats, failed: Floats, at: int) -> None:
    """Compare the net gain of a step with the change of storage; remember the first step that misses."""
    within = now[3]
    for lane in range(LANES):
        within[lane] = stores[0, lane] + stores[1, lane] + stores[2, lane]
    for place in range(len(queue) - 2):
        for lane in range(LANES):
            within[lane] += queue[place, lane]
    for lane in range(LANES):
        right = abs(now[4, lane] - (within[lane] - now[5, lane])) <= TOLERANCE
        failed[lane] = at if failed[lane] < 0.0 and not right else failed[lane]
        now[5, lane] = within[lane]
