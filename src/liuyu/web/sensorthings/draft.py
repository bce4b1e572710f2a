"""Changes in the making: what a request or batch is about to create, change and delete, before any of it is kept.

A part of a batch is planned on a draft of its own and joined when it is sound, so that a refused part leaves nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from liuyu.monitor.sense.sensorthings.observation import Observed
from liuyu.web.sensorthings.catalogue import Catalogue, Entity
from liuyu.web.sensorthings.ledger import Ledger, Note
from liuyu.web.sensorthings.refusals import Conflict

_WORDS = {
    "Things": "thing",
    "Locations": "location",
    "HistoricalLocations": "history",
    "Datastreams": "datastream",
    "Sensors": "sensor",
    "ObservedProperties": "property",
    "FeaturesOfInterest": "feature",
}


class Draft:
    """Entities by set and id (None: deleted), observations, and the notes that go with them. `now` is in s UTC."""

    def __init__(self, catalogue: Catalogue, ledger: Ledger, now: int, below: Draft | None = None) -> None:
        self._catalogue = catalogue
        self._ledger = ledger
        self._below = below
        self._view: Catalogue | None = None
        self.now = now
        self.number: int = below.number if below else ledger.next_number
        self.entities: dict[tuple[str, str], Entity | None] = {}
        self.observed: list[Observed] = []
        self.notes: dict[str, dict[int, Note | None]] = {}
        self.counts: Counter[str] = Counter()

    def part(self) -> Draft:
        """A draft on top of this one."""
        return Draft(self._catalogue, self._ledger, self.now, self)

    def join(self, part: Draft) -> None:
        """Take in a part that is sound."""
        self.entities |= part.entities
        self.observed += part.observed
        for stream, notes in part.notes.items():
            self.notes.setdefault(stream, {}).update(notes)
        self.counts += part.counts
        self.number, self._view = part.number, None

    @property
    def keeps(self) -> bool:
        """Whether anything is for the ledger."""
        return bool(self.entities or self.notes)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to keep at all."""
        return not (self.keeps or self.observed)

    @property
    def view(self) -> Catalogue:
        """The catalogue as it would be."""
        if self._view is None:
            base = self._below.view if self._below else self._catalogue
            self._view = base.changed(self.entities) if self.entities else base
        return self._view

    def find(self, set: str, id: str) -> Entity | None:
        """An entity by its id; None where there is none, or no more."""
        if (set, id) in self.entities:
            return self.entities[set, id]
        return self._below.find(set, id) if self._below else self._catalogue.sets[set].get(id)

    def add(self, entity: Entity, *, wanted: str = "") -> Entity:
        """Give a new entity its number and its id: the wanted one, or the next. Raises Conflict where it is taken."""
        if wanted and self.find(entity.set, wanted) is not None:
            raise Conflict(f"{entity.set}('{wanted}') exists already; PATCH it, or leave @iot.id out")
        id, number = wanted, self.number
        while not id or (not wanted and self.find(entity.set, id) is not None):
            id = f"{_WORDS[entity.set]}-{number}"
            number += 1
        made = replace(entity, id=id, number=self.number)
        self.number += 1
        self.put(made)
        self.counts["created"] += 1
        return made

    def put(self, entity: Entity) -> None:
        """Set a changed entity in the place of the older."""
        self.entities[entity.set, entity.id] = entity
        self._view = None

    def drop(self, entity: Entity) -> None:
        """Delete an entity."""
        self.entities[entity.set, entity.id] = None
        self.counts["deleted"] += 1
        self._view = None

    def observe(self, observed: Observed, feature: str = "") -> None:
        """Add an observation; `feature` names one that is not its datastream's own."""
        note: dict[str, Any] = dict(observed.note)
        if feature:
            note["feature"] = feature
        stream = observed.stream.id
        if not observed.stream.mapped:
            note["flag"] = observed.flag
        if note or self._has_note(stream, observed.time):
            self.notes.setdefault(stream, {})[observed.time] = note or None
        self.observed.append(observed)
        self.counts["observations"] += 1

    def erase(self, stream: str, time: int) -> None:
        """Delete an observation of a datastream that feeds no series."""
        self.notes.setdefault(stream, {})[time] = None
        self.counts["deleted"] += 1

    def note(self, stream: str, time: int) -> Note:
        """What an observation says beyond its value, as it would be."""
        if time in self.notes.get(stream, {}):
            return self.notes[stream][time] or {}
        return self._below.note(stream, time) if self._below else self._ledger.note(stream, time)

    def numbered(self) -> list[tuple[int, Entity | None]]:
        """The entities by number, as the ledger keeps them; a deleted one leaves its place empty."""
        found: list[tuple[int, Entity | None]] = []
        for (set, id), entity in self.entities.items():
            older = self._catalogue.sets[set].get(id)
            if entity is not None:
                found.append((entity.number, entity))
            elif older is not None:
                found.append((older.number, None))
        return found

    def _has_note(self, stream: str, time: int) -> bool:
        return bool(self.note(stream, time))
