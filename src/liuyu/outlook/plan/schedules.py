"""The schedules that are compared: as usual, as now, by the rules, and the optimiser's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from liuyu.basin.clock import moment
from liuyu.basin.errors import ModelFailed
from liuyu.basin.places import Reservoir
from liuyu.outlook.plan.aims import goals_of
from liuyu.outlook.plan.by_rule import by_rule
from liuyu.outlook.plan.horizon import STEP_H, Base, base_of, problem_of, stored
from liuyu.outlook.plan.judge import Candidate, Judged, high_inflow, judge
from liuyu.outlook.plan.optimise import Problem, solve, tell
from liuyu.outlook.plan.optimise.problem import Floats
from liuyu.outlook.plan.rules import Rules, rules_of
from liuyu.twin import Outlook, RiverTwin
from liuyu.twin.limits import Text, bounded, level_limits

OPTIMISED = "optimised"


@dataclass(frozen=True, slots=True)
class Compared:
    """Schedules judged, the one to propose first, and what the optimiser says of its own."""

    judged: tuple[Judged, ...]
    words: tuple[Text, ...]

    def of(self, key: str) -> Judged | None:
        """The schedule of a key."""
        return next((each for each in self.judged if each.candidate.key == key), None)


@dataclass(frozen=True, slots=True)
class Setting:
    """A reservoir in an outlook: its rules, the gauges they look at, the course without a decision, and its problem."""

    rules: Rules
    gauges: tuple[str, ...]
    base: Base
    problem: Problem


def setting(twin: RiverTwin, outlook: Outlook, reservoir: Reservoir, release: float) -> Setting:
    """What the optimiser is asked in an outlook, from the present release [m3/s]."""
    below = twin.below(twin.reservoir_places[reservoir.code])
    rules = rules_of(twin.basin, reservoir, below)
    gauges = watched(twin, rules, below)
    base = base_of(twin, outlook, reservoir, gauges)
    day = moment(outlook.now, twin.basin.zone).date()
    problem = problem_of(
        twin.basin,
        reservoir,
        base,
        storage=stored(reservoir, float(outlook.here.level[twin.reservoir_places[reservoir.code]])),
        release=release,
        goals=goals_of(twin.basin, reservoir, rules, gauges, day, len(base.release)),
        ramp=rules.ramp * STEP_H,
    )
    return Setting(rules, gauges, base, problem)


def watched(twin: RiverTwin, rules: Rules, below: Sequence[str]) -> tuple[str, ...]:
    """The gauges below that have a level in the twin, and a line to be kept to."""
    named = {each.station for each in rules.stages}
    lined = {each.station for each in twin.basin.thresholds if each.kind in ("warning", "guarantee")}
    return tuple(code for code in below if code in named | lined and (code, "water_level") in twin.plumbing.row)


def compare(twin: RiverTwin, outlook: Outlook, reservoir: Reservoir, release: float) -> Compared:
    """Every schedule run through the whole twin. First stands the optimiser's, unless one of the others keeps the pool
    lower where the optimiser's passes the normal pool, or it found none; the others by their loss."""
    given = setting(twin, outlook, reservoir, release)
    place = twin.reservoir_places[reservoir.code]
    expected = outlook.course.flow[place]
    day = moment(outlook.now, twin.basin.zone).date()
    ruled = by_rule(
        reservoir,
        given.rules,
        given.base,
        storage=given.problem.dams[0].storage,
        release=release,
        limit=level_limits(twin.basin, reservoir, day).get("flood_limit"),
    )
    tried = [
        ("expected", "按以往调度习惯", "as in like states before", expected),
        (
            "hold",
            f"维持现状出库{release:.0f} m³/s",
            f"hold the present {release:.0f} m³/s",
            np.full(len(expected), release),
        ),
        ("rules", "按调度规程", "by the flood-control rules", hourly(ruled, len(expected))),
    ]
    words: tuple[Text, ...] = ()
    try:
        answer = solve(given.problem)
        words = tuple(tell(given.problem, answer))
        best = hourly(answer.course.release[reservoir.code], len(expected))
        tried.insert(0, (OPTIMISED, "优化调度", "optimised schedule", best))
    except ModelFailed as error:
        words = ({"zh": f"优化未得出结果：{error}", "en": f"the optimiser found no schedule: {error}"},)
    wet = high_inflow(twin, outlook, place)
    below = twin.below(place)
    judged = [
        judge(twin, outlook, reservoir, Candidate(key, zh, en, bounded(reservoir, wanted, release)), below, wet)
        for key, zh, en, wanted in tried
    ]
    ranked = sorted(
        judged, key=lambda each: (round(each.over_pool, 2), each.candidate.key != OPTIMISED, round(each.loss, 6))
    )
    return Compared(tuple(ranked), words)


def hourly(steps: Floats, hours: int) -> Floats:
    """A schedule in steps as one in hours, its last value held."""
    out = np.repeat(steps, STEP_H)[:hours]
    return np.concatenate([out, np.full(hours - len(out), out[-1])])
