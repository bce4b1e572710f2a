"""Frames of SL 651-2014 that others published decode as they are documented, and broken ones are refused."""

from __future__ import annotations

import json

import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.quantities import quantities, quantity
from liuyu.monitor.sense.sl651 import Assembler, Message, Refusal, decode, encode
from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.lines import to_line, wall_clock
from liuyu.monitor.sense.sl651.tables import elements

needs_data = pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")


def said(frame: str) -> Message:
    """The message of a frame that must be sound."""
    found = decode(bytes.fromhex(frame))
    assert isinstance(found, Message), str(found)
    return found


def flat(message: Message) -> list[tuple[str, object, str | None]]:
    """Identifier, value and wall time of every value."""
    return [
        (each.id, value, wall_clock(time))
        for _, each in message.elements()
        for value, time in zip(each.values, each.times, strict=True)
    ]


# The annex examples of the standard and a reservoir station, as they go round in public.
TEST_REPORT = (
    "7E7E010012345678123430002B020003591011154947F1F1001234567848F0F05910111549"
    "20190000052619000005392300000127381211150320FA"
)
TIMED_REPORT = (
    "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100"
    "201900004026190000403923000104903812109903A421"
)
RESERVOIR = (
    "7E7E2500418D23370000320030020C06230601010314F1F100418D23374BF0F02306010100201900000"
    "03B23000378652219000000261900000038121285035AC6"
)
CONFIRMATIONS = (
    "7E7E00123456780112343080080200035910111549471B75D4",
    "7E7E00112233440503E83280080200341707181100161BE5D4",
)
HEARTBEATS = (
    "7E7E01001234567812342F0008020003591011155111036BCA",
    "7E7E00987654321012342F0008027E0822101110074703C3AE",
)


def test_the_test_report_of_the_standard() -> None:
    message = said(TEST_REPORT)
    assert (message.station, message.centre, message.password, message.function) == ("0012345678", 1, "1234", 0x30)
    assert message.serial == 3
    assert message.groups[0].category == 0x48
    when = "2059-10-11 15:49:00"
    assert flat(message) == [("20", 0.5, when), ("26", 0.5, when), ("39", 0.127, when), ("38", 11.15, when)]
    assert message.remarks == ("clock",), "a clock in 2059 is kept and remarked"


def test_the_timed_report_of_the_standard() -> None:
    message = said(TIMED_REPORT)
    when = "2017-07-18 11:00:00"
    assert wall_clock(message.sent) == "2017-07-18 11:00:16"
    assert flat(message) == [("20", 4.0, when), ("26", 4.0, when), ("39", 10.49, when), ("38", 10.99, when)]
    assert message.remarks == ()


def test_a_station_address_with_a_letter() -> None:
    message = said(RESERVOIR)
    assert message.station == "00418D2337"
    assert message.groups[0].category == 0x4B
    assert [value for _, value, _ in flat(message)] == [0.0, 37.865, 0.0, 0.0, 12.85]


@pytest.mark.parametrize("frame", CONFIRMATIONS)
def test_confirmations_of_the_centre(frame: str) -> None:
    message = said(frame)
    assert (message.direction, message.end, message.groups) == ("down", 0x1B, ())
    assert encode(message).hex().upper() == frame


@pytest.mark.parametrize("frame", HEARTBEATS)
def test_heartbeats(frame: str) -> None:
    message = said(frame)
    assert (message.function, message.groups, message.payload) == (0x2F, (), b"")
    assert encode(message).hex().upper() == frame


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (TIMED_REPORT[:-4] + "A422", "crc"),
        (TIMED_REPORT.replace("010490", "010491"), "crc"),
        (TIMED_REPORT[:-2], "length"),
        (TIMED_REPORT.replace("002B02", "002C02"), "length"),
        (TIMED_REPORT.replace("002B02", "002A02"), "mark"),
        (TIMED_REPORT + "00", "length"),
        (TIMED_REPORT.replace("002B02", "402B02"), "direction"),
        (TIMED_REPORT.replace("002B02", "002B04"), "mark"),
        (TIMED_REPORT[4:], "start"),
        (TIMED_REPORT[:20], "short"),
        ("", "start"),
    ],
)
def test_a_broken_frame_is_refused_with_the_reason(frame: str, reason: str) -> None:
    found = decode(bytes.fromhex(frame))
    assert isinstance(found, Refusal)
    assert found.reason == reason
    assert found.crc_ok == (frame == TIMED_REPORT + "00")


def test_a_stray_7e_behind_the_frame_is_passed_over() -> None:
    assert flat(said(TIMED_REPORT + "7E")) == flat(said(TIMED_REPORT))
    assert said(TIMED_REPORT + "7E7E").remarks == ("trailing",)


def test_the_element_table_agrees_with_the_table_of_quantities() -> None:
    for each in elements().values():
        if each.quantity:
            assert quantity(each.quantity).unit == each.unit, each.id
    for kind in quantities():
        if kind.sl651:
            assert elements()[kind.sl651].quantity == kind.name


@needs_data
@pytest.mark.data
def test_every_frame_of_the_bundle_decodes_as_documented() -> None:
    vectors = json.loads(bundle_file("telemetry_vectors/sl651.json").read_text(encoding="utf-8"))
    assert len(vectors) == 33
    for vector in vectors:
        found = decode(bytes.fromhex(vector["hex"]))
        if not vector["crc_ok"]:
            assert isinstance(found, Refusal)
            assert found.reason == "crc"
            continue
        assert isinstance(found, Message), f"{vector['hex']}: {found}"
        assert encode(found).hex().upper() == vector["hex"]
        check_head(found, vector)
        check_elements(found, vector)


def check_head(found: Message, vector: dict[str, object]) -> None:
    told = (found.centre, found.station, found.password, f"{found.function:02X}", found.direction)
    assert told == tuple(vector[name] for name in ("center", "station", "password", "func", "direction"))
    assert f"{found.end:02X}" == vector["end"]
    if "packets_total" in vector:
        assert found.packet is not None
        assert (found.packet.total, found.packet.number) == (vector["packets_total"], vector["packet_no"])
        return
    assert (found.serial, wall_clock(found.sent)) == (vector["serial"], vector["send_time"])
    if "address" in vector:
        assert found.groups[0].station == vector["address"]
    if found.groups and found.groups[0].category is not None:
        assert f"{found.groups[0].category:02X}" == vector["class"]


def check_elements(found: Message, vector: dict[str, object]) -> None:
    """The documented values; function 46H is documented as one that its author could not read."""
    if "manual_text" in vector:
        assert flat(found)[0][:2] == ("F2", vector["manual_text"])
    listed = vector.get("elements", [])
    assert isinstance(listed, list)
    if found.function == 0x46 or not listed:
        return
    expected: list[tuple[str, object, str]] = []
    when = ""
    for entry in listed:
        if "obs_time" in entry:
            when = entry["obs_time"]
        elif "values" in entry:
            hour, minute = int(when[-5:-3]), int(when[-2:])
            for place, value in enumerate(entry["values"]):
                at = hour * 60 + minute + place * 5
                expected.append((entry["id"], value, f"{when[:-5]}{at // 60:02d}:{at % 60:02d}:00"))
        else:
            expected.append((entry["id"], entry.get("value", 5.0), when + ":00"))
    assert flat(found) == expected
    named = {each.id: each.unit for _, each in found.elements()}
    assert all(named[entry["id"]] == entry["unit"] for entry in listed if "unit" in entry)


@needs_data
@pytest.mark.data
def test_the_picture_of_the_bundle_is_put_together() -> None:
    vectors = json.loads(bundle_file("telemetry_vectors/sl651.json").read_text(encoding="utf-8"))
    packets = [said(each["hex"]) for each in vectors if "packets_total" in each]
    assembler = Assembler()
    for packet in [*packets[:4], *packets[6:], packets[2]]:
        assert assembler.add(packet, now=0) is None
    assert assembler.missing("0012345678", 0x36) == (5, 6)
    assert assembler.add(packets[5], now=60) is None
    whole = assembler.add(packets[4], now=61)
    assert whole is not None
    ((group, picture),) = whole.elements()
    assert (group.station, whole.serial, picture.id) == ("0012345678", 5, "F3")
    assert picture.raw.startswith(b"\xff\xd8\xff\xe0\x00\x10JFIF")
    assert b"\xff\xd9" in picture.raw[-4:]
    assert assembler.missing("0012345678", 0x36) == ()


BEIJING = {
    ("0030746200", "32", 17509): {
        "26": [311.3],
        "45": [float(0x600481)],
        "38": [12.87],
        "FF09": [20.0],
        "FF33": [20.5],
    },
    ("0030745815", "32", 523): {"26": [1222.2], "45": [1024.0], "38": [14.16]},
    ("00303A9006", "33", 194): {"22": [0.0], "20": [2.5], "26": [210.5], "10": [15.8], "FF92": [19.9], "18": [98.5]},
    ("00303A9006", "32", 187): {"FF93": [20.9], "FF94": [20.4], "FF95": [17.7], "18": [98.2], "38": [11.94]},
    ("0030301495", "34", 43971): {"F5": [0.0] * 12, "39": [0.0], "38": [12.07]},
    ("0030700300", "34", 48703): {"F4": [0.0] * 12, "F5": [4.28] * 12, "26": [0.0], "39": [4.28], "38": [13.7]},
    ("0030503768", "32", 2562): {"39": [33.66], "36": [0.11], "27": [4.32], "FF22": [0.11], "38": [12.3]},
    ("0030301490", "32", 14780): {"39": [0.0], "38": [12.33]},
    ("0030301490", "34", 14773): {"F5": [0.0] * 12, "39": [0.0], "38": [12.32]},
    ("0081120005", "32", 9657): {"26": [184.8], "38": [12.0]},
}


@needs_data
@pytest.mark.data
def test_real_frames_of_beijing() -> None:
    text = bundle_file("telemetry_vectors/sl651_beijing_2026.txt").read_text(encoding="utf-8")
    frames = [line for line in text.splitlines() if line and not line.startswith("#")]
    seen = set()
    for frame in frames:
        line = to_line(said(frame))
        assert encode(said(frame)).hex().upper() == frame
        key = (line["station"], line["function"], line["serial"])
        seen.add(key)
        for identifier, values in BEIJING[key].items():
            assert [each["value"] for each in line["elements"] if each["id"] == identifier] == values
    assert seen == set(BEIJING)


@needs_data
@pytest.mark.data
def test_the_time_of_an_hourly_report_is_read_as_its_station_means_it() -> None:
    text = bundle_file("telemetry_vectors/sl651_beijing_2026.txt").read_text(encoding="utf-8")
    hourly = [to_line(said(line)) for line in text.splitlines() if line[20:22] == "34"]
    spans = {line["station"]: [each["time"] for each in line["elements"] if each["id"] == "F5"] for line in hourly}
    for station in ("0030301495", "0030700300", "0030301490"):
        assert spans[station][0] == "2026-07-01 05:05:00"
        assert spans[station][-1] == "2026-07-01 06:00:00"
    assert {line["station"]: line.get("remarks") for line in hourly} == {
        "0030301495": ("series-end",),
        "0030700300": ("series-end",),
        "0030301490": None,
    }


def test_the_check_code_of_the_standard() -> None:
    assert crc16(b"123456789") == 0x4B37
