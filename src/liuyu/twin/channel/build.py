"""A network as the arrays it is marched on. The half stretches that meet at a node are one cell with one level."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.physics.channel.fields import (
    CHANNEL,
    GATE,
    HOLD,
    INSIDE,
    LEVEL,
    MANY,
    NONE,
    RELEASE,
    WEIR,
    Cells,
    Faces,
    Net,
    Outlets,
    Tables,
)  # fmt: skip
from liuyu.physics.channel.order import eliminate
from liuyu.physics.channel.sections import critical_rating, normal_rating, shape_of, storage, tabulate
from liuyu.twin.channel.network import Boundary, Network, Reach, Section, check_network

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Table = tuple[Floats, Floats, Floats, Floats]
_KINDS = {"release": RELEASE, "hold": HOLD, "weir": WEIR, "gate": GATE}


class Built(msgspec.Struct, frozen=True):
    """A net and where its parts are: cells and chainages [m] by reach, faces by reach and structure, cells by node."""

    net: Net
    cells: dict[str, Integers]
    chainage: dict[str, Floats]
    faces: dict[str, Integers]
    nodes: dict[str, int]
    names: tuple[str, ...]


class _Parts:
    """Lists that grow while a network is read."""

    def __init__(self) -> None:
        self.tables: list[Table] = []
        self.of_cell: list[list[tuple[int, float]]] = []
        self.names: list[str] = []
        self.faces: list[tuple[int, int, int, int, int, float, float, float, float]] = []

    def cell(self, name: str) -> int:
        self.of_cell.append([])
        self.names.append(name)
        return len(self.of_cell) - 1

    def table(self, table: Table) -> int:
        self.tables.append(table)
        return len(self.tables) - 1


def tabulated(section: Section) -> Table:
    """The table of a section."""
    manning = np.broadcast_to(np.asarray(section.manning, float), section.level.shape)
    level, width, area, conveyance = tabulate(section.station, section.level, manning)
    if section.deepening != 0.0:
        depth = np.clip(level - level[0], 1.0, 40.0)
        conveyance = conveyance * (depth / 10.0) ** section.deepening
    return level, width, area, conveyance


def build(network: Network) -> Built:
    """The arrays of a network. Raises BadInput, listing every fault."""
    check_network(network)
    parts = _Parts()
    nodes = {node: parts.cell(f"node {node}") for node in network.nodes}
    cells, chainage, faces = {}, {}, {}
    lakes = {each.node for each in network.lakes}
    for reach in network.reaches:
        cells[reach.name], faces[reach.name] = _add_reach(parts, reach, nodes, lakes)
        chainage[reach.name] = np.array([each.chainage for each in reach.sections])
    for lake in network.lakes:
        parts.of_cell[nodes[lake.node]].append((parts.table(storage(lake.level, lake.surface)), 1.0))
    for each in network.structures:
        parts.faces.append(
            (_KINDS[each.kind], nodes[each.start], nodes[each.end], 0, 0, 1.0, each.crest, each.width, each.coefficient)
        )
        faces[each.name] = np.array([len(parts.faces) - 1])
    held = [nodes[each.node] for each in network.boundaries if each.kind == "level"]
    net = _net(parts, held, [nodes[each] for each in lakes], _outlets(network, parts, nodes))
    return Built(net, cells, chainage, faces, nodes, tuple(parts.names))


def _add_reach(parts: _Parts, reach: Reach, nodes: dict[str, int], lakes: set[str]) -> tuple[Integers, Integers]:
    """Cells and faces of a reach. A lake takes no half stretch: its face lies at the first section."""
    sections, start, end, name = reach.sections, reach.start, reach.end, reach.name
    x = np.array([each.chainage for each in sections])
    length = np.diff(x, prepend=x[0], append=x[-1])
    length = 0.5 * (length[1:] + length[:-1])
    tables = [parts.table(tabulated(each)) for each in sections]
    inner = [parts.cell(f"reach {name} at {each.chainage:g} m") for each in sections[1:-1]]
    cells = np.array([nodes[start], *inner, nodes[end]], np.int64)
    for cell, table, each in zip(cells.tolist(), tables, length.tolist(), strict=True):
        parts.of_cell[cell].append((table, each))
    first = len(parts.faces)
    for k in range(len(cells) - 1):
        left = tables[k] if k or start not in lakes else tables[k + 1]
        right = tables[k + 1] if k + 2 < len(cells) or end not in lakes else tables[k]
        parts.faces.append((CHANNEL, int(cells[k]), int(cells[k + 1]), left, right, x[k + 1] - x[k], 0.0, 0.0, 0.0))
    return cells, np.arange(first, len(parts.faces))


def _outlets(network: Network, parts: _Parts, nodes: dict[str, int]) -> Outlets:
    ratings = []
    for each in network.boundaries:
        if each.kind in ("rating", "normal", "critical"):
            cell = nodes[each.node]
            ratings.append((cell, *_rating(each, parts.tables[parts.of_cell[cell][0][0]])))
    first = np.concatenate([[0], np.cumsum([len(each[1]) for each in ratings])]).astype(np.int64)
    join = [np.concatenate([np.zeros(0), *(each[k] for each in ratings)]) for k in (1, 2)]
    return Outlets(np.array([each[0] for each in ratings], np.int64), first, join[0], join[1])


def _rating(end: Boundary, table: Table) -> tuple[Floats, Floats]:
    if end.kind == "normal":
        return normal_rating(table, end.slope)
    if end.kind == "critical":
        return critical_rating(table)
    assert end.rating is not None
    return np.asarray(end.rating[0], float), np.asarray(end.rating[1], float)


def _net(parts: _Parts, held: list[int], still: list[int], outlets: Outlets) -> Net:
    count = len(parts.of_cell)
    tables = Tables(
        np.concatenate([[0], np.cumsum([len(each[0]) for each in parts.tables])]).astype(np.int64),
        np.concatenate([each[0] for each in parts.tables]),
        np.concatenate([each[1] for each in parts.tables]),
        np.concatenate([each[2] for each in parts.tables]),
        np.concatenate([shape_of(each[2], each[3]) for each in parts.tables]),
    )
    columns = [np.array(each) for each in zip(*parts.faces, strict=True)]
    kind, left, right, one, other = (np.ascontiguousarray(each, dtype=np.int64) for each in columns[:5])
    distance, crest, width, coefficient = (np.ascontiguousarray(each, dtype=float) for each in columns[5:])
    behind, behind_sign = _beside(kind, left, right, left, count)
    ahead, ahead_sign = _beside(kind, left, right, right, count)
    faces = Faces(
        kind, left, right, one, other, distance, np.ones(len(kind)), crest, width, coefficient, np.zeros(len(kind)),
        behind, behind_sign, ahead, ahead_sign,
    )  # fmt: skip
    return Net(tables, _cells(parts, tables, faces, held, still), faces, outlets, eliminate(count, left, right))


def _cells(parts: _Parts, tables: Tables, faces: Faces, held: list[int], still: list[int]) -> Cells:
    count = len(parts.of_cell)
    kinds, rest = np.full(count, INSIDE, np.int64), np.zeros(count, np.int64)
    kinds[held], rest[still] = LEVEL, 1
    flat = [part for each in parts.of_cell for part in each]
    touching = [np.flatnonzero((faces.left == cell) | (faces.right == cell)) for cell in range(count)]
    bed = [min(float(tables.level[tables.first[table]]) for table, _ in each) for each in parts.of_cell]
    return Cells(
        kinds,
        np.array(bed),
        rest,
        np.concatenate([[0], np.cumsum([len(each) for each in parts.of_cell])]).astype(np.int64),
        np.array([each[0] for each in flat], np.int64),
        np.array([each[1] for each in flat], float),
        np.concatenate([[0], np.cumsum([len(each) for each in touching])]).astype(np.int64),
        np.concatenate(touching).astype(np.int64),
    )


def _beside(kind: Integers, left: Integers, right: Integers, at: Integers, count: int) -> tuple[Integers, Floats]:
    """The only other channel face of the cell each face has at one end, NONE or MANY, and 1 if it runs the same way."""
    channels: list[list[int]] = [[] for _ in range(count)]
    for f in np.flatnonzero(kind == CHANNEL).tolist():
        channels[left[f]].append(f)
        channels[right[f]].append(f)
    found, sign = np.full(len(kind), NONE, np.int64), np.ones(len(kind))
    for f, cell in enumerate(at.tolist()):
        others = [each for each in channels[cell] if each != f]
        if len(others) > 1:
            found[f] = MANY
        elif others:
            other = others[0]
            same = right[other] == cell if left[f] == cell else left[other] == cell
            found[f], sign[f] = other, 1.0 if same else -1.0
    return found, sign
