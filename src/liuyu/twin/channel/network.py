"""What a network of channels is made of: sections, reaches, nodes, boundaries, structures, laterals."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, NotFound
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
Ends = Literal["level", "discharge", "rating", "normal", "critical"]
Kind = Literal["release", "hold", "weir", "gate"]


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A cross-section at a chainage [m]: ground `level` [m] at `station` [m] from the left, and `manning`
    [s/m^(1/3)] from each point to the next (one number holds for all). `synthetic` says that no survey stands behind
    it. `deepening` lets friction fall as water deepens: Manning is what is given at 10 m of depth, times
    (depth / 10 m)^-deepening (between 1 and 40 m)."""

    chainage: float
    station: Floats
    level: Floats
    manning: Floats | float
    synthetic: bool = False
    deepening: float = 0.0


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """A river from one node to another, with sections in order of chainage, the first and the last at the nodes."""

    name: str
    start: str
    end: str
    sections: tuple[Section, ...]


class Lake(msgspec.Struct, frozen=True, kw_only=True):
    """Storage at a node: `surface` [m²] by `level` [m], neither ever falling."""

    node: str
    level: Floats
    surface: Floats


class Boundary(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at a node that the network ends at.

    `level` [m] and `discharge` [m³/s, inwards] need a series; `rating` two arrays of level and discharge (outwards);
    `normal` the slope of the bed; `critical` nothing.
    """

    node: str
    kind: Ends
    series: Series | None = None
    rating: tuple[Floats, Floats] | None = None
    slope: float = 0.0


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """A dam, weir or gate between two nodes. `series` is a release [m³/s] or an opening [m]; crest and width in m.

    `coefficient` has no dimension: 0.385 for a broad crest, 0.6 for an opening. A dam that holds (`hold`) is a rule:
    its series is the level [m] of its upper side that it keeps to, it releases `coefficient` [m³/s per m] above that,
    no less than `crest` and no more than `width`, here both in m³/s.
    """

    name: str
    kind: Kind
    start: str
    end: str
    crest: float = 0.0
    width: float = 1.0
    coefficient: float = 0.385
    series: Series | None = None


class Lateral(msgspec.Struct, frozen=True, kw_only=True):
    """Water that enters [m³/s] at a chainage [m] of a reach, or at a node; negative takes it out."""

    name: str
    series: Series
    reach: str = ""
    chainage: float = 0.0
    node: str = ""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """A network of channels. Nodes are the names that its parts give."""

    reaches: tuple[Reach, ...]
    lakes: tuple[Lake, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    structures: tuple[Structure, ...] = ()
    laterals: tuple[Lateral, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node, in the order of the reaches, structures and lakes that name them."""
        named = [end for each in self.reaches for end in (each.start, each.end)]
        named += [end for each in self.structures for end in (each.start, each.end)]
        return tuple(dict.fromkeys([*named, *(each.node for each in self.lakes)]))


def check_network(network: Network) -> None:
    """Raise BadInput, listing all that is wrong, if a network could not be marched."""
    faults: list[str] = []
    nodes = set(network.nodes)
    wet = {end for each in network.reaches for end in (each.start, each.end)} | {each.node for each in network.lakes}
    for reach in network.reaches:
        _check_reach(reach, faults)
    for lake in network.lakes:
        if len(lake.level) < 2 or (np.diff(lake.level) <= 0).any() or (np.diff(lake.surface) < 0).any():
            faults.append(f"lake at {lake.node}: levels must rise and surfaces never fall; give two knots or more")
    for dam in network.structures:
        faults += [f"structure {dam.name}: node {end} has no reach and no lake" for end in (dam.start, dam.end)
                   if end not in wet]  # fmt: skip
        if dam.kind != "weir" and dam.series is None:
            faults.append(f"structure {dam.name}: a {dam.kind} needs a series")
    for end in network.boundaries:
        _check_boundary(end, nodes, faults)
    names = {each.name for each in network.reaches}
    for lateral in network.laterals:
        if (lateral.reach or lateral.node) not in (names if lateral.reach else nodes):
            faults.append(f"lateral {lateral.name}: there is no {lateral.reach or lateral.node!r}")
    if not network.reaches:
        faults.append("there is no reach")
    if faults:
        raise BadInput("the network cannot be marched:\n" + "\n".join(faults))


def _check_reach(reach: Reach, faults: list[str]) -> None:
    chainages = np.array([each.chainage for each in reach.sections])
    if len(chainages) < 2 or (np.diff(chainages) <= 0).any():
        faults.append(f"reach {reach.name}: needs two sections or more, their chainages rising")
    if reach.start == reach.end:
        faults.append(f"reach {reach.name}: begins and ends at {reach.start}")
    for each in reach.sections:
        where = f"reach {reach.name}, section at {each.chainage:g} m"
        same = len(each.station) == len(each.level) >= 2
        if not same or not (np.isfinite(each.station).all() and np.isfinite(each.level).all()):
            faults.append(f"{where}: give as many levels as stations, two or more, all numbers")
        elif (np.diff(each.station) < 0).any() or each.level.max() <= each.level.min():
            faults.append(f"{where}: stations must not fall, and the ground must not be flat: add its banks")
        if not (np.asarray(each.manning) > 0.0).all():
            faults.append(f"{where}: manning must be above 0")


def _check_boundary(end: Boundary, nodes: set[str], faults: list[str]) -> None:
    if end.node not in nodes:
        faults.append(f"boundary: there is no node {end.node!r}; nodes are {', '.join(sorted(nodes))}")
    if end.kind in ("level", "discharge") and end.series is None:
        faults.append(f"boundary at {end.node}: {end.kind} needs a series")
    if end.kind == "rating" and end.rating is None:
        faults.append(f"boundary at {end.node}: rating needs levels and discharges")
    if end.kind == "normal" and not end.slope > 0.0:
        faults.append(f"boundary at {end.node}: slope={end.slope!r} must be above 0")


def part(network: Network, reaches: tuple[str, ...]) -> Network:
    """The part of a network that some of its reaches make up. Raises NotFound for a reach that it does not have.

    What a structure releases into the part flows in there; whatever else joined it to the rest is cut off.
    """
    known = {each.name for each in network.reaches}
    if unknown := [each for each in reaches if each not in known]:
        raise NotFound(f"there is no reach {unknown[0]!r}; there are {', '.join(sorted(known))}")
    kept = tuple(each for each in network.reaches if each.name in reaches)
    nodes = {end for each in kept for end in (each.start, each.end)}
    enters = tuple(
        Boundary(node=each.end, kind="discharge", series=each.series)
        for each in network.structures
        if each.kind == "release" and each.end in nodes and each.start not in nodes
    )
    return Network(
        reaches=kept,
        lakes=tuple(each for each in network.lakes if each.node in nodes),
        boundaries=(*enters, *(each for each in network.boundaries if each.node in nodes)),
        structures=tuple(each for each in network.structures if {each.start, each.end} <= nodes),
        laterals=tuple(each for each in network.laterals if each.reach in reaches or each.node in nodes),
    )
