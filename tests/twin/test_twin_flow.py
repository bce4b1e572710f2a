"""The network as a whole: no water lost, runs that can be split, lakes that fill and push back."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.basin.errors import BadPackage
from liuyu.physics.pool import interpolate
from liuyu.twin.flow import Network, lake_area, network, run, warm, water_in_reaches
from liuyu.twin.model import Inflow, Law, Model, Node

CURVE = ((140.0, 1.0e10), (160.0, 2.4e10), (175.0, 3.9e10))


def model() -> Model:
    """A boundary, a dam, a channel, a lake at a confluence with its law, and the river below, one after another."""
    nodes = (
        Node(station="up", kind="boundary"),
        Node(station="dam", kind="reservoir", inflows=(Inflow(source="up", travel_h=8.0, x=0.1),)),
        Node(
            station="mid",
            kind="channel",
            inflows=(Inflow(source="dam", share=0.8, travel_h=12.0, x=0.05),),
            law=Law(a=2.2, b=13.35, m=2.78, e=0.15, d=2.3),
            backwater="lake",
        ),
        Node(
            station="lake",
            kind="lake",
            inflows=(
                Inflow(source="mid", travel_h=28.0, x=0.1),
                Inflow(source="dam", share=0.2, travel_h=60.0, x=0.05, into_lake=True),
            ),
            law=Law(a=11.12, b=7.81, m=2.42, e=0.5, d=2.61),
            backwater="low",
            area_km2=2600.0,
            outlet="outlet",
        ),
        Node(
            station="low",
            kind="channel",
            inflows=(Inflow(source="lake", travel_h=30.0, x=0.0),),
            law=Law(a=3.0, b=-3.7, m=2.6),
        ),
    )
    return Model(name="tiny", history_h=100, horizon_h=100, members=51, leads_h=(24,), nodes=nodes)


def steady(net: Network, flow: float) -> tuple[np.ndarray, np.ndarray]:
    """State and levels after long warming with one flow everywhere, and 0.2 of it out of the lake."""
    state = net.new_state()
    seen = np.tile(np.array([flow, flow, 0.8 * flow, 0.2 * flow, flow])[:, None], 300)
    warm(net.kind, seen, *net.arrays, state)
    return state, np.array([0.0, 160.0, 38.0, 30.0, 24.0])


def go(net: Network, state: np.ndarray, level: np.ndarray, local: np.ndarray, release: np.ndarray) -> tuple:
    return run(net.kind, net.law, net.backwater, net.lake, net.curve, *net.arrays, state, level, local, release)


def future(hours: int = 240) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(5)
    local, release = np.zeros((5, hours)), np.zeros((5, hours))
    local[0] = 30_000 + 15_000 * np.sin(np.arange(hours) / 20.0)
    local[2], local[3] = dice.uniform(-300, 800, hours), dice.uniform(500, 3000, hours)
    release[1] = dice.uniform(20_000, 35_000, hours)
    return local, release


def stored(net: Network, state: np.ndarray, level: np.ndarray) -> float:
    held = interpolate(level[1], net.curve[1, :, 0], net.curve[1, :, 1])
    return held + net.lake[3, 0] * level[3] + water_in_reaches(net.reach, net.count, state)


def test_every_drop_is_accounted_for() -> None:
    net = network(model(), {"dam": CURVE})
    state, level = steady(net, 25_000.0)
    local, release = future()
    heads_before = np.array([state[each, 0] for each in range(len(net.count))])
    ends_before = np.array([state[each, net.count[each]] for each in range(len(net.count))])
    before = stored(net, state, level)
    _, inflow, flow, _ = go(net, state, level, local, release)
    share = net.reach[:, 0]
    heads_after = np.array([state[each, 0] for each in range(len(net.count))])
    ends_after = np.array([state[each, net.count[each]] for each in range(len(net.count))])
    # the trapezoidal scheme counts half a step of what enters and leaves each reach at both ends of the period
    edges = 1800.0 * float((share * ((heads_after - heads_before) - (ends_after - ends_before))).sum())
    entered = 3600.0 * local.sum()
    left = 3600.0 * flow[4].sum()
    assert stored(net, state, level) - before == pytest.approx(entered - left - edges, abs=1e4)
    assert abs(entered) > 1e10
    assert inflow.shape == flow.shape


def test_a_split_run_equals_the_whole() -> None:
    net = network(model(), {"dam": CURVE})
    local, release = future()
    state, level = steady(net, 25_000.0)
    whole = go(net, state.copy(), level.copy(), local, release)
    first = go(net, state, level, local[:, :100], release[:, :100])
    second = go(net, state, level, local[:, 100:], release[:, 100:])
    for all_of_it, early, late in zip(whole, first, second, strict=True):
        assert np.array_equal(all_of_it, np.concatenate([early, late], axis=1))


def test_a_cut_at_the_dam_is_felt_later_and_softer_downstream_and_the_lake_gives_back() -> None:
    net = network(model(), {"dam": CURVE})
    state, level = steady(net, 25_000.0)
    local, release = np.zeros((5, 200)), np.zeros((5, 200))
    local[0], local[3], release[1] = 25_000.0, 5_000.0, 25_000.0
    _, _, flow, stage = go(net, state.copy(), level.copy(), local, release)
    cut = release.copy()
    cut[1, :72] -= 10_000.0
    river, _, flow_cut, stage_cut = go(net, state.copy(), level.copy(), local, cut)
    effect, felt = stage_cut - stage, flow_cut - flow
    assert effect[2].min() < -1.0
    assert -1.5 < effect[3].min() < -0.2
    assert effect[2].argmin() < effect[3].argmin() < effect[4].argmin()
    assert felt[3].min() > -0.6 * 10_000.0
    outlet = flow_cut[3] - river[3]
    assert outlet[80] > outlet[5]
    assert effect[1, 71] == pytest.approx(
        interpolate(2.4e10 + 72 * 3600 * 1e4, net.curve[1, :, 1], net.curve[1, :, 0]) - 160.0, abs=0.1
    )


def test_lake_shrinks_with_its_level() -> None:
    lake = np.array([2.6e9, 20.0, 33.0])
    assert lake_area(33.0, lake) == 2.6e9
    assert lake_area(26.5, lake) == pytest.approx(1.3e9)
    assert lake_area(15.0, lake) == pytest.approx(0.15 * 2.6e9)


def test_a_network_out_of_order_or_without_a_curve_is_refused_with_every_fault() -> None:
    wrong = Model(
        name="wrong",
        history_h=10,
        horizon_h=10,
        members=3,
        leads_h=(1,),
        nodes=(Node(station="a", kind="channel", inflows=(Inflow(source="b", travel_h=1.0),)), *model().nodes[:2]),
    )
    with pytest.raises(BadPackage) as caught:
        network(wrong, {})
    assert [each.value for each in caught.value.faults] == ["b", "dam"]
