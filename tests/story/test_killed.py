"""Killed at any moment, a replay goes on as if nothing had been."""

from __future__ import annotations

import random
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from liuyu.store.sqlite import fingerprint, open_store
from tests.story.runs import LIUYU, replay, results

BASIN = ("--basin", "qingxi")


def kill_replays(out: Path, kills: int, whole: float, seed: int) -> None:
    """Start a replay again and again and SIGKILL it at random moments, so many times; then let it end.

    whole: what an undisturbed run takes [s]. The first part of it is start-up, when there is nothing to lose yet. A
    replay that ended before its moment does not count, and the next begins afresh.
    """
    random_part, killed = random.Random(seed), 0
    for _ in range(10 * kills):
        process = subprocess.Popen([LIUYU, "replay", "--out", str(out), *BASIN], stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=whole * random_part.uniform(0.3, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        if killed == kills:
            break
    assert killed == kills
    replay(out, *BASIN)


def equal_to_an_undisturbed_run(folder: Path, kills: int, seed: int) -> None:
    calm, troubled = folder / "calm", folder / "troubled"
    began = time.monotonic()
    replay(calm, *BASIN)
    kill_replays(troubled, kills, time.monotonic() - began, seed)
    assert results(troubled) == results(calm)
    prints = []
    for each in (calm, troubled):
        with closing(open_store(each / "store", read_only=True)) as store:
            prints.append(fingerprint(store))
    assert prints[0] == prints[1]


def test_three_kills_change_nothing(tmp_path: Path) -> None:
    equal_to_an_undisturbed_run(tmp_path, kills=3, seed=1)


@pytest.mark.slow
def test_twenty_kills_change_nothing(tmp_path: Path) -> None:
    equal_to_an_undisturbed_run(tmp_path, kills=20, seed=100)
