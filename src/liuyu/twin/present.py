"""The river as it stands: from the window of the past, the state of every reach and what enters from outside.

What a gauge sees and the routing cannot explain comes from outside the network: tributaries, rain on the land between
two gauges, a lake's own rivers. Each node has such a `driver`, known for the past as observed minus routed; reservoirs
have a second one, what they let go. A forecast is the drivers' future, routed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.rating import stage_of
from liuyu.twin.flow import CHANNEL, LAKE, RESERVOIR, Curve, Network, network, warm
from liuyu.twin.model import Model
from liuyu.twin.window import Window

Floats = NDArray[np.float64]
SPANS = ((0, 3), (3, 12), (12, 36), (36, 84), (84, 168))
_HOLD = {"boundary": 3, "channel": 12, "reservoir": 12, "lake": 24, "release": 1}
_LAKE_SMOOTH = 24


@dataclass(frozen=True, slots=True)
class Plumbing:
    """Where the model's series and drivers lie: the parts of a model that do not change with time.

    flow_row, level_row: (nodes,) row in the window of the node's flow (of its outlet at a lake) and level, -1 where
    there is none. drivers: (node, is_release) by row; hold: (drivers,) hours over which the present value is a mean.
    """

    model: Model
    network: Network
    row: dict[tuple[str, str], int]
    flow_row: NDArray[np.int64]
    level_row: NDArray[np.int64]
    inflow_row: NDArray[np.int64]
    drivers: tuple[tuple[int, bool], ...]
    hold: NDArray[np.int64]

    @classmethod
    def of(cls, model: Model, curves: Mapping[str, Curve]) -> Plumbing:
        """The plumbing of a model, with the storage curves of its reservoirs by station."""
        row = {(each.station, each.quantity): place for place, each in enumerate(model.series)}
        flows = {"reservoir": "reservoir_outflow"}
        drivers = [(place, False) for place in range(len(model.nodes))]
        drivers += [(place, True) for place, node in enumerate(model.nodes) if node.kind == "reservoir"]
        hold = [_HOLD["release" if release else model.nodes[place].kind] for place, release in drivers]
        return cls(
            model=model,
            network=network(model, curves),
            row=row,
            flow_row=np.array(
                [row.get((n.outlet or n.station, flows.get(n.kind, "discharge")), -1) for n in model.nodes]
            ),
            level_row=np.array([row.get((n.station, "water_level"), -1) for n in model.nodes]),
            inflow_row=np.array([row.get((n.station, "reservoir_inflow"), -1) for n in model.nodes]),
            drivers=tuple(drivers),
            hold=np.array(hold),
        )


@dataclass(frozen=True, slots=True)
class Present:
    """The state at `now`, and the past that led to it.

    driver: (drivers, hours) [m3/s]; anchor: (drivers,) present value [m3/s]; state: of the reaches; level: (nodes,)
    [m]; shift: (nodes,) [m] by which each law must be raised to meet the gauge now; features: (k,) what regressions
    read.
    """

    window: Window
    driver: Floats
    anchor: Floats
    state: Floats
    level: Floats
    shift: Floats
    features: Floats


def present(window: Window, plumbing: Plumbing, laws: bool = True) -> Present:
    """What the window says of the river now. With `laws` False the shifts are left at zero, to calibrate the laws."""
    net = plumbing.network
    seen = _take(window.value, plumbing.flow_row)
    levels = _take(window.value, plumbing.level_row)
    state = net.new_state()
    river, aside = warm(net.kind, seen, *net.arrays, state)
    driver = _drivers(window, plumbing, seen, river, aside, levels)
    anchor = np.array([row[-hold:].mean() for row, hold in zip(driver, plumbing.hold, strict=True)])
    shift = _shift(plumbing, seen, river, levels) if laws else np.zeros(len(levels))
    features = _features(window, plumbing, driver, levels)
    return Present(window, driver, anchor, state, levels[:, -1].copy(), shift, features)


def _take(value: Floats, rows: NDArray[np.int64]) -> Floats:
    out = np.zeros((len(rows), value.shape[1]))
    out[rows >= 0] = value[rows[rows >= 0]]
    return out


def _drivers(window: Window, plumbing: Plumbing, seen: Floats, river: Floats, aside: Floats, levels: Floats) -> Floats:
    """Water from outside at each node, then the releases: (drivers, hours) [m3/s]."""
    net = plumbing.network
    local = seen - river
    ungauged = (plumbing.flow_row < 0) & (net.kind == CHANNEL)
    local[ungauged] = 0.0
    for place in np.flatnonzero(plumbing.inflow_row >= 0):
        local[place] = window.value[plumbing.inflow_row[place]] - river[place]
    for place in np.flatnonzero(net.kind == LAKE):
        local[place] = seen[place] + _lake_uptake(levels[place], net.lake[place]) - aside[place]
    releases = [seen[place] for place, release in plumbing.drivers if release]
    return np.vstack([local, *releases]) if releases else local


def _lake_uptake(level: Floats, lake: Floats) -> Floats:
    """Water that the lake takes up [m3/s], from its level over a day."""
    part = np.clip((level - lake[1]) / max(lake[2] - lake[1], 1e-9), 0.15, 1.0) if lake[2] > lake[1] else 1.0
    early = np.concatenate([np.full(_LAKE_SMOOTH, level[0]), level[:-_LAKE_SMOOTH]])
    return np.asarray(lake[0] * part * (level - early) / (_LAKE_SMOOTH * 3600.0), np.float64)


def _shift(plumbing: Plumbing, seen: Floats, river: Floats, levels: Floats) -> Floats:
    """Mean over the last hours of gauge minus law, at the flow that passed [m]."""
    net = plumbing.network
    out = np.zeros(len(levels))
    for place in np.flatnonzero((net.law[:, 0] > 0) & (plumbing.level_row >= 0)):
        passed = seen[place] + (river[place] if net.kind[place] == LAKE else 0.0)
        if net.kind[place] <= CHANNEL and plumbing.flow_row[place] < 0:
            passed = river[place]
        below = levels[net.backwater[place]] if net.backwater[place] >= 0 else np.zeros_like(passed)
        last = [
            shift_of(q, z, s, net.law[place])
            for q, z, s in zip(passed[-6:], levels[place][-6:], below[-6:], strict=True)
        ]
        out[place] = np.mean(last)
    return out


def shift_of(q: float, z: float, s: float, law: Floats) -> float:
    """The shift [m] with which a law gives discharge q at level z with the lower gauge at s: moves b and d together."""
    a, b, m, e, d = law
    return float(z - stage_of(q, s, a, b, m, e, d, z))


def _features(window: Window, plumbing: Plumbing, driver: Floats, levels: Floats) -> Floats:
    """Means of every driver over spans of the past, less its present value; levels of reservoirs; the season."""
    spans = np.stack([_mean(driver, *span) for span in SPANS], axis=1)
    spans[:, 1:] -= spans[:, :1]
    held = levels[plumbing.network.kind == RESERVOIR]
    year = datetime.fromtimestamp(window.now, UTC).timetuple().tm_yday / 365.25 * 2 * np.pi
    season = [np.sin(year), np.cos(year), np.sin(2 * year), np.cos(2 * year)]
    return np.concatenate([spans.ravel(), held[:, -1], held[:, -1] - held[:, -25], season])


def _mean(values: Floats, start: int, end: int) -> Floats:
    hours = values.shape[1]
    return np.asarray(values[:, max(hours - end, 0) : hours - start].mean(axis=1), np.float64)
