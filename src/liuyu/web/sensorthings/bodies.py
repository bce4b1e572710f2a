"""What the body of each entity must hold (OGC 18-088, section 8.2): properties, and relations for a deep insert."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sensorthings.observation import plain_json
from liuyu.monitor.sense.sensorthings.streams import KINDS
from liuyu.monitor.sense.sensorthings.times import read_instant
from liuyu.web.sensorthings.catalogue import PROPERTIES, RELATIONS

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "Things": ("name", "description"),
    "Locations": ("name", "description", "encodingType", "location"),
    "HistoricalLocations": ("time",),
    "Datastreams": ("name", "description", "unitOfMeasurement", "observationType"),
    "Sensors": ("name", "description", "encodingType", "metadata"),
    "ObservedProperties": ("name", "definition", "description"),
    "Observations": ("result",),
    "FeaturesOfInterest": ("name", "description", "encodingType", "feature"),
}
_OURS = {"Datastreams": ("phenomenonTime", "resultTime")}  # computed; a client sends them back after a read
_TEXTS = {"name": 1000, "description": 10_000, "encodingType": 1000, "definition": 2000, "observationType": 1000}
_OBJECTS = ("properties", "unitOfMeasurement", "observedArea", "location", "feature")
_LEFT_OUT = ("MultiDatastream", "MultiDatastreams", "TaskingCapabilities", "Actuators")
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection")
_LINK = re.compile(r"^(id|@iot\.id|@iot\.selfLink)$|@iot\.(navigationLink|count|nextLink)$")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Body:
    """A body, sorted out: properties, relations as they were written, and the id that it wishes for."""

    properties: dict[str, Any]
    relations: dict[str, Any] = field(default_factory=dict)
    id: str = ""


def read_body_of(set: str, body: Any, *, partial: bool = False) -> Body:
    """The body of an entity, made sure of; with `partial` nothing is required. Raises BadInput."""
    if not isinstance(body, Mapping):
        raise BadInput(f"the body of {set} is a {type(body).__name__}; send one JSON object")
    properties: dict[str, Any] = {}
    relations: dict[str, Any] = {}
    for key, value in body.items():
        if key in _LEFT_OUT:
            raise BadInput(f"{key} are not offered here; give each property a Datastream of its own")
        if key in RELATIONS[set]:
            relations[key] = value
        elif key in PROPERTIES[set]:
            properties |= {} if key in _OURS.get(set, ()) else {key: value}
        elif not (
            key in ("@iot.id", "@iot.selfLink", "id") or re.search(r"@iot\.(navigationLink|count|nextLink)$", key)
        ):
            raise BadInput(f"{set} have no property {key[:40]!r}; {_hint(key, set)}")
    if not partial:
        for name in _NEEDED[set]:
            if properties.get(name) is None and not (set == "Observations" and name in properties):
                raise BadInput(f"{set} need {name}; add it")
    if set != "Observations":
        _check(set, properties)
    return Body(properties, relations, read_id(body.get("@iot.id", "")))


def read_id(told: Any) -> str:
    """An id that a client wishes for or points to. Raises BadInput for one that could not stand in an address."""
    text = str(told) if isinstance(told, int) and not isinstance(told, bool) else told
    if not isinstance(text, str):
        raise BadInput(f"@iot.id={str(told)[:40]!r} is neither text nor whole number; give one of them")
    if len(text) > 200 or "'" in text:
        raise BadInput(f"@iot.id={text[:40]!r} cannot be an id; use up to 64 letters, digits, and . _ : -")
    return text


def check_new_id(id: str) -> None:
    """Make sure that a new id can stand in every address. Raises BadInput."""
    if id and not _ID.fullmatch(id):
        raise BadInput(f"@iot.id={id[:40]!r} cannot be a new id; use up to 64 letters, digits, and . _ : -")


def _hint(key: str, set: str) -> str:
    known = [*PROPERTIES[set], *RELATIONS[set]]
    near = difflib.get_close_matches(key, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"they have {', '.join(known)}"


def _check(set: str, properties: dict[str, Any]) -> None:
    for key, value in list(properties.items()):
        if value is None and key in ("properties", "observedArea"):
            del properties[key]
            continue
        if key in _TEXTS and not (isinstance(value, str) and value.strip() and len(value) <= _TEXTS[key]):
            raise BadInput(f"{key}={str(value)[:40]!r} of {set} is no text of 1 to {_TEXTS[key]} characters; mend it")
        if key in _OBJECTS and not isinstance(value, Mapping):
            raise BadInput(f"{key}={str(value)[:40]!r} of {set} is no object; write it as {{...}}")
        properties[key] = plain_json(key, value)
    if "time" in properties:
        read_instant("time", properties["time"])
    if "unitOfMeasurement" in properties:
        properties["unitOfMeasurement"] = _unit(properties["unitOfMeasurement"])
    if "observationType" in properties and properties["observationType"] not in KINDS:
        names = ", ".join(each.rpartition("/")[2] for each in KINDS)
        raise BadInput(
            f"observationType {properties['observationType'][:80]!r} is not known; it ends in one of {names}"
        )
    for key in ("location", "feature", "observedArea"):
        if key in properties and (key == "observedArea" or "geo" in str(properties.get("encodingType", "geo"))):
            _check_geometry(key, properties[key])


def _unit(told: Mapping[str, Any]) -> dict[str, str | None]:
    for key, value in told.items():
        if key not in ("name", "symbol", "definition") or not (value is None or isinstance(value, str)):
            raise BadInput(
                f"unitOfMeasurement has {key[:40]!r}={str(value)[:40]!r}; it holds name, symbol and definition"
            )
    return {key: told.get(key) for key in ("name", "symbol", "definition")}


def _check_geometry(key: str, told: Mapping[str, Any]) -> None:
    """Make sure of a GeoJSON geometry or feature, and that longitude comes first. Raises BadInput."""
    kind = told.get("type")
    if kind == "Feature":
        if told.get("geometry") is not None:
            if not isinstance(told["geometry"], Mapping):
                raise BadInput(f"geometry of {key} is no object; write a GeoJSON geometry or null")
            _check_geometry(key, told["geometry"])
        return
    if kind not in _GEOMETRIES:
        raise BadInput(f"{key} has the type {str(kind)[:40]!r}; write a GeoJSON geometry (RFC 7946), such as a Point")
    if kind == "GeometryCollection":
        return
    for position in _positions(told.get("coordinates"), key):
        if not (abs(position[0]) <= 180 and abs(position[1]) <= 90):
            raise BadInput(f"{key} lies at {position[:2]}; write longitude, then latitude, in degrees")


def _positions(told: Any, key: str, depth: int = 0) -> list[list[float]]:
    if isinstance(told, list) and told and depth < 5:
        if all(isinstance(each, int | float) and not isinstance(each, bool) for each in told):
            if 2 <= len(told) <= 3 and all(math.isfinite(each) for each in told):
                return [told]
        else:
            return [position for each in told for position in _positions(each, key, depth + 1)]
    raise BadInput(f"coordinates of {key} hold {str(told)[:40]!r}; write [longitude, latitude]")
