"""The life of a response: a frozen copy, two people, prerequisites, evidence, and a memory that a kill cannot harm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.directives import Attachment, Response
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.basin.events import Alert, Event, Task, announce, newest, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.assess import Assess
from liuyu.monitor.respond import Playbook, Respond, read_playbook
from liuyu.monitor.respond.contingency import Plan, digest, read_plans
from liuyu.monitor.respond.contingency.sheet import frozen_plan

START = 1625097600  # 2021-07-01T00:00Z
TOWN = "99000600"  # warning 58.0, guarantee 59.8, highest on record 60.7


class Bench:
    """The stage with the one before it, fed with levels of the town's gauge."""

    def __init__(self, basin: Basin, book: Playbook, plans: Sequence[Plan]) -> None:
        self.basin, self.book, self.plans = basin, book, plans
        self.assess, self.respond = Assess(basin), Respond(basin, book, plans)
        self.now, self.log = START, list[Event]()

    def level(self, *values: float) -> list[Event]:
        """One value an hour; what the stage said."""
        said = []
        for value in values:
            self.now += HOUR
            place, kind = self.basin.roster.number[TOWN], quantity("water_level").number
            batch = Batch.of(self.basin.roster, [place], [kind], [self.now], [value], [1])
            self.respond.contingency.observe(self.assess.step(batch, self.now))
            said += self.respond.step([], self.now)
        self.log += said
        return said

    def answer(self, event: Event) -> Event:
        """Log what a person did, and what follows."""
        self.log += [event, *self.respond.step([event], self.now)]
        return event

    def decide(self, approve: bool = True, level: str | None = None, by: str = "wang") -> Event:
        (course,) = self.respond.contingency.open()
        return self.answer(self.respond.contingency.decide(course.id, approve, level, by, "", self.now))

    def restart(self, plans: Sequence[Plan] | None = None) -> None:
        """Go on in a new process, with what was kept."""
        blob, self.plans = self.respond.dump(), plans if plans is not None else self.plans
        self.respond = Respond(self.basin, self.book, self.plans)
        self.respond.load(blob)

    def tasks(self) -> dict[str, str]:
        """The state of the newest task of each action."""
        found = newest(each for each in self.log if each.kind == "task" and each.body["response"])
        return {each.body["rule"]: each.state for each in found.values()}

    def task(self, action: str) -> str:
        return next(each.id for each in self.log if each.kind == "task" and each.body["rule"] == action)

    def done(self, action: str, note: str = "") -> Event:
        return self.answer(self.respond.update_task(self.task(action), "done", "li", note, self.now))


def response(events: Sequence[Event]) -> Response:
    return record([each for each in events if each.kind == "response"][-1], Response)


@pytest.fixture
def bench(basins: Path) -> Bench:
    basin = read_basin(basins / "qingxi")
    book = read_playbook([basins / "qingxi/playbook.toml"], basin)
    return Bench(basin, book, read_plans([basins / "qingxi/plans/flood.toml"], basin, [o.code for o in book.owners]))


def test_what_is_proposed_says_which_value_met_what_where_and_when(bench: Bench) -> None:
    assert bench.level(57.0, 57.9) == []
    proposed = response(bench.level(58.25))
    assert (proposed.level, proposed.proposed_level, proposed.proposed_by) == ("", "IV", "engine")
    (finding,) = [each for each in proposed.trace if each["met"]]
    value = next(each for each in finding["values"] if each["met"])
    assert (value["station"], value["value"], value["line"], value["threshold"]) == (TOWN, 58.25, 58.0, "warning")
    assert (value["margin"], value["time"]) == (0.25, "2021-07-01T03:00:00Z")
    assert "清河城站58.25（+0.25）" in proposed.why[0]["zh"]
    assert "Qinghecheng 58.25 (+0.25)" in proposed.why[0]["en"]


def test_nothing_is_in_force_until_a_person_approves(bench: Bench) -> None:
    bench.level(58.3, 58.4, 58.5)
    assert bench.tasks() == {}
    started = record(bench.decide(), Response)
    assert (started.level, started.approved_by) == ("IV", "wang")
    assert [each.code for each in started.notify] == ["townships"]
    assert bench.tasks() == {"denser-reports": "assigned", "levee-patrol": "assigned"}


def test_a_response_goes_on_under_its_frozen_copy_when_the_file_changes(bench: Bench, tmp_path: Path) -> None:
    bench.level(58.3)
    started = bench.decide()
    before = digest(bench.plans[0])
    text = (Path(bench.basin.folder) / "plans/flood.toml").read_text("utf-8")
    changed = text.replace('version = "2026-1"', 'version = "2026-2"').replace("by = 0.5\n", "by = 0.1\n")
    (tmp_path / "flood.toml").write_text(changed.replace("deadline_h = 2", "deadline_h = 9"), encoding="utf-8")
    plans = read_plans([tmp_path / "flood.toml"], bench.basin, [each.code for each in bench.book.owners])
    assert digest(plans[0]) != before
    bench.restart(plans)
    (course,) = bench.respond.contingency.open()
    assert (course.digest, course.plan.version) == (before, "2026-1")
    adjusted = response(bench.level(59.9))  # II by the town alone
    assert (adjusted.version, adjusted.digest, adjusted.proposed_level) == ("2026-1", before, "II")
    bench.decide()
    copy = frozen_plan([started])
    assert copy is not None
    assert digest(copy) == before
    bench.level(*[57.0] * 13)
    bench.decide()
    assert bench.respond.contingency.open() == ()
    assert response(bench.level(58.3)).version == "2026-2"


def test_a_kill_between_any_two_steps_changes_nothing(bench: Bench, basins: Path) -> None:
    calm = Bench(bench.basin, bench.book, bench.plans)
    levels = [57.0, 58.3, 58.6, 59.0, 59.9, 60.2, 59.0, *[57.2] * 30]
    for each in (bench, calm):
        for place, value in enumerate(levels):
            each.level(value)
            if each is bench:
                each.restart()
            if place in (2, 5, 25):
                each.decide()
                if each is bench:
                    each.restart()
    assert bench.log == calm.log
    assert bench.respond.dump() == calm.respond.dump()


def test_an_action_waits_for_what_comes_before_it_and_is_not_given_twice(bench: Bench) -> None:
    bench.level(58.3)
    bench.decide()
    bench.level(58.4)
    bench.respond.contingency.propose("qingxi-flood", "III", "wang", "上游降雨", bench.now, "")
    bench.decide(by="li")
    assert bench.tasks() == {"denser-reports": "assigned", "levee-patrol": "assigned"}
    bench.done("denser-reports")
    assert bench.tasks()["conference"] == "assigned"
    given = [each for each in bench.log if each.kind == "task" and each.state == "assigned" and each.body["response"]]
    assert len({each.body["rule"] for each in given}) == len(given) == 3


def test_a_task_is_not_done_without_its_evidence(bench: Bench) -> None:
    bench.level(60.9)
    assert response(bench.log).proposed_level == "I"
    bench.decide()
    with pytest.raises(BadInput, match=r"not done without evidence \(note, value\); say in the note"):
        bench.done("transfer")
    with pytest.raises(BadInput, match=r"without evidence \(value\); give the figure"):
        bench.done("transfer", "都已转移")
    assert bench.done("transfer", "已转移1250人").state == "done"


def test_a_file_can_be_the_evidence(bench: Bench, basins: Path, tmp_path: Path) -> None:
    text = (basins / "qingxi/plans/flood.toml").read_text("utf-8")
    (tmp_path / "flood.toml").write_text(text.replace('evidence = ["note"]', 'evidence = ["attachment"]'), "utf-8")
    plans = read_plans([tmp_path / "flood.toml"], bench.basin, [each.code for each in bench.book.owners])
    bench = Bench(bench.basin, bench.book, plans)
    bench.level(58.3)
    bench.decide()
    with pytest.raises(BadInput, match="lay a file to the task first"):
        bench.done("levee-patrol", "done, believe me")
    photo = Attachment(
        id="attachment:1",
        target=bench.task("levee-patrol"),
        name="levee.jpg",
        media_type="image/jpeg",
        size=10,
        digest="0" * 64,
        added_by="li",
    )
    bench.answer(announce(photo, state="added", time=moment(bench.now), subject="qingxi"))
    assert bench.done("levee-patrol").state == "done"


def test_at_the_end_open_tasks_are_cancelled(bench: Bench) -> None:
    bench.level(58.3)
    bench.decide()
    bench.done("denser-reports")
    said = bench.level(*[57.0] * 13)
    assert response(said).proposed_level == ""
    assert "已连续12小时均不满足" in response(said).why[0]["zh"]
    bench.decide()
    assert bench.tasks() == {"denser-reports": "done", "levee-patrol": "cancelled"}


def test_who_proposed_may_not_approve_where_the_plan_wants_two_people(bench: Bench) -> None:
    bench.level(57.0)
    proposed = bench.respond.contingency.propose("qingxi-flood", "I", "wang", "大坝渗漏", bench.now, "")
    bench.answer(proposed)
    with pytest.raises(NotAllowed, match="wants a second person"):
        bench.decide(by="wang")
    assert record(bench.decide(by="li"), Response).level == "I"


def test_wishes_that_make_no_sense_are_refused_and_change_nothing(bench: Bench) -> None:
    stage = bench.respond.contingency
    bench.level(58.3)
    (course,) = stage.open()
    before = bench.respond.dump()
    with pytest.raises(NotFound, match="did you mean"):
        stage.decide(course.id + "0", True, None, "li", "", bench.now)
    with pytest.raises(BadInput, match="no level"):
        stage.decide(course.id, True, "V", "li", "", bench.now)
    with pytest.raises(BadInput, match="exclude each other"):
        stage.decide(course.id, False, "II", "li", "", bench.now)
    with pytest.raises(BadInput, match="needs its reason"):
        stage.propose("qingxi-flood", "II", "li", " ", bench.now, "")
    with pytest.raises(BadInput, match="at this moment already"):
        stage.propose("qingxi-flood", "II", "li", "why not", bench.now, "")
    assert bench.respond.dump() == before
    bench.decide()
    with pytest.raises(BadInput, match="nothing is proposed"):
        bench.decide()


def test_a_proposal_wants_a_decision_by_a_deadline(bench: Bench) -> None:
    """The playbook's task: it goes up when it is late, and the decision settles it."""
    alert = Alert(
        id="alert:1",
        rule="level-above-warning",
        subject=TOWN,
        quantity="water_level",
        severity="yellow",
        title={"zh": "清河城站超警戒", "en": "Qinghecheng above warning"},
        since=moment(START),
        value=58.3,
        threshold="warning",
    )
    bench.log += bench.respond.step([announce(alert, state="raised", time=moment(START), subject=TOWN)], START)
    said = bench.level(58.3)
    (task,) = [each for each in said if each.kind == "task" and each.body["rule"] == "decide-response"]
    assert record(task, Task).title["zh"] == "审批：建议启动清溪洪水防御Ⅳ级应急响应"
    late = bench.level(58.3, 58.3)
    assert [(each.id, each.state) for each in late if each.kind == "task"] == [(task.id, "overdue")]
    bench.decide()
    assert [each.state for each in bench.log if each.id == task.id][-1] == "done"
