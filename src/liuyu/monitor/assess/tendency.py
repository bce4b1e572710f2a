"""Tendency: how fast a series changes, as the median slope of its last hours.

The slope is Theil's (1950) and Sen's (1968): the median over all pairs of points. One wrong point in six moves it
little, where least squares would follow.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR

WINDOW = 6 * HOUR
POINTS = 7
SPACING = 50 * 60
FEWEST = 3
_NEVER = np.iinfo(np.int64).min // 2


class Tendencies:
    """The last points of many series, at most POINTS each and SPACING [s] apart or more, and the slope through them."""

    def __init__(self, count: int) -> None:
        self.time = np.full((count, POINTS), _NEVER, np.int64)
        self.value = np.zeros((count, POINTS))
        self.head = np.zeros(count, np.int8)

    def follow(
        self, place: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Slopes [unit/h] at new values of distinct series: (n,), NaN with fewer than FEWEST points within WINDOW."""
        slope = self._slope(place, time, value)
        last = self.time[place, self.head[place]]
        far = time - last >= SPACING
        kept, head = place[far], (self.head[place[far]] + 1) % POINTS
        self.time[kept, head], self.value[kept, head], self.head[kept] = time[far], value[far], head
        same = time == last
        self.value[place[same], self.head[place[same]]] = value[same]
        return slope

    def _slope(
        self, place: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        known = self.time[place]
        known = np.where((known >= (time - WINDOW)[:, None]) & (known < time[:, None]), known, _NEVER)
        some = (known != _NEVER).sum(axis=1) + 1 >= FEWEST
        found = np.full(len(place), np.nan)
        if some.any():
            hours = np.column_stack([(known[some] - time[some, None]) / HOUR, np.zeros(some.sum())])
            values = np.column_stack([self.value[place[some]], value[some]])
            found[some] = _median_slope(np.where(hours < -WINDOW / HOUR, np.nan, hours), values)
        return found


def _median_slope(hours: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    one, other = np.array(list(combinations(range(hours.shape[1]), 2))).T
    slopes = np.sort((values[:, other] - values[:, one]) / (hours[:, other] - hours[:, one]), axis=1)
    count = np.isfinite(slopes).sum(axis=1)
    rows = np.arange(len(slopes))
    middle: NDArray[np.float64] = (slopes[rows, (count - 1) // 2] + slopes[rows, count // 2]) / 2
    return middle
