"""Forecasts: the fan of the newest, and how earlier issues saw the same future."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import msgspec
import numpy as np
from litestar import Response, get
from litestar.params import QueryParameter
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.errors import NotFound
from liuyu.basin.places import Basin, Threshold
from liuyu.basin.quantities import quantity as quantity_of
from liuyu.basin.records import Forecast, Provenance
from liuyu.web.api.values import End, Start
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
from liuyu.web.reply import WebRequest, answers, send, utc

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_LONGEST = 92 * DAY


class Chance(msgspec.Struct, frozen=True):
    """The share of members [0, 1] that have crossed a threshold by each time, at any time so far."""

    threshold: str
    value: float
    chance: list[float]


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast as quantiles of its members [unit of the quantity] over time [s UTC]."""

    station: str
    quantity: str
    issued: datetime
    model: str
    time: list[int]
    quantiles: Mapping[str, list[float]]
    chances: list[Chance]
    drivers: Mapping[str, Any]
    provenance: Provenance


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """The median of one issue [unit of the quantity] over time [s UTC]."""

    issued: datetime
    model: str
    time: list[int]
    median: list[float]


@get(
    "/api/forecast/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="The forecast of a series",
    description="The newest forecast issued at or before a moment, as quantiles, with the chance of crossing each "
    "threshold by each time, what drives it, and the code and inputs that made it. 404 where there is none.",
    responses=answers(Fan, "The forecast", 404),
    tags=["forecasts"],
)
def get_forecast(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    at: At = None,
    model: Annotated[str | None, QueryParameter(name="model", description="Of this model alone", max_length=64)] = None,
) -> Response[bytes]:
    """The newest forecast of a series."""
    known_station(desk.twin.basin, station)
    known_quantity(quantity)
    moment = moment_or("at", at, desk.now)
    found = desk.twin.store.forecast(station, quantity, at=moment, model=model)
    if found is None:
        by = f" by model {model!r}" if model else ""
        raise NotFound(f"no forecast of {quantity} at {station}{by} so far; ask for a later moment or another station")
    return send(request, fan_of(found, desk.twin.basin))


@get(
    "/api/forecasts/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="Earlier issues of the forecast",
    description="The median of every forecast of a series that was issued in [start, end), oldest first.",
    responses=answers(list[Issue], "Issues by time", 404),
    tags=["forecasts"],
)
def get_forecasts(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    start: Start = None,
    end: End = None,
) -> Response[bytes]:
    """Every issue of a series' forecast."""
    known_station(desk.twin.basin, station)
    known_quantity(quantity)
    last = moment_or("end", end, desk.now + 1)
    first, last = interval_of(moment_or("start", start, last - 10 * DAY), last, _LONGEST)
    found = desk.twin.store.forecasts(first, last, station=station)
    return send(request, [_issue_of(each) for each in found if each.quantity == quantity])


def fan_of(forecast: Forecast, basin: Basin) -> Fan:
    """A forecast as its quantiles and chances."""
    decimals = quantity_of(forecast.quantity).decimals
    rows = np.round(forecast.quantile(QUANTILES), decimals)
    day = forecast.issued.astimezone(basin.zone).date()
    lines = basin.thresholds_of(forecast.station, forecast.quantity, day)
    return Fan(
        station=forecast.station,
        quantity=forecast.quantity,
        issued=utc(forecast.issued),
        model=forecast.model,
        time=forecast.time.tolist(),
        quantiles={f"{level:g}": row.tolist() for level, row in zip(QUANTILES, rows, strict=True)},
        chances=[Chance(line.kind, line.value, _chance(forecast, line).tolist()) for line in lines],
        drivers=forecast.drivers,
        provenance=forecast.provenance,
    )


def _chance(forecast: Forecast, line: Threshold) -> NDArray[np.float64]:
    if line.side == "above":
        return np.round(forecast.chance_above(line.value), 4)
    below = np.maximum.accumulate(forecast.members < line.value, axis=1)
    return np.asarray(np.round(below.mean(axis=0), 4), np.float64)


def _issue_of(forecast: Forecast) -> Issue:
    median = np.round(forecast.quantile(0.5), quantity_of(forecast.quantity).decimals)
    return Issue(issued=utc(forecast.issued), model=forecast.model, time=forecast.time.tolist(), median=median.tolist())
