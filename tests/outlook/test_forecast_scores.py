"""Scores, grades and peaks against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.basin.errors import NotFound
from liuyu.outlook.forecast import Judged, crps, find_peak, find_profile, profiles, reliability, score, score_peaks

PROFILE = find_profile()


def judged(members: list[list[float]], at_issue: list[float], observed: list[float]) -> Judged:
    return Judged("A", "water_level", 24, np.array(members), np.array(at_issue), np.array(observed))


def test_scores_are_those_of_the_mean_of_the_members() -> None:
    found = score(judged([[1.0, 1.2], [2.0, 2.4], [3.0, 3.0], [4.5, 4.1]], [1.0, 1.5, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]),
                  PROFILE)  # fmt: skip
    error = np.array([0.1, 0.2, 0.0, 0.3])
    assert found.n == 4
    assert found.rmse == pytest.approx(np.sqrt((error**2).mean()))
    assert found.mae == pytest.approx(0.15)
    assert found.bias == pytest.approx(0.15)
    assert found.rmse_persistence == pytest.approx(0.75)
    assert found.skill == pytest.approx(1 - (error**2).mean() / 0.75**2)
    assert found.nse == found.dc == pytest.approx(1 - (error**2).sum() / 5.0)
    assert found.qr == pytest.approx(50.0), "0.1 m at least, else a fifth of the change: 0.1, 0.1, 0.2, 0.2"
    assert found.grade == "估报"


def test_nothing_to_judge_is_an_empty_row() -> None:
    empty = Judged("A", "discharge", 24, np.empty((0, 5)), np.empty(0), np.empty(0))
    found = score(empty, PROFILE)
    assert (found.n, found.rmse, found.grade) == (0, None, "")
    assert reliability(empty).coverage_80 is None


def test_crps_of_one_member_is_its_error_and_of_two_is_less() -> None:
    assert crps(np.array([[3.0]]), np.array([1.0]))[0] == pytest.approx(2.0)
    assert crps(np.array([[0.0, 2.0]]), np.array([1.0]))[0] == pytest.approx(0.5)
    dice = np.random.Generator(np.random.PCG64(3))
    normal = crps(dice.standard_normal((1, 20000)), np.array([0.0]))[0]
    assert normal == pytest.approx((np.sqrt(2) - 1) / np.sqrt(np.pi), abs=0.01)


def test_a_spread_that_is_right_covers_what_it_says() -> None:
    dice = np.random.Generator(np.random.PCG64(5))
    found = reliability(Judged("A", "water_level", 24, dice.standard_normal((4000, 51)), np.zeros(4000),
                               dice.standard_normal(4000)))  # fmt: skip
    assert found.coverage_80 == pytest.approx(40 / 52, abs=0.02), "between the 6th and the 46th of 51"
    assert found.coverage_50 == pytest.approx(0.5, abs=0.03)
    assert np.abs(np.array(found.ranks) - 0.1).max() < 0.03


@pytest.mark.parametrize(
    ("qr", "dc", "grade"),
    [(85.0, 0.91, "甲"), (85.0, 0.90, "乙"), (84.9, 0.99, "乙"), (70.0, 0.70, "乙"), (99.0, 0.69, "丙"),
     (60.0, 0.50, "丙"), (59.9, 0.99, "估报"), (99.0, 0.49, "估报")],
)  # fmt: skip
def test_the_worse_of_the_two_numbers_decides_the_grade(qr: float, dc: float, grade: str) -> None:
    assert PROFILE.grade(qr, dc) == grade


def test_profiles_are_found_by_name() -> None:
    assert find_profile("GB/T 22482-2008") is profiles()[0]
    with pytest.raises(NotFound, match="GB/T 22482-2008"):
        find_profile("GB/T 22482-2007")


def course(top: int, height: float, hours: int = 72) -> np.ndarray:
    return height - 0.002 * (np.arange(1, hours + 1) - top) ** 2


def test_a_peak_is_met_where_time_and_height_are() -> None:
    came = course(30, 12.0)
    right = find_peak("A", "water_level", 0, 10.0, course(33, 12.2), came, PROFILE)
    late = find_peak("A", "water_level", 0, 10.0, course(45, 12.0), came, PROFILE)
    low = find_peak("A", "water_level", 0, 10.0, course(30, 11.5), came, PROFILE)
    assert right is not None
    assert late is not None
    assert low is not None
    assert (right.met, late.met, low.met) == (True, False, False)
    assert (right.observed_h, right.forecast_h) == (30, 33)
    assert not right.met_by_persistence
    rows = score_peaks([right, late, low])
    assert [(each.lead_from_h, each.n) for each in rows] == [(25, 3)]
    assert rows[0].met == pytest.approx(100 / 3)
    assert rows[0].time_rmse_h == pytest.approx(np.sqrt((9 + 225) / 3))
    assert rows[0].height_rmse_persistence == pytest.approx(2.0)


def test_a_river_that_only_rises_or_was_not_seen_has_no_peak() -> None:
    assert find_peak("A", "water_level", 0, 10.0, course(30, 12.0), course(90, 12.0), PROFILE) is None
    unseen = np.where(np.arange(72) % 3 == 0, course(30, 12.0), np.nan)
    assert find_peak("A", "water_level", 0, 10.0, course(30, 12.0), unseen, PROFILE) is None
