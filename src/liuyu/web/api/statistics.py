"""Flood-season statistics of one series."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import QueryParameter

from liuyu.basin.clock import DAY
from liuyu.basin.errors import NotFound
from liuyu.basin.places import Season
from liuyu.monitor.assess import SeasonStatistics, season_statistics
from liuyu.web.desk import AtDesk
from liuyu.web.parameters import At, QuantityName, StationCode, known_quantity, known_station, moment_or
from liuyu.web.reply import WebRequest, answers, send

FLOOD_SEASON = Season(start=(5, 1), end=(10, 31))


class Statistics(SeasonStatistics, frozen=True, kw_only=True):
    """The newest flood season, with those before it, oldest first."""

    earlier: tuple[SeasonStatistics, ...] = ()


@get(
    "/api/statistics/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="Flood-season statistics of a series",
    description="The newest flood season (1 May to 31 October) up to a moment: highest, lowest and mean value, how "
    "much of it is known, the rank of its maximum among the years asked for, and for each threshold the hours beyond "
    "it, the first and last time there, and the number of spells. `earlier` holds the seasons before. Usable values "
    "alone count; 404 where there are none.",
    responses=answers(Statistics, "The season, and those before it", 404),
    tags=["values"],
)
def get_statistics(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    at: At = None,
    years: Annotated[int, QueryParameter(name="years", ge=1, le=100, description="How many years back")] = 10,
) -> Response[bytes]:
    """Statistics of the flood seasons of a series."""
    basin = desk.twin.basin
    known_station(basin, station)
    known_quantity(quantity)
    end = moment_or("at", at, desk.now) + 1
    series = desk.twin.store.series(station, quantity, end - years * 366 * DAY, end)
    lines = basin.thresholds_of(station, quantity)
    seasons = season_statistics(series, lines, basin.zone, FLOOD_SEASON)
    if not seasons:
        raise NotFound(f"no usable {quantity} of {station} in a flood season so far; ask for a later moment")
    return send(request, Statistics(**msgspec.structs.asdict(seasons[-1]), earlier=seasons[:-1]))
