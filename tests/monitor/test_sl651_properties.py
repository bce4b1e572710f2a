"""What must hold of SL 651-2014 for all messages, all streams and all bytes."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sl651 import (
    Columns,
    Dialect,
    Dialects,
    Framer,
    Group,
    Message,
    Odd,
    Packet,
    Refusal,
    decode,
    decode_many,
    element,
    encode,
    ways_of,
)
from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.digits import NO_TIME
from liuyu.monitor.sense.sl651.fast import BITS
from liuyu.monitor.sense.sl651.lines import to_line
from liuyu.monitor.sense.sl651.tables import elements
from tests.monitor.sl651_frames import reports, resealed

FRAMES = reports()
NUMBERS = [each for each in elements().values() if each.kind == "number" and each.digits]
addresses = st.text("0123456789ABCDEF", min_size=10, max_size=10)
times = st.integers(1_262_304_000, 2_524_607_000).map(lambda each: each // 60 * 60)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, list[float | None]]:
    """An element of the table with a value that its digits can hold, or none."""
    field = draw(st.sampled_from(NUMBERS))
    limit = 10**field.digits - 1
    value = draw(st.one_of(st.none(), st.integers(-limit, limit)))
    return field.id, [None if value is None else value / 10.0**field.decimals]


@st.composite
def series(draw: st.DrawFn) -> tuple[str, list[float | None]]:
    """Twelve depths of rain or levels."""
    if draw(st.booleans()):
        return "F4", draw(st.lists(st.one_of(st.none(), st.integers(0, 254).map(lambda each: each / 10.0)), **twelve))
    levels = st.one_of(st.none(), st.integers(0, 65534).map(lambda each: each / 100.0))
    return draw(st.sampled_from(["F5", "F6", "FC"])), draw(st.lists(levels, **twelve))


twelve = {"min_size": 12, "max_size": 12}


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """Some elements of a station at a time."""
    made = draw(st.lists(st.one_of(numbers(), series()), min_size=1, max_size=6))
    return Group(
        station=draw(addresses),
        category=draw(st.sampled_from([0x48, 0x4B, 0x50, 0x5A])),
        observed=draw(times),
        elements=tuple(element(identifier, values) for identifier, values in made),
    )


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """A report up, of one or several stations."""
    made = draw(st.lists(groups(), min_size=1, max_size=4, unique_by=lambda each: each.station))
    return Message(
        function=draw(st.sampled_from([0x30, 0x32, 0x33, 0x34, 0x37, 0x3A])),
        station=draw(addresses),
        centre=draw(st.integers(0, 255)),
        password=draw(st.text("0123456789ABCDEF", min_size=4, max_size=4)),
        serial=draw(st.integers(0, 65535)),
        sent=draw(times),
        groups=tuple(made),
    )


@settings(max_examples=100, deadline=None)
@given(messages())
def test_what_is_encoded_is_decoded(message: Message) -> None:
    frame = encode(message)
    back = decode(frame)
    assert isinstance(back, Message)
    assert encode(back) == frame
    plain = (back.function, back.station, back.centre, back.password, back.serial, back.sent)
    assert plain == (message.function, message.station, message.centre, message.password, message.serial, message.sent)
    assert len(back.groups) == len(message.groups)
    for one, other in zip(back.groups, message.groups, strict=True):
        assert (one.station, one.category, one.observed) == (other.station, other.category, other.observed)
        assert [each.id for each in one.elements] == [each.id for each in other.elements]
        for got, sent in zip(one.elements, other.elements, strict=True):
            assert got.values == pytest.approx(sent.values, abs=1e-9)
            assert len(got.times) == len(got.values)
            assert got.times[0] in (one.observed, (one.observed or 0) - 3300)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=80), st.binary(max_size=80).map(lambda each: b"\x7e\x7e" + each)))
def test_any_bytes_are_a_message_or_a_refusal(data: bytes) -> None:
    found = decode(data)
    assert isinstance(found, Message | Refusal)
    assert to_line(found)["crc_ok"] in (True, False)


@settings(max_examples=300, deadline=None)
@given(st.binary(min_size=1, max_size=120), st.integers(0, 255), st.booleans(), st.sampled_from([2, 0x16]))
def test_any_body_under_a_right_check_code_is_read(body: bytes, function: int, down: bool, mark: int) -> None:
    size = len(body) | (0x8000 if down else 0)
    frame = b"\x7e\x7e" + bytes(8) + bytes([function]) + size.to_bytes(2, "big") + bytes([mark]) + body + b"\x03"
    frame += crc16(frame).to_bytes(2, "big")
    message = decode(frame)
    assert isinstance(message, Message)
    assert to_line(message)["function"] == f"{function:02X}"
    if message.serial is None or message.sent is None or message.packet:
        with suppress(BadInput):
            encode(message)
    else:
        assert isinstance(decode(encode(message)), Message)
    agree(frame)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_frames_come_out_of_a_stream_however_it_is_cut(data: st.DataObject) -> None:
    sent = data.draw(st.lists(st.sampled_from(FRAMES), max_size=6))
    noise = st.one_of(
        st.just(b""), st.just(b"\x7e"), st.binary(max_size=30), st.sampled_from(FRAMES).map(lambda f: f[:-5])
    )
    stream = b"".join(data.draw(noise) + each for each in sent) + data.draw(noise)
    framer, pieces = Framer(), []
    while stream:
        size = data.draw(st.integers(1, 120))
        pieces += framer.feed(stream[:size])
        stream = stream[size:]
        assert framer.waiting < 4300
    pieces += framer.close()
    assert [each.data for each in pieces if each.whole] == sent
    assert framer.waiting == 0


def test_a_broken_frame_is_a_piece_of_its_own_with_a_reason() -> None:
    good, broken = FRAMES[2], FRAMES[3][:30] + b"\x00" + FRAMES[3][31:]
    pieces = Framer().feed(b"xx" + broken + good + b"\x7e" + good)
    assert [(each.whole, each.data) for each in pieces] == [(False, b"xx"), (False, broken), (True, good), (True, good)]
    refusal = decode(pieces[1].data)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "crc"


def test_a_damaged_length_does_not_hold_up_the_frames_behind_it() -> None:
    broken = FRAMES[2][:11] + b"\x0f\xff" + FRAMES[2][13:]
    framer = Framer()
    assert framer.feed(broken) == []
    pieces = framer.feed(FRAMES[4])
    assert [each.whole for each in pieces] == [False, True]
    assert decode(pieces[0].data).reason == "length"  # type: ignore[union-attr]


def agree(stream: bytes, dialects: Dialect | Dialects | None = None, now: int | None = None) -> Columns:
    """Hold the fast path against the slow one, field by field and value by value."""
    framer = Framer()
    ways = dialects or Dialect()
    found = [decode(each.data, ways, now) for each in framer.feed(stream) + framer.close() if each.whole]
    columns = decode_many(stream, ways, now)
    assert len(columns) == len(found)
    expected = []
    for place, message in enumerate(found):
        assert isinstance(message, Message)
        packet = message.packet or Packet(0, 0)
        told = (
            int(message.station, 16), message.centre, message.function, message.direction == "up", message.end,
            -1 if message.serial is None else message.serial, NO_TIME if message.sent is None else message.sent,
            packet.total, packet.number, sum(BITS[each] for each in message.remarks),
        )  # fmt: skip
        names = ("station", "centre", "function", "up", "end", "serial", "sent", "total", "number", "remarks")
        assert tuple(int(getattr(columns, name)[place]) for name in names) == told
        for group, each in message.elements():
            owner = (place, int(group.station or message.station, 16), group.category or 0, int(each.id, 16))
            for value, time in zip(each.values, each.times, strict=True):
                number = value if isinstance(value, float) else math.nan
                expected.append((*owner, NO_TIME if time is None else time, number))
    got = zip(
        columns.value_frame.tolist(), columns.value_station.tolist(), columns.value_category.tolist(),
        columns.element.tolist(), columns.time.tolist(), columns.value.tolist(), strict=True,
    )  # fmt: skip
    for one, other in zip(got, expected, strict=True):
        assert one[:5] == other[:5]
        assert one[5] == other[5] or (math.isnan(one[5]) and math.isnan(other[5]))
    return columns


def test_the_fast_path_says_the_same_of_sound_frames() -> None:
    columns = agree(b"noise" + b"\x7e".join(FRAMES))
    assert len(columns) == len(FRAMES)
    assert len(columns.value) == 62
    assert np.isfinite(columns.value).sum() == 49


@pytest.mark.parametrize("seed", range(4))
def test_the_fast_path_says_the_same_of_odd_bodies(seed: int) -> None:
    rng = np.random.default_rng(seed)
    dialects = Dialects(
        [
            Dialect(address="0060112200", hourly_time="end", password="1234", level_bases=(18.5, 0.03)),
            Dialect(address="00418D2337", zone=5.5, elements=(Odd(id="39", binary=True), Odd(id="FF92", binary=True))),
        ],
        Dialect(hourly_time="first", elements=(Odd(id="45"),)),
    )
    seen = 0
    for _ in range(25):
        frames = [resealed(FRAMES[each], rng) for each in rng.integers(0, len(FRAMES), 30)]
        noise = [rng.integers(0, 256, rng.integers(0, 9), dtype=np.uint8).tobytes() for _ in frames]
        stream = b"".join(a + b for a, b in zip(frames, noise, strict=True))
        seen += len(agree(stream, dialects if seed % 2 else None, 1782856800 if seed > 1 else None))
    assert seen > 740


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([0x31, 0x38, 0x32]), st.lists(st.sampled_from(
    ["0418000005", "0418000000", "392300010490", "00010491", "3923", "26190000", "F460" + "01" * 12, "02" * 12,
     "F5C0" + "0031" * 12, "38121211", "1211", "F0F02607010600", "F1F1006011220150", "FFFFFFFF", "FF921900", "45"],
), max_size=12))  # fmt: skip
def test_the_fast_path_says_the_same_of_equal_periods(function: int, parts: list[str]) -> None:
    body = bytes.fromhex("0007260701060000" + "F1F1006011220048F0F02607010500" + "".join(parts))
    head = b"\x7e\x7e\x01\x00\x60\x11\x22\x00\x12\x34" + bytes([function]) + len(body).to_bytes(2, "big") + b"\x02"
    frame = head + body + b"\x03"
    agree(frame + crc16(frame).to_bytes(2, "big"))


def test_dialects_may_be_made_ready_once() -> None:
    ways = ways_of(Dialect(zone=0.0))
    assert (decode_many(FRAMES[0], ways).sent - decode_many(FRAMES[0]).sent).tolist() == [8 * 3600]
    assert len(decode_many(b"")) == 0
