"""Observations as the store holds them: read for some datastreams, and the first and newest of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import NotFound
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Store
from liuyu.web.sensorthings.catalogue import Entity

_SAMPLE = 64
_FRESH = 2 * HOUR
_REFRESHED = 60.0
_MEANING = {flag: flag.name.lower().replace("_", " ") for flag in Flag}

Row = tuple[int, float, int]
"""Time [s UTC], value [unit of the quantity] and flag of an observation."""


class Observations:
    """The observations of one basin's store."""

    def __init__(self, basin: Basin, store: Store) -> None:
        self._basin = basin
        self._store = store
        self._first: dict[str, int] = {}
        self._empty: dict[str, float] = {}
        self._earliest: tuple[int | None, float] | None = None

    @property
    def roster(self) -> Roster:
        """The order of the stations."""
        return self._basin.roster

    def one(self, stream: Entity, time: int) -> Batch:
        """The observation of a datastream at a time. Raises NotFound."""
        found = self.read((stream,), time, time + 1)
        if not len(found):
            raise NotFound(f"no observation of {stream.id} at {time}; see Datastreams('{stream.id}')/Observations")
        return found

    def read(self, streams: Sequence[Entity], start: int, end: int) -> Batch:
        """Every observation of some datastreams in [start, end), by time, place and quantity; of none, none."""
        roster = self._basin.roster
        if not streams:
            return Batch.empty(roster)
        if len(streams) == 1:
            series = self._store.series(streams[0].station, streams[0].quantity, start, end)
            count, number = len(series), quantity(streams[0].quantity).number
            place = np.full(count, roster.number[streams[0].station], np.int32)
            return Batch(roster, place, np.full(count, number, np.int16), series.time, series.value, series.flag)
        stations = list(dict.fromkeys(each.station for each in streams))
        names = list(dict.fromkeys(each.quantity for each in streams))
        found = self._store.window(stations, names, start, end, roster)
        if len(stations) * len(names) != len(streams):
            found = found.take(np.isin(series_of(found), np.array(sorted(self.keys(streams)), np.int64)))
        return found.ordered()

    def interval(self, station: str) -> int:
        """Expected time between reports of a station [s]."""
        return self._basin.station_by_code[station].interval

    def keys(self, streams: Sequence[Entity]) -> dict[int, Entity]:
        """Each datastream by the key of its series: place and quantity in one number."""
        number = self._basin.roster.number
        return {(number[each.station] << 16) | quantity(each.quantity).number: each for each in streams}

    def latest(self) -> dict[int, Row]:
        """The newest usable observation of every series by its key: time, value, flag."""
        found = self._store.latest(self._basin.roster)
        rows = zip(found.time.tolist(), found.value.tolist(), found.flag.tolist(), strict=True)
        return dict(zip(series_of(found).tolist(), rows, strict=True))

    def newest(self, streams: Sequence[Entity], latest: Mapping[int, Row], end: int) -> dict[int, Row]:
        """The newest observation of some datastreams before `end` [s UTC], by key, usable or not.

        `latest` holds the newest usable ones. What is newer is unusable, and is read at once for all that still report;
        the few that have fallen silent are read one by one.
        """
        keys = self.keys(streams)
        known = {key: latest[key] for key in keys if key in latest}
        fresh_since = max((time for time, _, _ in known.values()), default=0) - _FRESH
        fresh = {key: row for key, row in known.items() if row[0] >= fresh_since}
        since = min((time for time, _, _ in fresh.values()), default=end)
        groups = [self.read([keys[key] for key in fresh], since, end)]
        groups += [self.read((keys[key],), row[0], end) for key, row in known.items() if key not in fresh]
        for group in groups:
            rows = zip(group.time.tolist(), group.value.tolist(), group.flag.tolist(), strict=True)
            known.update(zip(series_of(group).tolist(), rows, strict=True))
        return known

    def earliest(self, streams: Sequence[Entity]) -> int | None:
        """A time [s UTC] at or before the first observation of some datastreams; None where they have none.

        For many it is the first of all that the store holds: a sample gives a bound, and what lies before it is read.
        """
        if len(streams) <= _SAMPLE:
            found = [first for each in streams if (first := self.first(each)) is not None]
            return min(found, default=None)
        if self._earliest is None or self._earliest[1] < monotonic():
            known = self.earliest(streams[:: -(-len(streams) // _SAMPLE)])
            before = self._store.window((), (), 0, 2**40 if known is None else known, self._basin.roster)
            times = [*([] if known is None else [known]), *([int(before.time.min())] if len(before) else [])]
            self._earliest = (min(times, default=None), monotonic() + _REFRESHED)
        return self._earliest[0]

    def learn_firsts(self, streams: Sequence[Entity]) -> None:
        """Find the first observations of many datastreams at once: most begin when the store does."""
        unknown = [each for each in streams if each.id not in self._first]
        start = self.earliest(unknown) if len(unknown) > _SAMPLE else None
        if start is not None:
            found = self.read(unknown, start, start + _FRESH)
            series, places = np.unique(series_of(found), return_index=True)
            keys = self.keys(unknown)
            self._first |= {keys[key].id: int(found.time[at]) for key, at in zip(series.tolist(), places, strict=True)}

    def first(self, stream: Entity) -> int | None:
        """Time of the first observation of a datastream [s UTC]; None where there was none within the last minute."""
        if stream.id not in self._first:
            if self._empty.get(stream.id, 0.0) > monotonic():
                return None
            days = self._store.rollup(stream.station, stream.quantity, 0, 2**40, DAY).time
            end = int(days[0]) + DAY if len(days) else 2**40
            series = self._store.series(stream.station, stream.quantity, 0, end)
            if not len(series):
                self._empty[stream.id] = monotonic() + _REFRESHED
                return None
            self._first[stream.id] = int(series.time[0])
        return self._first[stream.id]


def texts_of(time: NDArray[np.int64]) -> list[str]:
    """Times [s UTC] as ISO 8601 with Z."""
    return [f"{each}Z" for each in np.datetime_as_string(time.astype("datetime64[s]")).tolist()]


def ids_of(rows: Batch) -> list[str]:
    """The ids of observations: station, quantity and time [s UTC], which together name one."""
    names = {number: quantity(number).name for number in np.unique(rows.quantity).tolist()}
    columns = zip(rows.station.tolist(), rows.quantity.tolist(), rows.time.tolist(), strict=True)
    return [f"{rows.roster.codes[place]}:{names[number]}:{time}" for place, number, time in columns]


def quality_of(flag: int) -> dict[str, Any]:
    """The quality of an observation: its flag after QARTOD, and what that means."""
    return {"flag": flag, "meaning": _MEANING[Flag(flag)]}


def series_of(rows: Batch) -> NDArray[np.int64]:
    """The key of each observation's series: place in the roster and number of the quantity, in one number."""
    return (rows.station.astype(np.int64) << 16) | rows.quantity.astype(np.int64)
