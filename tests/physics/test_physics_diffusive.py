"""The diffusive wave on a tree against exact answers.

Steady flow in a rectangle obeys dh/dx = S0 - Sf; behind a raised level its profile is integrated here by Runge-Kutta.
Two equal lakes joined by a deep link keep the link's depth, so that the root of their difference falls in a straight
line: sqrt d = sqrt d0 - k t / A with k the link's conveyance over the root of its length.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.physics.diffusive import diffusive_step, level, link_flow, steady_levels, volume

Floats = NDArray[np.float64]
SLOPE, WIDTH, ROUGHNESS = 1e-4, 200.0, 0.03


def chain(count: int, length: float) -> tuple[NDArray[np.int64], Floats, Floats]:
    """A straight river: down, cells, links; cell centres at distances (k + 1/2) dx, the last at the mouth."""
    dx = length / (count - 1)
    beds = SLOPE * (length - dx * np.arange(count))
    down = np.append(np.arange(1, count), -1)
    cell = np.stack([beds, np.full(count, WIDTH * dx), np.zeros(count)], axis=1)
    middle = beds - 0.5 * SLOPE * dx
    link = np.stack([middle, np.full(count, WIDTH), np.full(count, ROUGHNESS), np.full(count, dx)], axis=1)
    return down, cell, link


def test_volume_and_level_are_inverse() -> None:
    for growth in (0.0, 0.8, 2.0):
        cell = np.array([12.0, 3e6, growth])
        for z in (11.0, 12.0, 12.05, 12.2, 30.0):
            assert level(volume(z, cell), cell) == pytest.approx(z, abs=1e-9)
        steps = np.linspace(12.0, 20.0, 2000)
        held = np.array([volume(z, cell) for z in steps])
        assert (np.diff(held) > 0).all()


def test_the_slopes_of_a_link_are_those_of_its_flow() -> None:
    link = np.array([10.0, 100.0, 0.03, 5000.0])
    for z, below in ((14.0, 13.5), (13.0, 14.0), (12.0, 12.00005), (14.0, 9.0), (9.0, 13.0), (10.2, 12.0)):
        step, beds = 1e-6, (9.9, 9.8)
        flow, own, other = link_flow(z, below, link, *beds)
        by_own = (link_flow(z + step, below, link, *beds)[0] - link_flow(z - step, below, link, *beds)[0]) / (2 * step)
        by_other = (link_flow(z, below + step, link, *beds)[0] - link_flow(z, below - step, link, *beds)[0]) / (
            2 * step
        )
        assert own == pytest.approx(by_own, rel=1e-4, abs=1e-3)
        assert other == pytest.approx(by_other, rel=1e-4, abs=1e-3)
        assert flow == pytest.approx(-link_flow(below, z, link, *beds[::-1])[0], rel=1e-12)
    assert link_flow(9.0, 8.0, link, 7.0, 7.0)[0] == 0.0
    assert link_flow(11.0, 10.5, link, 11.0, 7.0)[0] == 0.0


def backwater(depth: float, flow: float, length: float) -> float:
    """Depth [m] at a distance above a place of given depth, by Runge-Kutta on dh/dx = Sf - S0 upstream."""

    def slope(h: float) -> float:
        return (flow * ROUGHNESS / (WIDTH * h ** (5.0 / 3.0))) ** 2 - SLOPE

    step = 50.0
    for _ in range(int(length / step)):
        k1 = slope(depth)
        k2 = slope(depth + 0.5 * step * k1)
        k3 = slope(depth + 0.5 * step * k2)
        depth += step / 6.0 * (k1 + 2 * k2 + 2 * k3 + slope(depth + step * k3))
    return depth


@pytest.mark.parametrize("mouth", [9.0, 3.5])
def test_a_backwater_profile_is_found_with_second_order(mouth: float) -> None:
    flow, length, errors = 1500.0, 40_000.0, []
    rating = np.array([flow / mouth**1.5, 0.0, 1.5])
    for count in (11, 21, 41):
        down, cell, link = chain(count, length)
        z = np.empty(count)
        steady_levels(z, np.full(count, flow), down, cell, link, rating)
        errors.append(abs(z[0] - SLOPE * length - backwater(mouth, flow, length)))
    assert errors[0] / errors[1] > 3.0
    assert errors[1] / errors[2] > 3.0
    assert errors[2] < 0.01


def test_running_long_finds_the_steady_levels() -> None:
    down, cell, link = chain(15, 40_000.0)
    rating = np.array([60.0, 0.0, 1.5])
    z, flow, expected = np.full(15, 8.0), np.zeros(15), np.empty(15)
    held = np.array([volume(z[k], cell[k]) for k in range(15)])
    enters, out = np.zeros(15), 60.0 * 8.0**1.5
    enters[0] = 1500.0
    for _ in range(2000):
        miss, _ = diffusive_step(z, held, enters, out, down, cell, link, rating, 3600.0, flow)
        out = flow[-1]
        assert miss < 1e-3
    steady_levels(expected, np.full(15, 1500.0), down, cell, link, rating)
    assert z == pytest.approx(expected, abs=1e-6)
    assert flow == pytest.approx(np.full(15, 1500.0), rel=1e-9)


def test_two_lakes_level_out_as_the_root_says_with_first_order() -> None:
    down = np.array([1, -1])
    cell = np.array([[-50.0, 2e7, 0.0], [-50.0, 2e7, 0.0]])
    link = np.array([[-40.0, 300.0, 0.03, 4000.0], [0.0, 1.0, 1.0, 1.0]])
    closed = np.array([1.0, 1e6, 1.0])
    fall = 1.0
    conveyance = 300.0 / 0.03 * 40.5 ** (5.0 / 3.0) / math.sqrt(4000.0)
    end = 0.6 * 2e7 / conveyance * math.sqrt(fall)
    errors = []
    for first, steps in ((1.0, 20), (1.0, 40), (1.0, 80), (0.0, 40)):
        z = np.array([first, 1.0 - first])
        held = np.array([volume(z[k], cell[k]) for k in range(2)])
        whole = held.sum()
        flow = np.zeros(2)
        for _ in range(steps):
            diffusive_step(z, held, np.zeros(2), 0.0, down, cell, link, closed, end / steps, flow)
        errors.append(abs(z[0] - z[1]) - (math.sqrt(fall) - conveyance * end / 2e7) ** 2)
        assert held.sum() == pytest.approx(whole, rel=1e-14)
        assert (flow[0] > 0) == (first == 1.0)
    assert errors[0] / errors[1] == pytest.approx(2.0, rel=0.1)
    assert errors[1] / errors[2] == pytest.approx(2.0, rel=0.1)
    assert errors[3] == pytest.approx(errors[1], rel=1e-6)


def test_a_flood_onto_a_dry_bed_loses_nothing_and_nothing_goes_below_the_bed() -> None:
    down, cell, link = chain(20, 30_000.0)
    rating = np.array([60.0, 0.0, 1.5])
    z = cell[:, 0].copy()
    held, enters, flow, out = np.zeros(20), np.zeros(20), np.zeros(20), 0.0
    entered = left = 0.0
    for step in range(300):
        enters[0] = 2000.0 if step < 60 else 0.0
        diffusive_step(z, held, enters, out, down, cell, link, rating, 900.0, flow)
        entered += 900.0 * enters[0]
        left += 450.0 * (out + flow[-1])
        out = flow[-1]
        assert held.min() >= -1e-6
        assert held.sum() == pytest.approx(entered - left, rel=1e-12, abs=1e-3)
    assert left > 0.9 * entered
