"""Sums of groups of rows, added as SQLite adds, so that both engines keep the same bits.

Compensated addition after Kahan, Babuska and Neumaier: with the sum s, a value r and t = s + r, the lost part
e += (s - t) + r where |s| > |r|, else (r - t) + s; the result is s + e.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.store.columns import Columns


def gather(keys: Columns, values: Columns) -> Columns:
    """Groups of rows that lie in order of their keys: the keys once each, then count, minimum, maximum and sum.

    values: count, minimum, maximum and sum of every row, each (n,).
    """
    if not len(keys[0]):
        return [np.empty(0) for _ in (*keys, *values)]
    stacked = np.stack(keys)
    first = np.flatnonzero(np.append(True, (stacked[:, 1:] != stacked[:, :-1]).any(axis=0)))
    count, minimum, maximum, total = values
    return [
        *(key[first] for key in keys),
        np.add.reduceat(count, first),
        np.minimum.reduceat(minimum, first),
        np.maximum.reduceat(maximum, first),
        added(total, first),
    ]


def added(values: NDArray[np.float64], first: NDArray[np.intp]) -> NDArray[np.float64]:
    """The sum of each group; groups begin at `first`. All groups advance by one value at a time.

    >>> added(np.array([1e16, 1.0, -1e16, 5.0]), np.array([0, 3])).tolist()
    [1.0, 5.0]
    """
    sizes = np.diff(np.append(first, len(values)))
    longest = np.argsort(-sizes, kind="stable")
    begins, sizes = first[longest], sizes[longest]
    total, lost = np.zeros(len(first)), np.zeros(len(first))
    with np.errstate(over="ignore", invalid="ignore"):
        for place in range(int(sizes[0])):
            many = int(np.searchsorted(-sizes, -place, side="left"))
            old, value = total[:many], values[begins[:many] + place]
            new = old + value
            lost[:many] += np.where(np.abs(old) > np.abs(value), (old - new) + value, (value - new) + old)
            total[:many] = new
        result = np.empty(len(first))
        result[longest] = np.where(np.isfinite(lost), total + lost, total)
    return result
