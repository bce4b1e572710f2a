"""Faults one by one: a good package, one change, and exactly the fault that it makes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from liuyu.basin.errors import Fault
from liuyu.basin.package import basin_file, check_basin, find_basin, read_basin
from liuyu.basin.toml_file import TomlFile

Change = Callable[[str, str, str], tuple[Fault, ...]]


@pytest.fixture
def change(tmp_path: Path) -> Change:
    """Replaces one text in one file of the cascade by another and gives the faults."""
    folder = tmp_path / "cascade"
    shutil.copytree(find_basin("zoo/reservoir_cascade"), folder)

    def make(file: str, old: str, new: str) -> tuple[Fault, ...]:
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        return check_basin(folder)[1]

    return make


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "field", "words"),
    [
        ("thresholds.csv", "R1,water_level,flood_limit", "R7,water_level,flood_limit", 2, "station", "no such station"),
        ("thresholds.csv", "865", "86500", 2, "value", "lies outside -500 to 9000 m"),
        ("thresholds.csv", "865", "8.65", 2, "value", "lies off the curve of upper_reservoir"),
        ("thresholds.csv", "865,85高程", "865,吴淞", 2, "datum", "station R1 measures from 85高程 (stations.csv:2)"),
        ("thresholds.csv", "865", "879", 2, "value", "flood_limit lies above normal_pool 878 (line 3)"),
        ("thresholds.csv", "06-01", "06-00", 2, "season_start", "month 6 has no day 0"),
        ("thresholds.csv", "02-15", "02-30", 5, "season_end", "month 2 has no day 30"),
        ("thresholds.csv", "R1,water_level,dead", "R1,discharge,dead", 4, "quantity", "R1 reports water_level"),
        ("curves.csv", "9.0e8", "0.9e8", 3, "storage_m3", "does not rise above 1e+08 (line 2)"),
        ("curves.csv", "850", "nan", 3, "level_m", "is not a number"),
        ("reservoirs.csv", "lower_reservoir,下库", "upper,下库", 3, "", ""),
        ("reservoirs.csv", "5000,500,G1", "5000,500,R1", 3, "downstream", "the reaches lead from here to G1"),
        ("reaches.csv", "lower_reservoir,60,3", "upper_reservoir,60,3", 2, "lower", "is the upper end too"),
        ("reaches.csv", "35,4", "35,-4", 3, "travel_hours", "lies outside 0.01 to 2000 [h]"),
        ("stations.csv", "101.00,27.00", "27.00,101.00", 2, "lon", "looks like a latitude"),
        ("stations.csv", "RR", "rr", 2, "kind", "is not one of those known"),
        ("stations.csv", "reservoir_outflow", "reservoir_outflows", 2, "quantities", "is no quantity"),
        ("basin.toml", "Asia/Shanghai", "Shanghai", 5, "time_zone", "is no time zone"),
        ("basin.toml", "synthetic = true", "synthetc = true", 6, "synthetc", "no such key"),
    ],
)
def test_one_change_is_found_where_it_is(
    change: Change, file: str, old: str, new: str, line: int, field: str, words: str
) -> None:
    found = [each for each in change(file, old, new) if field in each.field and words in each.problem]
    assert found
    assert not words or (found[0].file, found[0].line) == (file, line)


def test_a_comment_a_blank_line_and_a_byte_order_mark_do_no_harm(change: Change) -> None:
    assert change("stations.csv", "code,", "\ufeff# gauges\n\ncode,") == ()


def test_dangling_reference_names_the_near_code(change: Change) -> None:
    faults = change("curves.csv", "upper_reservoir,800", "uper_reservoir,800")
    assert [each.cure for each in faults if each.field == "reservoir"] == ["did you mean 'upper_reservoir'?"]


def test_a_faulty_row_still_declares_its_code(change: Change) -> None:
    faults = change("stations.csv", "RR,water_level", "XX,water_level")
    assert [(each.file, each.field) for each in faults] == [("stations.csv", "kind")]


def test_a_misspelt_table_is_not_passed_over(change: Change, tmp_path: Path) -> None:
    (tmp_path / "cascade" / "treshold.csv").write_text("station,quantity\n")
    faults = change("basin.toml", "cascade", "cascade")
    assert [(each.file, each.cure) for each in faults] == [("treshold.csv", "did you mean 'thresholds.csv'?")]


def test_layers_are_looked_for_in_package_and_bundle(
    change: Change, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bundle" / "maps").mkdir(parents=True)
    (tmp_path / "bundle" / "maps" / "rivers.geojson").write_text("{}")
    monkeypatch.setenv("LIUYU_DATA", str(tmp_path / "bundle"))
    last = 'attribution = "Synthetic: made by the liuyu project"\n'
    layer = '\n[[layers]]\nkind = "rivers"\npath = "maps/rivers.geojson"\n'
    assert change("basin.toml", last, last + layer) == ()
    basin = read_basin(tmp_path / "cascade")
    assert basin_file(basin, "maps/rivers.geojson") == tmp_path / "bundle" / "maps" / "rivers.geojson"
    assert basin_file(basin, "maps/none.geojson") is None
    faults = change("basin.toml", "maps/rivers", "maps/river")
    assert [each.problem for each in faults] == ["is in neither the package nor the data bundle"]
    assert faults[0].line == 9


@pytest.mark.parametrize(
    ("day", "holds"), [(date(2020, 11, 15), True), (date(2021, 1, 1), True), (date(2021, 2, 16), False)]
)
def test_a_season_may_pass_over_new_year(day: date, holds: bool) -> None:
    basin = read_basin(find_basin("zoo/reservoir_cascade"))
    kinds = [each.kind for each in basin.thresholds_of("R2", "water_level", day)]
    assert ("flood_limit" in kinds) is holds


def test_seasons_that_meet_over_new_year_are_one_line_twice(change: Change) -> None:
    more = "R2,water_level,flood_limit,629,85高程,02-10,03-31,synthetic"
    faults = change("thresholds.csv", "R2,water_level,normal_pool", more + "\nR2,water_level,normal_pool")
    assert [each.problem for each in faults] == ["station R2 has this line already (line 5)"]


def test_a_key_below_a_layer_is_told_where_it_belongs(change: Change) -> None:
    faults = change(
        "basin.toml", "synthetic = true\n", 'synthetic = true\n[[layers]]\nkind = "lakes"\npath = "curves.csv"\n'
    )
    assert [(each.field, each.line) for each in faults] == [("attribution", 10)]
    assert "move it above" in faults[0].cure


def test_a_rule_file_in_another_encoding_is_a_fault_and_not_a_crash(tmp_path: Path) -> None:
    file = tmp_path / "alerts.toml"
    file.write_bytes('kind = "alerts"\n# 警戒水位\n'.encode("gb18030"))
    faults = TomlFile(file).faults
    assert [fault.problem for fault in faults] == ["not UTF-8 at byte 18"]
    assert "UTF-8" in faults[0].cure
