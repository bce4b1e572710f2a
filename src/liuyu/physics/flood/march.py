"""The march through time: every thread runs `march`, the first one also does what lies between steps.

A step: fill the ghosts, choose the step's length, march the pieces of work, swap the two states, put in the sources.
Pieces of work are handed out as threads come for them; none depends on another, and what is summed is summed in their
order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner, loop
from liuyu.physics.flood.fields import (
    CELL,
    CFL,
    DRY,
    END,
    FAILED,
    HLLC,
    IN,
    INERTIAL,
    LIMIT,
    LONGEST,
    MUSCL,
    NOW,
    OUT,
    RAINED,
    RETRY,
    SOAKED,
    SPEED,
    STEP,
    STEPS,
    THROUGH,
    TIME,
    TOO_LONG,
    TRIES,
    UPDATES,
    Cells,
    Floats,
    Integers,
    integral,
)  # fmt: skip
from liuyu.physics.flood.ghosts import fill_ghosts
from liuyu.physics.flood.godunov import step_godunov
from liuyu.physics.flood.inertial import step_inertial
from liuyu.physics.flood.laws import GRAVITY
from liuyu.physics.flood.muscl import step_muscl
from liuyu.physics.flood.peaks import INTERVAL as PEAK_INTERVAL
from liuyu.physics.flood.peaks import Peaks, note_peaks
from liuyu.physics.flood.sources import Links, Sources, Tables, feed_sides, lead, pour
from liuyu.physics.flood.threads import NEXT, meet, take
from liuyu.physics.flood.tiles import INTERVAL as TILE_INTERVAL
from liuyu.physics.flood.tiles import Tiles, choose_tiles, mark_wet

_NOT_FINITE = 0x7F800000  # bits of infinity in single precision; NaN is greater
_MOST_TRIES = 8


class Fields(NamedTuple):
    """State (2, rows, columns), bed, g n², patterns of rain and of infiltration [m/s] by cell or as a single row."""

    depth: Cells
    qx: Cells
    qy: Cells
    bed: Cells
    drag: Cells
    rain: Cells
    soak: Cells


class Sides(NamedTuple):
    """Kind and table of each side: west, east, south, north."""

    kinds: Integers
    tables: Integers


class Notes(NamedTuple):
    """What a march notes: the clock, counts, volumes, and by piece of work its fastest speed, sums through the sides,
    and water soaked away [m]."""

    clock: Floats
    counts: Integers
    volumes: Floats
    fastest: NDArray[np.int32]
    through: Floats
    soaked: Floats


@inner
def choose_step(scheme: int, fields: Fields, sources: Sources, tables: Tables, notes: Notes, ghosts: float) -> float:
    """Length of the next step [s] from the greatest speed, ghosts and inflows included."""
    clock, now = notes.clock, notes.counts[NOW]
    speed = max(clock[SPEED], 0.0 if scheme == INERTIAL else ghosts)
    dt = clock[RETRY] if notes.counts[TRIES] > 0 else clock[LONGEST]
    if speed > 0.0:
        dt = min(dt, clock[CFL] * clock[CELL] / speed)
    area = clock[CELL] * clock[CELL]
    for k in range(len(sources.tables)):
        table = sources.tables[k]
        first, last = tables.starts[table], tables.starts[table + 1]
        volume = integral(tables.times, tables.values, first, last, clock[TIME], clock[TIME] + dt) * sources.shares[k]
        if volume > 0.0:
            depth = fields.depth[now, sources.cells[k, 0], sources.cells[k, 1]] + volume / area
            wave = math.sqrt(GRAVITY * depth) * (1.0 if scheme == INERTIAL else 2.0)
            dt = min(dt, clock[CFL] * clock[CELL] / wave)
    left = clock[END] - clock[TIME]
    return float(left if dt >= left else (0.5 * left if dt > 0.5 * left else dt))


@inner
def soak_away(h: Cells, soak: Cells, box: Integers, dt: float) -> float:
    """Let water infiltrate at its rate as far as there is any; returns the sum of depths lost [m]."""
    total, by_row = 0.0, soak.shape[0] > 1
    for i in range(box[0], box[1]):
        for j in range(box[2], box[3]):
            lost = min(h[i, j], h.dtype.type(dt) * soak[i if by_row else 0, j])
            after = h[i, j] - lost
            total += h[i, j] - after
            h[i, j] = after
    return total


@inner
def work(
    scheme: int,
    piece: int,
    fields: Fields,
    tiles: Tiles,
    peaks: Peaks,
    notes: Notes,
    water: float,
    look: bool,
    peak: bool,
) -> None:
    """One piece of work of one step."""
    clock, now = notes.clock, notes.counts[NOW]
    then, real, box = 1 - now, fields.bed.dtype.type, tiles.runs[piece]
    h, qx, qy = fields.depth[now], fields.qx[now], fields.qy[now]
    new_h, new_qx, new_qy = fields.depth[then], fields.qx[then], fields.qy[then]
    dt, ratio, dry = real(clock[STEP]), real(clock[STEP] / clock[CELL]), real(clock[DRY])
    through = notes.through[piece]
    through[:] = 0.0
    if peak:
        note_peaks(peaks, box, h, qx, qy, 1 if scheme == INERTIAL else 0, real(clock[TIME]))
    arguments = (box, h, qx, qy, new_h, new_qx, new_qy, fields.bed, fields.drag, fields.rain)
    if scheme == HLLC:
        top = step_godunov(*arguments, ratio, dt, real(water), dry, through)
    elif scheme == MUSCL:
        top = step_muscl(*arguments, ratio, dt, real(water), dry, through)
    else:
        share = real(0.5 if notes.counts[TRIES] == 0 else 0.25)
        top = step_inertial(*arguments, ratio, dt, real(water), share, through)
    notes.fastest[piece] = top
    if fields.soak.shape[1] > 1:
        notes.soaked[piece] = soak_away(new_h, fields.soak, box, clock[STEP])
    if look:
        mark_wet(tiles, box, new_h, clock[DRY])


@inner
def account(notes: Notes, count: int) -> bool:
    """Whether the step stands. If so, add up what passed the sides and soaked away, in the order of the pieces; if a
    cell gave more than it held, ask for half the step instead."""
    clock, counts, volumes = notes.clock, notes.counts, notes.volumes
    width = clock[STEP] * clock[CELL]
    top = np.int32(0)
    for piece in range(count):
        top = max(top, notes.fastest[piece])
    speed = np.float64(np.int32(top).view(np.float32))
    if top >= _NOT_FINITE:
        counts[FAILED] = 1
    elif speed >= 0.5 * TOO_LONG and counts[TRIES] < _MOST_TRIES:
        counts[TRIES] += 1
        clock[RETRY] = 0.5 * clock[STEP]
        return False
    clock[SPEED] = speed if speed < 0.5 * TOO_LONG else clock[SPEED]
    counts[TRIES] = 0
    for side in range(4):
        passed = 0.0
        for piece in range(count):
            passed += notes.through[piece, side]
        volumes[IN if passed > 0.0 else OUT] += abs(passed) * width
        volumes[THROUGH + side] += passed * width
    for piece in range(count):
        volumes[SOAKED] += notes.soaked[piece] * clock[CELL] * clock[CELL]
    return True


@loop
def march(
    thread: int,
    threads: int,
    shared: Integers,
    scheme: int,
    datum: float,
    rain_table: int,
    rain_sum: float,
    fields: Fields,
    sides: Sides,
    sources: Sources,
    links: Links,
    tables: Tables,
    tiles: Tiles,
    peaks: Peaks,
    notes: Notes,
    pieces: Integers,
) -> None:
    """March to `clock[END]`, or for `counts[LIMIT]` steps, or until a number is no longer finite.

    `pieces` (4) is shared among the threads: the number of pieces of work, whether to look for wet tiles and for peaks,
    and whether to stop. `rain_sum` is the sum of the pattern of rain over the cells [m/s].
    """
    clock, counts, volumes = notes.clock, notes.counts, notes.volumes
    area = clock[CELL] * clock[CELL]
    water = np.zeros(1)
    done = 0
    while True:
        if thread == 0:
            now, t = counts[NOW], clock[TIME]
            h, qx, qy = fields.depth[now], fields.qx[now], fields.qy[now]
            ghosts = fill_ghosts(
                h,
                qx,
                qy,
                fields.bed,
                sides.kinds,
                sides.tables,
                tables.times,
                tables.values,
                tables.starts,
                scheme == INERTIAL,
                datum,
                t,
                clock[DRY],
            )
            pieces[3] = t >= clock[END] or done >= counts[LIMIT] or counts[FAILED] != 0
            clock[STEP] = choose_step(scheme, fields, sources, tables, notes, ghosts)
            pieces[1] = counts[STEPS] % TILE_INTERVAL == 0
            pieces[2] = counts[STEPS] % PEAK_INTERVAL == 0
            shared[NEXT] = 0
        meet(shared, threads)
        if pieces[3]:
            return
        t, dt = clock[TIME], clock[STEP]
        water[0] = 0.0
        if rain_table >= 0:
            water[0] = integral(
                tables.times, tables.values, tables.starts[rain_table], tables.starts[rain_table + 1], t, t + dt
            )
        piece = take(shared)
        while piece < pieces[0]:
            work(scheme, piece, fields, tiles, peaks, notes, water[0], pieces[1] != 0, pieces[2] != 0)
            piece = take(shared)
        meet(shared, threads)
        if thread == 0 and account(notes, pieces[0]):
            counts[NOW] = now = 1 - counts[NOW]
            h, qx, qy = fields.depth[now], fields.qx[now], fields.qy[now]
            volumes[RAINED] += water[0] * rain_sum * area
            feed_sides(
                h, qx, qy, fields.bed, sides.kinds, sides.tables, tables, scheme == INERTIAL, t, dt, clock[CELL],
                clock[DRY], volumes,
            )  # fmt: skip
            pour(h, qx, qy, sources, tables, t, dt, area, volumes)
            lead(h, fields.bed, links, t, dt, area, datum)
            for piece in range(pieces[0]):
                box = tiles.runs[piece]
                counts[UPDATES] += (box[1] - box[0]) * (box[3] - box[2])
            if pieces[1]:
                pieces[0] = choose_tiles(tiles, fields.depth, fields.qx, fields.qy, now)
            clock[TIME] = clock[END] if dt >= clock[END] - t else t + dt
            counts[STEPS] += 1
            done += 1
