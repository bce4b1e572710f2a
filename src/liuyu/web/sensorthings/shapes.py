"""The bodies of the write side, as the OpenAPI description shows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litestar.openapi.spec import Example, OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIType

from liuyu.monitor.sense.sensorthings.streams import KINDS

_TEXT = Schema(type=OpenAPIType.STRING, min_length=1)
_OBJECT = Schema(type=OpenAPIType.OBJECT)
_LINK = Schema(type=OpenAPIType.OBJECT, description='{"@iot.id": ...}, or the entity written out')
_LINKS = Schema(type=OpenAPIType.ARRAY, items=_LINK)
_TIME = Schema(type=OpenAPIType.STRING, description="ISO 8601 with its zone; an instant, or start/end")
_UNIT = Schema(
    type=OpenAPIType.OBJECT,
    properties={name: Schema(type=[OpenAPIType.STRING, OpenAPIType.NULL]) for name in ("name", "symbol", "definition")},
)


def _shape(title: str, needed: Mapping[str, Schema], free: Mapping[str, Schema]) -> Schema:
    properties = {**needed, **free}
    return Schema(title=title, type=OpenAPIType.OBJECT, required=list(needed), properties=properties)  # type: ignore[arg-type]


_NAMED = {"name": _TEXT, "description": _TEXT}
OBSERVATION = _shape(
    "Observation",
    {"result": Schema(description="In the unit of the Datastream")},
    {
        "phenomenonTime": _TIME,
        "resultTime": _TIME,
        "validTime": _TIME,
        "resultQuality": Schema(description="A flag (1 good, 3 suspect, 4 bad), its name, or what the source says"),
        "parameters": _OBJECT,
        "Datastream": _LINK,
        "FeatureOfInterest": _LINK,
    },
)
THING = _shape("Thing", _NAMED, {"properties": _OBJECT, "Locations": _LINKS, "Datastreams": _LINKS})
LOCATION = _shape("Location", {**_NAMED, "encodingType": _TEXT, "location": _OBJECT}, {"properties": _OBJECT})
HISTORY = _shape("HistoricalLocation", {"time": _TIME}, {"Thing": _LINK, "Locations": _LINKS})
SENSOR = _shape("Sensor", {**_NAMED, "encodingType": _TEXT, "metadata": Schema()}, {"properties": _OBJECT})
PROPERTY = _shape("ObservedProperty", {**_NAMED, "definition": _TEXT}, {"properties": _OBJECT})
FEATURE = _shape("FeatureOfInterest", {**_NAMED, "encodingType": _TEXT, "feature": _OBJECT}, {"properties": _OBJECT})
DATASTREAM = _shape(
    "Datastream",
    {**_NAMED, "unitOfMeasurement": _UNIT, "observationType": Schema(type=OpenAPIType.STRING, enum=list(KINDS))},
    {"properties": _OBJECT, "Thing": _LINK, "Sensor": _LINK, "ObservedProperty": _LINK, "Observations": _LINKS},
)
ARRAYS = Schema(
    title="CreateObservations",
    type=OpenAPIType.ARRAY,
    items=_shape(
        "DataArray",
        {
            "Datastream": _LINK,
            "components": Schema(type=OpenAPIType.ARRAY, items=_TEXT),
            "dataArray": Schema(type=OpenAPIType.ARRAY, items=Schema(type=OpenAPIType.ARRAY)),
        },
        {},
    ),
)
BATCH = _shape("Batch", {"requests": Schema(type=OpenAPIType.ARRAY, items=_OBJECT)}, {})
_ENTITIES = (OBSERVATION, THING, LOCATION, HISTORY, SENSOR, PROPERTY, FEATURE, DATASTREAM)
_EXAMPLE = Example(summary="An observation", value={"result": 23.41, "phenomenonTime": "2020-08-10T06:00:00Z"})


@dataclass
class CreateOperation(Operation):
    """The description of creating: what the body may be."""

    def __post_init__(self) -> None:
        told = OpenAPIMediaType(schema=Schema(any_of=[*_ENTITIES, ARRAYS, BATCH]), examples={"observation": _EXAMPLE})
        parts = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, description="Parts of type application/http"))
        self.request_body = RequestBody({"application/json": told, "multipart/mixed": parts}, required=True)


@dataclass
class ChangeOperation(Operation):
    """The description of changing: some properties, or a JSON Patch."""

    def __post_init__(self) -> None:
        told = OpenAPIMediaType(schema=_OBJECT)
        patch = OpenAPIMediaType(schema=Schema(type=OpenAPIType.ARRAY, items=_OBJECT))
        self.request_body = RequestBody({"application/json": told, "application/json-patch+json": patch}, required=True)


@dataclass
class ReplaceOperation(Operation):
    """The description of replacing: the whole entity."""

    def __post_init__(self) -> None:
        told = OpenAPIMediaType(schema=Schema(any_of=list(_ENTITIES)))
        self.request_body = RequestBody({"application/json": told}, required=True)
