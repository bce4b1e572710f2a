"""The alert stage: what its rule tests as data cannot say. Memory, lateness, silences, words, and speed."""

from __future__ import annotations

import time as clock
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import Alert as AlertRecord
from liuyu.basin.events import Event, record
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Reservoir, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.alert import Alert, Rules, read_rules, test_rules
from liuyu.monitor.assess import Assess

ZONE = "Asia/Shanghai"
LEVEL = quantity("water_level").number
RULES = Path(__file__).parents[2] / "basins"
START = epoch(parse_time("2020-07-06T00:00", ZONE))


def basin(count: int = 3) -> Basin:
    stations = tuple(
        Station(code=f"S{place}", name=f"站{place}", name_en=f"Gauge {place}", river="清溪") for place in range(count)
    )
    lines = [("warning", 20.0), ("guarantee", 22.0), ("historical_maximum", 24.0)]
    return Basin(
        code="small",
        name="小流域",
        name_en="small",
        time_zone=ZONE,
        synthetic=True,
        folder="",
        stations=stations,
        thresholds=tuple(
            Threshold(station=each.code, quantity="water_level", kind=kind, value=value)
            for each in stations
            for kind, value in lines
        ),
        reservoirs=(Reservoir(code="R", name="库", name_en="pool", station="S2", curve=((0.0, 0.0), (9.0, 9.0))),),
    )


def rules_of(small: Basin, text: str, tmp_path: Path) -> Rules:
    file = tmp_path / "rules.toml"
    file.write_text('kind = "alerts"\n' + text, encoding="utf-8")
    return read_rules([file], small)


LEVELS = """
[[rule]]
name = "warning"
title = { zh = "{station}超警戒 {margin} {unit}", en = "{station} {margin} {unit} above warning" }
severity = "yellow"
match = { quantity = "water_level", threshold = "warning" }
when = [{ above = "warning" }]
clear_below = 0.10
clear_for = "2h"
group = "{river}"
escalate_after = "3h"

[[rule]]
name = "guarantee"
title = { zh = "{station}超保证", en = "{station} above guarantee" }
severity = "orange"
match = { quantity = "water_level", threshold = "guarantee" }
when = [{ above = "guarantee" }]
clear_below = 0.10
inhibits = ["warning"]
"""


class River:
    """Stages of a basin, and a way to let gauges speak."""

    def __init__(self, small: Basin, rules: Rules) -> None:
        self.basin, self.rules = small, rules
        self.assess, self.alert = Assess(small), Alert(small, rules)

    def say(
        self, hour: float, *levels: tuple[str, float] | tuple[str, float, int], at: float | None = None
    ) -> list[Event]:
        """Values of an hour after START, seen at another hour if `at` is given."""
        rows = [
            (self.basin.roster.number[each[0]], each[1], each[2] if len(each) > 2 else Flag.GOOD) for each in levels
        ]
        times = [START + round(hour * HOUR)] * len(rows)
        batch = Batch.of(
            self.basin.roster,
            [r[0] for r in rows],
            [LEVEL] * len(rows),
            times,
            [r[1] for r in rows],
            [r[2] for r in rows],
        )
        now = START + round((hour if at is None else at) * HOUR)
        return self.alert.step(self.assess.step(batch, now), now)


@pytest.fixture
def river(tmp_path: Path) -> River:
    small = basin()
    return River(small, rules_of(small, LEVELS, tmp_path))


def told(events: list[Event]) -> list[str]:
    return [f"{event.state} {event.body['rule']} {event.subject}" for event in events]


def test_an_alert_says_why_in_both_languages(river: River) -> None:
    river.say(0, ("S0", 19.9))
    (event,) = river.say(1, ("S0", 20.25))
    alert = record(event, AlertRecord)
    assert (event.id, event.state, event.subject) == ("alert:warning:S0:20200705T1700Z", "raised", "S0")
    assert alert.title == {"zh": "站0超警戒 0.25 m", "en": "Gauge 0 0.25 m above warning"}
    assert alert.why[0] == {
        "zh": "2020-07-06 01:00 水位 20.25 m，超警戒水位（20.00 m） 0.25 m",
        "en": "2020-07-06 01:00: water level 20.25 m is 0.25 m above the warning line 20.00 m",
    }
    assert (alert.value, alert.threshold, alert.threshold_value, alert.margin) == (20.25, "warning", 20.0, 0.25)
    assert (alert.group, alert.unit, alert.raised) == ("清溪", "m", moment(START + HOUR))


def test_both_lines_at_once_raise_the_worse_first_and_the_milder_inhibited(river: River) -> None:
    events = river.say(0, ("S0", 22.5))
    assert told(events) == ["raised guarantee S0", "raised warning S0"]
    assert events[1].body["inhibited_by"] == events[0].id
    assert not [each for each in river.say(9, ("S0", 22.5)) if each.state == "escalated"]


def test_inhibition_ends_with_its_cause(river: River) -> None:
    river.say(0, ("S0", 22.5))
    events = river.say(1, ("S0", 21.0))
    assert told(events) == ["cleared guarantee S0", "changed warning S0"]
    assert events[1].body["inhibited_by"] == ""


def test_a_late_correction_does_not_flip_the_present_state(river: River) -> None:
    river.say(5, ("S0", 20.5))
    assert river.say(3, ("S0", 15.0), at=6) == []
    assert river.say(4, ("S0", 23.0), at=6) == []
    assert told(river.say(7, ("S0", 20.5))) == []


def test_a_correction_of_the_newest_value_does(river: River) -> None:
    river.say(5, ("S0", 22.5))
    assert told(river.say(5, ("S0", 21.0), at=5.5)) == ["cleared guarantee S0", "changed warning S0"]


@pytest.mark.parametrize("flag", [Flag.SUSPECT, Flag.BAD, Flag.MISSING])
def test_distrusted_values_neither_raise_nor_clear(river: River, flag: Flag) -> None:
    assert river.say(0, ("S0", 25.0, flag)) == []
    river.say(1, ("S0", 20.5))
    assert [river.say(hour, ("S0", 15.0, flag)) for hour in (2, 3)] == [[], []]
    assert told(river.say(4, ("S0", 15.0, flag))) == ["escalated warning S0"]


def test_silence_of_a_station_is_said_once_and_taken_back(river: River) -> None:
    river.say(0, ("S0", 20.5))
    river.say(3, ("S1", 10.0))
    (event,) = river.say(12, ("S1", 10.0))
    assert event.state == "changed"
    assert event.body["why"][-1]["en"] == "no usable value since 2020-07-06 00:00; the alert stands"
    assert river.say(13, ("S1", 10.0)) == []
    (back,) = river.say(14, ("S0", 20.4))
    assert all("no usable value" not in each["en"] for each in back.body["why"])


def test_acknowledging_is_once_by_name_and_stops_escalation(river: River) -> None:
    (event,) = river.say(0, ("S0", 20.5))
    answer = river.alert.acknowledge(event.id, "lin", "seen", START + HOUR)
    assert (answer.state, answer.body["acknowledged_by"], answer.body["note"]) == ("acknowledged", "lin", "seen")
    assert river.say(9, ("S0", 20.5)) == []
    with pytest.raises(BadInput, match="by 'lin' already"):
        river.alert.acknowledge(event.id, "wu", "", START + 2 * HOUR)
    with pytest.raises(NotFound, match=event.id):
        river.alert.acknowledge(event.id.replace("S0", "S9"), "wu", "", START + 2 * HOUR)


def test_a_silence_marks_what_stands_and_what_comes_and_ends(river: River) -> None:
    river.say(0, ("S0", 20.5))
    event = river.alert.silence({"rule": "warning"}, START + 4 * HOUR, "lin", "levee works", START)
    assert (event.kind, event.state) == ("silence", "set")
    events = river.say(1, ("S0", 20.5), ("S1", 20.5))
    assert told(events) == ["raised warning S1", "changed warning S0"]
    assert {each.body["inhibited_by"] for each in events} == {event.id}
    later = river.say(4, ("S0", 20.5), ("S1", 20.5))
    assert (later[0].kind, later[0].state) == ("silence", "ended")
    assert {each.body["inhibited_by"] for each in later if each.kind == "alert"} == {""}


def test_a_silence_must_match_something_known_and_lie_ahead(river: River) -> None:
    with pytest.raises(BadInput, match="colour"):
        river.alert.silence({"colour": "red"}, START + HOUR, "lin", "", START)
    with pytest.raises(BadInput, match="nothing"):
        river.alert.silence({}, START + HOUR, "lin", "", START)
    with pytest.raises(BadInput, match="over already"):
        river.alert.silence({"subject": "S0"}, moment(START), "lin", "", START)


def test_worse_needs_a_new_acknowledgement(tmp_path: Path) -> None:
    small = basin()
    text = """
[[rule]]
name = "signal"
title = { zh = "{station}{severity}预警", en = "{station}: {severity}" }
match = { quantity = "water_level" }
[[rule.level]]
severity = "blue"
when = [{ above = "warning", by = -0.5 }]
[[rule.level]]
severity = "red"
when = [{ above = "guarantee" }]
"""
    river = River(small, rules_of(small, text, tmp_path))
    (event,) = river.say(0, ("S0", 19.5))
    river.alert.acknowledge(event.id, "lin", "", START)
    (worse,) = river.say(1, ("S0", 22.0))
    assert (worse.state, worse.body["severity"], worse.body["acknowledged_by"]) == ("changed", "red", "")
    river.alert.acknowledge(event.id, "lin", "", START + HOUR)
    (milder,) = river.say(2, ("S0", 19.6))
    assert (milder.body["severity"], milder.body["acknowledged_by"]) == ("blue", "lin")


def wander(small: Basin, seed: int, hours: int, lateness: float = 0.05) -> Iterator[tuple[int, Batch]]:
    """A random walk of every gauge about its lines, with gaps, doubted values and late corrections."""
    rng = np.random.default_rng(seed)
    level = rng.uniform(19, 22, len(small.stations))
    for hour in range(hours):
        level += rng.normal(0, 0.25, len(level)) + 0.05 * (20.8 - level)
        there = np.flatnonzero(rng.random(len(level)) < 0.9)
        late = np.where(rng.random(len(there)) < lateness, 3 * HOUR, 0)
        flags = np.where(rng.random(len(there)) < 0.1, Flag.SUSPECT, Flag.GOOD)
        now = START + hour * HOUR
        yield (
            now,
            Batch.of(small.roster, there, [LEVEL] * len(there), now - late, np.round(level[there], 2), flags).ordered(),
        )


def test_killed_and_loaded_at_every_step_the_log_is_the_same(tmp_path: Path) -> None:
    small = basin(6)
    rules = read_rules([RULES / "qingxi/rules/alerts.toml", RULES / "qingxi/rules/signals.toml"], small)
    assess, whole, events, resumed = Assess(small), Alert(small, rules), [], []
    broken = Alert(small, rules)
    for step, (now, batch) in enumerate(wander(small, 11, 300)):
        assessed = assess.step(batch, now)
        events += whole.step(assessed, now)
        resumed += broken.step(assessed, now)
        if step == 40:
            for stage, log in ((whole, events), (broken, resumed)):
                log.append(stage.silence({"subject": "S1"}, now + 30 * HOUR, "lin", "", now))
        blob = broken.dump()
        broken = Alert(small, rules)
        broken.load(blob)
        assert broken.dump() == blob
    assert msgspec.json.encode(events) == msgspec.json.encode(resumed)
    states = {(event.kind, event.state) for event in events}
    assert {("alert", state) for state in ("raised", "changed", "escalated", "cleared")} <= states
    identities = [(event.kind, event.id, event.time, event.state) for event in events]
    assert len(identities) == len(set(identities))


def test_every_alert_is_raised_once_and_cleared_at_most_once(tmp_path: Path) -> None:
    small = basin(6)
    river = River(small, rules_of(small, LEVELS, tmp_path))
    lives: dict[str, list[str]] = {}
    for now, batch in wander(small, 5, 400):
        for event in river.alert.step(river.assess.step(batch, now), now):
            lives.setdefault(event.id, []).append(event.state)
    assert len(lives) > 20
    for states in lives.values():
        assert states[0] == "raised"
        assert states.count("raised") == 1
        assert "cleared" not in states[:-1]


def test_one_big_step_raises_and_clears_what_hourly_steps_do(tmp_path: Path) -> None:
    small = basin(4)
    rules = rules_of(small, LEVELS, tmp_path)
    parts = list(wander(small, 21, 120, lateness=0.0))
    hourly, daily = River(small, rules), River(small, rules)
    one = [event for now, batch in parts for event in hourly.alert.step(hourly.assess.step(batch, now), now)]
    other: list[Event] = []
    for first in range(0, len(parts), 24):
        chunk = parts[first : first + 24]
        batch = Batch.join([each for _, each in chunk])
        other += daily.alert.step(daily.assess.step(batch, chunk[-1][0]), chunk[-1][0])
    for state in ("raised", "cleared"):
        assert [e.id for e in one if e.state == state] == [e.id for e in other if e.state == state]


def test_a_quiet_river_of_thirty_thousand_gauges_passes_fast() -> None:
    small = basin(30_000)
    rules = read_rules([RULES / "qingxi/rules/alerts.toml"], small)
    assess, alert = Assess(small), Alert(small, rules)
    rng, n = np.random.default_rng(2), len(small.stations)
    level, spent = rng.uniform(10, 19.5, n), 0.0
    for step in range(6):
        now = START + 300 * step
        batch = Batch.of(small.roster, np.arange(n), [LEVEL] * n, [now] * n, level + 0.01 * step, [1] * n)
        began = clock.perf_counter()
        assert alert.step(assess.step(batch, now), now) == []
        spent += clock.perf_counter() - began
    assert 6 * n / spent > 50_000


@pytest.mark.parametrize("name", ["qingxi", "yangtze"])
def test_the_shipped_rules_pass_their_own_tests(name: str) -> None:
    files = sorted(each for each in (RULES / name / "rules/tests").glob("*.toml") if each.name != "notices.toml")
    outcomes = [outcome for file in files for outcome in test_rules(file, Assess)]
    assert [str(each) for each in outcomes if not each.passed] == []
    assert len(outcomes) >= 5


def test_a_rule_test_can_fail_and_says_what_came(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text('kind = "alerts"\n' + LEVELS, encoding="utf-8")
    file = tmp_path / "test.toml"
    file.write_text(
        """
kind = "rule-test"
rules = ["rules.toml"]
station = [{ code = "S0", name = "站", name_en = "gauge" }]
[[threshold]]
station = "S0"
quantity = "water_level"
kind = "warning"
value = 20.0
[[test]]
name = "wrong on purpose"
start = "2020-07-06"
[[test.expect]]
at = "1h"
alerts = [{ rule = "guarantee", station = "S0" }]
floods = [{ number = 1, station = "S0", time = "1h" }]
[[test.series]]
station = "S0"
quantity = "water_level"
values = "19 20"
""",
        encoding="utf-8",
    )
    (outcome,) = test_rules(file, Assess)
    assert not outcome.passed
    assert outcome.problems == (
        "at 1h: alert guarantee at S0 expected, it does not stand",
        "at 1h: alert warning at S0 (yellow) stands and is not expected",
        "at 1h: flood 1 at S0 1h in expected, found: none",
    )
