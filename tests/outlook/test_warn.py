"""Notices: issued from forecasts, told anew only when they change, verified by the river."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.errors import BadPackage
from liuyu.basin.events import Event, Notice, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin, Season, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.outlook.warn import Step, Warn, WarningRule, WarningRules, read_warning_rules
from liuyu.outlook.warn.crossing import crossing

START = epoch(datetime(2020, 8, 18, tzinfo=UTC))
LEVEL = quantity("water_level").number


def basin(**changes: object) -> Basin:
    found = Basin(
        code="tiny",
        name="小河",
        name_en="Tiny",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="tiny",
        stations=(
            Station(code="A", name="汉口", name_en="Hankou"),
            Station(code="B", name="上游", name_en="Upper", quantities=("water_level", "discharge")),
        ),
        thresholds=(
            Threshold(station="A", quantity="water_level", kind="warning", value=27.3),
            Threshold(station="A", quantity="water_level", kind="guarantee", value=29.73),
            Threshold(station="B", quantity="discharge", kind="flood_number", value=50000.0),
        ),
    )
    return msgspec.structs.replace(found, **changes)


def rules(**changes: object) -> WarningRules:
    rule = WarningRule(
        name="above-warning", threshold="warning", severity="yellow", cost_loss_ratio=0.5, withdraw_below=0.2
    )
    return msgspec.structs.replace(WarningRules(rules=(rule,)), **changes)


def forecast(
    now: int, share: float, *, hours: float = 36.0, station: str = "A", line: float = 27.3, unit: str = "water_level"
) -> Forecast:
    """100 members over 72 h: a share crosses the line in a straight rise around `hours`, the rest stay 1 below."""
    time = now + HOUR * np.arange(1, 73)
    lead = (time - now) / HOUR
    members = np.full((100, 72), line - 1.0)
    for member in range(round(share * 100)):
        members[member] = line + 0.05 * (lead - hours - (member % 11 - 5))
    provenance = Provenance(code="test", version="1")
    return Forecast(
        station=station,
        quantity=unit,
        issued=moment(now),
        model="test",
        time=time,
        members=members,
        drivers={},
        provenance=provenance,
    )


def observed(warn: Warn, where: Basin, now: int, value: float, code: str = "A", flag: int = 1) -> list[Event]:
    batch = Batch.of(where.roster, [where.roster.number[code]], [LEVEL], [now], [value], [flag])
    return warn.observe(batch, now)


def test_the_crossing_of_an_ensemble_of_straight_lines_is_exact() -> None:
    found = crossing(forecast(START, 1.0), 27.3)
    assert found.chance == 1.0
    assert found.times == (START + 32 * HOUR, START + 36 * HOUR, START + 40 * HOUR)
    assert found.peak == pytest.approx(27.3 + 0.05 * 36)
    assert found.peak_time == START + 72 * HOUR


def test_danger_below_a_line_is_the_mirror_of_danger_above() -> None:
    upward = forecast(START, 0.8)
    mirrored = msgspec.structs.replace(upward, members=2 * 27.3 - upward.members)
    above, below = crossing(upward, 27.3), crossing(mirrored, 27.3, side="below")
    assert (above.chance, above.times, above.peak_time) == (below.chance, below.times, below.peak_time)
    assert below.peak == pytest.approx(2 * 27.3 - above.peak)


def test_members_that_cross_beyond_the_horizon_do_not_count() -> None:
    assert crossing(forecast(START, 1.0, hours=60), 27.3, horizon_h=48).chance == 0.0


def test_a_notice_is_issued_at_the_limit_in_the_words_of_a_bulletin() -> None:
    warn = Warn(basin(), rules())
    assert warn.step([forecast(START, 0.50)], START) == []  # acting pays where p > C / L, not at it
    (event,) = warn.step([forecast(START, 0.78)], START)
    notice = record(event, Notice)
    assert (event.state, event.subject, notice.severity, notice.chance) == ("issued", "A", "yellow", 0.78)
    assert event.id == "notice:above-warning:A:water_level:20200818T0000Z"
    assert notice.title["zh"] == "预计汉口站8月19日20时前后超过警戒水位27.30米（可能性78%）"
    assert (
        notice.title["en"] == "Hankou expected to exceed its warning level of 27.30 m about 19 Aug 20:00 (chance 78 %)"
    )
    assert notice.crossing_from < notice.crossing < notice.crossing_to


def test_discharge_is_named_in_the_title() -> None:
    rule = WarningRule(
        name="numbered", threshold="flood_number", severity="blue", cost_loss_ratio=0.4, withdraw_below=0.2
    )
    warn = Warn(basin(), rules(rules=(rule,)))
    (event,) = warn.step([forecast(START, 0.97, station="B", line=5e4, unit="discharge")], START)
    assert event.body["title"]["zh"] == "预计上游站流量8月19日20时前后超过编号标准50000立方米每秒（可能性95%以上）"


def test_a_notice_is_told_anew_only_when_it_would_mislead() -> None:
    warn = Warn(basin(), rules())
    warn.step([forecast(START, 0.78)], START)
    later = START + 6 * HOUR
    assert warn.step([forecast(later, 0.74, hours=32)], later) == []  # 2 h later than told, same class
    assert warn.step([forecast(later, 0.69)], later) == []  # another class, but not by much
    (sooner,) = warn.step([forecast(later, 0.78, hours=12)], later)  # 18 h sooner
    assert sooner.state == "updated"
    (surer,) = warn.step([forecast(later, 0.95, hours=12)], later)
    assert (surer.state, surer.body["chance"]) == ("updated", 0.95)
    assert surer.id == sooner.id
    assert surer.body["issued"] == "2020-08-18T00:00:00Z"


def test_a_notice_is_withdrawn_after_two_low_issues_and_not_after_one() -> None:
    warn = Warn(basin(), rules())
    warn.step([forecast(START, 0.6)], START)
    assert warn.step([forecast(START, 0.1)], START + 1) == []
    assert [each.state for each in warn.step([forecast(START, 0.6)], START + 2)] == []
    assert warn.step([forecast(START, 0.1)], START + 3) == []
    (event,) = warn.step([forecast(START, 0.08)], START + 4)
    assert event.state == "withdrawn"
    assert event.body["title"]["zh"] == "汉口站超过警戒水位27.30米的预警撤销（可能性降至8%）"


def test_a_crossing_under_notice_is_a_hit_with_its_lead() -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    warn.step([forecast(START, 0.8)], START)
    assert observed(warn, where, START + 29 * HOUR, 27.29) == []
    (event,) = observed(warn, where, START + 30 * HOUR, 27.3)
    notice = record(event, Notice)
    assert (event.state, notice.outcome, notice.lead_h) == ("verified", "hit", 30.0)
    assert notice.title["zh"] == "汉口站8月19日14时超过警戒水位27.30米，预警提前30小时"
    assert observed(warn, where, START + 31 * HOUR, 27.4) == []
    assert warn.step([forecast(START + 31 * HOUR, 1.0)], START + 31 * HOUR) == []  # already above: no notice


def test_a_crossing_without_notice_is_a_miss() -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    warn.step([forecast(START, 0.23)], START)
    (event,) = observed(warn, where, START + 6 * HOUR, 27.35)
    assert (event.state, event.body["outcome"], event.body["lead_h"]) == ("verified", "miss", None)
    assert event.body["title"]["zh"] == "汉口站8月18日14时超过警戒水位27.30米，当时无有效预警（末次预报可能性23%）"


@pytest.mark.parametrize("first", [None, 7])
def test_a_crossing_that_no_forecast_covered_in_time_is_not_judged(first: int | None) -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    if first is not None:
        warn.step([forecast(START + first * HOUR, 0.1)], START + first * HOUR)
    assert observed(warn, where, START + 12 * HOUR, 27.35) == []


def test_a_station_that_begins_above_is_no_miss_and_gets_no_notice() -> None:
    where = basin()
    warn = Warn(where, rules())
    assert observed(warn, where, START, 28.0) == []
    assert warn.step([forecast(START, 1.0)], START) == []


def test_a_notice_that_is_not_borne_out_is_a_false_alarm() -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    warn.step([forecast(START, 0.6)], START)
    warn.step([forecast(START, 0.1)], START + 6 * HOUR)
    warn.step([forecast(START, 0.1)], START + 12 * HOUR)
    assert observed(warn, where, START + 60 * HOUR, 27.1) == []
    (event,) = observed(warn, where, START + 70 * HOUR, 27.1)  # 40 h, the end of its range, and 24 h of grace
    assert (event.state, event.body["outcome"]) == ("verified", "false_alarm")


def test_a_flicker_around_the_line_is_one_crossing() -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    warn.step([forecast(START, 0.8)], START)
    verified = [
        event
        for hour in range(1, 40)
        for event in observed(warn, where, START + hour * HOUR, 27.3 + (0.02 if hour % 5 == 0 else -0.02))
    ]
    assert [event.body["outcome"] for event in verified] == ["hit"]


def test_a_bad_value_verifies_nothing() -> None:
    where = basin()
    warn = Warn(where, rules())
    observed(warn, where, START, 27.0)
    warn.step([forecast(START, 0.8)], START)
    assert observed(warn, where, START + HOUR, 99.0, flag=4) == []


def test_near_the_line_says_nothing_while_the_line_itself_is_warned_of() -> None:
    near = WarningRule(
        name="near-warning",
        threshold="warning",
        severity="blue",
        cost_loss_ratio=0.5,
        withdraw_below=0.3,
        near=0.5,
        unless="above-warning",
    )
    warn = Warn(basin(), rules(rules=(near, *rules().rules)))
    observed(warn, basin(), START, 26.0)
    assert [each.body["severity"] for each in warn.step([forecast(START, 0.9)], START)] == ["yellow"]
    assert observed(warn, basin(), START + HOUR, 26.9) == []  # near the line: no miss, the graver notice covers it
    calmer = Warn(basin(), rules(rules=(near, *rules().rules)))
    (event,) = calmer.step([forecast(START, 0.9, line=26.9, hours=68)], START)  # at most 0.4 m below, none reaches it
    assert event.body["title"]["zh"] == "预计汉口站8月21日2时前后涨至距警戒水位27.30米不足0.50米（可能性90%）"


def test_a_line_out_of_season_is_not_watched() -> None:
    winter = Season(start=(11, 1), end=(3, 31))
    assert not winter.holds(date(2020, 8, 18))
    line = Threshold(station="A", quantity="water_level", kind="warning", value=27.3, season=winter)
    assert Warn(basin(thresholds=(line,)), rules()).step([forecast(START, 1.0)], START) == []


def test_a_stage_that_was_killed_goes_on_as_if_nothing_had_been() -> None:
    where, rng = basin(), np.random.default_rng(7)
    levels = 27.0 + 0.4 * np.sin(np.arange(400) / 30) + rng.normal(0, 0.02, 400)
    shares = rng.uniform(0, 1, 400)

    def run(restart: bool) -> list[Event]:
        warn, events = Warn(where, rules()), []
        for hour, level in enumerate(levels):
            now = START + hour * HOUR
            events += observed(warn, where, now, float(level))
            if hour % 6 == 0:
                events += warn.step([forecast(now, float(shares[hour]))], now)
            if restart:
                blob = warn.dump()
                warn = Warn(where, rules())
                warn.load(blob)
                assert warn.dump() == blob
        return events

    events = run(restart=False)
    assert events == run(restart=True)
    assert {"issued", "updated", "withdrawn", "verified"} == {each.state for each in events}


GOOD = """
kind = "notices"
version = "1"
crossing_moved_h = 6

[[rule]]
name = "above-warning"
threshold = "warning"
severity = "yellow"
cost_loss_ratio = 0.4
withdraw_below = 0.2
"""


def test_rules_are_read_from_files_and_other_kinds_passed_over(tmp_path: Path) -> None:
    (tmp_path / "notices.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "alerts.toml").write_text('kind = "alerts"\n[[rule]]\nodd = 1\n', encoding="utf-8")
    found = read_warning_rules([tmp_path / "alerts.toml", tmp_path / "notices.toml"], basin())
    assert (found.version, found.crossing_moved_h, found.rules[0].cost_loss_ratio) == ("1", 6, 0.4)


def test_every_fault_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    bad = GOOD.replace('"warning"', '"warnin"').replace("0.4", "1.4") + 'unless = "nothing"\nsevere = 1\n'
    bad += '\n[[rule]]\nname = "second"\nthreshold = "guarantee"\nseverity = "purple"\n'
    bad += "cost_loss_ratio = 0.2\nwithdraw_below = 0.5\nstations = ['Z']\n"
    bad += '\n[[rule]]\nname = "third"\nthreshold = "guarante"\nseverity = "red"\n'
    bad += "cost_loss_ratio = 0.2\nwithdraw_below = 0.5\nstations = ['Z']\n"
    (tmp_path / "notices.toml").write_text(bad, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_warning_rules([tmp_path / "notices.toml"], basin())
    lines = {(each.line, each.field) for each in caught.value.faults}
    assert {(10, "cost_loss_ratio"), (13, "severe"), (18, "severity")} <= lines
    assert {(25, "threshold"), (28, "withdraw_below"), (29, "stations")} <= lines
    assert "did you mean 'guarantee'?" in str(caught.value)


@pytest.mark.parametrize("name", ["yangtze", "qingxi"])
def test_the_shipped_rules_are_sound_and_rank_by_severity(name: str, basins: Path) -> None:
    where = read_basin(basins / name)
    found = read_warning_rules([Path(where.folder) / each for each in where.notice_files], where)
    ratio = {each.name: each.limit for each in found.rules}
    assert all(each.action["zh"] and each.action["en"] for each in found.rules)
    assert ratio["above-warning"] > ratio["above-guarantee"] > ratio["above-record"]


def test_the_example_of_the_reference_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "playbook.md").read_text(encoding="utf-8")
    (example,) = (each for each in re.findall(r"```toml\n(.*?)```", page, re.DOTALL) if 'kind = "notices"' in each)
    (tmp_path / "notices.toml").write_text(example, encoding="utf-8")
    assert read_warning_rules([tmp_path / "notices.toml"], basin()).rules[0].severity == "orange"
    keys = {info.name for kind in (WarningRule, WarningRules, Step) for info in msgspec.structs.fields(kind)}
    assert keys - {"version", "rules"} <= set(re.findall(r"`(\w+)`", page))
