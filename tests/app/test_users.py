"""Passwords are never kept, tokens work once."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from liuyu.app.users import Users
from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.web.ports import User

PASSWORD = "river basin twin"


def test_only_the_right_password_signs_in(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("wang", "duty_officer", PASSWORD)
    again = Users(tmp_path)
    assert again.check("wang", PASSWORD) == User("wang", "duty_officer")
    assert again.check("wang", PASSWORD + "x") is None
    assert again.check("li", PASSWORD) is None


def test_the_file_holds_no_password_and_is_private(tmp_path: Path) -> None:
    Users(tmp_path).add("wang", "viewer", PASSWORD)
    file = tmp_path / "users.json"
    assert PASSWORD not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_adding_again_changes_role_and_password(tmp_path: Path) -> None:
    users = Users(tmp_path)
    users.add("wang", "viewer", PASSWORD)
    users.add("wang", "administrator", "another password")
    assert users.check("wang", PASSWORD) is None
    assert users.check("wang", "another password") == User("wang", "administrator")


@pytest.mark.parametrize(
    ("name", "role", "password", "word"),
    [
        ("", "viewer", PASSWORD, "empty"),
        ("wang", "king", PASSWORD, "king"),
        ("wang", "viewer", "short", "5 characters"),
    ],
)
def test_what_is_refused_says_why(tmp_path: Path, name: str, role: str, password: str, word: str) -> None:
    with pytest.raises(BadInput, match=word):
        Users(tmp_path).add(name, role, password)
    assert not (tmp_path / "users.json").exists()


def test_a_token_works_once(tmp_path: Path) -> None:
    users = Users(tmp_path)
    token = users.issue_token(User("duty", "duty_officer"))
    assert users.redeem("not " + token) is None
    assert users.redeem(token) == User("duty", "duty_officer")
    assert users.redeem(token) is None


def test_a_damaged_file_is_an_error_and_not_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "users.json").write_text("[{", encoding="utf-8")
    with pytest.raises(StoreFailed, match=r"users\.json"):
        Users(tmp_path).check("wang", PASSWORD)
