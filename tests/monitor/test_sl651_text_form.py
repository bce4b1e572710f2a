"""The ASCII form of SL 651-2014."""

from __future__ import annotations

import pytest

from liuyu.monitor.sense.sl651 import (
    Framer,
    Group,
    Message,
    Orders,
    Refusal,
    confirm,
    decode,
    element,
    encode,
    in_packets,
)
from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.lines import to_line, wall_clock
from liuyu.monitor.sense.sl651.packets import Assembler

SENT = 1500346816  # 2017-07-18 11:00:16 at the station


def spoken(words: str, function: str = "32", mark: str = "\x03") -> bytes:
    """A frame with these words, written out here so that the encoder is not its own judge."""
    body = "0034170718110016" + words
    size = len(body.encode("gb18030"))
    frame = f"\x0105001122334403E8{function}{size:04X}\x02{body}{mark}".encode("gb18030")
    return frame + f"{crc16(frame):04X}".encode()


def flat(frame: bytes) -> list[tuple[str, object, str]]:
    message = decode(frame)
    assert isinstance(message, Message), str(message)
    return [
        (each.id, value, (wall_clock(time) or "-" * 16)[11:16])
        for _, each in message.elements()
        for value, time in zip(each.values, each.times, strict=True)
    ]


def test_a_report() -> None:
    frame = spoken(" ST 0011223344 H TT 1707181100 PJ 4.0 PT 4.0 Z 10.490 VT 10.99 AI -3.5 FF92 1.5 Q FFFFFF")
    message = decode(frame)
    assert isinstance(message, Message)
    assert (message.form, message.station, message.function, message.serial) == ("ascii", "0011223344", 0x32, 52)
    assert (message.groups[0].category, wall_clock(message.sent)) == (72, "2017-07-18 11:00:16")
    assert [each[:2] for each in flat(frame)] == [
        ("20", 4.0), ("26", 4.0), ("39", 10.49), ("38", 10.99), ("02", -3.5), ("FF92", 1.5), ("27", None),
    ]  # fmt: skip
    assert encode(message) == frame
    assert to_line(message)["elements"][2]["quantity"] == "water_level"


def test_values_of_equal_periods_and_of_five_minutes() -> None:
    found = flat(spoken(" ST 0011223344 H TT 1707181005 DRN05 Z 10.1 10.2 10.3 VT 12.00", "31"))
    assert found[1:4] == [("39", 10.1, "10:05"), ("39", 10.2, "10:10"), ("39", 10.3, "10:15")]
    found = flat(spoken(" ST 0011223344 H TT 1707181005 DRP 05000000140000FFFF000000 DRZ1 " + "000CFFFF" * 6, "34"))
    assert found[4] == ("F4", 2.0, "10:25")
    assert found[7] == ("F4", None, "10:40")
    assert found[12:14] == [("F5", 0.12, "10:05"), ("F5", None, "10:10")]


def test_state_and_text() -> None:
    assert flat(spoken(" ST 0011223344 ZT 00000400", "46")) == [("45", 1024.0, "-----")]
    assert flat(spoken(" RGZS 水位 10.49 米", "35")) == [("F2", "水位 10.49 米", "-----")]


@pytest.mark.parametrize("damage", [5, 20, 23, 30, -1])
def test_a_damaged_frame_is_refused(damage: int) -> None:
    frame = bytearray(spoken(" ST 0011223344 H TT 1707181100 PJ 4.0"))
    frame[damage] ^= 0x10
    assert isinstance(decode(bytes(frame)), Refusal)


def test_downward_and_back() -> None:
    message = decode(spoken(" ST 0011223344 H TT 1707181100 PJ 4.0"))
    assert isinstance(message, Message)
    back = confirm(message, SENT, stay=True)
    assert back is not None
    frame = encode(back)
    assert frame[:-4] == b"\x01" + b"001122334405" + b"03E8" + b"32" + b"8010" + b"\x02" + b"0034170718110016" + b"\x1b"
    assert decode(frame) == back
    query = Orders("0011223344", centre=5, password="03E8", form="ascii").present(SENT)
    assert decode(encode(query)) == query


def test_packets_and_the_stream() -> None:
    words = tuple(element(each, 1.0, form="ascii") for each in ("20", "26", "39", "38"))
    message = Message(
        function=0x38,
        station="0011223344",
        form="ascii",
        serial=1,
        sent=SENT,
        groups=(Group(station="0011223344", category=72, observed=SENT - 16, elements=words),),
    )
    stream = b"noise\x01\x02" + b"".join(encode(each) for each in in_packets(message, 40)) + b"\r\n"
    framer, assembler, whole = Framer(), Assembler(), None
    for byte in stream:
        for piece in framer.feed(bytes([byte])):
            if piece.whole:
                packet = decode(piece.data)
                assert isinstance(packet, Message)
                whole = assembler.add(packet, now=0) or whole
    assert whole is not None
    assert encode(whole) == encode(message)
