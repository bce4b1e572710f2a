"""The loops: a model over time for many series at once. A series is a row of forcing with a set of parameters.

Every step is checked: inflow + gain - runoff - evaporation must equal the change of storage. A series that misses by
more than TOLERANCE, or turns into NaN, is left at that step, and the step is reported.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.degree_day import snow_bands, snow_storage
from liuyu.physics.runoff.gr4j import gr4j_prepare, gr4j_start, gr4j_step, gr4j_storage
from liuyu.physics.runoff.gr5 import gr5_start, gr5_step, gr5_storage, gr5h_prepare, gr5j_prepare
from liuyu.physics.runoff.gr6j import gr6j_prepare, gr6j_start, gr6j_step, gr6j_storage
from liuyu.physics.runoff.hbv import hbv_prepare, hbv_start, hbv_step, hbv_storage
from liuyu.physics.runoff.sacsma import sacsma_prepare, sacsma_start, sacsma_step, sacsma_storage
from liuyu.physics.runoff.xinanjiang import (
    xinanjiang_prepare,
    xinanjiang_start,
    xinanjiang_step,
    xinanjiang_storage,
)
from liuyu.twin.runoff.lanes import TOLERANCE

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
GR4J, GR6J, HBV, XINANJIANG, SACSMA, GR5J, GR5H = range(7)
LANED = (GR4J, GR5J, GR5H)  # those whose series travel sixteen at a time
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
        elif kind == GR5J:
            gr5j_prepare(parameters[series], prepared[series])
        elif kind == GR5H:
            gr5h_prepare(parameters[series], prepared[series])
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
        elif kind in (GR5J, GR5H):
            gr5_start(state[series], prepared[series])
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
    if kind in (GR5J, GR5H):
        return gr5_step(state, prepared, water, pet)
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
    if kind in (GR5J, GR5H):
        return gr5_storage(state, prepared)
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
    begin: int,
) -> None:
    """Runoff of the series from `begin` on, in `out` (n, steps) [mm].

    water, pet: (rows, steps) [mm]; water_row, pet_row: (n,) which row a series reads; factors: (n, 2) of
    water and of pet [1]; prepared, state: (n, size), the state changed; bad: (n,) first step whose balance
    fails, -1 where none does.
    """
    for series in range(begin, len(water_row)):
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
