"""The scheme against exact and very fine solutions."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.physics.flood.exact import macdonald, ritter, stoker
from liuyu.twin.channel import Boundary, ChannelModel, Network, Reach, Section
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
G = 9.81


def box(x: float, bed: float, width: float, manning: float, high: float = 20.0) -> Section:
    return Section(
        chainage=float(x),
        station=np.array([0.0, 0.0, width, width]),
        level=np.array([bed + high, bed, bed, bed + high]),
        manning=manning,
    )


def channel(x: Floats, bed: Floats, width: float | Floats, manning: float, *ends: Boundary) -> Network:
    widths = np.broadcast_to(width, x.shape)
    sections = tuple(box(a, z, b, manning) for a, z, b in zip(x, bed, widths, strict=True))
    return Network(reaches=(Reach(name="r", start="a", end="b", sections=sections),), boundaries=ends)


def inflow(value: float) -> Boundary:
    return Boundary(node="a", kind="discharge", series=Series.constant(value))


def level(value: float) -> Boundary:
    return Boundary(node="b", kind="level", series=Series.constant(value))


def normal_depth(q: float, width: float, manning: float, slope: float) -> float:
    low, high = 0.0, 50.0
    for _ in range(100):
        h = 0.5 * (low + high)
        area, wet = width * h, width + 2.0 * h
        low, high = (low, h) if area * (area / wet) ** (2 / 3) / manning * np.sqrt(slope) > q else (h, high)
    return h


@pytest.mark.parametrize("step", [60.0, 3600.0])
def test_uniform_flow_whatever_the_step(step: float) -> None:
    x = np.linspace(0.0, 10_000.0, 51)
    q, width, manning, slope = 100.0, 30.0, 0.03, 1e-3
    depth = normal_depth(q, width, manning, slope)
    model = ChannelModel(
        channel(x, 20.0 - slope * x, width, manning, inflow(q), Boundary(node="b", kind="normal", slope=slope)),
        step=step, depth=1.0,
    )  # fmt: skip
    model.advance(100 * 3600.0, every=100)
    found = model.level[model.cells("r")] - (20.0 - slope * x)
    assert np.abs(found - depth).max() < 1e-3
    assert np.abs(model.discharge - q).max() < 1e-8


@pytest.mark.parametrize("below", [5.0, 1.4], ids=["M1", "M2"])
def test_backwater_against_a_fine_integration(below: float) -> None:
    q, width, manning, slope, length = 60.0, 30.0, 0.03, 5e-4, 10_000.0

    def fall(h: float) -> float:
        area, wet = width * h, width + 2.0 * h
        friction = (q * manning / area) ** 2 * (wet / area) ** (4 / 3)
        return (slope - friction) / (1.0 - q * q * width / (G * area**3))

    fine = np.empty(20_001)
    fine[-1], dx = below, length / 20_000
    for k in range(20_000, 0, -1):
        half = fine[k] - 0.5 * dx * fall(fine[k])
        fine[k - 1] = fine[k] - dx * fall(half)
    errors = []
    for count in (101, 201, 401):
        x = np.linspace(0.0, length, count)
        bed = slope * (length - x)
        model = ChannelModel(channel(x, bed, width, manning, inflow(q), level(below)), step=600.0, depth=2.0)
        model.advance(86_400.0, every=144)
        exact = np.interp(x, np.linspace(0.0, length, 20_001), fine)
        errors.append(float(np.sqrt(np.mean((model.level[model.cells("r")] - bed - exact) ** 2))))
    assert errors[-1] < 2e-3
    assert np.log2(errors[0] / errors[1]) > 0.7
    assert np.log2(errors[1] / errors[2]) > 0.8


@pytest.mark.parametrize("right", [0.0, 1.0], ids=["Ritter", "Stoker"])
def test_dam_break(right: float) -> None:
    errors = []
    for count in (80, 160):
        x = np.linspace(-50.0, 50.0, count + 1)
        time, dx = 3.0, 100.0 / count
        steps = int(np.ceil(time / (0.05 * dx / 12.5)))
        model = ChannelModel(channel(x, 0.0 * x, 1.0, 1e-6), step=time / steps, depth=1.0)
        cells = model.cells("r")
        model.level[cells] = np.where(x < 0.0, 4.0, right)
        model.level[cells[count // 2]] = 0.5 * (4.0 + right)
        model.refill()
        model.advance(model.step * steps, every=steps)
        exact = ritter(x, time, 4.0)[0] if right == 0.0 else stoker(x, time, 4.0, right)[0]
        errors.append(float(np.abs(model.level[cells] - exact).mean()))
        assert abs(model.balance.relative_error) < 1e-13
        assert model.level[cells].max() < 4.0 + 1e-9
    assert errors[1] < 0.03
    assert np.log2(errors[0] / errors[1]) > 0.5


def test_steady_flow_over_a_made_bed_converges() -> None:
    errors = []
    for count in (50, 100, 200):
        x = np.linspace(0.0, 1000.0, count + 1)
        bed, h = macdonald(x, "subcritical")
        wide = 1e5  # so that the walls do not matter
        model = ChannelModel(
            channel(x, bed, wide, 0.033, inflow(2.0 * wide), level(bed[-1] + h[-1])), step=20.0, depth=1.0
        )
        model.advance(6000.0, every=300)
        errors.append(float(np.abs(model.level[model.cells("r")] - bed - h).mean()))
    assert errors[-1] < 1e-3
    assert np.log2(errors[0] / errors[1]) > 0.85
    assert np.log2(errors[1] / errors[2]) > 0.85


def jump_bed(x: Floats, q: float, manning: float) -> tuple[Floats, Floats]:
    """Bed and depth of a steady flow that passes from subcritical to supercritical and jumps back at 600 m."""
    fine = np.linspace(0.0, 1000.0, 100_001)
    critical = (q * q / G) ** (1 / 3)
    before = critical * (1.0 - 0.35 * np.tanh(3.0 * (fine / 1000.0 - 0.3)))
    at = int(np.searchsorted(fine, 600.0))
    low = before[at]
    conjugate = 0.5 * low * (np.sqrt(1.0 + 8.0 * q * q / (G * low**3)) - 1.0)
    after = conjugate + 0.3 * critical * (1.0 - np.exp(-(fine - 600.0) / 100.0))
    h = np.where(fine < 600.0, before, after)
    rise = np.where(fine < 600.0, np.gradient(before, fine), np.gradient(after, fine))
    slope = (q * q / (G * h**3) - 1.0) * rise - manning**2 * q * q / h ** (10 / 3)
    bed = np.concatenate([[0.0], np.cumsum(0.5 * (slope[1:] + slope[:-1]) * np.diff(fine))])
    return np.interp(x, fine, bed - bed[-1]), np.interp(x, fine, h)


def test_hydraulic_jump_stands_where_it_must() -> None:
    q, manning, wide = 2.0, 0.03, 1e5
    errors = []
    for count in (100, 200):
        x = np.linspace(0.0, 1000.0, count + 1)
        bed, h = jump_bed(x, q, manning)
        model = ChannelModel(
            channel(x, bed, wide, manning, inflow(q * wide), level(bed[-1] + h[-1])), step=1.0, depth=1.0, theta=1.0
        )
        model.level[model.cells("r")] = bed + h
        model.refill()
        model.advance(1000.0, every=1000)
        found = model.level[model.cells("r")] - bed
        errors.append(float(np.abs(found - h).mean()))
        front = x[np.flatnonzero(found > 0.5 * (h.min() + h[-1]))]
        assert abs(front[front > 450.0].min() - 600.0) < 2.5 * 1000.0 / count
        assert np.abs(model.discharge / wide - q).max() < 1e-5
    assert errors[1] < 0.7 * errors[0]
