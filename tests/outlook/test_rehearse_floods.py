"""Floods of a scenario: where a breach lies, whom it reaches, what is drawn, and how a failure is told."""

from __future__ import annotations

import io
import json
import struct
from datetime import timedelta, timezone
from pathlib import Path

import apsw
import netCDF4
import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image
from rasterio.crs import CRS
from rasterio.warp import transform

from liuyu.basin.errors import BadInput, ModelFailed, NotFound
from liuyu.outlook.rehearse.comparing.difference import write_difference
from liuyu.outlook.rehearse.comparing.film import Shown, make_film
from liuyu.outlook.rehearse.flooding import floods as floods_module
from liuyu.outlook.rehearse.flooding.classes import classes
from liuyu.outlook.rehearse.flooding.floods import FloodDone, FloodJob, LeveeCut, Sight, run_flood
from liuyu.outlook.rehearse.flooding.ground import filled, length_of, stretch
from liuyu.outlook.rehearse.flooding.layers import read_exposure
from liuyu.outlook.rehearse.flooding.pictures import read_maximum
from liuyu.outlook.rehearse.view import file_of, files_of, frames_of, picture_of, tile_of
from liuyu.twin.flood import Grid, write_raster

UTM = CRS.from_epsg(32650)
UTC8 = timezone(timedelta(hours=8))
GRID = Grid(x=500_000.0, y=3_200_000.0, cell=50.0, shape=(30, 40), reference=UTM.to_wkt())
LEVEE_X = 500_000.0 + 10.5 * 50.0
CASE = """name = "test plain"
[grid]
terrain = "terrain.tif"
[time]
end_s = 3600
[boundary]
west = {stage = 3.0}
[[structure]]
name = "gate"
kind = "gate"
upstream = [500225, 3200225]
downstream = [501225, 3200225]
crest = 1.0
width = 20
height = 2.0
opens_s = 1e9
"""


def lonlat(*places: tuple[float, float]) -> list[tuple[float, float]]:
    lon, lat = transform(UTM, "EPSG:4326", *zip(*places, strict=True))
    return list(zip(lon, lat, strict=True))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A river ten cells wide in the west, a levee of one cell, a plain that rises to the east."""
    folder = tmp_path_factory.mktemp("case")
    terrain = np.zeros(GRID.shape)
    terrain[:, 10] = 5.0
    terrain[:, 11:] = 0.5 + 0.02 * np.arange(29)
    write_raster(folder / "terrain.tif", {"ground": terrain}, GRID)
    (folder / "case.toml").write_text(CASE, encoding="utf-8")
    return folder


def job(home: Path, folder: Path, **changes: object) -> FloodJob:
    """Two hours in which the levee breaches after half an hour, in the middle."""
    line = tuple(lonlat((LEVEE_X, GRID.y), (LEVEE_X, GRID.y + 1500.0)))
    cut = LeveeCut(
        levee="dike", line=line, chainage_m=750.0, width_m=150.0, bottom_m=None, start_s=1800.0, duration_s=600.0
    )
    made = FloodJob(
        label="scenario 'x', flood test, median",
        flood="test",
        member=-1,
        folder=str(folder),
        base=1_625_464_800,
        case=str(home / "case.toml"),
        end_s=7200.0,
        output_s=1800.0,
        threads=1,
        into="west",
        times=(0.0, 7200.0),
        values=(3.0, 3.0),
        cuts=(cut,),
        sights=(Sight(name="近", name_en="near", position=lonlat((LEVEE_X + 150.0, GRID.y + 750.0))[0]),),
    )
    return replace(made, **changes)


@pytest.fixture(scope="module")
def done(home: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[FloodJob, FloodDone]:
    made = job(home, tmp_path_factory.mktemp("done") / "floods" / "test" / "median")
    return made, run_flood(made)


def test_a_breach_floods_the_plain_and_not_before(done: tuple[FloodJob, FloodDone]) -> None:
    made, told = done
    maximum, _ = read_maximum(Path(made.folder) / "maximum.tif")
    plain = maximum.arrival[:, 12:]
    assert np.nanmin(plain) > 1800.0
    assert (maximum.arrival[:, :10] == 0.0).all(), "the river is there from the start"
    (near,) = told.arrivals
    assert near.arrival_h is not None
    assert 0.5 < near.arrival_h < 1.0
    assert 0.5 < told.flooded_area_km2 <= (29 * 30 + 3) * 0.0025, "the plain, and the three cells of the breach"
    assert abs(told.mass_error) < 1e-10
    assert told.notes == ()


def test_without_the_breach_it_stays_dry(home: Path, tmp_path: Path) -> None:
    told = run_flood(job(home, tmp_path, cuts=()))
    assert told.flooded_area_km2 == 0.0
    assert told.arrivals[0].arrival_h is None


def test_a_gate_opens_when_told_or_is_stuck(home: Path, tmp_path: Path) -> None:
    opened = run_flood(job(home, tmp_path / "a", cuts=(), openings=(("gate", 600.0),)))
    stuck = run_flood(job(home, tmp_path / "b", cuts=(), openings=(("gate", 600.0),), stuck=(("gate", "closed"),)))
    half = run_flood(job(home, tmp_path / "c", cuts=(), openings=(("gate", 600.0),), stuck=(("gate", 0.5),)))
    assert opened.flooded_area_km2 > 0.3
    assert stuck.flooded_area_km2 == 0.0
    assert half.volume_stored_m3 - stuck.volume_stored_m3 > 0.0


def test_a_levee_elsewhere_is_told_and_changes_nothing(home: Path, tmp_path: Path) -> None:
    made = job(home, tmp_path)
    away = replace(made.cuts[0], line=tuple(lonlat((600_000.0, GRID.y), (600_000.0, GRID.y + 1500.0))))
    told = run_flood(replace(made, cuts=(away,)))
    assert "does not stand on the terrain" in told.notes[0]["en"]
    narrow = run_flood(replace(made, folder=str(tmp_path / "n"), cuts=(replace(made.cuts[0], width_m=20.0),)))
    assert "narrower than a cell" in narrow.notes[0]["en"]


def test_what_is_done_is_taken_as_it_is(done: tuple[FloodJob, FloodDone], monkeypatch: pytest.MonkeyPatch) -> None:
    made, told = done

    def never(*_: object) -> None:
        raise AssertionError("it was run again")

    monkeypatch.setattr(floods_module, "Run", never)
    assert run_flood(made) == told
    with pytest.raises(AssertionError):
        run_flood(replace(made, values=(3.0, 3.1)))


def test_an_instability_is_told_and_what_there_is_is_marked(home: Path, tmp_path: Path) -> None:
    wild = home / "wild.toml"
    wild.write_text(CASE + "[friction]\nmanning = 0\n[initial]\ndepth = 0.5\nvelocity_x = 1e30\n", encoding="utf-8")
    made = job(home, tmp_path, case=str(wild))
    with pytest.raises(ModelFailed, match=r"^at 2021-07-05T06:00:00\+00:00, .*step shrank .* in row \d+ .* column \d+"):
        run_flood(made)
    with netCDF4.Dataset(tmp_path / "flow.nc") as file:
        assert file.comment.startswith("failed at 2021-07-05T")
        assert file["time"].units == "seconds since 2021-07-05 06:00:00"
    assert not (tmp_path / "flood.json").exists()
    assert not (tmp_path / "maximum.tif").exists()
    with pytest.raises(ModelFailed, match="no number 2 h after the base"):
        run_flood(job(home, tmp_path, values=(3.0, float("nan"))))


def test_what_drives_must_fit(home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="takes no water_level"):
        run_flood(job(home, tmp_path, into="brook"))


def test_water_stands_only_where_it_reaches() -> None:
    terrain = np.array([[0.0, 5.0, 0.0], [0.0, 5.0, np.nan], [1.0, 0.5, 0.2]])
    depth = filled(terrain, "west", 2.0)
    assert depth.tolist() == [[2.0, 0.0, 0.0], [2.0, 0.0, 0.0], [1.0, 1.5, 1.8]]


def test_chainage_is_metres_along_the_line() -> None:
    line = lonlat((500_000.0, 3_200_000.0), (500_000.0, 3_201_000.0), (501_000.0, 3_201_000.0))
    assert length_of(line) == pytest.approx(2000.0, rel=2e-3)
    part = stretch(line, 900.0, 1100.0)
    assert len(part) == 3
    assert length_of(part) == pytest.approx(200.0, rel=1e-6)


def test_classes_of_hazard_follow_their_source() -> None:
    known = classes()
    depth = np.array([0.01, 0.2, 0.2, 0.4, 1.0, 1.5, 3.0, 3.0, 5.0])
    speed = np.array([9.0, 0.1, 2.5, 1.0, 0.3, 0.5, 1.0, 2.0, 0.1])
    found = known.hazard_class(depth, speed, depth * speed)
    assert [known.hazards[each].code if each >= 0 else "" for each in found] == [
        "", "H1", "H5", "H2", "H3", "H4", "H5", "H6", "H6",
    ]  # fmt: skip
    assert known.depth_class(np.array([0.0, 0.05, 0.5, 9.0, np.nan])).tolist() == [-1, 0, 1, 4, -1]


def square(x: float, y: float, side: float) -> list[tuple[float, float]]:
    return [(x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y)]


def exposure_files(folder: Path) -> list[Path]:
    """The same square of 900 people as GeoJSON in degrees and as a GeoPackage in metres; 600 people as a raster."""
    ring = square(501_000.0, 3_200_500.0, 500.0)
    geojson = folder / "town.geojson"
    feature = {
        "type": "Feature",
        "properties": {"name": "镇", "people": 900, "code": "t1", "open": True},
        "geometry": {"type": "Polygon", "coordinates": [lonlat(*ring)]},
    }
    geojson.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    package = folder / "town.gpkg"
    blob = b"GP\x00\x01" + struct.pack("<i", 32650) + struct.pack("<bIII", 1, 3, 1, len(ring))
    blob += b"".join(struct.pack("<dd", *point) for point in ring)
    with apsw.Connection(str(package)) as file:
        file.execute("CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER)")
        file.execute("CREATE TABLE town (fid INTEGER, geom BLOB, name TEXT, people REAL)")
        file.execute("INSERT INTO gpkg_geometry_columns VALUES ('town', 'geom', 32650)")
        file.execute("INSERT INTO town VALUES (1, ?, '镇', 900)", (blob,))
    raster = folder / "people.tif"
    coarse = Grid(x=500_000.0, y=3_200_000.0, cell=250.0, shape=(6, 8), reference=UTM.to_wkt())
    people = np.zeros(coarse.shape)
    people[2, 4] = 600.0
    write_raster(raster, {"people": people}, coarse)
    return [geojson, package, raster]


def test_exposure_is_shared_out_to_the_last_person(tmp_path: Path) -> None:
    for path, wanted in zip(exposure_files(tmp_path), (900.0, 900.0, 600.0), strict=True):
        found = {each.column: each for each in read_exposure(path, GRID)}
        people = found["people"]
        assert people.total == wanted
        assert people.amount.sum() == pytest.approx(wanted, rel=5e-3), path.name
        inside = people.amount[10:20, 20:30] if path.suffix != ".tif" else people.amount[10:15, 20:25]
        assert inside.sum() == pytest.approx(wanted, rel=5e-3), path.name
    fine = Grid(x=500_000.0, y=3_200_000.0, cell=500.0, shape=(3, 4), reference=UTM.to_wkt())
    (summed,) = read_exposure(tmp_path / "people.tif", fine)
    assert summed.amount[1, 2] == pytest.approx(600.0)


def test_impact_counts_the_wet_part_alone(home: Path, tmp_path: Path, done: tuple[FloodJob, FloodDone]) -> None:
    layers = tuple(str(each) for each in exposure_files(tmp_path))
    told = run_flood(job(home, tmp_path / "out", layers=layers))
    maximum, _ = read_maximum(tmp_path / "out" / "maximum.tif")
    wet = np.nan_to_num(maximum.depth) >= 0.05
    share = wet[10:20, 20:30].mean()
    all_of = [each for each in told.impact if (each.feature, each.class_kind, each.name) == ("*", "depth", "*")]
    people = {each.layer: each.affected for each in all_of if each.column == "people"}
    assert people["town.gpkg"] == pytest.approx(900.0 * share, rel=0.02)
    by_class = [
        e for e in told.impact if (e.layer, e.feature, e.column, e.class_kind) == ("town.gpkg", "*", "people", "hazard")
    ]
    assert sum(each.affected for each in by_class) == pytest.approx(people["town.gpkg"], rel=1e-6)
    assert any(each.feature == "镇" for each in told.impact)


def test_pictures_are_there_and_the_same_twice(home: Path, tmp_path: Path, done: tuple[FloodJob, FloodDone]) -> None:
    made, told = done
    again = Path(replace(made, folder=str(tmp_path / "floods" / "test" / "median")).folder)
    run_flood(replace(made, folder=str(again)))
    pictures = sorted(each.relative_to(again) for each in again.rglob("*.png"))
    assert len(pictures) == 5 + 4
    for each in (*pictures, Path("tiles.pmtiles"), Path("flood.json")):
        if each.name != "flood.json":
            assert (again / each).read_bytes() == (Path(made.folder) / each).read_bytes(), each
    west, south, east, north = told.pictures["bounds"]
    ((lon, lat),) = lonlat((501_000.0, 3_200_750.0))
    assert west < lon < east
    assert south < lat < north
    last = np.asarray(Image.open(again / "frames" / "0004.png"))
    height, width, _ = last.shape
    assert last[height // 2, width // 8, 3] > 0, "the river"
    assert last[height // 2, width // 2, 3] > 0, "the plain behind the breach"
    first = np.asarray(Image.open(again / "frames" / "0000.png"))
    assert first[height // 2, width // 2, 3] == 0


def test_a_page_asks_for_what_there_is(done: tuple[FloodJob, FloodDone]) -> None:
    made, _ = done
    results = Path(made.folder).parents[2]
    told = frames_of(results, "test", "median", made.base)
    assert told["time"] == [made.base + k * 1800 for k in range(5)]
    assert told["corners"][0] == [told["bounds"][0], told["bounds"][3]]
    assert {*told["maps"]} == {"maximum", "speed", "hazard", "arrival"}
    assert all({*entry} == {"colour", "label", "above"} for each in told["legend"].values() for entry in each)
    assert picture_of(results, "test", "median", "frames", "0004.png")[:4] == b"\x89PNG"
    zoom = told["zooms"][1]
    lon, lat = 0.5 * (told["bounds"][0] + told["bounds"][2]), 0.5 * (told["bounds"][1] + told["bounds"][3])
    x = int((lon + 180) / 360 * 2**zoom)
    y = int((1 - np.arcsinh(np.tan(np.radians(lat))) / np.pi) / 2 * 2**zoom)
    assert Image.open(io.BytesIO(tile_of(results, "test", "median", zoom, x, y))).size == (256, 256)
    for wrong in (
        lambda: picture_of(results, "test", "median", "frames", "../pictures.json"),
        lambda: picture_of(results, "..", "median", "frames", "0000.png"),
        lambda: frames_of(results, "test", "member-9", made.base),
        lambda: tile_of(results, "test", "median", zoom, 0, 0),
        lambda: file_of(results, "../../secret"),
    ):
        with pytest.raises(NotFound):
            wrong()
    assert "floods/test/median/flow.nc" in [each["path"] for each in files_of(results)]


def test_a_film_shows_every_frame_and_is_the_same_twice(done: tuple[FloodJob, FloodDone], tmp_path: Path) -> None:
    made, _ = done
    shown = [Shown(Path(made.folder), title, made.base) for title in ("甲", "乙")]
    paths = [tmp_path / "a.gif", tmp_path / "b.gif"]
    for path in paths:
        assert make_film(path, shown, UTC8, "zh", None) == 5
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with Image.open(paths[0]) as film:
        assert film.n_frames == 5
        width, _ = film.size
    assert width > 900
    with pytest.raises(BadInput, match="ends in"):
        make_film(tmp_path / "c.avi", shown, UTC8, "zh", None)


def test_differences_add_up(home: Path, tmp_path: Path, done: tuple[FloodJob, FloodDone]) -> None:
    dry = job(home, tmp_path / "dry", cuts=())
    told = run_flood(dry)
    areas = write_difference(Path(dry.folder), Path(done[0].folder), tmp_path / "d")
    assert areas["spared"] == 0.0
    assert areas["newly_wet"] == pytest.approx(done[1].flooded_area_km2 - told.flooded_area_km2, abs=0.01)
    back = write_difference(Path(done[0].folder), Path(dry.folder), tmp_path / "e")
    assert back["spared"] == areas["newly_wet"]
