"""A twin of the present that is killed at any moment: what it confirmed counts once, and alerts are raised once."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from liuyu.store.inbox.files import FileInbox
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from tests.app.live_bench import GAUGE, WARNING, qingxi
from tests.app.test_sources import confirmed, frames

PATIENCE = 60.0  # [s]
CONFIG = """
basin = "qingxi"
[live]
enabled = true
step_seconds = 1
[storage]
folder = "var"
[[sources]]
kind = "stations"
port = 0
[[sources]]
kind = "folder"
path = "drop"
format = "csv"
mapping = "levels.toml"
every = 0.1
"""
MAPPING = """
kind = "mapping"
zone = "UTC"
[time]
column = "tm"
format = "%Y-%m-%dT%H:%M:%SZ"
[station]
column = "stcd"
[[values]]
quantity = "water_level"
column = "z"
unit = "m"
"""


def start(folder: Path) -> tuple[subprocess.Popen[str], int]:
    """`liuyu listen` in a process of its own, once it listens, and its port."""
    command = [str(Path(sys.executable).with_name("liuyu")), "listen", "--json"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = [json.loads(process.stdout.readline()) for _ in range(2)]
    return process, int(said[0]["listening"].rpartition(":")[2])


def kept(folder: Path, look: Callable[[Store], bool]) -> bool:
    """Whether something is in the store, which another process writes."""
    with closing(open_store(folder / "var" / "qingxi-live" / "store", read_only=True)) as store:
        return look(store)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


@pytest.mark.parametrize("pauses", [(0.0, 1.2), pytest.param((0.0, 0.3, 0.6, 0.9, 1.2, 1.5), marks=pytest.mark.slow)])
def test_what_was_confirmed_before_a_kill_raises_its_alert_once(tmp_path: Path, pauses: tuple[float, ...]) -> None:
    (tmp_path / "liuyu.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "levels.toml").write_text(MAPPING, encoding="utf-8")
    hour = int(time.time()) // 3600 * 3600
    count = 5 * len(pauses)
    rising = [round(WARNING + 0.9 + 0.2 * (each - count), 2) for each in range(count)]
    process, port = start(tmp_path)
    for number, pause in enumerate(pauses):
        sent = frames(rising, hour)[5 * number : 5 * number + 5]
        assert confirmed(port, sent) == 5
        time.sleep(pause)
        process.kill()
        process.wait()
        process, port = start(tmp_path)
        assert confirmed(port, sent) == 5  # the station did not hear it, and sends again
    dropped = f"stcd,tm,z\n{GAUGE},{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(hour - 900))},{rising[-1]}\n"
    (tmp_path / "drop" / "more.csv").write_text(dropped, encoding="utf-8")
    wait_for((tmp_path / "drop" / "done" / "more.csv").exists)
    process.send_signal(signal.SIGTERM)
    told = process.communicate(timeout=PATIENCE)[0].splitlines()
    assert process.returncode == 0
    assert json.loads(told[-1])["done"] == 1

    def look(store: Store) -> bool:
        series = store.series(GAUGE, "water_level", 0, 2**40)
        assert series.value.tolist() == [*rising[:-1], rising[-1], rising[-1]]
        assert series.time.tolist() == [*(hour - 3600 * each for each in range(count - 1, 0, -1)), hour - 900, hour]
        raised = [each.body["rule"] for each in store.events(kinds=["alert"]) if each.state == "raised"]
        assert sorted(set(raised)) == sorted(raised)
        assert "level-above-warning" in raised
        assert store.asides() == []
        return True

    assert kept(tmp_path, look)


def test_only_the_inbox_is_filled_where_it_forwards(tmp_path: Path) -> None:
    (tmp_path / "liuyu.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "levels.toml").write_text(MAPPING, encoding="utf-8")
    command = [str(Path(sys.executable).with_name("liuyu")), "listen", "--json", "--forward"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        port = int(json.loads(process.stdout.readline())["listening"].rpartition(":")[2])
        assert confirmed(port, frames([94.0, 94.1], int(time.time()) // 3600 * 3600)) == 2
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    home = tmp_path / "var" / "qingxi-live"
    assert not (home / "store").exists()
    waiting = FileInbox(home / "inbox", qingxi().roster, most=1 << 20).take(0)
    assert [value for each in waiting for value in each.parcel.batch.value.tolist()] == pytest.approx([94.0, 94.1])
