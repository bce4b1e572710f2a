"""What is later than the moment cannot be read, whatever is handed in."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liuyu.basin.clock import HOUR
from liuyu.basin.series import Batch, Roster
from liuyu.store.sqlite import open_store
from liuyu.twin.known import Known, known

ROSTER = Roster(("A", "B"))


def test_later_values_are_dropped_when_it_is_made() -> None:
    batch = Batch.of(ROSTER, [0, 1, 0, 1], [1, 1, 1, 1], [10, 20, 30, 31], [1.0, 2.0, 3.0, 4.0])
    found = Known(30, batch)
    assert found.batch.value.tolist() == [1.0, 2.0, 3.0]
    assert Known(31, batch).batch is batch


def test_a_store_is_asked_for_the_last_hours_and_nothing_later(tmp_path: Path) -> None:
    times = HOUR * np.arange(1, 49)
    batch = Batch.of(ROSTER, np.zeros(48, int), np.ones(48, int), times, np.arange(48.0))
    with open_store(tmp_path / "store") as store:
        store.write(batch, received=48 * HOUR)
        found = known(store, ["A"], ["water_level"], 30 * HOUR, 6, ROSTER)
    assert found.batch.time.tolist() == [hour * HOUR for hour in range(24, 31)]
