"""MQTT packets: bytes of the standard's own examples, round trips, and any bytes at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.monitor.sense.mqtt.packets import (
    CONNECT,
    PUBACK,
    PUBLISH,
    SUBSCRIBE,
    Packet,
    Publish,
    Reader,
    Unspeakable,
    connack,
    connect,
    is_filter,
    matches,
    numbered,
    packet,
    publish,
    read_connect,
    read_filters,
    read_publish,
    subscribe,
)

topics = st.text(st.characters(exclude_characters="+#\0", exclude_categories=["Cs"]), min_size=1, max_size=20)


def test_the_examples_of_the_standard() -> None:
    # MQTT 3.1.1, figure 3.6 (variable header of CONNECT) and 3.3.2 (variable header of PUBLISH)
    body = bytes.fromhex("00044D5154540 4CE000A".replace(" ", "")) + b"\0\1c" + b"\0\1w\0\2hi" + b"\0\1u\0\1p"
    said = read_connect(body)
    assert (said.level, said.client, said.clean, said.keep_alive, said.user, said.password) == (
        4,
        "c",
        True,
        10,
        "u",
        b"p",
    )
    assert said.will == Publish("w", b"hi", 1, 0, False)
    assert read_publish(Packet(PUBLISH, 0b0010, bytes.fromhex("0003612F62000A")), 4) == Publish("a/b", b"", 1, 10)
    assert packet(PUBLISH, bytes(321))[1:3] == bytes([193, 2])  # 2.2.3: 321 = 65 + 2 * 128
    assert numbered(PUBACK, 10) == bytes.fromhex("4002000A")
    assert connack(4) == bytes.fromhex("20020000")
    assert connack(4, "password") == bytes.fromhex("20020005")


def test_version_5_is_told_what_the_server_does_without() -> None:
    told = connack(5, client="made", largest=1000, at_once=7)
    assert told[:4] == bytes([0x20, len(told) - 2, 0, 0])
    assert told[4] == len(told) - 5
    assert b"\x12\0\x04made" in told
    body = b"\0\4MQTT\5\2\0\x3c" + b"\5\x11\0\0\0\x0a" + b"\0\1c"
    assert read_connect(body).level == 5
    assert read_publish(Packet(PUBLISH, 0b0010, b"\0\1a\0\x09\2\1\1payload"), 5) == Publish("a", b"payload", 1, 9)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\4MQTT",
        b"\0\4MQTT\6\2\0\0\0\0",
        b"\0\4HTTP\4\2\0\0\0\0",
        b"\0\4MQTT\4\3\0\0\0\0",
        b"\0\2\xff\xff\4",
        b"\0\4MQT\0\4",
    ],
)
def test_what_is_no_connect_is_refused(body: bytes) -> None:
    with pytest.raises(Unspeakable):
        read_connect(body)


@pytest.mark.parametrize(
    ("flags", "body"),
    [(0, b"\0\0"), (0, b"\0\3a/+"), (0, b"\0\1#"), (6, b"\0\1a\0\1"), (2, b"\0\1a\0\0"), (2, b"\0\1a\0")],
)
def test_what_is_no_message_is_refused(flags: int, body: bytes) -> None:
    with pytest.raises(Unspeakable):
        read_publish(Packet(PUBLISH, flags, body), 4)


@given(
    topics, st.binary(max_size=300), st.integers(0, 2), st.integers(1, 65535), st.booleans(), st.sampled_from([4, 5])
)
def test_a_message_comes_back_from_its_bytes(
    topic: str, payload: bytes, qos: int, number: int, retain: bool, level: int
) -> None:
    message = Publish(topic, payload, qos, number if qos else 0, retain, qos > 0)
    (found,) = Reader(1000).feed(publish(message, level))
    assert read_publish(found, level) == message


@given(st.lists(st.binary(max_size=200), max_size=8), st.data())
def test_packets_are_found_however_their_bytes_are_chunked(bodies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(packet(PUBLISH, each) for each in bodies)
    reader, found = Reader(1000), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        found += list(reader.feed(stream[:cut]))
        stream = stream[cut:]
    assert [each.body for each in found] == bodies


@given(st.binary(max_size=100))
def test_any_bytes_are_packets_or_unspeakable(data: bytes) -> None:
    try:
        for each in Reader(50).feed(data):
            for read in (
                lambda one: read_connect(one.body),
                lambda one: read_publish(one, 5),
                lambda one: read_filters(one, 5),
            ):
                try:
                    read(each)
                except Unspeakable:
                    continue
    except Unspeakable:
        assert len(data) > 1


def test_a_packet_that_is_too_large_is_refused_before_it_has_come() -> None:
    with pytest.raises(Unspeakable, match="send smaller batches"):
        list(Reader(100).feed(packet(PUBLISH, bytes(101))[:3]))


def test_our_own_connect_and_subscribe_are_read_back() -> None:
    (first,) = Reader(100).feed(connect("me", clean=False, keep_alive=7, user="u", password="ä"))
    assert first.kind == CONNECT
    assert read_connect(first.body)[1:6] == ("me", False, 7, "u", "ä".encode())
    (second,) = Reader(100).feed(subscribe(3, ["a/#", "b"], 1))
    assert (second.kind, read_filters(second, 4)) == (SUBSCRIBE, (3, ["a/#", "b"]))


@pytest.mark.parametrize(
    ("wanted", "topic", "fits"),
    [
        ("sport/tennis/player1/#", "sport/tennis/player1", True),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", True),
        ("sport/#", "sport", True),
        ("#", "a/b", True),
        ("#", "$SYS/x", False),
        ("+/monitor", "$SYS/monitor", False),
        ("sport/tennis/+", "sport/tennis/player1", True),
        ("sport/tennis/+", "sport/tennis/player1/ranking", False),
        ("sport/+", "sport", False),
        ("sport/+", "sport/", True),
        ("+/+", "/finance", True),
        ("/+", "/finance", True),
        ("+", "/finance", False),
        ("a/b", "a/b/c", False),
    ],
)
def test_filters_match_as_the_standard_says(wanted: str, topic: str, fits: bool) -> None:
    assert matches(wanted, topic) is fits


def test_what_is_a_filter() -> None:
    assert all(map(is_filter, ("#", "a/#", "+", "a/+/b", "/")))
    assert not any(map(is_filter, ("", "a#", "a/#/b", "a+", "+a/b")))
