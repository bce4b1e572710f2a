"""A river and the plain beside it: breaches, gates, crests, and every drop of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio

from liuyu.basin.errors import BadInput, BadPackage, ModelFailed
from liuyu.physics.channel.levee import pass_levee
from liuyu.twin.channel import Network, Reach, Section, write_sections
from liuyu.twin.plain import (
    Breach,
    Opening,
    PlainChange,
    PlainPackage,
    PlainResult,
    read_plain,
    run_plain,
    write_layers,
)
from liuyu.twin.plain.change import Growth

HOUR = 3600.0
PLAIN = """
code = "small"
name = "小圩（合成）"
name_en = "Small plain (synthetic)"
synthetic = true
network = "../channel"
[note]
zh = "合成"
en = "Synthetic"
[terrain]
reference = "EPSG:32649"
x = 600000.0
y = 3340000.0
cell_m = 50.0
columns = 40
rows = 30
[terrain.recipe]
ground_m = 12.0
slope = 2e-4
wave_m = 0.1
wave_length_m = 700.0
people_per_km2 = 400.0
[[terrain.recipe.dikes]]
line = [[600500.0, 3341500.0], [600500.0, 3340000.0]]
crest_m = 18.0
[[terrain.recipe.towns]]
name = "镇"
name_en = "Town"
centre = [601300.0, 3340700.0]
radius_m = 150.0
people = 900.0
[[levees]]
code = "levee"
name = "堤"
name_en = "Levee"
reach = "river"
start_m = 4000.0
end_m = 6000.0
crest_m = [17.0, 17.0]
line = [[600000.0, 3341275.0], [602000.0, 3341275.0]]
[[detention_basins]]
code = "basin"
name = "蓄洪区"
name_en = "Detention basin"
levee = "levee"
chainage_m = 4250.0
width_m = 60.0
sill_m = 13.0
height_m = 2.0
moves_s = 600.0
outline = [[600000.0, 3341300.0], [600500.0, 3341300.0], [600500.0, 3340000.0], [600000.0, 3340000.0]]
[[exposure]]
code = "people"
name = "人口"
name_en = "People"
unit = "persons"
[coupling]
step_s = 60.0
spacing_m = 500.0
spin_up_days = 1.0
"""


def river() -> Network:
    sections = tuple(
        Section(
            chainage=x, station=np.array([0.0, 10.0, 190.0, 200.0]), manning=0.03, synthetic=True,
            level=10.0 - 1e-4 * x + np.array([12.0, 0.0, 0.0, 12.0]),
        )
        for x in (0.0, 10e3)
    )  # fmt: skip
    return Network(reaches=(Reach(name="river", start="a", end="b", sections=sections),))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("basin")
    for each in ("channel", "plain"):
        (path / each).mkdir()
    write_sections(path / "channel", river())
    (path / "channel" / "boundaries.csv").write_text("node,kind,series,slope\na,discharge,flow,\nb,level,sea,\n")
    (path / "channel" / "gauges.csv").write_text("gauge,station,reach,chainage_m,offset_m\nmiddle,1,river,5000,0.5\n")
    (path / "plain" / "plain.toml").write_text(PLAIN, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def package(folder: Path) -> PlainPackage:
    return read_plain(folder / "plain")


def flood(
    package: PlainPackage, out: Path, change: PlainChange | None, *, flow: float = 900.0, sea: float = 15.0,
    hours: float = 3.0,
) -> PlainResult:  # fmt: skip
    one = np.array([0.0])
    return run_plain(
        package, upstream={"flow": (one, np.array([flow]))}, downstream={"sea": (one, np.array([sea]))}, change=change,
        seconds=hours * HOUR, output_s=HOUR, out=out,
    )  # fmt: skip


def test_the_package_tells_what_it_needs_and_that_it_is_made_up(package: PlainPackage, tmp_path: Path) -> None:
    assert (package.upstream, package.downstream) == (("flow",), ("sea",))
    assert package.synthetic
    assert package.note["zh"]
    assert np.isnan(package.terrain[26:]).all()
    assert np.isfinite(package.terrain[:25]).all()
    assert np.nansum(package.layers["people"]) > 900.0
    with rasterio.open(write_layers(package, tmp_path)["people"]) as file:
        assert file.crs.to_epsg() == 32649
        assert np.nansum(file.read(1)) == pytest.approx(np.nansum(package.layers["people"]), rel=1e-6)


def test_a_breach_floods_the_plain_and_no_drop_is_lost(package: PlainPackage, tmp_path: Path) -> None:
    change = PlainChange(breaches=(Breach("levee", 5200.0, HOUR, 120.0, None, 1800.0),))
    found = flood(package, tmp_path, change)
    assert abs(found.books.relative_error) < 1e-12
    assert found.books.plain_stored == pytest.approx(found.books.exchanged, rel=1e-12)
    assert found.books.exchanged > 1e5
    gap = found.summary["gaps"][0]
    assert gap["kind"] == "breach"
    assert gap["width_m"] == pytest.approx(120.0)
    assert gap["volume_m3"] == pytest.approx(found.books.exchanged)
    assert found.summary["first_arrival_s"] > HOUR
    assert found.summary["affected"]["people"] > 0.0
    level = found.hydrographs["middle"].level
    assert level[-1] < level[10] - 0.02
    with rasterio.open(found.files["maximum.tif"]) as file:
        assert file.descriptions == ("depth", "level", "speed", "hazard", "arrival")
        assert np.nanmax(file.read(1)) == pytest.approx(found.summary["maximum_depth_m"], rel=1e-6)


def test_without_a_change_and_below_the_crests_the_plain_stays_dry_and_is_left_alone(
    package: PlainPackage, tmp_path: Path
) -> None:
    found = flood(package, tmp_path, None, hours=1.0)
    assert found.books.exchanged == 0.0
    assert found.summary["exchanges"] == 0
    assert found.summary["first_arrival_s"] is None


def test_a_river_above_its_crests_runs_over_them(package: PlainPackage, tmp_path: Path) -> None:
    found = flood(package, tmp_path, None, sea=17.4, hours=1.0)
    assert found.summary["over_crests_m3"] == pytest.approx(found.books.exchanged)
    assert found.books.exchanged > 1e5
    assert abs(found.books.relative_error) < 1e-12


def test_a_gate_fills_its_basin_alone_unless_it_fails(package: PlainPackage, tmp_path: Path) -> None:
    opened = (Opening("basin", 600.0, 5400.0),)
    works = flood(package, tmp_path / "works", PlainChange(openings=opened), hours=2.0)
    fails = flood(package, tmp_path / "fails", PlainChange(openings=opened, failed_gates=("basin",)), hours=1.0)
    assert fails.books.exchanged == 0.0
    assert works.summary["detention_m3"]["basin"] > 1e5
    stands = np.nan_to_num(works.maximum.depth) > 0.01
    assert not stands[:, 11:].any()
    assert works.summary["gaps"][0]["peak_m3s"] <= 0.6 * 2.0 * 60.0 * np.sqrt(2 * 9.81 * 6.0)


def test_water_of_the_plain_comes_back_when_the_river_falls(package: PlainPackage, tmp_path: Path) -> None:
    times = np.array([0.0, 2.0, 2.5]) * HOUR
    change = PlainChange(breaches=(Breach("levee", 5200.0, 0.0, 150.0, 10.0, 600.0),))
    found = run_plain(
        package, upstream={"flow": (times, np.array([900.0, 900.0, 100.0]))},
        downstream={"sea": (times, np.array([15.0, 15.0, 11.5]))}, change=change, seconds=5 * HOUR, output_s=HOUR,
        out=tmp_path,
    )  # fmt: skip
    rows = [line.split(",") for line in (tmp_path / "levees.csv").read_text().splitlines()[1:]]
    flows = np.array([float(each[2]) for each in rows])
    assert flows.max() > 50.0
    assert flows[-1] < -1.0
    assert abs(found.books.relative_error) < 1e-12


def test_the_same_run_writes_the_same(package: PlainPackage, tmp_path: Path) -> None:
    change = PlainChange(breaches=(Breach("levee", 5200.0, 0.0, 120.0, None, 1800.0),))
    first, second = (flood(package, tmp_path / name, change, hours=1.0) for name in ("a", "b"))
    for name in ("gauges.csv", "levees.csv", "maximum.tif"):
        assert first.files[name].read_bytes() == second.files[name].read_bytes()


def test_a_change_that_names_what_is_not_there_is_refused_with_every_fault(
    package: PlainPackage, tmp_path: Path
) -> None:
    change = PlainChange(
        breaches=(Breach("dyke", 5000.0), Breach("levee", 9000.0), Breach("levee", 5000.0, 0.0, -1.0)),
        openings=(Opening("lake"), Opening("basin", 10.0, 5.0)), failed_gates=("sluice",),
    )  # fmt: skip
    with pytest.raises(BadInput) as found:
        flood(package, tmp_path, change)
    for word in ("'dyke'", "lies off levee levee", "width", "'lake'", "before it opens", "'sluice'"):
        assert word in str(found.value)
    with pytest.raises(BadInput, match="needs a series 'sea'"):
        run_plain(package, upstream={"flow": (np.zeros(1), np.ones(1))}, downstream={}, seconds=60.0, out=tmp_path)


def test_a_river_that_fails_ends_the_run_with_place_and_time_and_keeps_its_frames(
    package: PlainPackage, tmp_path: Path
) -> None:
    times = np.array([0.0, HOUR, HOUR + 60.0])
    with pytest.raises(ModelFailed, match=r"the plain small at .* s: .*flow\.nc") as found:
        run_plain(
            package, upstream={"flow": (times, np.array([900.0, 900.0, -4e6]))},
            downstream={"sea": (np.zeros(1), np.array([15.0]))}, seconds=3 * HOUR, output_s=HOUR, out=tmp_path,
        )  # fmt: skip
    assert "node a" in str(found.value)
    assert (tmp_path / "flow.nc").stat().st_size > 0
    assert not (tmp_path / "summary.json").exists()


def test_a_plain_file_tells_every_fault(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "channel").symlink_to(folder / "channel")
    text = PLAIN.replace("end_m = 6000.0", "end_m = 3000.0").replace('levee = "levee"\nch', 'levee = "none"\nch')
    (tmp_path / "plain" / "plain.toml").write_text(text.replace("602000.0, 33", "609000.0, 33"), encoding="utf-8")
    with pytest.raises(BadPackage) as found:
        read_plain(tmp_path / "plain")
    assert {each.field for each in found.value.faults} == {"end_m", "line", "levee"}


def test_a_breach_widens_after_verheij_and_van_der_knaap() -> None:
    fall, soil = 4.0, 0.5
    growth = Growth(Breach("levee", 0.0, 100.0, 100.0, None, 600.0, "verheij", soil))
    assert growth.grow(99.0, fall) == (0.0, 0.0)
    assert growth.grow(400.0, fall) == (pytest.approx(10.0), 0.5)
    scale, quick = 1.3 * np.sqrt(9.81) * fall**1.5 / soil, 0.04 * 9.81 / soil
    begun = (10.0 ** (10.0 / scale) - 1.0) / quick
    growth.grow(700.0, fall)
    for since in (7.0, 40.0, 100.0):
        width, down = growth.grow(700.0 + since, fall)
        assert width == pytest.approx(min(scale * np.log10(1.0 + quick * (begun + since)), 100.0), rel=1e-12)
        assert down == 1.0
    assert growth.grow(900.0, 0.0)[0] == width
    assert growth.grow(1e6, fall)[0] == 100.0


def test_no_piece_lets_more_over_than_levels_both_sides() -> None:
    volume, through = np.zeros(2), np.zeros(2)
    one = np.ones(2)
    pass_levee(
        np.array([20.0, 12.0]), 1e4 * one, np.array([10.0, 15.0]), np.array([10.0, 12.0]), 100.0, 11.0 * one,
        50.0 * one, 0.0 * one, np.inf * one, np.inf * one, 0.385, 1e6, volume, through,
    )  # fmt: skip
    assert volume[0] == pytest.approx(10.0 / (1e-4 + 1e-2))
    assert volume[1] < 0.0
    assert -volume[1] <= 3.0 / (1e-4 + 1e-2) + 1e-9
    assert not through.any()
