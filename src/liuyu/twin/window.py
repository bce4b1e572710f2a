"""The recent past as a table: every series hour by hour up to a moment, spikes out, gaps closed, and what was missing.

Everything that the twin knows of the present comes through here, and nothing later than the moment does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.twin.model import Model

_HALF = 6


@dataclass(frozen=True, slots=True)
class Window:
    """Hourly values up to `now` [s UTC]. value: (series, hours) [unit], no gaps; age: (series,) hours since the last
    real value, `hours` where there was none at all; seen: (series,) share of hours with a real value."""

    now: int
    value: NDArray[np.float64]
    age: NDArray[np.float64]
    seen: NDArray[np.float64]


def table(batch: Batch, now: int, model: Model, hours: int | None = None) -> NDArray[np.float64]:
    """Usable observations at or before `now` as (series, hours + 1) [unit], NaN where there was none.

    Column k holds the newest value of the hour that ends at now - (hours - k) hours; `hours` are the model's history_h
    where not given.
    """
    hours = model.history_h if hours is None else hours
    out = np.full((len(model.series), hours + 1), np.nan)
    place_of = np.full((len(batch.roster), 32), -1, np.int64)
    for place, series in enumerate(model.series):
        number = batch.roster.number.get(series.station)
        if number is not None:
            place_of[number, quantity(series.quantity).number] = place
    keep = batch.usable()
    keep = keep.take((keep.time <= now) & (keep.time > now - (hours + 1) * HOUR))
    row = place_of[keep.station, keep.quantity]
    column = hours - (now - keep.time) // HOUR
    out[row[row >= 0], column[row >= 0]] = keep.value[row >= 0]
    return out


def complete(raw: NDArray[np.float64], now: int, model: Model) -> Window:
    """Spikes out, gaps closed: straight lines within, the last value held at the end, absent series from the others."""
    raw = raw.copy()
    lower = np.array([each.lower for each in model.series])[:, None]
    upper = np.array([each.upper for each in model.series])[:, None]
    spike = np.array([each.spike for each in model.series])[:, None]
    raw[(raw < lower) | (raw > upper)] = np.nan
    filled = _close(raw)
    odd = np.abs(filled - running_median(filled)) > spike
    raw[odd] = np.nan
    filled = _close(raw)
    real = np.isfinite(raw)
    length = raw.shape[1]
    age = np.where(real.any(axis=1), np.argmax(real[:, ::-1], axis=1), length).astype(np.float64)
    absent = age == length
    if absent.any():
        filled[absent] = _from_others(filled, absent, model)
    return Window(now, filled, age, real.mean(axis=1))


def _close(raw: NDArray[np.float64]) -> NDArray[np.float64]:
    out = raw.copy()
    hours = np.arange(raw.shape[1])
    for row in out:
        real = np.isfinite(row)
        if real.any() and not real.all():
            row[~real] = np.interp(hours[~real], hours[real], row[real])
    return out


def running_median(filled: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of 13 h around each hour, the ends mirrored: (series, hours) without gaps, to the same."""
    padded = np.pad(filled, ((0, 0), (_HALF, _HALF)), mode="reflect")
    stacked = np.lib.stride_tricks.sliding_window_view(padded, 2 * _HALF + 1, axis=1)
    return np.asarray(np.partition(stacked, _HALF, axis=2)[:, :, _HALF], np.float64)


def _from_others(filled: NDArray[np.float64], absent: NDArray[np.bool_], model: Model) -> NDArray[np.float64]:
    """The conditional mean of absent series, hour by hour, given the others and the correlations of the archive."""
    mean = np.array([each.mean for each in model.series])[:, None]
    spread = np.array([each.spread for each in model.series])[:, None]
    here = ~absent
    if not here.any() or not model.correlation:
        return np.broadcast_to(mean, filled.shape)[absent]
    correlation = np.array(model.correlation)
    inner = correlation[np.ix_(here, here)] + 0.02 * np.eye(int(here.sum()))
    weights = np.linalg.solve(inner, correlation[np.ix_(here, absent)])
    normal = weights.T @ ((filled - mean) / spread)[here]
    return np.asarray(mean[absent] + spread[absent] * normal, np.float64)
