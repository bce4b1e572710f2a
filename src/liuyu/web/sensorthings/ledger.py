"""What was written over SensorThings and no series can hold, durable in the store: entities, and notes to observations.

Both lie in the store's state under names that begin with `sensorthings/`: entities in pages of 64 by their number,
notes in a page for each datastream and day. A page is replaced as a whole in a transaction of the caller; nothing is
ever half there. Reads are kept in memory; one process writes.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.flags import Flag
from liuyu.basin.series import Roster
from liuyu.store.interface import Store
from liuyu.web.sensorthings.catalogue import Entity

Note = Mapping[str, Any]
"""What an observation says beyond time, value and flag; where its datastream feeds no series, `result` and `flag`."""

_PAGE = 64
_PAGES_KEPT = 512
_Rows = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.uint8]]


class _Registry(msgspec.Struct):
    noted: list[str] = []
    features: dict[str, list[str]] = {}


class Ledger:
    """Entities and notes of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._pages: OrderedDict[tuple[str, int], Mapping[int, Note]] = OrderedDict()
        self._days: dict[str, tuple[int, ...]] = {}
        self._numbered: list[Entity | None] = []
        self._noted: set[str] = set()
        self._features: dict[str, tuple[str, ...]] = {}
        self._codes = Roster(())
        self._load()

    def entities(self) -> Iterable[Entity]:
        """Everything that was created and not deleted, in that order."""
        return [each for each in self._numbered if each is not None]

    @property
    def next_number(self) -> int:
        """The number of the next entity."""
        return len(self._numbered)

    def codes(self, own: Roster) -> Roster:
        """A roster in which the entity of a number stands that many places behind a basin's own stations."""
        if len(self._codes) != len(own) + len(self._numbered):
            ids = ("" if each is None else each.id for each in self._numbered)
            self._codes = Roster((*own.codes, *ids))
        return self._codes

    # observations

    def noted(self, stream: str) -> bool:
        """Whether any observation of a datastream has a note."""
        return stream in self._noted

    @property
    def silent(self) -> bool:
        """True where no observation at all has a note."""
        return not self._noted

    def of_feature(self, feature: str) -> tuple[str, ...]:
        """The datastreams some of whose observations name a feature of their own."""
        return tuple(self._features.get(feature, ()))

    @property
    def features(self) -> Mapping[str, tuple[str, ...]]:
        """The datastreams of each feature that observations name."""
        return self._features

    def note(self, stream: str, time: int) -> Note:
        """What the observation of a datastream at a time [s UTC] says beyond its value; empty for none."""
        return self._page(stream, time // DAY).get(time, {}) if stream in self._noted else {}

    def rows(self, stream: str, start: int, end: int) -> _Rows:
        """Times, values (NaN where the result is no number) and flags of a datastream that feeds no series."""
        found: list[tuple[int, float, int]] = []
        for day in self.days(stream):
            if start // DAY <= day <= (end - 1) // DAY:
                for time, note in sorted(self._page(stream, day).items()):
                    if start <= time < end:
                        found.append((time, value_of(note), int(note.get("flag", Flag.NOT_EVALUATED))))
        return (
            np.array([each[0] for each in found], np.int64),
            np.array([each[1] for each in found], np.float64),
            np.array([each[2] for each in found], np.uint8),
        )

    def days(self, stream: str) -> tuple[int, ...]:
        """The days [since 1970, UTC] of which a datastream has notes, rising."""
        if stream not in self._noted:
            return ()
        with self._lock:
            if stream not in self._days:
                blob = self._store.load_state(_of_days(stream)) or b"[]"
                self._days[stream] = tuple(msgspec.json.decode(blob, type=list[int]))
            return self._days[stream]

    def edge(self, stream: str, *, last: bool) -> int | None:
        """Time [s UTC] of the first or last note of a datastream; None where it has none."""
        for day in reversed(self.days(stream)) if last else self.days(stream):
            times = self._page(stream, day)
            if times:
                return max(times) if last else min(times)
        return None

    # writing

    def keep(
        self, entities: Iterable[tuple[int, Entity | None]], notes: Mapping[str, Mapping[int, Note | None]]
    ) -> None:
        """Keep entities by number and notes by datastream and time; None deletes. Within the caller's transaction."""
        changed = list(entities)
        with self._lock:
            self._keep_entities(changed)
            registry = (len(self._noted), sum(map(len, self._features.values())))
            for stream, some in notes.items():
                self._keep_notes(stream, some)
            if registry != (len(self._noted), sum(map(len, self._features.values()))):
                told = _Registry(sorted(self._noted), {key: list(each) for key, each in sorted(self._features.items())})
                self._store.save_state("sensorthings/registry", msgspec.json.encode(told))

    def reload(self) -> None:
        """Forget what is in memory and read the store again: after a transaction that failed."""
        with self._lock:
            self._pages.clear()
            self._days.clear()
            self._load()

    def _load(self) -> None:
        self._numbered, page = [], 0
        while (blob := self._store.load_state(f"sensorthings/entities/{page}")) is not None:
            self._numbered += msgspec.json.decode(blob, type=list[Entity | None])
            page += 1
        told = msgspec.json.decode(self._store.load_state("sensorthings/registry") or b"{}", type=_Registry)
        self._noted = set(told.noted)
        self._features = {key: tuple(each) for key, each in told.features.items()}
        self._codes = Roster(())

    def _keep_entities(self, changed: Iterable[tuple[int, Entity | None]]) -> None:
        touched = set()
        for number, entity in changed:
            while len(self._numbered) <= number:
                self._numbered.append(None)
            self._numbered[number] = entity
            touched.add(number // _PAGE)
        for page in sorted(touched):
            rows = self._numbered[page * _PAGE : (page + 1) * _PAGE]
            self._store.save_state(f"sensorthings/entities/{page}", msgspec.json.encode(rows))
        if touched:
            self._codes = Roster(())

    def _keep_notes(self, stream: str, some: Mapping[int, Note | None]) -> None:
        if any(some.values()):
            self._noted.add(stream)
        days: dict[int, dict[int, Note]] = {}
        for time, note in some.items():
            day = time // DAY
            page = days.setdefault(day, dict(self._page(stream, day)))
            page.pop(time, None)
            if note:
                page[time] = note
                feature = note.get("feature")
                if feature and stream not in self._features.get(feature, ()):
                    self._features = {**self._features, feature: (*self._features.get(feature, ()), stream)}
        for day, page in days.items():
            self._store.save_state(f"sensorthings/notes/{stream}/{day}", msgspec.json.encode(page))
            self._remember(stream, day, page)
        known = self.days(stream)
        if not set(days) <= set(known):
            self._days[stream] = tuple(sorted({*known, *days}))
            self._store.save_state(_of_days(stream), msgspec.json.encode(self._days[stream]))

    def _page(self, stream: str, day: int) -> Mapping[int, Note]:
        with self._lock:
            key = (stream, day)
            if key in self._pages:
                self._pages.move_to_end(key)
                return self._pages[key]
            blob = self._store.load_state(f"sensorthings/notes/{stream}/{day}") or b"{}"
            return self._remember(stream, day, msgspec.json.decode(blob, type=dict[int, dict[str, Any]]))

    def _remember(self, stream: str, day: int, page: Mapping[int, Note]) -> Mapping[int, Note]:
        self._pages[stream, day] = page
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        return page


def value_of(note: Note) -> float:
    """The result of a note as a number; NaN where it is none."""
    result = note.get("result")
    return float(result) if isinstance(result, int | float) and not isinstance(result, bool) else np.nan


def _of_days(stream: str) -> str:
    return f"sensorthings/days/{stream}"
