"""SensorThings bodies, units and topics, without a server: what is read, what is refused and why."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantities, quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense.sensorthings import (
    BasinStreams,
    Stream,
    read_body,
    read_observation,
    tell_observations,
    unit_conversion,
)
from liuyu.monitor.sense.sensorthings.streams import CATEGORY, COUNT, OBSERVATION, TRUTH
from liuyu.monitor.sense.sensorthings.ucum import parse_ucum

NOW = 1_597_990_000  # 2020-08-21T06:06:40Z
AT = "2020-08-21T06:00:00Z"
BASIN = Basin(
    code="test",
    name="试验",
    name_en="Test",
    time_zone="Asia/Shanghai",
    folder="",
    synthetic=True,
    stations=(
        Station(code="60112200", name="汉口", name_en="Hankou", quantities=("water_level", "discharge")),
        Station(code="P1", name="雨量", name_en="Rain", quantities=("rainfall",), kind="PP", interval=3600),
    ),
)
STREAMS = BasinStreams(BASIN)
LEVEL = Stream("60112200:water_level", "60112200", "water_level")
RAIN = Stream("P1:rainfall", "P1", "rainfall")


@pytest.mark.parametrize(
    ("name", "unit", "factor", "offset"),
    [
        ("water_level", {"definition": "ucum:[ft_i]", "symbol": "ft", "name": "foot"}, 0.3048, 0),
        ("water_level", {"symbol": "cm"}, 0.01, 0),
        ("water_level", {"name": "millimetre", "symbol": "mm", "definition": None}, 0.001, 0),
        ("water_level", {"definition": "http://www.opengis.net/def/uom/UCUM/0/dm"}, 0.1, 0),
        ("water_level", {"definition": "urn:ogc:def:uom:UCUM::m", "symbol": "m"}, 1, 0),
        ("water_level", {"definition": "http://qudt.org/vocab/unit/Instances.html#Meter", "symbol": "m"}, 1, 0),
        ("discharge", {"definition": "ucum:m3/h"}, 1 / 3600, 0),
        ("discharge", {"definition": "http://www.opengis.net/def/uom/UCUM/0/m3%2Fs"}, 1, 0),
        ("discharge", {"symbol": "m³/h"}, 1 / 3600, 0),
        ("discharge", {"definition": "ucum:L.s-1"}, 0.001, 0),
        ("discharge", {"definition": "ucum:[cft_i]/s", "symbol": "cfs"}, 0.028316846592, 0),
        ("reservoir_storage", {"definition": "ucum:10*4.m3", "symbol": "万m³"}, 1e4, 0),
        ("reservoir_storage", {"definition": "ucum:hm3"}, 1e6, 0),
        ("air_temperature", {"definition": "ucum:[degF]", "symbol": "°F"}, 5 / 9, -160 / 9),
        ("water_temperature", {"definition": "ucum:K"}, 1, -273.15),
        ("soil_moisture", {"definition": "ucum:1"}, 100, 0),
        ("dissolved_oxygen", {"definition": "ucum:ug/L"}, 0.001, 0),
        ("turbidity", {"definition": "ucum:{NTU}", "symbol": "NTU"}, 1, 0),
    ],
)  # fmt: skip
def test_units_convert(name: str, unit: dict[str, Any], factor: float, offset: float) -> None:
    found = unit_conversion(unit, quantity(name))
    assert found == pytest.approx((factor, offset), rel=1e-12)


def test_our_own_units_need_no_conversion() -> None:
    for each in quantities():
        code = {"degC": "Cel", "NTU": "{NTU}"}.get(each.unit, each.unit)
        assert unit_conversion({"definition": f"ucum:{code}"}, each) == (1.0, 0.0), each.name


@pytest.mark.parametrize(
    ("unit", "message"),
    [
        ({"symbol": "furlong"}, "give a UCUM code as definition, such as ucum:m3/s"),
        ({}, "neither definition nor symbol"),
        ({"definition": "ucum:kg"}, "does not turn into m3/s, the unit of discharge"),
        ({"definition": "ucum:m"}, "choose the ObservedProperty that it measures"),
        ({"definition": "ucum:L/s", "symbol": "m3/s"}, "the unit contradicts itself"),
    ],
)
def test_units_that_are_refused(unit: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match="unit") as refused:
        unit_conversion(unit, quantity("discharge"))
    assert message in str(refused.value)


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_units(text: str) -> None:
    parse_ucum(text)
    try:
        factor, _ = unit_conversion({"definition": text, "symbol": text}, quantity("water_level"))
    except BadInput:
        return
    assert np.isfinite(factor)


def test_a_body_with_all_that_it_may_have() -> None:
    body = {
        "phenomenonTime": "2020-08-21T13:00:00+08:00/2020-08-21T14:00:00+08:00",
        "resultTime": "2020-08-21T06:01:00Z",
        "validTime": "2020-08-21T06:00:00Z/2020-08-22T06:00:00Z",
        "result": 27,
        "resultQuality": "suspect",
        "parameters": {"battery": 12.6},
    }
    found = read_body(body, LEVEL, NOW)
    assert (found.time, found.value, found.flag) == (1_597_989_600, 27.0, Flag.SUSPECT)
    assert found.note == {key: body[key] for key in body if key != "result"}


def test_a_plain_body_needs_no_note_and_may_leave_the_time_out() -> None:
    assert read_body({"result": 27.2, "phenomenonTime": AT, "resultTime": AT}, LEVEL, NOW).note == {}
    assert read_body({"result": 27.2}, LEVEL, NOW).time == NOW


def test_a_result_is_converted_once_and_rounded_to_a_micrometre() -> None:
    feet = Stream("x", "60112200", "water_level", factor=0.3048)
    assert read_body({"result": 89.23, "phenomenonTime": AT}, feet, NOW).value == 27.197304
    fahrenheit = Stream("x", "60112200", "air_temperature", factor=5 / 9, offset=-160 / 9)
    assert read_body({"result": 32, "phenomenonTime": AT}, fahrenheit, NOW).value == 0.0


@pytest.mark.parametrize(
    ("told", "flag"),
    [(1, 1), ("good", 1), ({"flag": 4}, 4), ({"meaning": "bad"}, 4), ("QC9", 2), (3.0, 2), (True, 2), (9, 2)],
)
def test_what_a_source_says_of_quality(told: Any, flag: int) -> None:
    found = read_body({"result": 1.5, "phenomenonTime": AT, "resultQuality": told}, LEVEL, NOW)
    assert (found.flag, found.note["resultQuality"]) == (flag, told)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"result": "27.2"}, "result='27.2' of 60112200:water_level is no number"),
        ({"result": True}, "is no number"),
        ({"result": None}, "or nothing where it is missing"),
        ({"result": float("nan")}, "is no finite number"),
        ({"result": float("inf")}, "is no finite number"),
        ({"result": 1e300}, "is beyond any measurement"),
        ({"result": [1, 2]}, "is no number"),
        ({"phenomenonTime": "2020-08-21T06:00:00"}, "is no time with a zone"),
        ({"phenomenonTime": "2020-08-21"}, "is no time with a zone"),
        ({"phenomenonTime": "2020-13-41T06:00:00Z"}, "no calendar or clock has it"),
        ({"phenomenonTime": 1597989600}, "is no text"),
        ({"phenomenonTime": "2020-08-21T07:00:00Z"}, "lies 53 min in the future; set the station's clock, or its zone"),
        ({"phenomenonTime": "2030-08-21T07:00:00Z"}, "lies 3652 days in the future"),
        ({"phenomenonTime": "1969-08-21T07:00:00Z"}, "lies before 1970"),
        ({"phenomenonTime": "2020-08-21T06:00:00Z/2020-08-21T05:00:00Z"}, "ends before it starts"),
        ({"phenomenonTime": "a/b/c"}, "has 3 parts"),
        ({"resultTime": "2020-08-21T06:00:00Z/2020-08-21T07:00:00Z"}, "is an interval; give an instant"),
        ({"parameters": [1]}, "is no object"),
        ({"parameters": {"n": 2**70}}, "has more than 64 bits"),
        ({"value": 3}, "an Observation has no property 'value'"),
    ],
)
def test_bodies_that_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_body({"result": 27.2, "phenomenonTime": AT, **change}, LEVEL, NOW)
    assert message in str(refused.value)


def test_rain_must_be_that_of_the_stations_own_interval() -> None:
    hour = {"result": 12.5, "phenomenonTime": "2020-08-21T05:00:00Z/2020-08-21T06:00:00Z"}
    assert read_body(hour, RAIN, NOW).time == 1_597_989_600
    day = {"result": 50, "phenomenonTime": "2020-08-20T06:00:00Z/2020-08-21T06:00:00Z"}
    with pytest.raises(BadInput, match="over 86400 s does not fit the series of P1, whose interval is 3600 s"):
        read_body(day, RAIN, NOW)


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (COUNT, 7, 7.5),
        (CATEGORY, "brown", 3),
        (TRUTH, False, "false"),
        (OBSERVATION, {"a": [1]}, None),
        (COUNT, 7.0, True),
    ],
)
def test_a_result_is_of_the_kind_that_its_datastream_says(kind: str, right: Any, wrong: Any) -> None:
    stream = Stream("own", kind=kind)
    assert read_body({"result": right, "phenomenonTime": AT}, stream, NOW).note["result"] == right
    with pytest.raises(BadInput, match="send what its observationType says"):
        read_body({"result": wrong, "phenomenonTime": AT}, stream, NOW)


def test_a_message_on_the_topic_of_a_datastream() -> None:
    payload = json.dumps({"result": 27.31, "phenomenonTime": "2020-08-21T14:00:00+08:00"}).encode()
    parcel = read_observation("v1.1/Datastreams('60112200:water_level')/Observations", payload, STREAMS, NOW)
    batch = parcel.batch
    assert (batch.station.tolist(), batch.quantity.tolist()) == ([0], [1])
    assert (batch.time.tolist(), batch.value.tolist(), batch.flag.tolist()) == ([1_597_989_600], [27.31], [2])
    assert (parcel.source, parcel.received) == ("mqtt:sensorthings", NOW)
    bare = read_observation("sta/v1.1/Datastreams(60112200:water_level)/Observations", payload, STREAMS, NOW)
    assert bare.batch.value.tolist() == [27.31]
    body = json.dumps({"result": 3000, "phenomenonTime": AT, "Datastream": {"@iot.id": "60112200:discharge"}})
    of_all = read_observation("v1.1/Observations", body.encode(), STREAMS, NOW)
    assert of_all.batch.quantity.tolist() == [2]


@pytest.mark.parametrize(
    ("topic", "payload", "message"),
    [
        ("v1.1/Things", b"{}", "publish on v1.1/Datastreams('ID')/Observations"),
        ("v1.1/Datastreams('no')/Observations", b'{"result": 1}', "no datastream 'no'"),
        ("v1.1/Datastreams('60112200:rainfall')/Observations", b'{"result": 1}', "no datastream '60112200:rainfall'"),
        ("v1.1/Observations", b'{"result": 1}', "must name its Datastream"),
        ("v1.1/Observations", b"[]", "holds a list"),
        ("v1.1/Observations", b'{"result": NaN}', "is not JSON"),
        ("v1.1/Observations", b"[" * 100_000, "is not JSON"),
        ("v1.1/Observations", b"x" * 300_000, "has 300000 bytes"),
    ],
)
def test_messages_that_are_refused(topic: str, payload: bytes, message: str) -> None:
    with pytest.raises(BadInput) as refused:
        read_observation(topic, payload, STREAMS, NOW)
    assert message in str(refused.value)


NAMES = ("result", "phenomenonTime", "resultTime", "validTime", "parameters", "resultQuality", "Datastream")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=10,
)


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
def test_no_message_breaks_the_reader(payload: bytes) -> None:
    for topic in ("v1.1/Observations", "v1.1/Datastreams('60112200:discharge')/Observations"):
        why = ""
        try:
            assert np.isfinite(read_observation(topic, payload, STREAMS, NOW).batch.value).all()
        except BadInput as refused:
            why = str(refused)
        assert not why or "; " in why, "an error gives a cure"


@given(
    st.integers(0, NOW),
    st.floats(-500, 9000),
    st.sampled_from(["60112200:water_level", "60112200:discharge"]),
)
def test_what_is_told_can_be_read_back(time: int, value: float, stream: str) -> None:
    number = quantity(stream.partition(":")[2]).number
    batch = Batch.of(BASIN.roster, [0], [number], [time], [value])
    ((topic, payload),) = tell_observations(batch)
    assert topic == f"v1.1/Datastreams('{stream}')/Observations"
    again = read_observation("v1.1/Observations", payload, STREAMS, NOW).batch
    assert (again.time.tolist(), again.value.tolist()) == ([time], [value])
    assert again.quantity.tolist() == [number]
