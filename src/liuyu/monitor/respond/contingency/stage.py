"""The life of responses: proposed by the engine or a person, decided on by a person, in force on a frozen copy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import msgspec

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.directives import Recipient, Response
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.basin.events import Event, announce
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast
from liuyu.monitor.respond.contingency import saying
from liuyu.monitor.respond.contingency.advising import Looked, advise, look
from liuyu.monitor.respond.contingency.assigning import Assigning
from liuyu.monitor.respond.contingency.course import Advice, Course, Memory
from liuyu.monitor.respond.contingency.finding import Finding, Text
from liuyu.monitor.respond.contingency.form import Plan, digest, rank
from liuyu.monitor.respond.contingency.reading import in_force
from liuyu.monitor.respond.contingency.situation import Situation
from liuyu.monitor.respond.memory import Job
from liuyu.monitor.respond.tasks import Tasks

ENGINE = "engine"


class Contingency:
    """The part of the stage `respond` that matches plans and carries responses through."""

    def __init__(self, basin: Basin, plans: Sequence[Plan], tasks: Tasks) -> None:
        self._basin, self.plans = basin, tuple(plans)
        self._situation = Situation(basin, plans)
        self._advice: dict[str, Advice] = {}
        self._courses: list[Course] = []
        self._assigning = Assigning(basin, tasks)
        self._digests = {each.code + each.version: digest(each) for each in self.plans}
        tasks.closing = self._check_done

    # what happens

    def observe(self, assessed: Assessments) -> None:
        """Take in what was assessed."""
        self._situation.observe(assessed)

    def foresee(self, forecasts: Sequence[Forecast]) -> None:
        """Take in an issue of forecasts."""
        self._situation.foresee(forecasts)

    def step(self, events: Sequence[Event], now: int, incident: str) -> list[Event]:
        """What follows at a moment [s UTC]: proposals, and the tasks of what is in force; `incident`: the open one."""
        self._situation.hear(events, now)
        for event in events:
            for course in self._courses:
                self._assigning.hear(course, event)
        out: list[Event] = []
        for plan in self._watched(now):
            advice = self._advice.setdefault(plan.code, Advice())
            if advice.at < now:
                out += self._propose_of(plan, advice, advise(plan, advice, self._situation, now), now, incident)
        for course in list(self._courses):
            if course.state == "terminated":
                out += self._assigning.end(course, now)
                self._courses.remove(course)
            elif course.level:
                out += self._assigning.give_due(course, self._situation, now)
        return out

    # what people do

    def approver(self, response: str, level: str | None) -> Literal["duty_officer", "administrator"]:
        """The role that may decide on what is proposed, or on another level. Raises NotFound, BadInput."""
        course = self._pending(response)
        to = course.proposed if level is None else level
        of = to if to else course.level
        if of not in [each.code for each in course.plan.levels]:
            raise BadInput(f"plan {course.plan.code!r} has no level {of!r}; choose one of {self._levels(course.plan)}")
        return course.plan.level(of).approver_role

    def decide(self, response: str, approve: bool, level: str | None, user: str, note: str, now: int) -> Event:
        """A person approves what is proposed, or approves another level instead, or declines.

        Raises NotFound, BadInput where nothing is proposed, NotAllowed where the plan wants a second person.
        """
        course = self._pending(response)
        to = course.proposed if level is None else level
        self.approver(response, level)
        if not approve and level is not None:
            raise BadInput(f"to decline and to choose level {level!r} exclude each other; leave out one")
        if approve and to == course.level:
            raise BadInput(f"level {to or 'none'} is in force already; choose another, or decline")
        of = course.plan.level(to or course.level)
        if approve and of.two_people and course.proposed_by == user:
            raise NotAllowed(f"{user!r} proposed it, and level {of.code} wants a second person; ask one to approve")
        advice = self._advice.setdefault(course.plan.code, Advice())
        state = ("adjusted" if course.level and to else "started" if to else "terminated") if approve else "declined"
        self._must_be_free(course, state, now)
        advice.answered, advice.answered_at, advice.declined = advice.level, now, not approve
        return self._decided(course, state, str(to), user, note, now)

    def propose(self, plan: str, level: str, user: str, note: str, now: int, incident: str) -> Event:
        """A person proposes a level under a plan, "" to end the response. Raises NotFound, BadInput."""
        if not note.strip():
            raise BadInput("a proposal by hand needs its reason; say it in the note")
        course = next((each for each in self._courses if each.plan.code == plan), None)
        if course is None:
            known = {each.code: each for each in in_force(self.plans, now, self._basin)}
            if plan not in known:
                near = difflib.get_close_matches(plan, known, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"in force: {', '.join(known) or 'none'}"
                raise NotFound(f"no plan {plan!r} in force; {hint}")
            course = self._open(known[plan], now, incident)
        if level and level not in [each.code for each in course.plan.levels]:
            raise BadInput(f"plan {plan!r} has no level {level!r}; choose one of {self._levels(course.plan)}")
        if level == course.level:
            raise BadInput(f"level {level or 'none'} is in force already; propose another")
        if course.proposed is not None and rank(course.proposed) >= rank(level):
            what = f"level {course.proposed}" if course.proposed else "the end"
            raise BadInput(f"{what} is proposed already; decide on it, or approve another level instead")
        self._must_be_free(course, "proposed", now)
        if course not in self._courses:
            self._courses.append(course)
        course.proposed, course.proposed_by = level, user
        return self._tell(course, "proposed", why=saying.by_hand(note), note=note, now=now)

    # what can be asked

    def found(self, response: str, now: int) -> dict[str, tuple[Finding, ...]] | None:
        """How the conditions of each level stand now for a response that is not over; None for another."""
        course = next((each for each in self._courses if each.id == response), None)
        return look(course.plan, self._situation, now).findings if course else None

    def open(self) -> tuple[Course, ...]:
        """The responses that are not over."""
        return tuple(self._courses)

    def digest(self, plan: Plan) -> str:
        """The digest of a plan in the files."""
        return self._digests[plan.code + plan.version]

    def dump(self) -> bytes:
        """The whole memory."""
        return msgspec.msgpack.encode(Memory(self._situation.memory, self._advice, self._courses))

    def load(self, blob: bytes) -> None:
        """Take the memory back. What is in force goes on under its frozen copy, what is only proposed by the file."""
        memory = msgspec.msgpack.decode(blob, type=Memory)
        self._situation.memory, self._advice, self._courses = memory.situation, memory.advice, memory.courses
        files = {(each.code, each.version): each for each in self.plans}
        for course in self._courses:
            file = files.get((course.plan.code, course.plan.version))
            if not course.level and file is not None:
                course.plan, course.digest = file, self.digest(file)
        self._situation.watch(each.plan for each in self._courses)

    # within

    def _watched(self, now: int) -> list[Plan]:
        """The plans to match: of each the frozen copy where a response is open, else the version in force."""
        held = {each.plan.code: each.plan for each in self._courses if each.state != "terminated"}
        files = [each for each in in_force(self.plans, now, self._basin) if each.code not in held]
        return [*held.values(), *files]

    def _propose_of(self, plan: Plan, advice: Advice, looked: Looked, now: int, incident: str) -> list[Event]:
        """The proposal that follows from the advice, where it is not what is in force or proposed already."""
        course = next((each for each in self._courses if each.plan.code == plan.code), None)
        level = course.level if course else ""
        if course is not None and course.proposed is not None:
            if course.proposed_by != ENGINE and rank(advice.level) <= rank(course.proposed):
                return []
            if advice.level == course.proposed:
                return []
            if advice.level == level:
                return [self._withdraw(course, now)]
        elif advice.level == level or self._is_answered(plan, advice, level, now):
            return []
        if advice.rose and rank(advice.level) < rank(level):  # it goes up, and people are ahead of it
            return []
        if course is None:
            course = self._open(plan, now, incident)
            self._courses.append(course)
        course.proposed, course.proposed_by = advice.level, ENGINE
        rises = rank(advice.level) > rank(level)
        if rises:
            findings = looked.findings[advice.level]
            why = saying.met(findings) or saying.ceased(advice.level, 0, findings)[1:]
        else:
            findings = looked.findings[level]
            why = saying.ceased(level, plan.level(level).ends.after_h, findings)
        return [self._tell(course, "proposed", why=why, trace=findings, now=now)]

    def _is_answered(self, plan: Plan, advice: Advice, level: str, now: int) -> bool:
        """Whether people have decided on this advice, and it is not yet time to put it again."""
        if advice.answered is None or advice.answered != advice.level:
            return False
        again = advice.declined or rank(advice.level) < rank(level)
        return not again or now - advice.answered_at < plan.ask_again_h * HOUR

    def _open(self, plan: Plan, now: int, incident: str) -> Course:
        advice = self._advice.setdefault(plan.code, Advice())
        advice.serial += 1
        id = f"response:{plan.code}:{moment(now):%Y%m%dT%H%MZ}:{advice.serial}"
        return Course(id, plan, self.digest(plan), incident)

    def _withdraw(self, course: Course, now: int) -> Event:
        """The engine takes back what it proposed."""
        what = saying.act(course.plan, course.level, course.proposed or "")
        event = self._tell(course, "declined", why=saying.no_longer(), title=saying.lapsed(what), now=now)
        course.proposed = None
        if not course.level:
            self._courses.remove(course)
        return event

    def _decided(self, course: Course, state: str, to: str, user: str, note: str, now: int) -> Event:
        what = saying.act(course.plan, course.level, to)
        if state == "declined":
            event = self._tell(course, state, by=user, note=note, title=saying.title(state, what), now=now)
            course.proposed = None
            if not course.level:
                self._courses.remove(course)
            return event
        notify = course.plan.told(to or course.level)
        frozen = msgspec.to_builtins(course.plan) if state == "started" else {}
        why = course.why if to == course.proposed else []
        course.level, course.proposed = to, None
        return self._tell(
            course,
            state,
            by=user,
            note=note,
            title=what,
            why=why,
            now=now,
            notify=[Recipient(code=each.code, name=each.name.text(), channels=each.channels) for each in notify],
            frozen=frozen,
        )

    def _tell(
        self,
        course: Course,
        state: str,
        *,
        now: int,
        why: Iterable[Text] = (),
        trace: Iterable[Finding] = (),
        title: Text | None = None,
        by: str = "",
        note: str = "",
        notify: Iterable[Recipient] = (),
        frozen: dict[str, Any] | None = None,
    ) -> Event:
        course.state, course.told[state] = state, now
        reasons = list(why)
        if state == "proposed":
            course.why = [dict(each) for each in reasons]
        what = saying.act(course.plan, course.level, course.proposed or "") if title is None else title
        response = Response(
            id=course.id,
            plan=course.plan.code,
            version=course.plan.version,
            digest=course.digest,
            incident=course.incident,
            title=saying.title(state, what) if title is None else what,
            level=course.level,  # type: ignore[arg-type]
            proposed_level=course.proposed or "",  # type: ignore[arg-type]
            proposed_by=course.proposed_by,
            approved_by=by,
            why=tuple(reasons),
            note=note,
            notify=tuple(notify),
            trace=tuple(msgspec.to_builtins(each) for each in trace),
            frozen=frozen or {},
        )
        return announce(response, state=state, time=moment(now), subject=self._basin.code)

    def _pending(self, response: str) -> Course:
        known = {each.id: each for each in self._courses}
        if response not in known:
            near = difflib.get_close_matches(response, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else "see /api/board"
            raise NotFound(f"no open response {response!r}; {hint}")
        course = known[response]
        if course.proposed is None:
            raise BadInput(f"nothing is proposed for {response!r}; propose a level by hand first")
        return course

    def _must_be_free(self, course: Course, state: str, now: int) -> None:
        """Two events of one response, one state and one moment would be one to the log."""
        if course.told.get(state) == now:
            raise BadInput(f"response {course.id!r} was {state} at this moment already; let the clock move on")

    def _levels(self, plan: Plan) -> str:
        return ", ".join(each.code for each in plan.levels)

    def _check_done(self, job: Job, note: str) -> None:
        course = next((each for each in self._courses if each.id == job.cause), None)
        if course is not None:
            self._assigning.check_done(course, job, note)
