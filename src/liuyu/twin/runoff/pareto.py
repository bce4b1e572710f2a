"""Several objectives at once: the points that no other point beats in all of them, by a sorting genetic algorithm.

A generation crosses and mutates points; of parents and children together the better ranks live on, and within the rank
that no longer fits those whose neighbours along the front lie far [1]. Every point ever tried that no other beats is
kept in an archive, thinned where it is crowded, and handed back.

[1] Deb K., Pratap A., Agarwal S., Meyarivan T. (2002) A fast and elitist multiobjective genetic algorithm: NSGA-II.
    IEEE Trans. Evol. Comput. 6, 182-197.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
POPULATION = 80
CROSS, MUTATE = 10.0, 15.0  # how near children lie to their parents; larger is nearer


@dataclass(frozen=True, slots=True)
class Front:
    """Points of the unit cube (k, n) that no other one beats, their values (k, m), and how often was asked.

    They stand in the order of the first value, the least first.
    """

    points: Floats
    values: Floats
    evaluations: int


def front(
    function: Callable[[Floats], Floats],
    start: Floats,
    seed: int,
    *,
    evaluations: int,
    most: int = 60,
    tell: Callable[[float], None] = lambda _: None,
) -> Front:
    """The front of a function of the unit cube: (k, n) points to (k, m) values, each to be as small as it can.

    start: (any, n) points that are known to be good, of the first generation; the rest of it is spread over the cube;
    most: points handed back. The same seed finds the same front.
    """
    draw = np.random.default_rng(seed)
    size = start.shape[1]
    points = np.vstack([start[:POPULATION], draw.random((max(POPULATION - len(start), 0), size))])
    values = function(points)
    asked = len(points)
    kept, worth = _archive(points, values, 4 * most)
    while asked + POPULATION <= evaluations:
        rank, room = ranks(values), crowding(values)
        children = _children(points, rank, room, draw)
        theirs = function(children)
        asked += len(children)
        kept, worth = _archive(np.vstack([kept, children]), np.vstack([worth, theirs]), 4 * most)
        points, values = _survivors(np.vstack([points, children]), np.vstack([values, theirs]))
        tell(asked / evaluations)
    tell(1.0)
    kept, worth = _archive(kept, worth, most)
    order = np.lexsort(worth.T[::-1])
    return Front(kept[order], worth[order], asked)


def ranks(values: Floats) -> Places:
    """0 for points that none beats, 1 for those that only these beat, and so on: (k, m) to (k,)."""
    better = _better(values)
    out = np.full(len(values), -1)
    level = 0
    while (out < 0).any():
        rest = out < 0
        free = rest & ~better[rest].any(0)
        out[free] = level
        level += 1
    return np.asarray(out, np.int64)


def crowding(values: Floats) -> Floats:
    """How far a point's neighbours lie apart, summed over the values; infinite at the ends: (k, m) to (k,)."""
    out = np.zeros(len(values))
    for column in values.T:
        order = np.argsort(column, kind="stable")
        sorted_ = column[order]
        span = max(sorted_[-1] - sorted_[0], 1e-300)
        apart = np.full(len(values), np.inf)
        apart[1:-1] = (sorted_[2:] - sorted_[:-2]) / span
        out[order] += apart
    return out


def compromise(values: Floats) -> int:
    """The point nearest to the ideal one, each value scaled from its best (0) to its worst (1) on the front."""
    best, worst = values.min(0), values.max(0)
    scaled = (values - best) / np.maximum(worst - best, 1e-12)
    return int(np.argmin((scaled**2).sum(1)))


def _archive(points: Floats, values: Floats, most: int) -> tuple[Floats, Floats]:
    """Those that none beats, each once; the most crowded leave one by one until there are `most`."""
    values, first = np.unique(values, axis=0, return_index=True)
    points = points[first]
    good = np.isfinite(values).all(1)
    points, values = points[good], values[good]
    best = ~_beaten(values)
    points, values = points[best], values[best]
    while len(values) > most:
        drop = int(np.argmin(crowding(values)))
        points, values = np.delete(points, drop, 0), np.delete(values, drop, 0)
    return points, values


def _beaten(values: Floats) -> NDArray[np.bool_]:
    """Which points another one beats, (k,)."""
    return np.asarray(_better(values).any(0))


def _better(values: Floats) -> NDArray[np.bool_]:
    """Whether a point beats another, no worse in all and better in one: (k, k)."""
    no_worse = (values[:, None] <= values[None]).all(2)
    return np.asarray(no_worse & (values[:, None] < values[None]).any(2))


def _survivors(points: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The better half: by rank, and within the last rank by room."""
    rank = ranks(values)
    room = np.empty(len(values))
    for level in range(int(rank.max()) + 1):
        room[rank == level] = crowding(values[rank == level])
    keep = np.lexsort((-room, rank))[:POPULATION]
    return points[keep], values[keep]


def _children(points: Floats, rank: Places, room: Floats, draw: np.random.Generator) -> Floats:
    """As many children as there are parents: simulated binary crossover, then polynomial mutation [1]."""
    count, size = points.shape
    one = draw.integers(0, count, (2, count, 2))
    better = np.where(
        (rank[one[..., 0]] < rank[one[..., 1]])
        | ((rank[one[..., 0]] == rank[one[..., 1]]) & (room[one[..., 0]] >= room[one[..., 1]])),
        one[..., 0],
        one[..., 1],
    )
    mother, father = points[better[0]], points[better[1]]
    u = draw.random((count, size))
    spread = np.where(u < 0.5, (2.0 * u) ** (1.0 / (CROSS + 1.0)), (0.5 / (1.0 - u)) ** (1.0 / (CROSS + 1.0)))
    side = np.where(draw.random((count, size)) < 0.5, 1.0, -1.0)
    crossed = 0.5 * (mother + father) + 0.5 * side * spread * (mother - father)
    whole = draw.random((count, 1)) < 0.1  # a tenth comes from one parent alone, and only mutates
    children = np.where(whole, mother, crossed)
    v = draw.random((count, size))
    step = np.where(v < 0.5, (2.0 * v) ** (1.0 / (MUTATE + 1.0)) - 1.0, 1.0 - (2.0 - 2.0 * v) ** (1.0 / (MUTATE + 1.0)))
    hit = draw.random((count, size)) < 1.0 / size
    return np.asarray(np.clip(children + np.where(hit, step, 0.0), 0.0, 1.0))
