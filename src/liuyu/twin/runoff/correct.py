"""Correction by what the gauge said last: the error now tells of the errors to come.

For each lead on its own the error to come is regressed on the last errors and on how fast the simulated flow changes
(autoregression, fitted by least squares with a small penalty). Errors are those of the square root of the flow, which
are of one size at low and at high water. Which of several ways to correct is best at a lead is decided by the score of
the period of calibration alone, and written down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.runoff.scores import nse

Floats = NDArray[np.float64]
LAGS = 3
PENALTY = 1e-3


class Choice(msgspec.Struct, frozen=True):
    """The way chosen at a lead [steps]: its name, and the efficiency of each way in the period of calibration."""

    lead: int
    name: str
    calibration: dict[str, float]


def autoregressive(simulated: Floats, observed: Floats, leads: Sequence[int], period: slice) -> Floats:
    """Forecasts (leads, steps) [mm], each at the step it is for, from flow known up to `lead` steps before it.

    simulated: (steps,) or (models, steps) [mm]: of several models the mean is corrected, and each one's error is read;
    observed: (steps,) [mm], NaN where missing: the last error known then stands in; period: steps to learn from.
    NaN in the first steps. Raises BadInput where the period has too few observations.
    """
    each = np.atleast_2d(simulated)
    mean = np.sqrt(np.maximum(each.mean(axis=0), 0.0))
    root = np.sqrt(np.maximum(observed, 0.0))
    error = np.stack([_held(root - np.sqrt(np.maximum(one, 0.0))) for one in (each.mean(axis=0), *each)])
    if len(each) == 1:
        error = error[:1]
    out = np.full((len(leads), each.shape[1]), np.nan)
    for row, lead in enumerate(leads):
        features = _features(error, mean, lead)
        target = root - mean
        known = np.isfinite(features).all(axis=1) & np.isfinite(target)
        learn = np.zeros(len(target), bool)
        learn[period] = True
        learn &= known
        if learn.sum() < 100:
            raise BadInput(f"{learn.sum()} steps are too few to learn a correction from; give a year at least")
        weights = _ridge(features[learn], target[learn])
        there = np.isfinite(features).all(axis=1)
        out[row, there] = np.maximum(mean[there] + features[there] @ weights, 0.0) ** 2
    return out


def blended(ways: Sequence[Floats], observed: Floats, period: slice) -> Floats:
    """A regression of the flow's root on those of several ways' forecasts, each (leads, steps), learned in `period`."""
    out = np.full(ways[0].shape, np.nan)
    target = np.sqrt(np.maximum(observed, 0.0))
    for row in range(len(out)):
        roots = np.sqrt(np.maximum(np.stack([way[row] for way in ways], axis=1), 0.0))
        there = np.isfinite(roots).all(axis=1)
        known = there & np.isfinite(target)
        learn = np.flatnonzero(known[period]) + (period.start or 0)
        mean = roots.mean(axis=1)
        apart = roots - mean[:, None]
        weights = _ridge(apart[learn], (target - mean)[learn])
        out[row, there] = np.maximum(mean[there] + apart[there] @ weights, 0.0) ** 2
    return out


def choose(
    ways: Mapping[str, Floats], observed: Floats, leads: Sequence[int], period: slice
) -> tuple[Floats, tuple[Choice, ...]]:
    """The forecasts (leads, steps) of the way that scores best in `period` at each lead, and what was chosen.

    ways: forecasts (leads, steps) by name; observed: (steps,), NaN where missing.
    """
    out, choices = np.empty((len(leads), len(observed))), []
    for row, lead in enumerate(leads):
        there = np.isfinite(observed[period])
        for forecast in ways.values():
            there &= np.isfinite(forecast[row, period])
        score = {
            name: round(float(nse(forecast[row, period][there], observed[period][there])), 4)
            for name, forecast in ways.items()
        }
        best = max(score, key=lambda name: score[name])
        out[row] = ways[best][row]
        choices.append(Choice(lead, best, score))
    return out, tuple(choices)


def _held(error: Floats) -> Floats:
    """The last error known, fading by a tenth a step where none is."""
    out, last = np.empty_like(error), 0.0
    for at, value in enumerate(error):
        last = 0.9 * last if np.isnan(value) else float(value)
        out[at] = last
    return out


def _features(error: Floats, mean: Floats, lead: int) -> Floats:
    """What is known `lead` steps before each step, and the change that is simulated since: (steps, features)."""
    columns = []
    for lag in range(LAGS):
        for one in error if lag == 0 else error[:1]:
            columns.append(_later(one, lead + lag))
    rise = mean - _later(mean, lead)
    columns += [np.maximum(rise, 0.0), np.minimum(rise, 0.0), columns[0] * rise]
    return np.stack(columns, axis=1)


def _later(values: Floats, steps: int) -> Floats:
    out = np.full(len(values), np.nan)
    out[steps:] = values[: len(values) - steps]
    return out


def _ridge(x: Floats, y: Floats) -> Floats:
    """Least squares through the origin, each feature scaled to one, with a penalty."""
    scale = np.sqrt((x * x).mean(axis=0)) + 1e-12
    z = x / scale
    return np.asarray(np.linalg.solve(z.T @ z + PENALTY * len(z) * np.eye(z.shape[1]), z.T @ y) / scale)
