"""Which series a network needs from outside, by name."""

from __future__ import annotations

from pathlib import Path

import msgspec

from liuyu.twin.channel.files import read_network, series_names
from liuyu.twin.channel.network import Network, part
from liuyu.twin.flood.problem import Series


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """Names of series: what flows in, levels that the network ends at, and those of parts that are left out; and the
    names of its structures."""

    upstream: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()
    structures: tuple[str, ...] = ()


def needs_of(path: Path, reaches: tuple[str, ...] = ()) -> Needs:
    """What the network of a folder needs, or the part of it that some reaches make up.

    Raises BadPackage for faults of the folder, NotFound for a reach that it does not have.
    """
    flows, levels = series_names(path)
    names = {name: Series.constant(0.0) for name in (*flows, *levels)}
    network = read_network(path, names)
    if reaches:
        network = part(network, reaches)
    used = {id(each) for each in _series_of(network)}
    kept = [name for name, each in names.items() if id(each) in used]
    return Needs(
        upstream=tuple(name for name in flows if name in kept),
        downstream=tuple(name for name in levels if name in kept),
        elsewhere=tuple(name for name in names if name not in kept),
        structures=tuple(each.name for each in network.structures),
    )


def _series_of(network: Network) -> list[Series]:
    named = [each.series for each in network.boundaries] + [each.series for each in network.structures]
    return [each for each in (*named, *(one.series for one in network.laterals)) if each is not None]
