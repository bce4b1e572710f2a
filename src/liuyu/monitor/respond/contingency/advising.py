"""Which level a plan calls for: it rises at once, and falls when nothing has held it for the hours of its ending."""

from __future__ import annotations

from dataclasses import dataclass

from liuyu.basin.clock import HOUR
from liuyu.monitor.respond.contingency.course import Advice
from liuyu.monitor.respond.contingency.finding import Finding
from liuyu.monitor.respond.contingency.form import Plan, rank
from liuyu.monitor.respond.contingency.matching import View, evaluate, triggered
from liuyu.monitor.respond.contingency.situation import Situation


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the conditions of every level found, and the gravest level that is met ("" for none)."""

    gravest: str
    findings: dict[str, tuple[Finding, ...]]


def look(plan: Plan, situation: Situation, now: int) -> Looked:
    """Hold every level of a plan against the situation."""
    gravest, findings = "", dict[str, tuple[Finding, ...]]()
    for level in plan.levels:
        met, findings[level.code] = triggered(level, View(plan, situation, now))
        gravest = level.code if met and rank(level.code) > rank(gravest) else gravest
    return Looked(gravest, findings)


def advise(plan: Plan, advice: Advice, situation: Situation, now: int) -> Looked:
    """Lead the advice on to a moment [s UTC], and return what was found without any easing."""
    found = look(plan, situation, now)
    advice.at = now
    if rank(found.gravest) > rank(advice.level):
        advice.level, advice.rose = found.gravest, True
    if not advice.level:
        return found
    held = ""
    for level in plan.upto(advice.level):
        if triggered(level, View(plan, situation, now, level.ends))[0]:
            advice.calm.pop(level.code, None)
            held = level.code
        elif now - advice.calm.setdefault(level.code, now) < level.ends.after_h * HOUR:
            held = level.code
    if held != advice.level and _ended(plan, advice.level, situation, now):
        advice.level, advice.rose = held, False
    if not advice.level:
        advice.calm = {}
    return found


def _ended(plan: Plan, level: str, situation: Situation, now: int) -> bool:
    """Whether all that a level's ending asks for beside is so."""
    view = View(plan, situation, now)
    path = f"{plan.code}@{plan.version}/{level}/ends"
    also = plan.level(level).ends.also
    met = [evaluate(each, view, f"{path}/{place}").met for place, each in enumerate(also)]  # each, for what must last
    return all(met)
