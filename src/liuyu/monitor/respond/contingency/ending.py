"""Proof that a level can be reached and a response ended: a course of values that does it, or what stands in the way.

Each condition is a line on a series. A demand (this level met; nothing met, and what the ending asks for) is a tree of
such lines; the search below finds values, one for each series within the range it can have, that meet the whole demand,
or shows that there are none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.respond.contingency.form import Condition, Ends, Level, Plan
from liuyu.monitor.respond.contingency.situation import stations_of, threshold_of

Range = tuple[float, float]
STEPS = 200_000
"""How far the search goes before it gives up; plans that people write need a few hundred."""


@dataclass(frozen=True, slots=True)
class Line:
    """That a series lies at or above (or below) a value; `source` is the condition that says so."""

    series: str
    low: float
    high: float
    source: Condition


@dataclass(frozen=True, slots=True)
class Need:
    """At least `count` of the parts."""

    count: int
    parts: tuple[Demand, ...]


Demand = Line | Need
TRUE, FALSE = Need(0, ()), Need(1, ())


class World:
    """What a basin can be like on a day: the range of each series, and where its thresholds stand."""

    def __init__(self, basin: Basin, day: date) -> None:
        self.basin, self.day = basin, day

    def range(self, series: str) -> Range:
        """What values a series can have [unit]: a reservoir's level lies between dead pool and the top of its curve."""
        station, name, *_ = series.split("/")
        if name in {"flag", "rate", "years"}:
            return (0.0, 1e9)
        kind = quantity(name)
        low, high = kind.lower, kind.upper
        reservoir = self.basin.reservoir_by_station.get(station)
        if reservoir is not None and name == "water_level":
            dead = threshold_of(self.basin, station, name, "dead_pool", self.day)
            low = dead.value if dead else low
            high = reservoir.curve[-1][0] if reservoir.curve else high
        return (low, high)

    def line(self, condition: Condition, station: str) -> float | None:
        """Where a condition's line lies at a station on this day."""
        given = condition.above if condition.below is None else condition.below
        if isinstance(given, str):
            found = threshold_of(self.basin, station, condition.quantity, given, self.day)
            return None if found is None else found.value + condition.by
        return None if given is None else float(given) + condition.by


def demand(condition: Condition, world: World, *, met: bool, ease: Ends | None = None) -> Demand:
    """The demand that a condition is met, or that it is not, not even eased."""
    if condition.kind in {"any", "all"}:
        parts = tuple(demand(each, world, met=met, ease=ease) for each in condition.parts)
        count = len(parts) if condition.kind == "all" else condition.at_least
        return Need(count if met else len(parts) - count + 1, parts)
    if condition.kind == "reported":
        return FALSE if met else TRUE
    stations = stations_of(condition, world.basin)
    if condition.kind in {"notice", "alert", "numbered_flood"}:
        key = f"{condition.kind}:{condition.threshold}:{condition.severity}:{condition.rule}:{','.join(stations)}/flag"
        return Line(key, *((1.0, 1.0) if met else (0.0, 0.0)), condition)
    lines = [_line(condition, each, world, met, ease) for each in stations]
    found = tuple(each for each in lines if each is not None)
    return Need(condition.at_least if met else max(0, len(found) - condition.at_least + 1), found)


def _line(condition: Condition, station: str, world: World, met: bool, ease: Ends | None) -> Line | None:
    over, tail = condition.below is None, condition.quantity
    if condition.kind == "rising":
        at, tail, name = condition.rate, "rate", "rising"
    elif condition.kind == "return_period":
        at, tail, name = condition.years, "years", "return_period"
    else:
        at, name = world.line(condition, station), condition.quantity
    if at is None:
        return None
    if condition.kind == "forecast":
        tail += f"/{condition.within_h}"
    if not met and ease:
        at += -ease.easing.get(name, 0.0) if over else ease.easing.get(name, 0.0)
    series = f"{station}/{tail}"
    low, high = world.range(series)
    step = 1e-4  # a line is passed where it is touched: not to pass it is to stay this far below
    if over == met:
        return Line(series, at if met else at + step, high, condition)
    return Line(series, low, at if met else at - step, condition)


def level_demand(level: Level, world: World, *, met: bool, ease: Ends | None = None) -> Demand:
    """The demand that a level's conditions are met, or that they are not."""
    parts = tuple(demand(each, world, met=met, ease=ease) for each in level.conditions)
    count = len(parts) if level.match == "all" else 1 if level.match == "any" else level.match
    return Need(count if met else len(parts) - count + 1, parts)


@dataclass(frozen=True, slots=True)
class Solution:
    """Values that meet a demand, by series; or none, and the two lines that could not be brought together."""

    values: Mapping[str, float] | None
    clash: tuple[Line, Line] | None = None


def solve(demands: Sequence[Demand], world: World) -> Solution:
    """Values that meet all demands, or the clash that the search met deepest."""
    search = _Search(world)
    ranges = search.run(demands)
    if ranges is None:
        return Solution(None, search.clash)
    return Solution({series: (low + high) / 2 for series, (low, high) in ranges.items()})


class _Search:
    """Depth-first over the demands; each line narrows the range of its series."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._left = STEPS
        self._deepest = -1
        self._by: dict[str, Line] = {}
        self.clash: tuple[Line, Line] | None = None

    def run(self, demands: Sequence[Demand]) -> dict[str, Range] | None:
        return next(self._all(list(demands), {}), None)

    def _all(self, todo: list[Demand], ranges: dict[str, Range]) -> Iterator[dict[str, Range]]:
        self._left -= 1
        if self._left < 0:
            return
        if not todo:
            yield ranges
            return
        head, rest = todo[0], todo[1:]
        if isinstance(head, Line):
            narrowed = self._narrow(head, ranges, len(ranges))
            if narrowed is not None:
                yield from self._all(rest, narrowed)
            return
        if head.count <= 0:
            yield from self._all(rest, ranges)
        elif head.count <= len(head.parts):
            for chosen in combinations(head.parts, head.count):
                yield from self._all([*chosen, *rest], ranges)

    def _narrow(self, line: Line, ranges: dict[str, Range], depth: int) -> dict[str, Range] | None:
        low, high = ranges.get(line.series) or self._world.range(line.series)
        narrowed = (max(low, line.low), min(high, line.high))
        if narrowed[0] > narrowed[1]:
            if depth > self._deepest:
                self._deepest, self.clash = depth, (line, self._by.get(line.series, line))
            return None
        self._by[line.series] = line
        return {**ranges, line.series: narrowed}


def days_of(basin: Basin) -> tuple[date, ...]:
    """Days of a year on which thresholds stand differently: the first, and those on which a season begins or ended."""
    found = {date(2023, 1, 1)}
    for each in basin.thresholds:
        if each.season is not None:
            found |= {date(2023, *each.season.start), date(2023, *each.season.end) + timedelta(days=1)}
    return tuple(sorted(found))


def reach(level: Level, world: World) -> Solution:
    """Values under which a level's conditions are met."""
    return solve([level_demand(level, world, met=True)], world)


def end(plan: Plan, level: Level, world: World) -> Solution:
    """Values under which a response at a level comes to its end, by way of the milder ones or at once.

    No level is met, not even eased, and what the endings on the way ask for beside is so.
    """
    still = [level_demand(each, world, met=False, ease=each.ends) for each in plan.levels]
    also = [demand(each, world, met=True) for passed in plan.upto(level.code) for each in passed.ends.also]
    return solve([*also, *still], world)


def calm(plan: Plan, basin: Basin, day: date) -> Mapping[str, float] | None:
    """Values under which a response is ended on a day, whatever its level was; None where there are none."""
    return end(plan, plan.levels[-1], World(basin, day)).values
