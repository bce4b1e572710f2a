"""Floods against exact solutions, the order of convergence asserted."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from liuyu.physics.flood import exact
from liuyu.twin.flood import Result, Scheme, Series, Side, simulate

Order = Literal[1, 2]


def along(n: int, length: float, end: float, depth: np.ndarray, order: Order, **parts: object) -> Result:
    """A flood in a strip of three rows, x from left to right."""
    bed = parts.pop("bed", np.zeros(n))
    return simulate(
        np.tile(np.asarray(bed), (3, 1)), length / n, end, depth=np.tile(depth, (3, 1)),
        scheme=Scheme(order=order, threads=1), **{"manning": 0.0, **parts},  # type: ignore[arg-type]
    )  # fmt: skip


def order_of(errors: list[float]) -> float:
    return float(np.log2(errors[0] / errors[-1])) / (len(errors) - 1)


def ritter_error(n: int, order: Order, slope: float = 0.0) -> float:
    x = (np.arange(n) + 0.5) * 100.0 / n - 50.0
    ends = {"west": Side(kind="open"), "east": Side(kind="open")} if slope else {}
    run = along(n, 100.0, 4.0, np.where(x < 0.0, 1.0, 0.0), order, bed=-slope * x, **ends)
    middle = abs(x) < 30.0
    return float(abs(run.frames[-1].depth[1] - exact.ritter(x, 4.0, 1.0, slope)[0])[middle].mean())


def stoker_error(n: int, order: Order) -> float:
    x = (np.arange(n) + 0.5) * 100.0 / n - 50.0
    run = along(n, 100.0, 6.0, np.where(x < 0.0, 1.0, 0.1), order)
    return float(abs(run.frames[-1].depth[1] - exact.stoker(x, 6.0, 1.0, 0.1)[0]).mean())


@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.65, 0.0065), (2, 0.95, 0.002)])
def test_a_dam_breaks_onto_a_dry_bed(order: Order, best: float, worst: float) -> None:
    errors = [ritter_error(n, order) for n in (100, 200, 400)]
    assert order_of(errors) > best
    assert errors[-1] < worst


@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.6, 0.0065), (2, 0.95, 0.0026)])
def test_a_dam_breaks_down_a_slope(order: Order, best: float, worst: float) -> None:
    errors = [ritter_error(n, order, slope=0.05) for n in (100, 200, 400)]
    assert order_of(errors) > best
    assert errors[-1] < worst


@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.65, 0.005), (2, 0.85, 0.0012)])
def test_a_dam_breaks_onto_water(order: Order, best: float, worst: float) -> None:
    errors = [stoker_error(n, order) for n in (100, 200, 400)]
    assert order_of(errors) > best
    assert errors[-1] < worst


def bowl(n: int) -> tuple[np.ndarray, np.ndarray]:
    centres = (np.arange(n) + 0.5) * 4.0 / n - 2.0
    x, y = np.meshgrid(centres, centres)
    return x, y


def planar_error(n: int, order: Order) -> float:
    x, y = bowl(n)
    bed, h, u, v = exact.planar_bowl(x, y, 0.0)
    run = simulate(
        bed, 4.0 / n, exact.PLANAR_PERIOD, depth=h, velocity_x=u, velocity_y=v, manning=0.0, scheme=Scheme(order=order)
    )
    assert abs(run.summary.mass_error) < 1e-12
    return float(abs(run.frames[-1].depth - h).mean() / h.mean())


def radial_error(n: int, order: Order) -> float:
    x, y = bowl(n)
    bed, h = exact.radial_bowl(x, y, 0.0)
    run = simulate(bed, 4.0 / n, exact.RADIAL_PERIOD, depth=h, manning=0.0, scheme=Scheme(order=order))
    assert abs(run.summary.mass_error) < 1e-12
    return float(abs(run.frames[-1].depth - h).mean() / h.mean())


@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.75, 0.25), (2, 1.4, 0.03)])
def test_a_plane_surface_runs_round_a_bowl(order: Order, best: float, worst: float) -> None:
    errors = [planar_error(n, order) for n in (50, 100)]
    assert order_of(errors) > best
    assert errors[-1] < worst


@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.6, 0.1), (2, 1.2, 0.033)])
def test_a_curved_surface_swings_in_a_bowl(order: Order, best: float, worst: float) -> None:
    errors = [radial_error(n, order) for n in (50, 100)]
    assert order_of(errors) > best
    assert errors[-1] < worst


def macdonald_error(n: int, order: Order, kind: str) -> float:
    x = (np.arange(n) + 0.5) * 1000.0 / n
    bed, depth = exact.macdonald(x, kind)
    end = exact.macdonald(np.array([1000.0]), kind)[1][0]
    run = along(
        n, 1000.0, 4000.0, depth, order, bed=bed, manning=0.033, velocity_x=np.tile(2.0 / depth, (3, 1)),
        west=Side(kind="discharge", series=Series.constant(2.0 * 3 * 1000.0 / n)),
        east=Side(kind="stage", series=Series.constant(end)) if kind == "subcritical" else Side(kind="open"),
    )  # fmt: skip
    inner = slice(n // 20, -n // 20)
    return float(abs(run.frames[-1].depth[1] - depth)[inner].mean())


@pytest.mark.parametrize("kind", ["subcritical", "transcritical"])
@pytest.mark.parametrize(("order", "best", "worst"), [(1, 0.9, 0.02), (2, 1.8, 0.0002)])
def test_a_steady_flow_with_friction_keeps_its_depth(kind: str, order: Order, best: float, worst: float) -> None:
    errors = [macdonald_error(n, order, kind) for n in (50, 100)]
    assert order_of(errors) > best
    assert errors[-1] < worst
