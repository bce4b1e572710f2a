"""What-ifs: the balance of the reservoir closes, effects come from routing alone, faults are all told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput
from liuyu.basin.events import RehearsalRun, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast, Scenario
from liuyu.outlook.forecast import Forecaster
from liuyu.outlook.rehearse import announce_rehearsal, rehearse
from liuyu.store.sqlite import SqliteStore
from tests.outlook.river import at, filled, observations

DAM = "qingxi_reservoir"


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def now(basin: Basin) -> int:
    return at(basin, "2021-07-05T14:00")


@pytest.fixture(scope="module")
def store(basin: Basin, now: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    batch = observations(basin, tmp_path_factory.mktemp("archive"), start=now - 12 * DAY, end=now)
    with filled(tmp_path_factory.mktemp("store"), batch, now) as opened:
        yield opened


def members(forecasts: tuple[Forecast, ...], station: str, name: str = "water_level") -> np.ndarray:
    return next(each.members for each in forecasts if (each.station, each.quantity) == (station, name))


def test_the_reservoir_keeps_exactly_what_came_less_what_went(basin: Basin, store: SqliteStore, now: int) -> None:
    course = rehearse(basin, store, Scenario(name="拦", releases={DAM: (150.0,) * 48}), now).reservoirs[DAM]
    assert course["outflow"] == pytest.approx(150.0)
    kept = np.diff(course["storage"])
    assert kept == pytest.approx(3600.0 * (course["inflow"] - course["outflow"])[1:], rel=1e-9)
    levels, held = np.array(basin.reservoirs[0].curve).T
    assert np.interp(course["level"], levels, held) == pytest.approx(course["storage"], rel=1e-9)


def test_less_released_is_less_downstream_and_the_same_beside(basin: Basin, store: SqliteStore, now: int) -> None:
    usual = Forecaster(basin).issue(store, now)
    held = rehearse(basin, store, Scenario(name="拦", releases={DAM: (60.0,) * 96}), now)
    for station in ("99000300", "99000500", "99000600", "99000800"):
        effect = members(held.forecasts, station) - members(usual, station)
        assert effect.mean() < -0.05, station
        assert effect.max() < 0.02
    for beside in ("99000100", "99000400", "99000700"):
        assert np.array_equal(members(held.forecasts, beside), members(usual, beside))
    late = [np.argmin((members(held.forecasts, s) - members(usual, s)).mean(axis=0)) for s in ("99000300", "99000800")]
    assert late[0] <= late[1]


def test_a_release_as_expected_changes_nothing(basin: Basin, store: SqliteStore, now: int) -> None:
    twin = Forecaster(basin).twin
    outlook = twin.ahead(twin.view(store, now))
    release = tuple(outlook.course.flow[twin.reservoir_places[DAM]].tolist())
    alternative = twin.alternative(outlook, Scenario(name="same", releases={DAM: release}))
    for row, (station, name) in enumerate(twin.targets):
        if (station, name) != ("99000200", "reservoir_outflow"):
            assert np.array_equal(alternative.members[row], outlook.members[row]), (station, name)


def test_more_inflow_raises_every_river_gauge(basin: Basin, store: SqliteStore, now: int) -> None:
    usual = Forecaster(basin).issue(store, now)
    wetter = rehearse(basin, store, Scenario(name="多两成", inflow_factor=1.2), now)
    for station in ("99000100", "99000400", "99000500", "99000600", "99000800"):
        assert (members(wetter.forecasts, station) - members(usual, station)).mean() > 0.02, station


def test_binding_limits_are_told_in_both_languages(basin: Basin, store: SqliteStore, now: int) -> None:
    texts = rehearse(basin, store, Scenario(name="关", releases={DAM: (0.0, 2600.0)}), now).binding
    english = " | ".join(each["en"] for each in texts)
    assert "release at or below its least, 10 m³/s" in english
    assert "release at or above its most, 2500 m³/s" in english
    assert "changes by 2600 m³/s in an hour" in english
    assert all(set(each) == {"zh", "en"} for each in texts)


def test_every_fault_of_a_scenario_is_told_at_once(basin: Basin, store: SqliteStore, now: int) -> None:
    wrong = Scenario(name="x", releases={"gorges": (1.0,), DAM: (5.0, -3.0), "99000200": ()}, inflow_factor=-1.0)
    with pytest.raises(BadInput) as caught:
        rehearse(basin, store, wrong, now)
    for part in ("no reservoir 'gorges'", "release -3 m3/s", "hour 2", "are empty", "inflow_factor -1"):
        assert part in str(caught.value)


def test_the_event_sets_with_beside_without(basin: Basin, store: SqliteStore, now: int) -> None:
    rehearsal = rehearse(basin, store, Scenario(name="拦", name_en="hold", releases={DAM: (60.0,) * 96}), now)
    event = announce_rehearsal(basin, store, rehearsal)
    run = record(event, RehearsalRun)
    assert event == announce_rehearsal(basin, store, rehearsal)
    assert (event.kind, event.state, event.subject) == ("rehearsal", "run", DAM)
    assert run.name == {"zh": "拦", "en": "hold"}
    row = next(each for each in run.results if each["station"] == "99000600")
    assert row["peak_with"] <= row["peak_without"]
    assert row["hours_above_warning_with"] <= row["hours_above_warning_without"]
    assert row["peak_time_without"].endswith("Z")
    other = rehearse(basin, store, Scenario(name="放", releases={DAM: (600.0,)}), now)
    assert announce_rehearsal(basin, store, other).id != event.id
