"""Terrain tiles: every pixel shows the height of the ground beneath it, and layers stay within their tolerance."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from time import sleep

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looptwin import LoopTwin
from small_river import SOUTH, WEST, make_basin, serving

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.package.geometry import read_layer, simplify, simplify_ring
from liuyu.web.layers import Layers
from liuyu.web.reply import Packed, encode_json
from liuyu.web.tiles import PIXELS, Terrain, decode, encode, make_archive


@pytest.fixture(scope="module")
def terrain(tmp_path_factory: pytest.TempPathFactory) -> Terrain:
    folder = tmp_path_factory.mktemp("terrain")
    make_basin(folder)
    made = Terrain(folder / "terrain.tif", "made", folder / "cache")
    assert made.wait(60)
    return made


def _place(zoom: int, x: int, y: int, row: int, column: int) -> tuple[float, float]:
    """Longitude and latitude of the centre of a pixel, by the definition of web Mercator."""
    size = 2**zoom * PIXELS
    longitude = (x * PIXELS + column + 0.5) / size * 360 - 180
    bend = math.pi * (1 - 2 * (y * PIXELS + row + 0.5) / size)
    return longitude, math.degrees(math.atan(math.sinh(bend)))


def test_pixels_show_the_ground_beneath(terrain: Terrain) -> None:
    """The raster is a plane, height = 100 (longitude - west) + 1000 (latitude - south), so each pixel is known."""
    png = terrain.tile(7, 103, 52)
    assert png is not None
    height = decode(png)
    checked = 0
    for row in range(0, PIXELS, 5):
        for column in range(0, PIXELS, 5):
            longitude, latitude = _place(7, 103, 52, row, column)
            if 110.3 < longitude < 111.9 and 30.1 < latitude < 30.8:
                expected = 100 * (longitude - WEST) + 1000 * (latitude - SOUTH)
                assert height[row, column] == pytest.approx(expected, abs=1.0), (longitude, latitude)
                checked += 1
    assert checked > 50


def test_coarser_tiles_show_the_mean(terrain: Terrain) -> None:
    fine, coarse = terrain.tile(7, 103, 52), terrain.tile(6, 51, 26)
    assert fine is not None
    assert coarse is not None
    part = decode(coarse)[:128, 128:]  # column 103 is the right half of 51, row 52 the upper half of 26
    mean = decode(fine).reshape(128, 2, 128, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(part, mean, atol=0.5)


def test_where_there_is_no_value_the_tile_shows_zero(terrain: Terrain) -> None:
    png = terrain.tile(7, 103, 52)
    assert png is not None
    height = decode(png)
    places = [(row, column) for row in range(PIXELS) for column in range(PIXELS)]
    empty = [
        height[place]
        for place in places
        if 110.0 < (at := _place(7, 103, 52, *place))[0] < 110.08 and 30.92 < at[1] < 31.0
    ]
    assert len(empty) > 20
    assert set(empty) == {0.0}


def test_outside_there_are_no_tiles(terrain: Terrain) -> None:
    assert terrain.tile(0, 0, 0) is not None
    for place in ((7, 0, 0), (8, 206, 104), (7, -1, 52), (7, 128, 52), (-1, 0, 0), (10**9, 0, 0)):
        assert terrain.tile(*place) is None, place


def test_archive_is_made_once(terrain: Terrain, tmp_path: Path) -> None:
    make_basin(tmp_path)
    raster, cache = tmp_path / "terrain.tif", tmp_path / "cache"
    first = Terrain(raster, "", cache)
    assert first.wait(60)
    (file,) = cache.iterdir()
    made = file.stat().st_mtime_ns
    second = Terrain(raster, "", cache)
    assert second.wait(60)
    assert file.stat().st_mtime_ns == made
    assert [each.name for each in cache.iterdir()] == [file.name], "no part of a file is left behind"
    assert second.tile(7, 103, 52) == first.tile(7, 103, 52)


def test_same_raster_same_bytes(terrain: Terrain, tmp_path: Path) -> None:
    make_basin(tmp_path)
    assert make_archive(tmp_path / "terrain.tif") == make_archive(tmp_path / "terrain.tif")


def test_a_raster_that_cannot_be_read_leaves_no_terrain(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "terrain.tif"
    file.write_bytes(b"no raster")
    terrain = Terrain(file, "", tmp_path)
    assert terrain.wait(30) is False
    assert terrain.exists is False
    assert "no terrain tiles could be made" in caplog.text


@settings(deadline=None)
@given(st.floats(-11000, 9000))
def test_colours_keep_an_eighth_of_a_metre(height: float) -> None:
    grid = np.full((1, 1), height, np.float32)
    assert decode(encode(grid))[0, 0] == pytest.approx(height, abs=0.13)


def test_tiles_over_http(own_twin: LoopTwin) -> None:
    with serving(own_twin) as url, httpx.Client(base_url=url) as client:
        early = client.get("/tiles/terrain.json")
        if early.status_code == 404:
            assert early.headers["retry-after"] == "5"
        for _ in range(600):
            answer = client.get("/tiles/terrain.json")
            if answer.status_code == 200:
                break
            sleep(0.05)
        told = answer.json()
        assert told["encoding"] == "terrarium"
        assert told["bounds"] == pytest.approx([110.0, 30.0, 112.0, 31.0])
        assert (told["minzoom"], told["maxzoom"], told["tileSize"]) == (0, 7, 256)
        path = told["tiles"][0].format(z=7, x=103, y=52)
        assert path.startswith(url)
        tile = client.get(path)
        assert tile.headers["content-type"] == "image/png"
        assert tile.headers["cache-control"] == "public, max-age=86400"
        for missing in ("/tiles/terrain/7/0/0.png", "/tiles/terrain/9/0/0.png", "/tiles/terrain/7/103/52.jpg"):
            assert client.get(missing).status_code == 404


lines = st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=2, max_size=60)


@settings(max_examples=60, deadline=None)
@given(lines)
def test_no_point_left_out_lies_farther_than_the_tolerance(line: list[tuple[float, float]]) -> None:
    points = np.array(line)
    keep = np.flatnonzero(simplify(points, 0.1))
    assert keep[0] == 0
    assert keep[-1] == len(points) - 1
    for first, last in pairwise(keep):
        for point in points[first + 1 : last]:
            assert _off(point, points[first], points[last]) <= 0.1 + 1e-9


def _off(point: np.ndarray, first: np.ndarray, last: np.ndarray) -> float:
    """Distance of a point from a segment, by trying many places on it."""
    places = first + np.linspace(0, 1, 2001)[:, None] * (last - first)
    return float(np.hypot(*(places - point).T).min()) - 2e-3


def test_a_ring_stays_closed() -> None:
    angle = np.linspace(0, 2 * np.pi, 400)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    ring[-1] = ring[0]
    kept = ring[simplify_ring(ring, 0.01)]
    assert (kept[0] == kept[-1]).all()
    assert 10 < len(kept) < 80


def test_absent_layers_are_told_in_the_log(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    layers = Layers(make_basin(tmp_path))
    assert "layer lakes is left out: neither the package nor the bundle has absent.geojson" in caplog.text
    assert {each.kind for each in layers.scene} == {"rivers", "dams", "terrain"}


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_real_rivers_are_small_enough_for_a_phone() -> None:
    layer = read_layer(bundle_file("geography_1to4M/rivers_1to4M.geojson"))
    assert len(layer["features"]) == 793
    assert len(Packed.of(encode_json(layer)).compressed) < 150_000


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_real_dams() -> None:
    dams = {each["properties"]["name"]: each for each in _real_dams()}
    assert len(dams) >= 500
    assert "Guadian Dam" not in dams
    apart = np.subtract(dams["Baihetan Dam"]["geometry"]["coordinates"], dams["Xiluodu"]["geometry"]["coordinates"])
    assert np.hypot(*apart) > 1.0


def _real_dams() -> list[dict]:
    return list(read_layer(bundle_file("hydropower_dams/hydropower_yangtze.csv"))["features"])
