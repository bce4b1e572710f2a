"""The arrays that a network is marched on. Cells hold water, faces carry it from their left cell to their right one.

A cell is a stretch of river around a section, a confluence (the half stretches that meet there) or a lake. Its volume
is a sum over parts: a table's area [m²] times a length [m]; a lake's part is the integral of its surface times 1.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

CHANNEL, RELEASE, WEIR, GATE, HOLD = 0, 1, 2, 3, 4
NONE, MANY = -1, -2
INSIDE, LEVEL = 0, 1  # kinds of cells: solved for, or held at a level from outside


class Tables(NamedTuple):
    """Tables by level, one after another; `first` (tables + 1,) says where each begins. Levels [m] never fall within a
    table; width [m], area [m²], and `shape`, the conveyance over area^(5/3), which bends less than the conveyance."""

    first: Integers
    level: Floats
    width: Floats
    area: Floats
    shape: Floats


class Cells(NamedTuple):
    """`kind` (cells,); `bed` is the lowest level [m]; `still` is 1 where water leaves from rest (a lake); parts by
    cell: table and length [m]; faces by cell."""

    kind: Integers
    bed: Floats
    still: Integers
    part_first: Integers
    part_table: Integers
    part_length: Floats
    face_first: Integers
    face_of: Integers


class Faces(NamedTuple):
    """One row per face. `distance` [m] between the cells; `roughness` divides the conveyance; crest [m], width [m],
    coefficient and `height` (opening [m], discharge [m³/s] of a release, or level [m] that is held) are those of
    structures.

    `behind` is the other channel face of the left cell, NONE or MANY, and `behind_sign` whether it runs the same way;
    `ahead` is that of the right cell.
    """

    kind: Integers
    left: Integers
    right: Integers
    table_left: Integers
    table_right: Integers
    distance: Floats
    roughness: Floats
    crest: Floats
    width: Floats
    coefficient: Floats
    height: Floats
    behind: Integers
    behind_sign: Floats
    ahead: Integers
    ahead_sign: Floats


class Outlets(NamedTuple):
    """Cells that drain out of the network by a rating: tables of level [m] against discharge [m³/s]."""

    cell: Integers
    first: Integers
    level: Floats
    discharge: Floats


class Order(NamedTuple):
    """How the matrix is eliminated: see `order`. An edge joins a cell to one that is eliminated later."""

    cells: Integers
    first: Integers
    later: Integers
    face_edge: Integers
    face_flip: Integers
    fill_first: Integers
    fill_from: Integers
    fill_to: Integers
    fill_edge: Integers
    fill_flip: Integers


class Net(NamedTuple):
    """A network ready to march."""

    tables: Tables
    cells: Cells
    faces: Faces
    outlets: Outlets
    order: Order


class Work(NamedTuple):
    """What is computed anew in each step. Hints are where the last look-up ended; they never change a result.

    By face: area upstream and mean area [m²], discharge [m³/s], drag (1 + step times friction), friction g (A/K)²
    [1/m], answer of the speed to the upstream level [1/s], weights of both sides in advection [1/s], force [m/s²],
    change of speed [m/s], predicted discharge [m³/s] and how it gives and takes with the levels [m²/s], hold
    g step theta / (dx drag) [1/s]. By cell: level at the start [m], volume, surface, residual and correction; by edge:
    the matrix.
    """

    hint_part: Integers
    hint_left: Integers
    hint_right: Integers
    area: Floats
    mean_area: Floats
    flow: Floats
    drag: Floats
    friction: Floats
    answer: Floats
    weight_left: Floats
    weight_right: Floats
    force: Floats
    change: Floats
    predicted: Floats
    give: Floats
    take: Floats
    hold: Floats
    mean_flow: Floats
    start_level: Floats
    volume: Floats
    surface: Floats
    correction: Floats
    diagonal: Floats
    lower: Floats
    upper: Floats
    outlet_flow: Floats
    outlet_rate: Floats


def make_work(net: Net) -> Work:
    """Arrays of the right sizes, zero."""
    cells, faces, edges = len(net.cells.kind), len(net.faces.kind), len(net.order.later)
    outlets = len(net.outlets.cell)
    parts, left, right = (np.zeros(size, np.int64) for size in (len(net.cells.part_table), faces, faces))
    sizes = [faces] * 15 + [cells] * 5 + [edges] * 2 + [outlets] * 2
    return Work(parts, left, right, *(np.zeros(size) for size in sizes))
