"""The scalar laws of shallow water by themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.physics.flood.fields import integral, value_at
from liuyu.physics.flood.laws import GRAVITY, after_friction, face_flux, half_slope, inverse_cube_root
from liuyu.physics.flood.structures import GATE, PUMP, WEIR, link_discharge, opening, weir_discharge

depths = st.floats(0.0, 50.0)
speeds = st.floats(-10.0, 10.0)


@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_the_inverse_cube_root_needs_no_division(real: type) -> None:
    for x in np.logspace(-7, 4, 400):
        assert inverse_cube_root(real(x)) == pytest.approx(real(x) ** (-1.0 / 3.0), rel=3e-7)


def test_still_water_over_a_step_passes_nothing_and_pushes_nothing() -> None:
    for rise in (-3.0, -0.25, 0.0, 0.5, 1.75):
        mass, left, right, along = face_flux(2.0, 2.0 - rise if rise < 2.0 else 0.0, rise, 0.0, 0.0, 0.0, 0.0)
        assert mass == along == 0.0
        assert left == pytest.approx(0.0, abs=1e-14)
        assert right == pytest.approx(0.0, abs=1e-14)


def test_still_water_below_a_dry_step_stays() -> None:
    assert face_flux(2.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0)[:2] == (0.0, 0.0)
    assert face_flux(0.0, 2.0, -5.0, 0.0, 0.0, 0.0, 0.0)[0] == 0.0


def test_two_equal_states_pass_the_physical_flux() -> None:
    mass, left, right, along = face_flux(2.0, 2.0, 0.0, 3.0, 3.0, 1.5, 1.5)
    assert (mass, along) == pytest.approx((6.0, 9.0))
    assert left == pytest.approx(18.0)  # h u², the pressure left out
    assert right == pytest.approx(18.0)


@settings(max_examples=300, deadline=None)
@given(depths, depths, st.floats(-20.0, 20.0), speeds, speeds, speeds, speeds)
def test_a_mirrored_face_passes_the_mirrored_flux(
    hl: float, hr: float, rise: float, ul: float, ur: float, vl: float, vr: float
) -> None:
    mass, left, right, along = face_flux(hl, hr, rise, ul, ur, vl, vr)
    back = face_flux(hr, hl, -rise, -ur, -ul, vr, vl)
    scale = 1.0 + GRAVITY * (hl + hr + 1.0) * (abs(rise) + hl + hr) + (hl + hr) * 1e2
    assert back == pytest.approx((-mass, right, left, -along), abs=1e-9 * scale)


@settings(max_examples=300, deadline=None)
@given(depths, st.floats(-20.0, 20.0), speeds, speeds)
def test_nothing_flows_out_of_a_dry_cell(depth: float, rise: float, normal: float, along: float) -> None:
    assert face_flux(0.0, depth, rise, 0.0, normal, 0.0, along)[0] <= 1e-12
    assert face_flux(depth, 0.0, rise, normal, 0.0, along, 0.0)[0] >= -1e-12


def test_friction_is_the_root_of_its_equation_and_never_turns_the_water() -> None:
    for depth, q in ((1e-4, 3.0), (0.5, 2.0), (20.0, -4.0)):
        drag = 10.0 * GRAVITY * 0.035**2
        x, y, speed = after_friction(depth, q, 0.5 * q, drag, 1e-6)
        size = math.hypot(x, y)
        assert size * (1.0 + drag * size * depth ** (-7.0 / 3.0)) == pytest.approx(math.hypot(q, 0.5 * q), rel=1e-5)
        assert x * q > 0.0
        assert speed == pytest.approx((abs(x) + abs(y)) / depth + 2.0 * math.sqrt(GRAVITY * depth), rel=1e-5)
    assert after_friction(1e-7, 1.0, 1.0, 0.1, 1e-6) == (0.0, 0.0, 0.0)


def test_a_depth_that_is_no_number_is_not_taken_for_dry() -> None:
    assert math.isnan(after_friction(math.nan, 1.0, 1.0, 0.1, 1e-6)[2])


@settings(deadline=None)
@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0))
def test_slopes_keep_values_at_faces_between_neighbours(behind: float, ahead: float) -> None:
    slope = half_slope(behind, ahead)
    assert min(0.0, 0.75 * min(behind, ahead, key=abs)) <= slope <= max(0.0, 0.75 * min(behind, ahead, key=abs))
    assert slope == 0.0 or (behind > 0.0) == (ahead > 0.0)


def test_a_weir_drowns_and_a_gate_closes() -> None:
    assert weir_discharge(1.0, 0.0, 10.0, 1.705) == pytest.approx(17.05)
    assert weir_discharge(1.0, 1.0, 10.0, 1.705) == 0.0
    assert link_discharge(WEIR, 2.0, 3.0, 1.0, 10.0, 1.0, 1.705) < 0.0
    assert link_discharge(GATE, 5.0, 0.0, 0.0, 2.0, 0.0, 0.6) == 0.0
    full = link_discharge(GATE, 5.0, 1.0, 0.0, 2.0, 1.0, 0.6)
    assert full == pytest.approx(0.6 * 2.0 * math.sqrt(2.0 * GRAVITY * 4.0))
    assert link_discharge(PUMP, 0.0, 9.0, 0.0, 1.0, 1.0, 2.5) == 2.5
    assert [opening(t, 10.0, 20.0) for t in (9.0, 20.0, 30.0)] == [0.0, 0.5, 1.0]


def test_a_table_is_integrated_exactly() -> None:
    times, values = np.array([0.0, 10.0, 30.0]), np.array([0.0, 5.0, 1.0])
    assert value_at(times, values, 0, 3, 5.0) == 2.5
    assert integral(times, values, 0, 3, -2.0, 40.0) == pytest.approx(25.0 + 60.0 + 10.0)
    assert integral(times, values, 0, 3, 8.0, 12.0) == pytest.approx(2.0 * 4.5 + 2.0 * 4.8)
