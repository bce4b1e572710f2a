"""The recent past as a table: nothing later than now, spikes out, gaps closed."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.basin.flags import Flag
from liuyu.basin.series import Batch, Roster
from liuyu.twin.model import Model, SeriesModel
from liuyu.twin.window import complete, table

NOW = 1_600_000_000 // 3600 * 3600


def model(count: int = 2) -> Model:
    series = tuple(
        SeriesModel(
            station=f"s{place}", quantity="water_level", lower=0.0, upper=60.0, spike=1.5, mean=30.0, spread=4.0
        )
        for place in range(count)
    )
    correlation = tuple(tuple(1.0 if a == b else 0.9 for b in range(count)) for a in range(count))
    return Model(
        name="t", history_h=48, horizon_h=24, members=3, leads_h=(1,), nodes=(), series=series, correlation=correlation
    )


def batch(hours: list[int], values: list[float], flags: list[int] | None = None) -> Batch:
    count = len(hours)
    return Batch.of(Roster(("s0", "s1")), [0] * count, [1] * count, [NOW + 3600 * h for h in hours], values, flags)


def test_a_table_ends_now_and_holds_nothing_later_or_distrusted() -> None:
    flags = [Flag.GOOD, Flag.GOOD, Flag.BAD, Flag.GOOD]
    found = table(batch([-48, 0, -1, 1], [30.0, 31.0, 99.0, 55.0], flags), NOW, model())
    assert found.shape == (2, 49)
    assert found[0, 0] == 30.0
    assert found[0, -1] == 31.0
    assert np.isfinite(found).sum() == 2


def test_gaps_are_closed_by_straight_lines_and_the_last_value_held() -> None:
    raw = np.full((2, 49), 30.0)
    raw[0, :] = np.linspace(20, 30, 49)
    raw[0, 10:20] = np.nan
    raw[0, 45:] = np.nan
    window = complete(raw, NOW, model())
    assert window.value[0, 10:20] == pytest.approx(np.linspace(20, 30, 49)[10:20])
    assert window.value[0, 45:] == pytest.approx(raw[0, 44])
    assert window.age.tolist() == [4.0, 0.0]


def test_a_spike_is_taken_out_at_the_end_too_and_a_rise_is_kept() -> None:
    raw = np.full((2, 49), 30.0)
    raw[0, 20], raw[0, 48] = 34.0, 33.0
    raw[1] = 30.0 + 0.2 * np.arange(49)
    window = complete(raw, NOW, model())
    assert window.value[0] == pytest.approx(30.0)
    assert window.age[0] == 1.0
    assert window.value[1] == pytest.approx(raw[1])


def test_an_absent_series_is_made_from_the_others() -> None:
    raw = np.full((3, 49), 34.0)
    raw[2] = np.nan
    window = complete(raw, NOW, model(3))
    assert window.age[2] == 49.0
    assert window.value[2] == pytest.approx(33.8, abs=0.1)
