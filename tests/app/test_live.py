"""The twin behind the page: its clock obeys, its users are held to their roles, and everything done is in the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from liuyu.app.choice import Course, choose
from liuyu.app.config import Config
from liuyu.app.live import LiveTwin
from liuyu.app.users import Users
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.basin.events import Event, newest
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.web.ports import User

OFFICER = User("wang", "duty_officer")
VIEWER = User("li", "viewer")
PATIENCE = 60.0  # [s]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return choose(Config(basin="qingxi"), tmp_path_factory.mktemp("archive"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as opened:
        yield opened


def started(course: Course, store: Store, folder: Path) -> LiveTwin:
    twin = LiveTwin(course, store, Users(folder), folder, speed=3600.0)
    twin.warm_up(lambda _: None)
    twin.start(playing=False)
    return twin


@pytest.fixture
def twin(course: Course, store: Store, tmp_path: Path) -> Iterator[LiveTwin]:
    live = started(course, store, tmp_path)
    yield live
    live.stop()


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def run_to(twin: LiveTwin, hours: int) -> None:
    goal = twin.clock().start + timedelta(hours=hours)
    twin.set_clock(OFFICER, phase=None, speed=None, run_to=goal)
    wait_for(lambda: twin.clock().phase != "running")
    assert twin.clock().now >= min(goal, twin.clock().end)


def run_to_first(twin: LiveTwin, kind: str) -> Event:
    """Run on until the log has an event of a kind."""
    hours = 0
    while not (found := twin.store.events(kinds=[kind], limit=1)):
        hours += 12
        assert twin.clock().phase != "ended", f"the run ended without any {kind}"
        run_to(twin, hours)
    return found[0]


def test_it_stands_at_the_start_until_it_is_told_to_run(twin: LiveTwin, course: Course) -> None:
    state = twin.clock()
    assert (state.phase, state.now) == ("paused", state.start)


def test_the_clock_runs_at_its_speed_and_pauses(twin: LiveTwin) -> None:
    twin.set_clock(OFFICER, phase="running", speed=36000.0, run_to=None)
    wait_for(lambda: twin.clock().now > twin.clock().start)
    state = twin.set_clock(OFFICER, phase="paused", speed=None, run_to=None)
    assert (state.phase, state.speed) == ("paused", 36000.0)
    time.sleep(0.3)
    assert twin.clock().now == state.now


def test_who_only_looks_may_change_nothing(twin: LiveTwin) -> None:
    before = twin.store.audit_log()
    with pytest.raises(NotAllowed, match="duty_officer"):
        twin.set_clock(VIEWER, phase="running", speed=None, run_to=None)
    with pytest.raises(NotAllowed):
        twin.acknowledge(VIEWER, "alert:any", "")
    with pytest.raises(NotAllowed):
        twin.rehearse(VIEWER, "what if", {}, 1.0)
    assert twin.store.audit_log() == before


@pytest.mark.parametrize(("phase", "speed"), [("flying", None), (None, 0.0), (None, 1e9)])
def test_a_wish_that_makes_no_sense_is_refused(twin: LiveTwin, phase: str | None, speed: float | None) -> None:
    with pytest.raises(BadInput):
        twin.set_clock(OFFICER, phase=phase, speed=speed, run_to=None)


def test_an_alert_is_acknowledged_once_and_for_all_to_see(twin: LiveTwin) -> None:
    alert = run_to_first(twin, "alert")
    said = twin.acknowledge(OFFICER, alert.id, "on it")
    assert (said.state, said.body["acknowledged_by"], said.body["note"]) == ("acknowledged", "wang", "on it")
    assert newest(twin.store.events(kinds=["alert"]))[alert.id].state == "acknowledged"
    line = twin.store.audit_log(limit=1)[0]
    assert (line["user"], line["action"], line["target"]) == ("wang (duty_officer)", "acknowledge", alert.id)


def test_what_does_not_exist_cannot_be_acknowledged(twin: LiveTwin) -> None:
    with pytest.raises(NotFound, match="alert:none"):
        twin.acknowledge(OFFICER, "alert:none", "")


def test_a_task_is_done_and_a_proposal_decided(twin: LiveTwin) -> None:
    proposal = run_to_first(twin, "proposal")
    tasks = newest(twin.store.events(kinds=["task"])).values()
    task = next(each for each in tasks if each.state in {"assigned", "overdue"})
    assert twin.update_task(OFFICER, task.id, "done", "sent").state == "done"
    assert twin.decide(OFFICER, proposal.id, True, "agreed").state == "accepted"
    with pytest.raises(BadInput, match="accepted"):
        twin.decide(OFFICER, proposal.id, False, "changed my mind")


def test_a_what_if_of_less_release_lowers_the_river_below(twin: LiveTwin) -> None:
    run_to_first(twin, "forecast")
    reservoir = twin.basin.reservoirs[0]
    said = twin.rehearse(OFFICER, "hold back", {reservoir.code: [reservoir.release_range[0]] * 48}, 1.0)
    assert said.state == "run"
    below = [row for row in said.body["results"] if row["station"] != reservoir.station]
    assert all(row["peak_with"] <= row["peak_without"] + 1e-6 for row in below)
    assert any(row["peak_with"] < row["peak_without"] - 0.01 for row in below)


def test_it_goes_on_after_a_stop_where_it_was(course: Course, store: Store, tmp_path: Path) -> None:
    first = started(course, store, tmp_path)
    run_to(first, 30)
    first.stop()
    now, log = first.clock().now, store.events()
    second = started(course, store, tmp_path)
    try:
        assert second.clock().now == now
        run_to(second, 36)
        assert store.events()[: len(log)] == log
    finally:
        second.stop()


def test_at_the_end_there_is_a_report_in_both_languages(twin: LiveTwin, tmp_path: Path) -> None:
    twin.set_clock(OFFICER, phase=None, speed=None, run_to=twin.clock().end)
    wait_for(lambda: twin.clock().phase == "ended")
    assert [event.state for event in twin.store.events(kinds=["report"])] == ["written"]
    assert {each.name for each in (tmp_path / "report").iterdir()} == {
        "report.zh.html",
        "report.zh.pdf",
        "report.zh.docx",
        "report.en.html",
        "report.en.pdf",
        "report.en.docx",
    }
    assert twin.report("pdf", "zh", None).startswith(b"%PDF")
    assert twin.set_clock(OFFICER, phase="running", speed=None, run_to=None).phase == "ended"


def test_a_loop_that_fails_stands_paused_at_its_last_good_step(
    twin: LiveTwin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run_to(twin, 3)
    good = twin.clock().now

    def fail(*_: object) -> None:
        raise ZeroDivisionError("a fault in a stage")

    with monkeypatch.context() as patch:
        patch.setattr("liuyu.monitor.assess.Assess.step", fail)
        twin.set_clock(OFFICER, phase=None, speed=None, run_to=good + timedelta(hours=3))
        wait_for(lambda: twin.clock().phase == "paused")
    assert twin.clock().now == good
    assert "the loop stopped" in caplog.text
    run_to(twin, 6)
    assert twin.clock().now == good + timedelta(hours=3)


def test_a_report_that_failed_at_the_end_is_written_when_the_clock_runs_again(
    twin: LiveTwin, course: Course, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("liuyu.app.live.finish", fail)
        twin.set_clock(OFFICER, phase=None, speed=None, run_to=twin.clock().end)
        wait_for(lambda: twin.clock().phase == "paused")
    assert store.events(kinds=["report"]) == []
    twin.stop()
    again = started(course, store, tmp_path)
    try:
        assert again.clock().phase == "paused"
        again.set_clock(OFFICER, phase="running", speed=None, run_to=None)
        wait_for(lambda: again.clock().phase == "ended")
        assert [event.state for event in store.events(kinds=["report"])] == ["written"]
    finally:
        again.stop()
    last = LiveTwin(course, store, Users(tmp_path), tmp_path, speed=3600.0)
    assert last.clock().phase == "ended"
