"""What the centre sends in SL 651-2014: the bytes that stations expect, and the rules of answering."""

from __future__ import annotations

import pytest

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sl651 import Message, Orders, Packet, ask_again, confirm, decode, encode
from liuyu.monitor.sense.sl651.messages import ACK, ENQ, EOT, ESC, ETB, ETX, NAK

NOW = 1500346816  # 2017-07-18 11:00:16 at the station
ORDERS = Orders("0011223344", centre=5, password="03E8")
HEAD = "0000170718110016"


@pytest.mark.parametrize(
    ("message", "function", "body"),
    [
        (ORDERS.picture(NOW), "36", ""),
        (ORDERS.present(NOW), "37", ""),
        (ORDERS.period("F4", NOW - 7200, NOW, 300, NOW), "38", "17071809170718110418000005F460"),
        (ORDERS.period("39", NOW - 86400, NOW, 3600, NOW), "38", "170717111707181104180001003923"),
        (ORDERS.manual(NOW), "39", ""),
        (ORDERS.elements(["20", "26", "39"], NOW), "3A", "201926193923"),
        (ORDERS.write({"01": "05000000", "0C": 2}, NOW), "40", "0120050000000C0802"),
        (ORDERS.read(["01", "02"], NOW), "41", "01200228"),
        (ORDERS.write({"20": 1, "28": 10.0}, NOW, running=True), "42", "200801282300010000"),
        (ORDERS.read(["20", "30"], NOW, running=True), "43", "2008301B"),
        (ORDERS.pumps(NOW), "44", ""),
        (ORDERS.version(NOW), "45", ""),
        (ORDERS.state(NOW), "46", ""),
        (ORDERS.clear(NOW), "47", "9700"),
        (ORDERS.restore(NOW), "48", "9800"),
        (ORDERS.change_password("1234", NOW), "49", "031003E803101234"),
        (ORDERS.set_clock(NOW), "4A", ""),
        (ORDERS.control(0x4C, b"\x01\x80", NOW), "4C", "0180"),
        (ORDERS.control(0x4F, b"\xff", NOW), "4F", "FF"),
        (ORDERS.events(NOW), "50", ""),
        (ORDERS.clock(NOW), "51", ""),
    ],
)
def test_orders_are_the_bytes_that_stations_expect(message: Message, function: str, body: str) -> None:
    frame = encode(message).hex().upper()
    assert frame[:22] == "7E7E" + "0011223344" + "05" + "03E8" + function
    assert frame[22:26] == f"8{(len(HEAD) + len(body)) // 2:03X}"
    assert frame[26:-6] == "02" + HEAD + body
    assert frame[-6:-4] == "05"
    back = decode(bytes.fromhex(frame))
    assert isinstance(back, Message)
    assert encode(back).hex().upper() == frame
    assert (back.end, back.sent, back.period, back.wanted) == (ENQ, NOW, message.period and back.period, message.wanted)


def test_a_period_comes_back_in_whole_hours() -> None:
    back = decode(encode(ORDERS.period("39", NOW - 7200, NOW, 3600, NOW)))
    assert isinstance(back, Message)
    assert back.period is not None
    assert (back.period.start, back.period.end, back.period.step) == (1500339600, 1500346800, 3600)


def arrived(function: int, end: int = ETX, packet: Packet | None = None) -> Message:
    return Message(function=function, station="0011223344", centre=5, serial=52, sent=NOW - 5, end=end, packet=packet)


@pytest.mark.parametrize(
    ("function", "end", "answer"),
    [
        (0x2F, ETX, None),
        (0x30, ETX, EOT),
        (0x32, ETX, EOT),
        (0x33, ETB, ACK),
        (0x34, ETX, EOT),
        (0x36, ETX, EOT),
        (0x37, ETX, None),
        (0x38, ETB, ACK),
        (0x4A, ETX, None),
        (0xE1, ETX, EOT),
    ],
)
def test_reports_are_confirmed_and_heartbeats_and_answers_are_not(function: int, end: int, answer: int | None) -> None:
    back = confirm(arrived(function, end), NOW)
    if answer is None:
        assert back is None
        return
    assert back is not None
    assert (back.end, back.direction, back.serial, back.sent) == (answer, "down", 52, NOW)


def test_a_station_can_be_held_on_line_as_in_the_published_confirmation() -> None:
    report = decode(
        bytes.fromhex(
            "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F0"
            "1707181100201900004026190000403923000104903812109903A421"
        )
    )
    assert isinstance(report, Message)
    back = confirm(report, NOW, stay=True)
    assert back is not None
    assert back.end == ESC
    assert encode(back).hex().upper() == "7E7E00112233440503E83280080200341707181100161BE5D4"


def test_a_missing_packet_is_asked_for_by_its_number() -> None:
    back = ask_again(arrived(0x36, ETB, Packet(13, 2)), 7, NOW)
    frame = encode(back)
    assert (back.end, back.packet) == (NAK, Packet(13, 7))
    assert frame[13:17].hex().upper() == "16" + "00D007"
    assert decode(frame) == back


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(BadInput, match="no element 'ZZ'"):
        ORDERS.elements(["ZZ"], NOW)
    with pytest.raises(BadInput, match="station '12'"):
        encode(Orders("12").present(NOW))
    with pytest.raises(BadInput, match="several packets"):
        encode(ORDERS.control(0x4C, bytes(5000), NOW))
    with pytest.raises(BadInput, match="2000 to 2099"):
        encode(ORDERS.present(-NOW))
