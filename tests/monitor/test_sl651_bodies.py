"""Bodies of SL 651-2014 beyond the published frames: minus, nothing, series, repeats, several stations, odd ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.monitor.sense.sl651 import (
    Dialect,
    Dialects,
    Group,
    Message,
    Odd,
    Refusal,
    decode,
    element,
    encode,
    in_packets,
    parameter,
    read_dialects,
)
from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.encode import wall_time
from liuyu.monitor.sense.sl651.lines import wall_clock
from liuyu.monitor.sense.sl651.messages import Value
from liuyu.monitor.sense.sl651.packets import Assembler

STATION = "0060112200"
SIX = 1782856800  # 2026-07-01 06:00 at the station


def sealed(body: bytes, function: int = 0x32, *, station: str = STATION, down: bool = False) -> bytes:
    """A frame around a body, written out here so that the encoder is not its own judge."""
    address = bytes.fromhex(station)
    head = address + b"\x01" if down else b"\x01" + address
    size = len(body) | (0x8000 if down else 0)
    frame = b"\x7e\x7e" + head + b"\x12\x34" + bytes([function]) + size.to_bytes(2, "big") + b"\x02" + body + b"\x03"
    return frame + crc16(frame).to_bytes(2, "big")


def report(elements: str, function: int = 0x32, *, sent: int = SIX + 30, at: int = SIX) -> bytes:
    """A report of one station and time."""
    head = b"\x00\x07" + wall_time(sent, 6) + b"\xf1\xf1" + bytes.fromhex(STATION) + b"H"
    return sealed(head + b"\xf0\xf0" + wall_time(at, 5) + bytes.fromhex(elements), function)


def read(frame: bytes, dialect: Dialect | Dialects | None = None) -> list[tuple[str, Value, str]]:
    """Identifier, value and hour:minute of every value."""
    message = decode(frame, dialect or Dialect())
    assert isinstance(message, Message), str(message)
    return [
        (each.id, value, (wall_clock(time) or "-" * 16)[11:16])
        for _, each in message.elements()
        for value, time in zip(each.values, each.times, strict=True)
    ]


def remarks(frame: bytes) -> tuple[str, ...]:
    message = decode(frame)
    assert isinstance(message, Message)
    return message.remarks


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("392300010490", 10.49),
        ("392BFF00010490", -10.49),
        ("3923FF000345", -0.345),
        ("3923FFFFFFFF", None),
        ("39230001049A", None),
        ("0208FF", None),
        ("0211FF15", -1.5),
        ("0212FF15", -0.15),
        ("272B0000004320", 4.32),
        ("2720" + "12345678", 12345678.0),
        ("FF921900" + "0199", 19.9),
        ("FF0108" + "20", 20.0),
        ("6008" + "07", 7.0),
        ("76F8" + "12" * 31, None),
        ("3900", None),
    ],
)
def test_numbers(data: str, value: float | None) -> None:
    assert [each[1] for each in read(report(data))] == [value]


def test_unknown_elements_are_stepped_over_and_kept_raw() -> None:
    message = decode(report("E018ABCDEF" + "FF3311ABCD" + "38121200"))
    assert isinstance(message, Message)
    assert [(each.id, each.raw.hex(), each.values) for _, each in message.elements()] == [
        ("E0", "abcdef", (None,)),
        ("FF33", "abcd", (None,)),
        ("38", "1200", (12.0,)),
    ]
    assert message.remarks == ("not-decimal",)


def test_a_body_that_ends_too_soon_keeps_what_came_whole() -> None:
    assert read(report("38121200" + "39230001")) == [("38", 12.0, "06:00"), ("39", None, "06:00")]
    assert remarks(report("38121200" + "39230001")) == ("short",)
    assert remarks(report("38121200" + "39")) == ("leftover",)


@pytest.mark.parametrize("definition", ["C0", "5C"])
def test_five_minute_levels_whatever_their_definition_says(definition: str) -> None:
    words = "000C" + "FFFF" * 10 + "0031"
    found = read(report("F5" + definition + words + "38121200", 0x34, at=SIX - 3300))
    assert found[0] == ("F5", 0.12, "05:05")
    assert found[11] == ("F5", 0.49, "06:00")
    assert [each[1] for each in found[1:11]] == [None] * 10
    assert found[12] == ("38", 12.0, "05:05")
    wrong = remarks(report("F5" + definition + words, 0x34, at=SIX - 3300))
    assert wrong == (() if definition == "C0" else ("definition",))


def test_five_minute_rain() -> None:
    found = read(report("F460" + "05" + "FE" + "FF" * 9 + "00", 0x34, at=SIX - 3300))
    assert [each[1] for each in found] == [0.5, 25.4, *[None] * 9, 0.0]


@pytest.mark.parametrize(("way", "first"), [("auto", "05:05"), ("end", "05:05"), ("first", "06:00")])
def test_an_hour_that_would_end_after_its_sending_began_earlier(way: str, first: str) -> None:
    frame = report("F460" + "00" * 12, 0x34)
    assert read(frame, Dialect(hourly_time=way))[0][2] == first  # type: ignore[arg-type]


def test_a_known_base_makes_levels_of_relative_ones() -> None:
    message = decode(report("F5C0" + "0031" * 12, 0x34, at=SIX - 3300), Dialect(level_bases=(10.0,)))
    assert isinstance(message, Message)
    ((_, levels),) = message.elements()
    assert (levels.values[0], levels.quantity, levels.unit) == (10.49, "water_level", "m")


def test_values_of_equal_periods() -> None:
    values = "".join(f"{28960 + place:08d}" for place in range(12))
    found = read(report("0418000005" + "3923" + values, 0x31))
    assert found[0] == ("04", 5.0, "06:00")
    assert found[1:3] == [("39", 28.96, "06:00"), ("39", 28.961, "06:05")]
    assert found[-1] == ("39", 28.971, "06:55")
    assert len(found) == 13


def test_values_of_equal_periods_end_where_other_elements_begin() -> None:
    values = "00028960" * 6
    found = read(report("0418000100" + "3923" + values + "38121305" + "452000000484", 0x38))
    assert [each[0] for each in found] == ["04", *["39"] * 6, "38", "45"]
    assert [each[2] for each in found[1:7]] == [f"{hour:02d}:00" for hour in range(6, 12)]
    assert found[7:] == [("38", 13.05, "06:00"), ("45", 1156.0, "06:00")]


def test_a_voltage_is_not_taken_for_an_identifier() -> None:
    """12.11 V reads like the identifier and definition of soil moisture at 30 cm."""
    found = read(report("0418000005" + "3812" + "1209" + "1210" + "1211" + "1212", 0x38))
    assert [each[1] for each in found[1:]] == [12.09, 12.1, 12.11, 12.12]


def test_hours_of_rain_in_answer_to_a_query() -> None:
    found = read(report("0418000005" + "F460" + "01" * 12 + "02" * 12, 0x38))
    assert len(found) == 25
    assert found[24] == ("F4", 0.2, "07:55")


def test_a_step_of_nothing_gives_no_times() -> None:
    found = read(report("0418000000" + "F460" + "FF" * 12, 0x38, at=SIX - 3300))
    assert [each[2] for each in found[1:]][:2] == ["05:05", "05:10"]
    assert all(value is None for _, value, _ in found[1:])


def test_several_stations_and_times_in_one_frame() -> None:
    first = b"\xf1\xf1" + bytes.fromhex(STATION) + b"H"
    second = b"\xf1\xf1" + bytes.fromhex("0060112201") + b"P"
    early, late = b"\xf0\xf0" + wall_time(SIX - 3600, 5), b"\xf0\xf0" + wall_time(SIX, 5)
    level, rain = bytes.fromhex("392300010490"), bytes.fromhex("2619000040")
    body = b"\x00\x01" + wall_time(SIX, 6) + first + early + level + late + level + second + late + rain
    message = decode(sealed(body))
    assert isinstance(message, Message)
    told = [(group.station, group.category, group.observed, len(group.elements)) for group in message.groups]
    assert told == [(STATION, 72, SIX - 3600, 1), (STATION, 72, SIX, 1), ("0060112201", 80, SIX, 1)]
    assert encode(message, Dialect())[14:-3] == body


def test_the_time_may_stand_before_the_station() -> None:
    body = (
        b"\x00\x01" + wall_time(SIX, 6) + b"\xf0\xf0" + wall_time(SIX, 5) + b"\xf1\xf1" + bytes.fromhex(STATION) + b"C"
    )
    assert read(sealed(body + b"\xf3\xf3\xff\xd8\xff\xd9", 0x36)) == [("F3", None, "06:00")]


def test_text_and_version_and_events() -> None:
    head = b"\x00\x01" + wall_time(SIX, 6)
    assert read(sealed(head + b"\xf2\xf2" + "水位 10.49".encode("gb18030"), 0x35)) == [("F2", "水位 10.49", "-----")]
    address = b"\xf1\xf1" + bytes.fromhex(STATION)
    version = decode(sealed(head + address + b"\x06V1.0.2", 0x45))
    assert isinstance(version, Message)
    assert version.text == "V1.0.2"
    events = decode(sealed(head + address + bytes(62) + b"\x00\x2c", 0x50))
    assert isinstance(events, Message)
    assert (len(events.events), events.events[-1]) == (32, 44)


@pytest.mark.parametrize("time", ["260230060000", "261301060000", "260701240000", "2607010060A0", "FFFFFFFFFFFF"])
def test_a_time_that_is_none_is_none(time: str) -> None:
    message = decode(sealed(b"\x00\x01" + bytes.fromhex(time), 0x2F))
    assert isinstance(message, Message)
    assert (message.sent, message.remarks) == (None, ("time",))


def test_the_centres_clock_judges_the_stations() -> None:
    frame = report("38121200")
    assert decode(frame, now=SIX + 86000).remarks == ()  # type: ignore[union-attr]
    assert decode(frame, now=SIX + 90000).remarks == ("clock",)  # type: ignore[union-attr]


def test_rain_that_overflows_is_carried_into_the_next_five_minutes() -> None:
    sent = element("F4", [30.0, 0.0, 1.0, *[None] * 9])
    assert sent.raw.hex() == "fe2e0a" + "ff" * 9
    with pytest.raises(BadInput, match="left over"):
        element("F4", [0.0] * 11 + [30.0])


@pytest.mark.parametrize(
    ("identifier", "value"),
    [("39", 1e5), ("39", "high"), ("38", 123.0), ("F4", [1.0]), ("F5", [700.0] * 12), ("FF92", 1.0), ("04", 0.5)],
)
def test_what_does_not_fit_is_refused(identifier: str, value: Value) -> None:
    with pytest.raises(BadInput):
        element(identifier, value)


def test_packets_out_of_order_twice_and_of_the_next_message() -> None:
    picture = Group(station=STATION, category=72, observed=SIX, elements=(element("F3", "x" * 700),))
    message = Message(function=0x36, station=STATION, serial=9, sent=SIX, groups=(picture,))
    packets = in_packets(message, 256)
    assert [len(encode(each)) for each in packets[:-1]] == [256 + 20] * (len(packets) - 1)
    arrived = [decode(encode(each)) for each in packets]
    assembler = Assembler()
    assert assembler.add(arrived[2], now=0) is None  # type: ignore[arg-type]
    assert assembler.missing(STATION, 0x36) == (1, 2)
    assert assembler.add(arrived[2], now=1) is None  # type: ignore[arg-type]
    assert assembler.add(arrived[0], now=2) is None  # type: ignore[arg-type]
    whole = assembler.add(arrived[1], now=3)  # type: ignore[arg-type]
    assert whole is not None
    assert encode(whole) == encode(message)
    assert assembler.add(arrived[1], now=4) is None  # type: ignore[arg-type]
    later = [decode(encode(each)) for each in in_packets(message_of(10, message), 400)]
    assert assembler.add(later[0], now=5) is None  # type: ignore[arg-type]
    assert assembler.add(later[1], now=6) is not None  # type: ignore[arg-type]


def message_of(serial: int, like: Message) -> Message:
    return Message(function=like.function, station=like.station, serial=serial, sent=like.sent, groups=like.groups)


def test_a_transfer_that_stalls_is_given_up() -> None:
    message = Message(
        function=0x36, station=STATION, serial=9, sent=SIX, groups=(Group(elements=(element("F3", "x" * 99),)),)
    )
    first, second = (decode(encode(each)) for each in in_packets(message, 60))
    assembler = Assembler(patience=600)
    assert assembler.add(first, now=0) is None  # type: ignore[arg-type]
    assert assembler.add(second, now=601) is None  # type: ignore[arg-type]
    assert assembler.missing(STATION, 0x36) == (1,)
    assert len(assembler.give_up(STATION, 0x36)) == 1
    assert assembler.waiting() == ()


def test_memory_of_transfers_is_bounded() -> None:
    assembler = Assembler(limit=3)
    for number in range(10):
        frame = sealed(b"\x00\x20\x01" + b"x", 0x36, station=f"{number:010d}").replace(b"\x02\x00\x20", b"\x16\x00\x20")
        frame = frame[:-2] + crc16(frame[:-2]).to_bytes(2, "big")
        assembler.add(decode(frame), now=number)  # type: ignore[arg-type]
    assert [station for station, _, _ in assembler.waiting()] == [f"{number:010d}" for number in (7, 8, 9)]


DIALECT = """
kind = "telemetry"

[[station]]
address = "0060112200"
code = "60112200"
hourly_time = "end"
password = "1234"
level_bases = [18.5]
elements = [
    { id = "FF33", name = "信号强度", unit = "dBm", binary = true },
    { id = "FF22", quantity = "flow_velocity", unit = "m/s" },
]
"""


def test_a_dialect_is_a_small_file(tmp_path: Path) -> None:
    file = tmp_path / "stations.toml"
    file.write_text(DIALECT, encoding="utf-8")
    dialects = read_dialects([file])
    assert dialects.of(STATION).odd("FF33") == Odd(id="FF33", name="信号强度", unit="dBm", binary=True)
    message = decode(report("FF331000FF" + "FF221B000110"), dialects)
    assert isinstance(message, Message)
    told = [(each.values, each.quantity, each.unit) for _, each in message.elements()]
    assert told == [((255.0,), None, "dBm"), ((0.11,), "flow_velocity", "m/s")]
    assert message.remarks == ()
    assert dialects.of("0000000000") == Dialect()


def test_every_fault_of_a_dialect_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "stations.toml"
    text = DIALECT.replace('"end"', '"last"').replace("hourly_time", "hourly")
    text += '\n[[station]]\naddress = "1"\n'
    text += '[[station]]\naddress = "0060112201"\nelements = [{ id = "FF01", quantity = "rain" }]\n'
    text += '[[station]]\naddress = "0060112201"\nelements = [{ id = "FF01", quantity = "discharge", unit = "L/s" }]\n'
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_dialects([file])
    problems = " ".join(str(each) for each in caught.value.faults)
    for hint in ("hourly_time", "ten hex digits", "no quantity 'rain'", "listed twice", "m3/s"):
        assert hint in problems


def test_another_password_is_remarked() -> None:
    message = decode(report("38121200"), Dialect(password="FFFF"))
    assert isinstance(message, Message)
    assert message.remarks == ("password",)


def test_parameters_of_the_configuration() -> None:
    sent = Group(station=STATION, elements=(parameter("28", 18.5), parameter("20", 1), parameter("01", "05000000")))
    frame = encode(Message(function=0x43, station=STATION, serial=1, sent=SIX, groups=(sent,)))
    assert read(frame) == [("28", 18.5, "-----"), ("20", 1.0, "-----"), ("01", "05000000", "-----")]
    assert isinstance(decode(frame[:-1]), Refusal)
    with pytest.raises(BadInput, match="no parameter"):
        parameter("FF", 1)
