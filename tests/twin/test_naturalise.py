"""The river without its reservoirs: what passes unchanged changes nothing, what was held back would have come."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from liuyu.basin.clock import HOUR
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.twin import RiverTwin, make_archive
from liuyu.twin.archive import read_archive
from liuyu.twin.naturalise import naturalise

OUT, IN = quantity("reservoir_outflow").number, quantity("reservoir_inflow").number


@pytest.fixture(scope="module")
def twin() -> RiverTwin:
    return RiverTwin(read_basin(find_basin("qingxi")))


@pytest.fixture(scope="module")
def batch(twin: RiverTwin, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    """Two weeks of the synthetic archive in which the dam held a flood back."""
    file = make_archive(twin.basin, tmp_path_factory.mktemp("made") / "a.parquet", 2020)
    made = read_archive(file, twin.basin, twin.model.series)
    roster, row = twin.basin.roster, [each.quantity for each in twin.model.series].index("reservoir_inflow")
    crest = int(np.nanargmax(made.value[row]))
    time, value = made.time[crest - 192 : crest + 192], made.value[:, crest - 192 : crest + 192]
    parts = [
        Batch.of(
            roster,
            np.full(len(time), roster.number[each.station]),
            np.full(len(time), quantity(each.quantity).number),
            time,
            value[place],
            np.where(np.isfinite(value[place]), 1, 9).astype(np.uint8),
        )
        for place, each in enumerate(twin.model.series)
    ]
    return Batch.join(parts).ordered()


def test_passing_on_what_comes_changes_no_level(twin: RiverTwin, batch: Batch) -> None:
    coming = batch.take(batch.quantity == IN)
    passed = dataclasses.replace(coming, quantity=np.full_like(coming.quantity, OUT))
    same = Batch.join([batch.take(batch.quantity != OUT), passed]).ordered()
    found = naturalise(twin, same, int(batch.time[0]), int(batch.time[-1]))
    assert found is not None
    for code, level in found.level.items():
        np.testing.assert_allclose(found.without[code], level, atol=1e-6)


def test_what_was_held_back_would_have_come(twin: RiverTwin, batch: Batch) -> None:
    start, end = int(batch.time[0]), int(batch.time[-1])
    found = naturalise(twin, batch, start, end)
    assert found is not None
    assert found.time[-1] == end
    assert len(found.time) == (end - start) // HOUR
    (dam,) = found.held
    gap = np.cumsum(found.inflow[dam] - found.outflow[dam]) * HOUR
    np.testing.assert_array_equal(found.held[dam], gap)
    assert gap.max() > 0
    below = [code for code in found.level if code in twin.below(next(iter(twin.reservoir_places.values())))]
    assert below
    assert max(float((found.without[code] - found.level[code]).max()) for code in below) > 0.05
    crest = int(found.inflow[dam].argmax())
    assert found.outflow[dam][crest] < found.inflow[dam][crest]
    first = below[0]
    assert found.without[first].max() > found.level[first].max()


def test_without_enough_to_go_by_there_is_no_answer(twin: RiverTwin, batch: Batch) -> None:
    end = int(batch.time[-1])
    assert naturalise(twin, batch, end - 24 * HOUR, end) is None
    assert naturalise(twin, batch.take(batch.station == batch.station[0]), int(batch.time[0]), end) is None
    assert naturalise(twin, batch.take(np.zeros(len(batch), bool)), int(batch.time[0]), end) is None
