"""Whether the levels of a plan are in order: a condition of a graver level asks for more than the milder one's does."""

from __future__ import annotations

from typing import Protocol

from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency.ending import World, days_of
from liuyu.monitor.respond.contingency.form import Condition, Plan, rank
from liuyu.monitor.respond.contingency.situation import stations_of

_LINES = {"observed", "forecast", "rising", "return_period"}


class Notes(Protocol):
    """Whoever notes faults; see checking.Where."""

    def fault(self, thing: object, problem: str, cure: str, *, key: str = "", value: object = "") -> None:
        """Note a fault at a thing of the plan."""


def check_order(plan: Plan, basin: Basin, where: Notes) -> None:
    """Note each condition of a graver level that is met whenever one of a milder level is."""
    world = World(basin, days_of(basin)[0])
    for grave in plan.levels:
        for mild in plan.levels:
            if rank(grave.code) <= rank(mild.code) or grave.match == "all" or mild.match == "all":
                continue
            for one in grave.conditions:
                other = next((each for each in mild.conditions if _implied(one, each, world)), None)
                if other is None:
                    continue
                same = _strength(one, world) == _strength(other, world)
                problem = (
                    f"overlaps level {mild.code}, which has the same condition"
                    if same
                    else f"is met before level {mild.code}, whose condition asks for more"
                )
                cure = f"let it ask for more than level {mild.code} does, or leave it to that level"
                key = "above" if one.above is not None else "below" if one.below is not None else "kind"
                where.fault(one, problem, cure, key=key, value=getattr(one, key))


def _strength(condition: Condition, world: World) -> tuple[tuple[float, ...], int, int, float]:
    """How much a condition asks for: its line at each station (turned so that more is graver), count, hours, chance."""
    turn = 1.0 if condition.below is None else -1.0
    lines = []
    for station in stations_of(condition, world.basin):
        if condition.kind == "rising":
            at = condition.rate
        elif condition.kind == "return_period":
            at = condition.years
        else:
            at = world.line(condition, station)
        lines.append(turn * at if at is not None else float("inf"))
    return tuple(lines), condition.at_least, condition.for_h, condition.chance if condition.kind == "forecast" else 0.0


def _implied(grave: Condition, mild: Condition, world: World) -> bool:
    """Whether the graver level's condition is met whenever the milder one's is."""
    if grave.kind != mild.kind or grave.kind not in _LINES or grave.quantity != mild.quantity:
        return False
    if (grave.below is None) != (mild.below is None) or (grave.kind == "forecast" and grave.within_h < mild.within_h):
        return False
    if stations_of(grave, world.basin) != stations_of(mild, world.basin):
        return False
    (lines, *rest), (others, *more) = _strength(grave, world), _strength(mild, world)
    pairs = list(zip(lines, others, strict=True))
    return bool(pairs) and all(one <= other for one, other in [*pairs, *zip(rest, more, strict=True)])
