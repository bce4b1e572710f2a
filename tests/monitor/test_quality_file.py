"""`liuyu qc`: a file of observations in, a flag for every value out."""

from __future__ import annotations

import csv
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liuyu.basin.errors import BadInput
from liuyu.monitor.quality import check_file

START = datetime(2021, 7, 1, 8)  # noqa: DTZ001  a file holds wall time without a zone


def write(path: Path, **columns: object) -> Path:
    """A Parquet file of columns."""
    pq.write_table(pa.table(columns), path)
    return path


def hourly(n: int) -> list[datetime]:
    """Wall times hour by hour."""
    return [START + timedelta(hours=k) for k in range(n)]


def river(n: int = 300) -> np.ndarray:
    """A smooth level."""
    return np.round(20 + np.cumsum(np.random.default_rng(5).normal(0, 0.01, n)), 2)


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_one_row_for_each_value_in_the_wall_time_that_came(tmp_path: Path) -> None:
    level, flow = river(), np.full(300, 9000.0)
    level[100] += 2.0
    flow[50:] = np.nan
    write(tmp_path / "in.parquet", stcd=["1"] * 300, time_cst=hourly(300), z_m=level, q_m3s=flow, remark=["x"] * 300)
    summary = check_file(tmp_path / "in.parquet", tmp_path / "sub" / "out.csv")
    text = (tmp_path / "sub" / "out.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0] == "stcd,time,quantity,flag,test"
    found = rows(tmp_path / "sub" / "out.csv")
    assert len(found) == 350
    assert found[100] == {
        "stcd": "1",
        "time": "2021-07-05 12:00:00",
        "quantity": "water_level",
        "flag": "4",
        "test": "spike",
    }
    assert {(row["flag"], row["test"]) for k, row in enumerate(found) if k != 100} == {("1", "")}
    assert (summary.values, summary.flags["BAD"], summary.tests["spike"], dict(summary.stations)) == (
        350,
        1,
        1,
        {"1": 1},
    )


def test_rows_may_come_in_any_order_and_types(tmp_path: Path) -> None:
    level = river()
    level[[40, 200]] += [1.0, -3.0]
    order = np.random.default_rng(1).permutation(300)
    plain = {"stcd": np.array(["7"] * 300), "time_cst": np.array(hourly(300), "datetime64[us]"), "z_m": level}
    write(tmp_path / "a.parquet", **plain)
    mixed = pa.array(plain["stcd"][order]).dictionary_encode()
    times = [str(moment) for moment in plain["time_cst"][order]]
    write(tmp_path / "b.parquet", stcd=mixed, time_cst=times, z_m=level[order].astype(np.float32))
    for name in ("a", "b"):
        check_file(tmp_path / f"{name}.parquet", tmp_path / f"{name}.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_csv_is_read_like_a_parquet(tmp_path: Path) -> None:
    level = river()
    level[77] -= 2.0
    write(tmp_path / "a.parquet", stcd=["007"] * 300, time_cst=hourly(300), z_m=level)
    lines = [f"007,{moment},{value}" for moment, value in zip(hourly(300), level, strict=True)]
    (tmp_path / "b.csv").write_text("\n".join(["stcd,time_cst,z_m", *lines]))
    check_file(tmp_path / "a.parquet", tmp_path / "a.out")
    check_file(tmp_path / "b.csv", tmp_path / "b.out")
    assert (tmp_path / "a.out").read_bytes() == (tmp_path / "b.out").read_bytes()
    assert rows(tmp_path / "a.out")[77]["test"] == "spike"


def test_a_time_with_a_zone_is_written_as_the_wall_clock_of_china(tmp_path: Path) -> None:
    times = pa.array(hourly(3), pa.timestamp("us", "UTC"))
    write(tmp_path / "in.parquet", stcd=["1"] * 3, time_cst=times, z_m=[1.0, 1.0, 1.0])
    check_file(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert rows(tmp_path / "out.csv")[0]["time"] == "2021-07-01 16:00:00"


def test_a_long_offset_that_returns_is_bad_throughout(tmp_path: Path) -> None:
    level = river(800)
    level[400:472] += 1.2
    write(tmp_path / "in.parquet", stcd=["1"] * 800, time_cst=hourly(800), z_m=level)
    check_file(tmp_path / "in.parquet", tmp_path / "out.csv")
    bad = [k for k, row in enumerate(rows(tmp_path / "out.csv")) if row["flag"] != "1"]
    assert bad == list(range(400, 472))


def test_a_unit_error_of_discharge_is_bad(tmp_path: Path) -> None:
    flow = np.round(9000 + 30 * np.cumsum(np.random.default_rng(2).normal(0, 1, 400)), -1)
    flow[200:206] *= 10
    write(tmp_path / "in.parquet", stcd=["1"] * 400, time_cst=hourly(400), q_m3s=flow)
    check_file(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert [k for k, row in enumerate(rows(tmp_path / "out.csv")) if row["flag"] != "1"] == list(range(200, 206))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"stcd": ["1"], "z_m": [1.0]}, "has no column time_cst"),
        ({"stcd": ["1"], "time_cst": [START]}, "one of z_m"),
        ({"stcd": ["1"], "time_cst": ["yesterday"], "z_m": [1.0]}, "column time_cst of type string cannot be used"),
        ({"stcd": ["1", None], "time_cst": [START, START], "z_m": [1.0, 2.0]}, "stcd is empty in row 2 of 2"),
        ({"stcd": ["1"], "time_cst": [START], "z_m": ["high"]}, "column z_m"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, columns: dict[str, object], message: str) -> None:
    write(tmp_path / "in.parquet", **columns)
    with pytest.raises(BadInput, match=message):
        check_file(tmp_path / "in.parquet", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_no_file_and_no_parquet_are_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no file"):
        check_file(tmp_path / "nothing.parquet", tmp_path / "out.csv")
    (tmp_path / "text.parquet").write_text("stcd,time_cst")
    with pytest.raises(BadInput, match="not a Parquet file"):
        check_file(tmp_path / "text.parquet", tmp_path / "out.csv")


def test_an_empty_file_gives_the_header_alone(tmp_path: Path) -> None:
    empty = {
        "stcd": pa.array([], pa.string()),
        "time_cst": pa.array([], pa.timestamp("us")),
        "z_m": pa.array([], pa.float32()),
    }
    write(tmp_path / "in.parquet", **empty)
    assert check_file(tmp_path / "in.parquet", tmp_path / "out.csv").values == 0
    assert (tmp_path / "out.csv").read_text(encoding="utf-8") == "stcd,time,quantity,flag,test\n"
