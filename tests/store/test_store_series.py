"""Series, latest values and what else observations are asked for."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Written
from tests.store.engines import AnyStore, Engine

NOON = 1_597_060_800
HOUR = 3600
DAY = 86400
ROSTER = Roster(("60105400", "60112200", "62601600"))


def hourly(station: int, count: int, start: int = NOON, quantity: int = 1) -> Batch:
    time_ = start + HOUR * np.arange(count)
    return Batch.of(ROSTER, [station] * count, [quantity] * count, time_, np.round(20 + np.sin(time_ / DAY), 3))


def test_series_is_closed_at_the_start_and_open_at_the_end(store: AnyStore) -> None:
    store.write(hourly(1, 5), received=NOON + 5 * HOUR)
    found = store.series("60112200", "water_level", NOON + HOUR, NOON + 3 * HOUR)
    assert found.time.tolist() == [NOON + HOUR, NOON + 2 * HOUR]
    assert found.value.tolist() == hourly(1, 5).value[1:3].tolist()
    assert [str(each.dtype) for each in (found.time, found.value, found.flag)] == ["int64", "float64", "uint8"]
    assert len(store.series("60112200", "water_level", NOON, NOON)) == 0
    assert len(store.series("never met", "water_level", 0, 2 * NOON)) == 0


def test_values_come_back_bit_for_bit(store: AnyStore) -> None:
    values = np.random.default_rng(7).integers(-(2**63), 2**63, 2_000).view(np.float64)
    values[:5] = [np.nan, np.inf, -np.inf, 5e-324, 1.7976931348623157e308]
    times = NOON + 60 * np.arange(len(values))
    store.write(Batch.of(ROSTER, [0] * len(values), [2] * len(values), times, values), received=NOON)
    assert np.array_equal(store.series("60105400", "discharge", NOON, NOON + DAY * 2).value, values, equal_nan=True)


def test_times_before_1970_have_their_place(store: AnyStore) -> None:
    start = -600_000_000
    store.write(hourly(0, 50, start), received=start + 60 * HOUR)
    assert len(store.series("60105400", "water_level", start, start + 50 * HOUR)) == 50
    assert store.rollup("60105400", "water_level", start - DAY, start + 3 * DAY, HOUR).count.tolist() == [1] * 50


def test_writing_again_changes_nothing_and_a_correction_keeps_the_older_value(store: AnyStore) -> None:
    batch = hourly(0, 10)
    assert store.write(batch, received=NOON + 10) == Written(10, 0, 0)
    assert store.write(batch, received=NOON + 20) == Written(0, 10, 0)
    twice = Batch.of(ROSTER, [0, 0, 0], [1, 1, 1], [NOON, NOON, NOON], [1.0, 1.0, 2.0])
    assert store.write(twice, received=NOON + 30) == Written(0, 1, 2)
    kept = store.versions("60105400", "water_level", NOON)
    assert [(each.value, each.received, each.replaced) for each in kept] == [
        (batch.value[0], NOON + 10, NOON + 30),
        (1.0, NOON + 30, NOON + 30),
    ]


def test_a_station_may_be_met_first_in_a_forecast(store: AnyStore) -> None:
    store.write(hourly(0, 1), received=NOON)
    members = np.ones((2, 1))
    provenance = Provenance(code="liuyu", version="0")
    store.put_forecasts(
        [
            Forecast(
                station=ROSTER.codes[1],
                quantity="water_level",
                issued=moment(NOON),
                model="m",
                time=np.array([NOON + 1]),
                members=members,
                drivers={},
                provenance=provenance,
            )
        ]
    )
    assert store.write(hourly(1, 1), received=NOON) == Written(1, 0, 0)
    assert store.latest(ROSTER).station.tolist() == [0, 1]


def test_latest_follows_corrections_flags_and_the_past(store: AnyStore) -> None:
    store.write(hourly(0, 4), received=NOON)
    store.write(hourly(2, 2, NOON - 30 * DAY), received=NOON)
    assert store.latest(ROSTER).time.tolist() == [NOON + 3 * HOUR, NOON - 30 * DAY + HOUR]
    newest = Batch.of(ROSTER, [0], [1], [NOON + 3 * HOUR], [20.0], [4])
    assert store.reflag(newest) == 1
    assert store.latest(ROSTER).time[0] == NOON + 2 * HOUR
    assert store.reflag(newest.flagged(np.array([1], np.uint8))) == 1
    assert store.latest(ROSTER).time[0] == NOON + 3 * HOUR
    store.write(Batch.of(ROSTER, [0], [1], [NOON + 3 * HOUR], [np.nan]), received=NOON)
    assert store.latest(ROSTER).time[0] == NOON + 2 * HOUR
    past = store.latest(ROSTER, at=NOON + HOUR + 1)
    assert past.station.tolist() == [0]
    assert past.time.tolist() == [NOON + HOUR]
    assert len(store.latest(Roster(("62601600",)), at=NOON - 30 * DAY)) == 1


def test_window_uses_the_places_of_the_roster_that_is_given(store: AnyStore) -> None:
    store.write(
        Batch.join([hourly(place, 3, quantity=number) for place in range(3) for number in (1, 2)]), received=NOON
    )
    other = Roster(("x", "62601600", "60105400"))
    found = store.window([], [], NOON, NOON + DAY, other)
    assert np.unique(found.station).tolist() == [1, 2]
    assert len(found) == 12
    assert len(store.window(["62601600"], ["discharge"], NOON, NOON + DAY, other)) == 3
    assert len(store.window([], ["discharge"], NOON, NOON + HOUR, other)) == 2
    assert len(store.window(["x"], [], NOON, NOON + DAY, other)) == 0
    with pytest.raises(NotFound, match="60112200"):
        store.window(["60112200"], [], NOON, NOON + DAY, other)
    with pytest.raises(NotFound, match="water_level"):
        store.window([], ["water_levle"], NOON, NOON + DAY, other)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"station": [3]}, "station place 3 is outside the roster of 3"),
        ({"station": [-1]}, "station place -1"),
        ({"quantity": [999]}, "quantity 999 is none of"),
        ({"flag": [5]}, "flag 5 is none of 1, 2, 3, 4, 9"),
        ({"value": [1.0, 2.0]}, "lengths"),
    ],
)
def test_a_batch_that_cannot_be_kept_is_refused_whole(store: AnyStore, change: dict[str, Any], message: str) -> None:
    columns: dict[str, Any] = {"station": [0], "quantity": [1], "time": [NOON], "value": [1.0], "flag": [2]} | change
    with store.transaction():
        store.save_state("before", b"kept")
        with pytest.raises(BadInput, match=message):
            store.write(Batch.of(ROSTER, **columns), received=NOON)
    assert store.load_state("before") == b"kept"


def test_rollups_do_not_depend_on_the_order_of_arrival(engine: Engine, tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(1e6, 1, 3_000)
    batch = Batch.of(ROSTER, [0] * 3_000, [2] * 3_000, NOON + 300 * np.arange(3_000), values)
    found = []
    for name, shares in (("straight", [slice(None)]), ("late", [slice(1_000, 3_000), slice(0, 1_000)])):
        with engine.open(tmp_path / name) as store:
            for share in shares:
                store.write(batch.take(share), received=NOON + 300 * 3_000)
            found.append([store.rollup("60105400", "discharge", 0, 2 * NOON, step) for step in (HOUR, DAY)])
    for straight, late in zip(*found, strict=True):
        assert straight.mean.tobytes() == late.mean.tobytes()
        assert straight.count.sum() == late.count.sum() == 3_000
    with engine.open(tmp_path / "late") as store, pytest.raises(BadInput, match="step 7 s"):
        store.rollup("60105400", "discharge", 0, NOON, 7)


def test_a_station_whose_clock_runs_ahead_closes_no_hour(store: AnyStore) -> None:
    store.write(Batch.of(ROSTER, [0, 1], [1, 1], [NOON, 4 * NOON], [1.0, 2.0]), received=NOON + 60)
    store.write(Batch.of(ROSTER, [0], [1], [NOON + 600], [3.0]), received=NOON + 660)
    assert store.rollup("60105400", "water_level", NOON, NOON + HOUR, HOUR).mean.tolist() == [2.0]
    assert store.rollup("60112200", "water_level", 0, 8 * NOON, HOUR).time.tolist() == [4 * NOON // HOUR * HOUR]


def test_readers_in_other_threads_see_whole_transactions_only(store: AnyStore) -> None:
    """Each transaction writes one value for every station; a reader must never see some stations ahead of others."""
    torn: list[list[int]] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            times = store.latest(ROSTER).time.tolist()
            if len(set(times)) > 1 or len(times) not in (0, 3):
                torn.append(times)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for step in range(40):
        with store.transaction():
            for place in range(3):
                store.write(hourly(place, 1, NOON + step * HOUR), received=NOON + step * HOUR)
    done.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert store.latest(ROSTER).time.tolist() == [NOON + 39 * HOUR] * 3


def test_a_thread_that_computes_does_not_hold_up_the_store(store: AnyStore) -> None:
    """Row by row, 20,000 rows beside a busy thread take minutes; as columns they take as long as ever."""
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1_000))

    roster = Roster(tuple(f"{number:05d}" for number in range(20_000)))
    batch = Batch.of(roster, range(20_000), [1] * 20_000, [NOON] * 20_000, np.arange(20_000.0))
    busy = threading.Thread(target=compute)
    busy.start()
    try:
        start = time.monotonic()
        store.write(batch, received=NOON)
        assert len(store.latest(roster)) == 20_000
        assert len(store.window([], [], NOON, NOON + 1, roster)) == 20_000
        assert time.monotonic() - start < 20
    finally:
        stop.set()
        busy.join()
