"""The living basin: looks at what the gauges say, runs the river on, and tells what it then shows.

look      the present: state of every reach, what enters from outside, how far each law is off   (present.py)
ahead     the expected future: drivers by regression, routed, corrected, with past errors as spread
rehearse  the same future with other releases or more inflow: what physics adds is laid upon every member
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.basin.places import Basin, Reservoir
from liuyu.basin.records import Scenario
from liuyu.basin.series import Batch
from liuyu.store.interface import Store
from liuyu.twin.correct import correction_features
from liuyu.twin.course import Course, apply, drivers_ahead, flow_on, hourly, to_series
from liuyu.twin.derive import derive, series_of
from liuyu.twin.learned import Learned
from liuyu.twin.model import Calibrated, Errors, Model, read_model, read_network
from liuyu.twin.present import Plumbing, Present, present
from liuyu.twin.spread import beyond, draw, trajectories
from liuyu.twin.window import complete, table

Floats = NDArray[np.float64]
UNCALIBRATED = "uncalibrated"
ROUTED, LEARNED = "river-twin", "learned"
"""Names of the models that are combined: the routed river with its corrections, and the data-driven one."""
_STALE_H = 24
_WIDEST = 2.5
_MOST_ABSENT = 0.75


@dataclass(frozen=True, slots=True)
class Outlook:
    """An expected future. ahead: (drivers, hours) [m3/s]; course: routed; base, median: (series, hours) before and
    after correction and combination; members: (series, members, hours), each in the unit of its series; stale: series
    without a value in the last day; parts: (series, hours) what each model that was combined says by itself, by its
    name, NaN for series that it does not forecast; empty where nothing was combined."""

    here: Present
    ahead: Floats
    course: Course
    base: Floats
    median: Floats
    members: Floats
    stale: tuple[int, ...]
    parts: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Time of issue [s UTC]."""
        return self.here.window.now


@dataclass(frozen=True, slots=True)
class Alternative:
    """A future under a scenario: members as in Outlook; by reservoir its level, storage, inflow and outflow."""

    members: Floats
    median: Floats
    reservoirs: Mapping[str, Mapping[str, Floats]]


class RiverTwin:
    """A basin with its model. Holds no state between calls: everything is in what `look` returns."""

    def __init__(self, basin: Basin, calibrated: Calibrated | None = None) -> None:
        self.basin = basin
        self.calibrated = calibrated if calibrated is not None else load(basin)
        self.model: Model = self.calibrated.model
        curves = {each.station: each.curve for each in basin.reservoirs}
        self.plumbing = Plumbing.of(self.model, curves)
        self.targets = tuple((each.station, each.quantity) for each in self.model.series)
        self._floor = np.array([each.floor for each in self.model.series])[:, None, None]
        self._correction_row = self._rows(self.calibrated.correction.targets if self.calibrated.correction else ())
        self._error_row = self._rows(self.calibrated.errors.targets if self.calibrated.errors else ())
        self._learned_row = self._rows(self.calibrated.learned.targets if self.calibrated.learned else ())
        self._learned_errors = past_errors(self.calibrated.learned) if self.calibrated.learned else None

    @property
    def stations(self) -> tuple[str, ...]:
        """Codes of the stations that it reads and forecasts."""
        return tuple(dict.fromkeys(station for station, _ in self.targets))

    @property
    def quantities(self) -> tuple[str, ...]:
        """Names of the quantities that it reads and forecasts."""
        return tuple(dict.fromkeys(quantity for _, quantity in self.targets))

    def look(self, batch: Batch, now: int) -> Present:
        """The present from observations, of which those after `now` are not read.

        Raises ModelFailed where more than three quarters of the series have no value in the whole window.
        """
        window = complete(table(batch, now, self.model), now, self.model)
        absent = window.age > self.model.history_h
        if absent.mean() > _MOST_ABSENT:
            missing = ", ".join(f"{s} {q}" for (s, q), gone in zip(self.targets, absent, strict=True) if gone)
            raise ModelFailed(
                f"{self.model.name} cannot forecast at {moment(now).isoformat()}: no value in {self.model.history_h} h "
                f"of {missing}; wait for the gauges to return"
            )
        return present(window, self.plumbing)

    def ahead(self, here: Present) -> Outlook:
        """The expected future with its spread. Raises ModelFailed naming station and lead where it is no number."""
        ahead = drivers_ahead(here, self.plumbing, self.calibrated.drivers)
        course = flow_on(here, self.plumbing, ahead)
        base = to_series(course, here, self.plumbing)
        routed = base + self._correction(here, base)
        median, parts = self._combine(here, routed)
        members = np.maximum(median[:, None, :] + self._spread(here), self._floor)
        self._check(members, here)
        stale = tuple(int(each) for each in np.flatnonzero(here.window.age > _STALE_H))
        return Outlook(here, ahead, course, base, median, members, stale, parts)

    def alternative(self, outlook: Outlook, scenario: Scenario) -> Alternative:
        """The future under a scenario. Every member is moved by routed(with) - routed(without). Raises BadInput."""
        releases = self.releases_of(scenario, outlook)
        course = flow_on(outlook.here, self.plumbing, outlook.ahead, releases, scenario.inflow_factor)
        effect = to_series(course, outlook.here, self.plumbing) - self._unchanged(outlook, releases)
        for place in releases:
            row = self.plumbing.row.get((self.model.nodes[place].station, "reservoir_outflow"))
            if row is not None:  # a release that is ordered has no spread
                effect[row] = course.flow[place] - outlook.median[row]
        members = np.maximum(outlook.members + effect[:, None, :], self._floor)
        for place in releases:
            row = self.plumbing.row.get((self.model.nodes[place].station, "reservoir_outflow"))
            if row is not None:
                members[row] = course.flow[place]
        self._check(members, outlook.here)
        return Alternative(members, outlook.median + effect, self.reservoirs(outlook, course))

    def _unchanged(self, outlook: Outlook, releases: Mapping[int, Floats]) -> Floats:
        """What routing says of the releases that are expected where a scenario gives others: (series, hours)."""
        if self.calibrated.learned is None:
            return outlook.base
        rows = {
            place: self.plumbing.row.get((self.model.nodes[place].station, "reservoir_outflow")) for place in releases
        }
        expected = {place: outlook.median[row] for place, row in rows.items() if row is not None}
        return to_series(flow_on(outlook.here, self.plumbing, outlook.ahead, expected), outlook.here, self.plumbing)

    def reservoirs(self, outlook: Outlook, course: Course) -> dict[str, dict[str, Floats]]:
        """By reservoir code: level [m], storage [m3], inflow and outflow [m3/s], hourly; the balance closes exactly."""
        out = {}
        for code, place in self.reservoir_places.items():
            levels, held = self.plumbing.network.curve[place].T
            start = float(outlook.here.level[place])
            storage = along_curve(np.array([start]), levels, held)[0] + 3600.0 * np.cumsum(
                course.inflow[place] - course.flow[place]
            )
            out[code] = {
                "level": along_curve(storage, held, levels),
                "storage": storage,
                "inflow": course.inflow[place].copy(),
                "outflow": course.flow[place].copy(),
            }
        return out

    @property
    def reservoir_places(self) -> dict[str, int]:
        """Node of each reservoir of the basin that the twin runs, by its code."""
        nodes = {node.station: place for place, node in enumerate(self.model.nodes) if node.kind == "reservoir"}
        return {each.code: nodes[each.station] for each in self.basin.reservoirs if each.station in nodes}

    def reservoir(self, code: str) -> Reservoir | None:
        """The basin's reservoir of a code, or of the code of the station that reports it."""
        for each in self.basin.reservoirs:
            if code in (each.code, each.station) and each.code in self.reservoir_places:
                return each
        return None

    def releases_of(self, scenario: Scenario, outlook: Outlook) -> dict[int, Floats]:
        """Releases of a scenario by node, the last value held to the horizon. Raises BadInput listing every fault."""
        faults, out = [], {}
        hours = outlook.ahead.shape[1]
        for code, given in scenario.releases.items():
            found = self.reservoir(code)
            series = np.asarray(given, np.float64)[:hours]
            if found is None:
                faults.append(f"no reservoir {code!r}; known: {', '.join(self.reservoir_places)}")
            if not len(series):
                faults.append(f"releases of {code!r} are empty; give at least one hour")
            bad = np.flatnonzero(~(series >= 0.0) | ~np.isfinite(series))
            if len(bad):
                faults.append(
                    f"release {series[bad[0]]:g} m3/s of {code!r} in hour {bad[0] + 1} is impossible; give 0 or more"
                )
            if found is not None and len(series) and not len(bad):
                full = np.concatenate([series, np.full(hours - len(series), series[-1])])
                out[self.reservoir_places[found.code]] = full
        if not (np.isfinite(scenario.inflow_factor) and 0.0 < scenario.inflow_factor <= 5.0):
            faults.append(f"inflow_factor {scenario.inflow_factor:g} lies outside (0, 5]; 1.2 means a fifth more")
        if faults:
            raise BadInput("; ".join(faults))
        return out

    def view(self, store: Store, now: int) -> Present:
        """The present from a store, which is asked for nothing later than `now`. Raises ModelFailed as `look` does."""
        start = now - self.model.history_h * HOUR
        return self.look(store.window(self.stations, self.quantities, start, now + 1, self.basin.roster), now)

    def below(self, place: int) -> tuple[str, ...]:
        """Stations whose water comes from a node, in downstream order, lakes' outlets among them."""
        reached = {self.model.nodes[place].station}
        out: list[str] = []
        for node in self.model.nodes[place + 1 :]:
            if any(inflow.source in reached for inflow in node.inflows):
                reached.add(node.station)
                out += [node.station] + ([node.outlet] if node.outlet not in ("", node.station) else [])
        return tuple(out)

    def _rows(self, targets: tuple[tuple[str, str], ...]) -> NDArray[np.int64]:
        place = {target: row for row, target in enumerate(self.targets)}
        return np.array([place[target] for target in targets], np.int64)

    def _correction(self, here: Present, base: Floats) -> Floats:
        regression, out = self.calibrated.correction, np.zeros_like(base)
        if regression is not None:
            rows = self._correction_row
            features = correction_features(here, base, rows, self.model)
            out[rows] = hourly(apply(regression, features), self.model.leads_h, self.model.horizon_h)
        return out

    def _combine(self, here: Present, routed: Floats) -> tuple[Floats, dict[str, Floats]]:
        """Routed and data-driven forecasts as a weighted mean at the leads of the latter, lines between; and both."""
        learned = self.calibrated.learned
        if learned is None:
            return routed, {}
        rows, leads = self._learned_row, learned.recipe.leads_h
        ahead = here.window.value[rows, -1:] + learned.expected(here.window.value, here.window.now)
        apart = ahead - routed[np.ix_(rows, np.array(leads) - 1)]
        median, alone = routed.copy(), np.full_like(routed, np.nan)
        median[rows] += hourly((1.0 - learned.routed) * apart, leads, self.model.horizon_h)
        alone[rows] = routed[rows] + hourly(apart, leads, self.model.horizon_h)
        return median, {ROUTED: np.maximum(routed, self._floor[:, 0]), LEARNED: np.maximum(alone, self._floor[:, 0])}

    def _spread(self, here: Present) -> Floats:
        errors, hours = self.calibrated.errors, self.model.horizon_h
        out = np.zeros((len(self.targets), self.model.members, hours))
        if errors is not None:
            regime = regime_of(here, self.plumbing)
            chosen = draw(errors, regime, self.model.members, here.window.now)
            widen = widening(here)[self._error_row] * beyond(errors, chosen, regime, self.model)
            out[self._error_row] = trajectories(errors, chosen, self.model.leads_h, hours, widen)
        if self._learned_errors is not None and self.calibrated.learned is not None:
            regime = regime_of(here, self.plumbing)
            past = self._learned_errors
            chosen = draw(past, regime, self.model.members, here.window.now)
            widen = widening(here)[self._learned_row] * beyond(past, chosen, regime, self.model)
            out[self._learned_row] = trajectories(past, chosen, self.calibrated.learned.recipe.leads_h, hours, widen)
        return out

    def _check(self, members: Floats, here: Present) -> None:
        bad = np.argwhere(~np.isfinite(members))
        if len(bad):
            row, _, hour = bad[0]
            station, quantity = self.targets[row]
            raise ModelFailed(
                f"{self.model.name}, issued {moment(here.window.now).isoformat()}: {quantity} of {station} at lead "
                f"{hour + 1} h is {members[tuple(bad[0])]}; look at the values of its neighbours in the last days"
            )


def load(basin: Basin) -> Calibrated:
    """The model of a basin's package: `model_file` names the network, `twin.json` beside it is the calibrated model.

    Without that file the network is used uncalibrated; without a network, one derived from the reaches.
    """
    if not basin.model_file:
        return Calibrated(model=derive(basin), digest=UNCALIBRATED)
    network = Path(basin.folder) / basin.model_file
    calibrated = network.with_name("twin.json")
    if calibrated.exists():
        return _read(calibrated, calibrated.stat().st_mtime_ns)
    model = read_network(network)
    return Calibrated(model=replace(model, series=series_of(basin, model.nodes)), digest=UNCALIBRATED)


@lru_cache(maxsize=4)
def _read(file: Path, changed: int) -> Calibrated:
    return read_model(file)


def past_errors(learned: Learned) -> Errors:
    """The past errors of a data-driven model, widened so that their spread is reliable."""
    error = learned.error * learned.unit[:, None] * learned.wide
    return Errors(targets=learned.targets, regime=learned.regime, error=error)


def regime_of(here: Present, plumbing: Plumbing) -> Floats:
    """How the river stands in three numbers: log of all gauges' flow, its change over a day, level at the mouth."""
    flow = here.window.value[plumbing.flow_row[plumbing.flow_row >= 0]]
    total = np.maximum(flow.sum(axis=0), 1.0)
    level = here.level[plumbing.level_row >= 0]
    return np.array([np.log(total[-1]), np.log(total[-1] / total[-25]), float(level[-1])])


def widening(here: Present) -> Floats:
    """Factors by which missing values widen the spread: a series' own age, and the share of series that are silent."""
    stale = np.clip((here.window.age - 3.0) / _STALE_H, 0.0, None)
    return np.asarray(np.minimum(1.0 + stale + 0.5 * (here.window.age > _STALE_H).mean(), _WIDEST), np.float64)


def along_curve(x: Floats, xs: Floats, ys: Floats) -> Floats:
    """Values of a rising curve (xs, ys) at x: linear between its points, and on along its last stretch beyond them."""
    place = np.clip(np.searchsorted(xs, x), 1, len(xs) - 1)
    slope = (ys[place] - ys[place - 1]) / (xs[place] - xs[place - 1])
    return np.asarray(ys[place - 1] + slope * (x - xs[place - 1]), np.float64)
