"""What drives a network from gauges: series, storage, beds that fall, starts, gauges, and the faults of a folder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from liuyu.basin.bundle import bundle_folder
from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.package import read_basin
from liuyu.monitor.sense import Archive
from liuyu.store.sqlite import open_store
from liuyu.twin import RiverTwin
from liuyu.twin.channel import ChannelModel, Lake, Network, Reach, Section, read_network, refine, write_sections
from liuyu.twin.channel.ahead import ahead
from liuyu.twin.channel.check import check_folder
from liuyu.twin.channel.drivers import Driver, Drivers, Term, drive, held_by, later, read_drivers, smooth
from liuyu.twin.channel.gauges import GaugePlace, at
from liuyu.twin.channel.record import read_hourly
from liuyu.twin.channel.scour import in_year, year_of
from liuyu.twin.channel.start import from_gauges


def box(x: float, bed: float, width: float = 100.0) -> Section:
    return Section(
        chainage=x, station=np.array([0.0, 0.0, width, width]), manning=0.03, synthetic=True,
        level=np.array([bed + 20.0, bed, bed, bed + 20.0]),
    )  # fmt: skip


def network() -> Network:
    return Network(
        reaches=(
            Reach(name="r", start="a", end="b", sections=(box(0.0, 10.0), box(2000.0, 8.0))),
            Reach(name="s", start="b", end="c", sections=(box(0.0, 8.0), box(1000.0, 7.0))),
        ),
        lakes=(Lake(node="c", level=np.array([5.0, 10.0, 20.0]), surface=np.array([1e5, 2e5, 2e5])),),
    )


def test_a_series_is_the_sum_of_its_terms() -> None:
    hours = np.arange(48.0)
    hourly = {("1", "discharge"): 100.0 + hours, ("2", "discharge"): 300.0 - hours}
    terms = (
        Term(station="1", quantity="discharge", lag_h=5),
        Term(station="2", quantity="discharge", factor=-0.5, above=280.0),
    )
    made = drive(Drivers((Driver(name="x", terms=terms),)), hourly, network())["x"]
    assert made.times[-1] == 47 * 3600.0
    assert made.values[0] == 100.0 - 0.5 * 20.0
    assert made.values[30] == 125.0
    assert smooth(hours, 5)[2:-2] == pytest.approx(hours[2:-2])
    assert later(hours, 2)[:4].tolist() == [0.0, 0.0, 0.0, 1.0]


@pytest.mark.parametrize(("name", "surface"), [("c", 2e5), ("r", 2e5)])
def test_what_a_lake_or_a_pool_takes_up_is_the_change_of_its_volume(name: str, surface: float) -> None:
    level = 12.0 + 0.01 * np.arange(40.0)
    term = Term(station="1", quantity="water_level", stored_in=name)
    made = drive(Drivers((Driver(name="x", terms=(term,)),)), {("1", "water_level"): level}, network())["x"]
    assert made.values == pytest.approx(surface * 0.01 / 3600.0, rel=1e-6)


def test_what_a_pool_holds_is_what_the_model_holds() -> None:
    alone = Network(reaches=(refine(network().reaches[0], 250.0),))
    held = held_by(alone, "r")
    for level in (12.0, 19.0):
        assert held(np.array([level]))[0] == pytest.approx(
            ChannelModel(alone, step=1.0, level=level).volume.sum(), rel=1e-4
        )
    with pytest.raises(BadInput, match="neither a lake nor a reach"):
        held_by(alone, "sea")


def test_beds_fall_by_the_year() -> None:
    moved = in_year(network(), {"r": [(0.0, 0.1, 2023.0), (2000.0, 0.2, 2023.0)]}, 2026.0)
    assert moved.reaches[0].sections[0].level[1] == pytest.approx(9.7)
    assert moved.reaches[0].sections[1].level[0] == pytest.approx(27.4)
    assert moved.reaches[1].sections[0].level[1] == 8.0
    assert year_of(1_704_067_200.0) == pytest.approx(2024.0, abs=0.01)


def test_gauges_give_levels_to_reaches_and_reaches_to_those_they_meet() -> None:
    places = (
        GaugePlace(name="x", station="1", reach="r", chainage=0.0, offset=0.5),
        GaugePlace(name="y", station="2", reach="r", chainage=2000.0),
    )
    profile = from_gauges(network(), places, {"1": 15.0, "2": 14.0, "3": 9.0}, {"q": (np.zeros(1), np.zeros(1))})
    assert profile["r"][1].tolist() == [15.5, 14.0]
    assert profile["s"][1].tolist() == [14.0, 14.0]
    assert "q" in profile
    model = ChannelModel(network(), step=60.0, level=14.0)
    gauge = at(model, places[1])
    assert gauge.level(model.level) == 14.0
    assert at(model, places[0]).level(model.level) == 13.5


def test_a_folder_tells_every_fault_of_every_file(tmp_path: Path) -> None:
    write_sections(tmp_path, network())
    assert read_network(tmp_path).reaches[0].sections[1].chainage == 2000.0
    assert not check_folder(tmp_path)[0]
    (tmp_path / "boundaries.csv").write_text("node,kind,series,slope\na,discharge,flow,\n")
    assert [each.problem for each in check_folder(tmp_path)[0]] == ["has no driver"]
    (tmp_path / "drivers.toml").write_text(
        '[[series]]\nname = "other"\nterms = [{station = "1", quantity = "water_level", stored_in = "sea"}]\n'
    )
    (tmp_path / "gauges.csv").write_text("gauge,station,reach,chainage_m,offset_m\nx,1,r,9000,\ny,2,q,0,\n")
    (tmp_path / "scour.csv").write_text("reach,chainage_m,fall_m_per_year,from_year\nq,0,0.1,2023\n")
    faults, counts = check_folder(tmp_path)
    assert {(each.file, each.field, each.value) for each in faults} == {
        ("drivers.toml", "name", "flow"), ("drivers.toml", "stored_in", "sea"), ("gauges.csv", "chainage_m", "9000"),
        ("gauges.csv", "reach", "q"), ("scour.csv", "reach", "q"),
    }  # fmt: skip
    assert counts["sections"] == 4
    (tmp_path / "drivers.toml").write_text('[[series]]\nname = "flow"\nterms = [{station = "1"}]\n')
    with pytest.raises(BadPackage, match="quantity"):
        read_drivers(tmp_path)


def test_a_record_is_bridged_rid_of_spikes_and_never_made_up(tmp_path: Path) -> None:
    hours = pd.date_range("2023-06-01", periods=60, freq="h")
    z = 20.0 + 0.01 * np.arange(60.0)
    z[30] = 27.0
    table = pd.DataFrame({"stcd": "1", "time_cst": hours, "z_m": z, "q_m3s": np.nan})
    table.drop(index=range(40, 45)).to_parquet(tmp_path / "a.parquet")
    start = int(pd.Timestamp("2023-06-01", tz="Asia/Shanghai").timestamp())
    found = read_hourly(tmp_path / "a.parquet", [("1", "water_level")], start, 60, 8 * 3600)
    assert found["1", "water_level"] == pytest.approx(20.0 + 0.01 * np.arange(60.0))
    with pytest.raises(BadInput, match="1 discharge: 0%"):
        read_hourly(tmp_path / "a.parquet", [("1", "discharge")], start, 60, 8 * 3600)


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_the_yangtze_runs_ahead_of_its_twin(basins: Path, tmp_path: Path) -> None:
    basin, bundle = read_basin(basins / "yangtze"), bundle_folder()
    assert bundle is not None
    now = 1_597_370_400  # 2020-08-14 10:00 by the clock of the basin
    with open_store(tmp_path) as store:
        store.write(Archive(bundle / basin.archive, basin).take(now - 12 * DAY, now), received=now)
        found = ahead(
            basin, store, now, 2, reaches=("荆江", "莲花塘-湖口", "湖口-大通", "七里山", "湖口水道"), spacing=6000.0
        )
    gauge = found.gauges["汉口"]
    assert gauge.level.shape == (2, RiverTwin(basin).model.horizon_h)
    assert np.isfinite(gauge.level).all()
    assert max(abs(each.error) for name, each in found.gauges.items() if name in ("莲花塘", "汉口", "九江")) < 0.6
    assert 24.0 < gauge.level[0, 0] < 29.0
    assert set(found.flows()) >= {"release of 60106980", "into 洞庭湖"}
    assert list(found.levels(1)) == ["level at 60115000"]
