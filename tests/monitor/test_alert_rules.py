"""Reading rule files: every fault at once, each with its line, its value and a cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.monitor.alert import read_rules, test_rules
from liuyu.monitor.alert.language import seconds
from liuyu.monitor.alert.notation import expand
from liuyu.monitor.assess import Assess

BASIN = Basin(
    code="one",
    name="一站",
    name_en="one gauge",
    time_zone="Asia/Shanghai",
    synthetic=True,
    folder="",
    stations=(Station(code="60112200", name="汉口", name_en="Hankou", river="长江"),),
    thresholds=(Threshold(station="60112200", quantity="water_level", kind="warning", value=27.3),),
)

BROKEN = """kind = "alerts"

[[rule]]
name = "Above Warning"
title = { zh = "{station}", en = "{station}" }
severity = "yellow"
match = { quantity = "water_level" }
when = [{ above = "warning" }]

[[rule]]
name = "wrong-everywhere"
title = { zh = "{stationn}超警戒" }
severity = "yellow"
match = { quantity = "water_levl", threshold = "warnin", stations = ["60112201"], rivers = ["长江干流"] }
when = [{ above = "warnings" }, {}]
inhibits = ["level-above-warning"]
escalate_to = "red"

[[rule]]
name = "no-condition"
title = { zh = "甲", en = "A" }
match = { quantity = "water_level" }
holdsfor = "2h"

[[rule]]
name = "falling-levels"
title = { zh = "甲", en = "A" }
match = { quantity = "water_level" }
holds_for = "two hours"
level = [
    { severity = "red", when = [{ above = "warning" }] },
    { severity = "blue", when = [{ above = "warning" }] },
]
"""


def faults(text: str, tmp_path: Path) -> list[str]:
    file = tmp_path / "rules.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_rules([file], BASIN)
    return [str(each).removeprefix(str(file)) for each in caught.value.faults]


def test_every_fault_is_told_at_once_with_its_line_and_cure(tmp_path: Path) -> None:
    found = faults(BROKEN, tmp_path)
    for wanted in (
        ":4: name='Above Warning'",
        ":12: title=\"{'zh': '{stationn}超警戒'}\" has no en text; give both languages",
        ":12: title='stationn' no such placeholder; did you mean 'station'?",
        ":14: match='water_levl' no such quantity; did you mean 'water_level'?",
        ":14: match='warnin' no such threshold kind; did you mean 'warning'?",
        ":14: match='60112201' no such station; did you mean '60112200'?",
        ":14: match='长江干流' no such river; did you mean '长江'?",
        ":15: when='warnings' no such threshold kind; did you mean 'warning'?",
        ":15: when='{}' tests nothing",
        ":16: inhibits='level-above-warning' no such rule to inhibit",
        ":17: escalate_to='red' never happens without escalate_after",
        ":23: holdsfor='2h' unknown key; did you mean 'holds_for'?",
        ":29: holds_for='two hours'",
    ):
        assert any(each.startswith(wanted) for each in found), f"{wanted}\nnot in\n" + "\n".join(found)


def test_faults_of_conditions_and_levels(tmp_path: Path) -> None:
    text = BROKEN.replace('holdsfor = "2h"\n', "").replace('"two hours"', '"2h"').replace("Above Warning", "above")
    found = faults(text, tmp_path)
    assert any("has no condition" in each for each in found)
    assert any("are not rising; order them mildest first" in each for each in found)
    twice = BROKEN.split("[[rule]]")[1].replace("Above Warning", "above")
    found = faults(f'kind = "alerts"\n[[rule]]{twice}[[rule]]{twice}', tmp_path)
    assert any("is a rule of" in each for each in found)


def test_a_broken_file_and_an_unknown_kind_are_faults(tmp_path: Path) -> None:
    assert "not TOML" in faults('kind = "alerts"\nrule = [', tmp_path)[0]
    assert "begin the file with kind" in faults('kind = "alarms"\n', tmp_path)[0]
    assert "holds no rule" in faults('kind = "alerts"\n', tmp_path)[0]


def test_flood_rules_name_stations_lines_and_sections(tmp_path: Path) -> None:
    text = """kind = "floods"
name = { zh = "{year}第{number}号", en = "No. {numbr}" }
[[section]]
code = "upper"
name = { zh = "上游", en = "upper" }
apart = "48h"
rest = "24h"
joins = [{ section = "lower", within = "10d" }]
criterion = [{ station = "60112201", quantity = "water_level" }, { station = "60112200", quantity = "discharge" }]
"""
    found = faults(text, tmp_path)
    assert any(each.startswith(":2: name='numbr' no such placeholder") for each in found)
    assert any("joins='lower' no such section" in each for each in found)
    assert any("did you mean '60112200'?" in each for each in found)
    assert any("discharge has no line to number floods by" in each for each in found)


def test_files_of_another_kind_are_left_to_their_readers(tmp_path: Path) -> None:
    file = tmp_path / "notices.toml"
    file.write_text('kind = "notices"\nanything = 1\n', encoding="utf-8")
    assert read_rules([file], BASIN).alerts == ()


def test_durations_and_series_in_short() -> None:
    assert [seconds(each) for each in ("90min", "2h", "1.5d")] == [5400, 7200, 129600]
    with pytest.raises(BadInput, match="2 hours"):
        seconds("2 hours")
    good, suspect = Flag.GOOD, Flag.SUSPECT
    assert expand("1-0.5x3 _x2 7? -2x2") == [
        (1.0, good), (0.5, good), (0.0, good), None, None, (7.0, suspect), (-2.0, good), (-2.0, good),
    ]  # fmt: skip
    for wrong in ("27,3", "x3", "_5", "5x"):
        with pytest.raises(BadInput, match="is no value"):
            expand(wrong)


def test_a_rule_test_with_faults_is_refused_before_it_runs(tmp_path: Path) -> None:
    file = tmp_path / "test.toml"
    file.write_text('kind = "rule-test"\nrules = ["gone.toml"]\n[[test]]\nname = "a"\nstart = "2020-07-01"\n', "utf-8")
    with pytest.raises(BadPackage, match="series is missing"):
        test_rules(file, Assess)
    file.write_text('kind = "alerts"\nrules = []\n', encoding="utf-8")
    with pytest.raises(BadPackage, match="is no file of rule tests"):
        test_rules(file, Assess)
