"""Schedules against members: what each schedule would do, should each member come true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from liuyu.outlook.plan.optimise.members import simulate
from liuyu.outlook.plan.optimise.problem import Floats, Problem

KEPT = 1e-6  # what of a limit counts as kept, as a share of the limit


@dataclass(frozen=True, slots=True)
class Stressed:
    """One schedule in one member. highest, lowest: storage by dam [m3]; peak: by junction [m3/s], or [m]; broken: codes
    whose storage leaves its range; penalty: by priority, the weighted sum of what the goals of that priority miss."""

    schedule: str
    member: int
    highest: Mapping[str, float]
    lowest: Mapping[str, float]
    peak: Mapping[str, float]
    broken: tuple[str, ...]
    penalty: Mapping[int, float]


def stress(problem: Problem, schedules: Mapping[str, Mapping[str, Floats]]) -> tuple[Stressed, ...]:
    """Every schedule (releases [m3/s] (steps,) by dam) in every member, schedule by schedule."""
    out = []
    for name, release in schedules.items():
        course = simulate(problem, release)
        missed = _missed(problem, course.storage, course.flow, release)
        for member in range(problem.members):
            held = {code: each[member] for code, each in course.storage.items()}
            out.append(
                Stressed(
                    schedule=name,
                    member=member,
                    highest={code: float(each.max()) for code, each in held.items()},
                    lowest={code: float(each.min()) for code, each in held.items()},
                    peak={code: float(each[member].max()) for code, each in course.flow.items()},
                    broken=tuple(each.code for each in problem.dams if _leaves(held[each.code], each.storage_range)),
                    penalty={priority: float(each[member]) for priority, each in missed.items()},
                )
            )
    return tuple(out)


def _leaves(storage: Floats, allowed: tuple[float, float]) -> bool:
    low, high = allowed
    return bool(storage.min() < low - KEPT * high or storage.max() > high * (1 + KEPT))


def _missed(
    problem: Problem, storage: Mapping[str, Floats], flow: Mapping[str, Floats], release: Mapping[str, Floats]
) -> dict[int, Floats]:
    """By priority, what its goals of flow and storage miss in each member (members,)."""
    out: dict[int, Floats] = {}
    for goal in problem.goals:
        if goal.kind in ("smooth", "energy"):
            continue
        if "storage" in goal.kind:
            course = storage[goal.at]
        elif goal.at in flow:
            course = flow[goal.at]
        else:
            course = np.broadcast_to(release[goal.at], (problem.members, problem.steps))
        part = course[:, -1:] if goal.kind == "end_storage" else course[:, goal.first : goal.last]
        sign = -1.0 if goal.kind.endswith("above") else 1.0
        lines = ((goal.value, 1.0), *goal.further)
        excess = np.sum([weight * np.maximum(sign * (part - line), 0.0) for line, weight in lines], axis=0)
        if goal.kind == "end_storage":
            excess = np.abs(part - goal.value)
        total = excess.max(axis=1) if goal.kind == "peak" else excess.sum(axis=1)
        out[goal.priority] = out.get(goal.priority, 0.0) + goal.weight * total
    return out
