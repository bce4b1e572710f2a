"""The river under a scenario: every member of the forecast with it and without it, and the reservoirs' courses."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.records import Scenario
from liuyu.outlook.rehearse.read import seconds_of
from liuyu.outlook.rehearse.scenario import DetentionTable, ReleaseTable, Setup
from liuyu.twin import Outlook, RiverTwin, along_curve
from liuyu.twin.compare import binding_of
from liuyu.twin.course import flow_on, to_series
from liuyu.twin.flood.series_file import read_series
from liuyu.twin.limits import Text

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Futures:
    """The river with a scenario and without it, hour by hour after `now` [s UTC].

    without, changed: (series, members, hours) in the unit of each of the twin's `targets`; median_without,
    median_changed: (series, hours), the line in the middle. Reservoirs by code, by the median: level [m], storage [m3],
    inflow and outflow [m3/s]; what a scenario keeps in a reservoir is in its storage to the last drop. detained: what a
    detention basin takes from the river [m3/s], by its code.
    """

    twin: RiverTwin
    outlook: Outlook
    scenario: Scenario
    hours: int
    without: Floats
    changed: Floats
    median_without: Floats
    median_changed: Floats
    pools_without: Mapping[str, Mapping[str, Floats]]
    pools_changed: Mapping[str, Mapping[str, Floats]]
    detained: Mapping[str, Floats]
    binding: tuple[Text, ...]

    @property
    def now(self) -> int:
        """The base moment [s UTC]."""
        return self.outlook.now

    @property
    def time(self) -> NDArray[np.int64]:
        """Each hour's end [s UTC]."""
        return self.now + HOUR * np.arange(1, self.hours + 1, dtype=np.int64)

    @property
    def inputs(self) -> str:
        """A digest of everything the river's state rests on."""
        window = self.outlook.here.window
        parts = (np.int64(window.now).tobytes(), np.ascontiguousarray(window.value).tobytes())
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]

    def storage_now(self, code: str) -> float:
        """What a reservoir holds at the base moment [m3]."""
        place = self.twin.reservoir_places[code]
        levels, held = self.twin.plumbing.network.curve[place].T
        return float(along_curve(self.outlook.here.level[place : place + 1], levels, held)[0])

    def row(self, station: str, quantity: str) -> int:
        """The series of a station's quantity. Raises BadInput where the twin does not forecast it."""
        try:
            return self.twin.targets.index((station, quantity))
        except ValueError:
            known = [s for s, name in self.twin.targets if name == quantity]
            raise BadInput(f"{quantity} of {station!r} is not forecast; it is at {', '.join(known)}") from None


def run_river(twin: RiverTwin, outlook: Outlook, setup: Setup) -> Futures:
    """The scenario on the river. Raises BadInput with every fault of it, ModelFailed where a number is none."""
    most = outlook.ahead.shape[1]
    hours = min(setup.head.hours or most, most)
    if setup.head.hours and setup.head.hours > most:
        raise BadInput(f"hours={setup.head.hours} is beyond the forecast, which sees {most} h ahead; ask for less")
    releases = _releases(twin, outlook, setup)
    scenario = Scenario(
        name=setup.head.name, name_en=setup.head.name_en, releases=releases, inflow_factor=setup.rain.factor
    )
    alternative = twin.alternative(outlook, scenario)
    members, median = alternative.members, alternative.median
    taken = {each.basin: _taken(twin, outlook, each) for each in setup.detentions if each.inflow_m3s is not None}
    if taken:
        effect = _effect(twin, outlook, scenario, taken)
        members, median = members + effect[:, None, :], median + effect
        floors = np.array([each.floor for each in twin.model.series])[:, None, None]
        members = np.maximum(members, floors)
    without, members = outlook.members, members.copy()
    for code in twin.reservoir_places:
        _keep_water(twin, outlook, code, members, median)
    median_without, median = np.median(without, axis=1), np.median(members, axis=1)
    routed = twin.reservoirs(outlook, outlook.course)
    pools = [_pools(twin, routed, median_without), _pools(twin, alternative.reservoirs, median)]
    cut = slice(None, hours)
    return Futures(
        twin=twin,
        outlook=outlook,
        scenario=scenario,
        hours=hours,
        without=without[:, :, cut],
        changed=members[:, :, cut],
        median_without=median_without[:, cut],
        median_changed=median[:, cut],
        pools_without=_cut(pools[0], hours),
        pools_changed=_cut(pools[1], hours),
        detained={code: flow[:hours] for code, (_, flow) in taken.items()},
        binding=binding_of(twin, outlook, replace(alternative, reservoirs=_cut(pools[1], hours)), scenario),
    )


def _rows_of(twin: RiverTwin, code: str) -> dict[str, int]:
    """The series of a reservoir that are forecast, by quantity."""
    found = twin.reservoir(code)
    names = ("water_level", "reservoir_inflow", "reservoir_outflow")
    rows = {name: twin.plumbing.row.get((found.station, name)) for name in names} if found is not None else {}
    return {name: row for name, row in rows.items() if row is not None}


def _keep_water(twin: RiverTwin, outlook: Outlook, code: str, members: Floats, median: Floats) -> None:
    """Raise a reservoir's level by exactly the water that the scenario keeps in it, along its curve: in place.

    Level and flows of a reservoir are each corrected to their gauges, so that the expected ones do not close to the
    drop; what differs between two futures does.
    """
    rows = _rows_of(twin, code)
    if len(rows) < 3:
        return
    levels, held = twin.plumbing.network.curve[twin.reservoir_places[code]].T
    more = median - outlook.median
    kept = HOUR * np.cumsum(more[rows["reservoir_inflow"]] - more[rows["reservoir_outflow"]])
    row = rows["water_level"]
    members[row] = along_curve(along_curve(outlook.members[row], levels, held) + kept, held, levels)


def _pools(twin: RiverTwin, routed: Mapping[str, Mapping[str, Floats]], median: Floats) -> dict[str, dict[str, Floats]]:
    """Each reservoir's course by the median; as routed where its gauges are not forecast."""
    out = {}
    for code, course in routed.items():
        rows = _rows_of(twin, code)
        if len(rows) < 3:
            out[code] = dict(course)
            continue
        levels, held = twin.plumbing.network.curve[twin.reservoir_places[code]].T
        level = median[rows["water_level"]]
        out[code] = {
            "level": level,
            "storage": along_curve(level, levels, held),
            "inflow": median[rows["reservoir_inflow"]],
            "outflow": median[rows["reservoir_outflow"]],
        }
    return out


def _cut(pools: Mapping[str, Mapping[str, Floats]], hours: int) -> dict[str, dict[str, Floats]]:
    return {code: {name: each[:hours] for name, each in course.items()} for code, course in pools.items()}


def _releases(twin: RiverTwin, outlook: Outlook, setup: Setup) -> dict[str, tuple[float, ...]]:
    out: dict[str, Floats] = {}
    faults = []
    for each in setup.releases:
        found = twin.reservoir(each.reservoir)
        if found is None:
            faults.append(f"no reservoir {each.reservoir!r}; known: {', '.join(twin.reservoir_places)}")
            continue
        if found.code not in out:
            row = twin.plumbing.row.get((found.station, "reservoir_outflow"))
            place = twin.reservoir_places[found.code]
            out[found.code] = (outlook.median[row] if row is not None else outlook.course.flow[place]).copy()
        _lay(out[found.code], each, outlook.now, setup, twin)
    if faults:
        raise BadInput("; ".join(faults))
    return {code: tuple(np.maximum(series, 0.0).tolist()) for code, series in out.items()}


def _lay(series: Floats, row: ReleaseTable, now: int, setup: Setup, twin: RiverTwin) -> None:
    """Lay one [[release]] upon a course of releases, hour by hour."""
    ends = now + HOUR * np.arange(1, len(series) + 1)
    start = seconds_of(row.start, now, twin.basin)
    end = ends[-1] if row.end is None else seconds_of(row.end, now, twin.basin)
    within = (ends > start) & (ends <= end)
    if not within.any():
        window = f"{moment(start, twin.basin.zone).isoformat()} to {moment(int(end), twin.basin.zone).isoformat()}"
        raise BadInput(f"release of {row.reservoir!r} from {window} holds no hour ahead; move it to after the base")
    if row.constant is not None:
        series[within] = row.constant
    elif row.delta is not None:
        series[within] += row.delta
    elif isinstance(row.series, str):
        faults: list = []  # type: ignore[type-arg]
        found = read_series(Path(setup.folder) / row.series, faults)
        if found is None:
            raise BadInput("; ".join(map(str, faults)))
        series[within] = np.interp((ends[within] - now) / HOUR, found.times, found.values)
    else:
        given = np.asarray(row.series, float)
        since = np.clip((ends[within] - start - 1) // HOUR, 0, len(given) - 1)
        series[within] = given[since.astype(int)]


def _taken(twin: RiverTwin, outlook: Outlook, row: DetentionTable) -> tuple[int, Floats]:
    """The node that loses water to a detention basin, and how much [m3/s] until the basin is full."""
    basin = next(each for each in twin.basin.detention_basins if each.code == row.basin)
    nodes = {node.station: place for place, node in enumerate(twin.model.nodes)}
    if basin.station not in nodes:
        raise BadInput(f"detention basin {row.basin!r} names no gauge that the twin routes; name one in its station")
    hours = outlook.ahead.shape[1]
    ends = outlook.now + HOUR * np.arange(1, hours + 1)
    start = seconds_of(row.opens, outlook.now, twin.basin)
    end = ends[-1] if row.closes is None else seconds_of(row.closes, outlook.now, twin.basin)
    wanted = np.where((ends > start) & (ends <= end), row.inflow_m3s or 0.0, 0.0)
    left = basin.capacity_m3 - np.concatenate([[0.0], np.cumsum(wanted * HOUR)[:-1]])
    return nodes[basin.station], np.clip(wanted, 0.0, np.maximum(left, 0.0) / HOUR)


def _effect(twin: RiverTwin, outlook: Outlook, scenario: Scenario, taken: Mapping[str, tuple[int, Floats]]) -> Floats:
    """What the water that is taken out does to every series: routed with it less routed without: (series, hours)."""
    here, plumbing = outlook.here, twin.plumbing
    releases = twin.releases_of(scenario, outlook)
    ahead = outlook.ahead.copy()
    nodes = len(twin.model.nodes)
    local = ahead[:nodes]
    ahead[:nodes] = np.where(local > 0.0, scenario.inflow_factor * local, local)
    before = to_series(flow_on(here, plumbing, ahead, releases), here, plumbing)
    for place, flow in taken.values():
        ahead[place] -= flow
    return to_series(flow_on(here, plumbing, ahead, releases), here, plumbing) - before


def chosen_members(futures: Futures, station: str, quantity: str, count: int) -> list[int]:
    """`count` members that stand for all: evenly apart in the order of their peaks at a gauge under the scenario."""
    peaks = futures.changed[futures.row(station, quantity)].max(axis=1)
    order = np.argsort(peaks, kind="stable")
    count = min(count, len(order))
    return [int(order[int((k + 0.5) / count * len(order))]) for k in range(count)]
