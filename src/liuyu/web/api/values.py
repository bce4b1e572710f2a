"""Observed values: the newest of every series, one series, and its flood-season statistics."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from litestar import Response, get
from litestar.params import QueryParameter

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.series import Batch, Series
from liuyu.web.columns import (
    BINARY,
    RollupColumns,
    SeriesColumns,
    ValueColumns,
    pack,
    rollup_of,
    send_batch,
    series_of,
    wants_binary,
)
from liuyu.web.desk import AtDesk
from liuyu.web.parameters import (
    At,
    QuantityName,
    StationCode,
    interval_of,
    known_quantity,
    known_station,
    moment_or,
)
from liuyu.web.reply import WebRequest, answers, send

_DEFAULT_SPAN = 10 * DAY
_LONGEST_RAW = 3700 * DAY
_LONGEST = 200 * 366 * DAY

Start = Annotated[
    str | None,
    QueryParameter(
        name="start",
        description="First moment, within; ISO 8601 with zone. 10 days before the end without it",
        schema_extra={"format": "date-time"},
    ),
]
End = Annotated[
    str | None,
    QueryParameter(
        name="end",
        description="Last moment, not within; ISO 8601 with zone. Just after the twin's present without it",
        schema_extra={"format": "date-time"},
    ),
]


@get(
    "/api/values",
    sync_to_thread=True,
    summary="The newest value of every series",
    description="The newest usable value of each station and quantity, as of a moment, in columns: `station` is the "
    "place in the roster (/api/basin), `quantity` its number there, `time` seconds UTC. With `Accept: "
    "application/octet-stream` the answer is binary: uint32 n, uint32 0, float64 time[n], float64 value[n], "
    "int32 station[n], int16 quantity[n], uint8 flag[n], little-endian.",
    responses=answers(ValueColumns, "Columns of equal length"),
    tags=["values"],
)
def get_values(request: WebRequest, desk: AtDesk, at: At = None) -> Response[bytes]:
    """The newest value of every series."""
    moment = None if at is None else moment_or("at", at, 0)
    return send_batch(request, desk.twin.store.latest(desk.twin.basin.roster, at=moment))


@get(
    "/api/series/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="One series",
    description="Every value of one quantity of one station in [start, end), with its quality flag (1 good, 2 not "
    "evaluated, 3 suspect, 4 bad, 9 missing), in the quantity's unit; binary like /api/values. With `step` the usable "
    "values are gathered by hour or day: time, count, minimum, maximum, mean.",
    responses=answers(SeriesColumns | RollupColumns, "Columns of equal length, by time [s UTC]", 404),
    tags=["values"],
)
def get_series(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    start: Start = None,
    end: End = None,
    step: Annotated[
        int | None,
        QueryParameter(
            name="step",
            description="Gather by hour (3600) or by day (86400) [s]",
            schema_extra={"enum": [HOUR, DAY]},
        ),
    ] = None,
) -> Response[bytes]:
    """One series, raw or gathered."""
    twin = desk.twin
    known_station(twin.basin, station)
    number = known_quantity(quantity)
    last = moment_or("end", end, desk.now + 1)
    first = moment_or("start", start, last - _DEFAULT_SPAN)
    interval_of(first, last, _LONGEST if step is not None else _LONGEST_RAW)
    if step is not None:
        if step not in (HOUR, DAY):
            raise BadInput(f"step={step} is not kept; give {HOUR} for hours or {DAY} for days")
        return send(request, rollup_of(twin.store.rollup(station, quantity, first, last, step)))
    series = twin.store.series(station, quantity, first, last)
    vary = {"Vary": "Accept, Accept-Encoding"}
    if wants_binary(request):
        return send(request, pack(_as_batch(desk, series, number)), media_type=BINARY, headers=vary)
    return send(request, series_of(series), headers=vary)


def _as_batch(desk: AtDesk, series: Series, number: int) -> Batch:
    roster = desk.twin.basin.roster
    count = len(series)
    return Batch(
        roster,
        np.full(count, roster.number[series.station], np.int32),
        np.full(count, number, np.int16),
        series.time,
        series.value,
        series.flag,
    )
