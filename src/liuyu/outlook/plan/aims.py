"""What is wanted of a reservoir in a flood, in order of priority: its rules as goals of the optimiser.

From the highest stage of the pool to the lowest: first the pool keeps below the stage's top, then the stage's gauge
keeps to its line. Where a stage has an easing, the gauge's highest level above it and then its time above it are made
least. Then the pool is back at its flood limit in the days that the rules give, then every gauge keeps below its
warning level, then releases change as little as they can. No priority trades with another, so there are no weights to
tune between storage and levels.

Goals look at the middle course of the forecast: a schedule that is made again every few hours can answer next week's
wettest member next week. What cannot wait is held for all members: the highest pool for two days, the easing for one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np

from liuyu.basin.places import Basin, Reservoir
from liuyu.outlook.plan.horizon import STEP_H, stored
from liuyu.outlook.plan.optimise import Goal
from liuyu.outlook.plan.rules import Rules
from liuyu.twin.limits import level_limits

SOON = 24 // STEP_H
SHORTLY = 48 // STEP_H
LINE_EVERY = 0.2
LINES_UP_TO = 2.0


def goals_of(
    basin: Basin, reservoir: Reservoir, rules: Rules, gauges: Sequence[str], day: date, steps: int
) -> tuple[Goal, ...]:
    """The goals of a reservoir for the gauges below it, from a day on for so many steps."""
    back = min(round(rules.drawdown_days * 24 / STEP_H), steps - 1)
    made = _ladder(basin, reservoir, rules, gauges, day, back)
    return tuple(goal for priority, group in enumerate(made, 1) for goal in (_ranked(each, priority) for each in group))


def _ladder(
    basin: Basin, reservoir: Reservoir, rules: Rules, gauges: Sequence[str], day: date, back: int
) -> Iterator[tuple[Goal, ...]]:
    """Groups of goals, the first the most urgent; back: the step from which the pool is to be at its flood limit."""
    dam = reservoir.code
    unit = 1.0 / max(reservoir.curve[-1][1] - reservoir.curve[0][1], 1.0)
    limits = level_limits(basin, reservoir, day)
    if rules.stages:
        top = stored(reservoir, rules.stages[-1].upto)
        yield (Goal(kind="storage_below", at=dam, value=top, weight=unit, last=SHORTLY),)
    for place, stage in reversed(list(enumerate(rules.stages))):
        yield (Goal(kind="storage_below", at=dam, value=stored(reservoir, stage.upto), weight=unit, members="middle"),)
        if stage.station in gauges:
            yield _kept(basin, gauges, rules, stage.station, stage.line, lowest=place == 0)
        if stage.easing is not None and stage.station in gauges:
            yield (Goal(kind="peak", at=stage.station, value=stage.easing, members="middle"),)
            yield (
                Goal(kind="flow_below", at=stage.station, value=stage.easing, last=SOON),
                Goal(kind="flow_below", at=stage.station, value=stage.easing, members="middle"),
            )
    if "flood_limit" in limits:
        limit = stored(reservoir, limits["flood_limit"])
        yield (
            Goal(kind="storage_below", at=dam, value=limit, weight=unit, members="middle", first=back),
            Goal(kind="storage_above", at=dam, value=limit, weight=10 * unit, members="middle"),
        )
    warned = tuple(_lines(code, line) for code in gauges if (line := _line(basin, code, "warning")) is not None)
    if warned:
        yield warned
    yield (Goal(kind="smooth", at=dam),)


def _kept(
    basin: Basin, gauges: Sequence[str], rules: Rules, station: str, line: float, *, lowest: bool
) -> tuple[Goal, ...]:
    """A stage's gauge at its line; with the lowest stage, every gauge that no stage names at its guarantee level."""
    named = {each.station for each in rules.stages}
    others = [code for code in gauges if lowest and code not in named]
    pairs = [(station, line), *((code, _line(basin, code, "guarantee")) for code in others)]
    return tuple(_lines(code, value) for code, value in pairs if value is not None)


def _lines(code: str, line: float) -> Goal:
    """A level above a line, the dearer the higher, on the middle course."""
    higher = np.arange(line + LINE_EVERY, line + LINES_UP_TO, LINE_EVERY).round(3)
    further = tuple((float(each), 2.0) for each in higher)
    return Goal(kind="flow_below", at=code, value=line, further=further, members="middle")


def _line(basin: Basin, code: str, kind: str) -> float | None:
    return next((each.value for each in basin.thresholds_of(code, "water_level") if each.kind == kind), None)


def _ranked(goal: Goal, priority: int) -> Goal:
    return Goal(
        kind=goal.kind,
        at=goal.at,
        value=goal.value,
        further=goal.further,
        priority=priority,
        weight=goal.weight,
        members=goal.members,
        first=goal.first,
        last=goal.last,
    )
