"""Muskingum-Cunge against exact answers.

A small wave on steady flow has the celerity c = Q / (m A), and storage per length q / c + E dq/dx with the wedge
E = Q / (2 B slope c^2). In ever shorter steps the scheme solves q_t / c + E q_xt + q_x = 0, whose answer after a length
L is exp(-L / c * s / (1 + E s)) of the inflow's Laplace transform: a Poisson number L / (c E) of reservoirs E in a row.
Mean delay L / c and variance 2 L E / c are those of advection and diffusion with D = Q / (2 B slope), Hayami's answer.
A long wave on a steep bed keeps each discharge on its characteristic.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from liuyu.physics.muskingum_cunge import (
    channel_law,
    courant_and_diffusion,
    held,
    muskingum_cunge_step,
    muskingum_law,
    rectangle,
)
from liuyu.physics.pool import level_pool_step, released_step
from liuyu.physics.powers import exp2, log2, power
from liuyu.physics.routing import muskingum

Floats = NDArray[np.float64]
Law = tuple[float, float, float, float]
WIDTH, ROUGHNESS, SLOPE, LENGTH, BASE = 100.0, 0.035, 2e-4, 60_000.0, 300.0


def route(inflow: Floats, law: Law, count: int) -> Floats:
    """Through `count` equal sub-reaches, each of the law given, steady before."""
    for _ in range(count):
        out = np.empty_like(inflow)
        after = before = inflow[0]
        storage = held(before, before, *courant_and_diffusion(before, after, *law))
        for step, now in enumerate(inflow):
            after, storage = muskingum_cunge_step(before, after, storage, now, 0.0, *law)
            out[step], before = after, now
        inflow = out
    return inflow


def section(slope: float = SLOPE) -> tuple[float, float, float, float]:
    return rectangle(WIDTH, ROUGHNESS, slope)


def test_powers_are_the_librarys() -> None:
    x = np.exp(np.random.default_rng(1).uniform(-30, 30, 4000))
    for value in x:
        assert log2(value) == pytest.approx(math.log2(value), abs=2e-12)
        assert power(value, 0.6) == pytest.approx(value**0.6, rel=3e-12)
        assert power(value, 0.0) == 1.0
    assert [exp2(float(k)) for k in (-3, 0, 10)] == [0.125, 1.0, 1024.0]


def test_a_missing_inflow_is_not_papered_over() -> None:
    law = channel_law(*section(), SLOPE, 5000.0, 3600.0)
    assert all(math.isnan(each) for each in muskingum_cunge_step(100.0, 100.0, 900.0, math.nan, 0.0, *law))
    assert all(math.isnan(each) for each in muskingum_cunge_step(100.0, 100.0, 900.0, 100.0, math.nan, *law))


@pytest.mark.parametrize(("travel", "x"), [(2.0, 0.2), (0.9, 0.4), (5.0, 0.05)])
def test_constant_parameters_give_plain_muskingum(travel: float, x: float) -> None:
    time = np.arange(200.0)
    inflow = 50.0 + 400.0 * np.exp(-0.5 * ((time - 40) / 9.0) ** 2)
    count = max(1, math.ceil(2.0 * travel * x - 1e-9))
    ours = route(inflow, muskingum_law(travel / count, x, 1.0), count)
    assert ours == pytest.approx(muskingum(inflow, travel, x, 1.0), rel=1e-11)


@given(
    seed=st.integers(0, 999),
    dt=st.floats(60.0, 86_400.0),
    length=st.floats(200.0, 40_000.0),
    slope=st.floats(1e-5, 2e-2),
    dry=st.booleans(),
)
@settings(max_examples=150, deadline=None)
def test_no_water_is_lost_and_no_flow_is_negative(seed: int, dt: float, length: float, slope: float, dry: bool) -> None:
    draw = np.random.default_rng(seed)
    law = channel_law(*section(slope), slope, length, dt)
    before = after = 0.0 if dry else 500.0
    storage = held(before, after, *courant_and_diffusion(before, after, *law))
    for _ in range(60):
        now, lateral = float(draw.choice([0.0, 1.0, 5000.0]) * draw.random()), float(draw.random())
        out, kept = muskingum_cunge_step(before, after, storage, now, lateral, *law)
        entered = before + now - after - out + 2.0 * lateral
        assert kept - storage == pytest.approx(entered, abs=1e-11 * (kept + storage + now + before + 1.0))
        assert out >= 0.0
        assert kept >= 0.0
        before, after, storage = now, out, kept


@pytest.mark.parametrize("count", [12, 20, 60])
def test_a_small_wave_comes_with_the_celerity_and_spreads_with_the_diffusion_of_the_channel(count: int) -> None:
    a, m, b, k = section()
    dt = 1800.0
    time = dt * np.arange(1200)
    pulse = 1e-3 * np.exp(-0.5 * ((time - 60 * dt) / (8 * dt)) ** 2)
    out = route(BASE + pulse, channel_law(a, m, b, k, SLOPE, LENGTH / count, dt), count) - BASE
    celerity = BASE / (m * a * BASE**m)
    diffusion = BASE / (2 * b * SLOPE)

    def moments(flow: Floats) -> tuple[float, float]:
        mean = float((flow * time).sum() / flow.sum())
        return mean, float((flow * (time - mean) ** 2).sum() / flow.sum())

    (mean_in, variance_in), (mean_out, variance_out) = moments(pulse), moments(out)
    assert out.sum() == pytest.approx(pulse.sum(), rel=1e-6)
    assert mean_out - mean_in == pytest.approx(LENGTH / celerity, rel=1e-4)
    assert variance_out - variance_in == pytest.approx(2 * diffusion * LENGTH / celerity**3, rel=2e-3)


def gauss(time: Floats) -> Floats:
    return np.asarray(1e-3 * np.exp(-0.5 * ((time - 20 * 3600) / (4 * 3600)) ** 2))


def exact(time: Floats) -> Floats:
    """The small wave `gauss` after LENGTH by the transform, on a period so long that nothing comes round."""
    a, m, b, _ = section()
    celerity = BASE / (m * a * BASE**m)
    wedge = BASE / (2 * b * SLOPE * celerity**2)
    s = 2j * np.pi * np.fft.rfftfreq(len(time), time[1] - time[0])
    answer = np.fft.rfft(gauss(time)) * np.exp(-LENGTH / celerity * s / (1.0 + wedge * s))
    return np.asarray(np.fft.irfft(answer, len(time)))


def test_the_error_falls_with_the_square_of_the_step() -> None:
    errors = []
    for fine in (1, 2, 4):
        dt, count = 3600.0 / fine, 12 * fine
        time = dt * np.arange(240 * fine)
        ours = route(BASE + gauss(time), channel_law(*section(), SLOPE, LENGTH / count, dt), count) - BASE
        errors.append(float(abs(ours - exact(time)).max()) / 1e-3)
    assert errors[-1] < 0.002
    assert errors[0] / errors[1] > 3.5
    assert errors[1] / errors[2] > 3.5


def test_a_long_wave_on_a_steep_bed_keeps_each_discharge_on_its_characteristic() -> None:
    slope, dt, count, length = 8e-3, 150.0, 60, 30_000.0
    a, m, b, k = section(slope)
    time = dt * np.arange(1200)
    inflow = 200.0 + 600.0 * np.sin(np.pi * np.clip((time - 3600) / 43_200, 0, 1)) ** 2
    out = route(inflow, channel_law(a, m, b, k, slope, length / count, dt), count)
    rising = time < 3600 + 21_600
    arrival = time + length * m * a * inflow ** (m - 1.0)
    there = np.interp(time, arrival[rising], inflow[rising])
    part = (time > arrival[0] + 3600) & (time < 3600 + 21_600)
    assert abs(out - there)[part].max() < 0.01 * 600.0
    assert out.max() == pytest.approx(800.0, rel=0.005)


def test_a_pool_answers_as_a_linear_reservoir_with_second_order() -> None:
    k, errors = 36_000.0, []
    for steps in (20, 40, 80):
        dt = 72_000.0 / steps
        out, storage = 100.0, 100.0 * k
        for _ in range(steps):
            out, storage = level_pool_step(
                300.0, out, storage, 300.0, 0.0, dt, np.array([0.0, 1e9]), np.array([0, 1e9 / k])
            )
        errors.append(abs(out - (300.0 - 200.0 * math.exp(-2.0))))
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.05)
    assert errors[1] / errors[2] == pytest.approx(4.0, rel=0.05)


@given(seed=st.integers(0, 500), release=st.floats(0.0, 900.0))
@settings(max_examples=60, deadline=None)
def test_a_pool_keeps_its_balance_by_curve_and_by_release(seed: int, release: float) -> None:
    draw = np.random.default_rng(seed)
    storages = np.concatenate([[0.0], np.cumsum(draw.uniform(1e5, 5e7, 6))])
    outflows = np.concatenate([[0.0], np.cumsum(draw.uniform(0.0, 300.0, 6))])
    dt, before, out, storage = 3600.0, 0.0, 0.0, float(draw.uniform(0, storages[-1]))
    for step in range(40):
        now, lateral = float(draw.uniform(0, 2000)), float(draw.random())
        if step % 2:
            after, kept = level_pool_step(before, out, storage, now, lateral, dt, storages, outflows)
            assert (
                after == pytest.approx(np.interp(kept, storages, outflows), rel=1e-9, abs=1e-6) or kept > storages[-1]
            )
        else:
            after, kept = released_step(before, out, storage, now, lateral, dt, release)
            assert after <= release
        entered = dt * (0.5 * (before + now - out - after) + lateral)
        assert kept - storage == pytest.approx(entered, rel=1e-9, abs=1e-3)
        before, out, storage = now, after, max(kept, 0.0)
