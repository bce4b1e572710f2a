"""The Yangtze's summer of 2020, from the real archive: the numbered floods of the public record and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.story.runs import events, replay

pytestmark = pytest.mark.data


def floods(out: Path, start: str, end: str) -> list[tuple[str, str]]:
    replay(out, "--basin", "yangtze", "--from", start, "--to", end)
    return [(line["name"], line["time"]) for line in events(out) if line["kind"] == "numbered_flood"]


def test_summer_2020_has_floods_three_four_and_five(tmp_path: Path) -> None:
    assert floods(tmp_path, "2020-07-18", "2020-09-30") == [
        ("长江2020年第3号洪水", "2020-07-26T14:00:00+08:00"),
        ("长江2020年第4号洪水", "2020-08-14T05:00:00+08:00"),
        ("长江2020年第5号洪水", "2020-08-17T14:00:00+08:00"),
    ]


def test_the_count_is_right_from_the_middle_of_the_season(tmp_path: Path) -> None:
    assert floods(tmp_path, "2020-08-10", "2020-08-20") == [
        ("长江2020年第4号洪水", "2020-08-14T05:00:00+08:00"),
        ("长江2020年第5号洪水", "2020-08-17T14:00:00+08:00"),
    ]
