"""Damped Gauss-Newton by differences: the search that `calibrate.py` and `pool.py` share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from main_stem import Floats


def least(
    misses: Callable[[Floats], Floats], x: Floats, rounds: int, tries: int, done: Callable[[int, Floats, float], None]
) -> Floats:
    """The vector that misses least, from a first one; `done` hears each round, its vector and its miss."""
    miss, damping = misses(x), 1e-3
    for turn in range(rounds):
        slopes = np.empty((len(miss), len(x)))
        for k in range(len(x)):
            moved = x.copy()
            moved[k] += 0.02
            slopes[:, k] = (misses(moved) - miss) / 0.02
        square = slopes.T @ slopes
        for _ in range(tries):
            trial = x - np.linalg.solve(square + damping * np.eye(len(x)), slopes.T @ miss)
            tried = misses(trial)
            if tried @ tried < miss @ miss:
                x, miss, damping = trial, tried, damping / 4.0
                break
            damping *= 8.0
        done(turn + 1, x, float(np.sqrt(miss @ miss)))
    return x
