"""Numbered floods against the public record, on the real archive, from any start and in any step."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.events import Event, NumberedFlood, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.alert import Alert, Rules, read_rules
from liuyu.monitor.assess import Assess

YANGTZE = Path(__file__).parents[2] / "basins/yangtze"
COLUMNS = {"z_m": "water_level", "q_m3s": "discharge", "inflow_m3s": "reservoir_inflow"}
CRITERIA = ("60105400", "60106980", "60111200", "60112200", "60113400", "60115000")
RECORD_2020 = {
    3: ("长江2020年第3号洪水", "2020-07-26T14:00+08:00", "60106980"),
    4: ("长江2020年第4号洪水", "2020-08-14T05:00+08:00", "60105400"),
    5: ("长江2020年第5号洪水", "2020-08-17T14:00+08:00", "60105400"),
}

needs_data = pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")


@cache
def yangtze() -> tuple[Basin, Rules]:
    basin = read_basin(YANGTZE)
    return basin, read_rules([YANGTZE / "rules/floods.toml"], basin)


@cache
def archive() -> Batch:
    """Every reading of the criterion stations, unchecked: faults and all."""
    from pyarrow import parquet  # noqa: PLC0415  only where the bundle is

    path = bundle_file("yangtze_gauges_hourly/observations.parquet")
    table = parquet.read_table(path, columns=["stcd", "time_cst", *COLUMNS], filters=[("stcd", "in", list(CRITERIA))])
    basin, _ = yangtze()
    time = np.asarray(table["time_cst"]).astype("datetime64[s]").astype(np.int64) - 8 * HOUR
    station = np.array([basin.roster.number[code] for code in table["stcd"].to_pylist()], np.int32)
    parts = []
    for column, name in COLUMNS.items():
        value = np.round(np.asarray(table[column]).astype(np.float64), 3)
        rows = np.flatnonzero(np.isfinite(value))
        kind = np.full(len(rows), quantity(name).number)
        parts.append(Batch.of(basin.roster, station[rows], kind, time[rows], value[rows], np.ones(len(rows))))
    return Batch.join(parts).ordered()


def replay(start: str, end: str, hours: int, *, broken: bool = False) -> list[Event]:
    basin, rules = yangtze()
    assess, alert, batch = Assess(basin), Alert(basin, rules), archive()
    first, last = (epoch(parse_time(text, basin.zone)) for text in (start, end))
    events: list[Event] = []
    for now in range(first + hours * HOUR, last + 1, hours * HOUR):
        low, high = np.searchsorted(batch.time, [now - hours * HOUR, now], side="right")
        events += alert.step(assess.step(batch.take(slice(low, high)), now), now)
        if broken:
            blob, alert = alert.dump(), Alert(basin, rules)
            alert.load(blob)
    return events


def floods(events: list[Event]) -> dict[int, tuple[str, str, str]]:
    zone = yangtze()[0].zone
    found = [record(event, NumberedFlood) for event in events if event.kind == "numbered_flood"]
    return {
        each.number: (each.name, moment(epoch(each.time), zone).isoformat(timespec="minutes"), each.station)
        for each in found
    }


@pytest.mark.data
@needs_data
def test_the_summer_of_2020_as_the_public_record_has_it() -> None:
    events = replay("2020-07-18", "2020-09-30", 1)
    assert floods(events) == RECORD_2020
    assert len(events) == 3
    last = events[-1].body
    assert (last["name_en"], last["value"], last["section"]) == ("Yangtze Flood No. 5 of 2020", 50100.0, "upstream")
    assert last["why"][0]["zh"] == "2020-08-17 14:00 寸滩流量 50100 m³/s，达到编号标准 50000 m³/s"


@pytest.mark.data
@needs_data
@pytest.mark.parametrize(
    ("start", "numbers"),
    [
        ("2020-07-20", (3, 4, 5)),
        ("2020-07-26", (3, 4, 5)),
        ("2020-07-27", (4, 5)),
        ("2020-08-10", (4, 5)),
        ("2020-08-14", (4, 5)),
        ("2020-08-15", (5,)),
        ("2020-08-16", (5,)),
        ("2020-08-17", (5,)),
        ("2020-08-18", ()),
        ("2020-09-01", ()),
    ],
)
def test_started_on_any_day_the_numbers_are_right(start: str, numbers: tuple[int, ...]) -> None:
    found = floods(replay(start, "2020-09-15", 3))
    assert found == {number: RECORD_2020[number] for number in numbers}


@pytest.mark.data
@needs_data
def test_six_years_of_unchecked_readings_hold_one_more_flood_and_no_false_one() -> None:
    events = replay("2020-07-18", "2026-08-24", 24)
    names = [event.body["name"] for event in events]
    assert names == [name for name, _, _ in RECORD_2020.values()] + ["长江2021年第1号洪水"]
    assert events[-1].time.isoformat() == "2021-09-06T06:00:00+00:00"


@pytest.mark.data
@needs_data
def test_killed_after_every_step_the_count_is_the_same() -> None:
    assert replay("2020-08-10", "2020-08-31", 6, broken=True) == replay("2020-08-10", "2020-08-31", 6)


def outline(basin: Basin, flows: list[float], start: str, step: int = HOUR) -> Batch:
    """Discharges at 寸滩."""
    first, kind = epoch(parse_time(start, basin.zone)), quantity("discharge").number
    place = basin.roster.number["60105400"]
    return Batch.of(
        basin.roster,
        [place] * len(flows),
        [kind] * len(flows),
        [first + step * number for number in range(len(flows))],
        flows,
        [1] * len(flows),
    )


def test_a_late_crossing_of_the_past_makes_no_flood_and_the_event_bears_the_gauge_s_time() -> None:
    basin, rules = yangtze()
    assess, alert = Assess(basin), Alert(basin, rules)
    start = epoch(parse_time("2021-07-01T00:00", basin.zone))
    now = start + 10 * HOUR
    quiet = outline(basin, [45000.0, 46000.0], "2021-07-01T08:00")
    assert alert.step(assess.step(quiet, now), now) == []
    late = outline(basin, [51000.0, 52000.0], "2021-07-01T04:00")
    assert alert.step(assess.step(late, now), now) == []
    crossing = outline(basin, [49000.0, 50000.0, 51000.0], "2021-07-01T10:30", 1800)
    (event,) = alert.step(assess.step(crossing, start + 13 * HOUR), start + 13 * HOUR)
    assert event.time == moment(start + 11 * HOUR)
    assert (event.id, event.state) == ("flood:yangtze:2021:1", "numbered")
