"""Observations as they are read for some datastreams, and the first and newest of each.

Those of the basin's series come from the store, with what the loop has yet to take laid over. A datastream in another
unit shows its series converted; one that feeds no series has its rows in the ledger. Both stand behind the stations in
the roster, with 0 for the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from liuyu.web.sensorthings.ledger import Ledger, Note
from liuyu.web.sensorthings.underway import Underway

_SAMPLE = 64
_FRESH = 2 * HOUR
_REFRESHED = 60.0
_MEANING = {flag: flag.name.lower().replace("_", " ") for flag in Flag}

Row = tuple[int, float, int]
"""Time [s UTC], value [unit of the datastream] and flag of an observation."""


class Observations:
    """The observations of one basin: its store's, those underway to it, and the ledger's."""

    def __init__(self, basin: Basin, store: Store, ledger: Ledger) -> None:
        self._basin = basin
        self._store = store
        self.ledger = ledger
        self.underway = Underway(basin.roster)
        self._first: dict[str, int] = {}
        self._empty: dict[str, float] = {}
        self._earliest: tuple[int | None, float] | None = None

    @property
    def roster(self) -> Roster:
        """The order of the stations, and behind them what was created."""
        return self.ledger.codes(self._basin.roster)

    def one(self, stream: Entity, time: int) -> Batch:
        """The observation of a datastream at a time. Raises NotFound."""
        found = self.read((stream,), time, time + 1)
        if not len(found):
            raise NotFound(f"no observation of {stream.id} at {time}; see Datastreams('{stream.id}')/Observations")
        return found

    def read(self, streams: Sequence[Entity], start: int, end: int) -> Batch:
        """Every observation of some datastreams in [start, end), by time, place and quantity; of none, none."""
        series = [each for each in streams if not each.apart]
        parts = [self._of_series(series, start, end)] if series else []
        parts += [self._of_one_apart(each, start, end) for each in streams if each.apart]
        if not parts:
            return Batch.empty(self.roster)
        if len(parts) == 1:
            return replace(parts[0], roster=self.roster)
        roster = self.roster
        return Batch.join([replace(each, roster=roster) for each in parts]).ordered()

    def _of_series(self, streams: Sequence[Entity], start: int, end: int) -> Batch:
        roster = self._basin.roster
        keys = self.keys(streams)
        if len(streams) == 1:
            series = self._store.series(streams[0].station, streams[0].quantity, start, end)
            count, number = len(series), quantity(streams[0].quantity).number
            place = np.full(count, roster.number[streams[0].station], np.int32)
            found = Batch(roster, place, np.full(count, number, np.int16), series.time, series.value, series.flag)
            return self.underway.lay_over(found, keys, start, end)
        stations = list(dict.fromkeys(each.station for each in streams))
        names = list(dict.fromkeys(each.quantity for each in streams))
        found = self._store.window(stations, names, start, end, roster)
        if len(stations) * len(names) != len(streams):
            found = found.take(np.isin(series_of(found), np.array(sorted(keys), np.int64)))
        return self.underway.lay_over(found.ordered(), keys, start, end)

    def _of_one_apart(self, stream: Entity, start: int, end: int) -> Batch:
        """The rows of a datastream that feeds no series, or the converted ones of its series."""
        if stream.foreign:
            time, value, flag = self.ledger.rows(stream.id, start, end)
        else:
            found = self._of_series((_series_behind(stream),), start, end)
            time, value, flag = found.time, back(found.value, stream), found.flag
        place = np.full(len(time), len(self._basin.roster) + stream.number, np.int32)
        return Batch(self._basin.roster, place, np.zeros(len(time), np.int16), time, value, flag)

    def rate(self, streams: Sequence[Entity]) -> float:
        """Times at which some datastreams report, as they should [1/s]."""
        known = self._basin.station_by_code
        stations = {each.station for each in streams if each.station}
        others = {each.id for each in streams if not each.station}
        return sum(1 / max(1, known[each].interval) for each in stations) + len(others) / HOUR

    def keys(self, streams: Sequence[Entity]) -> dict[int, Entity]:
        """Each datastream by the key of its series: place and quantity in one number."""
        number, behind = self._basin.roster.number, len(self._basin.roster)
        return {
            (behind + each.number) << 16
            if each.apart
            else number[each.station] << 16 | quantity(each.quantity).number: each
            for each in streams
        }

    def notes_of(self, rows: Batch) -> list[Note]:
        """What each observation says beyond its value."""
        if self.ledger.silent:
            return [{}] * len(rows)
        return [
            self.ledger.note(key.rpartition(":")[0], time)
            for key, time in zip(ids_of(rows), rows.time.tolist(), strict=True)
        ]

    def latest(self) -> dict[int, Row]:
        """The newest usable observation of every series by its key: time, value, flag."""
        found = self._store.latest(self._basin.roster)
        rows = zip(found.time.tolist(), found.value.tolist(), found.flag.tolist(), strict=True)
        return dict(zip(series_of(found).tolist(), rows, strict=True))

    def newest(self, streams: Sequence[Entity], latest: Mapping[int, Row], end: int) -> dict[int, Row]:
        """The newest observation of some datastreams before `end` [s UTC], by key, usable or not.

        `latest` holds the newest usable ones. What is newer is unusable or underway, and is read at once for all that
        still report; the few that have fallen silent are read one by one.
        """
        found = {}
        for each in streams:
            row = self._newest_apart(each, latest, end) if each.apart else None
            if row is not None:
                found.update(dict.fromkeys(self.keys((each,)), row))
        keys = self.keys([each for each in streams if not each.apart])
        known = {key: latest[key] for key in keys if key in latest}
        fresh_since = max((time for time, _, _ in known.values()), default=0) - _FRESH
        fresh = {key: row for key, row in known.items() if row[0] >= fresh_since}
        since = min((time for time, _, _ in fresh.values()), default=end)
        groups = [self.read([keys[key] for key in fresh], since, end)]
        groups += [self.read((keys[key],), row[0], end) for key, row in known.items() if key not in fresh]
        waiting = self.underway.edges(key for key in keys if key not in known)
        groups += [self.read((keys[key],), last, end) for key, (_, last) in waiting.items()]
        for group in groups:
            rows = zip(group.time.tolist(), group.value.tolist(), group.flag.tolist(), strict=True)
            known.update(zip(series_of(group).tolist(), rows, strict=True))
        return known | found

    def _newest_apart(self, stream: Entity, latest: Mapping[int, Row], end: int) -> Row | None:
        if stream.foreign:
            time = self.ledger.edge(stream.id, last=True)
            rows = None if time is None else self.read((stream,), time, time + 1)
            return (int(rows.time[0]), float(rows.value[0]), int(rows.flag[0])) if rows is not None else None
        known = list(self.newest((_series_behind(stream),), latest, end).values())
        if not known:
            return None
        time, value, flag = known[0]
        return time, float(back(np.array([value]), stream)[0]), flag

    def newest_apart(self, entities: Sequence[Entity]) -> int:
        """Time of the newest observation that feeds no series [s UTC]; 0 where there is none."""
        ids = [each.id for each in entities if each.set == "Datastreams" and each.foreign]
        return max((time for each in ids if (time := self.ledger.edge(each, last=True)) is not None), default=0)

    def earliest(self, streams: Sequence[Entity]) -> int | None:
        """A time [s UTC] at or before the first observation of some datastreams; None where they have none.

        For many it is the first of all that the store holds: a sample gives a bound, and what lies before it is read.
        """
        apart = [each for each in streams if each.apart]
        series = [each for each in streams if not each.apart] if apart else streams
        if len(series) <= _SAMPLE:
            return min((first for each in streams if (first := self.first(each)) is not None), default=None)
        if self._earliest is None or self._earliest[1] < monotonic():
            known = self.earliest(series[:: -(-len(series) // _SAMPLE)])
            before = self._store.window((), (), 0, 2**40 if known is None else known, self._basin.roster)
            times = [*([] if known is None else [known]), *([int(before.time.min())] if len(before) else [])]
            self._earliest = (min(times, default=None), monotonic() + _REFRESHED)
        firsts = [self._earliest[0], self.earliest(apart)] if apart else [self._earliest[0]]
        return min((each for each in firsts if each is not None), default=None)

    def learn_firsts(self, streams: Sequence[Entity]) -> None:
        """Find the first observations of many datastreams at once: most begin when the store does."""
        unknown = [each for each in streams if not each.apart and each.id not in self._first]
        start = self.earliest(unknown) if len(unknown) > _SAMPLE else None
        if start is not None:
            found = self.read(unknown, start, start + _FRESH)
            series, places = np.unique(series_of(found), return_index=True)
            keys = self.keys(unknown)
            self._first |= {keys[key].id: int(found.time[at]) for key, at in zip(series.tolist(), places, strict=True)}

    def first(self, stream: Entity) -> int | None:
        """Time of the first observation of a datastream [s UTC]; None where there was none within the last minute."""
        if stream.apart:
            return self.ledger.edge(stream.id, last=False) if stream.foreign else self.first(_series_behind(stream))
        if stream.id not in self._first:
            if self._empty.get(stream.id, 0.0) > monotonic():
                return None
            days = self._store.rollup(stream.station, stream.quantity, 0, 2**40, DAY).time
            end = int(days[0]) + DAY if len(days) else 2**40
            series = self.read((stream,), 0, end)
            if not len(series):
                self._empty[stream.id] = monotonic() + _REFRESHED
                return None
            self._first[stream.id] = int(series.time[0])
        return self._first[stream.id]

    def last(self, stream: Entity, latest: Mapping[int, Row]) -> int | None:
        """Time of the newest usable observation of a datastream [s UTC]; of any where it feeds no series."""
        if stream.foreign:
            return self.ledger.edge(stream.id, last=True)
        (key,) = self.keys((_series_behind(stream),))
        times = [latest[key][0]] if key in latest else []
        times += [last for _, last in self.underway.edges((key,)).values()]
        return max(times, default=None)

    def delivered(self, batch: Batch) -> None:
        """Take note of rows that went through the door: they can be read from now on."""
        self.underway.add(batch)
        for key, (first, _) in self.underway.edges(set(series_of(batch).tolist())).items():
            stream = f"{batch.roster.codes[key >> 16]}:{quantity(key & 0xFFFF).name}"
            self._empty.pop(stream, None)
            if stream in self._first:
                self._first[stream] = min(self._first[stream], first)
        self._earliest = None


def back(values: NDArray[np.float64], stream: Entity) -> NDArray[np.float64]:
    """Values of a series in the unit of a datastream; nine digits, so that what was sent in it comes back as sent."""
    told = (values - stream.offset) / stream.factor
    return np.array([float(f"{each:.9g}") for each in told.tolist()], np.float64)


def _series_behind(stream: Entity) -> Entity:
    """The datastream of the series itself."""
    return Entity("Datastreams", f"{stream.station}:{stream.quantity}", {}, stream.station, stream.quantity)


def texts_of(time: NDArray[np.int64]) -> list[str]:
    """Times [s UTC] as ISO 8601 with Z."""
    return [f"{each}Z" for each in np.datetime_as_string(time.astype("datetime64[s]")).tolist()]


def ids_of(rows: Batch) -> list[str]:
    """The ids of observations: station, quantity and time [s UTC], which together name one."""
    names = {number: f":{quantity(number).name}" for number in np.unique(rows.quantity).tolist() if number}
    columns = zip(rows.station.tolist(), rows.quantity.tolist(), rows.time.tolist(), strict=True)
    return [f"{rows.roster.codes[place]}{names.get(number, '')}:{time}" for place, number, time in columns]


def tell(time: str, value: float, flag: int, note: Note) -> dict[str, Any]:
    """The properties of an observation: its row, and what its note says beyond or instead."""
    quality = quality_of(flag)
    if "resultQuality" in note:
        quality["reported"] = note["resultQuality"]
    told = {
        "phenomenonTime": note.get("phenomenonTime", time),
        "resultTime": note.get("resultTime", time),
        "result": note["result"] if "result" in note else value if np.isfinite(value) else None,
        "resultQuality": quality,
    }
    return told | {key: note[key] for key in ("validTime", "parameters") if key in note}


def quality_of(flag: int) -> dict[str, Any]:
    """The quality of an observation: its flag after QARTOD, and what that means."""
    return {"flag": flag, "meaning": _MEANING[Flag(flag)]}


def series_of(rows: Batch) -> NDArray[np.int64]:
    """The key of each observation's series: place in the roster and number of the quantity, in one number."""
    return (rows.station.astype(np.int64) << 16) | rows.quantity.astype(np.int64)
