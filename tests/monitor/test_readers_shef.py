"""SHEF: the manual's examples, products of the field with the counts that another parser finds, and faults."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.bundle import bundle_file
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station
from liuyu.monitor.sense.readers import Reading, read_file
from liuyu.monitor.sense.readers.mapping import Mapping, Value
from liuyu.monitor.sense.readers.shef.messages import messages, without_comments
from liuyu.monitor.sense.readers.shef.parse import Report, reports


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]


def parse(text: str, near: datetime | None = None) -> tuple[list[Report], list[str]]:
    problems: list[str] = []
    found = [
        report
        for message in messages(text)
        for report in reports(message, near, lambda problem, *_: problems.append(problem))
    ]
    return found, problems


def times(text: str, near: datetime | None = None) -> list[datetime]:
    found, problems = parse(text, near)
    assert problems == []
    return [datetime.fromtimestamp(each.time, UTC) for each in found]


@pytest.mark.parametrize(
    ("text", "near", "wanted"),
    [
        (".A CSAT2 0309 DH12/HG 10.25", utc(2021, 3, 9), [utc(2021, 3, 9, 12)]),
        (
            ".A MASO1 0907 C DH22/QR .12/DM0908/DH09/QR 5.0",
            utc(2021, 9, 9),
            [utc(2021, 9, 8, 3), utc(2021, 9, 8, 14)],
        ),
        (".A BON 810907 P DH24/QID 250./DM090806/QIQ 300.", utc(1981, 9, 9), [utc(1981, 9, 8, 7), utc(1981, 9, 8, 13)]),
        (".A YCPC1 210726 PD DH240000 /PCIRRZZ 6.89", None, [utc(2021, 7, 27, 7)]),
        (".A COMT2 1231 C DH23/HG 1.89", utc(2000, 1, 1), [utc(2000, 1, 1, 5)]),
        (".A COMT2 850327 C DH2315/HG 12.55/DD280020/HG 17.02/DH0700/HG 1", None, None),
        (
            ".E GDMM5 20210919 CS DH1948/TAIRG/DIN06/   70/   67",
            None,
            [utc(2021, 9, 20, 1, 48), utc(2021, 9, 20, 1, 54)],
        ),
        (".E RBNT1 0920 C DH0500/PPHRZ/DIH1/0.00", utc(2021, 9, 20), [utc(2021, 9, 20, 10)]),
        (".ER HARP1 0920 E DH20/QRIFF/DID1/     /     28.0/     23.0", utc(2021, 9, 20), None),
        (".E RDCW2 210922 Z DH010000 /PPHRR/ DIH1 / 0.12", None, [utc(2021, 9, 22, 1)]),
        (
            ".B MSP 210920 DM092000/DC09200455 /SDIPZ/DH01/SFIPZ\nABEC2L 0.0 / 0.0",
            None,
            [utc(2021, 9, 20), utc(2021, 9, 20, 1)],
        ),
        (
            ".B G 220202 /SAIRF\nIA1 DY220202 / 100\nIA2 DY2202021112 / 1",
            None,
            [utc(2022, 2, 2, 12), utc(2022, 2, 2, 11, 12)],
        ),
        (".B MSP 1101 C DH0742/GDIRVZ\nROBW3 : Roberts : DD310800/ 0", utc(2023, 11, 1), [utc(2023, 10, 31, 13)]),
        (".A STA 20240110 Z DJ032/DH06/HG 1", None, [utc(2024, 2, 1, 6)]),
        (".A STA 20240131 Z DH06/DRM+1/HG 1/DRE+0/HG 2", None, [utc(2024, 2, 29, 6), utc(2024, 1, 31, 6)]),
    ],
)
def test_times(text: str, near: datetime | None, wanted: list[datetime] | None) -> None:
    found = times(text, near)
    if "COMT2 85" in text:
        wanted = [utc(1985, 3, 28, 5, 15), utc(1985, 3, 28, 6, 20), utc(1985, 3, 28, 13)]
    if "HARP1" in text:
        wanted = [utc(2021, 9, 22), utc(2021, 9, 23)]
    assert found == wanted


def test_a_bulletin_with_relative_times_and_qualifiers() -> None:
    text = (
        ".B PDX 1011 P DH06/HG/DRH-12/HG\n:\n: ID 6 AM, 6 PM LAST NIGHT\n:\n"
        "PHIO3 9.7/6.2E :PHILOMATH, OR\nJFFO3 4.5/7.2  :JEFFERSON, OR\n.END\n"
    )
    found, problems = parse(text, utc(2021, 10, 11))
    assert problems == []
    assert [(each.station, each.value, each.qualifier) for each in found] == [
        ("PHIO3", 9.7, ""),
        ("PHIO3", 6.2, "E"),
        ("JFFO3", 4.5, ""),
        ("JFFO3", 7.2, ""),
    ]
    assert datetime.fromtimestamp(found[1].time, UTC) == utc(2021, 10, 11, 1)


def test_packed_lines_comments_and_remarks() -> None:
    found, problems = parse(
        ".B LCH 0305 C DH07/HG/PP\nLKCL1 0.9/ .04 , GLML1 13.7 //, OKDL1 10.6 / 0.4\n", utc(2021, 3, 5)
    )
    assert problems == []
    assert [each.value for each in found] == [0.9, 0.04, 13.7, None, 10.6, 0.4]
    text = ".B ELP 0328 M DH07/HG/DUS/HG/HI\n: PRESIDIO : PRST2 4.9 / 1.49 / :STEADY: 0\n.END\n"
    found, _ = parse(text, utc(1985, 3, 27))
    assert [(each.value, each.standard) for each in found] == [(4.9, False), (1.49, True), (0.0, True)]
    text = '.A STCV2 0922 Z DH1210/DVH24/PPV 0.92"LAT=37.99 / LON=-79.12 "/'
    assert [each.value for each in parse(text, utc(2021, 9, 22))[0]] == [0.92]
    assert without_comments("A1:b: c: d").split() == ["A1", "c"]


def test_values_that_stand_after_a_slash_are_missing_or_traces() -> None:
    found, problems = parse(
        ".AR A1 220331 Z DH12/HPIRWZZ/ 529.52\n.A B1 0921 Z DH10/TAIR /TDIR  0.0/XRIR 255/USIR /\n"
        ".A C1 210921 Z DH18/PC 50/SF *****/SD T/HG M/TW -9999/",
        utc(2021, 9, 21),
    )
    assert problems == []
    assert [each.value for each in found] == [529.52, None, 0.0, 255.0, None, 50.0, None, 0.0, None, None]
    assert [each.code for each in found if each.trace] == ["SD"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (".A  20210921 Z DH2200/  1982.43", "no station and date"),
        (".A DMX Z DH2200/HG 1982.43", "no station and date"),
        (".A RRWT2 231109 Z DH-380329730 /PPHRR 254.25:", "neither an element nor a time"),
        (".A DMX 0919 Z DH22/HG 1982.43", "has no year"),
        (".A DMX 20210931 Z DH22/HG 1", "date '20210931' is none"),
        (".A DMX 20210930 Z DH25/HG 1", "DH25 is no time"),
        (".A DMX 20210930 Z DH22/HG one", "value 'one' is not a number"),
        (".A LONGERTHAN8 20210930 Z DH22/HG 1", "longer than 8"),
        (".E SOMW3 20211019 C DH0900/DIN05/5.06/5.07/5.07", "interval comes before"),
        (".E DMX 20210930 Z DH22/HG/5.06", "should"),
        (".B DMX 20210930 Z DH22/TA/TD\nAFO 68 / 28 / 3", "3 values where the header names 2"),
        (".B DMX 20210930 Z DH22/TA\n DM11101330/43.50", "names no station"),
        (".B DMX 20210930 Z DH22\nAFO 5", "names no element"),
        (".A DMX 20210930 Z DRY+99999/HG 1", "no calendar"),
        (".E DMX 20210930 Z DH22/HG/DID99999999/1/2", "no calendar"),
    ],
)
def test_faults_are_told(text: str, problem: str) -> None:
    _, problems = parse(text)
    assert len(problems) >= 1
    assert problem in problems[0]
    assert all("; " in each for each in problems)


def test_one_bad_value_of_a_row_spoils_itself_alone() -> None:
    found, problems = parse(".E GDMM5 20210919 Z DH19/TAIRG/DIN06/   70/   HI/   67")
    assert [each.value for each in found] == [70.0, 67.0]
    assert len(problems) == 1


SAMPLES = {
    "A": (5, (2021, 9, 17)),
    "B": (16, (2021, 9, 17)),
    "B_multi": (42, (2021, 9, 20)),
    "E": (194, (2021, 9, 17)),
    "mixed_AE": (79, (2021, 9, 20)),
    "RTPDTX": (88, (2021, 9, 20)),
    "RTPEAX": (255, (2021, 9, 22)),
    "RR2PHI": (560, (2021, 9, 20)),
    "RR2GSP": (16, (2021, 9, 20)),
    "RR2LAC": (8, (2021, 9, 20)),
    "RR2LOT": (8, (2026, 2, 22)),
    "RR1LCH": (32, (2025, 11, 10)),
    "RR1TAR": (10, (2022, 4, 1)),
    "RR3OKX": (12, (2022, 4, 1)),
    "RR3MKX": (6, (2021, 10, 25)),
    "RR3GUM": (0, (2021, 10, 1)),
    "RR6BCR_2": (4, (2023, 11, 14)),
    "RR9GYX": (216, (2022, 11, 1)),
    "RTPBOU": (20, (2022, 10, 31)),
    "RRSCHS": (14, (2022, 6, 10)),
    "RR2ALY": (0, (2021, 9, 23)),
    "RRMSGX": (0, (2021, 12, 30)),
}


@pytest.mark.data
@pytest.mark.parametrize("name", SAMPLES)
def test_products_of_the_field_give_what_pyiem_finds_in_them(name: str) -> None:
    count, near = SAMPLES[name]
    text = bundle_file(f"shef_samples/{name}.txt").read_text(encoding="ascii", errors="replace")
    assert len(parse(text, utc(*near))[0]) == count


def basin(*codes: str) -> Basin:
    stations = tuple(Station(code=code, name=code, name_en=code) for code in codes)
    return Basin(code="s", name="s", name_en="s", time_zone="UTC", synthetic=True, folder=".", stations=stations)


def reading(folder: Path, text: str, mapping: Mapping | None = None) -> Reading:
    path = folder / "product.txt"
    path.write_text(text)
    return read_file(path, "shef", mapping or Mapping(), basin("A1", "B1"), utc(2021, 9, 21))


def test_observations_in_our_units_with_flags(tmp_path: Path) -> None:
    text = (
        ".A A1 0921 Z DH12/HG 10.0/QR 1.5E/PPH 0.10/TA 50/TX 60/VB 12.5Q\n"
        ".A B1 0921 Z DH12/DUS/HG 3.0/QR 20B/PPH 5.0/TA 10\n"
        ".A XX1 0921 Z DH12/HG 1\n"
    )
    found = reading(tmp_path, text)
    assert found.batch.value.tolist() == [3.048, 42.47527, 2.54, 10.0, 12.5, 3.0, 20.0, 5.0, 10.0]
    assert found.batch.flag.tolist() == [2, Flag.SUSPECT, 2, 2, Flag.SUSPECT, 2, Flag.BAD, 2, 2]
    assert [each.reason.partition(",")[0] for each in found.asides] == [
        "a highest or lowest value over a time",
        "unknown station XX1",
    ]


def test_forecasts_means_and_second_sensors_are_no_observations(tmp_path: Path) -> None:
    text = ".A A1 0921 Z DH12/QRIFE 5/QRD 6/HGIRG 7.00/HGIR2 8.00/HG 9.00/QTIRZ M\n"
    found = reading(tmp_path, text)
    assert [each.reason for each in found.asides] == [
        "a forecast, no observation: 1",
        "a mean over a duration, no observation of a moment: 1",
        "a second sensor for the same water_level; name the one that counts in the mapping: 2",
    ]
    assert found.batch.value.tolist() == [2.1336]
    assert found.missing == 1
    named = Mapping(values=(Value(quantity="water_level", code="HGIR2", add=100.0),))
    assert reading(tmp_path, text, named).batch.value.tolist() == [102.4384]


def test_a_revised_value_counts_and_the_first_is_kept(tmp_path: Path) -> None:
    found = reading(tmp_path, ".A A1 0921 Z DH12/HG 10.0\n.AR A1 0921 Z DH12/HG 11.0\n")
    assert found.batch.value.tolist() == [3.3528]
    assert found.asides[0].payload == b".A A1 0921 Z DH12/HG 10.0"


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet='.ABER1 DHMINX/:+-0129\n\tZ"', max_size=120), form=st.sampled_from("ABE"))
def test_no_text_makes_it_fall(text: str, form: str) -> None:
    found, _ = parse(f".{form} A1 20210921 Z DH12/HG{text}", utc(2021, 9, 21))
    assert all(isinstance(each.time, int) for each in found)
