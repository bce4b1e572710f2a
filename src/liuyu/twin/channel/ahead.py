"""The river ahead of the living twin: the last ten days as gauges saw them, then what the forecast's members say.

The network is settled on the flows of ten days ago, marched through the record up to now, and from that state on under
the boundaries that each member gives. What a gauge read less what the model said over the last day stays with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.store.interface import Store
from liuyu.twin.channel.drivers import Drivers, Key, drive, read_drivers
from liuyu.twin.channel.files import read_network, series_names
from liuyu.twin.channel.gauges import gauges_of, read_gauges
from liuyu.twin.channel.model import ChannelModel, ChannelState
from liuyu.twin.channel.network import Network, part
from liuyu.twin.channel.refine import refine
from liuyu.twin.channel.scour import in_year, read_scour, year_of
from liuyu.twin.channel.start import from_gauges, read_start, settle
from liuyu.twin.flood.problem import Floats, Series
from liuyu.twin.river import Outlook, RiverTwin

HOUR = 3600.0
_SETTLE_DAYS = 5.0
_THETA = 0.8
_DAY = 24


class GaugeAhead(msgspec.Struct, frozen=True):
    """A gauge ahead: levels [m] and discharges [m³/s] (members, hours), the first an hour after now, and by how much
    the model stood above the gauge over the last day [m], which the levels are rid of."""

    station: str
    level: Floats
    discharge: Floats
    error: float


class Ahead(msgspec.Struct, frozen=True):
    """The river from a moment on.

    `now` [s UTC]; `state` of the network then; `series` by member and name: times [s since now] and values; `gauges` by
    name, empty unless it was run; `upstream` and `downstream` are names of the series.
    """

    now: int
    state: ChannelState
    series: tuple[dict[str, tuple[Floats, Floats]], ...]
    gauges: dict[str, GaugeAhead]
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]

    def flows(self, member: int = 0) -> dict[str, tuple[Floats, Floats]]:
        """What flows in under a member: `upstream` of `run_plain`."""
        return {name: self.series[member][name] for name in self.upstream if name in self.series[member]}

    def levels(self, member: int = 0) -> dict[str, tuple[Floats, Floats]]:
        """Levels that the network ends at under a member: `downstream` of `run_plain`."""
        return {name: self.series[member][name] for name in self.downstream if name in self.series[member]}


def ahead(
    basin: Basin, store: Store, now: int, members: int = 1, *, reaches: tuple[str, ...] = (),
    spacing: float = 2000.0, releases: Mapping[str, Floats] | None = None, run: bool = True,
    futures: Mapping[Key, Floats] | None = None,
) -> Ahead:  # fmt: skip
    """The network that the basin's package names, from the twin's state at `now` [s UTC] on.

    Member 0 is the median of the forecast, further ones its members in order. `reaches` keeps a part of the network,
    `spacing` [m] is the most between sections. `releases` gives, by the code of a reservoir's station, what it releases
    from the first hour on [m³/s], instead of what is forecast; `futures` gives whole series by station and quantity
    instead, (members, hours), member 0 the median. Nothing later than `now` is read from the store. Raises
    BadInput where the package has no channel or the twin lacks a gauge that drives it, ModelFailed as the models do.
    """
    if not basin.channel:
        raise BadInput(f'{basin.name_en} names no channel folder in basin.toml; add channel = "FOLDER"')
    folder = Path(basin.folder) / basin.channel
    drivers = read_drivers(folder)
    if drivers is None:
        raise BadInput(f"{folder} has no drivers.toml, so that no gauge drives it; write one")
    twin = RiverTwin(basin)
    outlook = twin.ahead(twin.view(store, now))
    past, rows = _past(twin, outlook, drivers)
    course = _Course(folder, drivers, reaches, spacing, year_of(float(now)))
    back = past[drivers.keys[0]].shape[0] - 1
    made = []
    for member in range(members):
        hourly = {}
        for key in drivers.keys:
            row = rows[key]
            future = outlook.median[row] if member == 0 else outlook.members[row, member - 1]
            if futures and key in futures:
                future = futures[key][member]
            if key[1] == "reservoir_outflow" and releases and key[0] in releases:
                future = _held(np.asarray(releases[key[0]], float), len(future))
            hourly[key] = np.concatenate([past[key], future])
        made.append(hourly)
    state, errors = course.hindcast(made[0], past, back)
    series = tuple(course.after(each, back) for each in made)
    gauges = course.run(state, series, errors, outlook.median.shape[1]) if run else {}
    return Ahead(now, state, series, gauges, *course.names)


def _held(values: Floats, hours: int) -> Floats:
    return np.concatenate([values[:hours], np.full(max(hours - len(values), 0), values[-1])])


def _past(twin: RiverTwin, outlook: Outlook, drivers: Drivers) -> tuple[dict[Key, Floats], dict[Key, int]]:
    """What the twin saw, by station and quantity, and the rows of its series."""
    rows = {target: row for row, target in enumerate(twin.targets)}
    if absent := [" ".join(key) for key in drivers.keys if key not in rows]:
        raise BadInput(f"the twin of {twin.basin.name_en} has no series {', '.join(absent)}, which drive the channel")
    return {key: outlook.here.window.value[rows[key]] for key in rows}, rows


class _Course:
    """A network's folder, driven again and again."""

    def __init__(self, folder: Path, drivers: Drivers, reaches: tuple[str, ...], spacing: float, year: float) -> None:
        self.folder, self.drivers, self.reaches, self.spacing, self.year = folder, drivers, reaches, spacing, year
        self.names = series_names(folder)
        self.places = read_gauges(folder)
        spare = {name: Series.constant(0.0) for name in (*self.names[0], *self.names[1])}
        self._still = self._finer(read_network(folder, spare))

    def _finer(self, network: Network) -> Network:
        network = in_year(network, read_scour(self.folder), self.year)
        return replace(network, reaches=tuple(refine(each, self.spacing) for each in network.reaches))

    def network(self, series: Mapping[str, Series]) -> Network:
        """The network with its series, and the part that is wanted."""
        whole = self._finer(read_network(self.folder, series))
        return part(whole, self.reaches) if self.reaches else whole

    def drive(self, hourly: Mapping[Key, Floats]) -> dict[str, Series]:
        """Every series from hourly values."""
        return drive(self.drivers, hourly, self._still)

    def hindcast(
        self, hourly: Mapping[Key, Floats], past: Mapping[Key, Floats], back: int
    ) -> tuple[ChannelState, dict[str, float]]:
        """The state after so many hours of record, and by gauge how far the model stood above it over the last day."""
        network = self.network(self.drive(hourly))
        first = {key[0]: float(values[0]) for key, values in past.items() if key[1] == "water_level"}
        profile = from_gauges(network, self.places, first, read_start(self.folder))
        model = ChannelModel(network, step=HOUR, theta=_THETA)
        model.begin(settle(network, profile, _SETTLE_DAYS))
        course = model.advance(back * HOUR)
        errors = {}
        for gauge in gauges_of(self.folder, model):
            seen = past.get((gauge.place.station, "water_level"))
            if seen is not None:
                errors[gauge.place.name] = float(np.mean(gauge.level(course.level[-_DAY:]) - seen[-_DAY:]))
        return model.state, errors

    def after(self, hourly: Mapping[Key, Floats], back: int) -> dict[str, tuple[Floats, Floats]]:
        """Times since now and values of every series."""
        return {
            name: (each.times[back:] - back * HOUR, each.values[back:]) for name, each in self.drive(hourly).items()
        }

    def run(
        self, state: ChannelState, series: tuple[dict[str, tuple[Floats, Floats]], ...], errors: Mapping[str, float],
        hours: int,
    ) -> dict[str, GaugeAhead]:  # fmt: skip
        """Every member from the state on."""
        levels: dict[str, list[Floats]] = {}
        flows: dict[str, list[Floats]] = {}
        stations = {}
        for each in series:
            given = {name: Series(times=times, values=values) for name, (times, values) in each.items()}
            model = ChannelModel(self.network(given), step=HOUR, theta=_THETA)
            model.begin(state)
            course = model.advance(hours * HOUR)
            for gauge in gauges_of(self.folder, model):
                name = gauge.place.name
                stations[name] = gauge.place.station
                levels.setdefault(name, []).append(gauge.level(course.level) - errors.get(name, 0.0))
                flows.setdefault(name, []).append(gauge.discharge(course.discharge))
        return {
            name: GaugeAhead(stations[name], np.stack(levels[name]), np.stack(flows[name]), errors.get(name, 0.0))
            for name in stations
        }
