"""Loops over one row of cells or faces: the laws on contiguous numbers, which become vector instructions.

Every argument is a slice of a row, so that no index is negative and a compiler sees plain strides. Cells no deeper than
`dry` hold their water: they enter the faces as depth 0, so that a face between two of them passes exactly nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import inner
from liuyu.physics.flood.fields import TOO_LONG
from liuyu.physics.flood.laws import after_friction, face_flux

Row = NDArray[Any]


@inner
def find_velocities(h: Row, qx: Row, qy: Row, moving: Row, u: Row, v: Row, dry: float) -> None:
    """Depth that may move [m], velocities [m/s]."""
    real = type(dry)
    zero, one = real(0.0), real(1.0)
    for j in range(len(u)):
        wet = h[j] > dry
        r = one / (h[j] if wet else one)
        r = r if wet else zero
        moving[j] = h[j] if wet else zero
        u[j] = qx[j] * r
        v[j] = qy[j] * r


@inner
def pass_faces(
    hl: Row, hr: Row, zl: Row, zr: Row, nl: Row, nr: Row, al: Row, ar: Row, mass: Row, left: Row, right: Row, along: Row
) -> None:
    """`face_flux` of a row of faces: depths and beds on both sides, velocities normal and along."""
    for j in range(len(mass)):
        mass[j], left[j], right[j], along[j] = face_flux(hl[j], hr[j], zr[j] - zl[j], nl[j], nr[j], al[j], ar[j])


@inner
def balance(
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
    ratio: float,
    dt: float,
    water: float,
    dry: float,
    fastest: Any,
) -> Any:
    """The new state of a row from the fluxes around it; returns the bits of the greatest speed (NaN beats all).

    A cell that would give more water than it holds reports the speed TOO_LONG: the step is not to stand.

    `ratio` is dt / cell size, `water` the multiple of `rain` that falls in the step.
    """
    real = type(dry)
    zero, slack, too_long = real(0.0), real(-1e-13), real(TOO_LONG)
    for j in range(len(h)):
        depth = h[j] - ratio * ((east[j] - west[j]) + (north[j] - south[j])) + water * rain[j]
        drained = depth < slack
        depth = zero if depth < zero else depth
        p = qx[j] - ratio * ((east_x[j] - west_x[j]) + (north_x[j] - south_x[j]))
        q = qy[j] - ratio * ((east_y[j] - west_y[j]) + (north_y[j] - south_y[j]))
        new_h[j] = depth
        new_qx[j], new_qy[j], speed = after_friction(depth, p, q, dt * drag[j], dry)
        speed = too_long if drained else speed
        fastest = max(fastest, np.float32(abs(speed)).view(np.int32))
    return fastest
