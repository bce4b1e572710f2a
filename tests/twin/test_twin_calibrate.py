"""Calibration finds what made the archive, and what it writes is what is read."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.physics.routing import muskingum
from liuyu.twin import RiverTwin, calibrate, make_archive
from liuyu.twin.derive import derive
from liuyu.twin.fit import fit_law, fit_travel, ridge
from liuyu.twin.model import Calibrated, Inflow, Node, read_model, write_model
from liuyu.twin.synthetic import ratings

SHORT = """
name = "short"
history_h = 168
horizon_h = 48
members = 11
leads_h = [1, 3, 6, 12, 24, 48]
season = [5, 7]
travel_known = true
train = [["2019-05-15", "2020-07-31"]]
held_out = [["2021-05-25", "2021-07-31"]]
"""


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def calibrated(basin: Basin, tmp_path_factory: pytest.TempPathFactory) -> tuple[Calibrated, Path]:
    folder = tmp_path_factory.mktemp("calibration")
    shipped = (Path(basin.folder) / basin.model_file).read_text(encoding="utf-8")
    (folder / "network.toml").write_text(SHORT + shipped[shipped.index("[[nodes]]") :], encoding="utf-8")
    archive = make_archive(basin, folder / "archive.parquet", 5, years=(2019, 2020, 2021))
    return calibrate(basin, archive, folder / "model", network=folder / "network.toml"), folder


def test_the_laws_of_stage_are_those_that_made_the_archive(basin: Basin, calibrated: tuple[Calibrated, Path]) -> None:
    made = ratings(basin)
    for node in calibrated[0].model.nodes:
        if node.law is not None:
            true = made[node.station]
            flow = true.a * np.array([1.5, 3.0, 5.0]) ** true.m
            fitted = node.law.b + (flow / node.law.a) ** (1 / node.law.m)
            assert fitted == pytest.approx(true.level(flow), abs=0.25), node.station


def test_forecasts_of_a_season_never_seen_beat_persistence(calibrated: tuple[Calibrated, Path]) -> None:
    rows = [each for each in calibrated[0].skill if each.quantity == "water_level" and each.lead_h == 24]
    assert len(rows) == 8
    assert np.median([each.rmse / each.rmse_persistence for each in rows]) < 0.95
    assert {each.n for each in rows} != {0}


def test_what_is_written_is_what_is_read(calibrated: tuple[Calibrated, Path], tmp_path: Path) -> None:
    model, folder = calibrated
    again = read_model(write_model(tmp_path, model))
    assert again.digest == model.digest
    assert [each.read_bytes() for each in sorted((folder / "model").iterdir())] == [
        each.read_bytes() for each in sorted(tmp_path.iterdir())
    ]


def test_a_spoiled_model_says_where(calibrated: tuple[Calibrated, Path], tmp_path: Path) -> None:
    write_model(tmp_path, calibrated[0])
    (tmp_path / "drivers.csv").write_text("station,quantity,lead_h,weights\na,local,1,x\n", encoding="utf-8")
    with pytest.raises(BadPackage, match="calibrate it again"):
        read_model(tmp_path / "twin.json")
    (tmp_path / "twin.json").write_text('{"name": 3}', encoding="utf-8")
    with pytest.raises(BadPackage, match="name"):
        read_model(tmp_path / "twin.json")


def test_an_archive_too_short_is_refused(basin: Basin, tmp_path: Path) -> None:
    archive = make_archive(basin, tmp_path / "one.parquet", 5, years=(2031,))
    with pytest.raises(BadInput, match="sixty days"):
        calibrate(basin, archive, tmp_path / "model")


def test_travel_time_is_found_within_its_grid() -> None:
    dice = np.random.default_rng(2)
    source = 2e4 + np.convolve(dice.normal(0, 3e3, 4000), np.ones(30) / 5, mode="same")
    observed = 0.8 * muskingum(source, 13.0, 0.05, 1.0) + 500.0
    node = Node(station="n", kind="channel", inflows=(Inflow(source="s", share=0.9, travel_h=10.0),))
    found = fit_travel(node, observed, {"s": source}, np.ones(4000, bool)).inflows[0]
    assert found.travel_h == pytest.approx(13.0, rel=0.12)
    assert found.share == pytest.approx(0.8, abs=0.02)


def test_a_law_with_backwater_is_recovered() -> None:
    dice = np.random.default_rng(4)
    z = dice.uniform(22.0, 34.0, 6000)
    s = z - 5.0 - dice.uniform(0.0, 3.0, 6000)
    q = 11.0 * (z - 8.0) ** 2.4 * (z - s - 2.6) ** 0.5
    law, error = fit_law(q, z, s, np.ones(6000, bool))
    assert error < 0.05
    assert law.e == pytest.approx(0.5, abs=0.05)


def test_ridge_without_penalty_is_least_squares_and_skips_gaps() -> None:
    dice = np.random.default_rng(1)
    x = dice.normal(size=(300, 4)) * [1, 10, 0.1, 5] + 3
    y = np.stack([x @ [1, 2, 3, 4] + 7, x @ [0, 1, 0, -1]], axis=1)
    y[::7, 1] = np.nan
    assert ridge(x, y, 0.0) == pytest.approx(np.array([[1, 0], [2, 1], [3, 0], [4, -1], [7, 0]]), abs=1e-8)


def test_a_basin_without_a_model_gets_one_from_its_reaches(basin: Basin) -> None:
    model = derive(basin)
    below = {node.station: {each.source: each.travel_h for each in node.inflows} for node in model.nodes}
    assert below["99000500"] == pytest.approx({"99000300": 3.9, "99000400": 2.4})
    assert below["99000200"] == {"99000100": 4.0}
    twin = RiverTwin(msgspec.structs.replace(basin, model_file=""))
    assert twin.model == model
