"""The storm season that never was: deterministic, in the catalogue's columns, a flood as promised, faults and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from liuyu.basin.errors import BadInput
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.twin import make_archive
from liuyu.twin.synthetic import flow_down, operate, order

COLUMNS = ["stcd", "stnm", "rvnm", "time_cst", "z_m", "q_m3s", "inflow_m3s", "outflow_m3s", "wptn"]


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def archive(basin: Basin, tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return pa.parquet.read_table(make_archive(basin, tmp_path_factory.mktemp("synthetic") / "a.parquet", 2020))


def column(archive: pa.Table, station: str, name: str) -> np.ndarray:
    rows = np.asarray(archive["stcd"].cast(pa.string()).to_numpy(zero_copy_only=False)) == station
    return np.asarray(archive[name].to_numpy(zero_copy_only=False), float)[rows]


def test_the_same_seed_gives_the_same_bytes_and_another_other_weather(basin: Basin, tmp_path: Path) -> None:
    first = make_archive(basin, tmp_path / "a.parquet", 7).read_bytes()
    assert make_archive(basin, tmp_path / "b.parquet", 7).read_bytes() == first
    assert make_archive(basin, tmp_path / "c.parquet", 8).read_bytes() != first


def test_columns_and_types_are_those_of_the_catalogue(archive: pa.Table) -> None:
    assert archive.column_names == COLUMNS
    assert {archive.schema.field(name).type for name in COLUMNS[4:8]} == {pa.float32()}
    assert pa.types.is_timestamp(archive.schema.field("time_cst").type)


def test_the_flood_passes_warning_at_several_gauges_and_guarantee_at_the_worst_hit(
    basin: Basin, archive: pa.Table
) -> None:
    above: dict[str, list[str]] = {"warning": [], "guarantee": []}
    for station in basin.stations:
        if "discharge" in station.quantities:
            level = np.sort(column(archive, station.code, "z_m"))[-4]  # a spike stands above, once
            lines = {each.kind: each.value for each in basin.thresholds_of(station.code, "water_level")}
            for kind, codes in above.items():
                if level > lines[kind]:
                    codes.append(station.code)
    assert len(above["warning"]) >= 3
    assert 1 <= len(above["guarantee"]) <= 3


def test_the_flood_meets_its_numbering_criterion(basin: Basin, archive: pa.Table) -> None:
    lines = [each for each in basin.thresholds if each.kind == "flood_number"]
    names = {"water_level": "z_m", "discharge": "q_m3s"}
    met = [np.sort(column(archive, each.station, names[each.quantity]))[-3] >= each.value for each in lines]
    assert any(met)


def test_telemetry_has_its_faults(basin: Basin, archive: pa.Table) -> None:
    time = archive["time_cst"].to_numpy()
    assert (np.diff(time[-20:]) > np.timedelta64(0)).any()
    assert (np.diff(time) < np.timedelta64(0)).sum() >= 1, "no rows came late"
    levels = {each.code: column(archive, each.code, "z_m") for each in basin.stations}
    assert sum((each == -20.0).sum() for each in levels.values()) == 1
    assert max(longest_run(each) for code, each in levels.items() if code != "99000200") >= 20
    assert min(len(each) for each in levels.values()) < max(len(each) for each in levels.values())


def longest_run(values: np.ndarray) -> int:
    """Longest run of equal values during the flood's fortnight."""
    part = values[1100:1500]
    change = np.flatnonzero(np.diff(part) != 0)
    return int(np.diff(np.concatenate([[-1], change, [len(part) - 1]])).max())


def test_the_reservoir_closes_its_balance_and_keeps_its_ramp(basin: Basin) -> None:
    reservoir = basin.reservoirs[0]
    inflow = 40.0 + 1200.0 * np.exp(-0.5 * ((np.arange(300) - 90) / 10.0) ** 2)
    level, release = operate(basin, reservoir, inflow)
    levels, held = np.array(reservoir.curve).T
    storage = np.interp(level, levels, held)
    assert np.diff(storage) == pytest.approx(3600.0 * (inflow - release)[1:], abs=1.0)
    assert np.abs(np.diff(release)).max() <= reservoir.release_ramp
    assert release.max() < inflow.max()


def test_water_that_falls_runs_to_the_mouth(basin: Basin) -> None:
    rain = np.zeros((len(basin.subbasins), 900))
    rain[:, 50:70] = 6.0
    dry, wet = flow_down(basin, 0 * rain), flow_down(basin, rain)
    assert order(basin)[-1] == "99000800"
    area = sum(each.area_km2 for each in basin.subbasins)
    expected = 0.62 * (120.0 - 12.0) * area * 1e3
    held = np.array(basin.reservoirs[0].curve).T
    kept = np.interp(wet.level["99000200"][-1], *held) - np.interp(dry.level["99000200"][-1], *held)
    arrived = 3600.0 * (wet.flow["99000800"] - dry.flow["99000800"]).sum()
    assert arrived + kept == pytest.approx(expected, rel=0.03)


def test_a_basin_without_land_is_refused() -> None:
    bare = Basin(code="b", name="b", name_en="b", time_zone="UTC", synthetic=True, folder=".", stations=())
    with pytest.raises(BadInput, match="no sub-basins"):
        make_archive(bare, Path("nowhere.parquet"), 1)
