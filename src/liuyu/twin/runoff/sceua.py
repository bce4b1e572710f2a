"""Shuffled complex evolution: a global search for the least value of a function of some ten parameters.

A population is dealt into complexes; each evolves by simplex steps (reflect, contract, or draw anew) between parents
chosen by rank, and then all are shuffled. The complexes move in step here, so that the function is asked for one point
of every complex at once, which is what a batch kernel wants.

[1] Duan Q., Sorooshian S., Gupta V.K. (1992) Effective and efficient global optimization for conceptual rainfall-runoff
    models. Water Resour. Res. 28, 1015-1031.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
COMPLEXES = 16
STEADY = 5  # shuffles over which the best must improve
GAIN = 1e-5


@dataclass(frozen=True, slots=True)
class Found:
    """The best point (n,), its value, and how often the function was asked."""

    best: Floats
    value: float
    evaluations: int


def minimise(
    function: Callable[[Floats], Floats],
    size: int,
    seed: int,
    *,
    evaluations: int = 10_000,
    complexes: int = COMPLEXES,
    tell: Callable[[float], None] = lambda _: None,
) -> Found:
    """The least value of a function over the unit cube of `size` dimensions.

    function: (m, size) points to (m,) values; seed: the same seed finds the same point; evaluations: about how many
    points to try; tell: hears the share done. It ends sooner where five shuffles gained less than 1e-5.
    """
    draw = np.random.default_rng(seed)
    each = 2 * size + 1
    points = draw.random((complexes * each, size))
    values = function(points)
    asked, history = len(points), list[float]()
    while asked < evaluations:
        order = np.argsort(values, kind="stable")
        points, values = points[order], values[order]
        history.append(float(values[0]))
        if len(history) > STEADY and history[-1 - STEADY] - history[-1] < GAIN:
            break
        group = points.reshape(each, complexes, size).transpose(1, 0, 2).copy()
        worth = values.reshape(each, complexes).T.copy()
        for _ in range(each):
            asked += _evolve(function, group, worth, draw)
        points, values = group.reshape(-1, size), worth.reshape(-1)
        tell(min(asked / evaluations, 1.0))
    best = int(np.argmin(values))
    tell(1.0)
    return Found(points[best].copy(), float(values[best]), asked)


def _evolve(function: Callable[[Floats], Floats], group: Floats, worth: Floats, draw: np.random.Generator) -> int:
    """One simplex step of every complex, in place; how many points were tried."""
    complexes, each, size = group.shape
    rank = np.arange(each)
    chance = 2.0 * (each - rank) / (each * (each + 1.0))
    parents = np.stack([np.sort(draw.choice(each, size + 1, replace=False, p=chance)) for _ in range(complexes)])
    here = np.arange(complexes)
    worst = parents[:, -1]
    centre = group[here[:, None], parents[:, :-1]].mean(1)
    old, was = group[here, worst], worth[here, worst]
    low, high = group.min(1), group.max(1)
    anew = low + draw.random((complexes, size)) * (high - low)
    trial = 2.0 * centre - old
    outside = ((trial < 0.0) | (trial > 1.0)).any(1)
    trial[outside] = anew[outside]
    value = function(trial)
    asked = int(complexes)
    for other in (0.5 * (centre + old), anew):
        poor = value >= was
        if not poor.any():
            break
        trial[poor] = other[poor]
        value[poor] = function(other[poor])
        asked += int(poor.sum())
    group[here, worst], worth[here, worst] = trial, value
    order = np.argsort(worth, axis=1, kind="stable")
    group[:] = np.take_along_axis(group, order[:, :, None], 1)
    worth[:] = np.take_along_axis(worth, order, 1)
    return asked
