"""Changing and deleting, planned on a draft: what was created here alone; observations are corrected, not deleted.

A change of an observation of the basin's series goes through the door like any other and the older value stays in the
series' history. What a series once held is not deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sensorthings.observation import read_body
from liuyu.web.sensorthings.bodies import read_body_of
from liuyu.web.sensorthings.catalogue import RELATIONS, Entity
from liuyu.web.sensorthings.observations import Observations, tell, texts_of
from liuyu.web.sensorthings.patch import patched
from liuyu.web.sensorthings.planner import Made, Planner, stream_of
from liuyu.web.sensorthings.refusals import Conflict

_BELOW: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Things": (("Datastreams", "Thing"), ("HistoricalLocations", "Thing")),
    "Locations": (("HistoricalLocations", "Locations"),),
    "Sensors": (("Datastreams", "Sensor"),),
    "ObservedProperties": (("Datastreams", "ObservedProperty"),),
}
"""What goes with an entity when it is deleted (OGC 18-088, section 10.4)."""


def update(planner: Planner, found: Entity, body: Any, *, whole: bool, observations: Observations) -> Made:
    """Plan a change of an entity: by the properties in a body, by a JSON Patch, or as a `whole`."""
    if found.set == "Observations":
        return _correct(planner, found, body, whole=whole, observations=observations)
    planner.need_own(found)
    planner.need_administrator(found.set)
    if isinstance(body, list):
        body = patched({**found.properties, "@iot.id": found.id}, body)
        body.pop("@iot.id", None)
        whole = True
    told = read_body_of(found.set, body, partial=not whole)
    if told.id and told.id != found.id:
        raise Conflict(f"@iot.id={told.id[:40]!r} is not {found.id!r}; an id stays")
    properties = told.properties if whole else {**found.properties, **told.properties}
    _check_stays(planner, found, properties)
    planner.draft.put(replace(found, properties=properties))
    planner.draft.counts["changed"] += 1
    for name, value in told.relations.items():
        _relink(planner, found, name, value)
    return found.set, found.id


def delete(planner: Planner, found: Entity, observations: Observations) -> None:
    """Plan that an entity is deleted, with what the standard deletes along with it."""
    planner.need_administrator(found.set)
    if found.set == "Observations":
        _erase(planner, found, observations)
        return
    planner.need_own(found)
    draft = planner.draft
    if found.set == "FeaturesOfInterest" and (draft.view.streams_of(found) or observations.ledger.of_feature(found.id)):
        raise Conflict(f"FeaturesOfInterest('{found.id}') has observations; delete their Datastreams first")
    for name, relation in _BELOW.get(found.set, ()):
        for each in [one for one in draft.view.created if one.set == name and found.id in one.links.get(relation, ())]:
            if draft.find(name, each.id) is not None:
                delete(planner, each, observations)
    if found.set == "Locations":
        for thing in [each for each in draft.view.created if found.id in each.links.get("Locations", ())]:
            left = tuple(each for each in thing.links["Locations"] if each != found.id)
            draft.put(replace(thing, links={**thing.links, "Locations": left}))
    if found.set == "Datastreams" and found.foreign:
        for time in observations.ledger.rows(found.id, 0, 2**40)[0].tolist():
            draft.erase(found.id, time)
    if found.set == "Datastreams" and not found.apart:
        _delete_views(planner, found, observations)
    draft.drop(found)


def _delete_views(planner: Planner, found: Entity, observations: Observations) -> None:
    """A series that is no longer shown is shown in no other unit either."""
    for each in planner.draft.view.created:
        same = (each.station, each.quantity) == (found.station, found.quantity)
        if each.set == "Datastreams" and each.apart and same and planner.draft.find("Datastreams", each.id):
            delete(planner, each, observations)


def _correct(planner: Planner, found: Entity, body: Any, *, whole: bool, observations: Observations) -> Made:
    stream = planner.draft.find("Datastreams", found.links["Datastream"][0])
    assert stream is not None
    time = int(found.id.rpartition(":")[2])
    rows = observations.one(stream, time)
    note = planner.draft.note(stream.id, time)
    present = tell(texts_of(rows.time)[0], float(rows.value[0]), int(rows.flag[0]), note)
    reported = present.pop("resultQuality").get("reported")
    present |= {} if reported is None else {"resultQuality": reported}
    if isinstance(body, list):
        body, whole = patched(present, body), True
    told = read_body_of("Observations", body, partial=True)
    for name, value in told.relations.items():
        _check_same(planner, found, name, value)
    meant = {**({"phenomenonTime": present["phenomenonTime"]} if whole else present), **told.properties}
    observed = read_body(meant, stream_of(stream, planner.basin), planner.draft.now)
    if observed.time != time:
        raise Conflict("phenomenonTime of an Observation is its identity and stays; create another at the right time")
    planner.draft.observe(observed, str(note.get("feature", "")))
    planner.draft.counts["observations"] -= 1
    planner.draft.counts["changed"] += 1
    return "Observations", found.id


def _erase(planner: Planner, found: Entity, observations: Observations) -> None:
    stream = planner.draft.find("Datastreams", found.links["Datastream"][0])
    assert stream is not None
    time = int(found.id.rpartition(":")[2])
    observations.one(stream, time)
    if not stream.foreign:
        raise Conflict(
            f"observations of {stream.id} are never deleted, for the record's sake; PATCH the right result, and the "
            "wrong one goes to the series' history"
        )
    planner.draft.erase(stream.id, time)


def _check_stays(planner: Planner, found: Entity, properties: Mapping[str, Any]) -> None:
    if found.set != "Datastreams":
        return
    for name in ("observationType",) if found.foreign else ("observationType", "unitOfMeasurement"):
        if properties.get(name) != found.properties.get(name):
            raise Conflict(f"{name} of Datastreams('{found.id}') stays, for what it has observed; create another one")


def _relink(planner: Planner, found: Entity, name: str, value: Any) -> None:
    """Change what an entity is related to, where that may change."""
    many = value if isinstance(value, list) else [value]
    target = RELATIONS[found.set][name].target
    if found.set == "Things" and name == "Locations":
        ids = tuple(planner.resolve(target, each) for each in many)
        thing = planner.draft.find("Things", found.id)
        assert thing is not None
        planner.move(thing, ids)
    elif found.set == "Datastreams" and name == "Sensor":
        now = planner.draft.find(found.set, found.id)
        assert now is not None
        planner.draft.put(replace(now, links={**now.links, name: (planner.resolve(target, value),)}))
    elif name in found.links:
        _check_same(planner, found, name, value)
    else:
        raise BadInput(f"{name} of {found.set} are not changed from here; POST to {found.set}('{found.id}')/{name}")


def _check_same(planner: Planner, found: Entity, name: str, value: Any) -> None:
    many = value if isinstance(value, list) else [value]
    given = [each.get("@iot.id") if isinstance(each, Mapping) else None for each in many]
    if [str(each) for each in given] != list(found.links.get(name, ())):
        raise Conflict(f"{name} of {found.set}('{found.id}') stays; create another entity")
