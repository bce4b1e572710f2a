"""One step of the second-order scheme on a rectangle of cells: MUSCL-Hancock.

Depth, level and velocities get limited slopes; each cell goes half a step by itself, friction included, so that a
steady flow stays where it is; then the fluxes between faces. Water level and depth are reconstructed, and the bed as
their difference, so that water at rest stays at rest (Audusse et al. 2004), and no depth at a face is negative. Where
water is ten times thinner than the step of its bed, or dry beside, the slopes along that line are zero: first order.

van Leer B. (1984) On the relation between the upwind-differencing schemes of Godunov, Engquist-Osher and Roe. SIAM J.
Sci. Stat. Comput. 5(1), 1-20.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner
from liuyu.physics.flood.fields import EAST, GHOSTS, NORTH, SOUTH, TOO_LONG, WEST, Cells, Floats
from liuyu.physics.flood.laws import GRAVITY, after_friction, face_flux, half_slope, inverse_cube_root
from liuyu.physics.flood.rows import find_velocities

Row = NDArray[Any]


@inner
def find_slopes(
    h0: Row,
    h1: Row,
    h2: Row,
    u0: Row,
    u1: Row,
    u2: Row,
    v0: Row,
    v1: Row,
    v2: Row,
    z0: Row,
    z1: Row,
    z2: Row,
    sh: Row,
    sz: Row,
    su: Row,
    sv: Row,
) -> None:
    """Half slopes of depth, bed and velocities from the cells before (0), at (1) and after (2) along a line."""
    zero, tenth = h0.dtype.type(0), h0.dtype.type(0.1)
    for j in range(len(sh)):
        before, after = h1[j] - h0[j], h2[j] - h1[j]
        first, second = z1[j] - z0[j], z2[j] - z1[j]
        wet = min(h0[j], h1[j], h2[j]) > tenth * max(abs(first), abs(second))
        depth = half_slope(before, after)
        level = half_slope(before + first, after + second)
        x = half_slope(u1[j] - u0[j], u2[j] - u1[j])
        y = half_slope(v1[j] - v0[j], v2[j] - v1[j])
        sh[j] = depth if wet else zero
        sz[j] = level - depth if wet else zero
        su[j] = x if wet else zero
        sv[j] = y if wet else zero


@inner
def go_half(
    h: Row,
    u: Row,
    v: Row,
    drag: Row,
    xh: Row,
    xz: Row,
    xu: Row,
    xv: Row,
    yh: Row,
    yz: Row,
    yu: Row,
    yv: Row,
    new_h: Row,
    new_u: Row,
    new_v: Row,
    ratio: float,
    dt: float,
) -> None:
    """Depth and velocities of a row after half a step, from the half slopes within each cell."""
    real = type(dt)
    one, half, g = real(1.0), real(0.5), real(GRAVITY)
    for j in range(len(new_h)):
        depth = h[j] - ratio * (u[j] * xh[j] + v[j] * yh[j] + h[j] * (xu[j] + yv[j]))
        p = u[j] - ratio * (u[j] * xu[j] + v[j] * yu[j] + g * (xh[j] + xz[j]))
        q = v[j] - ratio * (u[j] * xv[j] + v[j] * yv[j] + g * (yh[j] + yz[j]))
        wet = h[j] > real(0.0)
        r = inverse_cube_root(h[j] if wet else one)
        damp = one / (one + half * dt * drag[j] * math.sqrt(u[j] * u[j] + v[j] * v[j]) * ((r * r) * (r * r)))
        new_h[j] = max(depth, abs(xh[j]), abs(yh[j]))
        new_u[j] = p * damp
        new_v[j] = q * damp


@inner
def pass_sloped_faces(
    hl: Row,
    zl: Row,
    nl: Row,
    al: Row,
    hls: Row,
    zls: Row,
    nls: Row,
    als: Row,
    hr: Row,
    zr: Row,
    nr: Row,
    ar: Row,
    hrs: Row,
    zrs: Row,
    nrs: Row,
    ars: Row,
    mass: Row,
    left: Row,
    right: Row,
    along: Row,
) -> None:
    """`face_flux` of a row of faces between cells with half slopes (names that end in s)."""
    for j in range(len(mass)):
        mass[j], left[j], right[j], along[j] = face_flux(
            hl[j] + hls[j], hr[j] - hrs[j], (zr[j] - zrs[j]) - (zl[j] + zls[j]),
            nl[j] + nls[j], nr[j] - nrs[j], al[j] + als[j], ar[j] - ars[j],
        )  # fmt: skip


@inner
def balance_sloped(
    h: Row,
    qx: Row,
    qy: Row,
    new_h: Row,
    new_qx: Row,
    new_qy: Row,
    drag: Row,
    rain: Row,
    west: Row,
    east: Row,
    west_x: Row,
    east_x: Row,
    west_y: Row,
    east_y: Row,
    south: Row,
    north: Row,
    south_y: Row,
    north_y: Row,
    south_x: Row,
    north_x: Row,
    middle: Row,
    xh: Row,
    xz: Row,
    yh: Row,
    yz: Row,
    ratio: float,
    dt: float,
    water: float,
    dry: float,
    fastest: Any,
) -> Any:
    """As `balance`, with the push of the slope of the level within each cell; `middle` is the depth at half time."""
    real = type(dry)
    zero, two, g = real(0.0), real(2.0), real(GRAVITY)
    slack, too_long = real(-1e-13), real(TOO_LONG)
    for j in range(len(h)):
        depth = h[j] - ratio * ((east[j] - west[j]) + (north[j] - south[j])) + water * rain[j]
        drained = depth < slack
        depth = zero if depth < zero else depth
        push = two * g * middle[j]
        p = qx[j] - ratio * ((east_x[j] - west_x[j]) + (north_x[j] - south_x[j]) + push * (xh[j] + xz[j]))
        q = qy[j] - ratio * ((east_y[j] - west_y[j]) + (north_y[j] - south_y[j]) + push * (yh[j] + yz[j]))
        new_h[j] = depth
        new_qx[j], new_qy[j], speed = after_friction(depth, p, q, dt * drag[j], dry)
        speed = too_long if drained else speed
        fastest = max(fastest, np.float32(abs(speed)).view(np.int32))
    return fastest


@inner
def reconstruct(
    before: Cells,
    at: Cells,
    after: Cells,
    bed: Cells,
    drag: Cells,
    i: int,
    a: int,
    b: int,
    ratio: Any,
    dt: Any,
    out: Cells,
) -> None:
    """Slopes and half-time state of row i, columns a - 1 to b + 1, into `out` (11, n + 2): h, u, v, then half slopes
    along x and y of h, z, u, v. The rows of cells begin at column a - 2."""
    n = b - a + 2
    find_slopes(
        at[0, :n], at[0, 1 : n + 1], at[0, 2:], at[1, :n], at[1, 1 : n + 1], at[1, 2:],
        at[2, :n], at[2, 1 : n + 1], at[2, 2:], bed[i, a - 2 : b], bed[i, a - 1 : b + 1], bed[i, a : b + 2],
        out[3], out[4], out[5], out[6],
    )  # fmt: skip
    find_slopes(
        before[0, 1 : n + 1], at[0, 1 : n + 1], after[0, 1 : n + 1],
        before[1, 1 : n + 1], at[1, 1 : n + 1], after[1, 1 : n + 1],
        before[2, 1 : n + 1], at[2, 1 : n + 1], after[2, 1 : n + 1],
        bed[i - 1, a - 1 : b + 1], bed[i, a - 1 : b + 1], bed[i + 1, a - 1 : b + 1],
        out[7], out[8], out[9], out[10],
    )  # fmt: skip
    go_half(
        at[0, 1 : n + 1], at[1, 1 : n + 1], at[2, 1 : n + 1], drag[i if drag.shape[0] > 1 else 0, a - 1 : b + 1],
        out[3], out[4], out[5], out[6], out[7], out[8], out[9], out[10], out[0], out[1], out[2], ratio, dt,
    )  # fmt: skip


@inner
def step_muscl(
    box: NDArray[np.int64],
    h: Cells,
    qx: Cells,
    qy: Cells,
    new_h: Cells,
    new_qx: Cells,
    new_qy: Cells,
    bed: Cells,
    drag: Cells,
    rain: Cells,
    ratio: Any,
    dt: Any,
    water: Any,
    dry: Any,
    through: Floats,
) -> Any:
    """March the cells of `box`; arguments and result as in `step_godunov`."""
    r0, r1, a, b = box
    n = b - a
    cells = np.empty((9, n + 4), h.dtype)
    before, at, after = cells[:3], cells[3:6], cells[6:]
    rebuilt = np.empty((22, n + 2), h.dtype)
    here, there = rebuilt[:11], rebuilt[11:]
    y_faces = np.empty((8, n), h.dtype)
    below, above = y_faces[:4], y_faces[4:]
    xf = np.empty((4, n + 1), h.dtype)
    by_row, rain_by_row = drag.shape[0] > 1, rain.shape[0] > 1
    fastest: Any = np.int32(0)
    c, d = a - 2, b + 2
    find_velocities(h[r0 - 2, c:d], qx[r0 - 2, c:d], qy[r0 - 2, c:d], at[0], at[1], at[2], dry)
    find_velocities(h[r0 - 1, c:d], qx[r0 - 1, c:d], qy[r0 - 1, c:d], after[0], after[1], after[2], dry)
    for k in range(r0 - 1, r1 + 1):
        before, at, after = at, after, before
        find_velocities(h[k + 1, c:d], qx[k + 1, c:d], qy[k + 1, c:d], after[0], after[1], after[2], dry)
        reconstruct(before, at, after, bed, drag, k, a, b, ratio, dt, there)
        i = k - 1
        if k >= r0:
            pass_sloped_faces(
                here[0, 1 : n + 1], bed[i, a:b], here[2, 1 : n + 1], here[1, 1 : n + 1],
                here[7, 1 : n + 1], here[8, 1 : n + 1], here[10, 1 : n + 1], here[9, 1 : n + 1],
                there[0, 1 : n + 1], bed[k, a:b], there[2, 1 : n + 1], there[1, 1 : n + 1],
                there[7, 1 : n + 1], there[8, 1 : n + 1], there[10, 1 : n + 1], there[9, 1 : n + 1],
                above[0], above[1], above[2], above[3],
            )  # fmt: skip
            if k == GHOSTS:
                through[SOUTH] += above[0].sum()
            if k == h.shape[0] - GHOSTS:
                through[NORTH] -= above[0].sum()
        if i >= r0:
            pass_sloped_faces(
                here[0, : n + 1], bed[i, a - 1 : b], here[1, : n + 1], here[2, : n + 1],
                here[3, : n + 1], here[4, : n + 1], here[5, : n + 1], here[6, : n + 1],
                here[0, 1:], bed[i, a : b + 1], here[1, 1:], here[2, 1:],
                here[3, 1:], here[4, 1:], here[5, 1:], here[6, 1:], xf[0], xf[1], xf[2], xf[3],
            )  # fmt: skip
            fastest = balance_sloped(
                h[i, a:b], qx[i, a:b], qy[i, a:b], new_h[i, a:b], new_qx[i, a:b], new_qy[i, a:b],
                drag[i if by_row else 0, a:b], rain[i if rain_by_row else 0, a:b],
                xf[0, :n], xf[0, 1:], xf[2, :n], xf[1, 1:], xf[3, :n], xf[3, 1:],
                below[0], above[0], below[2], above[1], below[3], above[3],
                here[0, 1 : n + 1], here[3, 1 : n + 1], here[4, 1 : n + 1], here[7, 1 : n + 1], here[8, 1 : n + 1],
                ratio, dt, water, dry, fastest,
            )  # fmt: skip
            if a == GHOSTS:
                through[WEST] += xf[0, 0]
            if b == h.shape[1] - GHOSTS:
                through[EAST] -= xf[0, n]
        here, there = there, here
        below, above = above, below
    return fastest
