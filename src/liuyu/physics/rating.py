"""Stage and discharge at a gauge, with and without backwater.

The law is Q = a (z - b)^m (max(z - s - d, least))^e: a power of the depth above b, and a power of the fall from the
gauge at level z to the next one downstream at level s. d takes up the difference of the two datums and the fall that
never counts; e = 0 gives the plain rating curve, e = 1/2 the stage-fall method for reaches with backwater [1]. Q grows
with z and never grows with s, so that z of a given Q is one number, found here by a guarded Newton search.

[1] WMO-No. 1044 (2010) Manual on Stream Gauging, vol. II, ch. 3: ratings with slope as a parameter.
"""

from __future__ import annotations

from liuyu.physics.compiled import compiled

LEAST_FALL = 0.02
LEAST_DEPTH = 0.01


@compiled
def discharge_of(z: float, s: float, a: float, b: float, m: float, e: float, d: float) -> float:
    """Discharge [m3/s] at level z [m] with the lower gauge at level s [m] (unused where e = 0)."""
    depth = max(z - b, LEAST_DEPTH)
    if e == 0.0:
        return float(a * depth**m)
    return float(a * depth**m * max(z - s - d, LEAST_FALL) ** e)


@compiled
def slope_of(z: float, s: float, a: float, b: float, m: float, e: float, d: float) -> float:
    """Change of discharge with the gauge's own level, dQ/dz [m2/s]."""
    q = discharge_of(z, s, a, b, m, e, d)
    slope = m / max(z - b, LEAST_DEPTH)
    if e != 0.0 and z - s - d > LEAST_FALL:
        slope += e / (z - s - d)
    return q * slope


@compiled
def stage_of(q: float, s: float, a: float, b: float, m: float, e: float, d: float, guess: float) -> float:
    """Level z [m] at which discharge_of gives q [m3/s]; guess [m] is where the search begins. To 1e-9 m."""
    q = max(q, 1e-6)
    low = b + LEAST_DEPTH
    if e != 0.0:
        low = max(low, s + d + LEAST_FALL)
    if discharge_of(low, s, a, b, m, e, d) >= q:
        return low
    high = max(guess, low) + 1.0
    while discharge_of(high, s, a, b, m, e, d) < q:
        high += high - low
    z = min(max(guess, low), high)
    for _ in range(100):
        miss = discharge_of(z, s, a, b, m, e, d) - q
        if miss > 0.0:
            high = z
        else:
            low = z
        slope = slope_of(z, s, a, b, m, e, d)
        following = z - miss / slope if slope > 0.0 else 0.5 * (low + high)
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - z) < 1e-9:
            return following
        z = following
    return z
