"""Tables of sections, structures and the order of elimination, on their own."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.physics.channel.order import eliminate
from liuyu.physics.channel.sections import critical_rating, normal_rating, storage, tabulate
from liuyu.physics.channel.structures import crest_discharge


def test_trapezoid_has_its_area_and_manning_its_conveyance() -> None:
    station, ground = np.array([0.0, 20.0, 30.0, 50.0]), np.array([10.0, 0.0, 0.0, 10.0])
    level, width, area, conveyance = tabulate(station, ground, np.full(4, 0.025))
    assert area == pytest.approx(10.0 * level + 2.0 * level**2, abs=1e-9)
    assert width == pytest.approx(10.0 + 4.0 * level)
    perimeter = 10.0 + 2.0 * np.hypot(1.0, 2.0) * level
    radius = area / perimeter
    assert conveyance == pytest.approx(area * radius ** (2 / 3) / 0.025)


def test_compound_section_adds_its_parts_and_a_shelf_widens_at_once() -> None:
    station = np.array([0.0, 0.0, 100.0, 100.0, 120.0, 120.0])
    ground = np.array([8.0, 3.0, 3.0, 0.0, 0.0, 8.0])
    manning = np.array([0.1, 0.1, 0.025, 0.025, 0.025, 0.025])
    level, width, area, conveyance = tabulate(station, ground, manning)
    shelf = np.flatnonzero(level == 3.0)
    assert width[shelf].tolist() == [20.0, 120.0]
    assert area[-1] == pytest.approx(20.0 * 8.0 + 100.0 * 5.0)
    main = 160.0 * (160.0 / (20.0 + 3.0 + 8.0)) ** (2 / 3) / 0.025
    side = 500.0 * (500.0 / (100.0 + 5.0)) ** (2 / 3) / 0.1
    assert conveyance[-1] == pytest.approx(main + side)


def test_lake_holds_the_integral_of_its_surface() -> None:
    _, _, volume, _ = storage(np.array([10.0, 12.0, 15.0]), np.array([1e6, 3e6, 3e6]))
    assert volume.tolist() == [0.0, 4e6, 13e6]


def test_ratings_of_a_box() -> None:
    table = tabulate(np.array([0.0, 0.0, 10.0, 10.0]), np.array([5.0, 0.0, 0.0, 5.0]), np.full(4, 0.03))
    level, critical = critical_rating(table)
    assert critical == pytest.approx(10.0 * level * np.sqrt(9.81 * level))
    level, normal = normal_rating(table, 1e-3)
    area = 10.0 * level
    assert normal == pytest.approx(area * (area / (10.0 + 2.0 * level)) ** (2 / 3) / 0.03 * np.sqrt(1e-3))


def test_weir_is_free_drowned_and_turns_round() -> None:
    free = 0.385 * 10.0 * np.sqrt(2 * 9.81)
    assert crest_discharge(6.0, 4.0, 5.0, 10.0, 0.385) == pytest.approx(free)
    assert crest_discharge(6.0, 5.0 + 2 / 3, 5.0, 10.0, 0.385) == pytest.approx(free)
    assert 0.0 < crest_discharge(6.0, 5.99, 5.0, 10.0, 0.385) < 0.5 * free
    assert crest_discharge(6.0, 6.0, 5.0, 10.0, 0.385) == 0.0
    assert crest_discharge(4.0, 6.0, 5.0, 10.0, 0.385) == pytest.approx(-free)
    assert crest_discharge(4.0, 4.5, 5.0, 10.0, 0.385) == 0.0


def test_tree_is_eliminated_without_fill_and_a_loop_with_little() -> None:
    tree = eliminate(7, np.array([0, 1, 2, 3, 2, 5]), np.array([1, 2, 3, 4, 5, 6]))
    assert len(tree.fill_edge) == 0
    assert sorted(tree.cells.tolist()) == list(range(7))
    ring = eliminate(6, np.arange(6), (np.arange(6) + 1) % 6)
    assert 0 < len(ring.fill_edge) <= 8
