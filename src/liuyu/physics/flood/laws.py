"""Scalar laws of shallow water: the flux through a face, friction, slopes, discharge by local inertia.

Each law takes numbers of one real type, single or double, and makes its constants of that type, so that one source
serves both precisions, the loops on a processor and the kernels on a GPU. Lengths in m, unit discharges in m²/s, fluxes
of depth in m²/s and of momentum in m³/s². Branches are written as choices between values, so that the loops around
them become vector instructions.

[1] Toro E. F. (2001) Shock-Capturing Methods for Free-Surface Shallow Flows. Wiley. Chapter 10.
[2] Audusse E. et al. (2004) A fast and stable well-balanced scheme with hydrostatic reconstruction for shallow water
    flows. SIAM J. Sci. Comput. 25(6), 2050-2065.
[3] Chen G., Noelle S. (2017) A new hydrostatic reconstruction scheme based on subcell reconstructions. SIAM J. Numer.
    Anal. 55(2), 758-784.
[4] de Almeida G. A. M. et al. (2012) Improving the stability of a simple formulation of the shallow water equations for
    2-D flood modeling. Water Resour. Res. 48, W05528.
"""

from __future__ import annotations

import math

import numpy as np

from liuyu.physics.flood.compiled import law

GRAVITY = 9.81  # [m s-2]
DRY_FACE = 1.0e-5  # [m] the least depth over a face through which local inertia moves water
_THIRD = np.float32(1.0 / 3.0)
_GUESS = np.float32(1419910500.0)  # bits of the first guess of an inverse cube root, at most 3.5 % off


@law
def inverse_cube_root(x: float) -> float:
    """x^(-1/3) for 1e-30 < x < 1e30, to 1e-7: a guess from the bits of x, then two rules of third and second order."""
    real = type(x)
    bits = np.float32(x).view(np.int32)
    r = real(np.int32(_GUESS - np.float32(bits) * _THIRD).view(np.float32))
    y = x * (r * r * r)
    r = r * (real(14.0 / 9.0) + y * (real(2.0 / 9.0) * y - real(7.0 / 9.0)))
    return r * (real(4.0 / 3.0) - real(1.0 / 3.0) * x * (r * r * r))


@law
def half_slope(behind: float, ahead: float) -> float:
    """Half the slope between two differences: the mean one, at most 1.5 times the lesser, zero at an extreme."""
    real = type(behind)
    zero, quarter, most = real(0.0), real(0.25), real(0.75)
    least, greatest = min(behind, ahead), max(behind, ahead)
    mean = quarter * (behind + ahead)
    rising = min(mean, most * least)
    falling = max(mean, most * greatest)
    return rising if least > zero else (falling if greatest < zero else zero)


@law
def face_flux(
    left_depth: float,
    right_depth: float,
    rise: float,
    left_normal: float,
    right_normal: float,
    left_along: float,
    right_along: float,
) -> tuple[float, float, float, float]:
    """Flux through a face between two cells: depth, momentum for the left cell, for the right cell, momentum along it.

    HLLC [1] between depths reconstructed at the face [3], which differ from those of [2] where water thinner than the
    step runs downhill: there it feels the whole fall. Both momenta are told without the pressure on the cell itself,
    which cancels, so that water at rest gives exact zeros. `rise` is the right bed less the left [m]; velocities
    [m/s] are normal to the face, positive to the right, and along it.
    """
    real = type(left_depth)
    zero, half, quarter, two = real(0.0), real(0.5), real(0.25), real(2.0)
    g = real(GRAVITY)
    sill = min(max(zero, rise), left_depth, right_depth + rise)
    under = min(max(zero, -rise), right_depth, left_depth - rise)
    hl = left_depth - max(sill, zero)
    hr = max(right_depth - max(under, zero), zero)
    cl, cr = math.sqrt(g * hl), math.sqrt(g * hr)
    middle = half * (left_normal + right_normal) + cl - cr
    celerity = max(half * (cl + cr) + quarter * (left_normal - right_normal), zero)
    dry_left, dry_right = hl <= zero, hr <= zero
    slow = min(left_normal - cl, middle - celerity)
    fast = max(right_normal + cr, middle + celerity)
    slow = right_normal - two * cr if dry_left else (left_normal - cl if dry_right else slow)
    fast = left_normal + two * cl if dry_right else (right_normal + cr if dry_left else fast)
    slow, fast = min(slow, zero), max(fast, zero)
    span = fast - slow
    share = real(1.0) / max(span, real(1e-9))
    ql, qr = hl * left_normal, hr * right_normal
    both = slow * fast
    mass = (fast * ql - slow * qr + both * (hr - hl)) * share
    push = half * g * (hr - hl) * (hr + hl)
    normal = (fast * (ql * left_normal) - slow * (qr * right_normal + push) + both * (qr - ql)) * share
    along = mass * (left_along if mass > zero else right_along)
    return (
        mass,
        normal + g * left_depth * min(sill, zero),
        normal - push + g * right_depth * min(under, zero),
        along,
    )


@law
def after_friction(depth: float, qx: float, qy: float, drag: float, dry: float) -> tuple[float, float, float]:
    """Unit discharges once Manning's friction has acted, implicitly, and the speed |u| + |v| + 2 sqrt(g h) [m/s].

    |q'| (1 + drag |q'| h^(-7/3)) = |q|, where `drag` is dt g n²: the root of a quadratic, so that a steady
    flow balances slope and friction whatever the step. Cells no deeper than `dry` stand still.
    """
    real = type(depth)
    zero, one, two, four = real(0.0), real(1.0), real(2.0), real(4.0)
    still = depth <= dry
    h = one if still else depth
    r = inverse_cube_root(h)
    per_depth = r * r * r
    size = math.sqrt(qx * qx + qy * qy)
    damp = two / (one + math.sqrt(one + four * drag * size * (per_depth * per_depth) * r))
    damp = zero if still else damp
    p, q = damp * qx, damp * qy
    speed = (abs(p) + abs(q)) * per_depth + two * math.sqrt(real(GRAVITY) * h)
    return p, q, zero if still else speed


@law
def inertial_discharge(
    q: float,
    before: float,
    after: float,
    left_depth: float,
    right_depth: float,
    rise: float,
    ratio: float,
    most: float,
    drag: float,
) -> float:
    """Unit discharge through a face after a step of the local-inertial scheme [4] (equation 7, with theta = 0.8).

    `before` and `after` are the discharges of the next faces along the same line, `ratio` is dt / cell size and `drag`
    g n² dt. `most` is the greatest speed [m/s] at which a cell gives its water, as a share of cell size / dt: where
    the share is a quarter, no depth turns negative.
    """
    real = type(q)
    zero, one = real(0.0), real(1.0)
    depth = max(left_depth, right_depth + rise) - max(zero, rise)
    fall = left_depth - right_depth - rise
    wet = depth > real(DRY_FACE)
    h = depth if wet else one
    r = inverse_cube_root(h)
    per_depth = r * r * r
    ahead = real(0.8) * q + real(0.1) * (before + after) + real(GRAVITY) * h * ratio * fall
    out = ahead / (one + drag * abs(q) * (per_depth * per_depth) * r)
    out = max(min(out, left_depth * most), -right_depth * most)
    return out if wet else zero
