"""Routing through networks: order, balance, state, company, cores, failures; lakes that push the river both ways."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.physics.routing import muskingum
from liuyu.twin.network import (
    Coupled,
    Pool,
    RiverNetwork,
    RiverState,
    Router,
    channel_laws,
    muskingum_laws,
    pieces,
)

Floats = NDArray[np.float64]
HOUR = 3600.0


def tree(count: int, seed: int = 3, *, pools: int = 0) -> RiverNetwork:
    """A random tree of channels, its places shuffled, with some pools on it."""
    draw = np.random.default_rng(seed)
    above = np.array([draw.integers(max(k - 12, 0), k) for k in range(1, count)])
    shuffled = draw.permutation(count)
    down = np.full(count, -1)
    down[shuffled[1:]] = shuffled[above]
    law = channel_laws(
        draw.uniform(2e3, 9e3, count),
        draw.uniform(1e-4, 3e-3, count),
        draw.uniform(10, 300, count),
        np.full(count, 0.035),
    )
    curves = [
        Pool(int(reach), np.array([0.0, 1e7, 5e7]), np.array([0.0, 200.0, 3000.0]))
        for reach in draw.choice(count, pools, replace=False)
    ]
    return RiverNetwork.tree([f"r{k}" for k in range(count)], down, law, curves)


def rain(count: int, members: int, steps: int = 40) -> Floats:
    draw = np.random.default_rng(8)
    storm = np.exp(-0.5 * ((np.arange(steps) - 12) / 4.0) ** 2)
    return 0.2 + draw.gamma(1.0, 4.0, (count, members, 1)) * storm


def coupled(count: int = 3) -> RiverNetwork:
    """A main stem of three cells with a lake beside each of the last two, a channel above and one below.

    Places: 0 channel above, 1 2 3 main stem, 4 lake at 2, 5 lake at 3, 6 channel below.
    """
    cell = np.array([[10.0, 4e7, 0.0], [14.0, 3e8, 0.6], [9.0, 4e7, 0.0], [13.0, 2e8, 0.6], [8.0, 4e7, 0.0]])
    link = np.array(
        [
            [9.5, 1200.0, 0.025, 40e3],
            [14.0, 600.0, 0.03, 15e3],
            [8.5, 1200.0, 0.025, 40e3],
            [13.0, 500.0, 0.03, 15e3],
            [0.0, 1.0, 1.0, 1.0],
        ]
    )
    element = Coupled((1, 4, 2, 5, 3), cell, link, np.array([400.0, 8.0, 1.6]))
    down = np.array([1, 2, 3, 6, 2, 3, -1])
    law = channel_laws(np.full(7, 2e4), np.full(7, 1e-4), np.full(7, 1200.0), np.full(7, 0.03))
    names = ["above", "stem 1", "stem 2", "stem 3", "lake 1", "lake 2", "below"]
    return RiverNetwork.tree(names, down, law, coupled=[element])


def volumes(router: Router, network: RiverNetwork, lateral: Floats, steps_flow: Floats, state: RiverState) -> float:
    """Inflow less outflow at the outlets over all steps [m3]; steps_flow: (n, members, steps)."""
    outlets = np.setdiff1d(np.arange(network.size), network.source)
    flow = np.concatenate([state.values[outlets, :, 1][..., None], steps_flow[outlets]], axis=2)
    return float(router.dt * (lateral.sum() - 0.5 * (flow[..., 1:] + flow[..., :-1]).sum()))


@pytest.mark.parametrize("pools", [0, 7])
@pytest.mark.parametrize("members", [1, 5])
def test_what_goes_in_comes_out_or_is_still_within(pools: int, members: int) -> None:
    network = tree(200, pools=pools)
    router, lateral = Router(network, HOUR), rain(200, members)
    begin = router.steady(lateral[:, :, 0])
    flow, end = router.run(begin, lateral)
    change = router.water(end) - router.water(begin)
    assert change == pytest.approx(volumes(router, network, lateral, flow, begin), abs=1e-11 * lateral.sum() * HOUR)
    assert (flow >= 0.0).all()


def test_steady_flow_stays_steady() -> None:
    for network in (tree(150, pools=5), coupled()):
        router = Router(network, HOUR)
        lateral = np.zeros((network.size, 2, 30))
        lateral[:] = np.array([6.0, 60.0])[None, :, None]
        if network.coupled:
            lateral *= 40.0
        begin = router.steady(lateral[:, :, 0])
        flow, end = router.run(begin, lateral)
        assert flow == pytest.approx(np.repeat(begin.values[:, :, 1:2], 30, axis=2), rel=1e-6)
        assert end.values == pytest.approx(begin.values, rel=1e-6)


@pytest.mark.parametrize("kind", ["tree", "coupled"])
def test_a_split_run_equals_the_whole_bit_for_bit(kind: str) -> None:
    network = tree(90, pools=4) if kind == "tree" else coupled()
    router, lateral = Router(network, HOUR), rain(network.size, 3) * (1.0 if kind == "tree" else 100.0)
    begin = router.steady(lateral[:, :, 0])
    whole, end = router.run(begin, lateral)
    first, middle = router.run(begin, lateral[:, :, :17])
    saved = middle.dump()
    second, later = router.run(RiverState.load(saved), lateral[:, :, 17:])
    assert np.concatenate([first, second], axis=2).tobytes() == whole.tobytes()
    assert later.dump() == end.dump()
    assert middle.dump() == saved


def test_company_and_cores_change_no_bit() -> None:
    network = tree(300, pools=4)
    one, two, lateral = Router(network, HOUR, cores=1), Router(network, HOUR, cores=2), rain(300, 4)
    begin = one.steady(lateral[:, :, 0])
    together, _ = two.run(begin, lateral)
    assert one.run(begin, lateral)[0].tobytes() == together.tobytes()
    alone, _ = two.run(RiverState(begin.values[:, 2:3]), lateral[:, 2:3])
    assert alone.tobytes() == np.ascontiguousarray(together[:, 2:3]).tobytes()
    assert two.run(begin, lateral, keep=[17, 3])[0].tobytes() == together[[17, 3]].tobytes()


def test_a_chain_of_muskingum_reaches_is_muskingum() -> None:
    law = muskingum_laws(np.full(4, 2.0 * HOUR), np.full(4, 0.2))
    network = RiverNetwork.tree(list("abcd"), np.array([1, 2, 3, -1]), law)
    entering = 100.0 + 900.0 * np.exp(-0.5 * ((np.arange(80.0) - 30) / 6.0) ** 2)
    lateral = np.zeros((4, 1, 80))
    lateral[0, 0] = entering
    pool = RiverNetwork.tree(["a"], np.array([-1]), law[:1])
    head, _ = Router(pool, HOUR).run(Router(pool, HOUR).steady(lateral[:1, :, 0]), lateral[:1])
    router = Router(network, HOUR)
    flow, _ = router.run(router.steady(lateral[:, :, 0]), lateral)
    assert flow[0, 0] == pytest.approx(head[0, 0], rel=1e-12)
    below = np.concatenate([entering[:1], flow[0, 0]])
    for _ in range(3):
        below = muskingum(below, 2.0, 0.2, 1.0)
    assert flow[3, 0] == pytest.approx(below[1:], rel=1e-9)


def test_a_river_that_parts_hands_on_its_shares() -> None:
    law = muskingum_laws(np.full(4, 1.5 * HOUR), np.full(4, 0.1))
    source, target = np.array([0, 0, 1, 2]), np.array([1, 2, 3, 3])
    network = RiverNetwork(list("abcd"), source, target, np.array([0.7, 0.3, 1.0, 1.0]), law)
    router, lateral = Router(network, HOUR), np.zeros((4, 1, 60))
    lateral[0] = 50.0 + 40.0 * np.sin(np.arange(60) / 8.0)
    begin = router.steady(lateral[:, :, 0])
    flow, end = router.run(begin, lateral)
    assert flow[1] / flow[2] == pytest.approx(7.0 / 3.0)
    assert router.water(end) - router.water(begin) == pytest.approx(
        volumes(router, network, lateral, flow, begin), abs=1e-6
    )
    with pytest.raises(BadInput, match=r"reach a hands on 0\.9"):
        RiverNetwork(list("abcd"), source, target, np.array([0.7, 0.2, 1.0, 1.0]), law)


def test_a_reservoir_lets_go_what_it_is_told_and_no_more_than_it_has() -> None:
    law = muskingum_laws(np.full(2, HOUR), np.full(2, 0.2))
    lake = Pool(0, np.array([0.0, 1e8]), np.array([0.0, 1000.0]))
    router = Router(RiverNetwork.tree(["dam", "below"], np.array([1, -1]), law, [lake]), HOUR)
    lateral = np.full((2, 1, 60), 100.0)
    begin = router.steady(lateral[:, :, 0])
    flow, end = router.run(begin, lateral, release=np.full((1, 60), 30.0))
    assert (flow[0] == 30.0).all()
    assert end.values[0, 0, 2] == pytest.approx(1e7 + HOUR * (60 * 100 - 0.5 * 100 - 59.5 * 30), rel=1e-12)
    flow, end = router.run(begin, lateral, release=np.full((1, 60), 5000.0))
    assert flow[0, 0, -1] == pytest.approx(100.0, abs=1e-6)  # empty, it hands on what comes
    assert end.values[0, 0, 2] == pytest.approx(0.5 * HOUR * 100.0, rel=1e-6)
    part = np.full((1, 60), np.nan)
    part[:, 30:] = 30.0
    flow, _ = router.run(begin, lateral, release=part)
    assert flow[0, 0, 29] == pytest.approx(100.0)
    assert flow[0, 0, 30] == 30.0


def test_a_failure_names_reach_time_and_amount() -> None:
    network = tree(60)
    router, lateral = Router(network, HOUR), rain(60, 2)
    begin = router.steady(lateral[:, :, 0])
    lateral[31, 1, 20] = math.nan
    times = [f"2026-07-01T{k:02d}" for k in range(40)]
    with pytest.raises(ModelFailed, match=r"reach r31, member 1: .* misses by nan m3 at 2026-07-01T20"):
        router.run(begin, lateral, times=times)
    lateral[31, 1, 20] = -1e5
    with pytest.raises(ModelFailed, match=r"reach r31, member 1: .* misses by -\d.* m3 at step 20; .*withdrawal"):
        router.run(begin, lateral)
    small = Pool(0, np.array([0.0, 100.0]), np.array([0.0, 1000.0]))
    dam = Router(RiverNetwork.tree(["pond"], np.array([-1]), muskingum_laws(np.ones(1), np.zeros(1)), [small]), HOUR)
    falling = np.array([500.0, 0.0, 0.0])[None, None]
    with pytest.raises(ModelFailed, match=r"reach pond, member 0: .* at step [12]; .*too small"):
        dam.run(dam.steady(falling[:, :, 0]), falling)


def test_faults_of_a_network_are_told() -> None:
    law = muskingum_laws(np.ones(3), np.zeros(3))
    with pytest.raises(BadInput, match="in a circle through reach"):
        Router(RiverNetwork.tree(list("abc"), np.array([1, 2, 0]), law), HOUR)
    with pytest.raises(BadInput, match="give each reach a row"):
        RiverNetwork.tree(list("abc"), np.array([1, 2, -1]), law[:2])
    with pytest.raises(BadInput, match="reach b has the law"):
        RiverNetwork.tree(list("abc"), np.array([1, 2, -1]), np.where(np.arange(3)[:, None] == 1, np.nan, law))
    with pytest.raises(BadInput, match="pool a does not rise"):
        RiverNetwork.tree(list("abc"), np.array([1, 2, -1]), law, [Pool(0, np.array([1.0, 1.0]), np.zeros(2))])
    with pytest.raises(BadInput, match="one later reach"):
        RiverNetwork.tree(
            list("abc"),
            np.array([1, 2, -1]),
            law,
            coupled=[Coupled((1, 0), np.ones((2, 3)), np.ones((2, 4)), np.ones(3))],
        )
    network = tree(5)
    with pytest.raises(BadInput, match="both need 5 reaches"):
        Router(network, HOUR).run(RiverState(np.zeros((5, 2, 3))), np.zeros((5, 1, 4)))
    assert network.place("r3") == 3
    with pytest.raises(BadInput, match="no reach 'x'"):
        network.place("x")


def test_long_reaches_are_best_cut() -> None:
    law = channel_laws(np.array([5e3, 2e5]), np.full(2, 1e-3), np.full(2, 100.0), np.full(2, 0.035))
    few, many = pieces(law, HOUR, np.full(2, 300.0))
    assert few == 1
    assert many > 10


def test_lakes_push_the_main_stem_both_ways() -> None:
    network = coupled()
    router, steps = Router(network, HOUR), 400
    base = np.zeros((7, 1, steps))
    base[0], base[4], base[5] = 8000.0, 1500.0, 1000.0
    begin = router.steady(base[:, :, 0])
    calm = router.levels(begin, range(1, 6))[:, 0]
    wave = np.exp(-0.5 * ((np.arange(steps) - 100) / 40.0) ** 2)
    lakes = base.copy()
    lakes[4, 0] += 9000.0 * wave  # a flood of the first lake's own rivers
    flow, end = router.run(begin, lakes[:, :, :100])
    pushed = router.levels(end, range(1, 6))[:, 0]
    assert pushed[0] > calm[0] + 0.4  # the main stem above the lake's mouth backs up
    assert flow[1, 0].min() < 7900.0  # and hands on less than it is given meanwhile
    river = base.copy()
    river[0, 0] += 40_000.0 * wave  # a flood of the main stem
    flow, end = router.run(begin, river)
    assert flow[4, 0].min() < -500.0  # the river pours into the lake
    assert flow[4, 0, -1] > 1500.0  # and the lake gives it back
    peak = (begin.values[0, 0, 1] + 40_000.0 + 2500.0) - flow[3, 0].max()
    assert peak > 2000.0  # which takes the top off the flood
    change = router.water(end) - router.water(begin)
    assert change == pytest.approx(volumes(router, network, river, flow, begin), rel=1e-9)
