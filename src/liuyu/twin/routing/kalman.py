"""Kalman filter on the states of a Muskingum reach: the lower gauge corrects the water still on its way to it.

The states are the flows behind each sub-reach, and what enters unmeasured along the way, which fades back to nothing.
They move linearly, so that the filter is exact [1]; the unmeasured inflow is what makes a correction last longer than
the water within the reach [2].

    x1 = F x0 + g I,   y = flow behind the last sub-reach + error

[1] Kalman R.E. (1960) A new approach to linear filtering and prediction problems. J. Basic Engineering 82.
[2] Georgakakos A.P. et al. (1990) A state-space model for flood routing with unknown lateral inflow. Water Resour. Res.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.physics.compiled import compiled
from liuyu.physics.routing import muskingum_step, sub_reaches

Floats = NDArray[np.float64]


class Reach(msgspec.Struct, frozen=True):
    """A reach between two gauges: travel time [steps], weight x [1], and the share of the inflow that arrives [1]."""

    travel: float
    x: float
    share: float


class Filter(msgspec.Struct, frozen=True):
    """How unsure each thing is, as shares of a flow `size` [m3/s]: the states, the unmeasured inflow, the gauge.

    kept: how much of the unmeasured inflow is left after a step [1].
    """

    states: float
    inflow: float
    gauge: float
    kept: float
    size: float


@dataclass(frozen=True, slots=True)
class _Linear:
    """x1 = step x0 + now I1 + before I0: the cascade as matrices, the unmeasured inflow the last state."""

    step: Floats
    now: Floats
    before: Floats


def fit_reach(inflow: Floats, outflow: Floats, period: slice, *, travels: Floats, weights: Sequence[float]) -> Reach:
    """The travel time, weight and share with the least error of the open run over a period; NaN counts nowhere.

    inflow: (steps,) [m3/s] without gaps; travels: to be tried [steps]. Raises BadInput where nothing is observed.
    """
    there = np.isfinite(outflow[period])
    if there.sum() < 100:
        raise BadInput(f"{there.sum()} observed steps are too few to fit a reach; lengthen the period")
    best, least = Reach(float(travels[0]), float(weights[0]), 1.0), np.inf
    for travel, x in product(travels, weights):
        routed = open_run(inflow, Reach(float(travel), x, 1.0))[period][there]
        share = float(routed @ outflow[period][there] / (routed @ routed))
        error = float(((share * routed - outflow[period][there]) ** 2).mean())
        if error < least:
            best, least = Reach(float(travel), x, share), error
    return best


def open_run(inflow: Floats, reach: Reach) -> Floats:
    """Outflow (steps,) [m3/s] of the reach without any correction, steady before."""
    return np.asarray(_routed(reach.share * inflow, reach.travel, reach.x, sub_reaches(reach.travel, reach.x, 1.0)))


def forecasts(
    inflow: Floats, outflow: Floats, reach: Reach, noise: Filter, leads: Sequence[int], *, known: bool = True
) -> Floats:
    """Outflow (leads, steps) [m3/s] forecast, each at the step it is for, from the lower gauge up to `lead` before it.

    inflow: (steps,) [m3/s] without gaps; outflow: (steps,), NaN where missing; known: whether the inflow of the steps
    ahead is known, else it stays as it is. NaN in the first steps.
    """
    linear, scale = _linear(reach, noise.kept), noise.size
    variance = np.full(len(linear.now), (noise.states * scale) ** 2)
    variance[-1] = (noise.inflow * scale) ** 2
    return np.asarray(
        _filter(
            reach.share * inflow,
            outflow,
            linear.step,
            linear.now,
            linear.before,
            variance,
            (noise.gauge * scale) ** 2,
            np.asarray(leads, np.int64),
            known,
        )
    )


def tune(inflow: Floats, outflow: Floats, reach: Reach, leads: Sequence[int], period: slice) -> Filter:
    """The filter with the least mean error over the leads in a period, each lead's counted in its own size."""
    start, end = period.start or 0, period.stop
    i, o = inflow[start:end], outflow[start:end]
    size = float(np.nanmean(o))
    best, least = Filter(0.01, 0.01, 0.01, 0.99, size), np.inf
    plain = float(np.nanstd(o - open_run(i, reach)))
    for states, lateral, kept in product((0.002, 0.01, 0.03), (0.0005, 0.002, 0.01), (0.98, 0.995, 0.999)):
        tried = Filter(states, lateral, 0.01, kept, size)
        error = forecasts(i, o, reach, tried, leads) - o
        value = float(np.mean([np.sqrt(np.nanmean(row**2)) / plain for row in error]))
        if value < least:
            best, least = tried, value
    return best


def _linear(reach: Reach, kept: float) -> _Linear:
    """The law's own step, asked for each unit state in turn."""
    count = sub_reaches(reach.travel, reach.x, 1.0)
    if count < 1:
        raise BadInput(f"a travel time of {reach.travel:g} steps is shorter than the step; there is nothing to filter")

    def one(flow: Floats, inflow: float) -> Floats:
        muskingum_step(flow, inflow, reach.travel, reach.x, 1.0, count)
        return flow[1:]

    size = count + 1
    step = np.zeros((size, size))
    for place in range(count):
        flow = np.zeros(count + 1)
        flow[place + 1] = 1.0
        step[:count, place] = one(flow, 0.0)
    now, before = np.zeros(size), np.zeros(size)
    now[:count] = one(np.zeros(count + 1), 1.0)
    flow = np.zeros(count + 1)
    flow[0] = 1.0
    before[:count] = one(flow, 0.0)
    step[:, -1] = kept * now + before
    step[-1, -1] = kept
    return _Linear(step, now, before)


@compiled
def _routed(inflow: Floats, travel: float, x: float, count: int) -> Floats:
    flow = np.full(count + 1, inflow[0])
    out = np.empty_like(inflow)
    for at in range(len(inflow)):
        out[at] = muskingum_step(flow, inflow[at], travel, x, 1.0, count)
    return out


@compiled
def _times(matrix: Floats, vector: Floats) -> Floats:
    """matrix times vector, by hand: compiled products of matrices would need a library of their own."""
    out = np.zeros(len(matrix))
    for row in range(len(matrix)):
        for column in range(len(vector)):
            out[row] += matrix[row, column] * vector[column]
    return out


@compiled
def _between(matrix: Floats, middle: Floats) -> Floats:
    """matrix x middle x the transposed matrix, of a symmetric middle."""
    half = np.empty_like(middle)
    for column in range(len(middle)):
        half[:, column] = _times(matrix, middle[:, column])
    out = np.empty_like(middle)
    for row in range(len(middle)):
        out[row] = _times(matrix, half[row])
    return out


@compiled
def _filter(
    inflow: Floats,
    outflow: Floats,
    step: Floats,
    now: Floats,
    before: Floats,
    variance: Floats,
    gauge: float,
    leads: NDArray[np.int64],
    known: bool,
) -> Floats:
    """Predict, correct, look ahead, at every step."""
    size, steps, furthest = len(now), len(inflow), leads.max()
    x = np.full(size, inflow[0])
    x[-1] = 0.0
    p = np.diag(variance * 100.0)
    out = np.full((len(leads), steps), np.nan)
    for at in range(1, steps):
        x = _times(step, x) + now * inflow[at] + before * inflow[at - 1]
        p = _between(step, p) + np.diag(variance)
        if np.isfinite(outflow[at]):
            gain = p[:, size - 2] / (p[size - 2, size - 2] + gauge)
            x += gain * (outflow[at] - x[size - 2])
            p = p - np.outer(gain, p[size - 2])
        ahead = x.copy()
        for lead in range(1, min(furthest, steps - 1 - at) + 1):
            first = inflow[at + lead - 1] if known else inflow[at]
            second = inflow[at + lead] if known else inflow[at]
            ahead = _times(step, ahead) + now * second + before * first
            for row in range(len(leads)):
                if leads[row] == lead:
                    out[row, at + lead] = ahead[size - 2]
    return out
