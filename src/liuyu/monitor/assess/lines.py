"""The lines that values are held against: thresholds in force on a day, and frequency curves."""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.assessments import SeriesIndex
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.places import THRESHOLD_KINDS, Basin


class Thresholds:
    """The thresholds of a basin as tables: a row for each series, a column for each kind, made once for each season."""

    def __init__(self, basin: Basin, index: SeriesIndex) -> None:
        present = {each.kind for each in basin.thresholds}
        self.kinds = tuple(kind for kind in THRESHOLD_KINDS if kind in present)
        self.kinds += tuple(sorted(present - set(self.kinds)))
        self._zone = basin.zone
        self._rows = [
            (index.place(each.station, each.quantity), self.kinds.index(each.kind), each) for each in basin.thresholds
        ]
        self._seasons = list(dict.fromkeys(each.season for each in basin.thresholds if each.season))
        self._shape = (len(index), len(self.kinds))
        self._tables: dict[tuple[bool, ...], NDArray[np.float64]] = {}
        self._days: dict[int, tuple[bool, ...]] = {}

    def in_force(self, place: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.float64]:
        """The value of each kind's threshold for each observation: (n, k) [unit], NaN where none is in force."""
        if not self._seasons or not len(place):
            return self._table(moment(0).date())[place]
        hours, which = np.unique(time // HOUR, return_inverse=True)
        found = np.empty((len(place), len(self.kinds)))
        for number, hour in enumerate(hours):
            rows = which == number
            found[rows] = self._table(moment(int(hour) * HOUR, self._zone).date())[place[rows]]
        return found

    def _table(self, day: date) -> NDArray[np.float64]:
        state = self._days.get(day.toordinal())
        if state is None:
            state = self._days[day.toordinal()] = tuple(each.holds(day) for each in self._seasons)
        if state not in self._tables:
            table = np.full(self._shape, np.nan)
            for place, column, each in self._rows:
                if place >= 0 and (each.season is None or each.season.holds(day)):
                    nearer = np.fmin if each.side == "above" else np.fmax
                    table[place, column] = nearer(table[place, column], each.value)
            self._tables[state] = table
        return self._tables[state]


class Frequencies:
    """The frequency curves of a basin; return periods are interpolated on their logarithm.

    Below a curve's first point nothing is known (NaN); above its last the last period stands, as a lower bound.
    """

    def __init__(self, basin: Basin, index: SeriesIndex) -> None:
        keys = dict.fromkeys((each.station, each.quantity) for each in basin.frequencies)
        curves = [basin.frequencies_of(*key) for key in keys]
        width = max(map(len, curves), default=0)
        self._row = np.full(len(index) + 1, -1, np.int64)
        self._value = np.full((len(curves), width), np.inf)
        self._log = np.zeros((len(curves), width))
        for number, (key, curve) in enumerate(zip(keys, curves, strict=True)):
            self._row[index.place(*key)] = number
            self._value[number, : len(curve)] = [each.value for each in curve]
            self._log[number] = np.log(curve[-1].return_period)
            self._log[number, : len(curve)] = np.log([each.return_period for each in curve])

    def years(self, place: NDArray[np.int64], value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return period [years] of values of series at places: (n,), NaN where unknown."""
        found = np.full(len(place), np.nan)
        known = np.flatnonzero(self._row[place] >= 0)
        if not known.size:
            return found
        row, here = self._row[place[known]], value[known]
        above = (self._value[row] <= here[:, None]).sum(axis=1)
        lower, upper = np.maximum(above - 1, 0), np.minimum(above, self._value.shape[1] - 1)
        low, high = self._value[row, lower], self._value[row, upper]
        inside = (high > low) & np.isfinite(high)
        share = np.where(inside, (here - low) / np.where(inside, high - low, 1.0), 0.0)
        logs = self._log[row, lower] + share * (self._log[row, upper] - self._log[row, lower])
        found[known] = np.where(above > 0, np.round(np.exp(logs), 6), np.nan)
        return found
