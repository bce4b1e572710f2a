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


def killed_replay(out: Path, moments: list[float]) -> int:
    """Run a replay and SIGKILL it after each of some waits [s]; returns how often it was still running."""
    killed = 0
    for wait in moments:
        process = subprocess.Popen([LIUYU, "replay", "--out", str(out), *BASIN], stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    replay(out, *BASIN)
    return killed


def equal_to_an_undisturbed_run(folder: Path, kills: int, seed: int) -> None:
    calm, troubled = folder / "calm", folder / "troubled"
    began = time.monotonic()
    replay(calm, *BASIN)
    whole = time.monotonic() - began
    moments = [random.Random(seed + number).uniform(0.1, whole) for number in range(kills)]
    assert killed_replay(troubled, moments) >= kills // 2
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
