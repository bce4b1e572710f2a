"""Assess: margins in season, robust tendency, return periods, and a memory that late and bad values leave alone."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.basin.assessments import SeriesIndex
from liuyu.basin.clock import HOUR, epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Frequency, Season, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.assess import Assess

ZONE = "Asia/Shanghai"
LEVEL, FLOW = quantity("water_level").number, quantity("discharge").number


def line(station: str, kind: str, value: float, **more: object) -> Threshold:
    return Threshold(station=station, quantity="water_level", kind=kind, value=value, **more)  # type: ignore[arg-type]


BASIN = Basin(
    code="two",
    name="两站",
    name_en="two gauges",
    time_zone=ZONE,
    synthetic=True,
    folder="",
    stations=(
        Station(code="A", name="甲", name_en="A", quantities=("water_level", "discharge")),
        Station(code="B", name="乙", name_en="B", kind="RR"),
    ),
    thresholds=(
        line("A", "warning", 27.3),
        line("A", "guarantee", 29.73),
        line("A", "drought_warning", 15.0, side="below"),
        line("B", "flood_limit", 145.0, season=Season(start=(6, 10), end=(8, 31))),
        line("B", "flood_limit", 150.0, season=Season(start=(9, 1), end=(9, 30))),
    ),
    frequencies=tuple(
        Frequency(station="A", quantity="discharge", return_period=years, value=value)
        for years, value in ((5.0, 50000.0), (20.0, 60000.0), (100.0, 80000.0))
    ),
)


def at(text: str) -> int:
    return epoch(parse_time(text, ZONE))


def batch(*rows: tuple[str, int, int, float] | tuple[str, int, int, float, int]) -> Batch:
    places = [BASIN.roster.number[row[0]] for row in rows]
    flags = [row[4] if len(row) == 5 else Flag.GOOD for row in rows]
    return Batch.of(BASIN.roster, places, [r[1] for r in rows], [r[2] for r in rows], [r[3] for r in rows], flags)


def test_margins_are_signed_and_name_every_line_in_force() -> None:
    start = at("2020-08-10T08:00")
    found = Assess(BASIN).step(batch(("A", LEVEL, start, 27.5), ("B", LEVEL, start, 161.81)), start).records()
    assert found[0].margins == {"warning": 0.2, "guarantee": -2.23, "drought_warning": 12.5}
    assert found[1].margins == {"flood_limit": 16.81}
    assert found[0].station == "A"
    assert found[0].time.timestamp() == start


@pytest.mark.parametrize(
    ("day", "margin"),
    [("2020-06-09T23:59", None), ("2020-06-10T00:00", 10.0), ("2020-08-31T23:59", 10.0), ("2020-09-01T00:00", 5.0),
     ("2020-10-01T00:00", None)],
)  # fmt: skip
def test_a_seasonal_limit_holds_by_the_calendar_of_the_basin(day: str, margin: float | None) -> None:
    found = Assess(BASIN).step(batch(("B", LEVEL, at(day), 155.0)), at(day)).records()
    assert found[0].margins.get("flood_limit") == margin


def test_one_batch_may_straddle_the_change_of_season() -> None:
    late, early = at("2020-08-31T23:00"), at("2020-09-01T01:00")
    found = Assess(BASIN).step(batch(("B", LEVEL, late, 155.0), ("B", LEVEL, early, 155.0)), early)
    assert [each.margins["flood_limit"] for each in found.records()] == [10.0, 5.0]


def test_tendency_is_the_slope_of_the_last_hours_and_shrugs_off_a_wrong_value() -> None:
    start, stage = at("2020-08-10T00:00"), Assess(BASIN)
    levels = [20.0 + 0.05 * hour for hour in range(8)]
    levels[5] += 0.4
    for hour, level in enumerate(levels):
        found = stage.step(batch(("A", LEVEL, start + hour * HOUR, level)), start + hour * HOUR).records()[0]
        if hour < 2:
            assert found.tendency is None
    assert found.tendency == pytest.approx(0.05, abs=0.011)
    assert found.trend == "rising"


def test_tendency_of_readings_every_five_minutes_still_spans_hours() -> None:
    start, stage = at("2020-08-10T00:00"), Assess(BASIN)
    rng = np.random.default_rng(7)
    times = start + 300 * np.arange(12 * 8)
    levels = np.round(20 - 0.03 * (times - start) / HOUR + rng.normal(0, 0.01, len(times)), 3)
    found = stage.step(
        batch(*(("A", LEVEL, int(t), float(v)) for t, v in zip(times, levels, strict=True))), int(times[-1])
    )
    assert found.tendency[-1] == pytest.approx(-0.03, abs=0.005)
    assert found.records()[-1].trend == "falling"


def test_tendency_forgets_what_is_older_than_six_hours() -> None:
    start, stage = at("2020-08-10T00:00"), Assess(BASIN)
    rows = [("A", LEVEL, start + hour * HOUR, 20.0 + hour) for hour in range(3)]
    rows += [("A", LEVEL, start + (20 + hour) * HOUR, 25.0) for hour in range(3)]
    found = stage.step(batch(*rows), start + 30 * HOUR).records()
    assert found[2].tendency == 1.0
    assert found[3].tendency is None
    assert (found[5].tendency, found[5].trend) == (0.0, "steady")


def test_return_periods_lie_between_their_neighbours_on_a_log_scale() -> None:
    start = at("2020-08-10T00:00")
    flows = (49999.0, 50000.0, 55000.0, 60000.0, 90000.0)
    rows = [("A", FLOW, start + number, flow) for number, flow in enumerate(flows)]
    years = [each.return_period for each in Assess(BASIN).step(batch(*rows), start + 10).records()]
    assert years == [None, 5.0, pytest.approx(10.0), 20.0, 100.0]


def test_only_usable_values_are_assessed_and_none_from_the_future() -> None:
    start, stage = at("2020-08-10T00:00"), Assess(BASIN)
    rows = [
        ("A", LEVEL, start, 27.4, Flag.SUSPECT),
        ("A", LEVEL, start, 27.4, Flag.BAD),
        ("A", LEVEL, start, float("nan"), Flag.GOOD),
        ("A", LEVEL, start + HOUR, 27.4, Flag.GOOD),
        ("A", LEVEL, start, 27.4, Flag.NOT_EVALUATED),
    ]
    found = stage.step(batch(*rows), start)
    assert found.current.tolist() == [False, False, False, False, True]
    assert np.isnan(found.margins[:4]).all()
    assert found.records()[4].margins["warning"] == 0.1


def test_a_late_value_is_assessed_but_changes_nothing() -> None:
    start, stage, other = at("2020-08-10T00:00"), Assess(BASIN), Assess(BASIN)
    rows = [("A", LEVEL, start + hour * HOUR, 20.0 + 0.1 * hour) for hour in range(6)]
    stage.step(batch(*rows), start + 6 * HOUR)
    other.step(batch(*rows), start + 6 * HOUR)
    late = stage.step(batch(("A", LEVEL, start + 2 * HOUR, 28.0)), start + 6 * HOUR)
    assert not late.current[0]
    assert late.records()[0].margins["warning"] == pytest.approx(0.7)
    assert stage.dump() == other.dump()


def test_a_correction_of_the_newest_value_counts() -> None:
    start, stage = at("2020-08-10T00:00"), Assess(BASIN)
    for hour, level in enumerate((20.0, 20.1, 25.0)):
        stage.step(batch(("A", LEVEL, start + hour * HOUR, level)), start + hour * HOUR)
    stage.step(batch(("A", LEVEL, start + 2 * HOUR, 20.2)), start + 2 * HOUR)
    found = stage.step(batch(("A", LEVEL, start + 3 * HOUR, 20.3)), start + 3 * HOUR).records()[0]
    assert found.tendency == pytest.approx(0.1)


def test_it_goes_on_from_its_memory_bit_for_bit_and_step_length_does_not_matter() -> None:
    rng = np.random.default_rng(3)
    start, count = at("2020-08-10T00:00"), 200
    time = start + np.sort(rng.integers(0, 100 * HOUR, count))
    whole = Batch.of(
        BASIN.roster, rng.integers(0, 2, count), rng.choice([LEVEL, FLOW], count), time, rng.normal(27, 3, count),
        rng.choice([1, 2, 3, 4], count),
    )  # fmt: skip
    once = Assess(BASIN).step(whole, int(time[-1]))
    stage, parts = Assess(BASIN), []
    for part in np.array_split(np.arange(count), 23):
        parts.append(stage.step(whole.take(part), int(time[part[-1]])))
        blob = stage.dump()
        stage = Assess(BASIN)
        stage.load(blob)
        assert stage.dump() == blob
    for name in ("current", "tendency", "trend", "margins", "return_period"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        assert joined.tobytes() == getattr(once, name).tobytes(), name


def test_a_batch_of_another_basin_is_refused() -> None:
    stranger = Batch.empty(Roster(("X",)))
    with pytest.raises(BadInput, match="basin of 2"):
        Assess(BASIN).step(stranger, 0)
    empty = Basin(code="n", name="n", name_en="n", time_zone=ZONE, synthetic=True, folder="", stations=())
    with pytest.raises(BadInput, match="replay from the start"):
        Assess(BASIN).load(Assess(empty).dump())


def test_places_of_series_are_found_and_named() -> None:
    index = SeriesIndex.of(BASIN)
    assert len(index) == 4
    place = index.place("B", "water_level")
    assert (index.station(place), index.quantity(place)) == ("B", "water_level")
    assert index.place("B", "rainfall") == -1
    assert index.place("C", "water_level") == -1
    odd = batch(("A", quantity("permanganate_index").number, 0, 1.0), ("A", FLOW, 0, 1.0))
    assert index.places(odd).tolist() == [-1, index.place("A", "discharge")]
