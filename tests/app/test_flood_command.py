"""`liuyu flood run` on case files: what it writes, and what it says to a bad case."""

from __future__ import annotations

import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
import rasterio
from click.testing import CliRunner
from rasterio.transform import from_origin

from liuyu.app.commands.flood import flood
from liuyu.basin.errors import BadPackage
from liuyu.twin.flood import read_case

GOOD = """
[grid]
terrain = "terrain.tif"
[time]
end_s = 25
output_s = 10
[initial]
level = 1.0
[friction]
manning = "manning.asc"
[boundary]
west = {discharge = "inflow.csv"}
east = "open"
north = "wall"
south = {stage = "stage.csv"}
[[inflow]]
name = "brook"
line = [[105.0, 210.0], [125.0, 210.0]]
discharge = "inflow.csv"
[[inflow]]
polygon = [[110.0, 220.0], [130.0, 220.0], [130.0, 230.0], [110.0, 230.0]]
discharge = 0.5
[[breach]]
line = [[150.0, 200.0], [150.0, 240.0]]
bottom = 0.0
start_s = 5
duration_s = 5
[[structure]]
kind = "weir"
upstream = [111.0, 211.0]
downstream = [181.0, 211.0]
crest = 0.5
width = 2.0
[rain]
mm_per_h = 36
infiltration_mm_per_h = 3.6
[scheme]
name = "hllc"
order = 2
precision = "single"
threads = 2
device = "cpu"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A valley of 20 x 50 cells of 2 m whose south-western corner is at (100, 200), with a levee at x = 150."""
    bed = np.tile(np.linspace(0.6, 0.4, 50), (20, 1))
    bed[:, 25] = 2.0
    bed[0, 0] = -9999.0
    place = from_origin(100.0, 240.0, 2.0, 2.0)
    with rasterio.open(
        tmp_path / "terrain.tif", "w", driver="GTiff", height=20, width=50, count=1, dtype="float32", crs="EPSG:32650",
        transform=place, nodata=-9999.0,
    ) as file:  # fmt: skip
        file.write(bed.astype(np.float32), 1)
    rows = "\n".join(" ".join(["0.03"] * 50) for _ in range(20))
    (tmp_path / "manning.asc").write_text(
        f"ncols 50\nnrows 20\nxllcorner 100\nyllcorner 200\ncellsize 2\nNODATA_value -9999\n{rows}\n"
    )
    (tmp_path / "inflow.csv").write_text("time_s,discharge\n0,0\n10,4\n")
    (tmp_path / "stage.csv").write_text("0;1.0\n60;1.2\n")
    (tmp_path / "case.toml").write_text(GOOD)
    return tmp_path


def test_a_case_becomes_maps_and_a_summary(folder: Path) -> None:
    done = CliRunner().invoke(flood, ["run", str(folder / "case.toml"), "--out", str(folder / "out")])
    assert done.exit_code == 0, done.output
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert {"steps", "wall_s", "cell_updates", "volume_in_m3", "volume_out_m3", "volume_stored_m3", "mass_error"} < set(
        summary
    )
    assert abs(summary["mass_error"]) < 1e-5
    assert summary["rain_m3"] == pytest.approx(1e-5 * 25.0 * 999 * 4.0, rel=1e-6)
    with netCDF4.Dataset(folder / "out" / "flow.nc") as flow:
        assert flow.Conventions.startswith("CF-")
        assert flow["time"][:].tolist() == [0.0, 10.0, 20.0, 25.0]
        assert flow["depth"].dimensions == ("time", "y", "x")
        assert flow["x"][0] == 101.0
        assert flow["y"][:][[0, -1]].tolist() == [201.0, 239.0]
        depth = flow["depth"][:].filled(np.nan)
        assert np.isnan(depth[:, -1, 0]).all()  # the cell without terrain is in the north-west
        assert depth[0, 5, 30] == pytest.approx(1.0 - flow["bed"][5, 30], abs=1e-6)
        assert {"level", "discharge_x", "discharge_y"} < set(flow.variables)
    with rasterio.open(folder / "out" / "maximum.tif") as file:
        assert file.descriptions == ("depth", "level", "speed", "hazard", "arrival")
        assert file.transform == from_origin(100.0, 240.0, 2.0, 2.0)
        assert file.crs.to_epsg() == 32650
        top = file.read(1)
        assert np.isnan(top[0, 0])
        assert np.nanmax(top) >= np.nanmax(depth) - 1e-5


def test_an_inertial_case_in_double_balances(folder: Path) -> None:
    text = GOOD.replace('"hllc"', '"inertial"').replace("order = 2", "order = 1").replace('"single"', '"double"')
    (folder / "slow.toml").write_text(text)
    done = CliRunner().invoke(flood, ["run", str(folder / "slow.toml"), "--out", str(folder / "slow"), "--json"])
    assert done.exit_code == 0, done.output
    assert abs(json.loads(done.output)["mass_error"]) < 1e-12


def test_every_fault_is_told_at_once_with_its_line(folder: Path) -> None:
    bad = (
        GOOD.replace('"manning.asc"', '"absent.asc"')
        .replace('north = "wall"', 'north = "wal"')
        .replace("end_s = 25", "end_s = -25")
        .replace("[[110.0, 220.0], [130.0, 220.0], [130.0, 230.0], [110.0, 230.0]]", "[[0.0, 0.0], [1.0, 0.0], [1, 1]]")
        .replace('kind = "weir"', 'kind = "wier"')
        .replace("[rain]\nmm_per_h = 36", '[rain]\nmm_per_hour = "x.csv"')
        .replace("order = 2", "order = 3")
    )
    (folder / "bad.toml").write_text(bad)
    (folder / "inflow.csv").write_text("time_s,discharge\n0,0\n10,many\n5,3\n5,4\n")
    with pytest.raises(BadPackage) as caught:
        read_case(folder / "bad.toml")
    told = str(caught.value)
    for line, word in (
        (5, "end_s"), (10, "absent.asc"), (14, "wal"), (21, "lies outside the terrain"), (29, "kind"),
        (35, "mm_per_hour"), (39, "order"), (12, "mend it"),
    ):  # fmt: skip
        assert any(f"bad.toml:{line}:" in each and word in each for each in told.splitlines()), (line, word, told)
    assert "inflow.csv:3:" in told
    assert "inflow.csv:5:" in told


def test_without_a_terrain_the_other_faults_are_still_told(folder: Path) -> None:
    bad = GOOD.replace('"terrain.tif"', '"lost.tif"').replace('"stage.csv"', '"lost.csv"')
    (folder / "bad.toml").write_text(bad.replace("line = [[105.0, 210.0], [125.0, 210.0]]", "line = [[105.0]]"))
    with pytest.raises(BadPackage) as caught:
        read_case(folder / "bad.toml")
    for word in ("bad.toml:3:", "lost.csv", "bad.toml:18:"):
        assert word in str(caught.value)
