"""Calibration of one sub-basin: parameters from a period with observed runoff, scored on another.

What is minimised is one less a weighted mean of three efficiencies: of the flow (floods), of its square root (all
flows alike), and Kling-Gupta (volume and variability). Days without observation count in none of them.

Shuffled complexes search the whole range, and covariance matrix adaptation goes on from the best point: alone, the
complexes settle before they are at the floor of a long valley. The stores are filled by running the first years once
before the run that is scored, so that no period loses a warm-up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.runoff.cmaes import polish
from liuyu.twin.runoff.models import BEFORE, WITHOUT_TEMPERATURE, RunoffModel
from liuyu.twin.runoff.run import Forcing, simulate
from liuyu.twin.runoff.sceua import minimise
from liuyu.twin.runoff.scores import Scores, kge, nse, score

Floats = NDArray[np.float64]
WARM_UP = 3 * 365  # [d] that fill the stores beforehand
EVALUATIONS = 6_000  # runs of a calibration, where nothing else is said
SHARE = 0.4  # of the evaluations for the global search; the rest polishes what it found
POWER = 4.0  # by which a model's error counts in a mean of models; found by splitting calibration periods in two
WEIGHTS = (0.6, 0.2, 0.2)  # of the efficiencies of flow, of its root, and of Kling-Gupta


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model with the parameters found: a row in the order of `model.parameters`, and how the search went."""

    model: RunoffModel
    parameters: Floats
    seed: int
    evaluations: int
    objective: float

    def named(self) -> dict[str, float]:
        """Parameters by name."""
        return {each.name: float(value) for each, value in zip(self.model.parameters, self.parameters, strict=True)}


class Both(msgspec.Struct, frozen=True):
    """Scores of the calibration and of the validation period."""

    calibration: Scores
    validation: Scores


def fit(
    model: RunoffModel,
    forcing: Forcing,
    observed: Floats,
    period: slice,
    *,
    seed: int = 1,
    evaluations: int = EVALUATIONS,
    tell: Callable[[float], None] = lambda _: None,
) -> Fitted:
    """Search the parameters of a model for one row of forcing; nothing after the period's end is looked at.

    observed: (steps,) runoff [mm], NaN where missing; period: days that count, others only fill the stores.
    Raises BadInput where the period has under a year of observed days, or under ninety days of observed hours.
    """
    known = forcing.between(0, period.stop)
    truth = np.full(period.stop, np.nan)
    truth[period] = observed[period]
    there = np.flatnonzero(np.isfinite(truth))
    enough(model, len(there))
    target = truth[there]
    search = Search(model, snow=forcing.temperature is not None)

    def objective(points: Floats) -> Floats:
        return misfit(warmed(model, known, search.rows(points))[:, there], target)

    first = int(SHARE * evaluations)
    rough = minimise(objective, search.size, seed, evaluations=first, tell=lambda share: tell(SHARE * share))
    found = polish(
        objective,
        rough.best,
        seed,
        evaluations=evaluations - rough.evaluations,
        tell=lambda share: tell(SHARE + (1.0 - SHARE) * share),
    )
    return Fitted(model, search.rows(found.best[None])[0], seed, rough.evaluations + found.evaluations, found.value)


def enough(model: RunoffModel, observed: int) -> None:
    """Raises BadInput where a period has too few observed steps for a model: a year of days, ninety days of hours."""
    if model.step_h == 24 and observed < 365:
        raise BadInput(f"{observed} observed days are too few to calibrate on; give a year at least")
    if model.step_h < 24 and observed < 90 * 24:
        raise BadInput(f"{observed} observed hours are too few to calibrate on; give ninety days at least")


def misfit(simulated: Floats, observed: Floats) -> Floats:
    """What is minimised: 1 - weighted mean of efficiencies; (sets, days) against (days,) gives (sets,)."""
    root = nse(np.sqrt(np.maximum(simulated, 0.0)), np.sqrt(observed))
    parts = (nse(simulated, observed), root, kge(simulated, observed))
    return np.asarray(1.0 - sum(weight * part for weight, part in zip(WEIGHTS, parts, strict=True)))


def warmed(model: RunoffModel, forcing: Forcing, parameters: Floats, *, known: int | None = None) -> Floats:
    """Runoff (n, steps) [mm] of parameter sets on one row of forcing, its stores filled by the first years.

    known: steps at the most that may fill them, those up to the end of a calibration for one.
    """
    steps = min(WARM_UP * 24 // model.step_h, forcing.precipitation.shape[1] if known is None else known)
    _, state = simulate(model, forcing.between(0, steps), parameters)
    return simulate(model, forcing, parameters, state=state)[0]


def both(simulated: Floats, observed: Floats, calibration: slice, validation: slice) -> Both:
    """Scores of a simulated series (steps,) in both periods."""
    return Both(
        calibration=score(simulated[calibration], observed[calibration]),
        validation=score(simulated[validation], observed[validation]),
    )


def weights_of(members: Sequence[Floats], observed: Floats, period: slice) -> Floats:
    """Weights of several models' runoff, (models,), sum 1: mean square error in a period to the power -POWER."""
    there = np.isfinite(observed[period])
    error = np.array([((each[period] - observed[period])[there] ** 2).mean() for each in members])
    weight = (np.maximum(error, 1e-12) / error.max()) ** -POWER
    return np.asarray(weight / weight.sum())


def mean_of(members: Sequence[Floats], weights: Floats) -> Floats:
    """The weighted mean of several models' runoff, each (steps,); weights: (models,), sum 1."""
    return np.asarray(weights @ np.stack(members))


class Search:
    """From the unit cube of the parameters that are free to rows of all parameters."""

    def __init__(self, model: RunoffModel, *, snow: bool) -> None:
        self.parameters = model.parameters
        self.low = np.array([each.low for each in self.parameters])
        self.high = np.array([each.high for each in self.parameters])
        if not snow:
            self.low[2:BEFORE] = self.high[2:BEFORE] = WITHOUT_TEMPERATURE
        self.free = np.flatnonzero(self.high > self.low)
        self.size = len(self.free)

    def rows(self, points: Floats) -> Floats:
        """Points (n, size) of the cube as parameters (n, count)."""
        out = np.tile(self.low, (len(points), 1))
        for place, column in enumerate(self.free):
            low, high, x = self.low[column], self.high[column], points[:, place]
            out[:, column] = low * (high / low) ** x if self.parameters[column].logarithmic else low + (high - low) * x
        return out
