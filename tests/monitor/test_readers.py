"""CSV and Excel by a mapping: every fault at once, units at the door, times with a zone, nothing lost."""

from __future__ import annotations

import zipfile
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.app.commands.read import read as command
from liuyu.basin.bundle import bundle_file
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.flags import Flag
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantities, quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.monitor.sense.readers import Reading, read_file, read_mapping, write_observations
from liuyu.monitor.sense.readers.times import Times
from liuyu.monitor.sense.readers.units import conversion, convert

NOON = epoch(parse_time("2020-08-20T12:00", "Asia/Shanghai"))

PLAIN = """kind = "mapping"
zone = "Asia/Shanghai"
missing = ["", "M", -9999]
[time]
column = "时间"
[station]
column = "站"
[station.codes]
"HK" = "A"
[flags]
"P" = "good"
"?" = "suspect"
"X" = "missing"
[[values]]
column = "水位"
quantity = "water_level"
unit = "cm"
add = 2.0
flag_column = "质"
[[values]]
column = "流量"
quantity = "discharge"
missing = [0]
"""
HEADER = "站,时间,水位,流量,质\n"


def basin(zone: str = "Asia/Shanghai") -> Basin:
    stations = tuple(Station(code=code, name=code, name_en=code) for code in "AB")
    return Basin(code="abc", name="abc", name_en="abc", time_zone=zone, synthetic=True, folder=".", stations=stations)


def told(batch: Batch) -> list[tuple[str, str, int, float, int]]:
    return [
        (batch.roster.codes[place], quantity(int(number)).name, int(moment), float(value), int(flag))
        for place, number, moment, value, flag in zip(
            batch.station, batch.quantity, batch.time, batch.value, batch.flag, strict=True
        )
    ]


def reading(folder: Path, rows: str | bytes, mapping: str = PLAIN, kind: str = "csv") -> Reading:
    (folder / "mapping.toml").write_text(mapping, encoding="utf-8")
    path = folder / "levels.csv"
    path.write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    return read_file(path, kind, read_mapping(folder / "mapping.toml"), basin())


def test_units_codes_flags_and_missing_values(tmp_path: Path) -> None:
    rows = "HK,2020-08-20 12:00,1234.5,5e4,P\nB,2020-08-20T04:00:00Z,-9999.0,0,\nB,2020/08/20 13:00,M,7,?\n"
    found = reading(tmp_path, HEADER + rows)
    assert told(found.batch) == [
        ("A", "water_level", NOON, 14.345, Flag.GOOD),
        ("A", "discharge", NOON, 50_000.0, Flag.NOT_EVALUATED),
        ("B", "discharge", NOON + 3600, 7.0, Flag.NOT_EVALUATED),
    ]
    assert (found.faults, found.asides, found.missing) == ((), (), 3)


def test_every_fault_is_told_with_line_field_value_and_cure_and_the_row_kept(tmp_path: Path) -> None:
    rows = (
        "A,2020-08-20 12:00,1x,5,P\n"
        "A,yesterday,1,5,P\n"
        "A,2020-08-20 13:00,1,inf,P\n"
        "A,2020-08-20 14:00,1_000,５,P\n"
        "A,2020-08-20 15:00,3,5,Q\n"
        "Z,2020-08-20 15:00,3,5,P\n"
        ",2020-08-20 15:00,3,5,P\n"
        "A,2020-08-20 16:00,3,5,X\n"
    )
    found = reading(tmp_path, HEADER + rows)
    faults = [(each.line, each.field, each.value, bool(each.cure)) for each in found.faults]
    assert faults == [
        (2, "水位", "1x", True),
        (3, "time", "yesterday", True),
        (4, "流量", "inf", True),
        (5, "水位", "1_000", True),
        (5, "流量", "５", True),
        (6, "水位", "3", True),
    ]
    assert str(found.faults[0]).startswith("levels.csv:2: 水位='1x' is not a number; correct it")
    reasons = {each.reason: each.payload.decode() for each in found.asides}
    assert reasons["unknown station Z, add it to stations.csv or translate it in the mapping: 1"].startswith("Z,2020")
    assert "no station code: 1" in reasons
    assert [value for *_, value, _ in told(found.batch)] == [5.0, 2.01, 5.0, 5.0]
    assert found.missing == 1


def test_a_value_said_twice_counts_as_said_last_and_the_first_is_kept(tmp_path: Path) -> None:
    rows = "A,2020-08-20 12:00,M,5,\nA,2020-08-20 12:00,M,6,\nA,2020-08-20 12:00,M,6,\n"
    found = reading(tmp_path, HEADER + rows)
    assert [value for *_, value, _ in told(found.batch)] == [6.0]
    assert [each.payload for each in found.asides] == [b"A,2020-08-20 12:00,M,5,"]


def test_a_naive_time_needs_a_zone(tmp_path: Path) -> None:
    mapping = PLAIN.replace('zone = "Asia/Shanghai"\n', "")
    found = reading(tmp_path, HEADER + "A,2020-08-20 12:00,1,5,\nA,2020-08-20T12:00+08:00,1,5,\n", mapping)
    assert [each.problem for each in found.faults] == ["has no zone"]
    assert [each[2] for each in told(found.batch)] == [NOON, NOON]


@pytest.mark.parametrize(
    ("text", "problem"), [("2021-03-28 02:30", "does not exist"), ("2021-10-31 02:30", "comes twice")]
)
def test_the_hour_that_summer_time_skips_or_doubles_is_not_guessed(text: str, problem: str) -> None:
    with pytest.raises(BadInput, match=problem):
        Times("Europe/Paris").read(text)
    assert Times("Europe/Paris").read("2021-10-31 03:30") == epoch(parse_time("2021-10-31T02:30", "UTC"))


def test_decimal_comma_semicolons_comments_skipped_lines_and_gb18030(tmp_path: Path) -> None:
    mapping = PLAIN.replace(
        "[time]",
        'delimiter = ";"\ndecimal = ","\nthousands = "."\ncomment = "#"\nskip_rows = 2\nencoding = "gb18030"\n[time]',
    )
    mapping = mapping.replace('column = "时间"', 'column = ["日", "时"]\nformat = "%d.%m.%Y %H:%M"')
    text = "导出;表\n;;\n# remark\n站;日;时;水位;流量;质\n\nA;20.08.2020;12:00;1.234,5;12.345;P\n"
    found = reading(tmp_path, text.encode("gb18030"), mapping)
    assert told(found.batch) == [
        ("A", "water_level", NOON, 14.345, Flag.GOOD),
        ("A", "discharge", NOON, 12_345.0, Flag.NOT_EVALUATED),
    ]
    with pytest.raises(BadPackage, match=r"levels.csv:1: is not utf-8; set encoding .* gb18030"):
        reading(tmp_path, text.encode("gb18030"), PLAIN)


def test_long_tables_without_a_header(tmp_path: Path) -> None:
    mapping = """kind = "mapping"
header = false
zone = "UTC"
shift_minutes = 60
[time]
column = 1
[station]
code = "B"
[[values]]
column = 3
quantity = "rainfall"
unit = "in"
when_column = 2
when = ["rain", "Regen"]
[[values]]
column = 3
quantity = "air_temperature"
unit = "degF"
when_column = 2
unless = ["rain", "Regen"]
"""
    found = reading(tmp_path, "2020-08-20T03:00,rain,0.5\n2020-08-20T03:00,temp,50\n", mapping)
    assert told(found.batch) == [
        ("B", "rainfall", NOON, 12.7, Flag.NOT_EVALUATED),
        ("B", "air_temperature", NOON, 10.0, Flag.NOT_EVALUATED),
    ]


def test_missing_columns_are_all_told_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadPackage) as raised:
        reading(tmp_path, "站码,时刻,水位(m),流量\n")
    assert [(each.field, each.value) for each in raised.value.faults] == [
        ("time.column", "时间"),
        ("station.column", "站"),
        ("values.column", "水位"),
        ("values.flag_column", "质"),
    ]
    assert "did you mean '水位(m)'?" in str(raised.value)


def test_a_broken_quote_spoils_what_follows_alone_and_it_is_kept(tmp_path: Path) -> None:
    found = reading(tmp_path, HEADER + 'A,2020-08-20 12:00,M,5,\nA,2020-08-20 13:00,M,"6,\nA,2020-08-20 14:00,M,7,\n')
    assert [value for *_, value, _ in told(found.batch)] == [5.0]
    assert found.faults[0].line == 3
    assert b"14:00" in found.asides[0].payload


def test_faults_of_a_mapping_are_told_together(tmp_path: Path) -> None:
    broken = """kind = "mapping"
zone = "Asia/Beijing"
encodng = "utf-8"
encoding = "utf-9"
[station.codes]
"HK" = 5
[flags]
"P" = "excellent"
[[values]]
column = "水位"
quantity = "waterlevel"
[[values]]
column = "流量"
quantity = "discharge"
unit = "cm"
[[values]]
quantity = "discharge"
[extra]
"""
    (tmp_path / "mapping.toml").write_text(broken, encoding="utf-8")
    with pytest.raises(BadPackage) as raised:
        read_mapping(tmp_path / "mapping.toml")
    found = {(each.line, each.field) for each in raised.value.faults}
    assert found == {
        (2, "zone"),
        (3, "encodng"),
        (4, "encoding"),
        (5, ""),
        (8, "P"),
        (11, "quantity"),
        (15, "unit"),
        (16, ""),
        (18, "extra"),
    }


def test_one_sign_for_each_purpose(tmp_path: Path) -> None:
    (tmp_path / "mapping.toml").write_text('delimiter = ";;"\ndecimal = ","\nthousands = ","\n')
    with pytest.raises(BadPackage) as raised:
        read_mapping(tmp_path / "mapping.toml")
    assert [each.field for each in raised.value.faults] == ["delimiter", "thousands"]


def workbook(path: Path, rows: list[list[object]], title: str = "水情") -> Path:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_excel_keeps_dates_numbers_and_codes(tmp_path: Path) -> None:
    day = datetime(2020, 8, 20, 12)  # noqa: DTZ001  a workbook knows no zone
    head: list[object] = ["站", "时间", "水位", "流量", "质"]
    rows = [
        head,
        ["HK", day, 1234.5, "5", "P"],
        ["B", day + timedelta(hours=1), None, 7.5, None],
        ["B", "soon", 1, 2, ""],
    ]
    path = workbook(tmp_path / "levels.xlsx", rows)
    (tmp_path / "mapping.toml").write_text(PLAIN, encoding="utf-8")
    mapping = read_mapping(tmp_path / "mapping.toml")
    found = read_file(path, "excel", mapping, basin())
    assert told(found.batch) == [
        ("A", "water_level", NOON, 14.345, Flag.GOOD),
        ("A", "discharge", NOON, 5.0, Flag.NOT_EVALUATED),
        ("B", "discharge", NOON + 3600, 7.5, Flag.NOT_EVALUATED),
    ]
    assert [(each.line, each.value) for each in found.faults] == [(4, "soon")]


def test_excel_joins_a_date_and_a_time_and_finds_sheets(tmp_path: Path) -> None:
    day = datetime(2020, 8, 20)  # noqa: DTZ001
    rows: list[list[object]] = [["站", "日", "时", "流量"], ["A", day, time(12), 7]]
    path = workbook(tmp_path / "levels.xlsx", rows)
    text = (
        'zone = "Asia/Shanghai"\nsheet = "水情"\n[time]\ncolumn = ["日", "时"]\n[station]\ncolumn = "站"\n'
        '[[values]]\ncolumn = "流量"\nquantity = "discharge"\n'
    )
    (tmp_path / "mapping.toml").write_text(text, encoding="utf-8")
    found = read_file(path, "excel", read_mapping(tmp_path / "mapping.toml"), basin())
    assert [each[2] for each in told(found.batch)] == [NOON]
    (tmp_path / "mapping.toml").write_text(text.replace('"水情"', "2"), encoding="utf-8")
    with pytest.raises(BadInput, match="no sheet 2; it has: 水情"):
        read_file(path, "excel", read_mapping(tmp_path / "mapping.toml"), basin())


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("openpyxl")
    (tmp_path / "mapping.toml").write_text(PLAIN, encoding="utf-8")
    mapping = read_mapping(tmp_path / "mapping.toml")
    (tmp_path / "old.xls").write_bytes(b"\xd0\xcf\x11\xe0 and more")
    (tmp_path / "text.xlsx").write_text(HEADER)
    with zipfile.ZipFile(tmp_path / "hollow.xlsx", "w") as packed:
        packed.writestr("a.txt", "nothing")
    for name, reason in (
        ("old.xls", "old .xls"),
        ("text.xlsx", "no Excel"),
        ("hollow.xlsx", "no Excel"),
        ("x", "cannot"),
    ):
        with pytest.raises(BadInput, match=reason):
            read_file(tmp_path / name, "excel", mapping, basin())


def test_a_zip_bomb_is_refused_before_it_unpacks(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
        packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        for _ in range(1100):
            sheet.write(b"\0" * (1 << 20))
    (tmp_path / "mapping.toml").write_text(PLAIN, encoding="utf-8")
    with pytest.raises(BadInput, match="would unpack to"):
        read_file(path, "excel", read_mapping(tmp_path / "mapping.toml"), basin())


@pytest.mark.parametrize(
    ("unit", "name", "given_value", "wanted"),
    [
        ("cfs", "discharge", 1000.0, 28.316847),
        ("亿m³", "reservoir_storage", 393.0, 3.93e10),
        ("°F", "water_temperature", 212.0, 100.0),
        ("K", "air_temperature", 273.15, 0.0),
        ("urn:ogc:def:uom:udunits:2:Cel", "air_temperature", 4.0, 4.0),
        ("", "rainfall", 1.5, 1.5),
    ],
)
def test_units_turn_into_those_of_the_table(unit: str, name: str, given_value: float, wanted: float) -> None:
    what = quantity(name)
    assert convert(given_value, *conversion(unit, what), what.decimals) == pytest.approx(wanted, abs=1e-6)


def test_a_unit_of_another_kind_is_refused_with_the_nearest() -> None:
    with pytest.raises(BadInput, match=r"'feets' does not turn into m, .* did you mean 'feet'"):
        conversion("feets", quantity("water_level"))
    assert all(conversion(each.unit, each) == (1.0, 0.0) for each in quantities())


@settings(max_examples=60, deadline=None)
@given(cells=st.lists(st.lists(st.text(max_size=12), min_size=1, max_size=6), max_size=6))
def test_no_table_makes_it_fall(tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]) -> None:
    folder = tmp_path_factory.mktemp("table")
    text = HEADER + "\n".join(",".join(row) for row in cells)
    found = reading(folder, text.encode("utf-8", errors="replace"))
    assert all(np.isfinite(found.batch.value))


def test_the_observations_are_played_by_an_archive(tmp_path: Path) -> None:
    rows = "A,2020-08-20 12:00,1234.5,5,P\nB,2020-08-20 12:00,M,7,\nB,2020-08-20 13:00,100,8,?\n"
    found = reading(tmp_path, HEADER + rows)
    out = tmp_path / "out" / "observations.parquet"
    assert write_observations(found.batch, basin(), out) == 3
    played = Archive(out, basin())
    assert [each[:4] for each in told(played.take(0, NOON + 3600))] == [each[:4] for each in told(found.batch)]
    assert "z_m_flag" in pq.read_schema(out).names
    before = out.read_bytes()
    write_observations(found.batch, basin(), out)
    assert out.read_bytes() == before


def test_other_quantities_and_bad_values_are_kept_beside_and_summer_time_needs_a_zone(tmp_path: Path) -> None:
    twice = epoch(parse_time("2021-10-31T00:30", "UTC"))
    batch = Batch.of(basin().roster, [0, 0, 0], [1, 1, 6], [twice, twice + 3600, twice], [1, 2, 3], [2, Flag.BAD, 2])
    paris = basin("Europe/Paris")
    write_observations(batch, paris, tmp_path / "o.parquet")
    table = pq.read_table(tmp_path / "o.parquet")
    assert table["time_cst"].type.tz == "Europe/Paris"
    assert table["rainfall"].to_pylist() == [3.0, None]
    assert table["z_m"].to_pylist() == [1.0, None]
    assert table["z_m_bad"].to_pylist() == [None, 2.0]
    assert told(Archive(tmp_path / "o.parquet", paris).take(0, 2**40)) == told(batch.ordered())


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(0, 1),
            st.sampled_from([each.number for each in quantities()]),
            st.integers(0, 5),
            st.one_of(st.floats(), st.sampled_from([0.0, 0.1, 20.123, 20.1234])),
            st.sampled_from(list(Flag)),
        ),
        min_size=1,
        max_size=30,
        unique_by=lambda row: row[:3],
    )
)
def test_an_archive_of_what_was_written_is_that_to_the_bit(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, int, int, float, Flag]]
) -> None:
    station, number, hour, value, flag = zip(*rows, strict=True)
    times = [NOON + 3600 * each for each in hour]
    batch = Batch.of(basin().roster, station, number, times, value, flag).ordered()
    out = tmp_path_factory.mktemp("written") / "o.parquet"
    write_observations(batch, basin(), out)
    again = Archive(out, basin()).take(0, 2**40)
    for name in ("station", "quantity", "time", "flag"):
        assert getattr(again, name).tolist() == getattr(batch, name).tolist()
    assert np.array_equal(again.value, batch.value, equal_nan=True)


def test_the_command_writes_what_is_sound_and_tells_the_rest(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(PLAIN.replace('"A"', '"99000100"'), encoding="utf-8")
    (tmp_path / "a.csv").write_text(
        HEADER + "HK,2020-08-20 12:00,1234.5,5,P\nHK,2020-08-20 13:00,x,5,P\n", encoding="utf-8"
    )
    out, asides = tmp_path / "o.parquet", tmp_path / "asides"
    words = [str(tmp_path / "a.csv"), "--as", "csv", "--mapping", str(tmp_path / "m.toml"), "--basin", "qingxi"]
    done = CliRunner().invoke(command, [*words, "--out", str(out), "--asides", str(asides)])
    assert done.exit_code == 1
    assert "a.csv:3: 水位='x' is not a number" in done.output
    assert f"3 values of 1 stations, 0 missing, 1 faults; 2 rows are in {out}" in done.output
    assert b"HK,2020-08-20 13:00,x,5,P" in (asides / "0001.txt").read_bytes()
    with pytest.raises(BadInput, match="needs --mapping"):
        CliRunner().invoke(command, [words[0], "--as", "csv", "--basin", "qingxi"], catch_exceptions=False)


JUNE = """source = "CJH bulletins, June 2020"
zone = "Asia/Shanghai"
missing = ["", 0]
[time]
column = "time"
[station]
column = "stnm"
[station.codes]
"三峡水库" = "60106980"
"三峡水库(出库)" = "60106980"
"宜昌" = "60107300"
"沙市" = "60108300"
"汉口" = "60112200"
[[values]]
column = "z_m"
quantity = "water_level"
when_column = "stnm"
unless = "三峡水库(出库)"
[[values]]
column = "q_m3s"
quantity = "reservoir_inflow"
when_column = "stnm"
when = "三峡水库"
[[values]]
column = "q_m3s"
quantity = "reservoir_outflow"
when_column = "stnm"
when = "三峡水库(出库)"
[[values]]
column = "q_m3s"
quantity = "discharge"
when_column = "stnm"
unless = ["三峡水库", "三峡水库(出库)"]
"""


@pytest.mark.data
def test_the_bulletins_of_june_2020_are_read_as_they_came(tmp_path: Path) -> None:
    (tmp_path / "june.toml").write_text(JUNE, encoding="utf-8")
    yangtze = read_basin(find_basin("yangtze"))
    path = bundle_file("yangtze_gauges_june2020/cjh_hourly_2020-06-23_30.csv")
    found = read_file(path, "csv", read_mapping(tmp_path / "june.toml"), yangtze)
    assert found.faults == ()
    first = epoch(parse_time("2020-06-23T14:00", yangtze.zone))
    dam = {(name, moment): value for code, name, moment, value, _ in told(found.batch) if code == "60106980"}
    assert dam["water_level", first] == 147.04
    assert dam["reservoir_inflow", first] == 34_500.0
    assert {name for name, _ in dam} == {"water_level", "reservoir_inflow", "reservoir_outflow"}
