"""The addresses of the SensorThings service."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import PathParameter

from liuyu.basin.errors import LiuyuError, StoreFailed
from liuyu.web.desk import AtDesk
from liuyu.web.errors import split_message, status_of
from liuyu.web.reply import WebRequest, answers, encode_json, send
from liuyu.web.sensorthings.options import read_query

ROOT = "/sta/v1.1"


@get(
    ROOT,
    sync_to_thread=False,
    summary="The SensorThings service",
    description="Its collections, and the parts of the standard (OGC 18-088) to which it conforms.",
    responses=answers(dict[str, Any], "The service document"),
    tags=["sensorthings"],
)
def get_service(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """The service document."""
    return send(request, desk.things.document(_root(request)))


@get(
    f"{ROOT}/{{path:path}}",
    sync_to_thread=True,
    summary="What the SensorThings service holds",
    description="Things, Locations, HistoricalLocations, Datastreams, Sensors, ObservedProperties, Observations and "
    "FeaturesOfInterest, read-only: collections, entities such as Things('60112200'), what they are related to, and "
    "their properties; with $top, $skip, $count, $orderby, $filter, $select and $expand.",
    responses=answers(dict[str, Any], "A collection, an entity or a property", 404, 503),
    tags=["sensorthings"],
)
def get_things(
    request: WebRequest,
    desk: AtDesk,
    path: Annotated[str, PathParameter(description="Path below the service, such as Datastreams", max_length=1000)],
) -> Response[bytes]:
    """An answer of the service."""
    try:
        options = read_query(request.scope["query_string"].decode("latin-1"))
        found = desk.things.answer(path.strip("/"), options, _root(request))
    except StoreFailed:
        raise
    except LiuyuError as error:
        return _refuse(error)
    if isinstance(found, str):
        return send(request, found.encode(), media_type="text/plain")
    return send(request, found)


def _root(request: WebRequest) -> str:
    return str(request.base_url).rstrip("/") + ROOT


def _refuse(error: LiuyuError) -> Response[bytes]:
    """An error with what SensorThings clients look for beside what ours do."""
    what, cure = split_message(str(error))
    status = status_of(error)
    told = {"code": status, "type": "error", "message": str(error), "error": what, "cure": cure}
    return Response(encode_json(told), status_code=status, media_type="application/json")
