"""Tables of a cross-section: width, wetted area and conveyance by level.

[1] Chow V. T. (1959) Open-Channel Hydraulics. McGraw-Hill. Chapters 2 and 6: a compound section is divided by upright
    lines where its roughness changes, the lines are not wetted, and the conveyances add up.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
GRAVITY = 9.81


def levels_of(level: Floats, count: int) -> Floats:
    """Knots [m] for a table: every level of the points, the deep ones close together, up to the highest point."""
    low, high = float(level.min()), float(level.max())
    fine = low + (high - low) * np.linspace(0.0, 1.0, count) ** 1.5
    return np.unique(np.concatenate([fine, level]))


def tabulate(station: Floats, level: Floats, manning: Floats, count: int = 80) -> tuple[Floats, Floats, Floats, Floats]:
    """Level [m], width [m], area [m²] and conveyance [m³/s] of a section, level rising; a shelf gives two equal knots.

    `station` [m] never falls, `level` [m] is the ground; `manning` [s/m^(1/3)] (points,) holds from its point to the
    next. The outer points have upright walls. Between knots the width is straight, so that the area is exact [1].

    >>> z, b, a, k = tabulate(np.array([0.0, 0.0, 10.0, 10.0]), np.array([5.0, 0.0, 0.0, 5.0]), np.full(4, 0.03))
    >>> float(b[0]), round(float(a[-1]), 9)
    (10.0, 50.0)
    """
    knots = levels_of(level, count)
    below, above, conveyance = (np.zeros(len(knots)) for _ in range(3))
    for piece in _pieces(manning):
        x, z = station[piece.start : piece.stop + 1], level[piece.start : piece.stop + 1]
        wet_below, wet_above, perimeter = _wetted(x, z, knots)
        below += wet_below
        above += wet_above
        area = _area(knots, wet_below, wet_above)
        radius = area / np.where(perimeter > 0.0, perimeter, 1.0)
        conveyance += area * radius ** (2.0 / 3.0) / manning[piece.start]
    area = _area(knots, below, above)
    jump = (above - below > 1e-12 * max(float(above.max()), 1.0)) & (np.arange(len(knots)) > 0)
    repeat = np.where(jump, 2, 1)
    width = np.repeat(above, repeat)
    starts = np.cumsum(repeat) - repeat
    width[starts[jump]] = below[jump]
    return np.repeat(knots, repeat), width, np.repeat(area, repeat), np.repeat(conveyance, repeat)


def _pieces(manning: Floats) -> list[slice]:
    """Runs of intervals between points with the same roughness."""
    last = len(manning) - 1
    breaks = [0, *(k for k in range(1, last) if manning[k] != manning[k - 1]), last]
    return [slice(a, b) for a, b in pairwise(breaks) if b > a]


def _wetted(x: Floats, z: Floats, knots: Floats) -> tuple[Floats, Floats, Floats]:
    """Width just below and just above each knot, and wetted perimeter, of a piece between its points."""
    below, above, perimeter = (np.zeros(len(knots)) for _ in range(3))
    for a, b, za, zb in zip(x[:-1], x[1:], z[:-1], z[1:], strict=True):
        low, high = min(za, zb), max(za, zb)
        if high > low:
            share = np.clip((knots - low) / (high - low), 0.0, 1.0)
            below += (b - a) * share
            above += (b - a) * share
            perimeter += np.hypot(b - a, high - low) * share
        else:
            below += np.where(knots > low, b - a, 0.0)
            above += np.where(knots >= low, b - a, 0.0)
            perimeter += np.where(knots >= low, b - a, 0.0)
    return below, above, perimeter


def _area(knots: Floats, below: Floats, above: Floats) -> Floats:
    return np.concatenate([[0.0], np.cumsum(0.5 * (above[:-1] + below[1:]) * np.diff(knots))])


def shape_of(area: Floats, conveyance: Floats) -> Floats:
    """Conveyance over area^(5/3) by knot; at the dry bed that of the knot above."""
    shape = conveyance / np.where(area > 0.0, area, 1.0) ** (5.0 / 3.0)
    dry = int((area <= 0.0).sum())
    shape[:dry] = shape[dry] if dry < len(shape) else 0.0
    return np.asarray(shape)


def storage(level: Floats, surface: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """A lake's table from its surface [m²] by level [m]: the area is the volume [m³] above the first level."""
    volume = np.concatenate([[0.0], np.cumsum(0.5 * (surface[1:] + surface[:-1]) * np.diff(level))])
    return level.astype(float), surface.astype(float), volume, np.zeros(len(level))


def normal_rating(table: tuple[Floats, Floats, Floats, Floats], slope: float) -> tuple[Floats, Floats]:
    """Level [m] and discharge [m³/s] of uniform flow on a bed slope: conveyance times its root."""
    level, keep = np.unique(table[0], return_index=True)
    return level, table[3][keep] * np.sqrt(slope)


def critical_rating(table: tuple[Floats, Floats, Floats, Floats]) -> tuple[Floats, Floats]:
    """Level [m] and discharge [m³/s] of critical flow: area times the root of g area over width."""
    level, keep = np.unique(table[0], return_index=True)
    width, area = table[1][keep], table[2][keep]
    return level, area * np.sqrt(GRAVITY * area / np.where(width > 0.0, width, 1.0))
