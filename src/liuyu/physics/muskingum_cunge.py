"""Muskingum-Cunge with variable parameters, mass-conservative: a channel's own section decides how fast a wave goes.

Todini [1] found that Cunge's method loses up to a tenth of a flood's volume when its parameters follow the flow, and
that it loses nothing when the storage is made the state. With C the ratio of the step to the time that water takes
through the reach, and D the ratio of diffusion to advection,

    S = dt / (2 C) [(1 - D) I + (1 + D) O],    S1 = S0 + dt / 2 (I0 + I1 - O0 - O1) + dt L,

both with C and D at the flow of that moment, I and O instantaneous at the ends of a step, L mean lateral inflow along
the reach. Two equations, two unknowns: the outflow is explicit once C and D are known, which two passes find.

A section is given by its hydraulic geometry, area A = a Q^m and width B = b Q^k: Manning's wide rectangle has m = 3/5
and k = 0, a triangle 3/4 and 3/8, Leopold's rivers about 0.9 and 0.5. Then celerity over velocity is 1 / m, and

    C = Q dt / (A dx) = kc Q^p,    D = m^2 A / (B slope dx) = kd Q^r.

A plain Muskingum reach is the case p = r = 0, C = dt / K, D = 1 - 2 x: one law serves both.

We differ from [1] in one thing: D is held within bounds. Below |1 - C| a weight of the scheme is negative, and the
outflow dips ahead of a wave where the reach is long for the step, or rings behind it where the reach is short. Above
C + (I + O) / |I - O| the wedge between I and O would hold less than nothing; half the way there, D stops. So no flow
ever becomes negative, not even on a dry bed, at the price of some diffusion where a reach is too long or too short for
the step (`pieces` in `twin.network` tells into how many a long one is best cut).

[1] Todini E. (2007) A mass conservative and water storage consistent variable parameter Muskingum-Cunge approach.
    Hydrol. Earth Syst. Sci. 11, 1645-1659.
[2] Cunge J.A. (1969) On the subject of a flood propagation computation method. J. Hydraulic Research 7(2).
"""

from __future__ import annotations

from liuyu.physics.compiled import compiled_within
from liuyu.physics.powers import power

LEAST_FLOW = 1e-6  # [m3/s] at which a dry channel's parameters are taken


@compiled_within
def channel_law(
    a: float, m: float, b: float, k: float, slope: float, length: float, dt: float
) -> tuple[float, float, float, float]:
    """(kc, p, kd, r) of a reach with area a Q^m [m2] and width b Q^k [m]; slope [1], length [m], dt [s]."""
    return dt / (a * length), 1.0 - m, m * m * a / (b * slope * length), m - k


@compiled_within
def rectangle(width: float, roughness: float, slope: float) -> tuple[float, float, float, float]:
    """(a, m, b, k) of a wide rectangle by Manning's law; width [m], roughness n [s/m^(1/3)], slope [1]."""
    return width**0.4 * (roughness / slope**0.5) ** 0.6, 0.6, width, 0.0


@compiled_within
def muskingum_law(travel: float, x: float, dt: float) -> tuple[float, float, float, float]:
    """(kc, p, kd, r) of a plain Muskingum reach of travel time K and weight x; travel and dt in one unit."""
    return dt / travel, 0.0, 1.0 - 2.0 * x, 0.0


@compiled_within
def courant_and_diffusion(
    inflow: float, outflow: float, kc: float, p: float, kd: float, r: float
) -> tuple[float, float]:
    """C and D [1] at an inflow and outflow [m3/s], D held where the scheme keeps every flow positive."""
    both = max(inflow + outflow, 2.0 * LEAST_FLOW)
    q = 0.5 * both
    c = kc * power(q, p)
    most = c + 0.5 + 0.5 * both / max(abs(inflow - outflow), LEAST_FLOW)
    return c, max(min(kd * power(q, r), most), abs(1.0 - c))


@compiled_within
def held(inflow: float, outflow: float, c: float, d: float) -> float:
    """Water in the reach as 2 S / dt [m3/s]."""
    return ((1.0 - d) * inflow + (1.0 + d) * outflow) / c


@compiled_within
def muskingum_cunge_step(
    before: float, out: float, storage: float, now: float, lateral: float, kc: float, p: float, kd: float, r: float
) -> tuple[float, float]:
    """Outflow [m3/s] at the end of a step, and the water then held as 2 S / dt [m3/s].

    before, now: inflow at the step's two ends [m3/s]; out, storage: outflow and water held at its beginning; lateral:
    mean inflow along the reach [m3/s].
    """
    given = before - out + storage + 2.0 * lateral
    c, d = courant_and_diffusion(now, max(out + now - before, 0.0), kc, p, kd, r)
    rough = ((c + d - 1.0) * now + c * given) / (1.0 + c + d)
    c, d = courant_and_diffusion(now, rough, kc, p, kd, r)
    after = ((c + d - 1.0) * now + c * given) / (1.0 + c + d)
    return after, held(now, after, c, d)
