"""Whatever is written into a package, the check answers; and what it lets pass is sound."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.package import check_basin, find_basin
from liuyu.basin.places import Basin

SOURCE = find_basin("qingxi")
FILES = sorted(
    path.name for path in SOURCE.iterdir() if path.suffix in (".csv", ".geojson") or path.name == "basin.toml"
)
TABLES = [name for name in FILES if name.endswith(".csv")]
CELLS = st.one_of(
    st.sampled_from(["", "-1", "0", "1e400", "nan", "99999999", "water_level", "99000100", "02-30", "above", "'", '"']),
    st.text(max_size=12),
    st.floats().map(str),
)


@contextmanager
def copy() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        target = Path(folder) / "basin"
        shutil.copytree(SOURCE, target)
        yield target


def assert_sound(basin: Basin) -> None:
    nodes = {each.code for group in (basin.stations, basin.junctions, basin.reservoirs) for each in group}
    stations = basin.station_by_code
    assert all(reach.upper in nodes and reach.lower in nodes for reach in basin.reaches)
    assert all(each.outlet in nodes or not each.outlet for each in basin.subbasins)
    assert all(each.quantity in stations[each.station].quantities for each in basin.thresholds)
    for reservoir in basin.reservoirs:
        assert reservoir.station in stations
        assert list(reservoir.curve) == sorted(set(reservoir.curve))
    waiting = {node: {each.upper for each in basin.reaches if each.lower == node} for node in nodes}
    while ready := [node for node, above in waiting.items() if not above & waiting.keys()]:
        for node in ready:
            del waiting[node]
    assert not waiting, "the network has a circle"


@settings(max_examples=60, deadline=None)
@given(file=st.sampled_from(FILES), content=st.binary(max_size=300))
def test_any_bytes_in_any_file_are_answered(file: str, content: bytes) -> None:
    with copy() as folder:
        (folder / file).write_bytes(content)
        basin, faults = check_basin(folder)
        assert (basin is None) == bool(faults)


@settings(max_examples=120, deadline=None)
@given(file=st.sampled_from(TABLES), place=st.integers(0, 10_000), column=st.integers(0, 20), cell=CELLS)
def test_any_cell_is_refused_or_sound(file: str, place: int, column: int, cell: str) -> None:
    with copy() as folder:
        lines = (folder / file).read_text("utf-8").splitlines()
        row = place % len(lines)
        cells = lines[row].split(",")
        cells[column % len(cells)] = cell
        lines[row] = ",".join(cells)
        (folder / file).write_text("\n".join(lines), "utf-8")
        basin, faults = check_basin(folder)
        assert (basin is None) == bool(faults)
        if basin is not None:
            assert_sound(basin)


@settings(max_examples=40, deadline=None)
@given(ends=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=12))
def test_every_circle_is_found_and_nothing_else(ends: list[tuple[int, int]]) -> None:
    ends = list(dict.fromkeys((upper, lower) for upper, lower in ends if upper != lower))
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(find_basin("zoo/one_gauge") / "basin.toml", folder)
        (folder / "stations.csv").write_text("code,name,name_en\n" + "".join(f"S{n},站,Gauge\n" for n in range(7)))
        rows = [f"R{n},河,River,S{upper},S{lower},10,2\n" for n, (upper, lower) in enumerate(ends)]
        (folder / "reaches.csv").write_text("code,name,name_en,upper,lower,length_km,travel_hours\n" + "".join(rows))
        basin, faults = check_basin(folder)
    waiting = {node: {upper for upper, lower in ends if lower == node} for node in range(7)}
    while ready := [node for node, above in waiting.items() if not above & waiting.keys()]:
        for node in ready:
            del waiting[node]
    assert (basin is None) == bool(waiting)
    assert all("closes a circle" in fault.problem for fault in faults)
