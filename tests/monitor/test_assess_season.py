"""Flood-season statistics, against a season small enough to count by hand, and the record flood of 2020."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.clock import HOUR, epoch, parse_time
from liuyu.basin.places import Season, Threshold
from liuyu.basin.series import Series
from liuyu.monitor.assess import season_statistics

ZONE = ZoneInfo("Asia/Shanghai")
SUMMER = Season(start=(5, 1), end=(10, 15))


def series(start: str, values: list[float], flag: list[int] | None = None, step: int = HOUR) -> Series:
    time = epoch(parse_time(start, ZONE)) + step * np.arange(len(values))
    flags = np.array(flag or [1] * len(values), np.uint8)
    return Series("A", "water_level", time.astype(np.int64), np.array(values), flags)


def line(value: float, **more: object) -> Threshold:
    return Threshold(station="A", quantity="water_level", kind="warning", value=value, **more)  # type: ignore[arg-type]


def test_a_season_counted_by_hand() -> None:
    found = season_statistics(series("2020-07-01", [26.0, 27.3, 27.5, 27.0, 27.4, 26.0]), [line(27.3)], ZONE, SUMMER)
    (one,) = found
    assert (one.maximum, one.maximum_time.isoformat()) == (27.5, "2020-07-01T02:00:00+08:00")
    assert (one.minimum, one.minimum_time.isoformat()) == (26.0, "2020-07-01T00:00:00+08:00")
    above = one.exceedances[0]
    assert (above.hours, above.count) == (3.0, 2)
    assert above.first is not None
    assert above.last is not None
    assert (above.first.hour, above.last.hour) == (1, 4)
    assert one.coverage == 1.0


def test_a_gap_adds_no_hours_above_the_line() -> None:
    sparse = series("2020-07-01", [28.0, 28.0, 20.0], step=48 * HOUR)
    (one,) = season_statistics(sparse, [line(27.3)], ZONE, SUMMER)
    assert one.exceedances[0].hours == 12.0
    assert one.coverage < 0.2


def test_distrusted_values_and_other_seasons_do_not_count() -> None:
    (one,) = season_statistics(series("2020-07-01", [26.0, 99.0, 26.5], [1, 4, 2]), [], ZONE, SUMMER)
    assert (one.maximum, one.count) == (26.5, 2)
    assert season_statistics(series("2020-01-01", [26.0, 99.0]), [], ZONE, SUMMER) == ()


def test_years_are_ranked_by_their_peaks() -> None:
    parts = [series(f"{year}-07-01", [20.0, peak]) for year, peak in ((2020, 28.7), (2021, 25.2), (2022, 26.0))]
    joined = Series(
        "A", "water_level", *(np.concatenate([getattr(p, n) for p in parts]) for n in ("time", "value", "flag"))
    )
    found = season_statistics(joined, [], ZONE, SUMMER)
    assert [(each.year, each.rank) for each in found] == [(2020, 1), (2021, 3), (2022, 2)]


def test_a_season_over_new_year_belongs_to_the_year_it_began_in() -> None:
    winter = Season(start=(11, 1), end=(3, 31))
    found = season_statistics(series("2020-12-31T12:00", [5.0] * 24), [line(6.0, side="below")], ZONE, winter)
    assert [each.year for each in found] == [2020]
    assert found[0].exceedances[0].hours == 24.0


def test_a_seasonal_line_counts_in_its_season_alone() -> None:
    limit = line(145.0, season=Season(start=(7, 1), end=(7, 31)))
    (one,) = season_statistics(series("2020-06-30T22:00", [150.0] * 5), [limit], ZONE, SUMMER)
    assert one.exceedances[0].hours == 3.0


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_the_flood_of_2020_at_cuntan() -> None:
    from pyarrow import parquet  # noqa: PLC0415  only where the bundle is

    columns = ["stcd", "time_cst", "z_m"]
    path = bundle_file("yangtze_gauges_hourly/observations.parquet")
    table = parquet.read_table(path, columns=columns, filters=[("stcd", "=", "60105400")]).drop_null()
    wall = np.asarray(table["time_cst"]).astype("datetime64[s]").astype(np.int64)
    level = np.round(np.asarray(table["z_m"]).astype(np.float64), 3)
    whole = Series("60105400", "water_level", wall - 8 * HOUR, level, np.ones(len(level), np.uint8))
    found = {each.year: each for each in season_statistics(whole, [line(183.5)], ZONE, SUMMER)}
    assert (found[2020].maximum, found[2020].rank) == (191.55, 1)
    assert found[2020].maximum_time.isoformat() == "2020-08-20T08:00:00+08:00"
    assert found[2020].exceedances[0].count >= 2
    assert found[2022].exceedances[0].count == 0
