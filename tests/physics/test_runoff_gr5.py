"""GR5H against the digits of airGR's program, as its Python port grsuite 1.1.1 prints them, and closed balances.

That program holds 0.9 in single precision, which moves the sixth digit after the point at most by one.
"""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.bundle import bundle_file
from liuyu.physics.runoff import gr4j, gr5

EXPECTED = {
    (350.0, -0.3, 90.0, 7.4, 0.3, 1.5): {
        100: 0.4679794393857213,
        5000: 0.036705196281702435,
        9000: 0.06485196396849757,
        12345: 0.038854510846571,
        19999: 0.05333559859948887,
    },
    (900.0, 0.05, 40.0, 23.6, -0.2, 0.0): {
        100: 0.45586982377857854,
        5000: 0.06818635309366873,
        9000: 0.15640309033715116,
        12345: 0.08416174617820305,
        19999: 0.12418886302964195,
    },
}


@pytest.mark.data
@pytest.mark.parametrize("parameters", EXPECTED)
def test_gr5h_equals_airgr(parameters: tuple[float, ...]) -> None:
    with gzip.open(bundle_file("rainfall_runoff/airgr_hourly_L0123003/hourly.csv.gz"), "rt") as file:
        rows = list(csv.DictReader(file))[:20_000]
    prepared, state = np.zeros(gr5.PREPARED_SIZE), np.zeros(gr5.STATE_SIZE)
    gr5.gr5h_prepare(np.array(parameters), prepared)
    gr5.gr5_start(state, prepared)
    runoff = [gr5.gr5_step(state, prepared, float(row["precip_mm"]), float(row["pet_mm"]))[0] for row in rows]
    for place, value in EXPECTED[parameters].items():
        assert runoff[place] == pytest.approx(value, abs=1e-7)


@given(
    seed=st.integers(0, 200),
    parameters=st.tuples(
        st.floats(20, 3000), st.floats(-8, 8), st.floats(5, 800), st.floats(0.5, 90), st.floats(-1, 2), st.floats(0, 5)
    ),
    hourly=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_every_step_closes(seed: int, parameters: tuple[float, ...], hourly: bool) -> None:
    draw = np.random.default_rng(seed)
    prepared, state = np.zeros(gr5.PREPARED_SIZE), np.zeros(gr5.STATE_SIZE)
    (gr5.gr5h_prepare if hourly else gr5.gr5j_prepare)(np.array(parameters), prepared)
    gr5.gr5_start(state, prepared)
    for _ in range(80):
        water, pet = float(draw.gamma(0.3, 20.0)), float(draw.random() * 6.0)
        held = gr5.gr5_storage(state, prepared)
        runoff, evaporated, gain = gr5.gr5_step(state, prepared, water, pet)
        assert gr5.gr5_storage(state, prepared) - held == pytest.approx(water + gain - runoff - evaporated, abs=1e-9)
        assert runoff >= 0.0
        assert 0.0 <= evaporated <= pet + 1e-12
        assert 0.0 <= state[2] <= parameters[5] + 1e-12


def test_interception_keeps_the_first_rain() -> None:
    assert gr5.interception(0.0, 2.0, 1.5, 0.0) == (1.5, 0.0, 0.0, 0.0)
    assert gr5.interception(1.5, 2.0, 1.5, 0.2) == pytest.approx((2.0, 0.8, 0.0, 0.2))
    assert gr5.interception(0.5, 2.0, 0.0, 0.8) == pytest.approx((0.0, 0.0, 0.3, 0.5))


def test_the_hourly_hydrograph_is_flatter() -> None:
    daily, hourly = np.zeros(gr5.PREPARED_SIZE), np.zeros(gr5.PREPARED_SIZE)
    row = np.array([300.0, 0.0, 90.0, 10.0, 0.0, 0.0])
    gr5.gr5j_prepare(row, daily)
    gr5.gr5h_prepare(row, hourly)
    assert hourly[gr5.SHARES :].sum() == pytest.approx(1.0)
    assert hourly[gr5.SHARES :].max() < daily[gr5.SHARES :].max()
    assert gr5.HOURLY == (21 / 4) ** 4
    assert gr4j.DAILY == (9 / 4) ** 4
