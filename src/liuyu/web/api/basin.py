"""The scene, its layers and its terrain."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Response, get
from litestar.params import PathParameter

from liuyu.basin.errors import NotFound
from liuyu.web.desk import AtDesk
from liuyu.web.errors import Refused
from liuyu.web.layers import GEOJSON
from liuyu.web.reply import WebRequest, answers, send, send_packed
from liuyu.web.scene import Scene
from liuyu.web.tiles import TileJson

_TILES = {"Cache-Control": "public, max-age=86400"}


@get(
    "/api/basin",
    sync_to_thread=False,
    summary="The basin",
    description="Everything that does not change while the twin runs: places, thresholds, layers of the map, and the "
    "tables of quantities and threshold kinds. Stations stand in the order by which values name them. Has an ETag; "
    "with If-None-Match the answer is 304 where nothing changed.",
    responses=answers(Scene, "The scene"),
    tags=["basin"],
)
def get_basin(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """The scene of the basin."""
    return send_packed(request, desk.scene)


@get(
    "/api/layers/{kind:str}",
    sync_to_thread=True,
    summary="A layer of the map",
    description="GeoJSON, longitude and latitude in degrees (WGS 84), four decimals. Has an ETag.",
    responses=answers(dict[str, Any], "A feature collection", 404, media_type=GEOJSON),
    tags=["basin"],
)
def get_layer(
    request: WebRequest,
    desk: AtDesk,
    kind: Annotated[str, PathParameter(description="Kind of a layer in /api/basin, such as rivers", max_length=64)],
) -> Response[bytes]:
    """A layer as GeoJSON."""
    return send_packed(request, desk.layers.packed(kind), headers={"Cache-Control": "public, max-age=3600"})


@get(
    "/tiles/terrain.json",
    sync_to_thread=False,
    summary="TileJSON of the terrain",
    description="Elevation [m] in the colours of Terrarium, zoom 0 to 7. 404 while the tiles are being made, with "
    "Retry-After, or where the basin has no terrain.",
    responses=answers(TileJson, "TileJSON 3.0", 404),
    tags=["basin"],
)
def get_terrain(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """The TileJSON of the terrain."""
    _be_ready(desk)
    return send(request, desk.terrain.describe(str(request.base_url).rstrip("/")))


@get(
    "/tiles/terrain/{zoom:int}/{x:int}/{name:str}",
    sync_to_thread=True,
    summary="A tile of terrain",
    description="256 px PNG in web Mercator; elevation [m] = red * 256 + green + blue / 256 - 32768. 404 outside.",
    responses=answers(bytes, "A tile", 404, media_type="image/png"),
    tags=["basin"],
)
def get_tile(
    desk: AtDesk,
    zoom: Annotated[int, PathParameter(description="Zoom, 0 to 7")],
    x: Annotated[int, PathParameter(description="Column from the west")],
    name: Annotated[str, PathParameter(description="Row from the north and .png, such as 52.png", max_length=32)],
) -> Response[bytes]:
    """A tile of terrain as PNG."""
    row, _, ending = name.partition(".")
    if ending != "png" or not row.isdecimal():
        raise NotFound(f"no tile {name!r}; write its row and .png, such as 52.png")
    _be_ready(desk)
    png = desk.terrain.tile(zoom, x, int(row))
    if png is None:
        raise NotFound(f"no tile {zoom}/{x}/{row}; the bounds stand in /tiles/terrain.json")
    return Response(png, media_type="image/png", headers=_TILES)


def _be_ready(desk: AtDesk) -> None:
    if not desk.terrain.exists:
        raise NotFound("this basin has no terrain; name a terrain layer in its package")
    if not desk.terrain.ready():
        raise Refused(404, "the terrain is being made", "try again in 5 s", {"Retry-After": "5"})
