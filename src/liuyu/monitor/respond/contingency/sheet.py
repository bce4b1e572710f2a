"""Plans and responses as they are shown: every condition in words, every action with how it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from liuyu.basin.directives import Response
from liuyu.basin.events import Event, Task, record
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.respond.contingency.assigning import detention_actions, people_of
from liuyu.monitor.respond.contingency.finding import Finding, Text, plain
from liuyu.monitor.respond.contingency.form import Action, Condition, Contact, Level, Plan, rank


class PlanHead(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a plan. `in_force`: it is the one that is matched now; `response` names the open one."""

    code: str
    version: str
    digest: str
    name: Text
    authority: Text
    source: str
    effective_from: str
    effective_until: str
    in_force: bool
    levels: tuple[str, ...]
    response: str = ""


class ConditionSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A condition in words, and as data."""

    kind: str
    text: Text
    data: Mapping[str, Any]


class ActionSheet(msgspec.Struct, frozen=True, kw_only=True):
    """An action of a level. `waits_for` are codes of actions that must be done first."""

    code: str
    title: Text
    owner: str
    owner_name: Text
    deadline_h: int
    waits_for: tuple[str, ...]
    evidence: tuple[str, ...]
    repeat_h: int


class LevelSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One level of a plan. `ends` says in words when it may be left; `notify` is who is told, milder lists included."""

    code: str
    name: Text
    signatory: Text
    approver_role: str
    two_people: bool
    match: str | int
    conditions: tuple[ConditionSheet, ...]
    actions: tuple[ActionSheet, ...]
    notify: tuple[Contact, ...]
    ends: Text


class DetentionSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A detention basin in the order of use."""

    code: str
    name: Text
    order: int
    level: str
    population: int | None
    capacity_m3: float | None
    move_h: int
    conditions: tuple[ConditionSheet, ...]
    source: str


class PlanSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A whole plan; levels from the gravest to the mildest."""

    head: PlanHead
    note: Text
    levels: tuple[LevelSheet, ...]
    detention: tuple[DetentionSheet, ...]


class ActionState(msgspec.Struct, frozen=True, kw_only=True):
    """How an action of a response stands.

    `state` is that of its newest task (assigned, acknowledged, done, overdue, cancelled), "waiting" while
    prerequisites are not done (`waits_for` names them), "later" where only a graver level or a detention basin's turn
    calls for it.
    """

    level: str
    action: ActionSheet
    state: str
    waits_for: tuple[str, ...] = ()
    task: str = ""
    due: datetime | None = None
    done_by: str = ""
    note: str = ""
    tasks: tuple[str, ...] = ()


class HistoryRow(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a response."""

    time: datetime
    state: str
    title: Text
    level: str
    proposed_level: str
    proposed_by: str
    approved_by: str
    note: str
    why: tuple[Text, ...]


class ResponseSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A response: what is in force, what is proposed, on which copy of the plan, why, and how its actions stand.

    `frozen` is True where the plan is the copy of the start, False while it is still that of the file. `conditions`
    holds, by level, what each condition finds now; it is empty for a response that is over.
    """

    id: str
    state: str
    title: Text
    level: str
    proposed_level: str | None
    proposed_by: str
    incident: str
    frozen: bool
    plan: PlanSheet
    history: tuple[HistoryRow, ...]
    trace: tuple[Mapping[str, Any], ...]
    conditions: Mapping[str, tuple[Finding, ...]]
    actions: tuple[ActionState, ...]


def condition_sheet(condition: Condition, basin: Basin) -> ConditionSheet:
    """A condition in words and as data."""
    return ConditionSheet(kind=condition.kind, text=plain(condition, basin), data=msgspec.to_builtins(condition))


def plan_sheet(plan: Plan, head: PlanHead, basin: Basin, owners: Mapping[str, Text]) -> PlanSheet:
    """A plan as it is shown."""
    return PlanSheet(
        head=head,
        note=plan.note.text() if plan.note else {"zh": "", "en": ""},
        levels=tuple(_level(plan, each, basin, owners) for each in reversed(plan.levels)),
        detention=tuple(
            DetentionSheet(
                code=each.code,
                name=each.name.text(),
                order=each.order,
                level=each.level,
                population=people_of(each, basin),
                capacity_m3=each.capacity_m3,
                move_h=each.move_h,
                conditions=tuple(condition_sheet(one, basin) for one in each.conditions),
                source=each.source,
            )
            for each in plan.detention
        ),
    )


def _level(plan: Plan, level: Level, basin: Basin, owners: Mapping[str, Text]) -> LevelSheet:
    return LevelSheet(
        code=level.code,
        name=level.name.text() if level.name else {"zh": "", "en": ""},
        signatory=level.signatory.text() if level.signatory else {"zh": "", "en": ""},
        approver_role=level.approver_role,
        two_people=level.two_people,
        match=level.match,
        conditions=tuple(condition_sheet(each, basin) for each in level.conditions),
        actions=tuple(_action(each, owners) for each in level.actions),
        notify=plan.told(level.code),
        ends=_ends(level, basin),
    )


def _action(action: Action, owners: Mapping[str, Text]) -> ActionSheet:
    return ActionSheet(
        code=action.code,
        title=action.title.text(),
        owner=action.owner,
        owner_name=owners.get(action.owner, {"zh": action.owner, "en": action.owner}),
        deadline_h=action.deadline_h,
        waits_for=action.after,
        evidence=action.evidence,
        repeat_h=action.repeat_h,
    )


def _ends(level: Level, basin: Basin) -> Text:
    """When a level may be left, in words."""
    ends = level.ends
    eased = [
        (f"{_NAMES.get(name, quantity(name).name_zh if name not in _NAMES else name)}{value:g}", f"{name} {value:g}")
        for name, value in ends.easing.items()
    ]
    also = [plain(each, basin) for each in ends.also]
    return {
        "zh": f"各项条件连续{ends.after_h}小时均不满足"
        + (f"（回差：{'、'.join(zh for zh, _ in eased)}）" if eased else "")
        + "".join(f"，且{each['zh']}" for each in also),
        "en": f"no condition holds for {ends.after_h} h"
        + (f" (eased by {', '.join(en.replace('_', ' ') for _, en in eased)})" if eased else "")
        + "".join(f", and {each['en']}" for each in also),
    }


_NAMES = {"return_period": "重现期", "rising": "涨率"}


def response_sheet(
    events: Sequence[Event],
    tasks: Iterable[Event],
    plan: Plan,
    shown: PlanSheet,
    basin: Basin,
    conditions: Mapping[str, tuple[Finding, ...]],
    owners: Mapping[str, Text],
) -> ResponseSheet:
    """A response out of its events, those of its tasks, and its plan."""
    told = [(event, record(event, Response)) for event in events]
    event, newest = told[-1]
    pending = event.state == "proposed"
    over = event.state == "terminated" or (event.state == "declined" and not newest.level)
    trace = next((response.trace for _, response in reversed(told) if response.trace), ())
    return ResponseSheet(
        id=event.id,
        state=event.state,
        title=dict(newest.title),
        level=newest.level,
        proposed_level=newest.proposed_level if pending else None,
        proposed_by=newest.proposed_by,
        incident=newest.incident,
        frozen=any(each.state == "started" for each in events),
        plan=shown,
        history=tuple(_row(one, response) for one, response in told),
        trace=trace,
        conditions={} if over else conditions,
        actions=tuple(_states(plan, newest.level, tasks, basin, owners)),
    )


def frozen_plan(events: Iterable[Event]) -> Plan | None:
    """The copy of the plan under which a response was started; None where it never was."""
    for event in events:
        if event.state == "started":
            return msgspec.convert(record(event, Response).frozen, Plan)
    return None


def _row(event: Event, response: Response) -> HistoryRow:
    return HistoryRow(
        time=event.time,
        state=event.state,
        title=dict(response.title),
        level=response.level,
        proposed_level=response.proposed_level,
        proposed_by=response.proposed_by,
        approved_by=response.approved_by,
        note=response.note,
        why=tuple(dict(each) for each in response.why),
    )


def _states(
    plan: Plan, level: str, tasks: Iterable[Event], basin: Basin, owners: Mapping[str, Text]
) -> Iterable[ActionState]:
    newest: dict[str, dict[str, Event]] = {}
    for event in tasks:
        newest.setdefault(record(event, Task).rule, {})[event.id] = event
    done = {code for code, each in newest.items() if any(event.state == "done" for event in each.values())}
    rows = [(each.code, action) for each in plan.levels for action in each.actions]
    rows += [(each.level, action) for each in plan.detention for action in detention_actions(each, basin)]
    for code, action in rows:
        known = list(newest.get(action.code, {}).values())
        waits = tuple(each for each in action.after if each not in done)
        if not known:
            called = level and rank(code) <= rank(level) and waits
            yield ActionState(
                level=code,
                action=_action(action, owners),
                state="waiting" if called else "later",
                waits_for=waits,
            )
            continue
        task = record(known[-1], Task)
        yield ActionState(
            level=code,
            action=_action(action, owners),
            state=known[-1].state,
            task=known[-1].id,
            due=task.due,
            done_by=task.done_by,
            note=task.note,
            tasks=tuple(each.id for each in known),
        )
