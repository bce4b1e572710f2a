"""The MQTT source of a twin: its settings, SL 651 and SensorThings over MQTT, and the inbox behind it."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from liuyu.app.sources import mqtt, read_sources
from liuyu.app.sources.source import Place
from liuyu.app.users import Users
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event
from liuyu.monitor.sense.sl651 import Group, Message, element, encode, in_packets
from liuyu.store.inbox.files import FileInbox
from tests.monitor.mqtt_bench import Logger
from tests.monitor.stations_bench import NOW, basin_of

BASIN = basin_of(3)
ADDRESS = "0060000001"


def opened(folder: Path, **settings: object) -> mqtt.Mqtt:
    inbox = FileInbox(folder / "inbox", BASIN.roster, most=1 << 24)
    told: list[Sequence[Event]] = []
    place = Place(basin=BASIN, inbox=inbox, folder=folder, clock=lambda: NOW, tell=told.append)
    return mqtt.open_source(mqtt.Settings(kind="mqtt", **{"port": 0, **settings}), place)  # type: ignore[arg-type]


def frame(observed: int = NOW, level: float = 23.4) -> bytes:
    group = Group(station=ADDRESS, category=0x48, observed=observed, elements=(element("39", level),))
    return encode(Message(function=0x32, station=ADDRESS, serial=7, sent=observed, groups=(group,)))


def test_frames_things_and_our_own_form_reach_the_inbox(tmp_path: Path) -> None:
    source, stop = opened(tmp_path), threading.Event()
    thread = threading.Thread(target=source.run, args=(stop,))
    thread.start()
    logger = Logger(int(source.started(60).rpartition(":")[2]))
    logger.say(frame() + frame(NOW - 300, 23.3), f"liuyu/many/sl651/{ADDRESS}")
    logger.say({"time": NOW, "value": 10.1}, "liuyu/many/60000002/water_level")
    thing = {"result": 11.5, "phenomenonTime": "2026-06-30T22:00:00Z"}
    logger.say(thing, "v1.1/Datastreams('60000000:water_level')/Observations")
    logger.wait(lambda: len(logger.acknowledged) == 3)
    logger.close()
    stop.set()
    thread.join()
    taken = FileInbox(tmp_path / "inbox", BASIN.roster, most=1 << 24).take(0)
    values = [value for each in taken for value in each.parcel.batch.value.tolist()]
    reasons = [aside.reason for each in taken for aside in each.parcel.asides]
    assert sorted(values) + reasons == [10.1, 11.5, 23.3, 23.4]
    assert source.counts()["values"] == 4


@pytest.mark.parametrize(
    ("topic", "payload", "reason"),
    [
        (f"liuyu/many/sl651/{ADDRESS}", frame()[:-1] + b"\0", "crc"),
        (f"liuyu/many/sl651/{ADDRESS}", b"noise", ""),
        (f"liuyu/many/sl651/{ADDRESS}", b"", "empty"),
        ("liuyu/many/sl651/0060000002", frame(), "the frame is of 0060000001, the topic of 0060000002"),
        (f"liuyu/many/sl651/{ADDRESS}", frame(NOW + 86400), "clock"),
        ("v1.1/Datastreams('60000000:water_level')/Observations", b'{"result": "x"}', "no number"),
        ("v1.1/Datastreams('60000000:water_level')/Observations", b'{"result": "\xab"}', ""),
        ("v1.1/Things", b"{}", "creates nothing"),
    ],
)
def test_what_frames_and_things_cannot_be_is_set_aside_with_its_topic(
    tmp_path: Path, topic: str, payload: bytes, reason: str
) -> None:
    source = opened(tmp_path)
    parcel = source._payloads.parcel([(topic, payload)], NOW)
    assert len(parcel.batch) == 0
    (aside,) = parcel.asides
    assert reason in aside.reason.lower()
    assert aside.payload == topic.encode() + b"\n" + payload
    with pytest.raises(BadInput):
        source.again(aside.payload, NOW)


def test_a_message_in_packets_is_set_aside(tmp_path: Path) -> None:
    picture = Group(station=ADDRESS, category=0x48, observed=NOW, elements=(element("F3", "picture " * 40),))
    whole = Message(function=0x36, station=ADDRESS, serial=7, sent=NOW, groups=(picture,))
    sent = b"".join(encode(each) for each in in_packets(whole, 200))
    parcel = opened(tmp_path)._payloads.parcel([(f"liuyu/many/sl651/{ADDRESS}", sent)], NOW)
    assert {each.reason for each in parcel.asides} == {"packets: over MQTT a message comes as one frame"}


def test_what_was_set_aside_is_read_again(tmp_path: Path) -> None:
    source = opened(tmp_path)
    content = {"time": NOW, "value": 1.0, "unit": "furlong"}
    (aside,) = source._payloads.parcel([("liuyu/many/60000002/water_level", json.dumps(content).encode())], NOW).asides
    mended = aside.payload.replace(b"furlong", b"ft")
    assert source.again(mended, NOW).batch.value.tolist() == [0.3048]


def test_devices_of_the_twin_may_publish_and_viewers_may_not(tmp_path: Path) -> None:
    users = Users(tmp_path)
    token = users.add_with_token("logger-7", "device")
    users.add("wang", "viewer", "long enough")
    devices = mqtt.Devices(tmp_path)
    secret = token.removeprefix("logger-7.").encode()
    assert [devices.check("logger-7", secret) for _ in range(2)] == [True, True]
    for name, password in (("logger-7", b"x"), ("wang", b"long enough"), ("nobody", secret), (None, None)):
        assert not devices.check(name, password)
    users.remove("logger-7")
    assert not devices.check("logger-7", secret)
    assert opened(tmp_path, host="0.0.0.0", users=str(tmp_path)).name == "mqtt"


def test_every_fault_of_the_settings_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "liuyu.toml"
    file.write_text(
        """
[[sources]]
kind = "mqtt"
name = "door"
host = "0.0.0.0"
[[sources]]
kind = "mqtt"
url = "http://broker"
mapping = "none.toml"
[[sources]]
kind = "mqtt"
name = "third"
certificate = "none.pem"
port = 70000
""",
        encoding="utf-8",
    )
    sources, faults = read_sources(file)
    said = {(each.line, each.field) for each in faults}
    assert {(5, "host"), (8, "url"), (9, "mapping"), (14, "port")} <= said
    file.write_text('[[sources]]\nkind = "mqtt"\nurl = "mqtts://office@broker.example"\n', encoding="utf-8")
    sources, faults = read_sources(file)
    assert (len(sources), faults) == (1, [])
    with pytest.raises(BadInput, match="cannot be read"):
        opened(tmp_path, url="mqtt://h", password_file=str(tmp_path / "none"))
