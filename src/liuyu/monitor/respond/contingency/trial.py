"""Plans tested as data: these levels, forecasts, notices and floods in; that level proposed at that minute, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Protocol

import msgspec
import numpy as np
from msgspec import Meta

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, BadPackage, LiuyuError
from liuyu.basin.events import Event, Notice, NumberedFlood, announce
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.respond.contingency.expecting import Expectation, differences
from liuyu.monitor.respond.contingency.form import Plan
from liuyu.monitor.respond.contingency.reading import read_plans
from liuyu.monitor.respond.playbook import Playbook, read_playbook
from liuyu.monitor.respond.respond import Respond

KIND = "plan-test"
Hour = Annotated[float, Meta(ge=0, le=9000, description="hours from the start of the test")]


class Assesses(Protocol):
    """The stage before: whatever makes Assessments of a batch."""

    def step(self, batch: Batch, now: int) -> Assessments:
        """Assess a batch at a time."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test of plans went; `problems` says what was expected and what came instead."""

    file: str
    test: str
    passed: bool
    skipped: bool = False
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        head = "skipped" if self.skipped else "ok     " if self.passed else "FAILED "
        return "\n".join([f"{head} {self.test}", *(f"        {each}" for each in self.problems)])


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class TrialSeries(_Strict, frozen=True, kw_only=True):
    """What a gauge reports each step: straight lines between points [hours, value]; nothing after the last one."""

    station: str
    quantity: str = "water_level"
    points: tuple[tuple[float, float], ...]


class TrialIssue(_Strict, frozen=True, kw_only=True):
    """A forecast: each group of members rises from `start` to `peak` within `in_h` hours, and stays there."""

    at: Hour
    station: str
    quantity: str = "water_level"
    members: tuple[TrialMembers, ...]
    horizon_h: int = 168


class TrialMembers(_Strict, frozen=True, kw_only=True):
    """Members alike."""

    count: int
    start: float
    peak: float
    in_h: float = 24


class TrialFlood(_Strict, frozen=True, kw_only=True):
    """A flood is numbered."""

    at: Hour
    station: str
    number: int = 1


class TrialNotice(_Strict, frozen=True, kw_only=True):
    """A notice is issued, and withdrawn at `until` where that is given."""

    at: Hour
    station: str
    threshold: str
    chance: float
    quantity: str = "water_level"
    severity: str = "yellow"
    until: Hour | None = None


class TrialAct(_Strict, frozen=True, kw_only=True):
    """What a person does: approve or decline what a plan proposes, propose a level by hand, or finish an action."""

    at: Hour
    approve: str = ""
    decline: str = ""
    propose: str = ""
    done: str = ""
    level: str | None = None
    note: str = ""
    by: str = "tester"
    refused: str = ""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One test."""

    name: str
    start: str
    step_h: float = 1.0
    series: tuple[TrialSeries, ...] = ()
    issue: tuple[TrialIssue, ...] = ()
    flood: tuple[TrialFlood, ...] = ()
    notice: tuple[TrialNotice, ...] = ()
    act: tuple[TrialAct, ...] = ()
    expect: tuple[Expectation, ...]


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    plans: tuple[str, ...]
    basin: str


def test_plans(file: Path, assess: Callable[[Basin], Assesses]) -> tuple[Outcome, ...]:
    """Run every test of a file of plan tests through a fresh `assess` stage and the stage that responds.

    The file names its plans and the basin package, whose playbook says who the owners are. Raises BadPackage where the
    file itself, its plans or its basin have faults.
    """
    source = TomlFile(file)
    heading = source.convert(source.data, _Heading) if source.data else None
    trials = [trial for _, trial in source.tables("test", Trial)]
    if heading is not None and heading.kind != KIND:
        source.fault("is no file of plan tests", f'begin it with kind = "{KIND}"', key="kind", value=heading.kind)
    if not trials and not source.faults:
        source.fault("holds no test", "add [[test]] tables")
    if source.faults or heading is None:
        raise BadPackage(str(file), source.faults)
    basin = read_basin(file.parent / heading.basin)
    book = read_playbook([Path(basin.folder) / basin.playbook_file] if basin.playbook_file else [], basin)
    plans = read_plans([file.parent / each for each in heading.plans], basin, [each.code for each in book.owners])
    return tuple(_outcome(file, trial, basin, book, plans, assess) for trial in trials)


test_plans.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own


def _outcome(
    file: Path,
    trial: Trial,
    basin: Basin,
    book: Playbook,
    plans: Sequence[Plan],
    assess: Callable[[Basin], Assesses],
) -> Outcome:
    try:
        problems = tuple(_Run(trial, basin, Respond(basin, book, plans), assess(basin)).problems())
    except LiuyuError as error:
        problems = (str(error),)
    return Outcome(file=str(file), test=trial.name, passed=not problems, problems=problems)


class _Run:
    """A trial under way."""

    def __init__(self, trial: Trial, basin: Basin, respond: Respond, assess: Assesses) -> None:
        self.trial, self.basin, self.respond, self.assess = trial, basin, respond, assess
        self.start = epoch(parse_time(trial.start, basin.zone))
        self.step = round(trial.step_h * HOUR)
        self.events: list[Event] = []

    def problems(self) -> Iterator[str]:
        """Step through the test and say what is not as expected."""
        ends = [*(each.at for each in self.trial.act), *(each.at for each in self.trial.expect)]
        for number in range(int(max(ends) * HOUR) // self.step + 1):
            self.now = self.start + number * self.step
            contingency = self.respond.contingency
            contingency.observe(self.assess.step(self._batch(), self.now))
            contingency.foresee([self._forecast(each) for each in self.trial.issue if self._is_now(each.at)])
            announced = [*self._floods(), *self._notices()]
            self.events += [*announced, *self.respond.step(announced, self.now)]
            for act in self.trial.act:
                if self._is_now(act.at):
                    yield from self._act(act)
            for expected in self.trial.expect:
                if self._is_now(expected.at):
                    yield from differences(expected, self.events, self.start)

    def _is_now(self, at: float) -> bool:
        since = self.now - self.start
        return since <= at * HOUR < since + self.step

    def _batch(self) -> Batch:
        hours = (self.now - self.start) / HOUR
        rows = []
        for each in self.trial.series:
            place = self.basin.roster.number.get(each.station)
            if place is None:
                raise BadInput(f"no station {each.station!r} in the basin of this test")
            times, values = zip(*each.points, strict=True)
            if times[0] <= hours <= times[-1]:
                value = round(float(np.interp(hours, times, values)), 3)
                rows.append((place, quantity(each.quantity).number, value))
        columns = tuple(zip(*sorted(rows), strict=True)) or ((), (), ())
        return Batch.of(self.basin.roster, columns[0], columns[1], [self.now] * len(rows), columns[2], [1] * len(rows))

    def _forecast(self, issue: TrialIssue) -> Forecast:
        hours = np.arange(1, issue.horizon_h + 1)
        members = [
            np.interp(hours, [0.0, each.in_h], [each.start, each.peak])
            for each in issue.members
            for _ in range(each.count)
        ]
        return Forecast(
            station=issue.station,
            quantity=issue.quantity,
            issued=moment(self.now),
            model="trial",
            time=self.now + hours.astype(np.int64) * HOUR,
            members=np.array(members, np.float64),
            drivers={},
            provenance=Provenance(code="trial", version="1"),
        )

    def _floods(self) -> Iterator[Event]:
        for each in self.trial.flood:
            if self._is_now(each.at):
                year = moment(self.now, self.basin.zone).year
                flood = NumberedFlood(
                    id=f"flood:trial:{year}:{each.number}",
                    name=f"{self.basin.name}{year}年第{each.number}号洪水",
                    name_en=f"Flood {each.number} of {year}, {self.basin.name_en}",
                    year=year,
                    number=each.number,
                    section="",
                    station=each.station,
                    quantity="water_level",
                    value=0.0,
                    threshold_value=0.0,
                    time=moment(self.now),
                )
                yield announce(flood, state="numbered", time=moment(self.now), subject=each.station)

    def _notices(self) -> Iterator[Event]:
        for each in self.trial.notice:
            state = "issued" if self._is_now(each.at) else "withdrawn"
            if state == "withdrawn" and (each.until is None or not self._is_now(each.until)):
                continue
            notice = Notice(
                id=f"notice:trial:{each.station}:{each.threshold}:{each.at:g}",
                station=each.station,
                quantity=each.quantity,
                threshold=each.threshold,
                threshold_value=0.0,
                severity=each.severity,  # type: ignore[arg-type]
                issued=moment(self.now),
                chance=each.chance,
                crossing=None,
                crossing_from=None,
                crossing_to=None,
                peak=0.0,
                peak_time=moment(self.now),
                title={"zh": f"{each.station}预警", "en": f"notice at {each.station}"},
            )
            yield announce(notice, state=state, time=moment(self.now), subject=each.station)

    def _act(self, act: TrialAct) -> Iterator[str]:
        try:
            event = self._done(act)
        except LiuyuError as error:
            if not act.refused or act.refused not in str(error):
                yield f"at {act.at:g} h: {error}"
            return
        if act.refused:
            yield f"at {act.at:g} h: {act.refused!r} expected as the refusal, it was done"
        self.events += [event, *self.respond.step([event], self.now)]

    def _done(self, act: TrialAct) -> Event:
        contingency = self.respond.contingency
        if act.propose:
            return contingency.propose(act.propose, act.level or "", act.by, act.note, self.now, self.respond.incident)
        if act.done:
            return self.respond.update_task(self._task(act), "done", act.by, act.note, self.now)
        plan = act.approve or act.decline
        response = next((each.id for each in contingency.open() if each.plan.code == plan), "")
        if not response:
            raise BadInput(f"no response is open under plan {plan!r}")
        return contingency.decide(response, bool(act.approve), act.level, act.by, act.note, self.now)

    def _task(self, act: TrialAct) -> str:
        given = [each.id for each in self.events if each.kind == "task" and each.body["rule"] == act.done]
        if not given:
            raise BadInput(f"no task of action {act.done!r} was given")
        return given[-1]
