"""The loops: water through a network, step by step, for many members at once, every step's balance checked.

A row is a reach with a member; the rows of one run lie side by side, and sixteen of them travel through one vector
loop. A run goes through all its steps before the next begins, so that its numbers stay in the nearest memory.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee, compiled_within
from liuyu.physics.diffusive import diffusive_step, level, volume
from liuyu.physics.muskingum_cunge import courant_and_diffusion, muskingum_cunge_step
from liuyu.physics.muskingum_cunge import held as storage_of
from liuyu.physics.pool import level_pool_step, released_step

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
CHANNEL, POOL, COUPLED = range(3)
LANES = 16  # rows that one vector loop carries
BEFORE, OUT, HELD = range(3)  # columns of a state: inflow, outflow [m3/s], water held [2 S / dt in m3/s, or m3]
TOLERANCE = 1e-9  # of what moves and is held; rounding misses by 1e-15


class Plan(NamedTuple):
    """A network as arrays, reaches in the order in which they are run; n reaches, their places p.

    first: (n + 1,) where the links from above of each begin; source, share: (links,) place and share [1]; lateral:
    (n,) the user's number of the reach, whose lateral inflow it takes; law: (n, 4) of channels; own: (n,) number of a
    pool; curve_first: (pools + 1,), storages [m3] and outflows [m3/s]: curves of pools;
    down: (n,) cell below within a coupled element, counted from its first, -1 at its mouth; cell, link, rating: of
    coupled cells; dt [s].
    """

    first: Places
    source: Places
    share: Floats
    lateral: Places
    law: Floats
    own: Places
    curve_first: Places
    storages: Floats
    outflows: Floats
    down: Places
    cell: Floats
    link: Floats
    rating: Floats
    dt: float


class Fields(NamedTuple):
    """What a run reads and writes, rows being p * members + m.

    lateral: (reaches of the user * members, steps) mean inflow along a reach [m3/s]; release: (pools, steps) [m3/s],
    NaN where a pool follows its curve; flow: (rows, steps) outflow at each step's end [m3/s]; state: (rows, 3);
    bad: (rows,) first step that fails, else -1; miss: (rows,) by how much [m3].
    """

    lateral: Floats
    release: Floats
    flow: Floats
    state: Floats
    bad: Places
    miss: Floats


@compiled_ieee
def sweep(plan: Plan, runs: Places, fields: Fields, members: int) -> None:
    """All steps of some runs, in turn."""
    for each in range(len(runs)):
        begin, end, kind = runs[each]
        if kind == CHANNEL:
            for block in range(begin * members, end * members, LANES):
                _channels(plan, fields, members, block, min(block + LANES, end * members))
        elif kind == POOL:
            for row in range(begin * members, end * members):
                _pool(plan, fields, members, row)
        else:
            for member in range(members):
                _coupled(plan, fields, members, begin, end, member)


@compiled_within
def _gather(
    plan: Plan, fields: Fields, members: int, row: int, inner: int, inflow: Floats, lateral: Floats, lane: int
) -> None:
    """Inflow from above and mean lateral inflow of a row into row `lane` of two arrays (lanes, steps) [m3/s].

    Sources from place `inner` on belong to the element itself. A slice would cost more than what is in it.
    """
    place, member = row // members, row % members
    steps, below = inflow.shape[1], plan.lateral[place] * members + member
    for at in range(steps):
        inflow[lane, at] = 0.0
        lateral[lane, at] = fields.lateral[below, at]
    for link in range(plan.first[place], plan.first[place + 1]):
        if plan.source[link] < inner:
            share, above = plan.share[link], plan.source[link] * members + member
            for at in range(steps):
                inflow[lane, at] += share * fields.flow[above, at]


@compiled_within
def _channels(plan: Plan, fields: Fields, members: int, begin: int, end: int) -> None:
    """Rows of channels, at most sixteen of them; lanes that are left over repeat the last row and are not kept."""
    steps = fields.flow.shape[1]
    inflow, lateral, lanes = np.empty((LANES, steps)), np.empty((LANES, steps)), np.empty((10, LANES))
    for lane in range(LANES):
        row = min(begin + lane, end - 1)
        for k in range(3):
            lanes[k, lane] = fields.state[row, k]
        for k in range(4):
            lanes[3 + k, lane] = plan.law[row // members, k]
        _gather(plan, fields, members, row, plan.first.size, inflow, lateral, lane)
    lanes[7] = -1.0
    for at in range(steps):
        for lane in range(LANES):
            lanes[8, lane] = inflow[lane, at]
            lanes[9, lane] = lateral[lane, at]
        _channel_lanes(lanes, float(at))
        for lane in range(LANES):
            inflow[lane, at] = lanes[OUT, lane]
    for row in range(begin, end):
        for at in range(steps):
            fields.flow[row, at] = inflow[row - begin, at]
        fields.bad[row] = int(lanes[7, row - begin])
        if fields.bad[row] >= 0:
            fields.miss[row] = _missed(plan, fields, members, row)
        for k in range(3):
            fields.state[row, k] = lanes[k, row - begin]


@compiled_within
def _channel_lanes(lanes: Floats, at: float) -> None:
    """One step of sixteen channels; rows: inflow, outflow, water held, law (4), step failed, inflow now, lateral."""
    for lane in range(LANES):
        before, out, storage = lanes[0, lane], lanes[1, lane], lanes[2, lane]
        now, lateral = lanes[8, lane], lanes[9, lane]
        after, kept = muskingum_cunge_step(
            before, out, storage, now, lateral, lanes[3, lane], lanes[4, lane], lanes[5, lane], lanes[6, lane]
        )
        miss = kept - storage - (before + now - out - after + 2.0 * lateral)
        right = abs(miss) <= TOLERANCE * (kept + before + now + 1.0) and after > -TOLERANCE * (now + 1.0)
        lanes[7, lane] = at if lanes[7, lane] < 0.0 and not right else lanes[7, lane]
        lanes[0, lane], lanes[1, lane], lanes[2, lane] = now, after, kept


@compiled_ieee
def _missed(plan: Plan, fields: Fields, members: int, row: int) -> float:
    """By how much the balance of a channel's row misses in its step that failed [m3], the state being that before."""
    both = np.empty((2, 1, fields.flow.shape[1]))
    _gather(plan, fields, members, row, plan.first.size, both[0], both[1], 0)
    inflow, lateral = both[0, 0], both[1, 0]
    before, out, storage = fields.state[row]
    kc, p, kd, r = plan.law[row // members]
    for at in range(fields.bad[row]):
        after, storage = muskingum_cunge_step(before, out, storage, inflow[at], lateral[at], kc, p, kd, r)
        before, out = inflow[at], after
    at = fields.bad[row]
    after, kept = muskingum_cunge_step(before, out, storage, inflow[at], lateral[at], kc, p, kd, r)
    if after < 0.0:
        return float(plan.dt * after)
    return float(0.5 * plan.dt * (kept - storage - before - inflow[at] + out + after - 2.0 * lateral[at]))


@compiled_ieee
def _pool(plan: Plan, fields: Fields, members: int, row: int) -> None:
    """All steps of a pool: by its curve, or letting go what it is told to."""
    steps, place = fields.flow.shape[1], row // members
    number = plan.own[place]
    begin, end = plan.curve_first[number], plan.curve_first[number + 1]
    storages, outflows = plan.storages[begin:end], plan.outflows[begin:end]
    both = np.empty((2, 1, steps))
    _gather(plan, fields, members, row, plan.first.size, both[0], both[1], 0)
    inflow, lateral = both[0, 0], both[1, 0]
    before, out, storage = fields.state[row]
    fields.bad[row] = -1
    for at in range(steps):
        now, release = inflow[at], fields.release[number, at]
        if np.isnan(release):
            after, kept = level_pool_step(before, out, storage, now, lateral[at], plan.dt, storages, outflows)
        else:
            after, kept = released_step(before, out, storage, now, lateral[at], plan.dt, release)
        miss = kept - storage - plan.dt * (0.5 * (before + now - out - after) + lateral[at])
        tolerance = TOLERANCE * (abs(kept) + plan.dt * (now + after + 1.0))
        if fields.bad[row] < 0 and not (abs(miss) <= tolerance and kept >= -tolerance):
            fields.bad[row] = at
            fields.miss[row] = miss + min(kept, 0.0)
        before, out, storage = now, after, kept
        fields.flow[row, at] = after
    fields.state[row, 0], fields.state[row, 1], fields.state[row, 2] = before, out, storage


@compiled_ieee
def _coupled(plan: Plan, fields: Fields, members: int, begin: int, end: int, member: int) -> None:
    """All steps of one element of coupled cells for one member."""
    steps, count = fields.flow.shape[1], end - begin
    inflow, lateral, now = np.empty((count, steps)), np.empty((count, steps)), np.empty(count)
    z, held, enters, flow = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    before = np.empty(count)
    for k in range(count):
        row = (begin + k) * members + member
        _gather(plan, fields, members, row, begin, inflow, lateral, k)
        before[k], held[k] = fields.state[row, BEFORE], fields.state[row, HELD]
        z[k] = level(held[k], plan.cell[begin + k])
        flow[k] = fields.state[row, OUT]
        fields.bad[row] = -1
    down, cell, link, rating = plan.down[begin:end], plan.cell[begin:end], plan.link[begin:end], plan.rating[end - 1]
    for at in range(steps):
        for k in range(count):
            now[k] = inflow[k, at]
            enters[k] = 0.5 * (before[k] + now[k]) + lateral[k, at]
            before[k] = now[k]
        miss, worst = diffusive_step(z, held, enters, flow[count - 1], down, cell, link, rating, plan.dt, flow)
        lowest = int(np.argmin(held))
        row = (begin + worst) * members + member
        if not miss <= TOLERANCE * (abs(held[worst]) + plan.dt) and fields.bad[row] < 0:
            fields.bad[row], fields.miss[row] = at, miss
        row = (begin + lowest) * members + member
        if not held[lowest] >= -TOLERANCE * plan.dt and fields.bad[row] < 0:
            fields.bad[row], fields.miss[row] = at, held[lowest]
        for k in range(count):
            fields.flow[(begin + k) * members + member, at] = flow[k]
            z[k] = level(held[k], cell[k])
    for k in range(count):
        row = (begin + k) * members + member
        fields.state[row, BEFORE], fields.state[row, OUT], fields.state[row, HELD] = before[k], flow[k], held[k]


@compiled_ieee
def steady_channels(plan: Plan, lateral: Floats, state: Floats) -> None:
    """Inflow, outflow and water held under lateral inflow that lasts: (n, members) [m3/s] to (n, members, 3)."""
    for place in range(len(state)):
        kc, p, kd, r = plan.law[place]
        for member in range(state.shape[1]):
            inflow = 0.0
            for link in range(plan.first[place], plan.first[place + 1]):
                inflow += plan.share[link] * state[plan.source[link], member, OUT]
            outflow = inflow + lateral[place, member]
            c, d = courant_and_diffusion(inflow, outflow, kc, p, kd, r)
            state[place, member, BEFORE], state[place, member, OUT] = inflow, outflow
            state[place, member, HELD] = storage_of(inflow, outflow, c, d)


@compiled_ieee
def water(plan: Plan, kind: Places, state: Floats, members: int) -> float:
    """Water within the whole network [m3]; kind: (n,) in the order of the plan."""
    total = 0.0
    for row in range(len(state)):
        total += state[row, HELD] * (0.5 * plan.dt if kind[row // members] == CHANNEL else 1.0)
    return total


@compiled_ieee
def levels(plan: Plan, state: Floats, members: int, places: Places) -> Floats:
    """Levels [m] of coupled cells at some places: (places, members)."""
    out = np.empty((len(places), members))
    for k in range(len(places)):
        for member in range(members):
            out[k, member] = level(state[places[k] * members + member, HELD], plan.cell[places[k]])
    return out


@compiled_ieee
def held_at(plan: Plan, places: Places, z: Floats) -> Floats:
    """Water [m3] of coupled cells at some places at levels [m], both (places,)."""
    out = np.empty(len(places))
    for k in range(len(places)):
        out[k] = volume(z[k], plan.cell[places[k]])
    return out
