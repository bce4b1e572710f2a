"""A storm on the synthetic basin, from raindrop to report, through the command that a user runs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.story.runs import events, replay, results

BASIN = ("--basin", "qingxi")


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("storm")
    replay(out, *BASIN)
    return out


@pytest.fixture(scope="module")
def log(storm: Path) -> list[dict[str, Any]]:
    return events(storm)


def states(log: list[dict[str, Any]], kind: str) -> Counter[str]:
    return Counter(line["state"] for line in log if line["kind"] == kind)


def test_the_whole_loop_leaves_its_trace(log: list[dict[str, Any]]) -> None:
    assert states(log, "alert")["raised"] >= 3
    assert states(log, "alert")["cleared"] >= 3
    assert states(log, "numbered_flood")["numbered"] == 1
    assert states(log, "forecast")["issued"] > 20
    assert states(log, "notice")["issued"] >= 1
    assert states(log, "incident")["opened"] == 1
    assert states(log, "incident")["closed"] == 1
    assert states(log, "task")["assigned"] >= 3
    assert states(log, "rehearsal")["run"] >= 1
    assert states(log, "proposal")["proposed"] >= 1
    assert states(log, "report")["written"] == 1
    assert states(log, "quality")["doubted"] >= 1


def test_when_the_flood_is_over_no_flood_alert_stands(log: list[dict[str, Any]]) -> None:
    last = {line["id"]: line["state"] for line in log if line["kind"] == "alert" and "level-above" in line["rule"]}
    assert len(last) >= 5
    assert set(last.values()) == {"cleared"}


def test_a_notice_that_hits_comes_before_the_alert_that_it_foretells(log: list[dict[str, Any]]) -> None:
    issued = {line["id"]: line["announced"] for line in log if line["kind"] == "notice" and line["state"] == "issued"}
    raised: dict[tuple[str, str], list[str]] = {}
    for line in log:
        if line["kind"] == "alert" and line["state"] == "raised" and "level-above" in line["rule"]:
            raised.setdefault((line["subject"], line["threshold"]), []).append(line["announced"])
    hits = [line for line in log if line["kind"] == "notice" and line.get("outcome") == "hit" and not line["near"]]
    told = [(issued[hit["id"]], raised[hit["station"], hit["threshold"]]) for hit in hits]
    assert len(told) >= 3
    assert all(any(notice < alert for alert in alerts) for notice, alerts in told)
    assert all(hit["lead_h"] > 0 for hit in hits)


def test_every_line_says_that_the_data_are_synthetic(log: list[dict[str, Any]], storm: Path) -> None:
    assert all(line["synthetic"] is True for line in log)
    for name in ("report.zh.html", "report.en.html"):
        text = (storm / name).read_text(encoding="utf-8")
        assert "合成" in text or "SYNTHETIC" in text


def test_events_come_in_the_order_of_the_twins_clock(log: list[dict[str, Any]]) -> None:
    said = [line["announced"] for line in log]
    assert said == sorted(said)


def test_twice_gives_the_same_bytes(storm: Path, tmp_path: Path) -> None:
    replay(tmp_path, *BASIN)
    assert results(tmp_path) == results(storm)


def test_again_into_the_same_folder_gives_the_same_bytes(storm: Path) -> None:
    before = results(storm)
    replay(storm, *BASIN)
    assert results(storm) == before
