"""The zoo: good packages are read, and each broken one gives its faults to the letter, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.errors import BadPackage
from liuyu.basin.package import check_basin, find_basin, read_basin

ZOO = find_basin("qingxi").parent / "zoo"
GOOD = sorted(path.name for path in ZOO.iterdir() if path.is_dir() and not path.name.startswith("broken_"))
BROKEN = sorted(path.name for path in ZOO.glob("broken_*"))


@pytest.mark.parametrize("name", GOOD)
def test_a_good_package_is_read(name: str) -> None:
    basin = read_basin(ZOO / name)
    assert basin.code == name
    assert basin.synthetic
    assert basin.stations


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_gives_every_fault_at_once(name: str) -> None:
    basin, faults = check_basin(ZOO / name)
    assert basin is None
    assert [str(fault) for fault in faults] == (ZOO / name / "expected_faults.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", BROKEN)
def test_every_fault_says_where_what_and_how_to_mend_it(name: str) -> None:
    _, faults = check_basin(ZOO / name)
    for fault in faults:
        assert fault.file
        assert fault.problem
        assert fault.cure
        lines = (ZOO / name / fault.file).read_text("utf-8", errors="replace").splitlines() if fault.line else []
        assert fault.line is None or 1 <= fault.line <= max(len(lines), 1)
        if fault.line and fault.file.endswith(".csv") and fault.field not in ("", "datum"):
            assert fault.value in lines[fault.line - 1]


def test_reading_a_broken_package_raises_all_its_faults() -> None:
    with pytest.raises(BadPackage) as raised:
        read_basin(ZOO / "broken_network")
    assert len(raised.value.faults) == 6
    assert "closes a circle: S1 → S2 → S3 → S1" in str(raised.value)


def test_the_zoo_says_what_it_holds() -> None:
    told = (ZOO / "README.md").read_text("utf-8")
    assert [name for name in (*GOOD, *BROKEN) if name not in told] == []


def test_the_least_package_is_two_files() -> None:
    assert {path.name for path in (ZOO / "one_gauge").iterdir()} == {"basin.toml", "stations.csv", "thresholds.csv"}


def test_a_cascade_keeps_curves_seasons_and_order() -> None:
    basin = read_basin(ZOO / "reservoir_cascade")
    upper = basin.reservoirs[0]
    assert upper.curve == ((800.0, 1.0e8), (850.0, 9.0e8), (880.0, 2.1e9))
    assert upper.release_range == (50.0, 4000.0)
    assert upper.downstream == "lower_reservoir"
    assert basin.reservoir_by_station["R2"].code == "lower_reservoir"
    limits = basin.thresholds_of("R1", "water_level")
    assert [(each.kind, each.side) for each in limits] == [
        ("dead_pool", "below"),
        ("flood_limit", "above"),
        ("normal_pool", "above"),
    ]


def test_nothing_is_a_package(tmp_path: Path) -> None:
    assert [fault.file for fault in check_basin(tmp_path)[1]] == ["basin.toml", "stations.csv"]
    absent = tmp_path / "absent"
    assert [fault.problem for fault in check_basin(absent)[1]] == ["is no folder"]
