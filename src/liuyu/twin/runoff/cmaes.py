"""Covariance matrix adaptation: follows a curved valley to its floor, from a point that a global search has found.

A cloud of points is drawn from a normal distribution; its mean moves to the better half, its covariance learns the
directions in which that helped, its size grows while steps agree and shrinks while they contradict each other.

[1] Hansen N. (2016) The CMA evolution strategy: a tutorial. arXiv:1604.00772.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.runoff.sceua import Found

Floats = NDArray[np.float64]
POPULATION = 32
SMALL = 1e-6  # a cloud of this size has settled


def polish(
    function: Callable[[Floats], Floats],
    begin: Floats,
    seed: int,
    *,
    evaluations: int,
    size: float = 0.15,
    tell: Callable[[float], None] = lambda _: None,
) -> Found:
    """The least value near a point of the unit cube; a point outside counts as the nearest inside, and a little more.

    function: (m, n) points to (m,) values; begin: (n,); size: of the first cloud [1]; the rest as in `sceua.minimise`.
    """
    n, half = len(begin), POPULATION // 2
    weights = np.log(half + 0.5) - np.log(np.arange(1, half + 1))
    weights /= weights.sum()
    many = 1.0 / (weights**2).sum()
    cs = (many + 2.0) / (n + many + 5.0)
    cc = (4.0 + many / n) / (n + 4.0 + 2.0 * many / n)
    c1 = 2.0 / ((n + 1.3) ** 2 + many)
    cmu = min(1.0 - c1, 2.0 * (many - 2.0 + 1.0 / many) / ((n + 2.0) ** 2 + many))
    damping = 1.0 + cs + 2.0 * max(0.0, np.sqrt((many - 1.0) / (n + 1.0)) - 1.0)
    usual = np.sqrt(n) * (1.0 - 1.0 / (4.0 * n) + 1.0 / (21.0 * n**2))
    draw = np.random.default_rng(seed)
    mean, covariance = begin.copy(), np.eye(n)
    path, step_path = np.zeros(n), np.zeros(n)
    best, least, asked = begin.copy(), float(function(begin[None])[0]), 1
    while asked < evaluations and size > SMALL:
        spread, axes = np.linalg.eigh(covariance)
        spread = np.sqrt(np.maximum(spread, 1e-20))
        clouds = (draw.standard_normal((POPULATION, n)) * spread) @ axes.T
        points = mean + size * clouds
        inside = np.clip(points, 0.0, 1.0)
        values = function(inside)
        asked += POPULATION
        at = int(np.argmin(values))
        if values[at] < least:
            best, least = inside[at].copy(), float(values[at])
        order = np.argsort(values + ((points - inside) ** 2).sum(1), kind="stable")[:half]
        chosen = clouds[order]
        move = weights @ chosen
        mean = mean + size * move
        step_path = (1.0 - cs) * step_path + np.sqrt(cs * (2.0 - cs) * many) * (axes @ ((axes.T @ move) / spread))
        length = float(np.linalg.norm(step_path))
        going = length / np.sqrt(1.0 - (1.0 - cs) ** (2.0 * asked / POPULATION)) < (1.4 + 2.0 / (n + 1.0)) * usual
        path = (1.0 - cc) * path + going * np.sqrt(cc * (2.0 - cc) * many) * move
        lost = (1.0 - float(going)) * cc * (2.0 - cc)
        covariance = (1.0 - c1 - cmu + c1 * lost) * covariance + c1 * np.outer(path, path)
        covariance += cmu * (chosen.T * weights) @ chosen
        size *= float(np.exp(min((cs / damping) * (length / usual - 1.0), 1.0)))
        tell(min(asked / evaluations, 1.0))
    tell(1.0)
    return Found(best, least, asked)
