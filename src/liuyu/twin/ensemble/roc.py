"""Relative operating characteristic: what warning at a chance finds, against what it alarms for nothing.

Each chance that an ensemble can give is tried as a limit. hits: share of the events that were warned of; false alarms:
share of the other cases that were warned of too. The area below the curve is 0.5 for a guess and 1 for a seer [1].

[1] Mason I. (1982) A model for assessment of weather forecasts. Aust. Meteorol. Mag. 30, 291-303.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def roc(members: Floats, observed: Floats, line: float) -> list[tuple[float, float, float]]:
    """Limit of the chance, false alarms, hits [1], from never warning to always. members: (n, m); observed: (n,).

    Empty where the line was always or never passed.

    >>> roc(np.array([[1.0, 3.0], [1.0, 1.0]]), np.array([3.0, 1.0]), 2.0)
    [(1.0, 0.0, 0.0), (0.5, 0.0, 1.0), (0.0, 1.0, 1.0)]
    """
    chance = (members > line).mean(axis=1)
    event = observed > line
    if event.all() or not event.any():
        return []
    many = members.shape[1]
    limits = np.arange(many, -1, -1) / many
    return [
        (float(limit), float((chance[~event] >= limit - 1e-9).mean()), float((chance[event] >= limit - 1e-9).mean()))
        for limit in limits
    ]


def roc_area(members: Floats, observed: Floats, line: float) -> float:
    """Area below the curve [1], NaN where the line was always or never passed."""
    curve = roc(members, observed, line)
    if not curve:
        return float("nan")
    x = np.array([0.0, *(each[1] for each in curve)])
    y = np.array([0.0, *(each[2] for each in curve)])
    return float((np.diff(x) * 0.5 * (y[1:] + y[:-1])).sum())
