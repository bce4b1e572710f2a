"""The synthetic basin is complete, plausible, and says that it is synthetic wherever one may look."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin


@pytest.fixture(scope="module")
def qingxi() -> Basin:
    return read_basin(find_basin("qingxi"))


def test_it_has_one_of_everything(qingxi: Basin) -> None:
    assert len(qingxi.stations) == 8
    for group in (
        *(qingxi.thresholds, qingxi.reaches, qingxi.junctions, qingxi.subbasins, qingxi.reservoirs, qingxi.levees),
        *(qingxi.detention_basins, qingxi.cameras, qingxi.intakes, qingxi.layers, qingxi.frequencies),
    ):
        assert group
    assert qingxi.demonstration is not None


def test_it_needs_no_bundle(qingxi: Basin) -> None:
    assert all((Path(qingxi.folder) / layer.path).is_file() for layer in qingxi.layers)


def test_every_file_says_that_it_is_synthetic(qingxi: Basin) -> None:
    assert qingxi.synthetic
    assert "合成" in qingxi.name
    assert "synthetic" in qingxi.name_en
    for path in Path(qingxi.folder).iterdir():
        if path.suffix == ".csv" or path.name == "basin.toml":
            assert path.read_text("utf-8").startswith("# SYNTHETIC"), path
        elif path.suffix == ".geojson":
            assert json.loads(path.read_text("utf-8"))["synthetic"] is True


def test_all_land_drains_to_the_last_gauge(qingxi: Basin) -> None:
    below = {each.upper: each.lower for each in qingxi.reaches}
    for subbasin in qingxi.subbasins:
        node = subbasin.outlet
        while node in below:
            node = below[node]
        assert node == "99000800"
    assert sum(each.area_km2 for each in qingxi.subbasins) == 3500


def test_lines_of_every_gauge_are_in_order(qingxi: Basin) -> None:
    for station in qingxi.stations:
        lines = {each.kind: each.value for each in qingxi.thresholds_of(station.code, "water_level")}
        if station.kind != "RR":
            assert lines["warning"] < lines["guarantee"] < lines["historical_maximum"]


def test_floods_grow_downstream_and_with_rarity(qingxi: Basin) -> None:
    for code in ("99000500", "99000600", "99000800"):
        curve = qingxi.frequencies_of(code, "discharge")
        assert [each.return_period for each in curve] == [2, 5, 10, 20, 50, 100]
    assert all(
        upper.value < lower.value
        for upper, lower in zip(
            qingxi.frequencies_of("99000500", "discharge"), qingxi.frequencies_of("99000800", "discharge"), strict=True
        )
    )
