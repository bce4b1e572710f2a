"""The river under a scenario: releases as asked for, water that a reservoir keeps, water that a basin takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse import scenario_of
from liuyu.outlook.rehearse.results import gauges_of, reservoirs_of
from liuyu.outlook.rehearse.river import Futures, chosen_members, run_river
from liuyu.store.sqlite import SqliteStore
from liuyu.twin import Outlook, RiverTwin, along_curve
from tests.outlook.river import at, filled, observations

DAM, POOL = "qingxi_reservoir", "99000200"


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def store(basin: Basin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    now = at(basin, "2021-07-05T14:00")
    batch = observations(basin, tmp_path_factory.mktemp("archive"), start=now - 12 * DAY, end=now)
    with filled(tmp_path_factory.mktemp("store"), batch, now) as opened:
        yield opened


@pytest.fixture(scope="module")
def twin(basin: Basin) -> RiverTwin:
    return RiverTwin(basin)


@pytest.fixture(scope="module")
def outlook(twin: RiverTwin, basin: Basin, store: SqliteStore) -> Outlook:
    return twin.ahead(twin.view(store, at(basin, "2021-07-05T14:00")))


def futures(twin: RiverTwin, outlook: Outlook, **tables: Any) -> Futures:
    return run_river(twin, outlook, scenario_of({"name": "x", "hours": 48, **tables}, twin.basin))


def release(**row: Any) -> Mapping[str, Any]:
    return {"release": [{"reservoir": DAM, **row}]}


def test_a_release_is_what_was_asked_for_and_only_then(twin: RiverTwin, outlook: Outlook) -> None:
    found = futures(twin, outlook, **release(delta=-50.0, **{"from": 6, "to": 12}))
    row = found.row(POOL, "reservoir_outflow")
    change = found.changed[row, 0] - outlook.median[row, :48]
    assert change == pytest.approx(np.where((np.arange(48) >= 6) & (np.arange(48) < 12), -50.0, 0.0))
    listed = futures(twin, outlook, **release(series=[100.0, 200.0], **{"from": 2, "to": 6}))
    assert listed.changed[row, 0, 2:6].tolist() == [100.0, 200.0, 200.0, 200.0]
    with pytest.raises(BadInput, match="holds no hour ahead"):
        futures(twin, outlook, **release(constant=5.0, **{"from": 300}))


def test_what_the_reservoir_keeps_is_in_its_level_to_the_drop(twin: RiverTwin, outlook: Outlook) -> None:
    found = futures(twin, outlook, **release(delta=-100.0))
    row, out = found.row(POOL, "water_level"), found.row(POOL, "reservoir_outflow")
    levels, held = twin.plumbing.network.curve[twin.reservoir_places[DAM]].T
    for member in (0, 17, 50):
        before, after = (along_curve(each[row, member], levels, held) for each in (found.without, found.changed))
        kept = -3600.0 * np.cumsum(found.median_changed[out] - outlook.median[out, :48])
        assert after - before == pytest.approx(kept, rel=1e-6)
    (pool,) = reservoirs_of(found)
    assert pool["highest_pool_with"] > pool["highest_pool_without"]
    assert pool["highest_pool_with"] == pytest.approx(found.median_changed[row].max(), abs=0.005)


def test_a_detention_basin_takes_no_more_than_it_holds(twin: RiverTwin, outlook: Outlook, basin: Basin) -> None:
    taken = futures(twin, outlook, detention=[{"basin": "bailuzhou", "opens": 4, "inflow_m3s": 2000.0}])
    flow = taken.detained["bailuzhou"]
    assert flow[:4].tolist() == [0.0] * 4
    assert 3600.0 * flow.sum() == pytest.approx(basin.detention_basins[0].capacity_m3)
    below, above = taken.row("99000800", "discharge"), taken.row("99000500", "discharge")
    assert np.array_equal(taken.changed[above], taken.without[above])
    assert taken.median_changed[below].sum() < taken.median_without[below].sum()
    gentle = futures(twin, outlook, detention=[{"basin": "bailuzhou", "opens": 4, "inflow_m3s": 30.0}])
    lost = (gentle.without[below] - gentle.changed[below]).mean(axis=0)
    assert 3600 * lost.sum() < 3600 * gentle.detained["bailuzhou"].sum() <= 30.0 * 3600 * 44


def test_rows_say_what_changes(twin: RiverTwin, outlook: Outlook) -> None:
    found = futures(twin, outlook, rain={"factor": 1.3})
    rows = {(each["station"], each["quantity"]): each for each in gauges_of(found)}
    row = rows["99000600", "water_level"]
    assert row["peak_with"] - row["peak_without"] == pytest.approx(row["peak_change"], abs=1e-9)
    assert row["peak_change"] > 0.05
    assert row["hours_above_warning_with"] > row["hours_above_warning_without"]
    assert row["peak_low"] <= row["peak_with"] + 0.3
    assert (row["warning"], row["guarantee"]) == (58.0, 59.8)
    assert row["peak_time_with"].endswith("Z")


def test_chosen_members_stand_for_all(twin: RiverTwin, outlook: Outlook) -> None:
    found = futures(twin, outlook)
    peaks = found.changed[found.row("99000600", "water_level")].max(axis=1)
    chosen = chosen_members(found, "99000600", "water_level", 5)
    assert len(set(chosen)) == 5
    assert np.median(peaks[chosen]) == pytest.approx(np.median(peaks), abs=0.05)
    assert sorted(chosen_members(found, "99000600", "water_level", 500)) == list(range(51))
    with pytest.raises(BadInput, match="is not forecast; it is at"):
        found.row("99000600", "turbidity")
