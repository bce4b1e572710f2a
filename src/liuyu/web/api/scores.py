"""How good the forecasts of the last weeks were, model by model: what was issued beside what has come since."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from litestar import Response, get
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR, epoch
from liuyu.basin.grading import find_profile
from liuyu.basin.records import Forecast
from liuyu.basin.series import Series
from liuyu.outlook.forecast import Judged, score
from liuyu.web.api.values import End, Start
from liuyu.web.desk import AtDesk
from liuyu.web.parameters import QuantityName, StationCode, interval_of, known_quantity, known_station, moment_or
from liuyu.web.reply import WebRequest, answers, send

Floats = NDArray[np.float64]
LEADS_H = (24, 48, 72, 120, 168, 240)
_AGE_H = 6
_DAYS = 30
_LONGEST = 92 * DAY


class ModelScore(msgspec.Struct, frozen=True, kw_only=True):
    """Scores of a model at a lead over some issues that can be judged by now [unit of the quantity].

    `rmse_persistence` is of the value at issue, over the same issues; `qr` [%], `dc` [1] and `grade` after GB/T 22482.
    """

    model: str
    lead_h: int
    n: int
    rmse: float
    bias: float
    rmse_persistence: float
    qr: float
    dc: float | None
    grade: str


@get(
    "/api/forecasts/{station:str}/{quantity:str}/scores",
    sync_to_thread=True,
    summary="How good recent forecasts were, by model",
    description="Every forecast of a series that was issued in [start, end) (without them the last thirty days) and "
    "has come since, held against what was observed: by model and lead, the combined forecast and what it is combined "
    "of. An issue counts where a value is known within six hours before it and in the hour that was forecast.",
    responses=answers(list[ModelScore], "A row for each model and lead", 404),
    tags=["forecasts"],
)
def get_scores(
    request: WebRequest,
    desk: AtDesk,
    station: StationCode,
    quantity: QuantityName,
    start: Start = None,
    end: End = None,
) -> Response[bytes]:
    """Scores of the forecasts of a series by model and lead."""
    known_station(desk.twin.basin, station)
    known_quantity(quantity)
    last = moment_or("end", end, desk.now + 1)
    first, last = interval_of(moment_or("start", start, last - _DAYS * DAY), last, _LONGEST)
    issued = [each for each in desk.twin.store.forecasts(first, last, station=station) if each.quantity == quantity]
    observed = desk.twin.store.series(station, quantity, first - DAY, last).usable()
    models = sorted({each.model for each in issued}, key=lambda name: (-_members(issued, name), name))
    rows = [
        _score([each for each in issued if each.model == name], observed, lead) for name in models for lead in LEADS_H
    ]
    return send(request, [each for each in rows if each is not None])


def _members(issued: Sequence[Forecast], model: str) -> int:
    return max(len(each.members) for each in issued if each.model == model)


def _score(issued: Sequence[Forecast], observed: Series, lead: int) -> ModelScore | None:
    """Scores of one model at a lead, None where nothing can be judged."""
    start = np.array([epoch(each.issued) for each in issued], np.int64)
    valid = start + lead * HOUR
    said = np.array([_mean_at(each, when) for each, when in zip(issued, valid.tolist(), strict=True)])
    came, now = _newest(observed, valid, 1), _newest(observed, start, _AGE_H)
    ok = np.isfinite(said) & np.isfinite(came) & np.isfinite(now)
    if not ok.any():
        return None
    first = issued[0]
    found = score(Judged(first.station, first.quantity, lead, said[ok, None], now[ok], came[ok]), find_profile())
    return ModelScore(
        model=first.model,
        lead_h=lead,
        n=found.n,
        rmse=round(found.rmse or 0.0, 4),
        bias=round(found.bias or 0.0, 4),
        rmse_persistence=round(found.rmse_persistence or 0.0, 4),
        qr=round(found.qr or 0.0, 1),
        dc=None if found.dc is None else round(found.dc, 4),
        grade=found.grade,
    )


def _mean_at(forecast: Forecast, when: int) -> float:
    """Mean of the members at a time, NaN where the forecast does not reach it."""
    place = int(np.searchsorted(forecast.time, when))
    inside = place < len(forecast.time) and forecast.time[place] == when
    return float(forecast.members[:, place].mean()) if inside else float("nan")


def _newest(observed: Series, when: NDArray[np.int64], hours: int) -> Floats:
    """The newest value within some hours up to each time: (n,) [unit], NaN where there is none."""
    if not len(observed):
        return np.full(len(when), np.nan)
    place = np.searchsorted(observed.time, when, side="right") - 1
    fresh = (place >= 0) & (when - observed.time[place] < hours * HOUR)
    return np.where(fresh, observed.value[place], np.nan)
