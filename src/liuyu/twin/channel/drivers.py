"""What drives a network, from what gauges measure: `drivers.toml` says how each series is made.

A series is a sum of terms, smoothed over `smooth_h`. A term takes the hourly values of a station's quantity, moved to
later hours by `lag_h`, smoothed by `smooth_h` of its own, less `above` where that is positive, times `factor`. With
`stored_in` (a lake's node, or a reach) it is what the lake or reach takes up as its level moves: the change of the
volume it holds under a level surface [m³/s].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.toml_file import TomlFile
from liuyu.twin.channel.build import tabulated
from liuyu.twin.channel.network import Lake, Network
from liuyu.twin.flood.problem import Floats, Series

FILE = "drivers.toml"
HOUR = 3600.0
Key = tuple[str, str]
Hourly = Mapping[Key, Floats]


class Term(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a series: see this module."""

    station: str
    quantity: str
    factor: float = 1.0
    lag_h: int = 0
    smooth_h: int = 1
    above: float | None = None
    stored_in: str = ""


class Driver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A series that the network's files name, and what it is made of; `smooth_h` smooths the sum, `meaning` says what
    it stands for."""

    name: str
    terms: tuple[Term, ...]
    smooth_h: int = 1
    meaning: str = ""


class Drivers(msgspec.Struct, frozen=True):
    """All series of a network."""

    series: tuple[Driver, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        """Station and quantity of everything that is read."""
        return tuple(dict.fromkeys((each.station, each.quantity) for one in self.series for each in one.terms))

    @property
    def reach_h(self) -> int:
        """Hours before the first by which terms look back."""
        return max((each.lag_h for one in self.series for each in one.terms), default=0)


def read_drivers(path: Path) -> Drivers | None:
    """The drivers of a network's folder, None where it has no drivers.toml. Raises BadPackage with every fault."""
    if not (path / FILE).exists():
        return None
    toml = TomlFile(path / FILE)
    found = toml.tables("series", Driver)
    if not found and not toml.faults:
        toml.fault("names no series", "write [[series]] with name and terms")
    if toml.faults:
        raise BadPackage(str(path), toml.faults)
    return Drivers(tuple(each for _, each in found))


def drive(drivers: Drivers, hourly: Hourly, network: Network) -> dict[str, Series]:
    """The series, hour 0 at time 0. `hourly` holds (hours,) by station and quantity, without gaps.

    `network` says what lakes and reaches hold: any that has them, its series need not be real ones.
    """
    held = {name: held_by(network, name) for one in drivers.series for name in (t.stored_in for t in one.terms) if name}
    made = {}
    for one in drivers.series:
        total = np.sum([_term(each, hourly[each.station, each.quantity], held) for each in one.terms], axis=0)
        values = smooth(total, one.smooth_h)
        made[one.name] = Series(times=HOUR * np.arange(float(len(values))), values=values)
    return made


def _term(term: Term, values: Floats, held: Mapping[str, Callable[[Floats], Floats]]) -> Floats:
    value = smooth(values, term.smooth_h)
    if term.above is not None:
        value = np.maximum(value - term.above, 0.0)
    if term.stored_in:
        value = np.gradient(held[term.stored_in](value)) / HOUR
    return term.factor * later(np.asarray(value), term.lag_h)


def smooth(value: Floats, hours: int) -> Floats:
    """Running mean over so many hours, the ends held."""
    if hours <= 1:
        return value
    padded = np.pad(value, (hours // 2, hours - 1 - hours // 2), mode="edge")
    return np.convolve(padded, np.ones(hours) / hours, mode="valid")


def later(value: Floats, hours: int) -> Floats:
    """A series moved to later hours, its first value held."""
    return np.concatenate([np.full(hours, value[0]), value[: len(value) - hours]]) if hours else value


def held_by(network: Network, name: str) -> Callable[[Floats], Floats]:
    """Volume [m³] that a lake or a reach holds under a level surface [m]."""
    lake = next((each for each in network.lakes if each.node == name), None)
    if lake is not None:
        return lambda level: _lake_volume(lake, level)
    reach = next((each for each in network.reaches if each.name == name), None)
    if reach is None:
        known = ", ".join([*(each.node for each in network.lakes), *(each.name for each in network.reaches)])
        raise BadInput(f"{FILE}: stored_in = {name!r} is neither a lake nor a reach; known: {known}")
    x = np.array([each.chainage for each in reach.sections])
    length = np.diff(x, prepend=x[0], append=x[-1])
    length = 0.5 * (length[1:] + length[:-1])
    tables = [tabulated(each) for each in reach.sections]
    ends = [(float(each[0][0]), float(each[0][-1])) for each in tables]
    knots = np.linspace(min(low for low, _ in ends), max(high for _, high in ends), 400)
    volume = np.zeros(len(knots))
    for run, (level, _, area, _) in zip(length.tolist(), tables, strict=True):
        volume += run * np.interp(knots, level, area)
    return lambda level: np.interp(level, knots, volume)


def _lake_volume(lake: Lake, level: Floats) -> Floats:
    """Volume above the lowest knot: between knots the surface runs straight."""
    z, a = lake.level, lake.surface
    whole = np.concatenate([[0.0], np.cumsum(0.5 * (a[1:] + a[:-1]) * np.diff(z))])
    k = np.clip(np.searchsorted(z, level, side="right") - 1, 0, len(z) - 2)
    depth = level - z[k]
    return np.asarray(whole[k] + depth * (a[k] + 0.5 * depth * (a[k + 1] - a[k]) / (z[k + 1] - z[k])))
