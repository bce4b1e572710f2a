"""The loop: water through the whole network hour by hour, state in, state out, each law from `physics`.

Two passes share the reaches' state. `warm` drives them with what the gauges saw and says what the routing left
unexplained; `run` drives them with an assumed future. Stopping a run and going on from its state gives the same numbers
as not stopping.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadPackage, Fault
from liuyu.physics.compiled import compiled
from liuyu.physics.pool import interpolate, lake_step
from liuyu.physics.rating import discharge_of, stage_of
from liuyu.physics.routing import cascade_storage, muskingum_step, sub_reaches
from liuyu.twin.model import Model

BOUNDARY, CHANNEL, RESERVOIR, LAKE = range(4)
_KINDS = {"boundary": BOUNDARY, "channel": CHANNEL, "reservoir": RESERVOIR, "lake": LAKE}
_SMALLEST_LAKE = 0.15
_STEP = 3600.0
Floats = NDArray[np.float64]
Places = NDArray[np.int64]
Curve = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Network:
    """The nodes and reaches as arrays, nodes in downstream order.

    kind, backwater: (nodes,); law: (nodes, 5) as in `physics.rating`; lake: (nodes, 3) area [m2] and the levels [m]
    between which it grows to that; curve: (nodes, points, 2) level [m] and storage [m3] of reservoirs; first:
    (nodes + 1,) place of each node's first reach; source, count: (reaches,); reach: (reaches, 4) share [1], travel time
    [h], weight x [1], and 1 where it ends in the lake and not in the river.
    """

    codes: tuple[str, ...]
    kind: NDArray[np.int64]
    law: Floats
    backwater: NDArray[np.int64]
    lake: Floats
    curve: Floats
    first: NDArray[np.int64]
    source: NDArray[np.int64]
    reach: Floats
    count: NDArray[np.int64]

    @property
    def arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, NDArray[np.int64]]:
        """What the routing kernels take: first, source, reach, count."""
        return self.first, self.source, self.reach, self.count

    def new_state(self) -> Floats:
        """Flow at the head and behind each sub-reach: (reaches, longest + 1) [m3/s]."""
        return np.zeros((len(self.source), int(self.count.max(initial=0)) + 1))

    def shifted(self, shift: Floats) -> Network:
        """The same network with every law raised by a node's shift [m]: (nodes,)."""
        law = self.law.copy()
        law[:, 1] += shift
        law[:, 4] += shift
        return replace(self, law=law)


def network(model: Model, curves: Mapping[str, Curve]) -> Network:
    """The arrays of a model's network, with the storage curves of its reservoirs by station.

    Raises BadPackage where a node names a source that does not come before it, or a reservoir has no curve.
    """
    place = {node.station: number for number, node in enumerate(model.nodes)}
    faults = _faults(model, curves, place)
    if faults:
        raise BadPackage(model.name, faults)
    inflows = [inflow for node in model.nodes for inflow in node.inflows]
    plain = (0.0, 0.0, 1.0, 0.0, 0.0)
    laws = [(n.law.a, n.law.b, n.law.m, n.law.e, n.law.d) if n.law else plain for n in model.nodes]
    return Network(
        codes=tuple(node.station for node in model.nodes),
        kind=np.array([_KINDS[node.kind] for node in model.nodes]),
        law=np.array(laws, np.float64),
        backwater=np.array([place.get(node.backwater, -1) for node in model.nodes]),
        curve=_curves(model, curves),
        lake=np.array([(node.area_km2 * 1e6, *node.lake_range_m) for node in model.nodes]),
        first=np.cumsum([0, *(len(node.inflows) for node in model.nodes)]),
        source=np.array([place[each.source] for each in inflows], np.int64),
        reach=np.array([(i.share, i.travel_h, i.x, i.into_lake) for i in inflows], np.float64).reshape(-1, 4),
        count=np.array([sub_reaches(each.travel_h, each.x, 1.0) for each in inflows], np.int64),
    )


def _faults(model: Model, curves: Mapping[str, Curve], place: Mapping[str, int]) -> list[Fault]:
    order = "list nodes from the source to the mouth, each once"
    found = [
        Fault(file="twin.json", field="source", value=each.source, problem=f"lies not above {node.station}", cure=order)
        for number, node in enumerate(model.nodes)
        for each in node.inflows
        if place.get(each.source, number) >= number
    ]
    for node in model.nodes:
        if node.kind == "reservoir" and len(curves.get(node.station, ())) < 2:
            problem, cure = "the reservoir has no storage curve", "give it at least two points in curves.csv"
            found.append(Fault(file="reservoirs.csv", field="station", value=node.station, problem=problem, cure=cure))
    return found


def _curves(model: Model, curves: Mapping[str, Curve]) -> Floats:
    """Every node's curve, drawn out in its last segment to one length; a plain line where a node holds no water."""
    longest = max((len(curve) for curve in curves.values()), default=2)
    out = np.empty((len(model.nodes), longest, 2))
    for place, node in enumerate(model.nodes):
        points = list(curves[node.station]) if node.kind == "reservoir" else [(0.0, 0.0), (1.0, 1.0)]
        while len(points) < longest:
            (z0, v0), (z1, v1) = points[-2:]
            points.append((2 * z1 - z0, 2 * v1 - v0))
        out[place] = points
    return out


@compiled
def lake_area(z: float, lake: Floats) -> float:
    """Surface of a lake [m2] at level z [m]: grows in a straight line between two levels, never below 15 %."""
    if lake[2] <= lake[1]:
        return float(lake[0])
    return float(lake[0] * min(max((z - lake[1]) / (lake[2] - lake[1]), _SMALLEST_LAKE), 1.0))


@compiled
def _routed(
    node: int, flow: Floats, state: Floats, first: Places, source: Places, reach: Floats, count: Places
) -> tuple[float, float]:
    """Water that a node's reaches bring in this step [m3/s], by river and into its lake; their state moves on."""
    river, lake = 0.0, 0.0
    for each in range(first[node], first[node + 1]):
        out = muskingum_step(state[each], flow[source[each]], reach[each, 1], reach[each, 2], 1.0, count[each])
        if reach[each, 3] > 0.0:
            lake += reach[each, 0] * out
        else:
            river += reach[each, 0] * out
    return river, lake


@compiled
def warm(
    kind: Places, seen: Floats, first: Places, source: Places, reach: Floats, count: Places, state: Floats
) -> tuple[Floats, Floats]:
    """Drive the reaches with observed flow. seen: (nodes, hours) [m3/s], at a lake that of its outlet.

    Returns what the reaches brought by river and into lakes: (nodes, hours) each [m3/s]; `state` is that after the last
    hour. The first hour counts as having lasted for ever.
    """
    nodes, hours = seen.shape
    river = np.zeros((nodes, hours))
    lake = np.zeros((nodes, hours))
    flow = np.zeros(nodes)
    for hour in range(hours):
        for node in range(nodes):
            if hour == 0:
                for each in range(first[node], first[node + 1]):
                    state[each, :] = flow[source[each]]
            river[node, hour], lake[node, hour] = _routed(node, flow, state, first, source, reach, count)
            flow[node] = seen[node, hour]
            if kind[node] == LAKE:
                flow[node] += river[node, hour]
    return river, lake


@compiled
def run(
    kind: Places,
    law: Floats,
    backwater: Places,
    lake: Floats,
    curve: Floats,
    first: Places,
    source: Places,
    reach: Floats,
    count: Places,
    state: Floats,
    level: Floats,
    local: Floats,
    release: Floats,
) -> tuple[Floats, Floats, Floats, Floats]:
    """Drive the network with an assumed future; `state` and `level` move on.

    level: (nodes,) [m]; local: (nodes, hours) water from outside the network [m3/s]; release: (nodes, hours) flow that
    reservoirs let go [m3/s]. Returns river, inflow, flow and stage: (nodes, hours) [m3/s, m3/s, m3/s, m]: what came by
    river, all that came, what passed on. A node without a law keeps its stage; a reservoir's is that of its balance.
    """
    nodes, hours = local.shape
    river = np.zeros((nodes, hours))
    inflow = np.zeros((nodes, hours))
    flow = np.zeros((nodes, hours))
    stage = np.zeros((nodes, hours))
    for hour in range(hours):
        for node in range(nodes):
            river[node, hour], aside = _routed(node, flow[:, hour], state, first, source, reach, count)
            enters = river[node, hour] + aside + local[node, hour]
            inflow[node, hour] = enters
            flow[node, hour] = enters
            if kind[node] == RESERVOIR:
                flow[node, hour] = release[node, hour]
                levels, held = curve[node, :, 0], curve[node, :, 1]
                storage = interpolate(level[node], levels, held) + _STEP * (enters - release[node, hour])
                level[node] = interpolate(storage, held, levels)
            if kind[node] == LAKE:
                below = level[backwater[node]] if backwater[node] >= 0 else 0.0
                a, b, m, e, d = law[node]
                level[node] = lake_step(
                    level[node], enters, below, lake_area(level[node], lake[node]), _STEP, a, b, m, e, d
                )
                flow[node, hour] = discharge_of(level[node], below, a, b, m, e, d)
        for node in range(nodes - 1, -1, -1):
            if kind[node] <= CHANNEL and law[node, 0] > 0.0:
                below = level[backwater[node]] if backwater[node] >= 0 else 0.0
                a, b, m, e, d = law[node]
                level[node] = stage_of(flow[node, hour], below, a, b, m, e, d, level[node])
            stage[node, hour] = level[node]
    return river, inflow, flow, stage


@compiled
def water_in_reaches(reach: Floats, count: Places, state: Floats) -> float:
    """Water on its way between nodes [m3], each reach's share of it; for the mass balance."""
    total = 0.0
    for each in range(len(count)):
        total += reach[each, 0] * cascade_storage(state[each], reach[each, 1], reach[each, 2], count[each]) * _STEP
    return total
