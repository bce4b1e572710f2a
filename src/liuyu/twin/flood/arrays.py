"""From a flood to the arrays that the march works on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.fields import BLOCKED, DISCHARGE, GHOSTS, HLLC, INERTIAL, MUSCL, OPEN, STAGE, TILE, WALL
from liuyu.physics.flood.ghosts import fill_bed
from liuyu.physics.flood.laws import GRAVITY
from liuyu.physics.flood.march import Fields, Sides
from liuyu.physics.flood.peaks import Peaks
from liuyu.physics.flood.sources import Links, Sources, Tables
from liuyu.physics.flood.structures import CULVERT, GATE, PUMP, WEIR
from liuyu.physics.flood.tiles import Tiles
from liuyu.twin.flood.problem import NEVER, Flood, Series

Cells = NDArray[Any]
INSIDE = (slice(GHOSTS, -GHOSTS), slice(GHOSTS, -GHOSTS))
KINDS = {"wall": WALL, "open": OPEN, "stage": STAGE, "discharge": DISCHARGE}
LINKS = {"weir": WEIR, "gate": GATE, "culvert": CULVERT, "pump": PUMP}
COEFFICIENTS = {"weir": 1.705, "gate": 0.6, "culvert": 0.6, "pump": 0.0}
SIDES = ("west", "east", "south", "north")


def scheme_of(flood: Flood) -> int:
    """The number by which the march knows the scheme."""
    if flood.scheme.name == "inertial":
        return INERTIAL
    return MUSCL if flood.scheme.order == 2 else HLLC


def framed(values: Any, shape: tuple[int, int], real: type) -> Cells:
    """An array with its frame of ghosts, zero there."""
    out: Cells = np.zeros((shape[0] + 2 * GHOSTS, shape[1] + 2 * GHOSTS), real)
    out[INSIDE] = values
    return out


def pattern_of(values: Any, inside: NDArray[np.bool_], real: type) -> Cells:
    """A single row where one number does for all cells, else an array with its frame."""
    array = np.asarray(values, float)
    if array.ndim == 0 and (inside.all() or array == 0.0):
        return np.full((1, inside.shape[1] + 2 * GHOSTS), array, real)
    return framed(np.where(inside, array, 0.0), (inside.shape[0], inside.shape[1]), real)


def make_fields(flood: Flood, datum: float, real: type) -> Fields:
    """The state at the start, and what the ground is like."""
    inside = np.isfinite(flood.terrain)
    shape = (inside.shape[0], inside.shape[1])
    bed = framed(np.where(inside, flood.terrain - datum, BLOCKED), shape, real)
    kinds = np.array([KINDS[getattr(flood, side).kind] for side in SIDES])
    fill_bed(bed, kinds, scheme_of(flood) == INERTIAL)
    still = np.where(inside, flood.depth, 0.0)
    state = []
    for values in (
        still,
        still * np.where(inside, flood.velocity_x, 0.0),
        still * np.where(inside, flood.velocity_y, 0.0),
    ):
        one = framed(values, shape, real)
        state.append(np.stack([one, one]))
    if scheme_of(flood) == INERTIAL:
        _to_faces(state[1], 2)
        _to_faces(state[2], 1)
    rain = flood.rain.pattern if flood.rain.pattern is not None else 1.0
    soaks = bool(np.any(np.asarray(flood.rain.infiltration) > 0.0))
    soak = pattern_of(flood.rain.infiltration, inside, real) if soaks else np.zeros((1, 1), real)
    drag = pattern_of(GRAVITY * np.square(np.where(np.isfinite(flood.manning), flood.manning, 0.0)), inside, real)
    if np.ndim(flood.manning) == 0:
        drag = np.full((1, shape[1] + 2 * GHOSTS), GRAVITY * float(np.asarray(flood.manning)) ** 2, real)
    h, qx, qy = state
    return Fields(h, qx, qy, bed, drag, pattern_of(rain if flood.rain.series else 0.0, inside, real), soak)


def _to_faces(q: Cells, axis: int) -> None:
    """Discharges at western or southern faces from those at cells; none through the sides."""
    half = 0.5 * (q + np.roll(q, 1, axis))
    ends = [slice(None)] * 3
    for at in (slice(None, GHOSTS + 1), slice(-GHOSTS, None)):
        ends[axis] = at
        half[tuple(ends)] = 0
    q[...] = half


class TableBook:
    """Collects series and hands out their numbers."""

    def __init__(self) -> None:
        self._series: list[Series] = [Series.constant(0.0)]

    def add(self, series: Series) -> int:
        """The number of a series."""
        self._series.append(series)
        return len(self._series) - 1

    def tables(self) -> Tables:
        """All of them, one after the other."""
        counts = [len(each.times) for each in self._series]
        return Tables(
            np.concatenate([np.asarray(each.times, float) for each in self._series]),
            np.concatenate([np.asarray(each.values, float) for each in self._series]),
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        )


def make_sides(flood: Flood, book: TableBook) -> Sides:
    """Kinds and tables of the four sides."""
    sides = [getattr(flood, side) for side in SIDES]
    tables = [book.add(each.series) if each.series is not None else 0 for each in sides]
    return Sides(np.array([KINDS[each.kind] for each in sides], np.int64), np.array(tables, np.int64))


def make_sources(flood: Flood, book: TableBook) -> Sources:
    """Cells that inflows feed; cells without terrain take none."""
    cells, shares, tables = [np.zeros((0, 2), np.int64)], [np.zeros(0)], [np.zeros(0, np.int64)]
    for each in flood.inflows:
        held = np.isfinite(flood.terrain[each.cells[:, 0], each.cells[:, 1]])
        share = np.ones(len(each.cells)) if each.shares is None else np.asarray(each.shares, float)
        share = share[held] / share[held].sum()
        cells.append(each.cells[held] + GHOSTS)
        shares.append(share)
        tables.append(np.full(len(share), book.add(each.series), np.int64))
    at = np.concatenate(shares)
    return Sources(np.concatenate(cells).astype(np.int64), at, np.concatenate(tables), np.zeros_like(at))


def make_links(flood: Flood) -> Links:
    """Structures as rows of numbers."""
    count = len(flood.structures)
    cells, kinds, numbers = np.zeros((count, 4), np.int64), np.zeros(count, np.int64), np.zeros((count, 8))
    for k, each in enumerate(flood.structures):
        cells[k] = np.array([*each.start, *each.end]) + GHOSTS
        kinds[k] = LINKS[each.kind]
        coefficient = COEFFICIENTS[each.kind] if each.coefficient is None else each.coefficient
        numbers[k] = (
            each.crest, each.width, each.height, coefficient, each.opens_s, each.opens_over_s, each.opens_level, NEVER,
        )  # fmt: skip
    return Links(cells, kinds, numbers)


def make_tiles(flood: Flood, sources: Sources, links: Links) -> Tiles:
    """All tiles to be looked at first; always marched are those where water may come from outside."""
    rows, columns = flood.terrain.shape
    down, across = -(-rows // TILE), -(-columns // TILE)
    always = np.full((down, across), flood.rain.series is not None, np.uint8)
    for k, side in enumerate(SIDES):
        if getattr(flood, side).kind in ("stage", "discharge"):
            always[(slice(None), -(k % 2)) if k < 2 else (-(k % 2), slice(None))] = 1
    for cells in (sources.cells, links.cells[:, :2], links.cells[:, 2:]):
        tile = (cells - GHOSTS) // TILE
        for row, column in tile:
            always[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = 1
    ones = np.ones((down, across), np.uint8)
    return Tiles(ones, always, ones.copy(), np.zeros((down * across, 4), np.int64))


def make_peaks(shape: tuple[int, ...], real: type) -> Peaks:
    """Nothing seen yet."""
    depth: Cells = np.zeros(shape, real)
    return Peaks(depth, depth.copy(), depth.copy(), np.full(shape, np.inf, real))
