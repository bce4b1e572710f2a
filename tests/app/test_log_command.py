"""`liuyu log verify`, as a person types it."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner

from liuyu.app.commands.log import log
from liuyu.basin.errors import BadInput, NotFound
from tests.app.office_bench import office, sign


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A twin's folder, with two signed orders in its log."""
    with office(tmp_path) as (twin, _):
        sign(twin)
        sign(twin)
    return tmp_path


def verify(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(log, ["verify", *arguments], catch_exceptions=False, standalone_mode=True)
    return done.exit_code, done.output


def test_a_sound_log_is_said_to_be_with_its_head(home: Path) -> None:
    code, said = verify(str(home))
    assert code == 0
    assert said.startswith("Log of events: 4 entries, all as logged; head 4:")
    code, told = verify(str(home), "--json")
    found = json.loads(told)
    assert (code, found["sound"], found["event"]["entries"], found["audit"]["first_bad"]) == (0, True, 4, None)
    assert verify(str(home / "store"), "--head", found["event"]["head"][:18])[0] == 0


def test_an_edit_is_named_and_the_exit_code_says_so(home: Path) -> None:
    with sqlite3.connect(home / "store" / "live.sqlite") as connection:
        connection.execute("DROP TRIGGER event_stays")
        connection.execute("UPDATE event SET body = replace(body, '300', '900') WHERE seq = 2")
    code, said = verify(str(home))
    assert code == 1
    assert "NOT SOUND at entry 2: entry 2 is not what was logged. The 1 before it are as logged." in said
    assert "Audit log: 4 entries, all as logged" in said


def test_text_that_is_none_in_any_encoding_is_no_crash(home: Path) -> None:
    with sqlite3.connect(home / "store" / "live.sqlite") as connection:
        connection.execute("DROP TRIGGER audit_stays")
        connection.execute("UPDATE audit SET target = CAST(x'ff41' AS TEXT) WHERE id = 3")
    code, said = verify(str(home))
    assert code == 1
    assert "Audit log: NOT SOUND at entry 3" in said


def test_a_head_of_another_log_is_found_out(home: Path) -> None:
    code, said = verify(str(home), "--head", "log 3:0123456789abcdef")
    assert code == 1
    assert "written anew" in said
    with pytest.raises(BadInput, match="950:3f2a9c0d"):
        verify(str(home), "--head", "3-x")


def test_a_folder_without_a_store_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no store"):
        verify(str(tmp_path))
