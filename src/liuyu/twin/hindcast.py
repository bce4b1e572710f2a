"""Forecasts issued again over an archive, each from nothing later than its time of issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR
from liuyu.twin.archive import Archive
from liuyu.twin.correct import correction_features
from liuyu.twin.course import drivers_ahead, flow_on, to_series
from liuyu.twin.model import Regression
from liuyu.twin.present import Plumbing, Present, present
from liuyu.twin.river import regime_of
from liuyu.twin.window import complete

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Issues:
    """Presents at many times of issue. place: (n,) hour of the archive; features: (n, k)."""

    place: NDArray[np.int64]
    presents: tuple[Present, ...]
    features: Floats


@dataclass(frozen=True, slots=True)
class Hindcast:
    """Routed forecasts: base (n, series, leads) [unit]; features (n, series, k) of the correction; regime (n, r)."""

    base: Floats
    features: NDArray[np.float32]
    regime: Floats


def issues(archive: Archive, plumbing: Plumbing, step_h: int, laws: bool = True) -> Issues:
    """The present at whole multiples of `step_h` hours UTC, where no more than a tenth of the series are silent."""
    history = plumbing.model.history_h
    places, found = [], []
    for place in range(history, archive.value.shape[1]):
        if archive.time[place] % (step_h * HOUR):
            continue
        raw = archive.value[:, place - history : place + 1]
        if np.isfinite(raw[:, -25:]).any(axis=1).mean() < 0.9:
            continue
        window = complete(raw, int(archive.time[place]), plumbing.model)
        if (window.age > 24).mean() > 0.1:
            continue
        places.append(place)
        found.append(present(window, plumbing, laws))
    return Issues(np.array(places), tuple(found), np.stack([each.features for each in found]))


def hindcast(
    known: Issues, plumbing: Plumbing, drivers: Callable[[int], Regression | None], rows: NDArray[np.int64]
) -> Hindcast:
    """Route every issue with the drivers' regression that may be used for it; rows: the series that are corrected."""
    model = plumbing.model
    leads = np.array(model.leads_h) - 1
    base = np.empty((len(known.place), len(model.series), len(leads)))
    features, regimes = [], []
    for number, here in enumerate(known.presents):
        course = flow_on(here, plumbing, drivers_ahead(here, plumbing, drivers(number)))
        series = to_series(course, here, plumbing)
        base[number] = series[:, leads]
        features.append(correction_features(here, series, rows, model).astype(np.float32))
        regimes.append(regime_of(here, plumbing))
    return Hindcast(base, np.stack(features), np.stack(regimes))


def at_leads(value: Floats, place: NDArray[np.int64], leads: tuple[int, ...]) -> Floats:
    """What was observed at each lead after each issue: (n, series, leads), NaN beyond the archive or in gaps."""
    hours = value.shape[1]
    out = np.full((len(place), value.shape[0], len(leads)), np.nan)
    for number, lead in enumerate(leads):
        later = place + lead
        inside = later < hours
        out[inside, :, number] = value[:, later[inside]].T
    return out
