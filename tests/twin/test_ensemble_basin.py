"""Rainfall members from every kind of file give the same rain; a basin under them gives what each alone would."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
import xarray as xr
from numpy.typing import NDArray
from rasterio.shutil import copy
from rasterio.transform import from_origin

from liuyu.basin.errors import BadInput, BadPackage, ModelFailed
from liuyu.twin.ensemble import BasinModel, BasinState, Land, MemberRain, Weather, areal_weights, read_members
from liuyu.twin.network import RiverNetwork, Router, channel_laws
from liuyu.twin.runoff import MODELS

Floats = NDArray[np.float64]
START = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())
LATITUDE, LONGITUDE = np.array([31.75, 31.25, 30.75, 30.25]), np.array([110.25, 110.75, 111.25])


def rain(members: int = 3, steps: int = 5) -> MemberRain:
    value = np.random.default_rng(2).gamma(0.5, 4.0, (members, steps, 12)).astype(np.float32).round(2)
    times = START + 3600 * np.arange(1, steps + 1)
    return MemberRain(times, value, (), LATITUDE, LONGITUDE)


def dataset(given: MemberRain) -> xr.Dataset:
    shape = (*given.value.shape[:2], 4, 3)
    return xr.Dataset(
        {"tp": (("number", "time", "latitude", "longitude"), given.value.reshape(shape), {"units": "mm"})},
        coords={
            "number": np.arange(given.members),
            "time": given.times.astype("datetime64[s]"),
            "latitude": LATITUDE,
            "longitude": LONGITUDE,
        },
    )


def write_grib(path: Path, given: MemberRain) -> None:
    """Totals since the issue, template 4.11, as forecasting centres give them."""
    total = np.cumsum(given.value, axis=1)
    bands = [(member, step) for member in range(given.members) for step in range(len(given.times))]
    plain, options = path.with_suffix(".tif"), {}
    shape = {"height": 4, "width": 3, "count": len(bands), "dtype": "float32"}
    with rasterio.open(plain, "w", "GTiff", crs="EPSG:4326", transform=from_origin(110, 32, 0.5, 0.5), **shape) as file:
        for band, (member, step) in enumerate(bands, 1):
            hour = step + 1
            template = f"1 8 4 0 0 0 0 1 0 1 0 0 255 0 0 255 {member} 3 2026 7 1 {hour} 0 0 1 0 1 2 1 {hour} 255 0"
            file.write(total[member, step].reshape(4, 3), band)
            options[f"BAND_{band}_PDS_TEMPLATE_ASSEMBLED_VALUES"] = template
    issue = "CENTER=98 SUBCENTER=0 MASTER_TABLE=4 LOCAL_TABLE=0 SIGNF_REF_TIME=1 REF_TIME=2026-07-01T00:00:00Z"
    options |= {"DISCIPLINE": "0", "IDS": f"{issue} PROD_STATUS=0 TYPE=4", "PDS_PDTN": "11"}
    copy(plain, path, driver="GRIB", DATA_ENCODING="IEEE_FLOATING_POINT", **options)


@pytest.mark.parametrize("ending", ["nc", "zarr", "grib2"])
def test_every_kind_of_file_gives_the_same_members(tmp_path: Path, ending: str) -> None:
    given, path = rain(), tmp_path / f"members.{ending}"
    if ending == "nc":
        dataset(given).to_netcdf(path)
    elif ending == "zarr":
        dataset(given).to_zarr(path, zarr_format=3, consolidated=False)
    else:
        write_grib(path, given)
    read = read_members(path)
    assert read.value == pytest.approx(given.value, abs=1e-4)
    assert (read.times == given.times).all()
    assert read.y == pytest.approx(LATITUDE)
    assert read.x == pytest.approx(LONGITUDE)


def test_a_table_names_its_sub_basins(tmp_path: Path) -> None:
    path = tmp_path / "members.csv"
    lines = ["time,member,up,down"]
    for hour in (1, 2):
        lines += [f"2026-07-01T{hour + 8:02d}:00+08:00,{member},{hour}.5,{member}" for member in (0, 1)]
    path.write_text("\n".join(lines))
    read = read_members(path)
    assert read.codes == ("up", "down")
    assert (read.times == START + 3600 * np.array([1, 2])).all()
    assert read.of(["down", "up"]).value[1].tolist() == [[1.0, 1.5], [1.0, 2.5]]
    with pytest.raises(BadInput, match="no rain for side"):
        read.of(["side"])
    path.write_text("\n".join([*lines, "2026-07-01T03:00,0,1,1", "2026-07-01T03:00Z,1,1"]))
    with pytest.raises(BadPackage) as refused:
        read_members(path)
    assert [each.line for each in refused.value.faults] == [6, 7]
    path.write_text("\n".join(lines[:-1]))
    with pytest.raises(BadInput, match=r"member 1, step 1, column 0 is nan"):
        read_members(path)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no file"):
        read_members(tmp_path / "none.nc")
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(BadInput, match="ending"):
        read_members(tmp_path / "a.txt")
    wrong = dataset(rain())
    wrong["tp"].attrs["units"] = "inch"
    wrong.to_netcdf(tmp_path / "a.nc")
    with pytest.raises(BadInput, match="inch"):
        read_members(tmp_path / "a.nc")
    with pytest.raises(BadInput, match="variables tp"):
        read_members(tmp_path / "a.nc", "snow")


def square(west: float, south: float, size: float) -> dict[str, object]:
    ring = [[west, south], [west + size, south], [west + size, south + size], [west, south + size], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def test_areal_weights_are_shares_of_area() -> None:
    whole, corner = square(110.0, 31.5, 0.5), square(110.25, 31.25, 0.5)
    weights = areal_weights([whole, corner, square(110.0, 30.0, 1.5)], LATITUDE, LONGITUDE)
    assert weights.cell[: weights.first[1]].tolist() == [0]
    part = dict(
        zip(weights.cell[weights.first[1] : weights.first[2]].tolist(), weights.share[weights.first[1] :], strict=False)
    )
    assert sorted(part) == [0, 1, 3, 4]
    assert list(part.values()) == pytest.approx([0.25] * 4, abs=0.01)
    assert weights.first[3] - weights.first[2] == 9
    grid = np.tile(np.arange(12, dtype=np.float32), (2, 1))
    assert weights.apply(grid)[0].tolist() == [0.0, 0.0]
    assert weights.apply(grid)[1] == pytest.approx([2.0, 2.0], abs=0.05)
    with pytest.raises(BadInput, match="sub-basin far lies outside"):
        areal_weights([square(90.0, 10.0, 0.5)], LATITUDE, LONGITUDE, ["far"])


def basin(count: int = 40) -> BasinModel:
    draw = np.random.default_rng(7)
    down = np.array([*(draw.integers(k + 1, min(k + 6, count)) for k in range(count - 1)), -1])
    law = channel_laws(
        draw.uniform(3e3, 9e3, count), np.full(count, 1e-3), draw.uniform(10, 90, count), np.full(count, 0.035)
    )
    router = Router(RiverNetwork.tree([f"b{k}" for k in range(count)], down, law), 3600.0)
    land = []
    for name, places in (("gr5h", np.arange(0, count, 2)), ("xinanjiang_h", np.arange(1, count, 2))):
        model = MODELS[name]
        low, high = (np.array([getattr(each, end) for each in model.parameters]) for end in ("low", "high"))
        land.append(Land(model, places, low + (0.2 + 0.5 * draw.random((len(places), len(low)))) * (high - low)))
    return BasinModel(router.network.codes, draw.uniform(50, 200, count), land, router)


def weather(count: int, steps: int, *, first: int = 0) -> Weather:
    storm = np.random.default_rng(9).gamma(0.4, 3.0, (count, 60))[:, first : first + steps]
    return Weather(
        lambda member: storm * (1.0 + member), np.full((count, steps), 0.1), None, [f"h{k}" for k in range(steps)]
    )


def test_members_together_are_each_alone() -> None:
    model, steps = basin(), 48
    state, given = model.begin(), weather(40, steps)
    together = model.run(state, given, members=3, keep=[39, 5])
    for member in range(3):
        alone = Weather(lambda _, member=member: given.rain(member), given.pet)
        assert model.run(state, alone, keep=[39, 5])[:, 0].tobytes() == together[:, member].tobytes()
    assert (together[0, 2] > together[0, 0]).all()


def test_a_split_basin_run_equals_the_whole_bit_for_bit() -> None:
    model, state = basin(), basin().begin()
    whole, end = model.advance(state, weather(40, 60))
    first, middle = model.advance(state, weather(40, 25))
    second, later = model.advance(BasinState.load(middle.dump()), weather(40, 35, first=25))
    assert np.concatenate([first, second], axis=1).tobytes() == whole.tobytes()
    assert later.dump() == end.dump()


def test_a_hole_in_the_rain_is_told_by_sub_basin_and_time() -> None:
    model, given = basin(), weather(40, 20)
    hole = given.rain(0).copy()
    hole[6, 11] = np.nan
    with pytest.raises(ModelFailed, match=r"gr5h of b6 .* at h11"):
        model.run(model.begin(), Weather(lambda _: hole, given.pet, None, given.times))


def test_a_basin_without_sense_is_refused() -> None:
    model = basin()
    with pytest.raises(BadInput, match="sub-basin b1 must be simulated once"):
        BasinModel(model.codes, model.area, model.land[:1], model.router)
    daily = Land(MODELS["gr4j"], np.arange(40), np.ones((40, 10)))
    with pytest.raises(BadInput, match="gr4j steps 24 h, the rivers 1 h"):
        BasinModel(model.codes, model.area, [daily], model.router)
