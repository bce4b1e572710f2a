"""Forecasts: nothing of the future in them, the same hour the same members, honest where gauges are silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.bundle import bundle_file
from liuyu.basin.clock import DAY, HOUR, epoch
from liuyu.basin.errors import ModelFailed
from liuyu.basin.events import ForecastRun, record
from liuyu.basin.flags import Flag
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Scenario
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.outlook.forecast import Forecaster, announce_forecasts
from liuyu.store.sqlite import SqliteStore
from liuyu.twin import RiverTwin
from tests.outlook.river import at, filled, observations, poisoned


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def now(basin: Basin) -> int:
    return at(basin, "2021-07-05T14:00")


@pytest.fixture(scope="module")
def batch(basin: Basin, now: int, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    return observations(basin, tmp_path_factory.mktemp("archive"), start=now - 12 * DAY, end=now + 5 * DAY)


@pytest.fixture(scope="module")
def store(batch: Batch, now: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with filled(tmp_path_factory.mktemp("store"), batch.take(batch.time <= now), now) as opened:
        yield opened


@pytest.fixture(scope="module")
def issued(basin: Basin, store: SqliteStore, now: int) -> tuple[Forecast, ...]:
    return Forecaster(basin).issue(store, now)


def one(forecasts: tuple[Forecast, ...], station: str, name: str = "water_level") -> Forecast:
    return next(each for each in forecasts if (each.station, each.quantity) == (station, name))


def equal(first: tuple[Forecast, ...], second: tuple[Forecast, ...]) -> bool:
    return all(
        a.station == b.station and np.array_equal(a.members, b.members) for a, b in zip(first, second, strict=True)
    )


def test_every_series_of_the_basin_gets_hourly_members(basin: Basin, issued: tuple[Forecast, ...], now: int) -> None:
    reported = {(each.code, name) for each in basin.stations for name in each.quantities}
    assert {(each.station, each.quantity) for each in issued} == reported
    for each in issued:
        assert each.members.shape == (51, 96)
        assert each.members.dtype == np.float64
        assert np.isfinite(each.members).all()
        assert each.time[0] == now + HOUR
        assert (np.diff(each.time) == HOUR).all()
        assert epoch(each.issued) == now


def test_nothing_after_the_time_of_issue_can_be_read(
    basin: Basin, batch: Batch, now: int, issued: tuple[Forecast, ...], tmp_path: Path
) -> None:
    assert (batch.time > now).sum() > 1000
    with filled(tmp_path / "poisoned", poisoned(batch, now), now) as future:
        assert equal(Forecaster(basin).issue(future, now), issued)


def test_the_same_hour_gives_the_same_members_and_another_hour_others(
    basin: Basin, store: SqliteStore, now: int, issued: tuple[Forecast, ...]
) -> None:
    again = Forecaster(basin)
    again.load(Forecaster(basin).dump())
    assert equal(again.issue(store, now), issued)
    assert not equal(again.issue(store, now - 6 * HOUR), issued)


def test_it_says_what_it_rests_on(basin: Basin, issued: tuple[Forecast, ...], now: int) -> None:
    found = one(issued, "99000600")
    assert set(found.drivers["assumption"]) == {"zh", "en"}
    assert [each["station"] for each in found.drivers["inputs"]] == ["99000500", "99000600"]
    assert found.drivers["missing"] == []
    rows = {each["lead_h"]: each for each in found.drivers["skill"]}
    assert rows[24]["rmse"] < rows[24]["rmse_persistence"]
    assert epoch(found.provenance.inputs_until) == now  # type: ignore[arg-type]
    assert "@" in found.provenance.parameters


def test_flows_that_never_turn_back_are_never_negative(issued: tuple[Forecast, ...]) -> None:
    assert min(each.members.min() for each in issued if each.quantity != "water_level") >= 0.0


def test_a_silent_gauge_widens_its_spread_and_is_named(
    basin: Basin, batch: Batch, now: int, issued: tuple[Forecast, ...], tmp_path: Path
) -> None:
    place = basin.roster.number["99000600"]
    silent = (batch.station == place) & (batch.time > now - 40 * HOUR)
    with filled(tmp_path / "silent", batch.take((batch.time <= now) & ~silent), now) as gap:
        forecasts = Forecaster(basin).issue(gap, now)
    told = one(forecasts, "99000500").drivers["missing"]
    missing = {(each["station"], each["quantity"]): each["hours"] for each in told}
    assert missing == {("99000600", "water_level"): 40, ("99000600", "discharge"): 40}

    def spread(found: Forecast) -> float:
        return float(found.members[:, :24].std(axis=0).mean())

    assert spread(one(forecasts, "99000600")) > 1.3 * spread(one(issued, "99000600"))


def test_a_gauge_that_never_reported_is_made_from_the_others(
    basin: Basin, batch: Batch, now: int, tmp_path: Path
) -> None:
    place = basin.roster.number["99000300"]
    with filled(tmp_path / "absent", batch.take((batch.time <= now) & (batch.station != place)), now) as gap:
        found = one(Forecaster(basin).issue(gap, now), "99000300")
    assert 88.0 < np.median(found.members) < 99.0


def test_values_that_quality_control_rejected_are_not_read(
    basin: Basin, batch: Batch, now: int, issued: tuple[Forecast, ...], tmp_path: Path
) -> None:
    bad = batch.take(batch.time == now)
    bad = Batch.of(bad.roster, bad.station, bad.quantity, bad.time - 1800, 9.0 * bad.value,
                   np.full(len(bad), Flag.BAD), "test")  # fmt: skip
    with filled(tmp_path / "bad", Batch.join([batch.take(batch.time <= now), bad]), now) as spoiled:
        assert equal(Forecaster(basin).issue(spoiled, now), issued)


def test_without_observations_it_fails_and_says_why(basin: Basin, batch: Batch, now: int, tmp_path: Path) -> None:
    with (
        filled(tmp_path / "empty", batch.take(batch.time > now), now) as empty,
        pytest.raises(ModelFailed, match=r"cannot forecast at 2021-07-05T06:00:00.*99000100 water_level"),
    ):
        Forecaster(basin).issue(empty, now)


def test_the_announcement_counts_what_was_issued(issued: tuple[Forecast, ...]) -> None:
    event = announce_forecasts(issued)
    run = record(event, ForecastRun)
    assert (event.state, run.horizon_h, run.members, len(run.stations)) == ("issued", 96, 51, 8)
    assert run.id == "forecast:river-twin:20210705T0600Z"


@pytest.mark.data
def test_yangtze_2020_is_forecast_better_than_by_persistence(basins: Path, tmp_path: Path) -> None:
    """72 h ahead, an issue every two days, stations of the main stem. The model knows this season."""
    basin = read_basin(basins / "yangtze")
    start, end = at(basin, "2020-07-18T04:00"), at(basin, "2020-09-10T00:00")
    archive = Archive(bundle_file(basin.archive), basin).take(start, end + 4 * DAY)
    level = quantity("water_level").number
    miss: dict[str, list[tuple[float, float]]] = {}
    forecaster = Forecaster(basin)
    with filled(tmp_path / "yangtze", archive, end) as store:
        first = start + 11 * DAY
        for now in range(first - first % (6 * HOUR), end, 2 * DAY):
            for each in forecaster.issue(store, now):
                if each.quantity != "water_level":
                    continue
                mine = (archive.station == basin.roster.number[each.station]) & (archive.quantity == level)
                times, values = archive.time[mine], archive.value[mine]
                then, before = values[times == now + 72 * HOUR], values[times == now]
                if len(then) and len(before):
                    found = float(np.median(each.members[:, 71]))
                    miss.setdefault(each.station, []).append((found - then[0], before[0] - then[0]))
    for station in ("60111200", "60112200", "60113400", "62601600", "60115000", "61512000"):
        errors = np.array(miss[station])
        assert len(errors) > 15
        rmse, persistence = np.sqrt((errors**2).mean(axis=0))
        assert rmse < 0.85 * persistence, f"{station}: {rmse:.3f} against {persistence:.3f}"
        assert rmse < 0.35


@pytest.mark.data
def test_the_shipped_model_of_the_yangtze_holds_what_it_promises(basins: Path) -> None:
    twin = RiverTwin(read_basin(basins / "yangtze"))
    assert twin.calibrated.model.horizon_h >= 168
    rows = {(each.station, each.lead_h): each for each in twin.calibrated.skill if each.quantity == "water_level"}
    for station in ("60107300", "60108300", "60111200", "60112200", "60113400", "62601600", "60115000"):
        for lead in (24, 48, 72, 120, 168):
            found = rows[station, lead]
            assert found.rmse < found.rmse_persistence, f"{station} at {lead} h"
    size = sum(each.stat().st_size for each in (basins / "yangtze" / "model").iterdir())
    assert size < 2_000_000


@pytest.mark.data
def test_on_the_yangtze_a_release_as_forecast_changes_nothing_downstream(basins: Path, tmp_path: Path) -> None:
    """The data-driven forecast has its own view of the release; a what-if is measured from that."""
    basin = read_basin(basins / "yangtze")
    now = at(basin, "2021-07-10T08:00")
    batch = Archive(bundle_file(basin.archive), basin).take(now - 12 * DAY, now)
    twin = RiverTwin(basin)
    with filled(tmp_path / "yangtze", batch, now) as store:
        outlook = twin.ahead(twin.view(store, now))
        issued = Forecaster(basin, twin).issue(store, now)
    release = outlook.median[twin.plumbing.row["60106980", "reservoir_outflow"]]
    same = twin.alternative(outlook, Scenario(name="same", releases={"three_gorges": tuple(release.tolist())}))
    below = twin.plumbing.row["60107300", "water_level"]
    assert np.abs(same.median[below] - outlook.median[below]).max() < 1e-6
    less = twin.alternative(outlook, Scenario(name="less", releases={"three_gorges": tuple((0.7 * release).tolist())}))
    assert less.median[below].mean() < outlook.median[below].mean() - 0.5
    found = one(issued, "60112200")
    assert found.model == "river-twin+learned"
    assert [each["lead_h"] for each in found.drivers["models"]] == [1, 6, 12, 24, 48, 72, 120, 168]
    assert all(each["routed"] + each["learned"] == pytest.approx(1.0) for each in found.drivers["models"])
