"""What a user types, and what comes back: words, JSON, exit codes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LIUYU = str(Path(sys.executable).with_name("liuyu"))


def liuyu(*words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([LIUYU, *words], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    return done


def test_check_finds_no_fault_in_a_shipped_basin_by_its_name() -> None:
    assert json.loads(liuyu("check", "yangtze", "--json").stdout)["faults"] == []


def test_check_reports_every_fault_and_exits_with_one(basins: Path) -> None:
    done = liuyu("check", str(basins / "zoo" / "broken_thresholds"), code=1)
    heading, *faults = done.stdout.splitlines()
    assert heading.endswith(f"{len(faults)} faults")
    assert len(faults) > 2
    assert all("thresholds.csv:" in fault and ";" in fault for fault in faults)


def test_a_name_that_is_nearly_right_gets_a_hint() -> None:
    assert "yangtze" in liuyu("check", "yangzte", code=1).stderr


def test_rules_test_counts_what_passed(basins: Path) -> None:
    files = sorted(map(str, (basins / "qingxi" / "rules" / "tests").glob("*.toml")))
    assert liuyu("rules", "test", *files).stdout.splitlines()[-1].endswith("passed, 0 failed")


def test_rules_test_fails_where_an_alert_is_expected_that_does_not_come(basins: Path, tmp_path: Path) -> None:
    package = tmp_path / "qingxi"
    shutil.copytree(basins / "qingxi", package)
    rules = package / "rules" / "alerts.toml"
    text = rules.read_text(encoding="utf-8").replace('severity = "yellow"', 'severity = "blue"')
    rules.write_text(text, encoding="utf-8")
    done = liuyu("rules", "test", str(package / "rules" / "tests" / "levels.toml"), code=1)
    assert " failed" in done.stdout.splitlines()[-1]
    assert not done.stdout.splitlines()[-1].endswith(" 0 failed")


def test_replay_into_a_folder_that_is_not_its_own_is_refused(tmp_path: Path) -> None:
    period = ("--basin", "qingxi", "--from", "2021-07-03", "--to", "2021-07-02", "--out", str(tmp_path))
    assert "before it begins" in liuyu("replay", *period, code=1).stderr


@pytest.mark.parametrize("words", [("replay",), ("qc", "--in", "x.parquet"), ("no-such-command",)])
def test_wrong_usage_exits_with_two(words: tuple[str, ...]) -> None:
    assert liuyu(*words, code=2).stderr


def test_qc_of_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    done = liuyu("qc", "--in", str(tmp_path / "absent.parquet"), "--out", str(tmp_path / "flags.csv"), code=1)
    assert "absent.parquet" in done.stderr
    assert not (tmp_path / "flags.csv").exists()


def test_a_configuration_with_faults_stops_before_anything_runs(tmp_path: Path) -> None:
    file = tmp_path / "liuyu.toml"
    file.write_text("[server]\nprot = 1\n", encoding="utf-8")
    done = liuyu("replay", "--config", str(file), "--out", str(tmp_path / "out"), code=1)
    assert "liuyu.toml:2" in done.stderr
    assert not (tmp_path / "out").exists()
