"""Semi-distributed calibration: nested gauges one after the other, from the springs down.

A gauge's flow is what its own interval sheds and what the gauges above it hand on, later by distance over velocity.
Those above are calibrated before; here the parameters of the interval and the velocity are found together, on the whole
flow at the gauge. What is simulated above is used, not what was observed, so that the chain holds as a forecast.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.physics.routing import lag, muskingum
from liuyu.twin.runoff.calibrate import SHARE, Search, enough, misfit, warmed
from liuyu.twin.runoff.cmaes import polish
from liuyu.twin.runoff.models import RunoffModel
from liuyu.twin.runoff.run import Forcing
from liuyu.twin.runoff.sceua import minimise

Floats = NDArray[np.float64]
VELOCITY = (0.2, 4.0)  # [m/s] searched, by its logarithm


@dataclass(frozen=True, slots=True)
class Routing:
    """How water travels from gauge to gauge, and from a sub-basin to its gauge: `lag` moves it later, `muskingum`
    spreads it as well, with the weight x [1]. velocity: the range that is searched [m/s]."""

    law: str = "lag"
    x: float = 0.2
    velocity: tuple[float, float] = VELOCITY

    def late(self, flow: Floats, distance_km: float, velocity: float, step_s: float) -> Floats:
        """A flow (steps,) further down the river."""
        if distance_km == 0.0:
            return flow
        travel = distance_km * 1e3 / velocity
        if self.law == "muskingum":
            return np.asarray(muskingum(flow, travel, self.x, step_s))
        return np.asarray(lag(flow, travel, step_s))


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge with its interval, the land between it and the gauges above.

    above: places of those gauges, all before it; distance: from each [km]; whole: area above the gauge [km2];
    forcing: the interval's own weather, one row, or one for each of its sub-basins, whose areas [km2] and distances to
    the gauge [km] then stand in `areas` and `ways`; observed: (steps,) flow over the whole area [mm], NaN in gaps.
    """

    name: str
    above: tuple[int, ...]
    distance: tuple[float, ...]
    whole: float
    forcing: Forcing
    observed: Floats
    areas: tuple[float, ...] = ()
    ways: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Interval:
    """What was found for a gauge: parameters of its interval, velocity of the river [m/s], flow (steps,) [mm]."""

    parameters: Floats
    velocity: float
    simulated: Floats


def fit_nested(
    model: RunoffModel,
    gauges: Sequence[Gauge],
    period: slice,
    *,
    seed: int = 1,
    evaluations: int = 6_000,
    routing: Routing = Routing(),
    tell: Callable[[float], None] = lambda _: None,
) -> list[Interval]:
    """Calibrate gauge after gauge; nothing after the period's end is looked at.

    Raises BadInput where a gauge lies before one above it, or has no area of its own.
    """
    found: list[Interval] = []
    for place, gauge in enumerate(gauges):
        if any(above >= place for above in gauge.above):
            raise BadInput(f"gauge {gauge.name} comes before one above it; order gauges from the springs down")
        if own_share(gauge, gauges) <= 0.0:
            raise BadInput(f"the gauges above {gauge.name} have all of its area or more; look at the areas")
        problem = _Problem(model, gauge, gauges, found, period, routing)
        enough(model, len(problem.there))
        rough = minimise(problem, problem.size, seed, evaluations=int(SHARE * evaluations))
        best = polish(problem, rough.best, seed, evaluations=evaluations - rough.evaluations).best
        found.append(problem.interval(best))
        tell((place + 1) / len(gauges))
    return found


class _Problem:
    """What is asked of an interval's parameters and, as the last, of the velocity, where there is a way to go."""

    def __init__(
        self,
        model: RunoffModel,
        gauge: Gauge,
        gauges: Sequence[Gauge],
        found: list[Interval],
        period: slice,
        routing: Routing,
    ) -> None:
        self.model, self.gauge, self.gauges, self.found, self.routing = model, gauge, gauges, found, routing
        self.step_s = model.step_h * 3600.0
        own = own_share(gauge, gauges)
        areas = np.array(gauge.areas or (1.0,))
        self.shares = own * areas / areas.sum()
        self.ways = gauge.ways or (0.0,) * len(areas)
        self.search = Search(model, snow=gauge.forcing.temperature is not None)
        self.size = self.search.size + (1 if gauge.above or any(self.ways) else 0)
        self.known = gauge.forcing.between(0, period.stop)
        truth = gauge.observed[: period.stop].copy()
        truth[: period.start or 0] = np.nan
        self.there = np.flatnonzero(np.isfinite(truth))
        self.target = truth[self.there]

    def __call__(self, points: Floats) -> Floats:
        velocities = self._velocities(points[:, -1])
        own = self._own(self.known, self.search.rows(points), velocities)[:, self.there]
        given = [self._given(velocity)[self.there] for velocity in velocities]
        return misfit(own + np.stack(given), self.target)

    def interval(self, point: Floats) -> Interval:
        """The parameters of a point, and the flow that they give over the whole record."""
        row, velocity = self.search.rows(point[None])[0], float(self._velocities(point[-1:])[0])
        own = self._own(self.gauge.forcing, row[None], np.array([velocity]))[0]
        return Interval(row, velocity, own + self._given(velocity))

    def _own(self, forcing: Forcing, rows: Floats, velocities: Floats) -> Floats:
        """What the interval's sub-basins bring to the gauge: (sets, steps) [mm over the gauge's whole area]."""
        out = np.zeros((len(rows), forcing.precipitation.shape[1]))
        for place, (share, way) in enumerate(zip(self.shares, self.ways, strict=True)):
            run = share * warmed(self.model, _row(forcing, place), rows, known=self.known.precipitation.shape[1])
            if way > 0.0:
                for each, velocity in zip(run, velocities, strict=True):
                    each[:] = self.routing.late(each.copy(), way, float(velocity), self.step_s)
            out += run
        return out

    def _given(self, velocity: float) -> Floats:
        return handed_on(self.gauge, self.gauges, self.found, velocity, self.routing, self.step_s)

    def _velocities(self, x: Floats) -> Floats:
        low, high = self.routing.velocity
        return np.asarray(low * (high / low) ** x)


def _row(forcing: Forcing, place: int) -> Forcing:
    """One row of some weather."""
    only = slice(place, place + 1)
    warmth = None if forcing.temperature is None else forcing.temperature[only]
    return Forcing(forcing.precipitation[only], forcing.pet[only], warmth, forcing.names[only], forcing.times)


def own_share(gauge: Gauge, gauges: Sequence[Gauge]) -> float:
    """Share of a gauge's area that is its own interval [1]."""
    return 1.0 - sum(gauges[above].whole for above in gauge.above) / gauge.whole


def handed_on(
    gauge: Gauge, gauges: Sequence[Gauge], found: Sequence[Interval], velocity: float, routing: Routing, step_s: float
) -> Floats:
    """What the gauges above hand on, (steps,) [mm over the gauge's whole area]; step_s: of the flow [s]."""
    out = np.zeros(len(gauge.observed))
    for above, distance in zip(gauge.above, gauge.distance, strict=True):
        share = gauges[above].whole / gauge.whole
        out += share * routing.late(found[above].simulated, distance, velocity, step_s)
    return out
