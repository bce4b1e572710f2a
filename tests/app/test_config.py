"""The configuration is judged as a whole: every fault at once, each with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from liuyu.app.config import Config, read_config
from liuyu.basin.errors import BadInput, BadPackage


def written(folder: Path, text: str) -> Path:
    file = folder / "liuyu.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_without_a_file_the_defaults_hold() -> None:
    assert read_config(None) == Config()
    assert Config().server.host == "127.0.0.1"


def test_a_file_overrides_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    config = read_config(written(tmp_path, 'basin = "qingxi"\n[server]\nport = 9000\n[replay]\nspeed = 60.0\n'))
    assert (config.basin, config.server.port, config.replay.speed) == ("qingxi", 9000, 60.0)
    assert config.server.host == "127.0.0.1"


def test_every_fault_is_reported_at_once_with_its_line_and_a_cure(tmp_path: Path) -> None:
    text = (
        'basin = 7\n[server]\nprot = 80\nport = 99999\n[replay]\nstart = "yesterday"\n'
        '[stroage]\n[outlook]\nforecast_hours = "six"\n'
    )
    with pytest.raises(BadPackage) as caught:
        read_config(written(tmp_path, text))
    found = {(fault.line, fault.field) for fault in caught.value.faults}
    assert found == {
        (1, "basin"),
        (3, "server.prot"),
        (4, "server.port"),
        (6, "replay.start"),
        (7, "stroage"),
        (9, "outlook.forecast_hours"),
    }
    cures = {fault.field: fault.cure for fault in caught.value.faults}
    assert "'port'" in cures["server.prot"]
    assert "'storage'" in cures["stroage"]
    assert "65535" in cures["server.port"]


def test_a_file_that_is_not_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(BadPackage) as caught:
        read_config(written(tmp_path, 'basin = "yangtze"\nport 9\n'))
    assert [fault.line for fault in caught.value.faults] == [2]


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"absent\.toml"):
        read_config(tmp_path / "absent.toml")


def test_the_manual_shows_every_setting_with_its_default(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "configuration.md").read_text(encoding="utf-8")
    shown = page.split("```toml\n")[1].split("```")[0]
    documented = tomllib.loads(shown)
    defaults = msgspec.to_builtins(Config())
    assert {key: set(each) if isinstance(each, dict) else None for key, each in documented.items()} == {
        key: set(each) if isinstance(each, dict) else None for key, each in defaults.items()
    }
    assert read_config(written(tmp_path, shown)).server == Config().server
    assert documented["storage"] == defaults["storage"]
    assert documented["outlook"] == defaults["outlook"]
