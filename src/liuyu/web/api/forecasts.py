"""Forecasts: the fan of the newest, and how earlier issues saw the same future."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
from litestar import Response, get
from litestar.params import QueryParameter
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.errors import NotFound
from liuyu.basin.places import Basin, Threshold
from liuyu.basin.quantities import quantity as quantity_of
from liuyu.basin.records import Forecast, Provenance, leading
from liuyu.outlook.warn import Tally, WarningRules, crest, crossing, read_warning_rules, tally
from liuyu.store.interface import Store
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

OfModel = Annotated[str | None, QueryParameter(name="model", description="Of this model alone", max_length=64)]
QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_LONGEST = 92 * DAY


class When(msgspec.Struct, frozen=True):
    """A time with the range in which 80 % of the members concerned lie."""

    start: datetime
    median: datetime
    end: datetime


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """The chance above which a notice of a rule goes out: cost / loss of the action that it triggers."""

    rule: str
    severity: str
    limit: float
    horizon_h: int
    action: Mapping[str, str]


class Chance(msgspec.Struct, frozen=True, kw_only=True):
    """How likely a threshold is crossed, and when.

    `chance`: share of members [0, 1] beyond it by each time of the forecast, at any time so far; `leads`: the same by
    hours after the issue. `crossing` is over the members that cross, null where none does. `limits`: the rules on it.
    """

    threshold: str
    value: float
    side: str
    chance: list[float]
    leads: Mapping[str, float]
    crossing: When | None
    limits: list[Limit]


class Peak(msgspec.Struct, frozen=True, kw_only=True):
    """The highest value of each member: height [unit of the quantity] and time, each as median with its 80 % range.

    `open`: share of members that are highest at the very end, whose peak is yet to come.
    """

    low: float
    median: float
    high: float
    time: When
    open: float


class AtIssue(msgspec.Struct, frozen=True):
    """The last usable value before the issue [unit of the quantity]: what persistence forecasts."""

    time: datetime
    value: float


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """The median of one issue [unit of the quantity] over time [s UTC]."""

    issued: datetime
    model: str
    time: list[int]
    median: list[float]


class Fan(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast as quantiles of its members [unit of the quantity] over time [s UTC]."""

    station: str
    quantity: str
    issued: datetime
    model: str
    time: list[int]
    quantiles: Mapping[str, list[float]]
    chances: list[Chance]
    peak: Peak
    at_issue: AtIssue | None
    others: list[Issue]
    drivers: Mapping[str, Any]
    provenance: Provenance


@get(
    "/api/forecast/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="The forecast of a series",
    description="The newest forecast issued at or before a moment, as quantiles, with the chance of crossing each "
    "threshold by each time and lead, when it is crossed, the peak, what drives it, the value at issue (persistence), "
    "the medians of other models at the same issue, and the code and inputs that made it. 404 where there is none.",
    responses=answers(Fan, "The forecast", 404),
    tags=["forecasts"],
)
def get_forecast(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    at: At = None,
    model: OfModel = None,
) -> Response[bytes]:
    """The newest forecast of a series."""
    known_station(desk.twin.basin, station)
    known_quantity(quantity)
    found = desk.twin.store.forecast(station, quantity, at=moment_or("at", at, desk.now), model=model)
    if found is None:
        by = f" by model {model!r}" if model else ""
        raise NotFound(f"no forecast of {quantity} at {station}{by} so far; ask for a later moment or another station")
    return send(request, fan_of(found, desk.twin.basin, desk.twin.store))


@get(
    "/api/forecasts/{station:str}/{quantity:str}",
    sync_to_thread=True,
    summary="Earlier issues of the forecast",
    description="The median of every forecast of a series that was issued in [start, end), oldest first: the one that "
    "was issued to all, or those of a model that it was combined of.",
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
    model: OfModel = None,
) -> Response[bytes]:
    """Every issue of a series' forecast."""
    known_station(desk.twin.basin, station)
    known_quantity(quantity)
    last = moment_or("end", end, desk.now + 1)
    first, last = interval_of(moment_or("start", start, last - 10 * DAY), last, _LONGEST)
    found = desk.twin.store.forecasts(first, last, station=station)
    kept = leading(found) if model is None else [each for each in found if each.model == model]
    return send(request, [_issue_of(each) for each in kept if each.quantity == quantity])


@get(
    "/api/notices/tally",
    sync_to_thread=True,
    summary="How notices stood the test",
    description="Hits, misses (with or without a notice before) and false alarms by station and threshold up to a "
    "moment, with probability of detection, false alarm ratio, critical success index and lead times [h].",
    responses=answers(list[Tally], "A row for each line that was judged", 404),
    tags=["forecasts"],
)
def get_tally(
    request: WebRequest,
    desk: AtDesk,
    station: Annotated[str, QueryParameter(name="station", max_length=64, description="Of this station alone")] = "",
    at: At = None,
) -> Response[bytes]:
    """The contingency table of the notices."""
    if station:
        known_station(desk.twin.basin, station)
    end = moment_or("at", at, desk.now) + 1
    return send(request, list(tally(desk.twin.store.events(kinds=["notice"], end=end), station)))


def fan_of(forecast: Forecast, basin: Basin, store: Store) -> Fan:
    """A forecast as its quantiles, its chances and its peak, beside persistence and other models."""
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
        chances=[_chance_of(forecast, line, basin) for line in lines],
        peak=_peak_of(forecast, decimals),
        at_issue=_at_issue(forecast, store),
        others=_others(forecast, store),
        drivers=forecast.drivers,
        provenance=forecast.provenance,
    )


def _chance_of(forecast: Forecast, line: Threshold, basin: Basin) -> Chance:
    horizon = int(forecast.time[-1] - epoch(forecast.issued)) // HOUR
    found = crossing(forecast, line.value, horizon_h=horizon, side=line.side)
    return Chance(
        threshold=line.kind,
        value=line.value,
        side=line.side,
        chance=_chance(forecast, line).tolist(),
        leads={str(lead): round(chance, 4) for lead, chance in found.chances},
        crossing=None if found.times is None else _when(found.times),
        limits=[
            Limit(
                rule=each.name,
                severity=step.severity,
                limit=round(step.limit, 4),
                horizon_h=each.horizon_h,
                action=step.action,
            )
            for each in _rules(basin).rules
            if each.threshold == line.kind
            and not each.near
            and (not each.quantities or line.quantity in each.quantities)
            and (not each.stations or line.station in each.stations)
            for step in each.steps
        ],
    )


def _chance(forecast: Forecast, line: Threshold) -> NDArray[np.float64]:
    if line.side == "above":
        return np.round(forecast.chance_above(line.value), 4)
    below = np.maximum.accumulate(forecast.members < line.value, axis=1)
    return np.asarray(np.round(below.mean(axis=0), 4), np.float64)


def _peak_of(forecast: Forecast, decimals: int) -> Peak:
    found = crest(forecast)
    low, median, high = (round(each, decimals) for each in found.heights)
    return Peak(low=low, median=median, high=high, time=_when(found.times), open=round(found.open, 4))


def _when(times: tuple[int, int, int]) -> When:
    return When(*(moment(each) for each in times))


def _at_issue(forecast: Forecast, store: Store) -> AtIssue | None:
    """The last usable value of the day before the issue."""
    issued = epoch(forecast.issued)
    before = store.series(forecast.station, forecast.quantity, issued - DAY, issued + 1).usable()
    return AtIssue(moment(int(before.time[-1])), float(before.value[-1])) if len(before) else None


def _others(forecast: Forecast, store: Store) -> list[Issue]:
    """Other models that forecast the same series at the same time."""
    issued = epoch(forecast.issued)
    found = store.forecasts(issued, issued + 1, station=forecast.station)
    return [_issue_of(each) for each in found if each.quantity == forecast.quantity and each.model != forecast.model]


_RULES: dict[tuple[str, tuple[str, ...]], WarningRules] = {}


def _rules(basin: Basin) -> WarningRules:
    """The notice rules of a basin, read once."""
    key = (basin.folder, tuple(basin.notice_files))
    if key not in _RULES:
        _RULES[key] = read_warning_rules([Path(basin.folder) / each for each in basin.notice_files], basin)
    return _RULES[key]


def _issue_of(forecast: Forecast) -> Issue:
    median = np.round(forecast.quantile(0.5), quantity_of(forecast.quantity).decimals)
    return Issue(issued=utc(forecast.issued), model=forecast.model, time=forecast.time.tolist(), median=median.tolist())
