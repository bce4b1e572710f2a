"""An archive of any form becomes the same observations; what cannot be used is kept, with its reason."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.bundle import bundle_folder
from liuyu.basin.clock import HOUR, epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import basin_file, find_basin, read_basin
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive

HEADER = "stcd,time_cst,z_m,q_m3s,inflow_m3s,outflow_m3s\n"
NOON = epoch(parse_time("2020-08-20T12:00", "Asia/Shanghai"))
TYPES = [("stcd", pa.string()), ("time_cst", pa.timestamp("us")), ("z_m", pa.float32()), ("q_m3s", pa.float32())]


def basin(zone: str = "Asia/Shanghai") -> Basin:
    stations = tuple(Station(code=code, name="站", name_en="Gauge") for code in ("A", "B", "C"))
    return Basin(code="abc", name="试", name_en="Test", time_zone=zone, synthetic=True, folder="", stations=stations)


def csv(folder: Path, rows: str, header: str = HEADER) -> Path:
    path = folder / "archive.csv"
    path.write_text(header + rows, "utf-8")
    return path


def told(batch: Batch) -> list[tuple[str, str, int, float]]:
    places = zip(batch.station, batch.quantity, batch.time, batch.value, strict=True)
    return [(batch.roster.codes[s], quantity(int(q)).name, int(t), float(v)) for s, q, t, v in places]


def test_each_reported_number_is_one_observation(tmp_path: Path) -> None:
    rows = "B,2020-08-20 12:00:00,12.5,300,,\nA,2020-08-20 12:00:00,161.81,,75000,49200\n"
    archive = Archive(csv(tmp_path, rows), basin())
    assert told(archive.take(NOON - 1, NOON)) == [
        ("A", "water_level", NOON, 161.81),
        ("A", "reservoir_inflow", NOON, 75000.0),
        ("A", "reservoir_outflow", NOON, 49200.0),
        ("B", "water_level", NOON, 12.5),
        ("B", "discharge", NOON, 300.0),
    ]
    assert archive.span == (NOON, NOON)
    assert archive.asides == ()
    assert archive.take(NOON - 1, NOON).source == "archive.csv"


def test_a_span_is_open_at_its_start_and_closed_at_its_end(tmp_path: Path) -> None:
    rows = "".join(f"A,2020-08-20T{hour}:00,1{hour},,,\n" for hour in (11, 12, 13))
    archive = Archive(csv(tmp_path, rows), basin())
    assert [value for *_, value in told(archive.take(NOON - HOUR, NOON))] == [112.0]
    assert len(archive.take(NOON - HOUR - 1, NOON)) == 2
    assert len(archive.take(NOON + HOUR, NOON + 9 * HOUR)) == 0
    assert len(archive.take(NOON, NOON - HOUR)) == 0


def test_nan_blank_and_zero_mean_not_reported(tmp_path: Path) -> None:
    rows = "A,2020-08-20 12:00:00,0,NaN,,nan\nB,2020-08-20 12:00:00,-0.0,-1700,0.0,\n"
    archive = Archive(csv(tmp_path, rows), basin())
    assert told(archive.take(0, NOON)) == [("B", "discharge", NOON, -1700.0)]
    assert archive.asides == ()


@pytest.mark.parametrize("kind", ["parquet", "csv", "dictionary"])
def test_single_precision_is_rounded_to_what_was_measured(tmp_path: Path, kind: str) -> None:
    times = pa.array([NOON * 10**6 + 8 * HOUR * 10**6], pa.timestamp("us"))
    columns: dict[str, Any] = {"stcd": ["A"], "time_cst": times, "z_m": pa.array([161.81], pa.float32())}
    columns["q_m3s"] = pa.array([None], pa.float32())
    if kind == "dictionary":
        columns["stcd"] = pa.array(["A"]).dictionary_encode()
    table = pa.table(columns)
    path = tmp_path / f"archive.{'csv' if kind == 'csv' else 'parquet'}"
    pa_csv.write_csv(table, path) if kind == "csv" else pa_parquet.write_table(table, path)
    assert told(Archive(path, basin()).take(0, NOON)) == [("A", "water_level", NOON, 161.81)]


def test_an_unknown_station_is_one_aside_with_all_its_rows(tmp_path: Path) -> None:
    rows = "".join(f"X,2020-08-{day:02d} 12:00:00,{day},,,\n" for day in range(1, 29))
    archive = Archive(csv(tmp_path, rows + "A,2020-08-20 12:00:00,5,,,\n,2020-08-20 12:00:00,5,,,\n"), basin())
    first, second = archive.asides
    assert first.reason == "unknown station X, add it to stations.csv: 28 rows"
    assert first.source == "archive.csv"
    assert first.payload.count(b"\n") == 29
    assert b'"X","2020-08-28 12:00:00","28"' in first.payload
    assert second.reason == "row without a station code, in stcd: 1 row"
    assert len(archive) == 1


def test_a_bad_cell_spoils_itself_alone(tmp_path: Path) -> None:
    rows = (
        "A,2020-08-20 12:00:00,12.5,3OO,,\n"
        "A,yesterday,12.5,300,,\n"
        "A,2020-08-20 13:00:00,inf,300,,\n"
        "A,2020-08-20 14:00:00,12.7\n"
    )
    archive = Archive(csv(tmp_path, rows), basin())
    assert told(archive.take(0, NOON + 9 * HOUR)) == [
        ("A", "water_level", NOON, 12.5),
        ("A", "discharge", NOON + HOUR, 300.0),
    ]
    assert sorted(each.reason for each in archive.asides) == [
        "another number of cells than the header has: 1 rows",
        "not a number, in q_m3s: 1 row",
        "not a number, in z_m: 1 row",
        "time that cannot be read, in time_cst: 1 row",
    ]
    assert all(each.payload for each in archive.asides)


def test_wall_time_is_the_basins_and_a_zone_is_heeded(tmp_path: Path) -> None:
    wall = Archive(csv(tmp_path, "A,2020-08-20 12:00:00,5,,,\n"), basin("Europe/Paris"))
    assert wall.span[0] == NOON + 6 * HOUR
    zoned = Archive(csv(tmp_path, "A,2020-08-20T04:00:00Z,5,,,\n"), basin("Europe/Paris"))
    assert zoned.span[0] == NOON


def test_the_hour_that_summer_time_skips_or_doubles_is_read_all_the_same(tmp_path: Path) -> None:
    rows = "A,2021-03-28 02:30:00,5,,,\nA,2021-10-31 02:30:00,6,,,\n"
    archive = Archive(csv(tmp_path, rows), basin("Europe/Paris"))
    assert len(archive) == 2
    assert archive.asides == ()


def test_missing_columns_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"archive.csv lacks time_cst and one of z_m, .*found: stcd, time, level"):
        Archive(csv(tmp_path, "A,2020,5\n", "stcd,time,level\n"), basin())


def test_faults_of_several_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text("stcd,z_m\nA,5\n")
    (tmp_path / "two.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "three.csv").write_text("")
    with pytest.raises(BadInput) as raised:
        Archive(tmp_path, basin())
    lines = str(raised.value).splitlines()
    assert [line.split()[0] for line in lines] == ["one.csv", "three.csv", "two.parquet"]
    with pytest.raises(BadInput, match="there is no archive"):
        Archive(tmp_path / "none.csv", basin())


def test_an_archive_of_other_stations_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no observation of abc in it; the first reason: unknown station X"):
        Archive(csv(tmp_path, "X,2020-08-20 12:00:00,5,,,\n"), basin())


def test_several_files_are_one_archive(tmp_path: Path) -> None:
    for name, hour in (("late", 13), ("early", 11)):
        (tmp_path / f"{name}.csv").write_text(f"{HEADER}A,2020-08-20 {hour}:00:00,{hour},,,\n")
    for given_path in (tmp_path, [tmp_path / "late.csv", tmp_path / "early.csv"]):
        assert [value for *_, value in told(Archive(given_path, basin()).take(0, NOON + HOUR))] == [11.0, 13.0]


def test_zero_is_blank_in_the_columns_of_the_feed_alone_and_a_flag_makes_it_a_value(tmp_path: Path) -> None:
    header = "stcd,time_cst,q_m3s,q_m3s_flag,rainfall,water_level,ph,ph_flag\n"
    rows = "A,2020-08-20 12:00,0,,0,0,,9\nB,2020-08-20 12:00,0,1,0.26,,7.123,\nC,2020-08-20 12:00,1,5,,,7,x\n"
    archive = Archive(csv(tmp_path, rows, header), basin())
    found = archive.take(0, NOON)
    assert [(*row[:2], row[3], flag) for row, flag in zip(told(found), found.flag.tolist(), strict=True)] == [
        ("A", "water_level", 0.0, 2),
        ("A", "rainfall", 0.0, 2),
        ("A", "ph", pytest.approx(np.nan, nan_ok=True), 9),
        ("B", "discharge", 0.0, 1),
        ("B", "rainfall", 0.3, 2),
        ("B", "ph", 7.12, 2),
    ]
    assert [each.reason for each in archive.asides] == [
        "not a flag, in q_m3s_flag: 1 row",
        "not a flag, in ph_flag: 1 row",
    ]


@settings(max_examples=50, deadline=None)
@given(
    cuts=st.lists(st.integers(-5, 40), max_size=6).map(sorted),
    rows=st.lists(
        st.tuples(st.sampled_from("ABCX"), st.integers(0, 30), st.floats(-5, 300, width=32), st.floats(-5, 300)),
        min_size=1,
        max_size=40,
    ),
)
def test_taking_in_steps_is_taking_at_once(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], rows: list[tuple[str, int, float, float]]
) -> None:
    path = tmp_path_factory.mktemp("archive") / "archive.parquet"
    codes, hours, levels, flows = zip(*rows, strict=True)
    times = pa.array([(NOON + 8 * HOUR + hour * HOUR) * 10**6 for hour in hours], pa.timestamp("us"))
    values = [pa.array(levels, pa.float32()), pa.array(flows, pa.float32())]
    pa_parquet.write_table(pa.table([pa.array(codes), times, *values], names=[name for name, _ in TYPES]), path)
    try:
        archive = Archive(path, basin())
    except BadInput:
        return
    whole = archive.take(archive.span[0] - 1, archive.span[1])
    assert len(whole) == len(archive)
    edges = [archive.span[0] - 1, *(NOON + cut * HOUR for cut in cuts), archive.span[1]]
    edges = sorted(min(max(edge, edges[0]), edges[-1]) for edge in edges)
    parts = [archive.take(after, until) for after, until in pairwise(edges)]
    joined = Batch.join(parts)
    assert np.array_equal(joined.time, whole.time)
    assert np.array_equal(joined.value, whole.value)
    assert told(whole.ordered()) == told(whole)


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="no data bundle")
def test_the_archive_of_the_yangtze_gives_the_bulletin_of_20_august_2020() -> None:
    yangtze = read_basin(find_basin("yangtze"))
    path = basin_file(yangtze, yangtze.archive)
    assert path is not None
    archive = Archive(path, yangtze)
    assert len(archive) == 1_422_370
    assert archive.asides == ()
    assert archive.span[0] == epoch(parse_time("2020-07-18T02:00", yangtze.zone))
    eight = epoch(parse_time("2020-08-20T08:00", yangtze.zone))
    found = {(code, name): value for code, name, _, value in told(archive.take(eight - 1, eight))}
    assert found["60105400", "water_level"] == 191.55
    assert found["60106980", "reservoir_inflow"] == 75_000.0
    assert found["60106980", "reservoir_outflow"] == 49_200.0
    assert found["60106980", "water_level"] == 161.81
