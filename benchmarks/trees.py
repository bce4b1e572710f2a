"""Random river trees for benchmarks."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Places = NDArray[np.int64]


def random_tree(count: int, seed: int = 1) -> Places:
    """Place of the reach below each, -1 at the mouth: every binary tree equally likely (Shreve's random network).

    Grown by Rémy's rule; an odd number of reaches, at most `count`.
    """
    springs = (count + 1) // 2
    return np.asarray(_grow(np.random.default_rng(seed).random((springs, 2)), springs))


@njit(cache=True)
def _grow(chance: NDArray[np.float64], springs: int) -> Places:
    down = np.full(2 * springs - 1, -1)
    left, right = np.full(2 * springs - 1, -1), np.full(2 * springs - 1, -1)
    for k in range(1, springs):
        node, new = int(chance[k, 0] * (2 * k - 1)), 2 * k - 1
        below = down[node]
        down[new] = below
        if below >= 0 and left[below] == node:
            left[below] = new
        elif below >= 0:
            right[below] = new
        first = chance[k, 1] < 0.5
        left[new], right[new] = (node, new + 1) if first else (new + 1, node)
        down[node] = down[new + 1] = new
    return down
