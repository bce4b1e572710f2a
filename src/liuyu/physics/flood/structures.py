"""Discharge through weirs, gates and culverts from the water levels on both sides, and openings that grow in time.

[1] Villemonte J. R. (1947) Submerged-weir discharge studies. Eng. News-Record 139, 866-869.
[2] Chow V. T. (1959) Open-Channel Hydraulics. McGraw-Hill. Chapter 17.
"""

from __future__ import annotations

import math

from liuyu.physics.flood.compiled import law
from liuyu.physics.flood.laws import GRAVITY

WEIR, GATE, CULVERT, PUMP = 0, 1, 2, 3


@law
def weir_discharge(upstream: float, downstream: float, width: float, coefficient: float) -> float:
    """Discharge over a crest [m³/s] from the heads above it [m]: C w H^(3/2), drowned by Villemonte's rule [1].

    `coefficient` in m^(1/2)/s: 1.705 for a broad crest, some 1.84 for a sharp one.
    """
    if upstream <= 0.0:
        return 0.0
    free = coefficient * width * upstream * math.sqrt(upstream)
    drowned = min(max(downstream, 0.0) / upstream, 1.0)
    return float(free * (1.0 - drowned * math.sqrt(drowned)) ** 0.385)


@law
def orifice_discharge(fall: float, area: float, coefficient: float) -> float:
    """Discharge through a drowned opening [m³/s]: C A sqrt(2 g fall), area in m² and fall in m."""
    return coefficient * area * math.sqrt(2.0 * GRAVITY * max(fall, 0.0))


@law
def gate_discharge(upstream: float, downstream: float, width: float, height: float, coefficient: float) -> float:
    """Discharge under a gate [m³/s]: a weir until the water touches the leaf, then an orifice; the lesser of the two.

    Heads and the opening `height` are above the sill [m]. A free jet falls to its own middle, a drowned one to the
    level behind it [2].
    """
    if height <= 0.0 or upstream <= 0.0:
        return 0.0
    over = weir_discharge(upstream, downstream, width, 1.705)
    if upstream <= height:
        return over
    behind = max(downstream, 0.5 * height)
    return min(over, orifice_discharge(upstream - behind, width * height, coefficient))


@law
def opening(t: float, start: float, duration: float) -> float:
    """Share of an opening that has come about: 0 before its start, 1 once its duration has passed. Times in s."""
    if t < start:
        return 0.0
    return 1.0 if t >= start + duration else (t - start) / duration


@law
def link_discharge(
    kind: int, one: float, other: float, crest: float, width: float, height: float, coefficient: float
) -> float:
    """Discharge from one side to the other [m³/s], negative for the other way, from their levels [m].

    A culvert is a box of `width` by `height` whose floor is the crest; a pump always gives its `coefficient` [m³/s].
    """
    if kind == PUMP:
        return coefficient
    high, low = max(one, other) - crest, min(one, other) - crest
    q = weir_discharge(high, low, width, coefficient) if kind == WEIR else 0.0
    if kind in (GATE, CULVERT):
        q = gate_discharge(high, low, width, height, coefficient)
    return q if one >= other else -q
