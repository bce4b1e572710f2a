"""Flow over a bump, backwater at a confluence, gates, dams that hold, exact boundaries, friction by depth, parts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.basin.errors import NotFound
from liuyu.twin.channel import Boundary, ChannelModel, Lateral, Network, Reach, Section, Structure, part
from liuyu.twin.channel.build import tabulated
from liuyu.twin.channel.start import settle
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
G = 9.81


def box(x: float, bed: float, width: float, manning: float, deepening: float = 0.0) -> Section:
    return Section(
        chainage=float(x),
        station=np.array([0.0, 0.0, width, width]),
        level=np.array([bed + 30.0, bed, bed, bed + 30.0]),
        manning=manning,
        deepening=deepening,
    )


def reach(name: str, start: str, end: str, bed: float, slope: float, width: float = 50.0, length: float = 1e4) -> Reach:
    x = np.linspace(0.0, length, 21)
    return Reach(
        name=name, start=start, end=end, sections=tuple(box(a, bed - slope * a, width, 0.03) for a in x.tolist())
    )


def flow(node: str, value: float | Series) -> Boundary:
    series = value if isinstance(value, Series) else Series.constant(value)
    return Boundary(node=node, kind="discharge", series=series)


def held(node: str, value: float) -> Boundary:
    return Boundary(node=node, kind="level", series=Series.constant(value))


def over_a_bump(x: Floats, q: float, below: float) -> tuple[Floats, Floats, float]:
    """Bed, depth and place of the jump of steady frictionless flow over 0.2 - 0.05 (x - 10)²: critical on the crest,
    supercritical below it, and back through a jump at which momentum is kept [Goutal and Maurel 1997]."""
    bed = np.maximum(0.2 - 0.05 * (x - 10.0) ** 2, 0.0)
    critical = (q * q / G) ** (1 / 3)
    head = 0.2 + 1.5 * critical
    after = below + q * q / (2 * G * below * below)

    def depth(energy: float, z: float, fast: bool) -> float:
        roots = np.roots([1.0, z - energy, 0.0, q * q / (2 * G)])
        real = sorted(r.real for r in roots if abs(r.imag) < 1e-6 and r.real > 0.0)
        return float(real[0] if fast else real[-1])

    fine = np.linspace(11.3, 12.0, 20_001)  # further up the slow flow would lack the energy for the bed
    z = np.maximum(0.2 - 0.05 * (fine - 10.0) ** 2, 0.0)
    quick, slow = (np.array([depth(e, b, fast) for b in z[::100]]) for e, fast in ((head, True), (after, False)))
    push = 0.5 * G * (slow**2 - quick**2) + q * q * (1.0 / slow - 1.0 / quick)
    jump = float(fine[::100][np.flatnonzero(push >= 0.0)[0]])
    h = np.array([depth(head if a < jump else after, b, 10.0 < a < jump) for a, b in zip(x, bed, strict=True)])
    return bed, h, jump


def test_transcritical_flow_over_a_bump_jumps_where_momentum_is_kept() -> None:
    q, below, wide, errors = 0.18, 0.33, 1e4, []
    for count in (100, 200):
        x = np.linspace(0.0, 25.0, count + 1)
        bed, h, jump = over_a_bump(x, q, below)
        sections = tuple(box(a, z, wide, 1e-6) for a, z in zip(x, bed, strict=True))
        network = Network(
            reaches=(Reach(name="r", start="a", end="b", sections=sections),),
            boundaries=(flow("a", q * wide), held("b", below)),
        )
        model = ChannelModel(network, step=0.1, theta=1.0, level=np.full(count + 1, below))
        model.advance(400.0, every=4000)
        found = model.level[model.cells("r")] - bed
        errors.append(float(np.abs(found - h).mean()))
        steep = x[int(np.argmax(np.diff(found + bed)))]
        assert abs(steep - jump) < 0.5
        assert np.abs(model.discharge / wide - q).max() < 1e-4
    assert errors[1] < 0.75 * errors[0]
    assert errors[1] < 0.01


def confluence(main: float) -> ChannelModel:
    network = Network(
        reaches=(
            reach("main", "a", "c", 25.0, 2e-4, 120.0),
            reach("side", "b", "c", 25.0, 2e-4, 30.0),
            reach("out", "c", "d", 23.0, 2e-4, 120.0),
        ),
        boundaries=(flow("a", main), flow("b", 20.0), Boundary(node="d", kind="normal", slope=2e-4)),
    )
    model = ChannelModel(network, step=1800.0, depth=2.0)
    model.advance(6 * 86_400.0, every=288)
    return model


def test_a_flood_in_the_main_river_backs_up_the_side_river_and_takes_nothing_from_it() -> None:
    low, high = confluence(100.0), confluence(900.0)
    rise = [each.level[each.cells("side")] for each in (low, high)]
    lift = rise[1] - rise[0]
    assert lift[-1] > 2.0
    assert (np.diff(lift) > -1e-9).all()
    assert high.discharge[high.faces("side")] == pytest.approx(20.0, abs=1e-6)
    assert np.ptp(rise[1][-5:]) < 0.05


def behind_a_gate(opening: Series) -> ChannelModel:
    network = Network(
        reaches=(reach("above", "a", "gate", 30.0, 1e-4), reach("below", "foot", "b", 20.0, 5e-4)),
        structures=(
            Structure(name="gate", kind="gate", start="gate", end="foot", crest=31.0, width=10.0, coefficient=0.6,
                      series=opening),
        ),
        boundaries=(held("a", 38.0), Boundary(node="b", kind="normal", slope=5e-4)),
    )  # fmt: skip
    return ChannelModel(network, step=600.0, depth=8.0)


def test_a_gate_passes_what_its_opening_lets_and_nothing_once_shut() -> None:
    day = 86_400.0
    model = behind_a_gate(Series(times=np.array([0.0, 2.0, 2.01, 4.0]) * day, values=np.array([0.8, 0.8, 0.0, 0.0])))
    model.advance(2 * day, every=288)
    head = model.level[model.built.nodes["gate"]] - 31.0
    assert model.discharge[model.faces("gate")][0] == pytest.approx(
        0.6 * 0.8 * 10.0 * np.sqrt(2 * G * (head - 0.6 * 0.8)), rel=1e-3
    )
    model.advance(4 * day, every=288)
    assert model.discharge[model.faces("gate")][0] == 0.0
    assert abs(model.balance.relative_error) < 1e-13


def test_a_dam_that_holds_keeps_its_level_within_its_bounds() -> None:
    day = 86_400.0
    wave = Series(times=np.array([0.0, 3.0, 5.0, 8.0, 20.0]) * day, values=np.array([80.0, 80.0, 400.0, 80.0, 80.0]))
    dam = Structure(
        name="dam", kind="hold", start="pool", end="foot", crest=30.0, width=250.0, coefficient=500.0,
        series=Series.constant(38.0),
    )  # fmt: skip
    network = Network(
        reaches=(reach("above", "a", "pool", 30.0, 1e-4, 400.0), reach("below", "foot", "b", 20.0, 5e-4)),
        structures=(dam,), boundaries=(flow("a", wave), Boundary(node="b", kind="normal", slope=5e-4)),
    )  # fmt: skip
    model = ChannelModel(network, step=1800.0, depth=8.0)
    course = model.advance(20 * day)
    passed, pool = course.discharge[:, model.faces("dam")[0]], course.level[:, model.built.nodes["pool"]]
    assert passed.max() == 250.0
    assert passed.min() >= 30.0
    assert pool.max() > 39.0
    assert pool[-1] == pytest.approx(38.0 + (80.0 - 30.0) / 500.0, abs=0.01)
    assert abs(model.balance.relative_error) < 1e-13


def test_what_flows_in_is_the_integral_of_its_series_whatever_the_step() -> None:
    hours = np.arange(0.0, 97.0)
    peaking = Series(times=hours * 3600.0, values=100.0 + 80.0 * (hours % 6 == 3))
    network = Network(
        reaches=(reach("r", "a", "b", 20.0, 5e-4),),
        boundaries=(flow("a", peaking), Boundary(node="b", kind="normal", slope=5e-4)),
    )
    whole = float(np.trapezoid(peaking.values, peaking.times))
    for step in (900.0, 6 * 3600.0):
        model = ChannelModel(network, step=step, depth=2.0)
        model.advance(96 * 3600.0)
        assert model.balance.inflow == pytest.approx(whole, rel=1e-12)


def test_friction_falls_with_depth_as_asked() -> None:
    plain, deep = (tabulated(box(0.0, 10.0, 80.0, 0.03, power)) for power in (0.0, 0.4))
    level = plain[0]
    ratio = np.interp([14.0, 20.0, 30.0], level, deep[3]) / np.interp([14.0, 20.0, 30.0], level, plain[3])
    assert ratio == pytest.approx([0.4**0.4, 1.0, 2.0**0.4], rel=0.01)
    assert (np.diff(deep[3]) >= 0.0).all()


def test_a_part_below_a_dam_takes_its_release_as_inflow() -> None:
    release = Series.constant(60.0)
    network = Network(
        reaches=(reach("above", "a", "pool", 30.0, 1e-4), reach("below", "foot", "b", 20.0, 5e-4)),
        structures=(Structure(name="dam", kind="release", start="pool", end="foot", series=release),),
        boundaries=(flow("a", 60.0), Boundary(node="b", kind="normal", slope=5e-4)),
        laterals=(Lateral(name="stream", reach="above", chainage=5e3, series=Series.constant(0.0)),),
    )
    below = part(network, ("below",))
    assert [(each.node, each.kind) for each in below.boundaries] == [("foot", "discharge"), ("b", "normal")]
    assert not below.laterals
    assert not below.structures
    found = []
    for each in (network, below):
        model = ChannelModel(each, step=1800.0)
        model.begin(settle(each, {"above": (np.array([0.0]), np.array([38.0]))}, 4.0))
        model.advance(86_400.0)
        found.append(model.level[model.cells("below")])
    assert found[0] == pytest.approx(found[1], abs=1e-6)
    with pytest.raises(NotFound, match="no reach 'sea'"):
        part(network, ("sea",))


def test_settling_holds_the_pool_of_a_dam() -> None:
    network = Network(
        reaches=(reach("above", "a", "pool", 30.0, 1e-4), reach("below", "foot", "b", 20.0, 5e-4)),
        structures=(Structure(name="dam", kind="release", start="pool", end="foot", series=Series.constant(300.0)),),
        boundaries=(flow("a", 60.0), Boundary(node="b", kind="normal", slope=5e-4)),
    )
    model = ChannelModel(network, step=1800.0)
    model.begin(settle(network, {"above": (np.array([0.0, 1e4]), np.array([41.0, 38.0]))}, 5.0))
    assert model.level[model.built.nodes["pool"]] == 38.0
    assert model.discharge[model.faces("dam")][0] == 0.0
    model.advance(1800.0)
    assert model.discharge[model.faces("below")[0]] == pytest.approx(300.0, rel=1e-3)
