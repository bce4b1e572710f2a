"""How things stand, in columns: what `assess` makes of a batch and hands to `alert`, `warn` and the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Assessment
from liuyu.basin.series import Batch, Roster

TRENDS: Mapping[int, str] = {-1: "falling", 0: "steady", 1: "rising"}


@dataclass(frozen=True)
class SeriesIndex:
    """The place of every series in arrays of state: a row for each station and each quantity that any station has.

    `quantities` are `Quantity.number`, rising. A series stands at station x len(quantities) + column of its quantity.
    """

    roster: Roster
    quantities: tuple[int, ...]

    @classmethod
    def of(cls, basin: Basin) -> SeriesIndex:
        """The index of a basin, over the quantities that its stations report or its thresholds and curves speak of."""
        names = {name for station in basin.stations for name in station.quantities}
        names |= {each.quantity for each in basin.thresholds} | {each.quantity for each in basin.frequencies}
        return cls(basin.roster, tuple(sorted(quantity(name).number for name in names)))

    def __len__(self) -> int:
        return len(self.roster) * len(self.quantities)

    @cached_property
    def _columns(self) -> NDArray[np.int64]:
        columns = np.full(max(self.quantities, default=0) + 2, -1, np.int64)
        columns[list(self.quantities)] = np.arange(len(self.quantities))
        return columns

    def places(self, batch: Batch) -> NDArray[np.int64]:
        """The place of each observation's series: (n,), -1 where no station of the basin has such a quantity."""
        column = self._columns[np.minimum(batch.quantity, len(self._columns) - 1)]
        found: NDArray[np.int64] = np.where(column < 0, -1, batch.station * np.int64(len(self.quantities)) + column)
        return found

    def place(self, station: str, quantity_name: str) -> int:
        """The place of one series by station code and quantity name, or -1 where there is none."""
        number = quantity(quantity_name).number
        if station not in self.roster.number or number not in self.quantities:
            return -1
        return self.roster.number[station] * len(self.quantities) + self.quantities.index(number)

    def station(self, place: int) -> str:
        """The code of the station of a place."""
        return self.roster.codes[place // len(self.quantities)]

    def quantity(self, place: int) -> str:
        """The name of the quantity of a place."""
        return quantity(self.quantities[place % len(self.quantities)]).name


@dataclass(frozen=True, slots=True)
class Assessments:
    """Assessed observations in columns, all of length n, in the order of `batch`.

    current: (n,) bool, the value is usable and no older than any usable one of its series before it; only these change
    the present state. tendency: (n,) float64 [unit/h], NaN where too few values are known. trend: (n,) int8, a key of
    TRENDS. kinds: the k threshold kinds of the basin. margins: (n, k) float64 [unit], value - threshold, NaN where no
    such threshold is in force or the value is not usable. return_period: (n,) float64 [years], NaN where unknown.
    """

    batch: Batch
    current: NDArray[np.bool_]
    tendency: NDArray[np.float64]
    trend: NDArray[np.int8]
    kinds: tuple[str, ...]
    margins: NDArray[np.float64]
    return_period: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.batch)

    def record(self, row: int) -> Assessment:
        """One row as an object."""
        batch, margins = self.batch, self.margins[row]
        slope, years = float(self.tendency[row]), float(self.return_period[row])
        return Assessment(
            station=batch.roster.codes[batch.station[row]],
            quantity=quantity(int(batch.quantity[row])).name,
            time=moment(int(batch.time[row])),
            value=float(batch.value[row]),
            flag=int(batch.flag[row]),
            margins={kind: float(margins[at]) for at, kind in enumerate(self.kinds) if np.isfinite(margins[at])},
            tendency=slope if np.isfinite(slope) else None,
            trend=TRENDS[int(self.trend[row])],
            return_period=years if np.isfinite(years) else None,
        )

    def records(self) -> tuple[Assessment, ...]:
        """Every row as an object; for people and tests, not for the fast path."""
        return tuple(self.record(row) for row in range(len(self)))
