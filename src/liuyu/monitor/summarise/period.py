"""One look at the store: the events of a period and, station by station, its series."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.events import Event
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Series
from liuyu.store.interface import Store

LASTING = ("alert", "notice", "incident", "task", "source", "response", "dispatch", "delivery", "handover")


class Period:
    """Reads what a report needs of one store in [start, end), each thing once. Times [s UTC]."""

    def __init__(self, basin: Basin, store: Store, start: int, end: int) -> None:
        self.basin, self.store, self.start, self.end = basin, store, start, end
        self._batches: dict[str, Batch] = {}

    @cached_property
    def events(self) -> tuple[Event, ...]:
        """Every event of the period, in the order of the log."""
        return tuple(self.store.events(start=self.start, end=self.end))

    @cached_property
    def earlier(self) -> tuple[Event, ...]:
        """Events before the period of things that may last into it."""
        return tuple(self.store.events(kinds=LASTING, end=self.start))

    def courses(self, kind: str) -> Iterator[tuple[Event, ...]]:
        """The events of each id of a kind, those before the period included, where any fell into the period."""
        groups: dict[str, list[Event]] = {}
        for event in (*self.earlier, *self.events):
            if event.kind == kind:
                groups.setdefault(event.id, []).append(event)
        inside = {event.id for event in self.events if event.kind == kind}
        yield from (tuple(group) for key, group in groups.items() if key in inside or kind == "alert")

    def batch(self, station: str) -> Batch:
        """All observations of a station, whatever their flags."""
        if station not in self._batches:
            roster = self.basin.roster
            self._batches[station] = self.store.window([station], [], self.start, self.end, roster)
        return self._batches[station]

    def series(self, station: str, name: str) -> Series:
        """The usable values of one series of the period, by time."""
        batch = self.batch(station)
        keep = (batch.quantity == quantity(name).number) & (batch.flag <= Flag.NOT_EVALUATED) & np.isfinite(batch.value)
        return Series(station, name, batch.time[keep], batch.value[keep], batch.flag[keep])


def at_times(series: Series, times: NDArray[np.int64], within: int = 3 * 3600) -> NDArray[np.float64]:
    """Values at given times, linear between neighbours, NaN where these are more than `within` [s] apart."""
    if len(series) == 0:
        return np.full(len(times), np.nan)
    right = np.clip(np.searchsorted(series.time, times), 0, len(series) - 1)
    left = np.where(series.time[right] == times, right, np.maximum(right - 1, 0))
    inside = (series.time[left] <= times) & (series.time[right] >= times)
    near = inside & (series.time[right] - series.time[left] <= within)
    return np.where(near, np.interp(times, series.time, series.value), np.nan)


def thin(series: Series, most: int = 420) -> Series:
    """A series in at most about `most` points, keeping the lowest and highest of each stretch, in their order."""
    if len(series) <= most:
        return series
    edges = np.linspace(0, len(series), most // 2 + 1).astype(int)
    keep: list[int] = [0]
    for left, right in pairwise(edges.tolist()):
        part = series.value[left:right]
        keep += sorted({left + int(part.argmin()), left + int(part.argmax())})
    chosen = np.unique(np.asarray([*keep, len(series) - 1]))
    return Series(series.station, series.quantity, series.time[chosen], series.value[chosen], series.flag[chosen])


def text_of(basin: Basin, code: str) -> dict[str, str]:
    """The name of a station; its code where the basin has none such."""
    station = basin.station_by_code.get(code)
    return {"zh": station.name, "en": station.name_en} if station else {"zh": code, "en": code}


def codes(basin: Basin, ranks: Sequence[int] = (1, 2, 3)) -> list[str]:
    """Station codes of some ranks, in roster order."""
    return [each.code for each in basin.stations if each.rank in ranks]
