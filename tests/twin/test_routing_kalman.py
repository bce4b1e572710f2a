"""Kalman on Muskingum states: finds an unmeasured inflow, never reads ahead, and equals the open run when blind."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.routing import Filter, Reach, fit_reach, forecasts, open_run, tune

Floats = NDArray[np.float64]
HOURS, LEADS = 1500, (1, 6, 24)
REACH = Reach(travel=12.0, x=0.1, share=0.9)
NOISE = Filter(states=0.002, inflow=0.002, gauge=0.01, kept=0.995, size=9000.0)


def inflow() -> Floats:
    draw = np.random.default_rng(3)
    waves = sum(
        size * np.exp(-0.5 * ((np.arange(HOURS) - at) / 40.0) ** 2)
        for at, size in zip(draw.integers(0, HOURS, 9), draw.uniform(2e3, 2e4, 9), strict=True)
    )
    return np.asarray(8000.0 + waves)


def outflow(extra: float = 0.0) -> Floats:
    """Flow at the lower gauge: routed, and from hour 500 on with water that no one measures."""
    unseen = np.where(np.arange(HOURS) >= 500, extra, 0.0)
    seen = open_run(inflow() + unseen / REACH.share, REACH)
    return np.asarray(seen * (1.0 + 0.003 * np.random.default_rng(5).standard_normal(HOURS)))


def test_a_reach_is_found_again() -> None:
    found = fit_reach(inflow(), outflow(), slice(0, 900), travels=np.arange(4.0, 30.0, 2.0), weights=(0.0, 0.1, 0.2))
    assert (found.travel, found.x) == (REACH.travel, REACH.x)
    assert found.share == pytest.approx(0.9, rel=1e-3)
    with pytest.raises(BadInput, match="too few"):
        fit_reach(inflow(), np.full(HOURS, np.nan), slice(0, 900), travels=np.array([4.0]), weights=(0.1,))


def test_an_unmeasured_inflow_is_found_and_forecast() -> None:
    truth = outflow(2000.0)
    error = abs(forecasts(inflow(), truth, REACH, NOISE, LEADS) - truth)[:, 700:]
    plain = abs(open_run(inflow(), REACH) - truth)[700:]
    assert plain.mean() > 1800.0
    assert error.mean(axis=1)[0] < 0.1 * plain.mean()
    assert error.mean(axis=1)[2] < 0.3 * plain.mean()


def test_nothing_ahead_is_read() -> None:
    truth = outflow(2000.0)
    first, later = forecasts(inflow(), truth, REACH, NOISE, LEADS), truth.copy()
    later[1000:] = 1e5
    second = forecasts(inflow(), later, REACH, NOISE, LEADS)
    for row, lead in enumerate(LEADS):
        assert second[row, : 1000 + lead].tobytes() == first[row, : 1000 + lead].tobytes()
        assert second[row, 1000 + lead] != first[row, 1000 + lead]
    blocked = inflow()
    blocked[1000:] = 1e5
    third = forecasts(blocked, truth, REACH, NOISE, LEADS, known=False)
    fourth = forecasts(inflow(), truth, REACH, NOISE, LEADS, known=False)
    for row, lead in enumerate(LEADS):
        assert third[row, : 1000 + lead].tobytes() == fourth[row, : 1000 + lead].tobytes()


def test_without_a_gauge_the_filter_is_the_open_run() -> None:
    blind = np.full(HOURS, np.nan)
    forecast = forecasts(inflow(), blind, Reach(12.0, 0.1, 1.0), NOISE, (6,))
    assert forecast[0, 6 + 1 :] == pytest.approx(open_run(inflow(), Reach(12.0, 0.1, 1.0))[7:], rel=1e-9)


def test_tuning_does_not_lose_to_the_first_guess() -> None:
    truth, period = outflow(2000.0), slice(0, 900)
    tuned = tune(inflow(), truth, REACH, LEADS, period)
    first = Filter(0.01, 0.01, 0.01, 0.99, 9000.0)

    def error(noise: Filter) -> float:
        return float(np.nanmean(abs(forecasts(inflow(), truth, REACH, noise, LEADS) - truth)[:, period]))

    assert error(tuned) <= 1.02 * error(first)
    with pytest.raises(BadInput, match="shorter than the step"):
        forecasts(inflow(), truth, Reach(0.3, 0.1, 1.0), NOISE, LEADS)
