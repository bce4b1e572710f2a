"""Training: from the issues of an archive and the routed forecasts of years left out, to a model and its spread."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.twin.learned.combine import combine
from liuyu.twin.learned.features import Recipe, Target, features
from liuyu.twin.learned.fit import fit_all
from liuyu.twin.learned.model import ROOM, Learned, standardise

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
NEAR, MEMBERS = 153, 51
_DAILY_H = 24
_FEWEST = 400
_WIDE = (0.6, 2.0)
_STEPS = 8000.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learned from, over n issues. value: (n, series, hours) as it stood at issue; now: (n,) [s UTC];
    year: (n,); truth and routed: (n, series, leads) [unit], NaN where unknown; regime: (n, r); train: issues
    that may be learned from, season: those of them that are judged."""

    series: tuple[Target, ...]
    value: NDArray[np.float32]
    now: NDArray[np.int64]
    year: NDArray[np.int64]
    truth: Floats
    routed: Floats
    regime: Floats
    train: Mask
    season: Mask


@dataclass(frozen=True, slots=True)
class Trained:
    """The model, and what years left out say of it: learned, out (n, targets, leads) before and after combination;
    low, high: 80 % interval of the error of each issue in `judged`."""

    model: Learned
    learned: Floats
    out: Floats
    judged: NDArray[np.int64]
    low: Floats
    high: Floats


def train(recipe: Recipe, lessons: Lessons) -> Trained:
    """Learn every series at the leads of the recipe. Every year is forecast by models of the other years."""
    here = lessons.value[:, :, -1].astype(np.float64)
    recipe = _ranged(recipe, here, lessons)
    x = np.concatenate([
        features(lessons.value[each].astype(np.float64), lessons.now[each], lessons.series, recipe)
        for each in np.array_split(np.arange(len(here)), max(len(here) // 500, 1))
    ])  # fmt: skip
    z, scale = standardise(x)
    change = lessons.truth - here[:, :, None]
    seen = np.where(lessons.train[:, None, None], change, np.nan)
    seen[:, np.isfinite(seen).sum(axis=(0, 2)) < _FEWEST * len(recipe.leads_h)] = np.nan
    kept: Mask = np.asarray(np.isfinite(seen).any(axis=(0, 2)), np.bool_)
    weights, guess = fit_all(z, seen[:, kept], lessons.year, recipe.penalties(len(lessons.series)))
    least, most = np.nanmin(seen[:, kept], axis=0), np.nanmax(seen[:, kept], axis=0)
    room = ROOM * (most - least)
    guess = np.clip(guess, least - room, most + room) + here[:, kept, None]
    both = combine(guess, lessons.routed[:, kept], lessons.truth[:, kept], lessons.season)
    error = lessons.truth[:, kept] - both.out
    library = _library(error, lessons)
    wide, low, high = _widen(error, library, lessons)
    unit = np.maximum(np.abs(error[library]).max(axis=(0, 2)), 1e-6) / _STEPS
    model = Learned(
        recipe=recipe, series=lessons.series,
        targets=tuple(each for each, keep in zip(lessons.series, kept, strict=True) if keep),
        weights=weights, routed=both.weight, change=np.stack([least - room, most + room], axis=2),
        error=np.round(error[library] / unit[:, None]).astype(np.int16), regime=lessons.regime[library],
        wide=wide, unit=unit, **scale,
    )  # fmt: skip
    return Trained(model, guess, both.out, np.flatnonzero(lessons.season)[:: _every(lessons)], low, high)


def _ranged(recipe: Recipe, here: Floats, lessons: Lessons) -> Recipe:
    def bounds(station: str) -> tuple[float, float]:
        row = here[lessons.train, lessons.series.index((station, "water_level"))]
        return round(float(row.mean()), 3), round(max(float(row.std()), 0.01), 3)

    tidal = bounds(recipe.tidal) if recipe.tidal else recipe.tidal_range
    return replace(recipe, pivot_range=bounds(recipe.pivot), tidal_range=tidal)


def _every(lessons: Lessons) -> int:
    """Issues of the season between one and the next of those a day apart."""
    step = int(np.median(np.diff(lessons.now))) // 3600
    return max(_DAILY_H // max(step, 1), 1)


def _library(error: Floats, lessons: Lessons) -> NDArray[np.int64]:
    """Issues of the season, one a day, of which every error is known or can be taken as none."""
    rows = np.flatnonzero(lessons.season)[:: _every(lessons)]
    known = np.isfinite(error[rows]).mean(axis=(1, 2)) > 0.9
    error[rows] = np.where(np.isfinite(error[rows]), error[rows], 0.0)
    return np.asarray(rows[known], np.int64)


def _widen(error: Floats, library: NDArray[np.int64], lessons: Lessons) -> tuple[Floats, Floats, Floats]:
    """Factors that make the 80 % interval hold 80 % in years left out, and the intervals themselves with them.

    The interval of an issue is that of errors made in other years while the river stood alike. The factor is the share
    of itself within which 80 % of the errors lie: a conformal correction (Romano et al. 2019, NeurIPS 32).
    """
    rows = np.flatnonzero(lessons.season)[:: _every(lessons)]
    low, high = (np.empty((len(rows), *error.shape[1:])) for _ in range(2))
    for number, row in enumerate(rows):
        other = library[lessons.year[library] != lessons.year[row]]
        other = other if len(other) else library
        close = near(lessons.regime[other], lessons.regime[row], NEAR)
        dice = np.random.Generator(np.random.PCG64(int(lessons.now[row])))
        pool = error[other[dice.choice(close, MEMBERS, replace=len(close) < MEMBERS)]]
        low[number], high[number] = np.quantile(pool - pool.mean(axis=0), [0.1, 0.9], axis=0)
    part = np.where(error[rows] > 0.0, error[rows] / np.maximum(high, 1e-9), error[rows] / np.minimum(low, -1e-9))
    wide = np.clip(np.nanquantile(part, 0.8, axis=0), *_WIDE)
    return wide, low * wide, high * wide


def near(regimes: Floats, regime: Floats, count: int) -> NDArray[np.int64]:
    """Places of the regimes that lie nearest to one: regimes (n, r), regime (r,)."""
    apart = (((regimes - regime) / (regimes.std(axis=0) + 1e-9)) ** 2).sum(axis=1)
    return np.asarray(np.argsort(apart, kind="stable")[:count], np.int64)
