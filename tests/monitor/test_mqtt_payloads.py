"""What MQTT messages mean: our own form, SL 651 frames, foreign JSON by a mapping file; and what is set aside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.sense.mqtt import LoggerMapping, Payloads, read_logger_mapping
from liuyu.monitor.sense.mqtt.mapping import at_path
from liuyu.store.inbox.interface import Parcel

BASIN = read_basin(find_basin("qingxi"))
NOW = 1_597_060_800  # 2020-08-10T12:00Z
LEVEL = "liuyu/qingxi/99000100/water_level"
Row = tuple[str, str, int, float]


def rows(parcel: Parcel) -> list[Row]:
    batch = parcel.batch
    columns = zip(
        batch.station.tolist(), batch.quantity.tolist(), batch.time.tolist(), batch.value.tolist(), strict=True
    )
    return [(BASIN.roster.codes[at], quantity(what).name, time, value) for at, what, time, value in columns]


def read(topic: str, content: Any, mapping: LoggerMapping | None = None) -> Parcel:
    payload = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Payloads(BASIN, mapping).parcel([(topic, payload)], NOW)


@pytest.mark.parametrize(
    ("content", "values"),
    [
        ({"time": "2020-08-10T20:00:00+08:00", "value": 23.41, "unit": "m"}, [(NOW, 23.41)]),
        ({"time": "2020-08-10T12:00Z", "value": 2341, "unit": "cm"}, [(NOW, 23.41)]),
        ({"time": NOW, "value": 100, "unit": "ft"}, [(NOW, 30.48)]),
        ({"time": NOW + 0.5, "value": 1}, [(NOW, 1.0)]),
        (
            [{"time": NOW + each, "value": each} for each in range(150)],
            [(NOW + each, float(each)) for each in range(150)],
        ),
        ({"unit": "cm", "time": [NOW, NOW + 60], "value": [100, 250]}, [(NOW, 1.0), (NOW + 60, 2.5)]),
        ([{"time": NOW, "value": None}, {"time": NOW + 1, "value": 2}], [(NOW + 1, 2.0)]),
        ([], []),
    ],
)
def test_our_own_form_in_its_three_shapes(content: Any, values: list[tuple[int, float]]) -> None:
    parcel = read(LEVEL, content)
    assert parcel.asides == ()
    assert parcel.source == parcel.batch.source == "mqtt"
    assert rows(parcel) == [("99000100", "water_level", time, value) for time, value in values]


def test_a_message_of_a_station_tells_several_quantities() -> None:
    content = {"time": NOW, "values": {"water_level": 23.4, "discharge": 12000, "battery_voltage": None}}
    parcel = read("liuyu/qingxi/99000100", [{**content, "units": {"discharge": "L/s"}}])
    assert rows(parcel) == [("99000100", "water_level", NOW, 23.4), ("99000100", "discharge", NOW, 12.0)]
    assert parcel.asides == ()


@pytest.mark.parametrize(
    ("topic", "content", "reason"),
    [
        (LEVEL, b"\xff\xfe", "not JSON"),
        (LEVEL, b'{"time": "\xab"}', "not JSON"),
        (LEVEL, b"", "not JSON"),
        (LEVEL, b"[" * 100_000, "not JSON"),
        (LEVEL, 5, "payload"),
        (LEVEL, {"value": 1}, "missing required field `time`"),
        (LEVEL, {"time": NOW, "value": "high"}, "float"),
        (LEVEL, {"time": NOW, "value": True}, "float"),
        (LEVEL, {"time": NOW, "value": 1, "units": "m"}, "unknown field `units`"),
        (LEVEL, {"time": NOW, "value": 1, "unit": "furlong"}, "unit 'furlong' does not turn into m"),
        (LEVEL, {"time": NOW, "value": 1, "unit": "m3/s"}, "unit 'm3/s' does not turn into m"),
        (LEVEL, {"time": "2020-08-10 12:00", "value": 1}, "has no zone"),
        (LEVEL, {"time": "noon", "value": 1}, "time 'noon' is not ISO 8601"),
        (LEVEL, {"time": NOW * 1000, "value": 1}, "milliseconds"),
        (LEVEL, {"time": -5, "value": 1}, "outside 1970 to 2200"),
        (LEVEL, {"time": [NOW], "value": [1, 2]}, "1 times and 2 values do not pair"),
        ("liuyu/qingxi/1234/water_level", {"time": NOW, "value": 1}, "'1234' is none of the basin's"),
        ("liuyu/qingxi/99000100/water_levle", {"time": NOW, "value": 1}, "did you mean 'water_level'?"),
        ("liuyu/yangtze/99000100/water_level", {"time": NOW, "value": 1}, "none of liuyu/qingxi/STATION/QUANTITY"),
        ("liuyu/qingxi", {"time": NOW, "value": 1}, "none of liuyu/qingxi/STATION/QUANTITY"),
        ("home/kitchen", {"time": NOW, "value": 1}, "name it in a mapping, or under ignore"),
        ("liuyu/qingxi/99000100/rainfall", {"time": NOW, "value": 1, "interval": 300}, "rainfall over 300 s"),
        ("liuyu/qingxi/sl651/0099000100", b"~~", "SL 651 frames are not read here"),
        ("v1.1/Observations", {}, "is not known"),
    ],
)
def test_what_cannot_be_read_is_set_aside_raw_with_the_reason(topic: str, content: Any, reason: str) -> None:
    parcel = read(topic, content)
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    assert rows(parcel) == []
    (aside,) = parcel.asides
    assert reason in aside.reason
    kept, _, raw = aside.payload.partition(b"\n")
    assert kept.decode() == topic
    assert raw == payload or json.loads(raw) == json.loads(payload)


def test_the_sound_ones_of_an_array_are_taken_and_the_others_set_aside_alone() -> None:
    content = [
        {"time": NOW, "value": 1},
        {"time": "?", "value": 2},
        {"time": NOW + 2, "value": "x"},
        {"time": NOW + 3, "value": 4},
    ]
    parcel = read(LEVEL, content)
    assert [row[2:] for row in rows(parcel)] == [(NOW, 1.0), (NOW + 3, 4.0)]
    assert sorted(json.loads(each.payload.partition(b"\n")[2])["time"] for each in parcel.asides[1:]) == ["?"]
    wide = [{"time": NOW, "values": {"water_level": 1, "depth": 2}}, {"time": NOW}]
    parcel = read("liuyu/qingxi/99000100", wide)
    assert rows(parcel) == [("99000100", "water_level", NOW, 1.0)]
    alone = [json.loads(each.payload.partition(b"\n")[2]) for each in parcel.asides]
    assert [each.get("values") for each in alone] == [{"depth": 2.0}, None]


def test_what_was_set_aside_can_be_read_again_once_its_fault_is_mended() -> None:
    (aside,) = read("loggers/17/up", {"level": 2.5}).asides
    with pytest.raises(BadInput, match="is not known"):
        Payloads(BASIN).again(aside.payload, NOW)
    mapping = read_text(
        '[[messages]]\ntopic = "loggers/{station}/up"\ncodes = {"17" = "99000100"}\n'
        '[[messages.values]]\nquantity = "water_level"\npath = "level"\n'
    )
    assert rows(Payloads(BASIN, mapping).again(aside.payload, NOW)) == [("99000100", "water_level", NOW, 2.5)]


def test_a_reader_that_breaks_costs_its_own_message_only(caplog: pytest.LogCaptureFixture) -> None:
    def broken(address: str, payload: bytes, now: int) -> Parcel:
        raise ZeroDivisionError

    payloads = Payloads(BASIN, frames=broken)
    sound = json.dumps({"time": NOW, "value": 1}).encode()
    parcel = payloads.parcel([("liuyu/qingxi/sl651/0099000100", b"~~"), (LEVEL, sound)], NOW)
    assert len(parcel.batch) == 1
    assert "ZeroDivisionError" in parcel.asides[0].reason
    assert caplog.records


@given(st.binary(max_size=60), st.sampled_from([LEVEL, "liuyu/qingxi/99000100", "loggers/17/up"]))
def test_no_payload_breaks_the_reader(payload: bytes, topic: str) -> None:
    parcel = Payloads(BASIN, MAPPING).parcel([(topic, payload)], NOW)
    assert len(parcel.batch) == 0


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["time", "value", "ts", "data", "v"]), inner)
    ),
    max_leaves=8,
)


@given(_json, st.sampled_from([LEVEL, "liuyu/qingxi/99000100", "loggers/17/up"]))
def test_no_json_breaks_the_reader(content: Any, topic: str) -> None:
    Payloads(BASIN, MAPPING).parcel([(topic, json.dumps(content).encode())], NOW)


FOREIGN = """
kind = "mqtt"
ignore = ["loggers/+/status"]

[[messages]]                          # one logger a topic, several channels, milliseconds
topic = "loggers/{station}/up"
each = "data.samples"
time = "ts"
time_form = "ms"
codes = { "17" = "99000100" }

[[messages.values]]
quantity = "water_level"
path = "v"
when_path = "ch"
when = "LV"
unit = "cm"
add = 100.0
missing = [-9999, "ERR"]

[[messages.values]]
quantity = "discharge"
path = "v"
when_path = "ch"
when = "Q"

[[messages]]                          # the station in the payload, wall time
topic = "plc/#"
station = "/header.site"
each = "rows"
time = "t"
time_form = "%d.%m.%Y %H:%M"
zone = "Asia/Shanghai"
values = [{ quantity = "water_level", path = "0" }]
"""


def read_text(text: str) -> LoggerMapping:
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "loggers.toml"
        file.write_text(text, encoding="utf-8")
        return read_logger_mapping(file)


MAPPING = read_text(FOREIGN)


def test_a_mapping_reads_foreign_json() -> None:
    samples = [
        {"ts": NOW * 1000, "ch": "LV", "v": 250},
        {"ts": (NOW + 60) * 1000, "ch": "Q", "v": "12.5"},
        {"ts": NOW * 1000, "ch": "LV", "v": -9999},
        {"ts": NOW * 1000, "ch": "LV", "v": "ERR"},
        {"ts": NOW * 1000, "ch": "T", "v": 21},
    ]
    parcel = read("loggers/17/up", {"data": {"samples": samples}}, MAPPING)
    assert parcel.asides == ()
    assert rows(parcel) == [("99000100", "water_level", NOW, 102.5), ("99000100", "discharge", NOW + 60, 12.5)]
    content = {"header": {"site": "99000200"}, "rows": [{"t": "10.08.2020 20:00", "0": 177.2}]}
    assert rows(read("plc/a/b", content, MAPPING)) == [("99000200", "water_level", NOW, 177.2)]
    ignored = read("loggers/17/status", b"online", MAPPING)
    assert (rows(ignored), ignored.asides) == ([], ())


@pytest.mark.parametrize(
    ("topic", "content", "reason"),
    [
        ("loggers/99/up", {"data": {"samples": [{"ts": 1, "ch": "LV", "v": 2}]}}, "'99' is none of the basin's"),
        ("loggers/17/up", {"samples": []}, "no array at 'data.samples'"),
        ("loggers/17/up", {"data": {"samples": [{"ch": "LV", "v": 2}]}}, "no time at 'ts'"),
        ("loggers/17/up", {"data": {"samples": [{"ts": 1, "ch": "LV", "v": "high"}]}}, "'high' at 'v'"),
        ("loggers/17/up", {"data": {"samples": [{"ts": 1, "ch": "LV", "v": False}]}}, "is no number"),
        ("plc/x", {"header": {}, "rows": [{"t": "x"}]}, "no station at '/header.site'"),
        ("plc/x", {"header": {"site": "99000200"}, "rows": [{"t": "2020-08-10"}]}, "not of the form"),
    ],
)
def test_what_a_mapping_does_not_fit_is_set_aside_so_that_it_can_be_read_again(
    topic: str, content: Any, reason: str
) -> None:
    parcel = read(topic, content, MAPPING)
    (aside,) = parcel.asides
    assert reason in aside.reason
    assert aside.payload.startswith(f"{topic}\n".encode())
    with pytest.raises(BadInput, match=reason.replace("(", r"\(")):
        Payloads(BASIN, MAPPING).again(aside.payload, NOW)


def test_every_fault_of_a_mapping_is_told_at_once_with_its_line() -> None:
    text = """
ignore = ["a/#/b"]
[[messages]]
topic = "loggers/{logger}/up"
time_form = "julian"
zone = "Mars/Olympus"
values = [{ quantity = "water_level", path = "v", unit = "kg" }]
[[messages]]
topic = "x/+"
values = []
wrong = 1
"""
    with pytest.raises(BadPackage) as raised:
        read_text(text)
    said = [(each.line, each.field) for each in raised.value.faults]
    assert {(2, "ignore"), (4, "topic"), (5, "time_form"), (6, "zone"), (7, "values"), (11, "wrong")} <= set(said)


def test_a_path_goes_through_names_and_numbers() -> None:
    content = {"a": [{"b": 1}], "0": {"c": None}}
    assert [at_path(content, each) for each in ("a.0.b", "0.c", "a.1", "a.b", "")] == [1, None, None, None, content]
