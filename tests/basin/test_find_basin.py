"""A package is found by folder or by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.package import basin_file, find_basin, read_basin, shipped_basins


def test_shipped_packages_are_found_by_name() -> None:
    assert {"yangtze", "qingxi", "zoo/confluence"} <= set(shipped_basins())
    assert find_basin("qingxi") == shipped_basins()["qingxi"]


def test_a_folder_is_found_by_its_path() -> None:
    folder = find_basin("zoo/one_gauge")
    assert find_basin(str(folder)) == folder


def test_a_folder_beside_does_not_hide_a_shipped_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yangtze").mkdir()
    monkeypatch.chdir(tmp_path)
    assert find_basin("yangtze") == shipped_basins()["yangtze"]
    (tmp_path / "yangtze" / "basin.toml").touch()
    assert find_basin("yangtze") == (tmp_path / "yangtze").resolve()


def test_an_unknown_name_gets_the_near_ones() -> None:
    with pytest.raises(NotFound, match="did you mean yangtze"):
        find_basin("yangzte")
    with pytest.raises(NotFound, match="shipped: qingxi, yangtze"):
        find_basin("?")


def test_no_path_leads_out_of_a_package() -> None:
    basin = read_basin(find_basin("qingxi"))
    assert basin_file(basin, "rivers.geojson") == find_basin("qingxi") / "rivers.geojson"
    for path in ("../yangtze/basin.toml", "/etc/hostname", "a/../../b", ""):
        with pytest.raises(BadInput, match="leads out of the package"):
            basin_file(basin, path)
