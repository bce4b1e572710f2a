"""Scenario files: what is right is read, and every fault is told at once with its line and its cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.clock import HOUR
from liuyu.basin.errors import BadPackage
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse import read_scenario, scenario_of
from liuyu.outlook.rehearse.read import faults_of, seconds_of

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "rehearse").glob("*.toml"))

WRONG = """name = "x"
hours = 9000

[base]
at = "yesterday"
store = "nowhere"

[[release]]
reservoir = "gorges"
delta = 100
constant = 5

[[release]]
reservoir = "qingxi_reservoir"
series = "absent.csv"
from = 20
to = 10

[[breach]]
levee = "levee_qinghecheng"
chainage_m = 99999

[[detention]]
basin = "bailuzho"

[[flood]]
case = "qinghechen"

[[floods]]
case = "x"

[rain]
factor = 9

[impact]
layers = ["people.docx"]
"""


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda each: each.name)
def test_examples_are_sound(path: Path, basins: Path) -> None:
    named = next(line.split('"')[1] for line in path.read_text("utf-8").splitlines() if line.startswith("basin"))
    setup = read_scenario(path, read_basin(basins / named))
    assert setup.name["zh"] != setup.name["en"]


def test_every_fault_is_told_with_its_line_and_its_cure(basin: Basin, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(WRONG, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_scenario(path, basin)
    told = [(each.line, each.field, each.problem + "; " + each.cure) for each in caught.value.faults]
    lines = {field: line for line, field, _ in told if field}
    assert lines["hours"] == 2
    assert lines["at"] == 5
    assert lines["reservoir"] == 9
    assert lines["end"] == 17, "written as `to`"
    assert lines["chainage_m"] == 21
    assert lines["factor"] == 33
    words = " | ".join(text for _, _, text in told)
    for part in (
        "gives constant and delta",
        "known: qingxi_reservoir",
        "absent.csv",
        "ends before it begins",
        "the levee is 12285 m long",
        "did you mean 'bailuzhou'",
        "take a case of the basin: qinghecheng",
        "did you mean 'flood'",
        "is no exposure layer",
    ):
        assert part in words + str(caught.value), part
    assert all(each["cure"] for each in faults_of(caught.value))


def test_a_page_sends_the_same_tables_but_no_files(basin: Basin) -> None:
    setup = scenario_of(
        {
            "name": "拦",
            "release": [{"reservoir": "qingxi_reservoir", "series": [100, 90], "from": 3, "to": 9}],
            "flood": [{"case": "qinghecheng"}],
        },
        basin,
    )
    assert (setup.releases[0].start, setup.releases[0].end) == (3, 9)
    for data in (
        {"flood": [{"case": "/etc/passwd"}]},
        {"release": [{"reservoir": "qingxi_reservoir", "series": "/etc/passwd"}]},
        {"base": {"store": "var"}},
        {"impact": {"layers": ["/etc/passwd.tif"]}},
    ):
        with pytest.raises(BadPackage, match=r"may not|is no case|did you mean"):
            scenario_of({"name": "x", **data}, basin)


def test_the_same_content_has_one_name(basin: Basin) -> None:
    data = {"name": "x", "rain": {"factor": 1.2}}
    assert scenario_of(data, basin).digest == scenario_of(dict(data), basin).digest
    assert scenario_of({**data, "hours": 5}, basin).digest != scenario_of(data, basin).digest


def test_numbers_are_hours_and_moments_are_moments(basin: Basin) -> None:
    base = 1_600_000_000
    assert seconds_of(1.5, base, basin) == base + 5400
    assert seconds_of("2020-09-13T21:00", base, basin) - seconds_of("2020-09-13T12:00Z", base, basin) == HOUR
