"""What was known at a moment, and nothing else: the only door through which a forecaster sees observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from liuyu.basin.clock import HOUR
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Store


@dataclass(frozen=True, slots=True)
class Known:
    """Observations at or before `now` [s UTC]. What is later is dropped when this is made, so that it cannot be read.

    >>> from liuyu.basin.series import Batch, Roster
    >>> Known(7200, Batch.of(Roster(("A",)), [0, 0], [1, 1], [7200, 7201], [3.0, 9.0])).batch.value.tolist()
    [3.0]
    """

    now: int
    batch: Batch

    def __post_init__(self) -> None:
        if (self.batch.time > self.now).any():
            object.__setattr__(self, "batch", self.batch.take(self.batch.time <= self.now))


def known(
    store: Store, stations: Sequence[str], quantities: Sequence[str], now: int, hours: int, roster: Roster
) -> Known:
    """What a store knows at `now` of the last hours of some series; it is asked for nothing later."""
    return Known(now, store.window(stations, quantities, now - hours * HOUR, now + 1, roster))
