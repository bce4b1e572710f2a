"""The river beside a plain: its network with the series of a run, brought to the flow of the start."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from liuyu.basin.errors import BadInput
from liuyu.twin.channel import ChannelModel, ChannelState, Network, Structure, part, read_network, refine
from liuyu.twin.channel.start import read_start, settle
from liuyu.twin.flood.problem import Floats, Series
from liuyu.twin.plain.change import PlainChange
from liuyu.twin.plain.package import PlainPackage

Given = Mapping[str, tuple[Floats, Floats]]
_THETA = 0.8


def network_of(package: PlainPackage, given: Given, change: PlainChange) -> Network:
    """The network with its series. Raises BadInput naming every series that is absent, unknown or no series."""
    known = (*package.upstream, *package.downstream)
    faults = [f"the river needs a series {name!r}" for name in known if name not in given]
    faults += [f"no boundary is called {name!r}" for name in given if name not in known]
    series = {name: _series(name, each, faults) for name, each in given.items()}
    if faults:
        raise BadInput("; ".join(faults) + f". It knows: {', '.join(known)}")
    spare = {name: Series.constant(0.0) for name in package.elsewhere}
    network = read_network(Path(package.network), {**spare, **series})
    if package.reaches:
        network = part(network, package.reaches)
    reaches = tuple(refine(each, package.coupling.spacing_m) for each in network.reaches)
    return replace(network, reaches=reaches, structures=tuple(_stuck(each, change) for each in network.structures))


def _series(name: str, given: tuple[Floats, Floats], faults: list[str]) -> Series:
    times, values = (np.atleast_1d(np.asarray(each, float)) for each in given)
    if times.shape != values.shape or not len(times) or not (np.isfinite(times) & np.isfinite(values)).all():
        faults.append(f"series {name!r} must hold as many times [s] as values, all of them numbers")
        return Series.constant(0.0)
    if (np.diff(times) <= 0.0).any():
        faults.append(f"the times of series {name!r} must rise")
    return Series(times=times, values=values)


def _stuck(each: Structure, change: PlainChange) -> Structure:
    """A structure that fails keeps what it did at the start."""
    if each.name not in change.failed_gates or each.series is None:
        return each
    first = float(np.interp(0.0, each.series.times, each.series.values))
    return replace(each, series=Series.constant(first))


def river_of(package: PlainPackage, network: Network, step: float, initial: ChannelState | None) -> ChannelModel:
    """The river at the start: as a state says, or steady under the series as they are at time 0."""
    model = ChannelModel(network, step=step, theta=_THETA)
    if initial is None:
        initial = settle(network, read_start(Path(package.network)), package.coupling.spin_up_days)
    model.begin(initial)
    return model
