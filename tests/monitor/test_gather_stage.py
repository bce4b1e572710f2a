"""The gate: order, doubles, clocks, late data, and who is silent."""

from __future__ import annotations

import time as stopwatch
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.bundle import bundle_folder
from liuyu.basin.clock import DAY, HOUR, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, LateData, SourceNote, record
from liuyu.basin.package import basin_file, find_basin, read_basin
from liuyu.basin.places import Basin, Station
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.gather import Gather, Gathered
from liuyu.monitor.sense import Archive

START = 1_597_881_600  # 2020-08-20 00:00 UTC
Row = tuple[int, int, int, float]


def network(size: int, interval: int = HOUR) -> Basin:
    stations = tuple(
        Station(code=f"S{place}", name=f"{place}号", name_en=f"Gauge {place}", interval=interval)
        for place in range(size)
    )
    return Basin(
        code="net", name="网", name_en="Net", time_zone="Asia/Shanghai", synthetic=True, folder="", stations=stations
    )


def batch(basin: Basin, rows: Iterable[Row]) -> Batch:
    """A batch of (station, quantity, hours after START, value)."""
    station, kind, hours, value = zip(*rows, strict=True) if (rows := list(rows)) else ((), (), (), ())
    return Batch.of(basin.roster, station, kind, [START + int(each * HOUR) for each in hours], value, source="test")


def rows_of(found: Batch) -> list[Row]:
    hours = ((found.time - START) / HOUR).tolist()
    return list(zip(found.station.tolist(), found.quantity.tolist(), hours, found.value.tolist(), strict=True))


def hourly(gather: Gather, basin: Basin, hours: Iterable[int], stations: Iterable[int]) -> list[Event]:
    """Steps hour by hour in which some stations report the hour."""
    events: list[Event] = []
    for hour in hours:
        step = gather.step(batch(basin, [(place, 1, hour, float(hour)) for place in stations]), START + hour * HOUR)
        events += step.events
    return events


def words(events: Iterable[Event]) -> list[tuple[str, str, int]]:
    return [(each.id, each.state, (each.time - moment(START)) // (moment(HOUR) - moment(0))) for each in events]


# order and doubles


def test_a_batch_leaves_in_order_and_without_doubles() -> None:
    basin = network(3)
    rows = [(2, 1, 1, 5.0), (0, 2, 1, 7.0), (0, 1, 1, 6.0), (2, 1, 0, 4.0), (0, 1, 1, 6.0)]
    found = Gather(basin).step(batch(basin, rows), START + HOUR)
    assert rows_of(found.batch) == [(2, 1, 0, 4.0), (0, 1, 1, 6.0), (0, 2, 1, 7.0), (2, 1, 1, 5.0)]
    assert not found.late.any()
    assert found.asides == ()
    assert found.events == ()


def test_of_two_values_for_one_time_the_later_counts_and_the_other_is_kept() -> None:
    basin = network(1)
    found = Gather(basin).step(batch(basin, [(0, 1, 0, 5.0), (0, 1, 0, 6.0)]), START)
    assert rows_of(found.batch) == [(0, 1, 0, 6.0)]
    (aside,) = found.asides
    assert aside.reason == "another value for the same time came with it: 1 value"
    assert aside.payload == b"stcd,time,quantity,value\nS0,2020-08-20T00:00:00+00:00,water_level,5\n"


def test_the_newest_value_sent_again_is_dropped() -> None:
    basin = network(1)
    gather = Gather(basin)
    gather.step(batch(basin, [(0, 1, 0, 5.0)]), START)
    again = gather.step(batch(basin, [(0, 1, 0, 5.0), (0, 1, 1, 5.1)]), START + HOUR)
    assert rows_of(again.batch) == [(0, 1, 1, 5.1)]
    assert again.events == ()


@settings(max_examples=100, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 4), st.sampled_from([1, 2, 6]), st.integers(-50, 0), st.sampled_from([1.0, 2.0])),
        max_size=60,
    )
)
def test_order_and_keys_hold_for_any_batch(rows: list[Row]) -> None:
    basin = network(5)
    found = Gather(basin).step(batch(basin, rows), START).batch
    keys = [(hour, place, kind) for place, kind, hour, _ in rows_of(found)]
    assert keys == sorted({(hour, place, kind) for place, kind, hour, _ in rows})
    last = {(hour, place, kind): value for place, kind, hour, value in rows}
    assert [value for *_, value in rows_of(found)] == [last[key] for key in keys]


# clocks


def test_a_clock_far_ahead_is_set_aside_and_a_little_ahead_is_not() -> None:
    basin = network(2)
    gather = Gather(basin)
    found = gather.step(batch(basin, [(0, 1, 0.2, 5.0), (1, 1, 0.3, 5.0), (1, 1, 39 * 365 * 24, 5.0)]), START)
    assert rows_of(found.batch) == [(0, 1, 0.2, 5.0)]
    assert [each.reason for each in found.asides] == ["clock more than 15 min ahead: 2 values"]
    assert found.asides[0].payload.count(b"S1,") == 2
    later = gather.step(batch(basin, [(1, 1, 1, 5.0)]), START + HOUR)
    assert not later.late.any(), "a value that was set aside must leave no trace"


def test_what_is_no_number_is_set_aside() -> None:
    basin = network(1)
    found = Gather(basin).step(batch(basin, [(0, 1, 0, float("nan")), (0, 2, 0, float("inf"))]), START)
    assert len(found.batch) == 0
    assert [each.reason for each in found.asides] == ["not a number: 2 values"]


# late data


def test_late_values_are_marked_and_told_once_a_burst() -> None:
    basin = network(2)
    gather = Gather(basin)
    gather.step(batch(basin, [(0, 1, 10, 5.0), (1, 1, 10, 5.0)]), START + 10 * HOUR)
    found = gather.step(batch(basin, [(0, 1, 8, 4.8), (0, 1, 9, 4.9), (1, 1, 11, 5.1)]), START + 11 * HOUR)
    assert found.late.tolist() == [True, True, False]
    (event,) = found.events
    note = record(event, LateData)
    assert (event.kind, event.state, note.station, note.count) == ("late", "reopened", "S0", 2)
    assert event.id == "late:S0:20200820T0800Z"
    assert note.first == moment(START + 8 * HOUR)
    assert "2 late values from 2020-08-20 16:00" in note.title["en"]
    more = gather.step(batch(basin, [(0, 1, 7, 4.7)]), START + 12 * HOUR)
    assert more.late.tolist() == [True]
    assert more.events == (), "still the same burst"
    assert [each.kind for each in gather.step(batch(basin, [(0, 1, 6, 4.6)]), START + 30 * HOUR).events][:1] == ["late"]


def test_a_correction_of_the_newest_value_is_late() -> None:
    basin = network(1)
    gather = Gather(basin)
    gather.step(batch(basin, [(0, 1, 0, 5.0)]), START)
    found = gather.step(batch(basin, [(0, 1, 0, 5.5)]), START + HOUR)
    assert (rows_of(found.batch), found.late.tolist()) == ([(0, 1, 0, 5.5)], [True])
    assert len(gather.step(batch(basin, [(0, 1, 0, 5.5)]), START + 2 * HOUR).batch) == 0


def test_quantities_are_late_each_for_itself() -> None:
    basin = network(1)
    gather = Gather(basin)
    gather.step(batch(basin, [(0, 1, 5, 5.0)]), START + 5 * HOUR)
    assert not gather.step(batch(basin, [(0, 2, 4, 300.0)]), START + 5 * HOUR).late.any()


# silence


def test_a_silent_station_is_told_once_and_once_when_it_returns() -> None:
    basin = network(6)
    gather = Gather(basin)
    assert hourly(gather, basin, range(5), range(6)) == []
    silent = hourly(gather, basin, range(5, 30), range(5))
    assert words(silent) == [("source:S5", "silent", 8)]
    assert record(silent[0], SourceNote).last == moment(START + 4 * HOUR)
    assert silent[0].body["title"]["zh"] == "5号站已4.0小时无数据，最后数据2020-08-20 12:00"
    assert words(hourly(gather, basin, range(30, 35), range(6))) == [("source:S5", "returned", 30)]


def test_a_silent_network_is_one_event_and_not_one_for_each_station() -> None:
    basin = network(50)
    gather = Gather(basin)
    hourly(gather, basin, range(5), range(50))
    assert words(hourly(gather, basin, range(5, 80), ())) == [("source:network", "silent", 8)]
    back = hourly(gather, basin, range(80, 90), range(48))
    assert words(back)[0] == ("source:network", "returned", 80)
    assert words(back)[1:] == [("source:S48", "silent", 84), ("source:S49", "silent", 84)]


def test_the_network_is_suspected_before_its_quickest_stations_are_blamed() -> None:
    quick, slow = network(10, 300).stations[:4], network(10).stations[4:]
    basin = Basin(
        code="net", name="网", name_en="Net", time_zone="UTC", synthetic=True, folder="", stations=(*quick, *slow)
    )
    gather, events = Gather(basin), []
    for step in range(12 * 30):
        hour = step / 12
        here = [] if 10 <= hour < 20 else [(place, 1, hour, 1.0) for place in range(10) if place < 4 or step % 12 == 0]
        events += gather.step(batch(basin, here), START + step * 300).events
    assert [each.id for each in events if each.state == "returned"].count("source:network") == 1
    assert "source:network" in [each.id for each in events if each.state == "silent"]
    assert not [each for each in events if each.state == "silent" and each.subject in ("S5", "S6", "S7", "S8", "S9")]


def test_a_station_that_never_reported_is_not_silent() -> None:
    basin = network(6)
    assert hourly(Gather(basin), basin, range(200), range(5)) == []


def test_a_station_that_reports_seldom_is_learned_to_do_so() -> None:
    basin = network(6)
    gather, states = Gather(basin), []
    for hour in range(60 * 24):
        here = [0, 1, 2, 3, 4, 5] if hour % 6 == 0 else [0, 1, 2, 3, 4]
        events = gather.step(batch(basin, [(place, 1, hour, 1.0) for place in here]), START + hour * HOUR).events
        states += [(hour, each.state) for each in events]
    assert states, "at first its long pauses are news"
    assert max(hour for hour, _ in states) < 10 * 24


def test_an_outage_does_not_dull_the_watch() -> None:
    basin = network(6)
    gather = Gather(basin)
    hourly(gather, basin, range(24), range(6))
    hourly(gather, basin, range(24, 96), range(5))
    hourly(gather, basin, range(96, 97), range(6))
    assert words(hourly(gather, basin, range(97, 110), range(5)))[0][2] <= 101


def test_back_fill_does_not_make_a_station_speak_again() -> None:
    basin = network(6)
    gather = Gather(basin)
    hourly(gather, basin, range(5), range(6))
    hourly(gather, basin, range(5, 10), range(5))
    step = gather.step(batch(basin, [(5, 1, 2, 9.0), *((place, 1, 10, 1.0) for place in range(5))]), START + 10 * HOUR)
    assert [each.kind for each in step.events] == ["late"]


# memory


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    cut=st.integers(0, 39),
    size=st.integers(1, 12),
)
def test_a_reloaded_stage_goes_on_bit_for_bit(seed: int, cut: int, size: int) -> None:
    basin = network(size)
    random = np.random.default_rng(seed)
    gather = Gather(basin)
    for step in range(40):
        if step == cut:
            blob = gather.dump()
            gather = Gather(basin)
            gather.load(blob)
            assert gather.dump() == blob
            twin = Gather(basin)
            twin.load(blob)
        many = int(random.integers(0, 3 * size)) * int(random.random() > 0.3)
        given_rows = batch(
            basin,
            [
                (
                    int(random.integers(size)),
                    int(random.choice([1, 2, 6])),
                    step - float(random.choice([0, 0, 0, 2, 5])),
                    1.0,
                )
                for _ in range(many)
            ],
        )
        found = gather.step(given_rows, START + step * HOUR)
        if step >= cut:
            assert_same(found, twin.step(given_rows, START + step * HOUR))
    assert gather.dump() == twin.dump()


def assert_same(one: Gathered, other: Gathered) -> None:
    assert rows_of(one.batch) == rows_of(other.batch)
    assert one.late.tolist() == other.late.tolist()
    assert one.asides == other.asides
    assert one.events == other.events


def test_memory_of_another_basin_and_batch_of_another_roster_are_refused() -> None:
    with pytest.raises(BadInput, match="has 2 stations, net has 3"):
        Gather(network(3)).load(Gather(network(2)).dump())
    with pytest.raises(BadInput, match="numbers other stations than net"):
        Gather(network(3)).step(Batch.empty(Roster(("X",)), "other"), START)


# speed and the real archive


def test_fifty_thousand_values_of_thirty_thousand_stations_pass_quickly() -> None:
    basin = network(30_000, 300)
    gather = Gather(basin)
    random = np.random.default_rng(7)
    series = random.permutation(90_000)
    spent = []
    for step in range(6):
        now = START + step * 300
        for part in (series[:50_000], series[50_000:]):
            station, kind = part // 3, np.array([1, 2, 6])[part % 3]
            times = now - random.integers(0, 300, 30_000)[station]
            values = Batch.of(basin.roster, station, kind, times, random.normal(size=len(part)))
            begun = stopwatch.perf_counter()
            found = gather.step(values, now)
            spent.append(stopwatch.perf_counter() - begun)
            assert len(found.batch) == len(part)
    assert np.median(spent) < 0.2
    begun = stopwatch.perf_counter()
    blob = gather.dump()
    Gather(basin).load(blob)
    assert stopwatch.perf_counter() - begun < 0.3


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="no data bundle")
def test_the_long_gap_of_2022_is_told_as_one_of_the_network() -> None:
    yangtze = read_basin(find_basin("yangtze"))
    path = basin_file(yangtze, yangtze.archive)
    assert path is not None
    archive, gather, events = Archive(path, yangtze), Gather(yangtze), []
    start = 1_659_657_600  # 2022-08-05 00:00 UTC; the gap runs from 6 to 9 August
    for now in range(start, start + 5 * DAY, HOUR):
        events += gather.step(archive.take(now - HOUR, now), now).events
    states = [(each.id, each.state) for each in events if each.subject == "yangtze"]
    assert states == [("source:network", "silent"), ("source:network", "returned")]
    gap = (moment(start + 2 * DAY), moment(start + 4 * DAY))
    assert [each.id for each in events if gap[0] < each.time < gap[1]] == []
