"""The twin of the present: what sources deliver counts once, whatever fails; what is late, odd or silent is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liuyu.app.config import Live
from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import BadInput, NotAllowed, StoreFailed
from liuyu.basin.flags import Flag
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.assess import Assess
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Parcel
from liuyu.store.sqlite import SqliteStore
from liuyu.web.ports import User
from tests.app.live_bench import GAUGE, NOW, WARNING, Desk, desk, levels, parcel

OFFICER, VIEWER = User("wang", "duty_officer"), User("li", "viewer")
RISING = [WARNING - 2.2 + 0.2 * each for each in range(16)]  # above the warning level from the twelfth on
CALM = [WARNING - 2.2 + 0.01 * each for each in range(16)]


def test_what_crosses_a_line_raises_an_alert_at_the_next_step(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.put(levels(RISING, NOW))
        it.step()
        raised = {each.body["rule"]: each for each in it.events("alert") if each.state == "raised"}
        assert raised["level-above-warning"].subject == GAUGE
        assert raised["level-above-warning"].body["value"] >= WARNING
        assert [each.state for each in it.events("incident")][:1] == ["opened"]
        assert it.values()[NOW] == RISING[-1]


def test_a_step_waits_for_its_time_and_passes_without_values_too(tmp_path: Path) -> None:
    with desk(tmp_path, live=Live(step_seconds=60)) as it:
        it.step(NOW + 60)
        it.now = NOW + 119
        assert not it.twin.turn()
        it.step(NOW + 120)
        assert it.twin.clock().now.timestamp() == NOW + 120
        assert it.twin.clock().phase == "running"


def test_what_was_taken_is_not_taken_again_when_the_twin_is_opened_again(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.put(levels(CALM[:8], NOW - 8 * HOUR))
        it.step()
        written, log = it.twin.written, it.events()
        it.put(levels(CALM[8:], NOW))
    with desk(tmp_path, now=NOW + 20) as again:
        assert again.events() == log
        again.step(NOW + 30)
        assert again.twin.written.new == written.new == 8
        assert list(again.values().values()) == CALM


def test_the_wall_clock_cannot_be_set_and_a_clock_that_was_set_back_stops_the_loop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with desk(tmp_path) as it:
        with pytest.raises(NotAllowed):
            it.twin.set_clock(VIEWER, phase="paused", speed=None, run_to=None)
        with pytest.raises(BadInput, match="follows the wall clock"):
            it.twin.set_clock(OFFICER, phase="paused", speed=None, run_to=None)
        it.step(NOW + 1000)
        it.now = NOW
        assert not it.twin.turn()
        assert "set back by 1000 s" in caplog.text


def test_acts_are_logged_at_the_time_of_the_last_step(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        it.put(levels(RISING, NOW))
        it.step()
        alert = it.events("alert")[0]
        said = it.twin.acknowledge(OFFICER, alert.id, "on it")
        assert (said.state, said.time.timestamp()) == ("acknowledged", it.now)


@pytest.mark.parametrize("why", ["stations", "memory"])
def test_a_twin_whose_memory_does_not_fit_any_more_learns_again_and_goes_on(tmp_path: Path, why: str) -> None:
    with desk(tmp_path) as it:
        it.put(levels(RISING, NOW))
        it.step()
        first = next(each.id for each in it.events("alert") if each.body["rule"] == "level-above-warning")
        if why == "stations":
            state = it.twin.store.load_state("present")
            assert state is not None
            it.twin.store.save_state("present", state.replace(b'"stations":"', b'"stations":"other'))
        else:
            it.twin.store.save_state("assess", b"of another version")
    with desk(tmp_path, now=NOW + 60) as again:
        again.put([(GAUGE, "water_level", NOW + HOUR, RISING[-1] + 0.1)])
        again.step(NOW + HOUR + 10)
        told = [each.state for each in again.events("alert") if each.id == first]
        assert (told[0], told[-1]) == ("raised", "cleared")
        assert [each.state for each in again.events("alert") if each.body["rule"] == "level-above-warning"][
            -1
        ] == "raised"
        assert len(again.values()) == len(RISING) + 1


# late values


def test_a_late_peak_that_would_have_raised_an_alert_is_told_once(tmp_path: Path) -> None:
    rows = levels([WARNING + 0.5 - 0.2 * abs(each - 15) for each in range(30)], NOW)
    peak = range(12, 19)
    with desk(tmp_path) as it:
        it.put(row for place, row in enumerate(rows) if place not in peak)
        it.step()
        assert "level-above-warning" not in {each.body["rule"] for each in it.events("alert")}
        for _ in range(2):
            it.put(rows[place] for place in peak)
            it.step()
        late = [each.state for each in it.events("late") if each.subject == GAUGE]
        missed = [each for each in it.events("late") if "level-above-warning" in each.id]
        assert late.count("reopened") == 1
        assert [each.state for each in missed] == ["missed"]
        assert "超警戒" in missed[0].body["title"]["zh"]
        assert "level-above-warning" not in {each.body["rule"] for each in it.events("alert")}


def test_a_correction_that_unmakes_an_alert_is_told(tmp_path: Path) -> None:
    rows = levels(RISING, NOW)
    with desk(tmp_path) as it:
        it.put(rows)
        it.step()
        assert "level-above-warning" in {each.body["rule"] for each in it.events("alert")}
        it.put((*row[:3], value) for row, value in zip(rows, CALM, strict=True))
        it.step()
        needless = [each for each in it.events("late") if each.state == "needless"]
        assert [each.subject for each in needless][:1] == [GAUGE]
        assert it.values()[NOW] == CALM[-1]
        assert [each.value for each in it.twin.store.versions(GAUGE, "water_level", NOW)] == [RISING[-1]]


def test_late_values_that_change_nothing_say_no_more_than_that_they_came(tmp_path: Path) -> None:
    rows = levels(CALM, NOW)
    with desk(tmp_path) as it:
        it.put(rows[:5] + rows[7:])
        it.step()
        it.put(rows[5:7])
        it.step()
        assert [each.state for each in it.events("late")] == ["reopened"]


def test_what_is_told_again_is_no_news(tmp_path: Path) -> None:
    rows = levels(CALM, NOW)
    with desk(tmp_path) as it:
        for _ in range(3):
            it.put(rows)
            it.step()
        assert it.events("late") == []
        assert it.twin.written.new == len(rows)
        assert it.twin.store.versions(GAUGE, "water_level", NOW) == []


# two sources


@pytest.mark.parametrize("order", [("gauge", "page"), ("page", "gauge")])
@pytest.mark.parametrize("together", [True, False])
def test_of_two_sources_the_higher_rank_counts_and_the_other_is_kept_as_a_version(
    tmp_path: Path, order: tuple[str, str], together: bool
) -> None:
    value = {"gauge": 94.0, "page": 94.5}
    with desk(tmp_path, ranks={"gauge": 2, "page": 1}) as it:
        for source in order:
            it.put([(GAUGE, "water_level", NOW, value[source])], source)
            if not together:
                it.step()
        if together:
            it.step()
        assert it.values() == {NOW: 94.0}
        assert 94.5 in [each.value for each in it.twin.store.versions(GAUGE, "water_level", NOW)]


def test_the_lower_rank_fills_what_the_higher_leaves_out_and_may_correct_itself(tmp_path: Path) -> None:
    with desk(tmp_path, ranks={"gauge": 2}) as it:
        it.put([(GAUGE, "water_level", NOW - 2 * HOUR, 94.0), (GAUGE, "water_level", NOW, 94.2)], "gauge")
        it.step()
        it.put([(GAUGE, "water_level", NOW - HOUR, 94.1), (GAUGE, "water_level", NOW, 94.9)], "page")
        it.step()
        assert it.values() == {NOW - 2 * HOUR: 94.0, NOW - HOUR: 94.1, NOW: 94.2}
    with desk(tmp_path, now=NOW + 60, ranks={"gauge": 2}) as again:
        again.put([(GAUGE, "water_level", NOW - HOUR, 94.15), (GAUGE, "water_level", NOW, 94.8)], "page")
        again.step(NOW + 70)
        assert again.values() == {NOW - 2 * HOUR: 94.0, NOW - HOUR: 94.15, NOW: 94.2}


# clocks, units, silence


def spread(it: Desk, stations: int, time: int, factor: float = 1.0, source: str = "stations") -> None:
    """Discharges of some stations, each with its own."""
    codes = it.twin.basin.roster.codes[:stations]
    it.put([(code, "discharge", time, factor * (100.0 + 20 * place)) for place, code in enumerate(codes)], source)


def test_a_source_that_tells_another_unit_is_told_of_once_and_its_values_are_kept_as_suspect(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        for hour in range(6):
            spread(it, 5, NOW + hour * HOUR, 1000.0 if hour in (3, 4) else 1.0)
            it.step(NOW + hour * HOUR + 60)
        notes = [each for each in it.events("quality") if each.body["test"] == "unit" or ":source:" in each.id]
        assert [(each.state, each.id) for each in notes] == [
            ("doubted", "quality:source:stations:discharge"),
            ("trusted", "quality:source:stations:discharge"),
        ]
        assert "1e+03" in notes[0].body["title"]["en"]
        code = it.twin.basin.roster.codes[0]
        kept = it.twin.store.series(code, "discharge", 0, 2**40)
        assert kept.value.tolist() == [100.0, 100.0, 100.0, 100_000.0, 100_000.0, 100.0]
        assert (kept.flag == Flag.SUSPECT).tolist() == [False, False, False, True, True, False]


def test_a_flood_that_rises_tenfold_at_one_gauge_is_not_taken_for_a_unit(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        for hour, discharge in enumerate([20.0, 21.0, 60.0, 150.0, 202.0, 240.0, 230.0]):
            it.put([(GAUGE, "discharge", NOW + hour * HOUR, discharge)])
            it.step(NOW + hour * HOUR + 60)
        assert not [each for each in it.events("quality") if each.body["test"] == "unit"]


def test_a_clock_that_runs_ahead_is_told_once_and_its_values_are_set_aside(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        for _ in range(2):
            it.put([(GAUGE, "water_level", it.now + HOUR, 94.0)])
            it.step()
        it.put([(GAUGE, "water_level", NOW, 94.0)])
        it.step()
        notes = [each.state for each in it.events("quality") if each.id == f"quality:{GAUGE}:clock"]
        assert notes == ["doubted", "trusted"]
        assert len(it.twin.store.asides()) == 2
        assert it.values() == {NOW: 94.0}


def test_a_source_that_falls_silent_is_one_event_while_the_other_goes_on(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        mine, theirs = it.twin.basin.roster.codes[:4], it.twin.basin.roster.codes[4:8]
        for hour in range(30):
            at = NOW + hour * HOUR
            if not 10 <= hour < 20:
                it.put([(code, "water_level", at, 50.0) for code in mine], "gprs")
            it.put([(code, "water_level", at, 50.0) for code in theirs if code != theirs[0] or hour < 15], "beidou")
            it.step(at + 60)
        told = [(each.id, each.state) for each in it.events("source")]
        assert told == [
            ("source:network:gprs", "silent"),
            (f"source:{theirs[0]}", "silent"),
            ("source:network:gprs", "returned"),
        ]


# what fails


def test_a_parcel_on_which_the_loop_fails_is_set_aside_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Assess.step

    def touchy(self: Assess, batch: Batch, now: int) -> Any:
        if (batch.value == 13.0).any():
            raise ZeroDivisionError("thirteen")
        return real(self, batch, now)

    monkeypatch.setattr(Assess, "step", touchy)
    with desk(tmp_path) as it:
        for hour in range(20):
            it.put([(GAUGE, "water_level", NOW + hour, 13.0 if hour == 7 else 90.0 + hour / 100)])
        for _ in range(40):
            it.now += 10
            it.twin.turn()
        assert sorted(it.values()) == [NOW + hour for hour in range(20) if hour != 7]
        (letter,) = it.twin.store.asides()
        assert letter["reason"] == "loop: ZeroDivisionError: thirteen"
        assert it.inbox.waiting(0) <= 21


def test_a_store_that_fails_for_a_while_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with desk(tmp_path) as it:
        it.put(levels(RISING, NOW))

        def full(*_: object, **__: object) -> None:
            raise StoreFailed("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(SqliteStore, "append", full)
            for _ in range(3):
                it.now += 10
                assert not it.twin.turn()
            with pytest.raises(StoreFailed):
                it.twin.silence(OFFICER, {"subject": GAUGE}, it.twin.clock().now.replace(year=2030), "")
        assert it.values() == {}
        it.step()
        assert it.values()[NOW] == RISING[-1]
        raised = [each.body["rule"] for each in it.events("alert") if each.state == "raised"]
        assert raised.count("level-above-warning") == 1


def test_an_inbox_that_was_begun_anew_is_taken_from_its_start(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        for hour in range(9):
            it.put([(GAUGE, "water_level", NOW + hour, 94.0)])
        it.step()
    for each in (tmp_path / "inbox").iterdir():
        each.unlink()
    basin = it.twin.basin
    FileInbox(tmp_path / "inbox", basin.roster, most=1 << 20).put(
        [parcel(basin, [(GAUGE, "water_level", NOW + 100, 94.1)], "stations", NOW)]
    )
    with desk(tmp_path, now=NOW + 300) as again:
        again.step(NOW + 310)
        assert again.values()[NOW + 100] == 94.1


def test_asides_of_a_source_are_kept_and_its_own_announcements_logged(tmp_path: Path) -> None:
    with desk(tmp_path) as it:
        aside = Aside("page", "no JSON", b"<html>")
        it.twin.deliver(Parcel("page", NOW, Batch.empty(it.twin.basin.roster), (aside,)))
        it.step()
        (kept,) = it.twin.store.asides()
        assert (kept["source"], kept["reason"], kept["payload"]) == ("page", "no JSON", b"<html>")


# upkeep and outlook


def test_whole_months_are_archived_once_a_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    real: Callable[[SqliteStore, int], int] = SqliteStore.archive

    def archive(self: SqliteStore, before: int) -> int:
        asked.append(before)
        return real(self, before)

    monkeypatch.setattr(SqliteStore, "archive", archive)
    with desk(tmp_path) as it:
        old = NOW - 200 * DAY
        it.put(levels(np.linspace(90, 91, 48).tolist(), old) + levels(CALM, NOW))
        for hour in range(0, 60, 6):
            it.step(NOW + hour * HOUR + 10)
            it.twin.keep_up()
        assert asked == [NOW + 24 * HOUR + 10 - 60 * DAY, NOW + 48 * HOUR + 10 - 60 * DAY]
        assert len(it.values()) == 48 + len(CALM)
        assert list((tmp_path / "store" / "history").rglob("*.parquet"))


def test_a_forecast_is_due_when_its_hour_has_passed_whenever_the_step_comes(tmp_path: Path) -> None:
    midnight = NOW // DAY * DAY
    with desk(tmp_path, now=midnight - 100) as it:
        it.step(midnight - 10)
        assert it.events("model") == []
        it.step(midnight + 7)
        assert [each.state for each in it.events("model")] == ["failed"]  # nothing is known to forecast from
