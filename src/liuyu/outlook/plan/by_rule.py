"""What the rules alone would release: no optimum, each step by what the pool and the gauges are then."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from liuyu.basin.clock import HOUR
from liuyu.basin.places import Reservoir
from liuyu.outlook.plan.horizon import STEP_H, Base
from liuyu.outlook.plan.optimise.problem import Floats
from liuyu.outlook.plan.rules import Rules
from liuyu.twin import along_curve

AHEAD = 24 // STEP_H  # steps that a gauge is looked at beyond the time that water takes to it
_FELT = 0.5


def by_rule(
    reservoir: Reservoir, rules: Rules, base: Base, *, storage: float, release: float, limit: float | None
) -> Floats:
    """Releases (steps,) [m3/s] by the stages of the rules, on the middle course.

    The inflow is passed on, with what brings the pool to its flood limit [m] in the days that the rules give; the
    drawdown stops where a gauge would pass its easing, and all release where one would pass its line at a constant
    release until the water has arrived and a day longer. Above the highest stage the inflow is passed on.
    """
    inflow = base.inflow.mean(axis=0)
    level = {
        code: base.level[code].mean(axis=0) - np.convolve(base.release, kernel)[: len(inflow)]
        for code, kernel in base.kernel.items()
    }  # as it would be without any release
    levels, held = np.array(reservoir.curve).T
    rest = float(along_curve(np.array([limit]), levels, held)[0]) if limit is not None else None
    low, high = reservoir.release_range
    out = np.empty(len(inflow))
    for step, arriving in enumerate(inflow):
        pool = float(along_curve(np.array([storage]), held, levels)[0])
        spare = (storage - rest) / (rules.drawdown_days * 24 * HOUR) if rest is not None else 0.0
        wanted = _wanted(rules, pool, float(arriving), spare, level, base.kernel, step)
        release = float(
            np.clip(np.clip(wanted, release - rules.ramp * STEP_H, release + rules.ramp * STEP_H), low, high)
        )
        out[step] = release
        storage += (float(arriving) - release) * STEP_H * HOUR
        for code, kernel in base.kernel.items():
            level[code][step:] += kernel[: len(inflow) - step] * release
    return out


def _wanted(
    rules: Rules,
    pool: float,
    inflow: float,
    spare: float,
    level: Mapping[str, Floats],
    kernel: Mapping[str, Floats],
    step: int,
) -> float:
    """What would be let go if releases could change at once."""
    serving = [each for each in rules.serving(pool) if each.station in level]
    if not serving:
        return max(inflow, inflow + spare)
    most = min(_allowed(level[each.station], kernel[each.station], step, each.line) for each in serving)
    eased = [
        _allowed(level[each.station], kernel[each.station], step, each.easing)
        for each in serving
        if each.easing is not None
    ]
    return min(most, max(inflow + min(spare, 0.0), min([inflow + spare, *eased])))


def _allowed(level: Floats, kernel: Floats, step: int, line: float) -> float:
    """The most constant release from a step on that keeps a gauge below a line until the water has come, and a day."""
    ahead = min(int(kernel.argmax()) + AHEAD, len(level) - step)
    felt = np.cumsum(kernel)[:ahead]
    where = felt >= _FELT * felt.max()
    if felt.max() <= 0:
        return float("inf")
    return max(float(((line - level[step : step + ahead])[where] / felt[where]).min()), 0.0)
