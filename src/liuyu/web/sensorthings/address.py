"""What a path below the service means: Things('60112200')/Datastreams names a collection that can be asked."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from liuyu.basin.errors import BadInput, NotFound
from liuyu.web.sensorthings.catalogue import PROPERTIES, RELATIONS, SETS, Catalogue, Entity

_TIME = re.compile(r"-?\d{1,14}", re.ASCII)
_SEGMENT = re.compile(r"([A-Za-z$]\w*)(?:\((?:'((?:[^']|'')*)'|(-?\d+))\))?$")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a path leads.

    A collection is all of a set, or what `source` reaches by a relation; an entity is `entity`; `property` names one of
    its properties. `form` is how it is asked for: as it is, as links ($ref) or as bare text ($value).
    """

    set: str
    source: Entity | None = None
    relation: str = ""
    entity: Entity | None = None
    property: str = ""
    form: Literal["", "$ref", "$value"] = ""


FeatureOf = Callable[[Entity, int], str]
"""The id of the feature that an observation of a datastream at a time [s UTC] is of."""


def find(path: str, catalogue: Catalogue, feature_of: FeatureOf) -> Address:
    """Where a path leads. Raises NotFound where it leads nowhere, BadInput where it cannot be read."""
    segments = _split(path)
    here: Address | None = None
    for segment in segments:
        found = _SEGMENT.match(segment)
        if found is None:
            raise BadInput(f"{segment[:60]!r} cannot be read; write a name, or a name with an id as Things('60112200')")
        name = found[1]
        key = found[2].replace("''", "'") if found[2] is not None else found[3]
        if here is None:
            here = _enter(name, key, catalogue, feature_of)
        else:
            here = _go_on(here, name, key, catalogue, feature_of)
    if here is None:
        raise NotFound("the path is empty; the service's own address lists its collections")
    return here


def observation_key(key: str, catalogue: Catalogue, feature_of: FeatureOf) -> Entity:
    """The bare entity of an observation's id, station:quantity:time. Raises NotFound."""
    stream, _, time = key.rpartition(":")
    found = catalogue.sets["Datastreams"].get(stream)
    if found is None or not _TIME.fullmatch(time):
        raise NotFound(f"no Observation {key[:80]!r}; ids look like 60112200:water_level:1597968000")
    return observation_of(found, int(time), feature_of(found, int(time)))


def observation_of(stream: Entity, time: int, feature: str) -> Entity:
    """The bare entity of an observation of a datastream at a time [s UTC], with what it is related to."""
    links = {"Datastream": (stream.id,), "FeatureOfInterest": (feature,)}
    return Entity("Observations", f"{stream.id}:{time}", {}, stream.station, stream.quantity, links)


def _split(path: str) -> list[str]:
    """The segments of a path; a slash within quotes belongs to an id."""
    parts, quoted = [""], False
    for each in path:
        quoted ^= each == "'"
        if each == "/" and not quoted:
            parts.append("")
        else:
            parts[-1] += each
    return [part for part in parts if part]


def _enter(name: str, key: str | None, catalogue: Catalogue, feature_of: FeatureOf) -> Address:
    if name not in SETS:
        raise NotFound(f"no collection {name[:40]!r}; there are {', '.join(SETS)}")
    if key is None:
        return Address(name)
    return Address(name, entity=_entity(name, key, catalogue, feature_of))


def _entity(name: str, key: str, catalogue: Catalogue, feature_of: FeatureOf) -> Entity:
    if name == "Observations":
        return observation_key(key, catalogue, feature_of)
    found = catalogue.sets[name].get(key)
    if found is None:
        raise NotFound(f"no {name}('{key[:60]}'); ask for {name} to see which there are")
    return found


def _go_on(here: Address, name: str, key: str | None, catalogue: Catalogue, feature_of: FeatureOf) -> Address:
    if here.form:
        raise NotFound(f"nothing comes after {here.form}; end the path there")
    if here.entity is None:
        if name == "$ref" and key is None:
            return Address(here.set, here.source, here.relation, form="$ref")
        raise NotFound(f"a collection has no {name[:40]!r}; name one of its entities first")
    if here.property:
        if name == "$value" and key is None:
            return Address(here.set, entity=here.entity, property=here.property, form="$value")
        raise NotFound(f"a property has no {name[:40]!r}; end the path, or put $value")
    if name in RELATIONS[here.set]:
        return _follow(here.entity, name, key, catalogue, feature_of)
    if name in PROPERTIES[here.set] and key is None:
        return Address(here.set, entity=here.entity, property=name)
    known = ", ".join((*PROPERTIES[here.set], *RELATIONS[here.set]))
    raise NotFound(f"{here.set} have no {name[:40]!r}; they have {known}")


def _follow(entity: Entity, name: str, key: str | None, catalogue: Catalogue, feature_of: FeatureOf) -> Address:
    relation = RELATIONS[entity.set][name]
    if relation.target == "Observations":
        if key is None:
            return Address("Observations", source=entity, relation=name)
        found = observation_key(key, catalogue, feature_of)
        if entity.set == "FeaturesOfInterest":
            belongs = found.links["FeatureOfInterest"] == (entity.id,)
        else:
            belongs = found.links["Datastream"] == (entity.id,)
        if not belongs:
            raise NotFound(f"no Observation {key[:80]!r} of {entity.set}('{entity.id}'); see its Observations")
        return Address("Observations", entity=found)
    related = catalogue.related(entity, name)
    if relation.many and key is None:
        return Address(relation.target, source=entity, relation=name)
    match = [each for each in related if key is None or each.id == key]
    if not match:
        raise NotFound(f"no {name}{f'({key!r})' if key else ''} of {entity.set}('{entity.id}'); it has {len(related)}")
    return Address(relation.target, entity=match[0])
