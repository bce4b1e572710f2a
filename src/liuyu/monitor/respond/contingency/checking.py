"""The faults of sense in a plan: names that do not exist, circles, levels out of order, endings out of reach."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence

from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency.condition_check import check_condition
from liuyu.monitor.respond.contingency.ending import World, days_of, demand, end, level_demand, reach, solve
from liuyu.monitor.respond.contingency.finding import plain
from liuyu.monitor.respond.contingency.form import Action, Condition, Level, Plan, rank
from liuyu.monitor.respond.contingency.order import check_order


class Where(ABC):
    """Something that knows where the things of a plan stand in its file, and notes faults there.

    `broken` are the codes of actions that are in the file but could not be read: to miss them would be a second fault
    for the same cause.
    """

    def __init__(self) -> None:
        self.broken: set[str] = set()

    @abstractmethod
    def fault(self, thing: object, problem: str, cure: str, *, key: str = "", value: object = "") -> None:
        """Note a fault at a thing of the plan; a string names a key of the file itself."""


def check_plan(plan: Plan, basin: Basin, owners: Sequence[str], where: Where) -> None:
    """Note every fault of sense of a plan in a basin whose playbook knows these owners."""
    if plan.effective_until and plan.effective_until <= plan.effective_from:
        cure = f"give a day after {plan.effective_from}"
        where.fault("effective_until", "ends before it begins", cure, value=plan.effective_until)
    tops = [each for level in plan.levels for each in (*level.conditions, *level.ends.also)]
    tops += [each for basin_ in plan.detention for each in basin_.conditions]
    sound = [check_condition(each, basin, where) for each in tops]
    _check_levels(plan, where)
    _check_actions(plan, owners, where)
    _check_contacts(plan, where)
    _check_detention(plan, basin, owners, where)
    if all(sound):  # a condition that cannot be read would make a second, misleading fault of what follows from it
        check_order(plan, basin, where)
        _check_reach(plan, basin, where)
        _check_ends(plan, basin, where)


def check_versions(plans: Sequence[tuple[Plan, Where]]) -> None:
    """Note every version of a plan that is in force on the same day as another, and versions of one name."""
    for place, (plan, where) in enumerate(plans):
        for other, _ in plans[:place]:
            if plan.code != other.code:
                continue
            if plan.version == other.version:
                where.fault("version", "this version of the plan exists already", "give it its own", value=plan.version)
            first, second = sorted((plan, other), key=lambda each: each.effective_from)
            if not first.effective_until or first.effective_until > second.effective_from:
                cure = f'end version {first.version} with effective_until = "{second.effective_from}"'
                problem = f"in force at one time with version {other.version} of {plan.code}"
                where.fault("effective_from", problem, cure, value=plan.effective_from)


def near(name: str, known: Iterable[str]) -> str:
    """The nearest known name as a cure."""
    known = list(known)
    found = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(known[:12]) or 'none'}"


def _check_levels(plan: Plan, where: Where) -> None:
    seen: set[str] = set()
    for level in plan.levels:
        if level.code in seen:
            where.fault(level, "level given twice", "keep one", key="code", value=level.code)
        seen.add(level.code)
        if isinstance(level.match, int) and not 1 <= level.match <= len(level.conditions):
            cure = f"give 1 to {len(level.conditions)}, the number of its conditions"
            where.fault(level, "cannot be reached: more conditions asked for than it has", cure, key="match",
                        value=level.match)  # fmt: skip
        if all(leaf.kind == "reported" for each in level.conditions for leaf in each.leaves()):
            cure = "add a [[level.condition]] on values, forecasts, floods, notices or alerts"
            problem = "cannot be reached: no condition that the twin can see"
            where.fault(level, problem, cure, key="code", value=level.code)


def _check_actions(plan: Plan, owners: Sequence[str], where: Where) -> None:
    at: dict[str, tuple[Action, Level]] = {}
    for level in plan.levels:
        for action in level.actions:
            if action.code in at:
                first = at[action.code][1].code
                cure = "a level includes what milder ones ask: name it once, at the mildest"
                where.fault(action, f"action given twice, at level {first} too", cure, key="code", value=action.code)
            at.setdefault(action.code, (action, level))
            if action.owner not in owners:
                where.fault(action, "no such owner in the playbook", near(action.owner, owners), key="owner",
                            value=action.owner)  # fmt: skip
    for action, level in at.values():
        for name in action.after:
            if name not in at and name in where.broken:
                continue
            if name not in at:
                where.fault(action, "no such action", near(name, at), key="after", value=name)
            elif rank(at[name][1].code) > rank(level.code):
                problem = f"never given at level {level.code}: {name} is an action of level {at[name][1].code}"
                where.fault(action, problem, "move one of them, or drop the prerequisite", key="after", value=name)
    for circle in _circles({name: action.after for name, (action, _) in at.items()}):
        problem = f"wait for one another: {' -> '.join([*circle, circle[0]])}"
        where.fault(at[circle[0]][0], problem, "take one of the prerequisites out", key="after", value=circle[0])


def _circles(after: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Every circle of prerequisites, each once, from its first name on."""
    found: list[list[str]] = []
    seen: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            circle = path[path.index(name) :]
            if not any(set(circle) == set(each) for each in found):
                found.append(circle)
            return
        if name in seen:
            return
        for each in after.get(name, ()):
            walk(each, [*path, name])
        seen.add(name)

    for name in after:
        walk(name, [])
    return found


def _check_contacts(plan: Plan, where: Where) -> None:
    people, lists = [each.code for each in plan.contacts], [each.code for each in plan.lists]
    for kind, things in (("recipient", dict(enumerate(plan.contacts))), ("list", dict(enumerate(plan.lists)))):
        names = people if kind == "recipient" else lists
        for place, each in things.items():
            if names.index(names[place]) != place:
                where.fault(each, f"{kind} given twice", "keep one", key="code", value=names[place])
    for group in plan.lists:
        for name in group.recipients:
            if name not in people:
                where.fault(group, "no such recipient", near(name, people), key="recipients", value=name)
    for level in plan.levels:
        for name in level.notify:
            if name not in people and name not in lists:
                where.fault(level, "no such recipient or list", near(name, [*people, *lists]), key="notify", value=name)


def _check_detention(plan: Plan, basin: Basin, owners: Sequence[str], where: Where) -> None:
    known = {each.code: each for each in basin.detention_basins}
    codes = [each.code for each in plan.detention]
    orders = [each.order for each in plan.detention]
    levels = [each.code for each in plan.levels]
    for place, each in enumerate(plan.detention):
        if codes.index(each.code) != place:
            where.fault(each, "detention basin given twice", "keep one", key="code", value=each.code)
        if orders.index(each.order) != place:
            cure = "give each its own place in the order of use"
            where.fault(each, "two basins share a place in the order of use", cure, key="order", value=each.order)
        if each.owner not in owners:
            where.fault(each, "no such owner in the playbook", near(each.owner, owners), key="owner", value=each.owner)
        if each.level not in levels:
            where.fault(each, "the plan has no such level", near(each.level, levels), key="level", value=each.level)
        if each.population is None and each.code not in known:
            cure = "add population, or the basin to detention_basins.csv"
            where.fault(each, "nobody says how many people must move", cure, key="code", value=each.code)
        if not each.conditions:
            cure = "add [[detention.condition]] tables"
            where.fault(each, "says not when it is opened", cure, key="code", value=each.code)


def _check_reach(plan: Plan, basin: Basin, where: Where) -> None:
    """Each level and each single condition can be met on some day; each level without a graver one."""
    worlds = [World(basin, day) for day in days_of(basin)]
    for level in plan.levels:
        if _check_met((*level.conditions, *level.ends.also), basin, worlds, where):
            continue
        if not any(reach(level, world).values is not None for world in worlds):
            cure = 'its conditions exclude one another: mend them, or join them by match = "any"'
            where.fault(level, "can never be reached", cure, key="code", value=level.code)
            continue
        graver = [each for each in plan.levels if rank(each.code) > rank(level.code)]
        for world in worlds:
            others = [level_demand(each, world, met=False) for each in graver]
            if solve([level_demand(level, world, met=True), *others], world).values is not None:
                break
        else:
            cure = "move the lines of the graver levels further up"
            problem = "can never be proposed: whenever it is met, a graver level is"
            where.fault(level, problem, cure, key="code", value=level.code)
    for place in plan.detention:
        _check_met(place.conditions, basin, worlds, where)


def _check_met(conditions: Iterable[Condition], basin: Basin, worlds: Sequence[World], where: Where) -> int:
    """Note each condition that nothing can meet on any day, and return how many those are."""
    count = 0
    for each in conditions:
        if each.kind == "reported" or any(_met(each, world) for world in worlds):
            continue
        count += 1
        key = next((name for name in ("above", "below") if getattr(each, name) is not None), "kind")
        value = getattr(each, key)
        cure = "correct the line, the stations or how many are asked for"
        where.fault(each, f"can never be met: {plain(each, basin)['en']}", cure, key=key, value=value)
    return count


def _met(condition: Condition, world: World) -> bool:
    return solve([demand(condition, world, met=True)], world).values is not None


def _check_ends(plan: Plan, basin: Basin, where: Where) -> None:
    """From every level, on every day, the response can come to its end; one cause is told once."""
    told: set[tuple[Condition, ...]] = set()
    for level in plan.levels:
        for day in days_of(basin):
            found = end(plan, level, World(basin, day))
            if found.values is not None:
                continue
            clash = ""
            if found.clash is not None:
                first, second = found.clash
                if (first.source, second.source) in told:
                    break
                told.add((first.source, second.source))
                said = [plain(each.source, basin)["en"] for each in (first, second)]
                clash = f": {said[0]}" + (f", against: {said[1]}" if said[1] != said[0] else " would have to cease")
            cure = "lower the easing, raise the line above what the series always has, or mend `also`"
            problem = f"a response at level {level.code} can never be ended ({day:%d %b}){clash}"
            where.fault(level.ends, problem, cure, key="after_h", value=level.ends.after_h)
            break
