"""Tasks: given by the playbook, watched until they are done, handed up once when they are late."""

from __future__ import annotations

import difflib
from collections.abc import Callable

import msgspec

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import SEVERITIES, Event, Proposal, Task, announce
from liuyu.basin.places import Basin
from liuyu.monitor.respond import words
from liuyu.monitor.respond.memory import Case, Job
from liuyu.monitor.respond.playbook import Owner, Playbook, TaskRule

Text = dict[str, str]
_OVER = {"done", "cancelled"}
_MAY_SET = ("acknowledged", "done", "cancelled")


class Tasks:
    """The tasks of all incidents. `jobs` is the memory, by task id, in the order in which they were given.

    `closing` is asked before a task is done, with the note, and refuses with BadInput; plans put their evidence there.
    """

    def __init__(self, basin: Basin, playbook: Playbook) -> None:
        self._basin, self._playbook = basin, playbook
        self._owners = {each.code: each for each in playbook.owners}
        self.jobs: dict[str, Job] = {}
        self.closing: Callable[[Job, str], None] = lambda job, note: None

    def reach(self, case: Case, now: int) -> list[Event]:
        """Tasks that the level of an incident brings: when it is first reached, and again where they repeat."""
        rank, out = SEVERITIES.index(case.level), list[Event]()
        for rule in self._playbook.tasks:
            if rule.on != "incident" or SEVERITIES.index(rule.level) > rank:
                continue
            last = case.given.get(rule.code)
            due_again = last is not None and rule.repeat_h and now - last >= rule.repeat_h * HOUR
            if last is None or (due_again and case.state != "closing"):
                out.append(self._give(case, rule, case.id, "", now))
        return out

    def trigger(
        self, case: Case, on: str, cause: str, subject: str, severity: str, now: int, *, named: Text | None = None
    ) -> list[Event]:
        """Tasks that something brings: a numbered flood, a notice, a proposal, a silent station.

        `named` is what a response is called.
        """
        rank, out = SEVERITIES.index(severity), list[Event]()
        for rule in self._playbook.tasks:
            if rule.on != on or SEVERITIES.index(rule.level) > rank:
                continue
            last = case.given.get(self._key(rule, cause, subject))
            again = last is not None and rule.again_after_h and now - last >= rule.again_after_h * HOUR
            if last is None or again:
                out.append(self._give(case, rule, cause, subject, now, named))
        return out

    def overdue(self, now: int) -> list[Event]:
        """Tasks whose deadline has gone by, each told once, with the role above its owner."""
        out = []
        for job in self.jobs.values():
            if job.state in {"assigned", "acknowledged"} and not job.task.escalated_to and now > epoch(job.task.due):
                owner = self._owners.get(job.task.owner)
                above = self._owners.get(owner.superior) if owner else None
                job.task = msgspec.structs.replace(job.task, escalated_to=_name(above or owner))
                out.append(self._set(job, "overdue", now))
        return out

    def update(self, task: str, state: str, user: str, note: str, now: int) -> Event:
        """A person says how a task stands. Raises NotFound, BadInput."""
        job = self.jobs.get(task)
        if job is None:
            near = difflib.get_close_matches(task, self.jobs, n=1)
            raise NotFound(f"no open task {task!r}; " + (f"did you mean {near[0]!r}?" if near else "see the board"))
        if state not in _MAY_SET:
            raise BadInput(f"task state {state!r} cannot be set; choose one of {', '.join(_MAY_SET)}")
        if job.state in _OVER:
            raise BadInput(f"task {task!r} is {job.state} already; nothing was changed")
        if state == "acknowledged" and job.state == "acknowledged":
            raise BadInput(f"task {task!r} is acknowledged already; set it to done when it is done")
        if state == "done":
            self.closing(job, note)
        done_by = user if state == "done" else job.task.done_by
        job.task = msgspec.structs.replace(job.task, done_by=done_by, note=note or job.task.note)
        return self._set(job, state, now)

    def settle(self, event: Event, proposal: Proposal, now: int) -> list[Event]:
        """A proposal was decided on: what it asked people to do is done, or falls away if it lapsed."""
        out = []
        for job in self.jobs.values():
            if job.cause == event.id and job.trigger == "proposal" and job.state not in _OVER:
                lapsed = event.state == "lapsed"
                by = "" if lapsed else proposal.decided_by
                job.task = msgspec.structs.replace(job.task, done_by=by, note=proposal.note)
                out.append(self._set(job, "cancelled" if lapsed else "done", now))
        return out

    def settle_response(self, response: str, by: str, note: str, now: int) -> list[Event]:
        """What was to be decided on a response is decided by someone, or needs no decision any more."""
        out = []
        for job in self.jobs.values():
            if job.trigger == "response" and job.cause.startswith(f"{response}@") and job.state not in _OVER:
                job.task = msgspec.structs.replace(job.task, done_by=by, note=note)
                out.append(self._set(job, "done" if by else "cancelled", now))
        return out

    def close(self, case: Case, now: int) -> list[Event]:
        """Cancel what an incident that closes leaves undone and not yet due; forget what is over."""
        out = []
        for job in self.jobs.values():
            if job.trigger == "plan":  # such a task ends with its response
                continue
            if job.task.incident == case.id and job.state in {"assigned", "acknowledged"} and not job.task.escalated_to:
                out.append(self._set(job, "cancelled", now))
        self.jobs = {
            key: job for key, job in self.jobs.items() if not (job.task.incident == case.id and job.state in _OVER)
        }
        return out

    def assign(self, task: Task, cause: str, trigger: str, now: int) -> Event:
        """Put a task that another part made on the list; its deadline is watched like any other."""
        self.jobs[task.id] = Job(task, "assigned", cause, trigger)
        return self._event(self.jobs[task.id], now)

    def cancel_of(self, cause: str, now: int) -> list[Event]:
        """Cancel what a cause that is over leaves undone, and forget its tasks."""
        mine = {key: job for key, job in self.jobs.items() if job.cause == cause}
        out = [self._set(job, "cancelled", now) for job in mine.values() if job.state not in _OVER]
        self.jobs = {key: job for key, job in self.jobs.items() if key not in mine}
        return out

    def is_open(self, cause: str, rule: str) -> bool:
        """Whether a task of a rule, brought by a cause, is neither done nor cancelled."""
        mine = (job for job in self.jobs.values() if job.cause == cause and job.task.rule == rule)
        return any(job.state not in _OVER for job in mine)

    def owner_name(self, code: str) -> dict[str, str]:
        """What an owner is called in both languages; empty where the playbook knows none."""
        return _name(self._owners.get(code))

    def open_of(self, incident: str) -> int:
        """How many tasks of an incident are neither done nor cancelled."""
        return sum(job.task.incident == incident and job.state not in _OVER for job in self.jobs.values())

    def _key(self, rule: TaskRule, cause: str, subject: str) -> str:
        """Under which name a case remembers that it gave this task: once for all, or once for each subject."""
        if rule.per == "incident":
            return rule.code
        return f"{rule.code}/{cause if rule.on in {'flood', 'proposal', 'accepted', 'response'} else subject}"

    def _give(self, case: Case, rule: TaskRule, cause: str, subject: str, now: int, named: Text | None = None) -> Event:
        case.given[self._key(rule, cause, subject)] = now
        case.serial += 1
        flood = case.floods.get(cause, {"zh": "", "en": ""})
        where = words.place(self._basin, subject)
        names = {"zh": self._basin.name, "en": self._basin.name_en}
        title = {
            language: text.format(
                basin=names[language],
                incident=case.title[language],
                subject=where[language],
                flood=flood[language],
                response=(named or flood)[language],
            )
            for language, text in (("zh", rule.title.zh), ("en", rule.title.en))
        }
        task = Task(
            id=f"task:{rule.code}:{case.id.removeprefix('incident:')}:{case.serial}",
            incident=case.id,
            title=title,
            owner=rule.owner,
            due=moment(now + rule.deadline_h * HOUR),
            owner_name=_name(self._owners.get(rule.owner)),
            rule=rule.code,
        )
        self.jobs[task.id] = Job(task, "assigned", cause, rule.on)
        return self._event(self.jobs[task.id], now)

    def _set(self, job: Job, state: str, now: int) -> Event:
        job.state = state
        return self._event(job, now)

    def _event(self, job: Job, now: int) -> Event:
        return announce(job.task, state=job.state, time=moment(now), subject=self._basin.code)


def _name(owner: Owner | None) -> dict[str, str]:
    return {"zh": owner.name.zh, "en": owner.name.en} if owner else {}
