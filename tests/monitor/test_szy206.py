"""Frames of SZY 206-2016 and SL/T 427-2021: published ones, round trips, and damaged ones."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.errors import BadInput
from liuyu.basin.quantities import quantity
from liuyu.monitor.sense.szy206 import (
    Framer,
    Joiner,
    Message,
    Refusal,
    Stamp,
    confirm,
    crc8,
    decode,
    divide,
    encode,
    heartbeat,
    method_one,
    method_two,
    order,
    report,
    set_clock,
    stamp_of,
    voltage,
)
from liuyu.monitor.sense.szy206.lines import to_line
from liuyu.monitor.sense.szy206.tables import kinds, qualities, told

METER = "681A68B35303810D00C00059000000826110000001106000004508090A3516"
NOTHING = "681568B34406070001C0AAAAAAAAAA004040000000000101E516"
VELOCITY = "681568B40102030405C05545040020700030151412052600AD16"
STATION, SIX = "5303810D00", 1782856800  # 2026-07-01 06:00 at the station


def said(frame: bytes | str, now: int | None = None) -> Message:
    """The message of a frame that must be sound."""
    found = decode(bytes.fromhex(frame) if isinstance(frame, str) else frame, now)
    assert isinstance(found, Message), str(found)
    return found


def sealed(control: int, function: int, data: str, station: str = STATION) -> bytes:
    """A frame around some data, written out here so that the encoder is not its own judge."""
    body = bytes([control]) + bytes.fromhex(station) + bytes([function]) + bytes.fromhex(data)
    return bytes([0x68, len(body), 0x68]) + body + bytes([crc8(body), 0x16])


def test_the_published_frame_of_a_meter() -> None:
    message = said(METER)
    assert (message.station, message.function, message.kind, message.direction) == (STATION, 0xC0, 3, "up")
    assert [(each.value, each.unit) for each in message.elements] == [(5.9, "m3/s"), (106182.0, "m3")]
    assert message.address == (1, "530381", 13)
    assert (message.alarm, message.state) == (0x1001, 0x0060)
    assert [each.name_en for each in told("alarm", 0x1001)] == ["AC supply off", "water left below its limit"]
    assert message.stamp == Stamp(day=9, hour=8, minute=45, second=0, delay=10)
    assert message.sent is None


def test_five_bytes_of_tag_become_a_time_by_the_centres_clock() -> None:
    assert to_line(said(METER, SIX + 8 * 86400 + 3 * 3600))["send_time"] == "2026-07-09 08:45:00"
    assert to_line(said(METER, SIX))["send_time"] == "2026-06-09 08:45:00"
    assert said(METER, SIX).remarks == ("clock",)


def test_seven_bytes_of_tag_are_a_time() -> None:
    message = said(VELOCITY)
    assert to_line(message)["send_time"] == "2026-05-12 14:15:30"
    assert [(each.value, each.unit) for each in message.elements] == [(44.555, "m/s")]


def test_nothing_is_null() -> None:
    (flow,) = said(NOTHING).elements
    assert flow.value is None
    assert said(NOTHING).remarks == ()


def test_the_check_of_the_standard() -> None:
    assert crc8(bytes([0, 1, 2])) == 0xA6


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_every_frame_of_the_bundle() -> None:
    vectors: list[dict[str, Any]] = json.loads(bundle_file("telemetry_vectors/szy206.json").read_text("utf-8"))
    assert len(vectors) == 2
    for vector in vectors:
        message = said(vector["hex"])
        assert (message.station, f"{message.function:02X}") == (vector["A_hex"], vector["AFN"])
        assert encode(message).hex().upper() == vector["hex"]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (METER.replace("3516", "3616"), "crc"),
        (METER.replace("826110", "826111"), "crc"),
        (METER.replace("3516", "3517"), "end"),
        (METER.replace("681A68", "681B68"), "length"),
        (METER[:-2], "length"),
        (METER + "12", "length"),
        (METER.replace("681A68", "681A69"), "start"),
        ("6803680000000016", "short"),
        ("", "start"),
    ],
)
def test_a_broken_frame_is_refused_with_the_reason(frame: str, reason: str) -> None:
    found = decode(bytes.fromhex(frame))
    assert isinstance(found, Refusal)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("kind", "data", "values"),
    [
        (1, "250100", [12.5]),
        (2, "90040100", [10.49]),
        (2, "502300F0", [-2.35]),
        (2, "90040100" + "FFFFFFFF", [10.49, None]),
        (3, "0059000000", [5.9]),
        (3, "00590000F0", [-5.9]),
        (4, "340200", [0.234]),
        (5, "250100", [1.25]),
        (6, "120000" + "340000", [12.0, 34.0]),
        (7, "131000", [1013.0]),
        (8, "350240", [2.35, 4.0]),
        (9, "8501", [18.5]),
        (10, "0600000000" + "25070000" + "65000000", [7.25, 6.5]),
        (10, "0000000100" + "0012000000"[:8] + "34", [3400001200.0]),
        (11, "8502" + "9002", [28.5, 29.0]),
        (12, "350000", [3.5]),
        (14, "C0" + "90040100" + "250100", [10.49, 12.5]),
        (15, "50120000", [12.5]),
        (2, "9A040100", [None]),
    ],
)
@pytest.mark.parametrize("tag", ["30151412052600", "3015141200"])
def test_values_of_every_type_with_either_tag(kind: int, data: str, values: list[float | None], tag: str) -> None:
    message = said(sealed(0xB0 | kind, 0xC0, data + "2000" + "0000" + tag))
    assert [each.value for each in message.elements] == values
    assert (message.alarm, message.state) == (0x20, 0)
    assert message.stamp is not None
    assert (message.stamp.year is None) == (len(tag) == 10)
    assert encode(message) == sealed(0xB0 | kind, 0xC0, data + "2000" + "0000" + tag)


def test_a_tail_that_is_none_leaves_the_data_unread() -> None:
    message = said(sealed(0xB2, 0xC0, "9004010000000000FFFFFFFFFFFFFF"))
    assert (message.elements, message.stamp, message.remarks) == ((), None, ("tail",))


def test_present_values_with_and_without_alarm() -> None:
    assert said(sealed(0xB2, 0xB0, "90040100")).elements[0].value == 10.49
    message = said(sealed(0xB3, 0xB0, "0059000000" + "20006000"))
    assert (message.elements[0].value, message.alarm, message.state) == (5.9, 0x20, 0x60)


def test_links_voltage_and_clock() -> None:
    assert said(encode(heartbeat(STATION))).data == b"\xf2"
    volt = said(encode(voltage(STATION, 12.87)))
    assert [(each.value, each.quantity) for each in volt.elements] == [(12.87, "battery_voltage")]
    clock = said(sealed(0xB0, 0x51, "300506016726"))
    assert to_line(clock)["send_time"] == "2026-07-01 06:05:30"


def test_the_answer_to_a_report_is_the_frame_turned_with_a_byte_of_nothing() -> None:
    assert encode(confirm(said(METER))) == sealed(0x33, 0xC0, "00")


def test_settings_carry_a_password_and_a_tag() -> None:
    message = said(encode(set_clock(STATION, SIX, (1, 234))))
    assert (message.password, message.sent, message.data.hex()) == ((1, 234), SIX, "000006016726")
    message = said(encode(order(STATION, 0x96, b"\x12\x34", password=(0, 7), stamp=stamp_of(SIX, long=False))))
    assert (message.password, message.data) == ((0, 7), b"\x12\x34")
    assert said(encode(order(STATION, 0xB0, kind=2))).data == b""


def test_addresses_of_both_methods() -> None:
    assert said(encode(heartbeat(method_one("110108", 1284)))).address == (1, "110108", 1284)
    assert said(encode(heartbeat(method_two("6011220a")))).address == (2, "6011220A", 0)


@pytest.mark.parametrize(
    "made",
    [
        lambda: encode(heartbeat("53")),
        lambda: encode(Message(station=STATION, function=2, data=bytes(300))),
        lambda: encode(Message(station=STATION, function=2, alarm=70000)),
        lambda: report(STATION, 2, [1e6], stamp_of(SIX)),
        lambda: report(STATION, 1, [-1.0], stamp_of(SIX)),
        lambda: report(STATION, 13, [1.0], stamp_of(SIX)),
        lambda: encode(order(STATION, 0x11, password=(10, 1))),
    ],
)
def test_what_does_not_fit_is_refused(made: Any) -> None:
    with pytest.raises(BadInput):
        made()


def test_units_agree_with_the_table_of_quantities() -> None:
    for each in [*kinds().values(), *qualities().values()]:
        if each.quantity:
            assert quantity(each.quantity).unit == each.unit, each.name_en


def test_divided_pictures_are_put_together() -> None:
    picture = Message(station=STATION, function=0x83, data=bytes(range(256)) * 3)
    frames = [encode(each) for each in divide(picture, 200)]
    assert [frame[4] for frame in frames] == [4, 3, 2, 1]
    joiner = Joiner()
    for place in (0, 3, 1):
        assert joiner.add(said(frames[place])) is None
    assert joiner.missing(STATION, 0x83) == (2,)
    whole = joiner.add(said(frames[2]))
    assert whole is not None
    assert (whole.data, whole.part) == (picture.data, None)
    assert joiner.missing(STATION, 0x83) == ()


@st.composite
def reports(draw: st.DrawFn) -> Message:
    """A report of values that their digits can hold."""
    kind = draw(st.sampled_from([each for each in kinds().values() if each.bytes and each.code not in (8, 10)]))
    signed = kind.signed == "yes"
    limit = 10 ** (kind.bytes * 2 - signed) - 1
    amount = st.integers(-limit if signed else 0, limit).map(lambda each: each / 10.0**kind.decimals)
    values = draw(st.lists(st.one_of(st.none(), amount), min_size=1, max_size=3 if kind.many == "yes" else 1))
    if kind.code == 3:
        values = values[:1]
    seconds = draw(st.integers(1_262_304_000, 2_524_600_000))
    made = report(
        draw(st.text("0123456789", min_size=10, max_size=10)),
        kind.code,
        values,
        stamp_of(seconds, long=draw(st.booleans()), delay=draw(st.integers(0, 255))),
        function=draw(st.sampled_from([0xC0, 0x81, 0x82])),
        alarm=draw(st.integers(0, 0x3FFF)),
        state=draw(st.integers(0, 0x7F)),
    )
    assert [each.value for each in made.elements] == pytest.approx(values)
    return made


@settings(max_examples=200, deadline=None)
@given(reports())
def test_what_is_encoded_is_decoded(message: Message) -> None:
    assert message.stamp is not None
    back = decode(encode(message), edition="2016" if message.stamp.year is None else "2021")
    assert isinstance(back, Message)
    assert encode(back) == encode(message)
    assert (back.elements, back.alarm, back.state, back.stamp) == (
        message.elements, message.alarm, message.state, message.stamp,
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 255), st.integers(0, 255), st.one_of(st.none(), st.just(SIX)))
def test_any_bytes_are_a_message_or_a_refusal(data: bytes, control: int, function: int, now: int | None) -> None:
    assert isinstance(decode(data, now), Message | Refusal)
    assert isinstance(decode(b"\x68" + data, now), Message | Refusal)
    body = bytes([control]) + bytes(6) + bytes([function]) + data
    frame = bytes([0x68, len(body), 0x68]) + body + bytes([crc8(body), 0x16])
    message = said(frame, now)
    assert to_line(message)["crc_ok"]
    if message.stamp is None or message.function == 0x51:
        assert encode(message) == frame


def test_damaged_frames_are_never_taken() -> None:
    rng = np.random.default_rng(5)
    frames = [bytes.fromhex(each) for each in (METER, NOTHING, VELOCITY)]
    for frame in frames:
        for place in range(len(frame)):
            broken = bytearray(frame)
            broken[place] ^= int(rng.integers(1, 256))
            assert not isinstance(decode(bytes(broken)), Message)
    for _ in range(20_000):
        broken = bytearray(frames[rng.integers(0, 3)])
        for place in rng.integers(0, len(broken), 3):
            broken[place] = int(rng.integers(0, 256))
        found = decode(bytes(broken))
        if isinstance(found, Message):
            assert crc8(bytes(broken[3:-2])) == broken[-2]
            assert broken[1] == len(broken) - 5


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_frames_come_out_of_a_stream_however_it_is_cut(data: st.DataObject) -> None:
    frames = [bytes.fromhex(each) for each in (METER, NOTHING, VELOCITY)]
    sent = data.draw(st.lists(st.sampled_from(frames), max_size=5))
    noise = st.one_of(st.just(b""), st.sampled_from([b"\x68", b"\x16\x68", b"h\xffh", frames[0][:9], b"abc"]))
    stream = b"".join(data.draw(noise) + each for each in sent) + data.draw(noise)
    framer, pieces = Framer(), []
    whole = stream
    while stream:
        size = data.draw(st.integers(1, 60))
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
        assert framer.waiting <= 260 + 60
    pieces += framer.close()
    assert [each for each, taken in pieces if taken] == sent
    assert b"".join(each for each, _ in pieces) == whole
