"""Rules of reservoirs: read with every fault, turned into goals in their order, simulated with water kept."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.errors import BadPackage
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin, Reservoir
from liuyu.outlook.plan.aims import goals_of
from liuyu.outlook.plan.by_rule import by_rule
from liuyu.outlook.plan.horizon import STEP_H, Base, problem_of, stored
from liuyu.outlook.plan.optimise import simulate, solve, stress
from liuyu.outlook.plan.rules import read_reservoir_rules, rules_of

DAY = date(2020, 8, 10)
SHASHI, LIANHUATANG = "60108300", "60111200"


@pytest.fixture(scope="module")
def yangtze(basins: Path) -> Basin:
    return read_basin(basins / "yangtze")


@pytest.fixture(scope="module")
def dam(yangtze: Basin) -> Reservoir:
    return next(each for each in yangtze.reservoirs if each.code == "three_gorges")


def flood(top: float, level: float) -> Base:
    """A wave of inflow, and two gauges that answer a release: one in a step or two, one in days."""
    steps = np.arange(28)
    inflow = 25_000 + (top - 25_000) * np.exp(-(((steps - 10) / 5) ** 2))
    near, far = np.zeros(28), np.zeros(28)
    near[:4], far[6:14] = (2e-5, 5e-5, 4e-5, 2e-5), 5e-6
    release = np.full(28, 30_000.0)
    members = np.linspace(-0.3, 0.3, 5)[:, None]
    return Base(
        release=release,
        inflow=inflow * (1 + members / 3),
        level={SHASHI: level + members * np.ones(28), LIANHUATANG: 32.0 + members * np.ones(28)},
        kernel={SHASHI: near, LIANHUATANG: far},
    )


def test_stages_say_which_gauge_a_pool_serves(yangtze: Basin, dam: Reservoir) -> None:
    rules = rules_of(yangtze, dam, (SHASHI, LIANHUATANG))
    assert [each.upto for each in rules.stages] == [158.0, 171.0, 175.0]
    assert [each.station for each in rules.serving(150.0)] == [LIANHUATANG, SHASHI, SHASHI]
    assert [each.line for each in rules.serving(160.0)] == [44.5, 45.0]
    assert rules.serving(175.0) == ()


def test_a_package_without_rules_serves_the_guarantee_levels_below(yangtze: Basin) -> None:
    other = next(each for each in yangtze.reservoirs if each.code == "danjiangkou")
    rules = rules_of(yangtze, other, ("60112200", "61802800"))
    assert [(each.station, each.upto, each.line, each.easing) for each in rules.stages] == [
        ("60112200", 170.0, 29.73, 27.3)
    ]


def test_every_fault_of_rules_has_its_line(yangtze: Basin, tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    file.write_text(
        """kind = "reservoir_rules"
[[reservoir]]
code = "three_gorges"
drawdown_days = 0.0
[[stage]]
reservoir = "three_george"
upto = 158.0
station = "1"
line = 34.4
easing = 35.0
source = "none"
"""
    )
    with pytest.raises(BadPackage) as told:
        read_reservoir_rules([file], yangtze)
    assert {each.line for each in told.value.faults} == {4, 6, 8, 10}


def test_the_pool_gives_way_stage_by_stage_in_the_goals(yangtze: Basin, dam: Reservoir) -> None:
    rules = rules_of(yangtze, dam, (SHASHI, LIANHUATANG))
    goals = goals_of(yangtze, dam, rules, (SHASHI, LIANHUATANG), DAY, 28)
    order = [(each.kind, each.at, each.value) for each in sorted(goals, key=lambda one: one.priority)]
    wanted = [
        ("storage_below", dam.code, stored(dam, 171.0)),
        ("flow_below", SHASHI, 44.5),
        ("peak", SHASHI, 43.0),
        ("storage_below", dam.code, stored(dam, 158.0)),
        ("flow_below", LIANHUATANG, 34.4),
        ("storage_below", dam.code, stored(dam, 145.0)),
        ("flow_below", LIANHUATANG, 32.5),
    ]
    places = [order.index(each) for each in wanted]
    assert places == sorted(places)
    assert order[-1][0] == "smooth"


@pytest.mark.parametrize(("top", "level"), [(40_000.0, 41.0), (75_000.0, 42.0), (90_000.0, 43.5)])
def test_water_is_kept_by_rules_and_optimiser_and_the_optimiser_does_no_worse(
    yangtze: Basin, dam: Reservoir, top: float, level: float
) -> None:
    base = flood(top, level)
    rules = rules_of(yangtze, dam, (SHASHI, LIANHUATANG))
    goals = goals_of(yangtze, dam, rules, (SHASHI, LIANHUATANG), DAY, 28)
    begin = stored(dam, 152.0)
    ramp = rules.ramp * STEP_H
    problem = problem_of(yangtze, dam, base, storage=begin, release=30_000.0, goals=goals, ramp=ramp)
    answer = solve(problem)
    ruled = by_rule(dam, rules, base, storage=begin, release=30_000.0, limit=145.0)
    assert answer.feasible
    for release in (ruled, answer.course.release[dam.code]):
        course = simulate(problem, {dam.code: release})
        assert course.error < 1e-12
        change = np.diff(np.concatenate([[30_000.0], release]))
        assert np.abs(change).max() <= ramp * (1 + 1e-6)
        assert release.min() >= dam.release_range[0]
    peaks = {
        row.schedule: row.peak[SHASHI]
        for row in stress(problem, {"rules": {dam.code: ruled}, "best": answer.course.release})
        if row.member == 2
    }
    assert peaks["best"] <= max(43.0, peaks["rules"]) + 0.01
    assert peaks["best"] <= max(43.0, level) + 0.5
