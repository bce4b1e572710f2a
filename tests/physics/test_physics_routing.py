"""Routing against exact answers.

A Muskingum cascade of n sub-reaches with total travel time K and weight x has, for any hydrograph, an outflow whose
centre of gravity comes K later and whose variance is greater by K^2 (1 - 2 x) / n: the moments of its impulse response,
exact in continuous time and, for the implicit scheme, in discrete time too (the mean) or to order dt^2 (the variance).
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.physics.routing import cascade_storage, lag, muskingum, muskingum_step, muskingum_weights, sub_reaches


def wave(length: int = 4000, base: float = 0.0) -> np.ndarray:
    time = np.arange(length)
    return base + 1000.0 * np.exp(-0.5 * ((time - 100) / 12.0) ** 2)


@pytest.mark.parametrize(("travel", "x"), [(6.0, 0.2), (24.0, 0.05), (48.0, 0.0), (2.0, 0.3), (13.7, 0.1)])
def test_wave_comes_later_by_the_travel_time_and_wider_as_the_weight_says(travel: float, x: float) -> None:
    inflow, time = wave(), np.arange(4000)
    outflow = muskingum(inflow, travel, x, 1.0)
    count = sub_reaches(travel, x, 1.0)

    def moments(flow: np.ndarray) -> tuple[float, float]:
        mean = float((flow * time).sum() / flow.sum())
        return mean, float((flow * (time - mean) ** 2).sum() / flow.sum())

    (mean_in, variance_in), (mean_out, variance_out) = moments(inflow), moments(outflow)
    assert mean_out - mean_in == pytest.approx(travel, abs=1e-6)
    assert variance_out - variance_in == pytest.approx(travel**2 * (1 - 2 * x) / count, rel=1e-6, abs=1e-4)


@given(travel=st.floats(0.05, 200.0), x=st.floats(0.0, 1 / 3))
@settings(max_examples=200, deadline=None)
def test_weights_sum_to_one_and_are_never_negative(travel: float, x: float) -> None:
    count = sub_reaches(travel, x, 1.0)
    if count == 0:
        assert 2 * travel * (1 - x) < 1.0
        return
    weights = muskingum_weights(travel / count, x, 1.0)
    assert sum(weights) == pytest.approx(1.0, abs=1e-12)
    assert min(weights) > -1e-9


@given(travel=st.floats(0.6, 60.0), x=st.floats(0.0, 0.33), seed=st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_what_goes_in_comes_out_or_is_still_within(travel: float, x: float, seed: int) -> None:
    inflow = np.random.default_rng(seed).uniform(0, 1e4, 200)
    count = sub_reaches(travel, x, 1.0)
    flow = np.full(count + 1, inflow[0])
    before, held = inflow[0], cascade_storage(flow, travel, x, count)
    entered = left = 0.0
    for value in inflow:
        last = flow[count]
        out = muskingum_step(flow, value, travel, x, 1.0, count)
        entered += 0.5 * (before + value)
        left += 0.5 * (last + out)
        before = value
    assert cascade_storage(flow, travel, x, count) - held == pytest.approx(entered - left, rel=1e-9, abs=1e-6)


def test_a_split_run_equals_the_whole() -> None:
    inflow = wave(base=500.0)
    count = sub_reaches(30.0, 0.1, 1.0)
    flow = np.full(count + 1, inflow[0])
    first = [muskingum_step(flow, value, 30.0, 0.1, 1.0, count) for value in inflow[:250]]
    kept = flow.copy()
    second = [muskingum_step(kept, value, 30.0, 0.1, 1.0, count) for value in inflow[250:]]
    assert np.array_equal(np.array(first + second), muskingum(inflow, 30.0, 0.1, 1.0))


def test_steady_flow_stays_steady() -> None:
    assert np.allclose(muskingum(np.full(50, 123.4), 17.0, 0.2, 1.0), 123.4, rtol=1e-13)


def test_lag_moves_a_ramp_by_its_delay_exactly() -> None:
    ramp = np.arange(100.0)
    for delay in (0.0, 0.25, 3.0, 7.6):
        assert lag(ramp, delay, 1.0)[20:] == pytest.approx(ramp[20:] - delay, abs=1e-12)
