"""Rain members in the forecast of a whole river: the land of a package, the file at hand at issue, what it does."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.app.commands.forecast import forecast
from liuyu.app.config import read_config
from liuyu.app.rain import open_rain
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.twin import RiverTwin
from liuyu.twin.ensemble import MemberRain, RainMembers, RainSettings, read_land, read_members
from liuyu.twin.ensemble.laid import hourly_rain
from liuyu.twin.ensemble.roc import roc, roc_area

Floats = NDArray[np.float64]
NOW = int(datetime(2021, 7, 4, tzinfo=UTC).timestamp())
CODES = ("upper_qingxi", "reservoir_area", "qiaotou_area", "baishui", "sanjiangkou_area", "qinghecheng_area",
         "jinghu_area", "lower_qingxi")  # fmt: skip


@pytest.fixture(scope="module")
def qingxi() -> Basin:
    return read_basin(find_basin("qingxi"))


def write(path: Path, members: int = 5, *, begin: int = NOW, wet: float = 2.0, hours: int = 96) -> Path:
    """Member k has k times `wet` mm in each hour of the second half day."""
    value = np.zeros((members, hours, len(CODES)), np.float32)
    value[:, 12:24] = wet * np.arange(members)[:, None, None]
    time = (begin + 3600 * np.arange(1, hours + 1)).astype("datetime64[s]")
    coords = {"member": np.arange(members), "time": time, "sub_basin": list(CODES)}
    data = xr.Dataset({"precip_mm": (("member", "time", "sub_basin"), value, {"units": "mm"})}, coords=coords)
    data.to_netcdf(path)
    return path


def issue(tmp_path: Path, rain: Path, *more: str) -> tuple[dict[str, object], xr.Dataset]:
    options = (
        "--basin",
        "qingxi",
        "--at",
        "2021-07-04T08:00",
        "--rain",
        str(rain),
        "--out",
        str(tmp_path / "f.parquet"),
    )
    done = CliRunner().invoke(
        forecast, ["ensemble", *options, "--members", str(tmp_path / "m.nc"), "--json", *more], catch_exceptions=False
    )
    with xr.open_dataset(tmp_path / "m.nc") as data:
        return json.loads(done.output), data.load()


def test_members_of_rain_spread_the_river_in_their_order(tmp_path: Path) -> None:
    told, data = issue(tmp_path, write(tmp_path / "rain.nc", wet=6.0), "--spread", "rain")
    assert told["members"] == 51
    assert told["rain"]["members"] == 5  # type: ignore[index]
    for station in ("99000100", "99000400", "99000800"):
        passed = data["discharge"].sel(station=station).mean("time").to_numpy()
        assert len(np.unique(passed.round(3))) == 5  # each rain member several times
        assert (np.diff(passed[:5]) > 0.0).all()
        assert passed[5] == passed[0]
    _, both = issue(tmp_path, tmp_path / "rain.nc")
    passed = both["discharge"].sel(station="99000800").mean("time").to_numpy()
    assert len(np.unique(passed.round(3))) > 40
    _, again = issue(tmp_path, tmp_path / "rain.nc")
    assert again["water_level"].equals(both["water_level"])


def test_rain_that_was_not_known_at_issue_is_not_read(tmp_path: Path, qingxi: Basin) -> None:
    write(tmp_path / "a.nc", begin=NOW - 6 * 3600)
    write(tmp_path / "b.nc", begin=NOW)
    write(tmp_path / "c.nc", begin=NOW + 3600)
    write(tmp_path / "d.nc", begin=NOW - 40 * 3600)
    (tmp_path / "notes.txt").write_text("not rain")
    twin, land = RiverTwin(qingxi), read_land(qingxi)
    assert land is not None
    rain = RainMembers(twin, land, RainSettings(tmp_path))
    found = rain.newest(NOW)
    assert found is not None
    assert found[0].name == "b.nc"
    (tmp_path / "b.nc").unlink()
    assert (rain.newest(NOW) or (Path(),))[0].name == "a.nc"
    (tmp_path / "a.nc").unlink()
    assert rain.newest(NOW) is None


def test_past_rain_fills_the_land_and_nothing_later_does(tmp_path: Path, qingxi: Basin) -> None:
    land = read_land(qingxi)
    assert land is not None
    path = write(tmp_path / "past.nc", 2, begin=NOW - 48 * 3600)
    with_past = RainMembers(RiverTwin(qingxi), land, RainSettings(tmp_path, path))
    shed = with_past._state(NOW)[1]
    value = read_members(path).value.copy()
    value[:, 48:] = 1e3
    later = MemberRain(read_members(path).times, value, CODES)
    with_past._read[path] = path.stat().st_mtime_ns, later
    assert with_past._state(NOW)[1].tobytes() == shed.tobytes()
    dry = RainMembers(RiverTwin(qingxi), land, RainSettings(tmp_path))._state(NOW)[1]
    assert dry.shape == shed.shape == (8, 24)


def test_steps_of_hours_are_spread_over_them() -> None:
    rain = MemberRain(NOW + 3 * 3600 * np.arange(1, 4), np.array([[[3.0], [6.0], [9.0]]], np.float32), ("a",))
    value, covered = hourly_rain(rain.value.astype(float), rain, NOW + 3600, 12)
    assert value[0, 0].tolist() == [1.0] * 3 + [2.0] * 3 + [3.0] * 3 + [0.0] * 3
    assert covered == 9
    late, _ = hourly_rain(rain.value.astype(float), rain, NOW + 3 * 3600, 4)
    assert late[0, 0].tolist() == [1.0, 2.0, 2.0, 2.0]
    odd = MemberRain(NOW + 1800 * np.arange(1, 4), rain.value, ("a",))
    with pytest.raises(BadInput, match="no whole hours"):
        hourly_rain(odd.value.astype(float), odd, NOW + 3600, 4)


def test_a_spoiled_file_leaves_a_forecast_without_rain_that_says_so(tmp_path: Path, qingxi: Basin) -> None:
    land = read_land(qingxi)
    assert land is not None
    (tmp_path / "half.nc").write_bytes(b"CDF")
    rain = RainMembers(RiverTwin(qingxi), land, RainSettings(tmp_path))

    class Given:
        now = NOW

    outlook, note = rain.lay(Given())  # type: ignore[arg-type]
    assert isinstance(outlook, Given)
    assert note["rain"]["members"] == 0
    assert "降雨" in note["rain"]["why"]["zh"]


def test_a_land_with_faults_lists_them(tmp_path: Path, qingxi: Basin) -> None:
    shutil.copytree(qingxi.folder, tmp_path / "qingxi")
    basin = replace(qingxi, folder=str(tmp_path / "qingxi"))
    file = tmp_path / "qingxi" / "model" / "land.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"upper_qingxi"', '"nowhere"').replace("x3", "y3", 1), encoding="utf-8")
    with pytest.raises(BadPackage) as refused:
        read_land(basin)
    assert len(refused.value.faults) == 2
    file.unlink()
    assert read_land(basin) is None
    config = tmp_path / "liuyu.toml"
    config.write_text('[outlook]\nrain = "members"\nrain_spread = "rain"\n')
    with pytest.raises(BadInput, match=r"no land\.toml"):
        open_rain(read_config(config).outlook, RiverTwin(basin))
    laid = open_rain(read_config(config).outlook, RiverTwin(qingxi))
    assert isinstance(laid, RainMembers)
    assert laid.settings == RainSettings(Path("members"), None, "rain")


def test_rain_on_a_grid_falls_on_the_land_below(qingxi: Basin) -> None:
    land = read_land(qingxi)
    assert land is not None
    y, x = np.arange(30.0, 27.9, -0.1), np.arange(117.5, 120.0, 0.1)
    field = (y[:, None] + 10.0 * x[None]).astype(np.float32).reshape(1, 1, -1)
    over = land.over(MemberRain(np.array([NOW]), field, (), y, x))[0, 0]
    assert over == pytest.approx(land.middle @ [1.0, 10.0], abs=0.6)
    with pytest.raises(BadInput, match="lies outside the grid"):
        land.over(MemberRain(np.array([NOW]), field, (), y + 5.0, x))


def test_roc_of_a_seer_and_of_a_guess() -> None:
    came = np.array([0.0, 2.0] * 50)
    assert roc_area(np.repeat(came[:, None], 9, axis=1), came, 1.0) == 1.0
    assert roc_area(np.tile([0.0, 2.0], (100, 1)), came, 1.0) == 0.5
    assert roc(np.ones((9, 2)), np.zeros(9), 1.0) == []
    assert np.isnan(roc_area(np.ones((9, 2)), np.zeros(9), 1.0))


@pytest.mark.parametrize(("edition", "parameter"), [(2, 228228), (2, 228), (1, 228)])
def test_files_as_a_forecasting_centre_writes_them(tmp_path: Path, edition: int, parameter: int) -> None:
    eccodes = pytest.importorskip("eccodes")
    if edition == 1:
        pytest.importorskip("cfgrib")
    value = np.random.default_rng(2).gamma(0.5, 4.0, (3, 5, 12))
    scale = 1000.0 if parameter == 228 else 1.0  # 228 is in m, 228228 in kg m-2
    kinds = (
        {"productDefinitionTemplateNumber": 11, "typeOfEnsembleForecast": 3}
        if edition == 2
        else {"setLocalDefinition": 1, "localDefinitionNumber": 1, "type": "pf", "stream": "enfo"}
    )
    grid = {"Ni": 3, "Nj": 4, "latitudeOfFirstGridPointInDegrees": 31.75, "latitudeOfLastGridPointInDegrees": 30.25,
            "longitudeOfFirstGridPointInDegrees": 110.25, "longitudeOfLastGridPointInDegrees": 111.25,
            "iDirectionIncrementInDegrees": 0.5, "jDirectionIncrementInDegrees": 0.5}  # fmt: skip
    with (tmp_path / "t.grib").open("wb") as file:
        for member in range(3):
            for step in range(5):
                message = eccodes.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
                head = {"centre": 98, "dataDate": 20260701, "dataTime": 0, **kinds, "paramId": parameter, **grid,
                        "stepType": "accum", "stepRange": f"0-{step + 1}", "numberOfForecastsInEnsemble": 3,
                        "perturbationNumber": member, "bitsPerValue": 24}  # fmt: skip
                for key, given in head.items():
                    eccodes.codes_set(message, key, given)
                eccodes.codes_set_values(message, value[member, : step + 1].sum(axis=0) / scale)
                eccodes.codes_write(message, file)
                eccodes.codes_release(message)
    read = read_members(tmp_path / "t.grib")
    assert read.value == pytest.approx(value, abs=1e-4)
    start = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
    assert read.times.tolist() == [start + 3600 * hour for hour in range(1, 6)]
    assert read.y == pytest.approx([31.75, 31.25, 30.75, 30.25])
