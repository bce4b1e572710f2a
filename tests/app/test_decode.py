"""`liuyu decode`: a line out for a line in, whatever is in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from liuyu.app.main import commands
from liuyu.monitor.sense.sl651 import element, encode, in_packets
from tests.monitor.sl651_frames import BEGIN, message

REPORT = (
    "7E7E05001122334403E832002B020034170718110016F1F1001122334448F0F01707181100"
    "201900004026190000403923000104903812109903A421"
)
METER = "681A68B35303810D00C00059000000826110000001106000004508090A3516"


def run(kind: str, text: str | bytes, *options: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(commands, ["decode", kind, "-", *options], input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_report() -> None:
    (line,) = run("sl651", f"# a comment\n\n  {REPORT.lower()}\r\n")
    assert (line["line"], line["crc_ok"], line["station"], line["function"]) == (3, True, "0011223344", "32")
    assert (line["send_time"], line["zone"]) == ("2017-07-18 11:00:16", "+08:00")
    assert [
        {name: each[name] for name in ("id", "quantity", "value", "unit", "time")} for each in line["elements"]
    ] == [
        {"id": "20", "quantity": "rainfall", "value": 4.0, "unit": "mm", "time": "2017-07-18 11:00:00"},
        {"id": "26", "quantity": "accumulated_rainfall", "value": 4.0, "unit": "mm", "time": "2017-07-18 11:00:00"},
        {"id": "39", "quantity": "water_level", "value": 10.49, "unit": "m", "time": "2017-07-18 11:00:00"},
        {"id": "38", "quantity": "battery_voltage", "value": 10.99, "unit": "V", "time": "2017-07-18 11:00:00"},
    ]


@pytest.mark.parametrize("kind", ["sl651", "szy206"])
def test_a_line_out_for_a_line_in_whatever_it_is(kind: str) -> None:
    junk = [
        "zz", "7", "7E", "7E7E", "68", "01", "0x7E7E", "七", "7E 7E" + " 00" * 30, "68 03 68 00 00 00", "7E" * 5000,
        REPORT[:-1] + "2", METER[:-4] + "0016", "68FF68" + "00" * 300, "01" * 40, "\x00", "\xff",
    ]  # fmt: skip
    lines = run(kind, "\n".join(junk))
    assert len(lines) == len([each for each in junk if each.strip()])
    assert all("error" in each and "elements" not in each for each in lines)
    assert len(run(kind, b"\xff\xfe7E\n" + b"7" * 3_000_000 + b"\n7E")) == 3


def test_a_wrong_check_code_is_the_error() -> None:
    (line,) = run("sl651", REPORT[:-1] + "2")
    assert line["error"].startswith("crc:")
    assert line["claimed"] == {"station": "0011223344", "function": "32"}
    assert "elements" not in line


def test_a_dialect_and_the_centres_clock(tmp_path: Path) -> None:
    file = tmp_path / "stations.toml"
    file.write_text('kind = "telemetry"\n[[station]]\naddress = "*"\nzone = 0\n', encoding="utf-8")
    (line,) = run("sl651", REPORT, "--dialect", str(file), "--now", "2026-07-01T06:00")
    assert (line["zone"], line["remarks"]) == ("+00:00", ["clock"])
    result = CliRunner().invoke(commands, ["decode", "sl651", "-", "--dialect", str(tmp_path / "none.toml")])
    assert "cannot be read" in str(result.exception)


def test_packets_make_a_picture(tmp_path: Path) -> None:
    picture = element("F3", "x")
    whole = message(0x36, [picture])
    frames = [encode(each).hex() for each in in_packets(whole, 15)]
    lines = run("sl651", "\n".join(frames[::-1]), "--pictures", str(tmp_path / "pictures"))
    assert [each["packet"]["number"] for each in lines] == list(range(len(frames), 0, -1))
    assert [("whole" in each) for each in lines] == [False] * (len(frames) - 1) + [True]
    assert lines[-1]["whole"]["elements"][0]["bytes"] == 1
    (saved,) = (tmp_path / "pictures").iterdir()
    assert (saved.name, saved.read_bytes()) == ("0060112200-2026-07-01T060000.jpg", b"x")
    assert BEGIN == 1782856800


def test_a_meter() -> None:
    (line,) = run("szy206", METER)
    assert (line["crc_ok"], line["station"], line["function"]) == (True, "5303810D00", "C0")
    assert (line["send_time"], line["tag"], line["delay"]) == (None, "09 08:45:00", 10)
    assert [(each["quantity"], each["value"], each["unit"]) for each in line["elements"]] == [
        ("discharge", 5.9, "m3/s"),
        (None, 106182.0, "m3"),
    ]
    assert (line["alarm"], line["state"]) == ("0110", "6000")
    (line,) = run("szy206", METER, "--now", "2026-07-09T09:00")
    assert line["send_time"] == "2026-07-09 08:45:00"
    assert {each["time"] for each in line["elements"]} == {"2026-07-09 08:45:00"}
