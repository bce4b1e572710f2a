"""Answers of the SensorThings service: collections, entities, properties and links, as a query asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from itertools import product
from typing import Any

import numpy as np

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.series import Batch
from liuyu.web.ports import Twin
from liuyu.web.reply import encode_json
from liuyu.web.sensorthings.address import Address, find, observation_of
from liuyu.web.sensorthings.catalogue import PROPERTIES, RELATIONS, SETS, Catalogue, Entity
from liuyu.web.sensorthings.evaluate import evaluate, holds, kind_of
from liuyu.web.sensorthings.expressions import Interval, Node, paths_in
from liuyu.web.sensorthings.ledger import Ledger
from liuyu.web.sensorthings.observations import Observations, Row, ids_of, tell, texts_of
from liuyu.web.sensorthings.options import Mark, Options
from liuyu.web.sensorthings.search import Page, Search, time_value

MOST_ENTITIES = 100_000
CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/iot_sensing/1.1/req/{each}"
    for each in (
        "datamodel",
        "resource-path/resource-path-to-entities",
        "request-data",
        "request-data/order",
        "request-data/expand",
        "request-data/select",
        "request-data/status-codes",
        "request-data/query-status-codes",
        "request-data/orderby",
        "request-data/top",
        "request-data/skip",
        "request-data/count",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/pagination",
        "create-update-delete/create-entity",
        "create-update-delete/link-to-existing-entities",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-codes",
        "create-update-delete/update-entity",
        "create-update-delete/update-entity-put",
        "create-update-delete/update-entity-jsonpatch",
        "create-update-delete/delete-entity",
        "create-update-delete/historical-location-auto-creation",
        "batch-request/batch-request",
        "create-observations-via-mqtt/observations-creation",
    )
)

_BY_TIME = ("phenomenonTime",)

Told = dict[str, Any]


class SensorThings:
    """The service over one twin. Every call answers from what there is then: the basin, what was created, the store."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._since = texts_of(np.array([epoch(twin.clock().start)]))[0]
        self.observations = Observations(twin.basin, twin.store, Ledger(twin.store))
        self._catalogue: Catalogue | None = None

    @property
    def ledger(self) -> Ledger:
        """What was created beside the basin."""
        return self.observations.ledger

    @property
    def catalogue(self) -> Catalogue:
        """The entities that there are now, made when someone first asks."""
        if self._catalogue is None:
            self._catalogue = Catalogue.of(self.twin.basin, self._since).grown(self.ledger.entities())
        return self._catalogue

    def refresh(self) -> None:
        """Take in what the ledger has kept since."""
        self._catalogue = self.catalogue.grown(self.ledger.entities())

    def feature_of(self, stream: Entity, time: int) -> str:
        """The id of the feature that an observation of a datastream at a time [s UTC] is of."""
        told = self.ledger.note(stream.id, time).get("feature")
        return str(told) if told else self.catalogue.feature_of(stream)

    def document(self, root: str) -> Told:
        """The service document: the collections, and which parts of the standard the service conforms to."""
        collections = [{"name": name, "url": f"{root}/{name}"} for name in SETS]
        return {"value": collections, "serverSettings": {"conformance": list(CONFORMANCE)}}

    def answer(self, path: str, options: Options, root: str) -> Told | str:
        """What stands at a path, as JSON values, or as bare text for $value. Raises NotFound, BadInput."""
        address = find(path, self.catalogue, self.feature_of)
        return _Answer(self, root, epoch(self.twin.clock().now)).at(address, options, path)


class _Answer:
    """One answer in the making: `root` is the service's address, `now` the twin's present [s UTC]."""

    def __init__(self, service: SensorThings, root: str, now: int) -> None:
        self._catalogue = service.catalogue
        self._observations = service.observations
        self._root = root
        self._now = now
        self._told = 0
        self._newest: dict[int, Row] = {}

    @cached_property
    def _latest(self) -> dict[int, Row]:
        """The newest usable observation of every series."""
        return self._observations.latest()

    @cached_property
    def _newest_time(self) -> int:
        """Time of the newest usable observation of all [s UTC]."""
        return max((time for time, _, _ in self._latest.values()), default=self._now)

    @cached_property
    def _end(self) -> int:
        """A time after every observation [s UTC]: a station whose clock runs ahead lies ahead of the twin's present."""
        return max(self._newest_time, self._now, self._observations.newest_apart(self._catalogue.created)) + 10 * HOUR

    def at(self, address: Address, options: Options, path: str) -> Told | str:
        if address.entity is None:
            found = self._collection(address.set, address.source, address.relation, options, f"{self._root}/{path}")
            if address.form == "$ref":
                found["value"] = [{"@iot.selfLink": each["@iot.selfLink"]} for each in found["value"]]
            return found
        if not address.property:
            return self._entity(address.entity, options)
        value = self._properties(address.entity).get(address.property)
        if address.form == "$value":
            if value is None:
                raise NotFound(f"{address.property} of {address.set}('{address.entity.id}') is null; it has no $value")
            return value if isinstance(value, str) else _bare(value)
        return {address.property: value}

    def _collection(self, name: str, source: Entity | None, relation: str, options: Options, link: str) -> Told:
        """A collection with its count and the link to its next page."""
        if name == "Observations":
            return self._page_of_observations(source, options, link)
        every: Sequence[Entity] = (
            self._catalogue.related(source, relation) if source else tuple(self._catalogue.sets[name].values())
        )
        self._check_names(name, options)
        if options.filter is not None:
            every = [each for each in every if self._holds(options.filter, each)]
        for order in reversed(options.order):
            every = sorted(every, key=partial(self._rank, order.by), reverse=order.falling)
        page = every[options.skip : options.skip + options.top]
        end = options.skip + len(page)
        more = options.next_query(skip=end) if end < len(every) and page else None
        if name == "Datastreams":
            self._observations.learn_firsts(page)
            self._newest_of(page, options)
        told = [self._entity(each, options) for each in page]
        return _collected(told, len(every) if options.count else None, link, more)

    def _page_of_observations(self, source: Entity | None, options: Options, link: str) -> Told:
        self._check_names("Observations", options)
        streams = self._catalogue.streams_of(source)
        page = self._page_of_newest(streams[0], options) if source and source.set == "Datastreams" else None
        feature = ""
        if source and source.set == "FeaturesOfInterest":
            feature = source.id
            known = {each.id for each in streams}
            others = [each for each in self._observations.ledger.of_feature(feature) if each not in known]
            sets = self._catalogue.sets["Datastreams"]
            streams = (*streams, *(sets[each] for each in others if each in sets))
        if page is None:
            newest, end = self._newest_time, self._end
            page = Search(self._observations, streams, options, newest, end, self._look, feature).page()
        told = self._tell(page.rows, options)
        more = None
        if page.mark is not None:
            more = options.next_query(mark=page.mark)
        elif page.skip is not None:
            more = options.next_query(skip=page.skip)
        return _collected(told, page.count, link, more)

    def _newest_of(self, streams: Sequence[Entity], options: Options) -> None:
        """Read the newest observation of each datastream at once, where that alone is asked for of all of them."""
        inner = dict(options.expand).get("Observations")
        if inner is not None and _asks_for_newest(inner):
            self._newest |= self._observations.newest(streams, self._latest, self._end)

    def _page_of_newest(self, stream: Entity, options: Options) -> Page | None:
        """The page of the newest observation of a datastream, where that alone is asked for and is known."""
        if not _asks_for_newest(options):
            return None
        (key,) = self._observations.keys((stream,))
        if key not in self._newest:
            self._newest |= self._observations.newest((stream,), self._latest, self._end)
        if key not in self._newest:
            return None
        time, value, flag = self._newest[key]
        rows = Batch.of(self._observations.roster, [key >> 16], [key & 0xFFFF], [time], [value], [flag])
        first = self._observations.first(stream)
        more = first is not None and first < time
        return Page(rows, Mark(time, key >> 16, key & 0xFFFF) if more else None, None)

    def _entity(self, entity: Entity, options: Options) -> Told:
        """An entity with its links, the properties that are selected, and what is expanded."""
        self._check_names(entity.set, options)
        return self._finish(entity, self._properties(entity), options)

    def _tell(self, rows: Batch, options: Options) -> list[Told]:
        """Observations as JSON values."""
        ids, times = ids_of(rows), texts_of(rows.time)
        streams = self._catalogue.sets["Datastreams"]
        notes = self._observations.notes_of(rows) if len(rows) else []
        told = []
        for place, (key, note) in enumerate(zip(ids, notes, strict=True)):
            stream = streams[key.rpartition(":")[0]]
            feature = note.get("feature") or self._catalogue.feature_of(stream)
            time = int(rows.time[place])
            found = tell(times[place], float(rows.value[place]), int(rows.flag[place]), note)
            told.append(self._finish(observation_of(stream, time, feature), found, options))
        return told

    def _finish(self, entity: Entity, properties: Mapping[str, Any], options: Options) -> Told:
        self._told += 1
        if self._told > MOST_ENTITIES:
            raise BadInput(f"the answer holds more than {MOST_ENTITIES} entities; lower $top or expand less")
        self_link = f"{self._root}/{entity.set}('{entity.id}')"
        wanted = options.select
        head = {"@iot.id": entity.id, "@iot.selfLink": self_link}
        told: Told = {
            key: head[key] for key in head if not wanted or key in wanted or (key == "@iot.id" and "id" in wanted)
        }
        told |= {key: value for key, value in properties.items() if not wanted or key in wanted}
        expanded = dict(options.expand)
        for name, relation in RELATIONS[entity.set].items():
            link = f"{self_link}/{name}"
            if name in expanded:
                self._expand(told, entity, name, expanded[name], link)
            elif not wanted or name in wanted:
                told[f"{name}@iot.navigationLink"] = link
            if name in expanded and relation.many:
                told.setdefault(f"{name}@iot.navigationLink", link)
        return told

    def _expand(self, told: Told, entity: Entity, name: str, options: Options, link: str) -> None:
        relation = RELATIONS[entity.set][name]
        if not relation.many:
            related = self._catalogue.related(entity, name)
            told[name] = self._entity(related[0], options) if related else None
            return
        found = self._collection(relation.target, entity, name, options, link)
        for key in ("@iot.count", "@iot.nextLink"):
            if key in found:
                told[name + key] = found[key]
        told[name] = found["value"]

    def _properties(self, entity: Entity) -> Mapping[str, Any]:
        if entity.set == "Observations":
            (stream,) = self._catalogue.related(entity, "Datastream")
            rows = self._observations.one(stream, int(entity.id.rpartition(":")[2]))
            (note,) = self._observations.notes_of(rows)
            return tell(texts_of(rows.time)[0], float(rows.value[0]), int(rows.flag[0]), note)
        if entity.set == "Datastreams":
            span = self._span(entity)
            if span:
                text = "/".join(texts_of(np.array(span)))
                return {**entity.properties, "phenomenonTime": text, "resultTime": text}
        return entity.properties

    def _span(self, stream: Entity) -> tuple[int, int] | None:
        """First and last time of a datastream [s UTC]; None where it has no observation."""
        first = self._observations.first(stream)
        if first is None:
            return None
        last = self._observations.last(stream, self._latest)
        return first, max(first, self._now) if last is None else max(first, last)

    def _look(self, entity: Entity, path: tuple[str, ...]) -> Any:
        """The value of a path from an entity; a relation to one leads on, a relation to many has been bound before."""
        here: Entity | None = entity
        for place, name in enumerate(path):
            assert here is not None
            if name == "Datastream" and here.set == "Datastreams" and place == 0:
                continue
            relation = RELATIONS[here.set].get(name)
            if relation is None:
                return self._property(here, path[place:])
            if relation.many:
                raise BadInput(f"{name} of {here.set} are many, not a value; filter {relation.target} themselves")
            related = self._catalogue.related(here, name)
            here = related[0] if related else None
            if here is None:
                return None
        shown = "/".join(path) or "a relation"
        raise BadInput(f"{shown} is an entity, not a value; name one of its properties")

    def _property(self, entity: Entity, path: tuple[str, ...]) -> Any:
        if path in (("id",), ("@iot.id",)):
            return entity.id
        if path[0] not in PROPERTIES[entity.set]:
            known = ", ".join((*PROPERTIES[entity.set], *RELATIONS[entity.set]))
            raise BadInput(f"{entity.set} have no property {path[0][:40]!r}; they have id, {known}")
        value: Any = self._properties(entity).get(path[0])
        if path[0] in ("phenomenonTime", "resultTime", "time") and value is not None:
            return time_value(value)
        for name in path[1:]:
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    def _holds(self, condition: Node, entity: Entity) -> bool:
        """Whether a condition holds for an entity; over a relation to many, whether it holds for any of them."""
        many = sorted({path[0] for path in paths_in(condition) if self._is_many(entity, path)})
        choices = [self._related(entity, name) for name in many]
        for chosen in product(*choices):
            bound = dict(zip(many, chosen, strict=True))

            def look(path: tuple[str, ...], bound: Mapping[str, Entity] = bound) -> Any:
                return self._look(bound[path[0]], path[1:]) if path[0] in bound else self._look(entity, path)

            if holds(condition, look):
                return True
        return False

    def _is_many(self, entity: Entity, path: tuple[str, ...]) -> bool:
        relation = RELATIONS[entity.set].get(path[0])
        return relation is not None and relation.many

    def _related(self, entity: Entity, name: str) -> tuple[Entity, ...]:
        if RELATIONS[entity.set][name].target == "Observations":
            raise BadInput(
                f"{entity.set} cannot be filtered by {name}; ask for Observations with a filter on Datastream"
            )
        return self._catalogue.related(entity, name)

    def _rank(self, node: Node, entity: Entity) -> tuple[Any, ...]:
        return _rank(evaluate(node, lambda path: self._look(entity, path)))

    def _check_names(self, name: str, options: Options) -> None:
        """Refuse what an entity does not have. Raises BadInput."""
        selectable = {"id", "@iot.id", "@iot.selfLink", *PROPERTIES[name], *RELATIONS[name]}
        for each in options.select:
            if each not in selectable:
                have = ", ".join(("id", *PROPERTIES[name], *RELATIONS[name]))
                raise BadInput(f"$select={each[:40]!r} is nothing that {name} have; choose from {have}")
        for each, _ in options.expand:
            if each not in RELATIONS[name]:
                known = ", ".join(RELATIONS[name])
                raise BadInput(f"$expand={each[:40]!r} is no relation of {name}; choose from {known}")


def _asks_for_newest(options: Options) -> bool:
    """True for $top=1;$orderby=phenomenonTime desc, and nothing that narrows it."""
    alone = options.top == 1 and not (options.skip or options.count or options.filter or options.mark)
    return alone and len(options.order) == 1 and options.order[0].falling and options.order[0].path == _BY_TIME


def _collected(told: list[Told], count: int | None, link: str, more: str | None) -> Told:
    found: Told = {} if count is None else {"@iot.count": count}
    if more is not None:
        found["@iot.nextLink"] = f"{link}?{more}"
    return {**found, "value": told}


def _rank(value: Any) -> tuple[Any, ...]:
    """A key by which values of any kind can be sorted, null first."""
    if value is None:
        return (0,)
    if isinstance(value, Interval):
        return (1, "time", value.start.astype(np.int64), value.end.astype(np.int64))
    if isinstance(value, Mapping | list | tuple):
        raise BadInput("$orderby names a structure; name one value within it, as properties/rank")
    return (1, kind_of(value), value)


def _bare(value: Any) -> str:
    return encode_json(value).decode()
