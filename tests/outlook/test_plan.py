"""Proposals: one at a time, reasons in words, decided once, lapsed after a day, remembered through a restart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import Event, Proposal, RehearsalRun, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.outlook.plan import Plan
from liuyu.store.sqlite import SqliteStore
from liuyu.twin.limits import bounded
from tests.outlook.river import at, filled, notice, observations

DAM = "qingxi_reservoir"


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def now(basin: Basin) -> int:
    return at(basin, "2021-07-05T14:00")


@pytest.fixture(scope="module")
def store(basin: Basin, now: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    batch = observations(basin, tmp_path_factory.mktemp("archive"), start=now - 12 * DAY, end=now + 3 * DAY)
    with filled(tmp_path_factory.mktemp("store"), batch, now) as opened:
        yield opened


def propose(basin: Basin, store: SqliteStore, now: int) -> tuple[Plan, list[Event]]:
    plan = Plan(basin)
    return plan, plan.step([notice(basin, "99000600", now)], store, now)


def test_a_warning_below_the_dam_brings_one_what_if_and_one_proposal(
    basin: Basin, store: SqliteStore, now: int
) -> None:
    _, events = propose(basin, store, now)
    assert [(each.kind, each.state) for each in events] == [("rehearsal", "run"), ("proposal", "proposed")]
    what_if, proposal = record(events[0], RehearsalRun), record(events[1], Proposal)
    assert "holds back" in what_if.name["en"]
    assert proposal.id == "proposal:qingxi_reservoir:20210705T0600Z"
    assert len(proposal.releases[DAM]) == 96
    names = [each["name"]["en"] for each in proposal.compared]
    assert names[0] == "optimised schedule"
    assert {"as in like states before", "by the flood-control rules"} < set(names)
    assert [each["loss"] for each in proposal.compared[1:]] == sorted(each["loss"] for each in proposal.compared[1:])
    assert proposal.title["en"].endswith(names[0])
    assert set(proposal.reason) == {"zh", "en"}
    usual = next(each for each in proposal.compared if each["name"]["en"].startswith("as in like"))
    assert proposal.compared[0]["exceedance_m_h"] < usual["exceedance_m_h"]


def test_every_schedule_keeps_range_and_ramp(basin: Basin, store: SqliteStore, now: int) -> None:
    _, events = propose(basin, store, now)
    reservoir = basin.reservoirs[0]
    schedule = np.array(record(events[1], Proposal).releases[DAM])
    assert schedule.min() >= reservoir.release_range[0]
    assert schedule.max() <= reservoir.release_range[1]
    assert np.abs(np.diff(schedule)).max() <= reservoir.release_ramp + 0.11
    jump = bounded(reservoir, np.array([5000.0] * 20), 100.0)
    assert np.diff(jump).max() == pytest.approx(reservoir.release_ramp)
    assert jump[-1] == reservoir.release_range[1]


def test_the_same_state_gives_the_same_proposal(basin: Basin, store: SqliteStore, now: int) -> None:
    assert propose(basin, store, now)[1] == propose(basin, store, now)[1]


@pytest.mark.parametrize(
    ("station", "severity", "state"),
    [("99000400", "red", "issued"), ("99000600", "blue", "issued"), ("99000600", "yellow", "withdrawn")],
    ids=["not below a dam", "blue", "withdrawn"],
)
def test_other_notices_bring_nothing(
    basin: Basin, store: SqliteStore, now: int, station: str, severity: str, state: str
) -> None:
    assert Plan(basin).step([notice(basin, station, now, severity, state)], store, now) == []


def test_one_open_proposal_is_enough_and_it_lapses_after_a_day(basin: Basin, store: SqliteStore, now: int) -> None:
    plan, first = propose(basin, store, now)
    again = [notice(basin, "99000600", now, state="updated")]
    assert plan.step(again, store, now + 6 * HOUR) == []
    lapsed = plan.step([], store, now + 24 * HOUR)
    assert [(each.id, each.state) for each in lapsed] == [(first[1].id, "lapsed")]
    assert plan.step([], store, now + 25 * HOUR) == []
    assert [each.kind for each in plan.step(again, store, now + 26 * HOUR)] == ["rehearsal", "proposal"]


def test_a_proposal_is_decided_once_and_by_name(basin: Basin, store: SqliteStore, now: int) -> None:
    plan, events = propose(basin, store, now)
    event = plan.decide(events[1].id, True, "值班员", "同意", now + HOUR)
    decided = record(event, Proposal)
    assert (event.state, decided.decided_by, decided.note) == ("accepted", "值班员", "同意")
    with pytest.raises(BadInput, match="accepted already"):
        plan.decide(events[1].id, False, "值班员", "", now + 2 * HOUR)
    with pytest.raises(NotFound, match="no proposal 'proposal:none'"):
        plan.decide("proposal:none", False, "值班员", "", now)
    assert plan.step([], store, now + 30 * HOUR) == []


def test_it_is_remembered_through_a_restart(basin: Basin, store: SqliteStore, now: int) -> None:
    plan, events = propose(basin, store, now)
    risen = Plan(basin)
    risen.load(plan.dump())
    assert risen.dump() == plan.dump()
    assert risen.step([notice(basin, "99000600", now)], store, now + HOUR) == []
    assert risen.decide(events[1].id, False, "a", "", now + HOUR) == plan.decide(
        events[1].id, False, "a", "", now + HOUR
    )
    assert risen.dump() == plan.dump()


def test_where_no_forecast_is_possible_nothing_is_proposed(basin: Basin, now: int, tmp_path: Path) -> None:
    batch = observations(basin, tmp_path, start=now - 12 * DAY, end=now + DAY)
    with filled(tmp_path / "empty", batch.take(batch.time > now), now) as empty:
        assert Plan(basin).step([notice(basin, "99000600", now)], empty, now) == []
