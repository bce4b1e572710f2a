"""Ratings, pools and hydrographs against exact answers.

Lake: with outflow Q = k z (e = 0, m = 1, b = 0, a = k) and constant inflow I, A dz/dt = I - k z gives
z = I/k + (z0 - I/k) exp(-k t / A); the implicit step is first order in dt. Linear reservoir: dQ/dt = (I - Q) / K has
the same solution and is stepped exactly.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.physics.hydrograph import (
    convolve,
    excess_rain,
    linear_reservoir,
    linear_reservoir_mean,
    nash_unit_hydrograph,
)
from liuyu.physics.pool import interpolate, lake_step, reservoir_balance
from liuyu.physics.rating import discharge_of, slope_of, stage_of


@given(
    z=st.floats(20.5, 45.0),
    fall=st.floats(0.2, 12.0),
    m=st.floats(1.2, 3.0),
    e=st.sampled_from([0.0, 0.15, 0.5]),
    guess=st.floats(10.0, 60.0),
)
@settings(max_examples=200, deadline=None)
def test_stage_is_the_inverse_of_discharge(z: float, fall: float, m: float, e: float, guess: float) -> None:
    law = (30.0, 20.0, m, e, 0.1)
    q = discharge_of(z, z - fall, *law)
    assert stage_of(q, z - fall, *law, guess) == pytest.approx(z, abs=1e-6)


def test_backwater_raises_the_stage_and_never_more_than_itself() -> None:
    law = (11.12, 7.81, 2.42, 0.5, 2.61)
    levels = [stage_of(45_000.0, s, *law, 30.0) for s in (24.0, 25.0, 26.0, 27.0)]
    rises = np.diff(levels)
    assert (rises > 0).all()
    assert (rises < 1).all()


def test_slope_is_the_derivative() -> None:
    law = (11.12, 7.81, 2.42, 0.5, 2.61)
    step = 1e-5
    numeric = (discharge_of(32 + step, 26.0, *law) - discharge_of(32 - step, 26.0, *law)) / (2 * step)
    assert slope_of(32.0, 26.0, *law) == pytest.approx(numeric, rel=1e-6)


def test_lake_converges_to_the_exact_emptying_at_first_order() -> None:
    area, k, inflow, hours = 2.6e9, 4000.0, 20_000.0, 96.0
    exact = inflow / k + (12.0 - inflow / k) * math.exp(-k * hours * 3600 / area)
    errors = []
    for dt in (3600.0, 1800.0, 900.0):
        z = 12.0
        for _ in range(int(hours * 3600 / dt)):
            z = lake_step(z, inflow, 0.0, area, dt, k, 0.0, 1.0, 0.0, 0.0)
        errors.append(abs(z - exact))
    assert errors[0] < 0.02
    assert math.log2(errors[0] / errors[1]) == pytest.approx(1.0, abs=0.05)
    assert math.log2(errors[1] / errors[2]) == pytest.approx(1.0, abs=0.05)


@given(z=st.floats(20.0, 36.0), inflow=st.floats(0.0, 90_000.0), s=st.floats(15.0, 29.0))
@settings(max_examples=150, deadline=None)
def test_lake_step_closes_its_balance(z: float, inflow: float, s: float) -> None:
    law = (11.12, 7.81, 2.42, 0.5, 2.61)
    after = lake_step(z, inflow, s, 2.6e9, 3600.0, *law)
    assert 2.6e9 * (after - z) == pytest.approx(3600.0 * (inflow - discharge_of(after, s, *law)), abs=10.0)


def test_reservoir_balance_is_the_sum_of_what_came_and_went() -> None:
    dice = np.random.default_rng(3)
    inflow, outflow = dice.uniform(0, 7e4, 200), dice.uniform(0, 5e4, 200)
    held = reservoir_balance(2e10, inflow, outflow, 3600.0)
    assert held[-1] == pytest.approx(2e10 + 3600.0 * (inflow - outflow).sum(), rel=1e-12)


def test_curve_goes_on_straight_beyond_its_ends() -> None:
    levels, held = np.array([145.0, 160.0, 175.0]), np.array([1.7e10, 2.6e10, 3.9e10])
    assert interpolate(160.0, levels, held) == 2.6e10
    assert interpolate(176.0, levels, held) == pytest.approx(3.9e10 + 1.3e10 / 15)
    assert interpolate(interpolate(152.3, levels, held), held, levels) == pytest.approx(152.3)


def test_linear_reservoir_is_exact_for_any_step() -> None:
    whole = linear_reservoir(10.0, 40.0, 30.0, 24.0)
    q = 10.0
    for _ in range(24):
        q = linear_reservoir(q, 40.0, 30.0, 1.0)
    assert q == pytest.approx(whole, rel=1e-12)
    assert whole == pytest.approx(40.0 - 30.0 * math.exp(-24.0 / 30.0), rel=1e-12)


def test_linear_reservoir_keeps_its_water() -> None:
    q, out = 10.0, 0.0
    for inflow in (0.0, 50.0, 20.0, 0.0, 0.0):
        out += linear_reservoir_mean(q, inflow, 12.0, 1.0)
        q = linear_reservoir(q, inflow, 12.0, 1.0)
    assert 12.0 * q + out == pytest.approx(12.0 * 10.0 + 70.0, rel=1e-12)


def test_unit_hydrograph_has_one_unit_of_water_and_the_mean_of_its_reservoirs() -> None:
    unit = nash_unit_hydrograph(3.0, 4.0, 1.0, 200)
    assert unit.sum() == pytest.approx(1.0, rel=1e-12)
    assert ((np.arange(200) + 0.5) * unit).sum() == pytest.approx(12.0, rel=1e-3)


def test_runoff_is_rain_less_losses() -> None:
    rain = np.array([4.0, 10.0, 0.0, 20.0, 5.0])
    wet = excess_rain(rain, 12.0, 0.6)
    assert wet == pytest.approx([0.0, 0.6 * 2.0, 0.0, 12.0, 3.0])
    flow = convolve(np.concatenate([wet, np.zeros(80)]), nash_unit_hydrograph(2.0, 2.0, 1.0, 60))
    assert flow.sum() == pytest.approx(wet.sum(), rel=1e-12)
