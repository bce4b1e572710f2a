"""Chances by lead, peaks with their intervals, escalation by cost and loss, and how notices stood the test."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.errors import BadPackage
from liuyu.basin.events import Event, Notice, announce, record
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.outlook.warn import Step, Warn, WarningRule, WarningRules, crest, crossing, read_warning_rules, tally
from liuyu.outlook.warn import test_notices as run_notice_tests

START = epoch(datetime(2020, 8, 18, tzinfo=UTC))
LINE = 20.0


def forecast(members: np.ndarray, now: int = START) -> Forecast:
    """Members (m, n) as a forecast by the hour."""
    return Forecast(
        station="A",
        quantity="water_level",
        issued=moment(now),
        model="test",
        time=now + HOUR * np.arange(1, members.shape[1] + 1),
        members=members,
        drivers={},
        provenance=Provenance(code="test", version="1"),
    )


def basin() -> Basin:
    kinds = (("warning", LINE), ("guarantee", LINE + 2.0))
    return Basin(
        code="tiny",
        name="小河",
        name_en="Tiny",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="tiny",
        stations=(Station(code="A", name="汉口", name_en="Hankou"),),
        thresholds=tuple(Threshold(station="A", quantity="water_level", kind=k, value=v) for k, v in kinds),
    )


def share_above(share: float, height: float = LINE + 0.5) -> Forecast:
    """100 members of 48 h: a share stands at a height, the others 1 m below the line."""
    members = np.full((100, 48), LINE - 1.0)
    members[: round(100 * share)] = height
    return forecast(members)


RULE = WarningRule(name="above-warning", threshold="warning", severity="yellow", cost=3, loss=10, withdraw_below=0.1)


def test_chances_by_lead_are_those_counted_one_by_one_and_never_fall() -> None:
    rng = np.random.default_rng(4)
    members = LINE - 1.0 + np.cumsum(rng.normal(0.01, 0.15, (51, 168)), axis=1)
    found = crossing(forecast(members), LINE, horizon_h=120)
    assert [lead for lead, _ in found.chances] == [6, 12, 24, 36, 48, 72, 96, 120]
    for lead, chance in found.chances:
        assert chance == sum((row[:lead] > LINE).any() for row in members) / 51
    assert found.chances[-1][1] == found.chance
    assert np.diff([chance for _, chance in found.chances]).min() >= 0.0


def test_the_peak_of_an_ensemble_of_triangles_is_exact() -> None:
    hours, heights = 40 + np.arange(21), 19.0 + 0.1 * np.arange(21)
    lead = np.arange(1, 121)
    members = heights[:, None] - 0.02 * np.abs(lead[None, :] - hours[:, None])
    found = crest(forecast(members))
    assert found.heights == pytest.approx((19.2, 20.0, 20.8))
    assert [(each - START) // HOUR for each in found.times] == [42, 50, 58]
    assert found.open == 0.0


def test_a_river_that_still_rises_at_the_end_says_so() -> None:
    lead = np.arange(1, 49)
    members = 18.0 + np.outer(np.r_[np.full(3, 0.02), np.full(1, -0.02)], lead)
    assert crest(forecast(members)).open == 0.75


def test_the_lowest_value_counts_where_the_danger_is_below() -> None:
    lead = np.arange(1, 49)
    members = 18.0 + 0.1 * np.abs(lead - 24.0)[None, :] + np.zeros((5, 1))
    found = crest(forecast(members), side="below")
    assert found.heights == (18.0, 18.0, 18.0)
    assert found.times[1] == START + 24 * HOUR


def test_a_notice_carries_its_limit_its_action_and_the_chances() -> None:
    rule = msgspec.structs.replace(RULE, action={"zh": "巡堤查险", "en": "patrol the levees"})
    (event,) = Warn(basin(), WarningRules(rules=(rule,))).step([share_above(0.42)], START)
    notice = record(event, Notice)
    assert (notice.limit, notice.action["zh"]) == (0.3, "巡堤查险")
    assert notice.chances == {"6": 0.42, "12": 0.42, "24": 0.42, "36": 0.42, "48": 0.42}
    assert (notice.peak_from, notice.peak, notice.peak_to) == (19.0, 19.0, 20.5)


def test_a_costlier_action_raises_the_notice_and_is_left_only_well_below_its_limit() -> None:
    steps = (Step(severity="orange", cost=6, loss=10, action={"zh": "转移", "en": "move out"}),)
    warn = Warn(basin(), WarningRules(rules=(msgspec.structs.replace(RULE, escalate=steps),)))
    told = [warn.step([share_above(share)], START + n) for n, share in enumerate([0.5, 0.65, 0.55, 0.4])]
    assert [[(each.state, each.body["severity"]) for each in events] for events in told] == [
        [("issued", "yellow")],
        [("updated", "orange")],
        [],
        [("updated", "yellow")],
    ]
    assert told[1][0].body["action"]["zh"] == "转移"
    assert told[1][0].body["title"]["zh"].endswith("，黄色预警升级为橙色")
    assert told[3][0].body["title"]["en"].endswith(": orange notice lowered to yellow")


def test_a_notice_of_a_graver_line_names_the_one_that_it_goes_beyond() -> None:
    graver = WarningRule(
        name="above-guarantee", threshold="guarantee", severity="orange", cost=2, loss=10, withdraw_below=0.1
    )
    warn = Warn(basin(), WarningRules(rules=(RULE, graver)))
    (yellow,) = warn.step([share_above(0.6)], START)
    (orange,) = warn.step([share_above(0.6, LINE + 2.5)], START + HOUR)
    assert (orange.state, orange.body["escalates"]) == ("issued", yellow.id)
    assert "黄色预警升级为橙色" in orange.body["title"]["zh"]


def test_a_graver_notice_issued_anew_starts_at_its_first_step() -> None:
    steps = (Step(severity="red", cost=8, loss=10),)
    rules = WarningRules(rules=(msgspec.structs.replace(RULE, escalate=steps),), withdraw_after=1)
    warn = Warn(basin(), rules)
    severity = [
        [each.body["severity"] for each in warn.step([share_above(share)], START + n)]
        for n, share in enumerate([0.9, 0.0, 0.7])
    ]
    assert severity == [["red"], ["red"], ["yellow"]]


def test_a_miss_is_recorded_with_the_limit_that_no_forecast_passed() -> None:
    where = basin()
    warn = Warn(where, WarningRules(rules=(RULE,)))
    level = quantity("water_level").number
    warn.observe(Batch.of(where.roster, [0], [level], [START], [19.0], [1]), START)
    warn.step([share_above(0.2)], START)
    later = START + 9 * HOUR
    (event,) = warn.observe(Batch.of(where.roster, [0], [level], [later], [20.1], [1]), later)
    assert (event.body["outcome"], event.body["chance"], event.body["limit"]) == ("miss", 0.2, 0.3)
    (row,) = tally([event])
    assert (row.hits, row.misses, row.pod, row.far, row.lead_h) == (0, 1, 0.0, None, None)


def verified(outcome: str, lead_h: float | None = None) -> Event:
    notice = Notice(
        id=f"notice:r:A:{outcome}:{lead_h}",
        station="A",
        quantity="water_level",
        threshold="warning",
        threshold_value=LINE,
        severity="yellow",
        issued=moment(START),
        chance=0.5,
        crossing=None,
        crossing_from=None,
        crossing_to=None,
        peak=20.5,
        peak_time=moment(START),
        title={},
        outcome=outcome,
        lead_h=lead_h,
    )
    return announce(notice, state="verified", time=moment(START), subject="A")


def test_the_tally_is_the_contingency_table() -> None:
    events = [verified("hit", 10.0), verified("hit", 30.0), verified("hit", 26.0), verified("miss")]
    events += [verified("false_alarm"), verified("false_alarm", 1.0)]
    (row,) = tally(events, "A")
    assert (row.hits, row.misses, row.false_alarms) == (3, 1, 2)
    assert (row.pod, row.far, row.csi) == (0.75, 0.4, 0.5)
    assert row.lead_h == (10.0, 26.0, 30.0)
    assert tally(events, "B") == ()


FAULTS = """
kind = "notices"
[[rule]]
name = "neither"
threshold = "warning"
severity = "yellow"
withdraw_below = 0.2
[[rule]]
name = "dear"
threshold = "warning"
severity = "yellow"
cost = 12
loss = 10
withdraw_below = 0.2
[[rule]]
name = "down"
threshold = "warning"
severity = "orange"
cost = 5
loss = 10
withdraw_below = 0.2
escalate = [{ severity = "yellow", cost = 7, loss = 10 }]
"""


def test_limits_that_make_no_sense_are_told_with_their_lines(tmp_path: Path) -> None:
    (tmp_path / "notices.toml").write_text(FAULTS, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_warning_rules([tmp_path / "notices.toml"], basin())
    assert {(each.line, each.field) for each in caught.value.faults} == {
        (3, "cost_loss_ratio"),
        (12, "cost"),
        (22, "escalate"),
    }


@pytest.mark.parametrize("name", ["yangtze", "qingxi"])
def test_the_shipped_notice_rules_pass_their_own_tests(name: str, basins: Path) -> None:
    outcomes = run_notice_tests(basins / name / "rules/tests/notices.toml")
    assert [str(each) for each in outcomes if not each.passed] == []
    assert outcomes


@pytest.mark.parametrize(
    ("was", "made", "problem"),
    [
        ("lead_h = 12", "lead_h = 30", "at 30 h: above-warning at 99000600: lead_h 30.0 expected, 12.0 found"),
        ('state = "withdrawn"', 'state = "issued"', "at 12 h: above-warning at 99000600: state issued expected"),
        ('rule = "above-warning"', 'rule = "above-record"', "a notice of above-record at 99000600 expected"),
    ],
)
def test_a_notice_test_can_fail_and_says_what_came(
    was: str, made: str, problem: str, basins: Path, tmp_path: Path
) -> None:
    text = (basins / "qingxi/rules/tests/notices.toml").read_text(encoding="utf-8")
    text = text.replace("../notices.toml", str(basins / "qingxi/rules/notices.toml"))
    text = text.replace('basin = "../.."', f'basin = "{basins / "qingxi"}"').replace(was, made)
    (tmp_path / "notices.toml").write_text(text, encoding="utf-8")
    (outcome,) = run_notice_tests(tmp_path / "notices.toml")
    assert not outcome.passed
    assert problem in str(outcome)
