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
from liuyu.physics.routing import lag
from liuyu.twin.runoff.calibrate import SHARE, Search, misfit, warmed
from liuyu.twin.runoff.cmaes import polish
from liuyu.twin.runoff.models import RunoffModel
from liuyu.twin.runoff.run import Forcing
from liuyu.twin.runoff.sceua import minimise

Floats = NDArray[np.float64]
VELOCITY = (0.2, 4.0)  # [m/s] searched, by its logarithm
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Gauge:
    """A gauge with its interval, the land between it and the gauges above.

    above: places of those gauges, all before it; distance: from each [km]; whole: area above the gauge [km2];
    forcing: one row, the interval's own weather; observed: (steps,) flow over the whole area [mm], NaN where missing.
    """

    name: str
    above: tuple[int, ...]
    distance: tuple[float, ...]
    whole: float
    forcing: Forcing
    observed: Floats


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
        problem = _Problem(model, gauge, gauges, found, period)
        rough = minimise(problem, problem.size, seed, evaluations=int(SHARE * evaluations))
        best = polish(problem, rough.best, seed, evaluations=evaluations - rough.evaluations).best
        found.append(problem.interval(best))
        tell((place + 1) / len(gauges))
    return found


class _Problem:
    """What is asked of an interval's parameters and, as the last, of the velocity, where gauges lie above."""

    def __init__(
        self, model: RunoffModel, gauge: Gauge, gauges: Sequence[Gauge], found: list[Interval], period: slice
    ) -> None:
        self.model, self.gauge, self.gauges, self.found = model, gauge, gauges, found
        self.share = own_share(gauge, gauges)
        self.search = Search(model, snow=gauge.forcing.temperature is not None)
        self.size = self.search.size + (1 if gauge.above else 0)
        self.known = gauge.forcing.between(0, period.stop)
        truth = gauge.observed[: period.stop].copy()
        truth[: period.start or 0] = np.nan
        self.there = np.flatnonzero(np.isfinite(truth))
        self.target = truth[self.there]

    def __call__(self, points: Floats) -> Floats:
        own = self.share * warmed(self.model, self.known, self.search.rows(points))[:, self.there]
        given = [self._given(velocity)[self.there] for velocity in _velocities(points[:, -1])]
        return misfit(own + np.stack(given), self.target)

    def interval(self, point: Floats) -> Interval:
        """The parameters of a point, and the flow that they give over the whole record."""
        row, velocity = self.search.rows(point[None])[0], float(_velocities(point[-1:])[0])
        own = self.share * warmed(self.model, self.gauge.forcing, row[None])[0]
        return Interval(row, velocity, own + self._given(velocity))

    def _given(self, velocity: float) -> Floats:
        return handed_on(self.gauge, self.gauges, self.found, velocity)


def own_share(gauge: Gauge, gauges: Sequence[Gauge]) -> float:
    """Share of a gauge's area that is its own interval [1]."""
    return 1.0 - sum(gauges[above].whole for above in gauge.above) / gauge.whole


def handed_on(gauge: Gauge, gauges: Sequence[Gauge], found: Sequence[Interval], velocity: float) -> Floats:
    """What the gauges above hand on, (steps,) [mm over the gauge's whole area]."""
    out = np.zeros(len(gauge.observed))
    for above, distance in zip(gauge.above, gauge.distance, strict=True):
        out += gauges[above].whole / gauge.whole * lag(found[above].simulated, distance * 1e3 / velocity, DAY)
    return out


def _velocities(x: Floats) -> Floats:
    low, high = VELOCITY
    return np.asarray(low * (high / low) ** x)
