"""The entities of SensorThings: those that a basin has by itself, and those that were created beside them.

Observations are not among them: the store holds those. A station is a Thing, with a Location where its position is
known, a Sensor (its equipment, of which nothing more is known) and a FeatureOfInterest; each quantity that it reports
is a Datastream, each kind of quantity an ObservedProperty. Ids are codes and names that a person can read:
Datastreams('60112200:water_level').

What was created knows the entities that it belongs to (`Entity.links`); the way back is computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import Quantity, quantity
from liuyu.monitor.sense.sensorthings.streams import MEASUREMENT

_GEOJSON = "application/geo+json"
_UCUM = {"degC": "Cel", "NTU": "{NTU}"}
_UNITS = {
    "m": "metre",
    "m3/s": "cubic metre per second",
    "m3": "cubic metre",
    "mm": "millimetre",
    "degC": "degree Celsius",
    "m/s": "metre per second",
    "V": "volt",
    "%": "percent",
    "1": "one",
    "mg/L": "milligram per litre",
    "NTU": "nephelometric turbidity unit",
}
_SYMBOLS = {"m3/s": "m³/s", "m3": "m³", "degC": "°C", "1": ""}


@dataclass(frozen=True, slots=True)
class Relation:
    """How one kind of entity reaches another: which set, and whether many."""

    target: str
    many: bool


RELATIONS: Mapping[str, Mapping[str, Relation]] = {
    "Things": {
        "Locations": Relation("Locations", True),
        "HistoricalLocations": Relation("HistoricalLocations", True),
        "Datastreams": Relation("Datastreams", True),
    },
    "Locations": {
        "Things": Relation("Things", True),
        "HistoricalLocations": Relation("HistoricalLocations", True),
    },
    "HistoricalLocations": {
        "Thing": Relation("Things", False),
        "Locations": Relation("Locations", True),
    },
    "Datastreams": {
        "Thing": Relation("Things", False),
        "Sensor": Relation("Sensors", False),
        "ObservedProperty": Relation("ObservedProperties", False),
        "Observations": Relation("Observations", True),
    },
    "Sensors": {"Datastreams": Relation("Datastreams", True)},
    "ObservedProperties": {"Datastreams": Relation("Datastreams", True)},
    "Observations": {
        "Datastream": Relation("Datastreams", False),
        "FeatureOfInterest": Relation("FeaturesOfInterest", False),
    },
    "FeaturesOfInterest": {"Observations": Relation("Observations", True)},
}
SETS = tuple(RELATIONS)

PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "Things": ("name", "description", "properties"),
    "Locations": ("name", "description", "encodingType", "location", "properties"),
    "HistoricalLocations": ("time",),
    "Datastreams": (
        "name",
        "description",
        "observationType",
        "unitOfMeasurement",
        "observedArea",
        "phenomenonTime",
        "resultTime",
        "properties",
    ),
    "Sensors": ("name", "description", "encodingType", "metadata", "properties"),
    "ObservedProperties": ("name", "definition", "description", "properties"),
    "Observations": ("phenomenonTime", "resultTime", "result", "resultQuality", "validTime", "parameters"),
    "FeaturesOfInterest": ("name", "description", "encodingType", "feature", "properties"),
}


INVERSE: Mapping[tuple[str, str], str] = {
    ("Things", "Locations"): "Things",
    ("HistoricalLocations", "Thing"): "HistoricalLocations",
    ("HistoricalLocations", "Locations"): "HistoricalLocations",
    ("Datastreams", "Thing"): "Datastreams",
    ("Datastreams", "Sensor"): "Datastreams",
    ("Datastreams", "ObservedProperty"): "Datastreams",
    ("Datastreams", "FeatureOfInterest"): "Datastreams",
}
"""The relations that an entity keeps itself, and what the other side calls them.

A Datastream's FeatureOfInterest is that of its observations which name none; it is no relation that can be asked for.
"""


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity: its set, its id, its properties, and the station and quantity by which it is related.

    What was created has a `number` (from 0) and `links`, the ids that it is related to. Results of a Datastream times
    `factor` plus `offset` are in the unit of its quantity.
    """

    set: str
    id: str
    properties: Mapping[str, Any]
    station: str = ""
    quantity: str = ""
    links: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    number: int = -1
    factor: float = 1.0
    offset: float = 0.0

    @property
    def apart(self) -> bool:
        """True for a Datastream that is no series of the store: one in another unit, or one that feeds none."""
        return self.number >= 0 and self.id != f"{self.station}:{self.quantity}"

    @property
    def foreign(self) -> bool:
        """True for a Datastream that feeds no series of the basin."""
        return not self.quantity


@dataclass(frozen=True)
class Catalogue:
    """Every entity by set and id: the basin's in the order of the roster, then those created, in the order of that.

    It never changes; `grown` makes another.
    """

    sets: Mapping[str, Mapping[str, Entity]]
    _streams_of: Mapping[str, tuple[Entity, ...]] = field(default_factory=dict)
    _back: Mapping[tuple[str, str, str], tuple[Entity, ...]] = field(default_factory=dict)
    _own: Mapping[str, Mapping[str, Entity]] = field(default_factory=dict)
    created: tuple[Entity, ...] = ()

    @classmethod
    def of(cls, basin: Basin, since: str) -> Catalogue:
        """The catalogue of a basin; `since` is the time from which its positions are known."""
        sets: dict[str, dict[str, Entity]] = {name: {} for name in SETS if name != "Observations"}
        streams: dict[str, list[Entity]] = {}
        for station in basin.stations:
            for entity in _entities_of(station, basin, since):
                sets[entity.set][entity.id] = entity
                if entity.set == "Datastreams":
                    streams.setdefault(entity.station, []).append(entity)
                    streams.setdefault(entity.quantity, []).append(entity)
        for name in sorted({each.quantity for each in sets["Datastreams"].values()}):
            sets["ObservedProperties"][name] = observed_property(quantity(name))
        return cls(sets, {key: tuple(each) for key, each in streams.items()}, _own=sets)

    def grown(self, entities: Iterable[Entity]) -> Catalogue:
        """The basin's own entities with those that were created beside them, instead of any created before."""
        created = tuple(entities)
        added: dict[str, dict[str, Entity]] = {}
        back: dict[tuple[str, str, str], list[Entity]] = {}
        for entity in created:
            added.setdefault(entity.set, {})[entity.id] = entity
            for relation, ids in entity.links.items():
                target = (
                    "FeaturesOfInterest" if relation == "FeatureOfInterest" else RELATIONS[entity.set][relation].target
                )
                for each in ids:
                    back.setdefault((target, each, INVERSE[entity.set, relation]), []).append(entity)
        sets = {name: {**own, **added[name]} if name in added else own for name, own in self._own.items()}
        lists = {key: tuple(each) for key, each in back.items()}
        return Catalogue(sets, self._streams_of, lists, self._own, created)

    def changed(self, entities: Mapping[tuple[str, str], Entity | None]) -> Catalogue:
        """The catalogue with some created entities added, changed or, where None, deleted."""
        known = {(each.set, each.id): each for each in self.created}
        return self.grown([each for each in {**known, **entities}.values() if each is not None])

    def related(self, entity: Entity, relation: str) -> tuple[Entity, ...]:
        """The entities that a relation reaches, in order; none for Observations, which the store holds."""
        target = RELATIONS[entity.set][relation].target
        if relation in entity.links:
            return tuple(found for each in entity.links[relation] if (found := self.sets[target].get(each)))
        back = self._back.get((entity.set, entity.id, relation), ())
        if entity.number >= 0:
            return back
        if target == "Datastreams":
            key = entity.quantity if entity.set == "ObservedProperties" else entity.station
            return self._streams_of.get(key, ()) + back
        key = entity.quantity if target == "ObservedProperties" else entity.station
        own = self.sets[target].get(key)
        return ((own,) if own else ()) + back

    def streams_of(self, entity: Entity | None) -> tuple[Entity, ...]:
        """The datastreams whose observations an entity reaches; without one, all but those in another unit."""
        if entity is None:
            streams = self.sets["Datastreams"].values()
            return tuple(each for each in streams if not each.apart or each.foreign)
        if entity.set == "Datastreams":
            return (entity,)
        return self._streams_of.get(entity.station, ()) + self._back.get((entity.set, entity.id, "Datastreams"), ())

    def feature_of(self, stream: Entity) -> str:
        """The id of the feature that a datastream's observations are of, where they name none."""
        return stream.links.get("FeatureOfInterest", (stream.station,))[0]


def symbol_of(unit: str) -> str:
    """A unit as it is written for people."""
    return _SYMBOLS.get(unit, unit)


def _entities_of(station: Station, basin: Basin, since: str) -> Iterator[Entity]:
    code, title = station.code, f"{station.name} {station.name_en}".strip()
    facts = _facts(station, basin)
    about = f"Gauging station {title}" + (f" on {station.river}" if station.river else "")
    source = station.source or basin.attribution or "not stated"
    point = None
    if station.position is not None:
        point = {"type": "Point", "coordinates": list(station.position)}
        place = {"name": title, "description": f"Position of {title} (WGS 84)", "encodingType": _GEOJSON}
        yield Entity("Locations", code, {**place, "location": point, "properties": {}}, code)
        yield Entity("HistoricalLocations", code, {"time": since}, code)
    yield Entity("Things", code, {"name": title, "description": about, "properties": facts}, code)
    equipment = {"name": f"Equipment of {title}", "description": "What measures at the station; its make is not known"}
    kind = {"encodingType": "text/plain", "metadata": source, "properties": {"sttp": station.kind}}
    yield Entity("Sensors", code, {**equipment, **kind}, code)
    feature = {"type": "Feature", "geometry": point, "properties": {"code": code, "river": station.river}}
    section = {"name": title, "description": f"The river at {title}", "encodingType": _GEOJSON}
    yield Entity("FeaturesOfInterest", code, {**section, "feature": feature, "properties": {}}, code)
    for name in station.quantities:
        yield datastream(station, title, quantity(name), point)


def unit_of(kind: Quantity) -> dict[str, str]:
    """The unit of a quantity as a `unitOfMeasurement`."""
    return {
        "name": _UNITS.get(kind.unit, kind.unit),
        "symbol": symbol_of(kind.unit),
        "definition": f"ucum:{_UCUM.get(kind.unit, kind.unit)}",
    }


def datastream(station: Station, title: str, kind: Quantity, point: Mapping[str, Any] | None) -> Entity:
    """The datastream of a station's quantity, in our unit."""
    label = kind.name.replace("_", " ")
    facts: dict[str, Any] = {"interval_s": station.interval}
    if kind.name == "water_level":
        facts["datum"] = station.datum
    told = {
        "name": f"{title} {kind.name_zh} {label}",
        "description": f"{kind.meaning}, at {title}",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": unit_of(kind),
        "properties": facts,
    }
    if point is not None:
        told["observedArea"] = point
    return Entity("Datastreams", f"{station.code}:{kind.name}", told, station.code, kind.name)


def observed_property(kind: Quantity) -> Entity:
    """The observed property that a quantity is."""
    definition = f"http://vocab.nerc.ac.uk/standard_name/{kind.cf_name}/" if kind.cf_name else f"urn:liuyu:{kind.name}"
    facts = {"unit": kind.unit, "sl651": kind.sl651, "sl323": kind.sl323, "name_zh": kind.name_zh}
    told = {
        "name": kind.name,
        "definition": definition,
        "description": kind.meaning,
        "properties": {key: value for key, value in facts.items() if value},
    }
    return Entity("ObservedProperties", kind.name, told, quantity=kind.name)


def _facts(station: Station, basin: Basin) -> dict[str, Any]:
    facts = {
        "code": station.code,
        "name_zh": station.name,
        "name_en": station.name_en,
        "river": station.river,
        "sttp": station.kind,
        "datum": station.datum,
        "rank": station.rank,
        "chainage_km": station.chainage_km,
        "basin": basin.code,
        "synthetic": basin.synthetic or None,
    }
    return {key: value for key, value in facts.items() if value not in (None, "")}
