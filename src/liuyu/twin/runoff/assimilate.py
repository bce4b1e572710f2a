"""Ensemble Kalman filter: what the gauge says moves the stores of a model, and the forecast starts from there.

Members differ in their rain, evaporation and stores. A store whose members go with the simulated runoff is moved by its
regression on it; one that has nothing to do with it stays. A store is never moved beyond what it held in the open run
over the period of calibration, and snow is left alone.

[1] Evensen G. (1994) Sequential data assimilation with a nonlinear quasi-geostrophic model. J. Geophys. Res. 99.
[2] Moradkhani H. et al. (2005) Dual state-parameter estimation of hydrological models. Adv. Water Resour. 28.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.twin.runoff.models import RunoffModel
from liuyu.twin.runoff.run import Forcing, RunoffState, begin, simulate

Floats = NDArray[np.float64]


class Noise(msgspec.Struct, frozen=True):
    """How unsure each thing is, as standard deviations.

    rain, pet, stores: of the value itself [1]; gauge: of the observed flow [1], and least [share of the mean flow].
    """

    rain: float = 0.4
    pet: float = 0.2
    stores: float = 0.02
    gauge: float = 0.1
    least: float = 0.02


def assimilated(
    model: RunoffModel,
    parameters: Floats,
    forcing: Forcing,
    observed: Floats,
    leads: Sequence[int],
    period: slice,
    *,
    members: int = 48,
    noise: Noise = Noise(),  # noqa: B008 - frozen
    seed: int = 1,
    warm: int = 1095,
    tell: Callable[[float], None] = lambda _: None,
) -> Floats:
    """Forecasts (leads, steps) [mm], each at the step it is for, from flow known up to `lead` steps before it.

    observed: (steps,) [mm], NaN where missing: the filter then goes on without; period: of calibration, whose open run
    bounds the stores and whose mean flow scales `noise.least`; the rain of the steps ahead is taken as known. NaN where
    no forecast was issued.
    """
    steps, furthest = len(observed), max(leads)
    draw = np.random.default_rng(seed)
    own = np.repeat(parameters[None], members, axis=0)
    _, state = simulate(model, forcing.between(0, min(warm, steps)), own[:1], state=begin(model, own[:1]))
    low, high = _bounds(model, forcing.between(0, period.stop), own[:1], state)
    state = RunoffState(np.repeat(state.snow, members, axis=0), np.repeat(state.stores, members, axis=0))
    floor = noise.least * float(np.nanmean(observed[period]))
    out = np.full((len(leads), steps), np.nan)
    for at in range(steps):
        ahead = forcing.between(at, min(at + 1 + furthest, steps))
        flow, state = simulate(model, _shaken(ahead.between(0, 1), members, noise, draw), own, state=state)
        stores = state.stores * (1.0 + noise.stores * draw.standard_normal(state.stores.shape))
        if np.isfinite(observed[at]):
            error = noise.gauge * observed[at] + floor
            stores = _moved(stores, flow[:, 0], observed[at] + error * draw.standard_normal(members), error)
        state = RunoffState(state.snow, np.clip(stores, low, high))
        length = ahead.precipitation.shape[1] - 1
        if length:
            coming, _ = simulate(model, ahead.between(1, 1 + length), own, state=state)
            for row, lead in enumerate(leads):
                if lead <= length:
                    out[row, at + lead] = coming[:, lead - 1].mean()
        if at % 100 == 0:
            tell(at / steps)
    return out


def _shaken(day: Forcing, members: int, noise: Noise, draw: np.random.Generator) -> Forcing:
    """A day's weather for each member, unbiased."""
    rain = day.precipitation * np.exp(noise.rain * draw.standard_normal((members, 1)) - 0.5 * noise.rain**2)
    pet = day.pet * np.maximum(1.0 + noise.pet * draw.standard_normal((members, 1)), 0.0)
    warmth = None if day.temperature is None else np.repeat(day.temperature, members, axis=0)
    return Forcing(rain, pet, warmth, list(day.names) * members, day.times)


def _moved(stores: Floats, simulated: Floats, observed: Floats, error: float) -> Floats:
    """Stores (members, size) after the update by perturbed observations (members,)."""
    apart = simulated - simulated.mean()
    variance = float(apart @ apart) / (len(apart) - 1)
    gain = apart @ (stores - stores.mean(axis=0)) / (len(apart) - 1) / (variance + error * error)
    return np.asarray(stores + (observed - simulated)[:, None] * gain)


def _bounds(model: RunoffModel, forcing: Forcing, parameters: Floats, state: RunoffState) -> tuple[Floats, Floats]:
    """Least and most that each store holds in the open run."""
    low = high = state.stores[0]
    for at in range(forcing.precipitation.shape[1]):
        _, state = simulate(model, forcing.between(at, at + 1), parameters, state=state)
        low, high = np.minimum(low, state.stores[0]), np.maximum(high, state.stores[0])
    return low, high
