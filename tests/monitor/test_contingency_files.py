"""Plan files: those that are shipped are sound and pass their tests; broken ones tell every fault at once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from liuyu.app.commands.plan import plan as command
from liuyu.basin.errors import BadPackage
from liuyu.basin.package import read_basin
from liuyu.monitor.assess import Assess
from liuyu.monitor.respond import read_playbook
from liuyu.monitor.respond.contingency import check_plans, digest, in_force, plans_of, read_plans
from liuyu.monitor.respond.contingency.trial import test_plans

FILES = ("yangtze/plans/tests/main-stem.toml", "yangtze/plans/tests/upper-reach.toml", "qingxi/plans/tests/flood.toml")


@pytest.mark.parametrize("name", ["yangtze", "qingxi"])
def test_the_plans_that_are_shipped_have_no_faults(basins: Path, name: str) -> None:
    basin = read_basin(basins / name)
    book = read_playbook([basins / name / basin.playbook_file], basin)
    plans = plans_of(basin, [each.code for each in book.owners])
    assert plans
    assert all("not the text of any official plan" in each.source for each in plans)


@pytest.mark.parametrize("file", FILES)
def test_the_plans_that_are_shipped_pass_their_tests(basins: Path, file: str) -> None:
    outcomes = test_plans(basins / file, Assess)
    assert outcomes
    assert [str(each) for each in outcomes if not each.passed] == []


@pytest.mark.data
def test_august_2020_is_proposed_as_the_record_would_have_it(basins: Path) -> None:
    done = CliRunner().invoke(command, ["test", str(basins / "yangtze/plans/tests/august-2020.toml")])
    assert done.exit_code == 0, done.output
    assert "1 passed, 0 failed" in done.output


def test_a_broken_plan_tells_every_fault_at_once(basins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(basins / "zoo/faulty_plans")
    done = CliRunner().invoke(command, ["check", "."])
    expected = Path("expected_faults.txt").read_text("utf-8").splitlines()
    assert done.exit_code == 1
    assert done.output.splitlines() == [f"4 plan files: {len(expected)} faults", *expected]


def test_one_file_and_a_folder_can_be_checked_alone(basins: Path) -> None:
    plans = basins / "yangtze/plans"
    one = CliRunner().invoke(command, ["check", str(plans / "main-stem.toml"), "--json"])
    assert (one.exit_code, '"faults": []' in one.output or '"faults":[]' in one.output) == (0, True)
    assert "2 plan files: 0 faults" in CliRunner().invoke(command, ["check", str(plans)]).output


def test_a_plan_test_that_fails_says_what_was_expected_and_what_came(basins: Path, tmp_path: Path) -> None:
    shutil.copytree(basins / "qingxi", tmp_path / "qingxi")
    file = tmp_path / "qingxi/plans/tests/flood.toml"
    text = file.read_text("utf-8").replace('proposed = "IV", since = 4', 'proposed = "III", since = 6')
    file.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(command, ["test", str(file)])
    assert done.exit_code == 1
    assert "at 4 h: III proposed expected, IV is" in done.output
    assert "at 4 h: proposed at 6 h expected, 4 h" in done.output


def test_the_digest_is_of_what_the_plan_says_and_not_of_its_comments(basins: Path, tmp_path: Path) -> None:
    basin = read_basin(basins / "qingxi")
    owners = [each.code for each in read_playbook([basins / "qingxi/playbook.toml"], basin).owners]
    text = (basins / "qingxi/plans/flood.toml").read_text("utf-8")
    digests = []
    for name, changed in (
        ("a", text),
        ("b", "# another comment\n" + text),
        ("c", text.replace("after_h = 24", "after_h = 25")),
    ):
        path = tmp_path / f"{name}.toml"
        path.write_text(changed, encoding="utf-8")
        (one,) = read_plans([path], basin, owners)
        digests.append(digest(one))
    assert digests[0] == digests[1] != digests[2]


def test_of_two_versions_that_follow_one_another_each_has_its_time(basins: Path, tmp_path: Path) -> None:
    basin = read_basin(basins / "zoo/faulty_plans")
    text = (basins / "zoo/faulty_plans/plans/versions-1.toml").read_text("utf-8")
    first = text.replace(
        'effective_from = "2020-01-01"', 'effective_from = "2020-01-01"\neffective_until = "2022-01-01"'
    )
    (tmp_path / "1.toml").write_text(first, encoding="utf-8")
    second = (basins / "zoo/faulty_plans/plans/versions-2.toml").read_text("utf-8")
    (tmp_path / "2.toml").write_text(second, encoding="utf-8")
    plans = read_plans([tmp_path / "1.toml", tmp_path / "2.toml"], basin, [])
    eve, day = 1640966399, 1640966400  # 2022-01-01 begins at 16:00 UTC the day before
    assert [each.version for each in in_force(plans, eve, basin)] == ["1"]
    assert [each.version for each in in_force(plans, day, basin)] == ["2"]


def test_a_plan_with_faults_is_refused_as_a_whole(basins: Path) -> None:
    basin = read_basin(basins / "zoo/faulty_plans")
    files = sorted((basins / "zoo/faulty_plans/plans").glob("*.toml"))
    with pytest.raises(BadPackage, match="can never be ended"):
        read_plans(files, basin, ["duty", "head"])
    assert all(each.plan is not None for each in check_plans(files, basin, ["duty", "head"]))
