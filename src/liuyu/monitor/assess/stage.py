"""The stage: each usable value against its lines, with its tendency and how rare it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.assessments import Assessments, SeriesIndex
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.assess.lines import Frequencies, Thresholds
from liuyu.monitor.assess.tendency import POINTS, Tendencies

_NEVER = np.iinfo(np.int64).min // 2


@dataclass(frozen=True, slots=True)
class Steady:
    """A series is steady while its tendency [unit/h] stays below a floor or below a share of its value per hour."""

    floor: Mapping[str, float] = field(default_factory=lambda: {"water_level": 0.01, "reservoir_storage": 1e6})
    share: Mapping[str, float] = field(
        default_factory=lambda: {"discharge": 0.005, "reservoir_inflow": 0.005, "reservoir_outflow": 0.005}
    )


class Assess:
    """Assess observations of a basin. Only usable values count; older ones than the newest never change its memory."""

    name = "assess"

    def __init__(self, basin: Basin, steady: Steady | None = None) -> None:
        self.index = SeriesIndex.of(basin)
        self._thresholds = Thresholds(basin, self.index)
        self._frequencies = Frequencies(basin, self.index)
        self._tendencies = Tendencies(len(self.index))
        self._newest = np.full(len(self.index), _NEVER, np.int64)
        limits, size = steady or Steady(), max(self.index.quantities, default=0) + 1
        self._floor, self._share = np.zeros(size), np.zeros(size)
        for number in self.index.quantities:
            self._floor[number] = limits.floor.get(quantity(number).name, 0.0)
            self._share[number] = limits.share.get(quantity(number).name, 0.0)

    def step(self, batch: Batch, now: int) -> Assessments:
        """Assess a batch at a time [s UTC]. Raises BadInput for a batch of another roster than the basin's."""
        if batch.roster is not self.index.roster and batch.roster != self.index.roster:
            raise BadInput(
                f"a batch of {len(batch.roster)} stations cannot be assessed in a basin of {len(self.index.roster)}; "
                "build it on basin.roster"
            )
        n, kinds = len(batch), self._thresholds.kinds
        place = self.index.places(batch)
        usable = (batch.flag <= Flag.NOT_EVALUATED) & np.isfinite(batch.value) & (place >= 0) & (batch.time <= now)
        rows = np.flatnonzero(usable)
        place, time, value = place[rows], batch.time[rows], batch.value[rows]
        current = np.zeros(n, np.bool_)
        current[rows] = time >= self._newest[place]
        tendency, years = np.full(n, np.nan), np.full(n, np.nan)
        tendency[current] = self._follow(place[current[rows]], batch.time[current], batch.value[current])
        np.maximum.at(self._newest, place, time)
        margins = np.full((n, len(kinds)), np.nan)
        margins[rows] = np.round(value[:, None] - self._thresholds.in_force(place, time), 6)
        years[rows] = self._frequencies.years(place, value)
        return Assessments(batch, current, tendency, self._trend(batch, tendency), kinds, margins, years)

    def _follow(
        self, place: NDArray[np.int64], time: NDArray[np.int64], value: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Tendencies, series by series in order of time: the k-th values of all series make the k-th round."""
        if not len(place):
            return np.empty(0)
        order = np.lexsort((time, place))
        starts = np.flatnonzero(np.diff(place[order], prepend=-1))
        sizes = np.diff(starts, append=len(order))
        slope = np.empty(len(order))
        for number in range(int(sizes.max())):
            rows = order[starts[sizes > number] + number]
            slope[rows] = self._tendencies.follow(place[rows], time[rows], value[rows])
        return slope

    def _trend(self, batch: Batch, tendency: NDArray[np.float64]) -> NDArray[np.int8]:
        number = np.minimum(batch.quantity, len(self._floor) - 1)
        limit = np.maximum(self._floor[number], self._share[number] * np.abs(batch.value))
        trend: NDArray[np.int8] = np.where(np.abs(tendency) > limit, np.sign(tendency), 0.0).astype(np.int8)
        return trend

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        kept = self._tendencies
        return msgspec.msgpack.encode([each.tobytes() for each in (self._newest, kept.time, kept.value, kept.head)])

    def load(self, blob: bytes) -> None:
        """Take the memory back. Raises BadInput where it is another basin's."""
        newest, time, value, head = msgspec.msgpack.decode(blob, type=list[bytes])
        if len(newest) != self._newest.nbytes:
            raise BadInput(
                f"the memory holds {len(newest) // 8} series, this basin has {len(self.index)}; replay from the start"
            )
        self._newest = np.frombuffer(newest, np.int64).copy()
        self._tendencies.time = np.frombuffer(time, np.int64).reshape(-1, POINTS).copy()
        self._tendencies.value = np.frombuffer(value).reshape(-1, POINTS).copy()
        self._tendencies.head = np.frombuffer(head, np.int8).copy()
