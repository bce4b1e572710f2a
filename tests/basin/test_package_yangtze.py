"""The flagship package against the data bundle and the public rules it is made from."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.package import basin_file, find_basin, read_basin
from liuyu.basin.places import Basin

needs_data = pytest.mark.skipif(bundle_folder() is None, reason="no data bundle")


@pytest.fixture(scope="module")
def yangtze() -> Basin:
    return read_basin(find_basin("yangtze"))


def value(basin: Basin, station: str, quantity: str, kind: str, day: date | None = None) -> float:
    (found,) = [each for each in basin.thresholds_of(station, quantity, day) if each.kind == kind]
    return found.value


def test_it_has_every_station_with_names_in_both_languages(yangtze: Basin) -> None:
    assert len(yangtze.stations) == 138
    assert all(each.name_en.isascii() and not each.name.isascii() for each in yangtze.stations)
    assert len({each.name_en for each in yangtze.stations}) == 138
    assert sum(each.position is not None for each in yangtze.stations) == 32


@pytest.mark.data
@needs_data
def test_codes_names_and_quantities_are_those_of_the_feed(yangtze: Basin) -> None:
    text = bundle_file("yangtze_gauges_hourly/stations_summary.csv").read_text("utf-8")
    columns = {
        "z_max": "water_level",
        "q_max": "discharge",
        "in_max": "reservoir_inflow",
        "out_max": "reservoir_outflow",
    }
    rows = list(csv.DictReader(text.splitlines()))
    assert [row["stcd"] for row in rows] == [each.code for each in yangtze.stations]
    for row in rows:
        reported = {name for column, name in columns.items() if row[column]}
        assert set(yangtze.station_by_code[row["stcd"]].quantities) == reported


@pytest.mark.data
@needs_data
def test_positions_and_cited_thresholds_are_those_of_the_bundle(yangtze: Basin) -> None:
    text = bundle_file("yangtze_stations/main_stations_coords_thresholds.csv").read_text("utf-8")
    for row in csv.DictReader(text.splitlines()):
        code = row["stcd"]
        assert yangtze.station_by_code[code].position == (float(row["lon"]), float(row["lat"]))
        kinds = ("flood_limit", "normal_pool") if code == "60106980" else ("warning", "guarantee")
        for column, kind in zip(("warning_m", "guarantee_m"), kinds, strict=True):
            if row[column]:
                assert value(yangtze, code, "water_level", kind) == float(row[column])


@pytest.mark.data
@needs_data
def test_archive_and_layers_are_in_the_bundle(yangtze: Basin) -> None:
    paths = [yangtze.archive, *(layer.path for layer in yangtze.layers)]
    assert [path for path in paths if basin_file(yangtze, path) is None] == []
    assert {layer.kind for layer in yangtze.layers} == {"rivers", "lakes", "boundary", "subbasins", "terrain", "dams"}
    assert all(layer.source and layer.licence for layer in yangtze.layers)


def test_numbering_criteria_are_those_of_the_rules_of_2019(yangtze: Basin) -> None:
    found = {(each.station, each.quantity): each.value for each in yangtze.thresholds if each.kind == "flood_number"}
    assert found == {
        ("60105400", "discharge"): 50_000,
        ("60106980", "reservoir_inflow"): 50_000,
        ("60111200", "water_level"): 32.50,
        ("60112200", "water_level"): 27.30,
        ("60113400", "water_level"): 20.00,
        ("60115000", "water_level"): 14.40,
    }


def test_flood_limits_follow_the_season(yangtze: Basin) -> None:
    assert value(yangtze, "60106980", "water_level", "flood_limit", date(2020, 8, 20)) == 145.0
    assert "flood_limit" not in [
        each.kind for each in yangtze.thresholds_of("60106980", "water_level", date(2020, 12, 1))
    ]
    assert value(yangtze, "61802700", "water_level", "flood_limit", date(2020, 7, 1)) == 160.0
    assert value(yangtze, "61802700", "water_level", "flood_limit", date(2020, 9, 1)) == 163.5


def test_every_number_says_where_it_comes_from(yangtze: Basin) -> None:
    assert all(each.source for each in yangtze.thresholds)
    assert all(each.source for each in yangtze.frequencies)
    assert all("approximate" in each.source for each in yangtze.reaches)
    assert all(each.curve_source for each in yangtze.reservoirs)
    guarantee = next(each for each in yangtze.thresholds if (each.station, each.kind) == ("60108300", "guarantee"))
    assert (guarantee.value, guarantee.source.split(",")[0]) == (45.0, "general knowledge")


def test_datums_stand_only_where_they_are_known(yangtze: Basin) -> None:
    stated = {each.code: each.datum for each in yangtze.stations if each.datum != "unknown"}
    assert {code for code, datum in stated.items() if datum == "冻结吴淞"} == {
        "60111200",
        "60112200",
        "60113400",
        "60115000",
    }
    assert {code for code, datum in stated.items() if datum == "吴淞"} == {
        "60106980",
        "60107000",
        "61802500",
        "61802700",
    }


def test_water_runs_from_every_tributary_to_the_sea(yangtze: Basin) -> None:
    below = {each.upper: each.lower for each in yangtze.reaches}
    assert len(below) == len(yangtze.reaches), "a node that parts its water"
    for subbasin in yangtze.subbasins:
        node = subbasin.outlet
        while node in below:
            node = below[node]
        assert node == "estuary"
    assert sum(each.area_km2 for each in yangtze.subbasins) == pytest.approx(1.80e6, rel=0.01)


def test_the_main_stem_passes_its_gauges_in_order(yangtze: Basin) -> None:
    below = {each.upper: each.lower for each in yangtze.reaches}
    names, node = [], "60105400"
    while node != "estuary":
        if node in yangtze.station_by_code:
            names.append(yangtze.station_by_code[node].name)
        node = below[node]
    assert names == [
        *("寸滩", "清溪场", "万县", "宜昌", "枝城", "沙市", "监利", "莲花塘", "螺山", "汉口"),
        *("黄石港", "码头镇", "九江", "安庆", "大通", "南京"),
    ]


def test_chainage_agrees_with_the_lengths_of_the_reaches(yangtze: Basin) -> None:
    below = {each.upper: each for each in yangtze.reaches}
    node, run, start = "60107300", 0.0, 0.0
    while node in below:
        run += below[node].length_km
        node = below[node].lower
        station = yangtze.station_by_code.get(node)
        if station is not None and station.chainage_km is not None:
            assert run - start == pytest.approx(station.chainage_km, rel=0.02, abs=3)


def test_two_floods_of_2020_came_before_the_archive(yangtze: Basin) -> None:
    before = [each for each in yangtze.known_floods if each.time < "2020-07-18"]
    assert [(each.year, each.number, each.time, each.section) for each in before] == [
        (2020, 1, "2020-07-02T10:00+08:00", "upstream"),
        (2020, 2, "2020-07-17T10:00+08:00", "upstream"),
    ]
