"""Receiving from a broker elsewhere, here a NATS server with its MQTT door: whoever is killed, nothing is lost."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from liuyu.basin.errors import BadInput, InboxFull
from liuyu.basin.events import SourceNote, record
from liuyu.monitor.sense.mqtt import read_address
from liuyu.store.inbox.files import FileInbox
from tests.monitor.mqtt_bench import BASIN, LEVEL, Kept, Logger, level, source
from tests.nats_server import MISSING, NatsServer, free_port, program

pytestmark = pytest.mark.skipif(program() is None, reason=MISSING)


@pytest.fixture
def broker() -> Iterator[NatsServer]:
    running = NatsServer(mqtt=True)
    yield running
    running.remove()


def address(broker: NatsServer) -> str:
    return f"mqtt://127.0.0.1:{broker.mqtt_port}"


def test_what_loggers_publish_elsewhere_is_kept_and_stays_while_we_are_away(broker: NatsServer) -> None:
    kept, where = Kept(), read_address(address(broker))
    with source(kept, address=where):
        logger = Logger(broker.mqtt_port)
        kept.hears(logger)
        logger.say(level(1))
        kept.wait(lambda: 1.0 in kept.values)
    logger.say(level(2))
    logger.say(b"broken")
    logger.wait(lambda: len(logger.acknowledged) > 2)
    assert 2.0 not in kept.values
    with source(kept, address=where):
        kept.wait(lambda: 2.0 in kept.values and bool(kept.reasons))
    logger.close()


def test_what_is_not_kept_is_not_confirmed_and_comes_again(broker: NatsServer) -> None:
    kept, where = Kept(), read_address(address(broker))
    with source(kept, address=where):
        logger = Logger(broker.mqtt_port)
        kept.hears(logger)
        kept.fault = InboxFull("full")
        tries = kept.tries
        logger.say(level(7))
        kept.wait(lambda: kept.tries > tries)
    assert 7.0 not in kept.values
    kept.fault = None
    with source(kept, address=where):
        kept.wait(lambda: 7.0 in kept.values)
    logger.close()


def test_a_silent_broker_is_told_once_and_once_when_it_is_back(
    broker: NatsServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("liuyu.monitor.sense.mqtt.client._FIRST_WAIT", 0.05)
    kept = Kept()
    with caplog.at_level(logging.WARNING, "liuyu.mqtt"), source(kept, address=read_address(address(broker))):
        logger = Logger(broker.mqtt_port)
        kept.hears(logger)
        logger.close()
        broker.stop(signal.SIGKILL)
        kept.wait(lambda: len(kept.events) == 1)
        broker.start()
        kept.wait(lambda: len(kept.events) == 2)
        again = Logger(broker.mqtt_port)
        again.say(level(9))
        kept.wait(lambda: 9.0 in kept.values)
        again.close()
    assert [each.state for each in kept.events] == ["silent", "returned"]
    note = record(kept.events[0], SourceNote)
    assert note.id == f"source:mqtt:127.0.0.1:{broker.mqtt_port}"
    assert "中断：" in note.title["zh"]
    assert "is silent" in note.title["en"]
    assert [each.getMessage().split(" has ")[0].split(" is ")[0] for each in caplog.records] == [
        f"MQTT broker mqtt://127.0.0.1:{broker.mqtt_port}"
    ] * 2


def test_a_broker_that_does_not_let_us_in_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liuyu.monitor.sense.mqtt.client._FIRST_WAIT", 0.01)
    guarded = NatsServer(mqtt=True, more='authorization { user: office, password: "right one" }')
    kept = Kept()
    wrong = read_address(f"mqtt://office@127.0.0.1:{guarded.mqtt_port}", "wrong one")
    with source(kept, address=wrong):
        kept.wait(lambda: bool(kept.events))
    assert "wrong one" not in str(kept.events[0])
    assert "let us in" in kept.events[0].body["title"]["en"] or "user or password" in kept.events[0].body["title"]["en"]
    right = read_address(f"mqtt://office:right%20one@127.0.0.1:{guarded.mqtt_port}")
    with source(kept, address=right):
        logger = Logger(guarded.mqtt_port, user="office", password="right one")
        kept.hears(logger)
        logger.close()
    guarded.remove()


def test_addresses() -> None:
    assert read_address("mqtt://broker.example") == ("broker.example", 1883, False, "", "")
    assert read_address("mqtts://a:b%40c@h:1/", "d") == ("h", 1, True, "a", "d")
    assert str(read_address("mqtt://u:secret@[::1]:5")) == "mqtt://[::1]:5"
    for wrong in ("http://x", "mqtt://", "broker:1883", "mqtt://h:port", "mqtt://h/topic", ""):
        with pytest.raises(BadInput, match="write it as mqtt://user@host:1883"):
            read_address(wrong)
    with pytest.raises(BadInput) as raised:
        read_address("http://me:secret@x")
    assert "secret" not in str(raised.value)


WORKER = """
import sys, threading, time
from pathlib import Path
from liuyu.monitor.sense.mqtt import MqttSource, Payloads, read_address
from liuyu.store.inbox.files import FileInbox
from tests.monitor.mqtt_bench import BASIN

inbox = FileInbox(Path(sys.argv[1]), BASIN.roster, most=1 << 26)
where = {"address": read_address(sys.argv[2])} if "://" in sys.argv[2] else {"port": int(sys.argv[2])}
made = MqttSource(BASIN.code, Payloads(BASIN), **where)
threading.Thread(target=lambda: print(made.started(60), flush=True)).start()
made.run(lambda parcel: inbox.put([parcel]), lambda: int(time.time()), threading.Event())
"""


def worker(folder: Path, where: str) -> subprocess.Popen[str]:
    """A source in a process of its own, once it is at work."""
    command = [sys.executable, "-c", WORKER, str(folder), where]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert started.stdout
    assert "mqtt://" in started.stdout.readline()
    return started


def values(folder: Path) -> set[float]:
    """Every value in an inbox."""
    inbox, found, last = FileInbox(folder, BASIN.roster, most=1 << 26), set[float](), 0
    while taken := inbox.take(last):
        last = taken[-1].place
        found |= {value for each in taken for value in each.parcel.batch.value.tolist()}
    return found


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout
    process.stdout.close()


def test_killed_while_receiving_from_elsewhere_nothing_published_is_lost(broker: NatsServer, tmp_path: Path) -> None:
    logger = Logger(broker.mqtt_port)
    receiving = worker(tmp_path, address(broker))
    while not values(tmp_path):
        logger.say(level(0))
    said = 0
    for _ in range(3):
        for _ in range(300):
            said += 1
            logger.say(level(said))
        held = len(values(tmp_path))
        while len(values(tmp_path)) < held + 50:
            pass
        kill(receiving)
        receiving = worker(tmp_path, address(broker))
    logger.say(level(said + 1))
    wanted = {float(each) for each in range(said + 2)}
    while values(tmp_path) != wanted:
        assert receiving.poll() is None
    kill(receiving)
    logger.close()


def test_killed_as_a_broker_what_it_acknowledged_is_there(tmp_path: Path) -> None:
    port = free_port()
    acknowledged: set[float] = set()
    for turn in range(3):
        serving = worker(tmp_path, str(port))
        logger = Logger(port)
        sent: dict[int, float] = {}
        for number in range(2000):
            value = float(turn * 2000 + number)
            sent[logger.client.publish(LEVEL, json.dumps(level(value)), 1).mid] = value
        logger.wait(lambda: len(logger.acknowledged) > 300)  # noqa: B023  within this turn
        kill(serving)
        logger.client.loop_stop()
        acknowledged |= {sent[each] for each in logger.acknowledged}
    assert len(acknowledged) > 900
    assert acknowledged <= values(tmp_path)
