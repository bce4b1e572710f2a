"""Dams, weirs and gates between two cells: their discharge, and how it leans on the levels of both sides.

[1] Poleni's free overfall and drowned weir, as in Chow V. T. (1959) Open-Channel Hydraulics. McGraw-Hill. Chapter 14;
    a weir is drowned once the lower head passes two thirds of the higher one.
"""

from __future__ import annotations

import math

from liuyu.physics.channel.compiled import inner
from liuyu.physics.channel.fields import GATE, HOLD, RELEASE
from liuyu.physics.channel.sections import GRAVITY
from liuyu.physics.compiled import compiled

_DROWNED = 2.0 / 3.0
_LEAST_FALL = 1e-3  # [m] below this the discharge is taken to rise straight with the fall


@inner
def weir(high: float, low: float, width: float, coefficient: float) -> float:
    """Discharge over a crest [m³/s] from the heads above it [m]; free m b sqrt(2 g) H^1.5, continuous as it drowns [1].

    `coefficient` is without dimension, about 0.385 for a broad crest.
    """
    if high <= 0.0:
        return 0.0
    root = math.sqrt(2.0 * GRAVITY)
    if low <= _DROWNED * high:
        return coefficient * width * root * high * math.sqrt(high)
    fall = high - low
    if fall <= 0.0:
        return 0.0
    drowned = 1.5 * math.sqrt(3.0) * coefficient * width * root * low
    if fall < _LEAST_FALL:
        return drowned * fall / math.sqrt(_LEAST_FALL)
    return drowned * math.sqrt(fall)


@inner
def gate(high: float, low: float, width: float, opening: float, coefficient: float) -> float:
    """Discharge under a gate [m³/s] from the heads above its sill [m]: the lesser of weir and orifice.

    `coefficient` is that of the orifice, about 0.6.
    """
    if opening <= 0.0:
        return 0.0
    over = weir(high, low, width, 0.385)
    jet = max(low, coefficient * opening)
    fall = max(high - jet, 0.0)
    root = fall / math.sqrt(_LEAST_FALL) if fall < _LEAST_FALL else math.sqrt(fall)
    return min(over, coefficient * opening * width * math.sqrt(2.0 * GRAVITY) * root)


@inner
def through(
    kind: int, left: float, right: float, crest: float, width: float, coefficient: float, height: float
) -> tuple[float, float, float]:
    """Discharge from left to right [m³/s] and how much it gives per metre of either level: positive numbers both.

    The levels [m] decide the way. A release is what it is; a dam that holds a level `height` gives `coefficient`
    [m³/s per m] above it, beside its least of `crest` [m³/s]: `volume` keeps that within its bounds.
    """
    if kind == RELEASE:
        return height, 0.0, 0.0
    if kind == HOLD:
        return crest + coefficient * (left - height), coefficient, 0.0
    up, down = max(left, right) - crest, min(left, right) - crest
    small = 1e-4
    if kind == GATE:
        q = gate(up, down, width, height, coefficient)
        free = (gate(up + small, down, width, height, coefficient) - q) / small
        drowned = (q - gate(up, down + small, width, height, coefficient)) / small
    else:
        q = weir(up, down, width, coefficient)
        free = (weir(up + small, down, width, coefficient) - q) / small
        drowned = (q - weir(up, down + small, width, coefficient)) / small
    free, drowned = max(free, 0.0), max(drowned, 0.0)
    if left >= right:
        return q, free, drowned
    return -q, drowned, free


@compiled
def crest_discharge(one: float, other: float, crest: float, width: float, coefficient: float) -> float:
    """Discharge over a crest from one side to the other [m³/s], negative for the other way, from levels [m]."""
    q = weir(max(one, other) - crest, min(one, other) - crest, width, coefficient)
    return q if one >= other else -q
