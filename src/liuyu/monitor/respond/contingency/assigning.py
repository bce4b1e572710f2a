"""The actions of the level in force as tasks: held back by their prerequisites, closed with their evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, Task
from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency.course import Course
from liuyu.monitor.respond.contingency.form import Action, Both, Detention, Plan, rank
from liuyu.monitor.respond.contingency.matching import View, evaluate
from liuyu.monitor.respond.contingency.situation import Situation
from liuyu.monitor.respond.memory import Job
from liuyu.monitor.respond.tasks import Tasks

TRIGGER = "plan"
_NUMBER = re.compile(r"\d")
_CURES = {
    "note": "say in the note what was done",
    "attachment": "lay a file to the task first",
    "value": "give the figure in the note",
}


class Assigning:
    """Gives the actions of responses as tasks of the one list that people work through."""

    def __init__(self, basin: Basin, tasks: Tasks) -> None:
        self._basin, self._tasks = basin, tasks

    def give_due(self, course: Course, situation: Situation, now: int) -> list[Event]:
        """The tasks that are due now under a response in force."""
        out = []
        for level in course.plan.upto(course.level):
            for action in level.actions:
                if self._is_due(course, action, now):
                    out.append(self._give(course, action, now))
        for action in self._detention(course, situation, now):
            if self._is_due(course, action, now):
                out.append(self._give(course, action, now))
        return out

    def hear(self, course: Course, event: Event) -> None:
        """Take in what became of a task of the response, and what was laid to it."""
        if event.kind == "task" and event.id in course.tasks and event.state == "done":
            code = course.tasks[event.id]
            if code not in course.done:
                course.done.append(code)
        elif event.kind == "attachment" and event.state == "added":
            target = str(event.body.get("target", ""))
            if target in course.tasks:
                course.attached[target] = course.attached.get(target, 0) + 1

    def end(self, course: Course, now: int) -> list[Event]:
        """Cancel what a response that is over leaves undone."""
        return self._tasks.cancel_of(course.id, now)

    def check_done(self, course: Course, job: Job, note: str) -> None:
        """Refuse to close a task without its evidence. Raises BadInput."""
        said = note or job.task.note
        there = {
            "note": bool(said.strip()),
            "attachment": course.attached.get(job.task.id, 0) > 0,
            "value": bool(_NUMBER.search(said)),
        }
        missing = [kind for kind in job.task.evidence if not there[kind]]
        if missing:
            cures = ", ".join(_CURES[kind] for kind in missing)
            raise BadInput(f"task {job.task.id!r} is not done without evidence ({', '.join(missing)}); {cures}")

    def _is_due(self, course: Course, action: Action, now: int) -> bool:
        last = course.given.get(action.code)
        if last is not None:
            again = bool(action.repeat_h) and now - last >= action.repeat_h * HOUR
            return again and not self._tasks.is_open(course.id, action.code)
        return all(each in course.done for each in action.after)

    def _give(self, course: Course, action: Action, now: int) -> Event:
        course.given[action.code] = now
        course.serial += 1
        task = Task(
            id=f"task:{action.code}:{course.id.removeprefix('response:')}:{course.serial}",
            incident=course.incident,
            title=action.title.text(),
            owner=action.owner,
            due=moment(now + action.deadline_h * HOUR),
            owner_name=self._tasks.owner_name(action.owner),
            rule=action.code,
            response=course.id,
            after=action.after,
            evidence=action.evidence,
        )
        course.tasks[task.id] = action.code
        return self._tasks.assign(task, course.id, TRIGGER, now)

    def _detention(self, course: Course, situation: Situation, now: int) -> Iterator[Action]:
        """The two actions of each detention basin whose turn it is: to move people, then to ask that it be opened."""
        for each in course.plan.detention:
            if rank(course.level) < rank(each.level):
                return
            move, ask = detention_actions(each, self._basin)
            if move.code not in course.given and not self._is_called(course.plan, each, situation, now):
                return
            yield from (move, ask)
            if ask.code not in course.done:  # the next basin is thought of when this one was opened
                return

    def _is_called(self, plan: Plan, each: Detention, situation: Situation, now: int) -> bool:
        view = View(plan, situation, now)
        path = f"{plan.code}@{plan.version}/detention/{each.code}"
        found = [evaluate(one, view, f"{path}/{place}").met for place, one in enumerate(each.conditions)]
        return bool(found) and all(found)


def detention_actions(each: Detention, basin: Basin) -> tuple[Action, Action]:
    """What is to be done to use a detention basin."""
    people = people_of(each, basin)
    told: Mapping[str, str] = (
        {"zh": f"约{people / 10000:.1f}万人", "en": f"about {people:,} people"}
        if people
        else {"zh": "区内人员", "en": "everyone there"}
    )
    move = Action(
        code=f"detention-move-{each.code}",
        title=Both(
            zh=f"转移{each.name.zh}{told['zh']}（限{each.move_h}小时）",
            en=f"Move {told['en']} out of {each.name.en} (within {each.move_h} h)",
        ),
        owner=each.owner,
        deadline_h=each.move_h,
        evidence=("note", "value"),
    )
    ask = Action(
        code=f"detention-open-{each.code}",
        title=Both(zh=f"提请下达{each.name.zh}分洪运用命令", en=f"Ask for the order to open {each.name.en}"),
        owner=each.owner,
        deadline_h=2,
        after=(move.code,),
        evidence=("note",),
    )
    return move, ask


def people_of(each: Detention, basin: Basin) -> int | None:
    """How many people live in a detention basin, by the plan or else by the basin package."""
    if each.population is not None:
        return each.population
    return next((place.population for place in basin.detention_basins if place.code == each.code), None)
