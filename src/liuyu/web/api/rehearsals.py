"""Scenarios: what they may change, having one run, how far it is, and what came of it, with pictures for the map."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.response import File

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput, NotFound
from liuyu.outlook.rehearse import view
from liuyu.outlook.rehearse.comparing.compare import Comparison, compared, read_result
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.parameters import QuantityName, StationCode
from liuyu.web.rehearsing import RehearsalDesk, RehearsalSheet
from liuyu.web.reply import WebRequest, answers, errors, send
from liuyu.web.session import signed_write

ScenarioId = Annotated[str, PathParameter(description="Id of the scenario, as in /api/scenarios", max_length=200)]
FloodName = Annotated[str, PathParameter(description="Name of the flood, as in the summary", max_length=100)]
Member = Annotated[str, QueryParameter(name="member", description="median, or member-7 of an ensemble", max_length=40)]
Picture = Annotated[
    str, PathParameter(description="Name of the picture, such as 0007.png or hazard.png", max_length=64)
]
_KEPT = {"Cache-Control": "private, max-age=3600"}  # results of a scenario that is done do not change
_PNG = "image/png"


@get(
    "/api/scenarios/options",
    sync_to_thread=True,
    summary="What a scenario may change",
    description="From the twin's present: reservoirs with their expected releases [m3/s], levees with their lines and "
    "lengths [m], detention basins, flood cases with bounds and gates, gauges, and the hours that can be seen ahead.",
    responses=answers(dict[str, Any], "The choices", 404),
    tags=["scenarios"],
)
def get_options(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """What a scenario may change."""
    return send(request, _rehearsals(desk).options())


@post(
    "/api/scenarios",
    status_code=202,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Rehearse a scenario",
    description="The tables of a scenario file as JSON (docs/howto/rehearse.md), without file names: series are lists, "
    "cases those of the basin. Starts from the twin's newest whole hour, or from base.at. Queued durably; follow it by "
    "`rehearsal` on the stream, or ask again. The same scenario on the same moment is given back as it stands. 400 "
    "lists every fault. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415, 503),
    security=[{"session": []}],
    tags=["scenarios"],
)
def submit(request: WebRequest, desk: AtDesk, data: JSONBody[dict[str, Any]]) -> RehearsalSheet:
    """Have a scenario run."""
    return _rehearsals(desk).submit(request.user, data)


@post(
    "/api/scenarios/check",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="The faults of a scenario",
    description="Every fault with its field, value, problem and cure; empty where it can be run. Needs a session.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["scenarios"],
)
def check(request: WebRequest, desk: AtDesk, data: JSONBody[dict[str, Any]]) -> list[dict[str, Any]]:
    """The faults of a scenario."""
    return _rehearsals(desk).faults(data)


@get(
    "/api/scenarios",
    sync_to_thread=True,
    summary="Scenarios, newest first",
    responses=answers(list[RehearsalSheet], "Scenarios without their results", 404),
    tags=["scenarios"],
)
def get_scenarios(
    desk: AtDesk,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=1000, description="At most so many")] = 100,
) -> list[RehearsalSheet]:
    """Scenarios, newest first."""
    return _rehearsals(desk).listed(limit)


@get(
    "/api/scenarios/compare",
    sync_to_thread=True,
    summary="Scenarios side by side",
    description="A row for each gauge, reservoir, flood, layer and place, a column for each scenario; the first column "
    "is the river without any change where all start from one state. All must be done.",
    responses=answers(Comparison, "The comparison", 404),
    tags=["scenarios"],
)
def get_comparison(
    request: WebRequest,
    desk: AtDesk,
    ids: Annotated[str, QueryParameter(name="ids", description="Two or more ids, parted by commas", max_length=2000)],
) -> Response[bytes]:
    """Scenarios side by side."""
    asked = [each.strip() for each in ids.split(",") if each.strip()]
    if len(asked) < 2:
        raise BadInput(f"ids={ids[:80]!r} names {len(asked)} scenarios; give two or more, parted by commas")
    folders = [_rehearsals(desk).results(each) for each in asked[:20]]
    return send(request, compared([read_result(each) for each in folders]))


@get(
    "/api/scenarios/{id:str}",
    sync_to_thread=True,
    summary="A scenario and its outcome",
    description="`summary` is what summary.json says once it is done or has failed: gauges, reservoirs, floods, "
    "impact, limits that bind, provenance.",
    responses=answers(RehearsalSheet, "The scenario", 404),
    tags=["scenarios"],
)
def get_scenario(request: WebRequest, desk: AtDesk, id: ScenarioId) -> Response[bytes]:
    """A scenario and its outcome."""
    return send(request, _rehearsals(desk).find(id))


@post(
    "/api/scenarios/{id:str}/cancel",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="End a scenario that waits or runs",
    description="Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415, 503),
    security=[{"session": []}],
    tags=["scenarios"],
)
def cancel(request: WebRequest, desk: AtDesk, id: ScenarioId) -> RehearsalSheet:
    """End a scenario."""
    return _rehearsals(desk).cancel(request.user, id)


@get(
    "/api/scenarios/{id:str}/series/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="A gauge with and without the scenario",
    description="Quantiles 0.1, 0.5 and 0.9 of the members over time [s UTC], `without` and `with`.",
    responses=answers(dict[str, Any], "The two courses", 404),
    tags=["scenarios"],
)
def get_course(
    request: WebRequest,
    desk: AtDesk,
    id: ScenarioId,
    station: StationCode,
    quantity: QuantityName,
    members: Annotated[bool, QueryParameter(name="members", description="Every member too")] = False,
) -> Response[bytes]:
    """A gauge with and without the scenario."""
    return send(request, view.series_of(_rehearsals(desk).results(id), station, quantity, members=members))


@get(
    "/api/scenarios/{id:str}/reservoirs/{code:str}",
    sync_to_thread=True,
    summary="A reservoir with and without the scenario",
    description="Level [m], storage [m3], inflow and outflow [m3/s] over time [s UTC], `without` and `with`.",
    responses=answers(dict[str, Any], "The two courses", 404),
    tags=["scenarios"],
)
def get_pool(
    request: WebRequest,
    desk: AtDesk,
    id: ScenarioId,
    code: Annotated[str, PathParameter(description="Code of the reservoir, as in /api/basin", max_length=64)],
) -> Response[bytes]:
    """A reservoir with and without the scenario."""
    return send(request, view.pool_of(_rehearsals(desk).results(id), code))


@get(
    "/api/scenarios/{id:str}/floods/{flood:str}",
    sync_to_thread=True,
    summary="What there is to see of a flood",
    description="Times of the frames [s UTC], bounds [west, south, east, north] and corners for the map, size in "
    "pixels, kinds of maps, zooms of the tiles, titles and legend. Without a place on earth bounds are null.",
    responses=answers(dict[str, Any], "The pictures", 404),
    tags=["scenarios"],
)
def get_frames(
    request: WebRequest, desk: AtDesk, id: ScenarioId, flood: FloodName, member: Member = "median"
) -> Response[bytes]:
    """What there is to see of a flood."""
    rehearsals = _rehearsals(desk)
    return send(request, view.frames_of(rehearsals.results(id), flood, member, epoch(rehearsals.find(id).at)))


@get(
    "/api/scenarios/{id:str}/floods/{flood:str}/frames/{name:str}",
    sync_to_thread=True,
    summary="The depth at a time, as a picture for the map",
    description="PNG in web Mercator, transparent where it is dry; stretch it over the corners.",
    responses=answers(bytes, "A picture", 404, media_type=_PNG),
    tags=["scenarios"],
)
def get_frame(
    desk: AtDesk, id: ScenarioId, flood: FloodName, name: Picture, member: Member = "median"
) -> Response[bytes]:
    """A frame of depth."""
    png = view.picture_of(_rehearsals(desk).results(id), flood, member, "frames", name)
    return Response(png, media_type=_PNG, headers=_KEPT)


@get(
    "/api/scenarios/{id:str}/floods/{flood:str}/maps/{name:str}",
    sync_to_thread=True,
    summary="Greatest depth, speed, hazard or arrival, as a picture for the map",
    description="maximum.png, speed.png, hazard.png or arrival.png; as the frames.",
    responses=answers(bytes, "A picture", 404, media_type=_PNG),
    tags=["scenarios"],
)
def get_map(
    desk: AtDesk, id: ScenarioId, flood: FloodName, name: Picture, member: Member = "median"
) -> Response[bytes]:
    """A map of a flood."""
    png = view.picture_of(_rehearsals(desk).results(id), flood, member, "maps", name)
    return Response(png, media_type=_PNG, headers=_KEPT)


@get(
    "/api/scenarios/{id:str}/floods/{flood:str}/tiles/{zoom:int}/{x:int}/{name:str}",
    sync_to_thread=True,
    summary="A tile of the greatest depth",
    description="256 px PNG in web Mercator. 404 where it stays dry.",
    responses=answers(bytes, "A tile", 404, media_type=_PNG),
    tags=["scenarios"],
)
def get_flood_tile(
    desk: AtDesk,
    id: ScenarioId,
    flood: FloodName,
    zoom: Annotated[int, PathParameter(description="Zoom")],
    x: Annotated[int, PathParameter(description="Column from the west")],
    name: Annotated[str, PathParameter(description="Row from the north and .png, such as 52.png", max_length=32)],
    member: Member = "median",
) -> Response[bytes]:
    """A tile of the greatest depth."""
    row, _, ending = name.partition(".")
    if ending != "png" or not (row.isascii() and row.isdecimal()) or len(row) > 8:
        raise NotFound(f"no tile {name!r}; write its row and .png, such as 52.png")
    png = view.tile_of(_rehearsals(desk).results(id), flood, member, zoom, x, int(row))
    return Response(png, media_type=_PNG, headers=_KEPT)


@get(
    "/api/scenarios/{id:str}/impact",
    sync_to_thread=True,
    summary="Who and what is affected",
    description="Rows of impact.csv: by flood, member, layer, feature, column and class of depth or hazard.",
    responses=answers(list[dict[str, Any]], "Rows", 404),
    tags=["scenarios"],
)
def get_impact(
    request: WebRequest,
    desk: AtDesk,
    id: ScenarioId,
    flood: Annotated[str, QueryParameter(name="flood", description="Of this flood alone", max_length=100)] = "",
    member: Member = "median",
) -> Response[bytes]:
    """Who and what is affected."""
    return send(request, view.impact_rows(_rehearsals(desk).results(id), flood, member))


@get(
    "/api/scenarios/{id:str}/files",
    sync_to_thread=True,
    summary="The files of the results",
    responses=answers(list[dict[str, Any]], "Paths and sizes", 404),
    tags=["scenarios"],
)
def get_files(request: WebRequest, desk: AtDesk, id: ScenarioId) -> Response[bytes]:
    """The files of the results."""
    return send(request, view.files_of(_rehearsals(desk).results(id)))


@get(
    "/api/scenarios/{id:str}/file",
    sync_to_thread=True,
    summary="A file of the results",
    responses=answers(bytes, "The file", 404, media_type="application/octet-stream"),
    tags=["scenarios"],
)
def get_file(
    desk: AtDesk,
    id: ScenarioId,
    path: Annotated[str, QueryParameter(name="path", description="Its path, as in files", max_length=300)],
) -> File:
    """A file of the results."""
    found = view.file_of(_rehearsals(desk).results(id), path)
    return File(found, filename=found.name, media_type="application/octet-stream")


def _rehearsals(desk: Desk) -> RehearsalDesk:
    found = desk.twin.rehearsals
    if found is None:
        raise NotFound("this twin runs no scenarios; start one with liuyu up")
    return found


HANDLERS = (
    get_options, submit, check, get_scenarios, get_comparison, get_scenario, cancel, get_course, get_pool, get_frames,
    get_frame, get_map, get_flood_tile, get_impact, get_files, get_file,
)  # fmt: skip
