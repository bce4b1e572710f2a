"""How a network begins: levels along its reaches, then so many days under the flows of the start.

start.csv         reach,chainage_m,level_m      levels where neither gauges nor a state are at hand; may be absent
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from liuyu.basin.errors import BadPackage
from liuyu.twin.channel.files import Folder
from liuyu.twin.channel.gauges import GaugePlace
from liuyu.twin.channel.model import ChannelModel, ChannelState
from liuyu.twin.channel.network import Boundary, Network
from liuyu.twin.flood.problem import Floats, Series

Profile = Mapping[str, tuple[Floats, Floats]]
FILE = "start.csv"
_STEP = 3600.0  # [s]
_DEPTH = 8.0  # [m] where nothing is known


def read_start(path: Path) -> dict[str, tuple[Floats, Floats]]:
    """By reach, chainages [m] and levels [m] of `start.csv`; empty where there is none. Raises BadPackage."""
    folder = Folder(path, {})
    points: dict[str, dict[float, float]] = {}
    for line, row in folder.rows(FILE, "reach,chainage_m,level_m"):
        chainage, level = (folder.number(FILE, line, row, each) for each in ("chainage_m", "level_m"))
        points.setdefault(row["reach"], {})[chainage] = level
    if folder.faults:
        raise BadPackage(str(path), folder.faults)
    return {reach: _sorted(each) for reach, each in points.items()}


def from_gauges(
    network: Network, gauges: tuple[GaugePlace, ...], level: Mapping[str, float], spare: Profile
) -> dict[str, tuple[Floats, Floats]]:
    """Levels [m] of a network by what its gauges read, by station code: straight between gauges and nodes that they
    give; `spare` for reaches where no gauge says anything."""
    points: dict[str, dict[float, float]] = {}
    for each in gauges:
        value = level.get(each.station, float("nan"))
        if np.isfinite(value):
            points.setdefault(each.reach, {})[each.chainage] = value + each.offset
    nodes: dict[str, float] = {}
    for _ in range(2):  # a reach that a node gives a level may give one to its other node
        for reach in network.reaches:
            last = reach.sections[-1].chainage
            known = points.setdefault(reach.name, {})
            for node, x in ((reach.start, reach.sections[0].chainage), (reach.end, last)):
                if node in nodes:
                    known.setdefault(x, nodes[node])
            if known:
                levels = _sorted(known)[1]
                nodes.setdefault(reach.start, float(levels[0]))
                nodes.setdefault(reach.end, float(levels[-1]))
    made = {reach: _sorted(each) for reach, each in points.items() if each}
    return {**spare, **made}


def _sorted(points: Mapping[float, float]) -> tuple[Floats, Floats]:
    x = sorted(points)
    return np.array(x, float), np.array([points[each] for each in x], float)


def set_start(model: ChannelModel, profile: Profile) -> None:
    """Give a model the levels of a profile: reaches that it does not name keep theirs. The books begin anew."""
    for reach, (chainage, level) in profile.items():
        if reach in model.built.cells:
            model.level[model.cells(reach)] = np.interp(model.built.chainage[reach], chainage, level)
    np.maximum(model.level, model.built.net.cells.bed, out=model.level)
    model.speed[:] = 0.0
    model.refill()


def settle(network: Network, profile: Profile, days: float) -> ChannelState:
    """The network after so many days under its series as they are at time 0, begun from a profile.

    A dam that releases holds the level that the profile gives its upper side, so that a reservoir does not run away.
    Lakes keep to what their river lets them: give them a level, for they take weeks.
    """
    still = replace(
        network,
        boundaries=tuple(replace(each, series=_first(each.series)) for each in network.boundaries),
        structures=tuple(replace(each, series=_first(each.series)) for each in network.structures),
        laterals=tuple(replace(each, series=_constant(each.series)) for each in network.laterals),
    )
    begun = ChannelModel(still, step=_STEP, theta=1.0, depth=_DEPTH)
    set_start(begun, profile)
    held = {each.start for each in network.structures if each.kind in ("release", "hold")}
    held -= {each.node for each in network.boundaries if each.kind == "level"}
    pools = tuple(
        Boundary(node=node, kind="level", series=Series.constant(float(begun.level[begun.built.nodes[node]])))
        for node in sorted(held)
    )
    model = ChannelModel(
        replace(still, boundaries=(*still.boundaries, *pools)), step=_STEP, theta=1.0, level=begun.level
    )
    if round(days * 24.0):
        model.advance(round(days * 24.0) * _STEP)
    return model.state


def _constant(series: Series) -> Series:
    return Series.constant(float(np.interp(0.0, series.times, series.values)))


def _first(series: Series | None) -> Series | None:
    return None if series is None else _constant(series)
