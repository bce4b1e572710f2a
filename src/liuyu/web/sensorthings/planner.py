"""What a request to create, change or delete comes to, planned on a draft: nothing is kept here.

A Datastream of a station of the basin, of a known quantity, in a unit that converts, feeds the series of the two: in
our unit it is that series, in another unit it shows it converted. Every other Datastream feeds no series: what is
observed there is kept and read back, and never assessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, NotAllowed
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantities
from liuyu.basin.quantities import quantity as quantity_of
from liuyu.monitor.sense.sensorthings.observation import read_body
from liuyu.monitor.sense.sensorthings.streams import MEASUREMENT, Stream
from liuyu.monitor.sense.sensorthings.ucum import unit_conversion
from liuyu.web.ports import User
from liuyu.web.sensorthings.bodies import Body, check_new_id, read_body_of, read_id
from liuyu.web.sensorthings.catalogue import (
    INVERSE,
    RELATIONS,
    Entity,
    datastream,
    observed_property,
    unit_of,
)
from liuyu.web.sensorthings.draft import Draft
from liuyu.web.sensorthings.refusals import Conflict

DEEPEST = 8
_GEOJSON = "application/geo+json"
_NOWHERE: Mapping[str, Any] = {"type": "Feature", "geometry": None, "properties": {}}
Made = tuple[str, str]
"""Set and id of what was made."""


class Planner:
    """The plans of one user on one draft."""

    def __init__(self, draft: Draft, basin: Basin, user: User) -> None:
        self.draft = draft
        self.basin = basin
        self._user = user

    def part(self) -> Planner:
        """A planner on a part of the draft."""
        return Planner(self.draft.part(), self.basin, self._user)

    def create(self, set: str, body: Any, given: Mapping[str, str] | None = None, depth: int = 0) -> Made:
        """Plan a new entity with all that its body brings along. Raises BadInput, Conflict, NotAllowed."""
        if depth > DEEPEST:
            raise BadInput(f"the body is nested more than {DEEPEST} entities deep; create them one after another")
        if given and isinstance(body, Mapping) and list(body) == ["@iot.id"] and set == "Locations":
            return self._place(given, read_id(body["@iot.id"]))
        told = read_body_of(set, body)
        relations = {**told.relations, **{name: {"@iot.id": id} for name, id in (given or {}).items()}}
        if set == "Observations":
            return self._observe(told, relations, depth)
        self.need_administrator(set)
        check_new_id(told.id)
        if set == "Datastreams":
            return self._stream(told, relations, depth)
        if set == "ObservedProperties":
            known = self._known_property(told.properties)
            if known is not None:
                return known.set, known.id
        return self._entity(set, told, relations, depth)

    # entities

    def _entity(self, set: str, told: Body, relations: dict[str, Any], depth: int) -> Made:
        links: dict[str, tuple[str, ...]] = {}
        for name, relation in RELATIONS[set].items():
            if (set, name) in INVERSE and name in relations:
                links[name] = self._resolve_all(relation.target, relations.pop(name), depth)
        if set == "HistoricalLocations" and not (links.get("Thing") and links.get("Locations")):
            raise BadInput("a HistoricalLocation needs its Thing and its Locations; add them")
        wanted = told.id or (_digest(told.properties) if set == "FeaturesOfInterest" else "")
        if not told.id and wanted and (same := self.draft.find(set, wanted)):
            return set, same.id
        made = self.draft.add(Entity(set, "", told.properties, links=links), wanted=wanted)
        if set == "Things" and links.get("Locations"):
            self._record(made)
        self._children(made, relations, depth)
        return set, made.id

    def _children(self, made: Entity, relations: Mapping[str, Any], depth: int) -> None:
        """Create what a body brings along below the entity itself."""
        for name, value in relations.items():
            target = RELATIONS[made.set][name].target
            if name == "HistoricalLocations":
                raise BadInput("HistoricalLocations come by themselves when a Thing gets a Location; leave them out")
            up = next(key for key, each in RELATIONS[target].items() if each.target == made.set)
            for each in value if isinstance(value, list) else [value]:
                if made.set == "Locations" and (thing := self._referred("Things", each)):
                    self.move(thing, (made.id,))
                elif self._referred(target, each):
                    raise BadInput(f"{name} of {made.set} must be new here; link {target} to it when they are created")
                else:
                    self.create(target, each, {up: made.id}, depth + 1)

    def _place(self, given: Mapping[str, str], location: str) -> Made:
        thing, found = self.draft.find("Things", given.get("Things", "")), self.draft.find("Locations", location)
        if thing is None or found is None:
            raise BadInput(f"no Locations('{location}'); create it, or see Locations")
        self.need_administrator("Things")
        self.move(thing, (location,))
        return "Locations", location

    def move(self, thing: Entity, locations: tuple[str, ...]) -> None:
        """Give a Thing its present Locations, and remember since when."""
        self.need_own(thing)
        moved = replace(thing, links={**thing.links, "Locations": locations})
        self.draft.put(moved)
        self._record(moved)

    def _record(self, thing: Entity) -> None:
        links = {"Thing": (thing.id,), "Locations": thing.links["Locations"]}
        time = moment(self.draft.now).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.draft.add(Entity("HistoricalLocations", "", {"time": time}, links=links))

    # datastreams

    def _stream(self, told: Body, relations: dict[str, Any], depth: int) -> Made:
        thing = self._need("Datastreams", "Thing", relations, depth)
        relations.setdefault("Sensor", {"@iot.id": thing.id} if thing.number < 0 else None)
        sensor = self._need("Datastreams", "Sensor", relations, depth)
        kind = self._need("Datastreams", "ObservedProperty", relations, depth)
        links = {"Thing": (thing.id,), "Sensor": (sensor.id,), "ObservedProperty": (kind.id,)}
        quantity = self._quantity_named(kind.id)
        if thing.number < 0 and quantity is not None:
            made = self._of_series(told, thing, quantity, links)
        else:
            links["FeatureOfInterest"] = (self._feature_of(thing),)
            made = self.draft.add(Entity("Datastreams", "", told.properties, links=links), wanted=told.id)
        for each in _listed(relations.get("Observations", [])):
            self.create("Observations", each, {"Datastream": made.id}, depth + 1)
        return "Datastreams", made.id

    def _of_series(self, told: Body, thing: Entity, quantity: Quantity, links: Mapping[str, tuple[str, ...]]) -> Entity:
        """The datastream of a series of the basin: the series itself in our unit, or a view of it in another."""
        if told.properties["observationType"] != MEASUREMENT:
            raise BadInput(f"{quantity.name} is measured; give a Datastream of it the observationType OM_Measurement")
        factor, offset = unit_conversion(told.properties["unitOfMeasurement"], quantity)
        key = f"{thing.id}:{quantity.name}"
        links = {**links, "FeatureOfInterest": (thing.id,)}
        own = self.draft.find("Datastreams", key)
        same = (factor, offset) == (1.0, 0.0)
        if own is None:
            text = (
                {**told.properties, "unitOfMeasurement": unit_of(quantity)}
                if same
                else self._series_text(thing, quantity)
            )
            bare = Entity("Datastreams", "", text, thing.id, quantity.name, links)
            own = self.draft.add(bare, wanted=key)
        if same:
            return own
        bare = Entity("Datastreams", "", told.properties, thing.id, quantity.name, links, factor=factor, offset=offset)
        return self.draft.add(bare, wanted=told.id)

    def _series_text(self, thing: Entity, quantity: Quantity) -> Mapping[str, Any]:
        station = self.basin.station_by_code[thing.id]
        point = {"type": "Point", "coordinates": list(station.position)} if station.position else None
        return datastream(station, f"{station.name} {station.name_en}".strip(), quantity, point).properties

    def _feature_of(self, thing: Entity) -> str:
        """The feature of what a Thing observes: that of a station, or one made after the Thing's Location."""
        if self.draft.find("FeaturesOfInterest", thing.id):
            return thing.id
        places = [self.draft.find("Locations", each) for each in thing.links.get("Locations", ())]
        place = next((each for each in places if each is not None), None)
        text = {
            "name": thing.properties["name"],
            "description": f"Where {thing.properties['name']} observes",
            "encodingType": place.properties["encodingType"] if place else _GEOJSON,
            "feature": place.properties["location"]
            if place
            else {"type": "Feature", "geometry": None, "properties": {}},
        }
        return self.draft.add(Entity("FeaturesOfInterest", "", text), wanted=thing.id).id

    def _known_property(self, told: Mapping[str, Any]) -> Entity | None:
        """The observed property that is one of our quantities, by its name or its own definition."""
        name = str(told["name"]).strip().lower().replace(" ", "_").replace("-", "_")
        found = next((each for each in quantities() if name in (each.name, each.name_zh)), None)
        if found is None:
            same = [
                each
                for each in quantities()
                if told["definition"] == observed_property(each).properties["definition"] and each.cf_name
            ]
            found = same[0] if len(same) == 1 else None
        if found is None:
            return None
        return self.draft.find("ObservedProperties", found.name) or self.draft.add(
            observed_property(found), wanted=found.name
        )

    def _quantity_named(self, id: str) -> Quantity | None:
        return quantity_of(id) if any(each.name == id for each in quantities()) else None

    # observations

    def _observe(self, told: Body, relations: dict[str, Any], depth: int) -> Made:
        stream = self._need("Observations", "Datastream", relations, depth)
        feature = ""
        if relations.get("FeatureOfInterest") is not None:
            feature = self.resolve("FeaturesOfInterest", relations["FeatureOfInterest"], depth)
            feature = "" if feature == self.draft.view.feature_of(stream) else feature
        observed = read_body(told.properties, stream_of(stream, self.basin), self.draft.now)
        self.draft.observe(observed, feature)
        return "Observations", f"{stream.id}:{observed.time}"

    # what a body points to

    def _need(self, set: str, name: str, relations: Mapping[str, Any], depth: int) -> Entity:
        if relations.get(name) is None:
            raise BadInput(f'{set} need their {name}; add it as {{"@iot.id": ...}}, or whole')
        target = RELATIONS[set][name].target
        found = self.draft.find(target, self.resolve(target, relations[name], depth))
        assert found is not None
        return found

    def _resolve_all(self, target: str, told: Any, depth: int) -> tuple[str, ...]:
        return tuple(self.resolve(target, each, depth) for each in _listed(told))

    def resolve(self, target: str, told: Any, depth: int = 0) -> str:
        """The id of what a relation names, which is created where it is written out and not there yet."""
        known = self._referred(target, told)
        if known is not None:
            return known.id
        if isinstance(told, Mapping) and set(told) == {"@iot.id"}:
            raise BadInput(f"no {target}('{read_id(told['@iot.id'])[:60]}'); see {target}, or create it")
        return self.create(target, told, None, depth + 1)[1]

    def _referred(self, target: str, told: Any) -> Entity | None:
        if target == "Observations" or not isinstance(told, Mapping) or "@iot.id" not in told:
            return None
        return self.draft.find(target, read_id(told["@iot.id"]))

    def need_own(self, entity: Entity) -> None:
        """Raises Conflict for an entity of the basin package, which this service does not change."""
        if entity.number < 0:
            raise Conflict(f"{entity.set}('{entity.id}') is part of the basin package; change the package's files")

    def need_administrator(self, set: str) -> None:
        """Raises NotAllowed where the user may not write a set; the feature of an observation comes with it."""
        if self._user.role != "administrator" and set != "FeaturesOfInterest":
            raise NotAllowed(
                f"{self._user.name!r} is a {self._user.role} and may deliver observations, but not write {set}; "
                "sign in as administrator"
            )


def stream_of(entity: Entity, basin: Basin) -> Stream:
    """What must be known of a Datastream to read its observations."""
    kind = str(entity.properties.get("observationType", MEASUREMENT))
    if entity.foreign:
        return Stream(entity.id, kind=kind)
    interval = basin.station_by_code[entity.station].interval
    return Stream(entity.id, entity.station, entity.quantity, entity.factor, entity.offset, interval, kind)


def _listed(told: Any) -> list[Any]:
    return told if isinstance(told, list) else [told]


def _digest(properties: Mapping[str, Any]) -> str:
    """An id made of the content, so that a feature written out with each observation is one feature."""
    text = msgspec.json.encode(properties, order="sorted")
    return f"feature-{hashlib.blake2b(text, digest_size=6).hexdigest()}"
