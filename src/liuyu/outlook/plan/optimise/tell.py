"""What an answer means, in words: which limit gave way and by how much, which goal is missed and what it would take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from liuyu.outlook.plan.optimise.highs import Solver
from liuyu.outlook.plan.optimise.problem import Floats, Goal, Problem
from liuyu.outlook.plan.optimise.program import Limit, Places, Program
from liuyu.outlook.plan.optimise.solve import Answer, Reached

Text = Mapping[str, str]
MILLION, BILLION = 1e6, 1e9
DEAR = 1e3  # how much worse it is to miss the goal than to need more storage, in scaled units
_PRICED = 1e-7
_MEMBERS = {
    "mean": ("成员平均", "on the mean of members"),
    "worst": ("最不利成员", "in the worst member"),
    "middle": ("中间过程", "on the middle course"),
}
_LIMITS: dict[str, Text] = {
    "storage_high": {"zh": "库容上限", "en": "upper limit of storage"},
    "storage_low": {"zh": "库容下限", "en": "lower limit of storage"},
    "capacity": {"zh": "泄流能力", "en": "outlet capacity"},
    "flow_below": {"zh": "流量上限", "en": "upper limit of flow"},
    "flow_above": {"zh": "流量下限", "en": "lower limit of flow"},
    "storage_below": {"zh": "蓄水上限", "en": "upper limit of water held"},
    "storage_above": {"zh": "蓄水下限", "en": "lower limit of water held"},
}


@dataclass(frozen=True, slots=True)
class Needed:
    """More storage [m3] that would meet a goal in every member, and the excess that no storage would take away."""

    storage: float
    left: float


def tell(problem: Problem, answer: Answer) -> list[Text]:
    """What gave way, which goals are missed and what binds them, in both languages, the gravest first."""
    told = [_gave_way(problem, each.limit, each.amount) for each in answer.given_way]
    missed = [
        each
        for each in answer.reached
        if each.goal.kind.endswith(("below", "above")) and each.excess.max() > _slight(problem, each.goal)
    ]
    for each in sorted(missed, key=lambda one: one.goal.priority):
        told.append(_missed(problem, each))
    if missed:
        told += _binding(problem, answer, min(each.goal.priority for each in missed))
    return told


def needed_storage(problem: Problem, goal: Goal) -> Needed:
    """How much more storage in all, shared among the dams as suits best, would meet an upper limit of flow.

    Limits of release, ramps and outlets stay. The excess that is left over is the largest in any step [m3/s].
    """
    bare = replace(problem, goals=(*[each for each in problem.goals if each.hard], _hardened(goal)))
    program = Program(bare)
    extra = program.columns.add(len(bare.dams), 0.0, np.inf, program.volume_unit)
    cost: list[tuple[Places, float]] = [(extra, 1.0)]
    for limit in program.limits:
        if limit.what == "storage_high":
            place = np.full(len(limit.slack), extra[bare.dam_place[limit.code]])
            program.rows.add([(limit.slack, 1.0), (place, -1.0)], -np.inf, 0.0)
        else:
            cost.append((limit.slack, DEAR * program.volume_unit / program.columns.unit_of(limit.slack)))
    solver = Solver(program)
    solver.minimise(np.concatenate([c for c, _ in cost]), np.concatenate([np.full(len(c), v) for c, v in cost]))
    x = solver.run(fresh=False)
    left = max(float(x[each.slack].max()) for each in program.limits if each.goal is not None and each.code == goal.at)
    return Needed(float(x[extra].sum()), left)


def _hardened(goal: Goal) -> Goal:
    return Goal(kind=goal.kind, at=goal.at, value=goal.value, first=goal.first, last=goal.last, hard=True)


def _slight(problem: Problem, goal: Goal) -> float:
    """What of an excess is not worth a word: half a centimetre, or as little of a flow or a storage."""
    if goal.at in problem.junction_place and problem.junctions[problem.junction_place[goal.at]].unit == "m":
        return 5e-3
    return 1e-5 * max(abs(goal.value), 1.0)


def _gave_way(problem: Problem, limit: Limit, amount: Floats) -> Text:
    hours = _hours(problem, amount)
    stored = limit.what.startswith("storage")
    most = f"{amount.max() / MILLION:,.2f} × 10⁶ m³" if stored else f"{amount.max():,.0f} m³/s"
    zh, en = problem.named(limit.code, "zh"), problem.named(limit.code, "en")
    what = _LIMITS[limit.what]
    return {
        "zh": f"无可行方案：{zh}的{what['zh']}无法满足，持续{hours:g} 小时，最多超出{most}",
        "en": f"No feasible schedule: the {what['en']} of {en} cannot be kept for {hours:g} h, by up to {most}",
    }


def _missed(problem: Problem, reached: Reached) -> Text:
    goal = reached.goal
    hours = _hours(problem, reached.excess, _slight(problem, goal))
    zh, en = problem.named(goal.at, "zh"), problem.named(goal.at, "en")
    above = goal.kind.endswith("below")
    value, most = _amounts(problem, goal, reached)
    mean = _MEMBERS[goal.members]
    zh = f"{zh}{'高于' if above else '低于'}{value}共{hours:g} 小时（{mean[0]}，最多{most}）"
    side = "above" if above else "below"
    en = f"{en} stays {side} {value} for {hours:g} h ({mean[1]}, by up to {most})"
    if goal.kind == "flow_below" and goal.at in problem.junction_place:
        needed, unit = needed_storage(problem, goal), _unit(problem, goal)
        if needed.left > 1e-3:
            zh += f"；即使库容无限，最不利成员仍超出{needed.left:,.4g} {unit}：来自未受水库控制的区间来水或已在途的水量"
            en += (
                f"; no storage would prevent it: {needed.left:,.4g} {unit} of the worst member is water that no dam "
                "here controls or that is on its way already"
            )
        elif needed.storage > 0:
            zh += f"；要使各成员均不超过，还需库容{needed.storage / 1e8:,.2f} 亿m³"
            more = f"{needed.storage / BILLION:,.2f} billion m³ more storage"
            en += f"; {more} would be needed to prevent it in every member"
    return {"zh": zh, "en": en}


def _amounts(problem: Problem, goal: Goal, reached: Reached) -> tuple[str, str]:
    """A goal's value and the most by which it is missed, with units; of a dam with a curve as levels of its pool."""
    lines = 1.0 + sum(weight for line, weight in goal.further if line <= goal.value)
    most = float(reached.excess.max()) / lines
    if "storage" not in goal.kind:
        unit = _unit(problem, goal)
        return f"{goal.value:,.5g} {unit}", f"{most:,.4g} {unit}"
    dam = problem.dams[problem.dam_place[goal.at]]
    if not dam.curve:
        return f"{goal.value / MILLION:,.0f} × 10⁶ m³", f"{most / MILLION:,.4g} × 10⁶ m³"
    level, held = np.array(dam.curve).T
    return f"{_along(goal.value, held, level):.2f} m", f"{most / MILLION:,.4g} × 10⁶ m³"


def _along(x: float, xs: Floats, ys: Floats) -> float:
    """A curve at a value, its ends drawn out straight."""
    place = int(np.clip(np.searchsorted(xs, x) - 1, 0, len(xs) - 2))
    return float(ys[place] + (x - xs[place]) * (ys[place + 1] - ys[place]) / (xs[place + 1] - xs[place]))


def _unit(problem: Problem, goal: Goal) -> str:
    """The unit of what a goal of flow is about."""
    if goal.at in problem.junction_place:
        return problem.junctions[problem.junction_place[goal.at]].unit.replace("m3", "m³")
    return "m³/s"


def _binding(problem: Problem, answer: Answer, priority: int) -> Iterator[Text]:
    """The limits that keep a priority from being met better: those with a price there, the dearest first."""
    priced = []
    for limit, price in answer.prices.get(priority, ()):
        where = np.flatnonzero(np.abs(price) > _PRICED)
        if len(where):
            priced.append((float(np.abs(price).sum()), limit, where))
    for _, limit, where in sorted(priced, key=lambda each: -each[0])[:5]:
        zh, en = problem.named(limit.code, "zh"), problem.named(limit.code, "en")
        first, last = where[0] * problem.step / 3600, (where[-1] + 1) * problem.step / 3600
        what = _LIMITS[limit.what]
        yield {
            "zh": f"起约束作用的是{zh}的{what['zh']}（第{first:g}至{last:g} 小时）",
            "en": f"What binds is the {what['en']} of {en} (hours {first:g} to {last:g})",
        }


def _hours(problem: Problem, excess: Floats, slight: float = 1e-6) -> float:
    return float((excess > slight).sum() * problem.step / 3600)
