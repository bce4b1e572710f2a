"""The greatest depth, speed and depth times speed of each cell so far, and when water first came."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from liuyu.physics.flood.compiled import loop
from liuyu.physics.flood.fields import Cells, Integers

INTERVAL = 8  # steps between two looks
ARRIVED = 0.01  # [m] depth from which a cell counts as reached, and its speed as known


class Peaks(NamedTuple):
    """Depth [m], speed [m/s], hazard [m²/s], arrival [s, infinite where none]; shaped as the cells with their frame."""

    depth: Cells
    speed: Cells
    hazard: Cells
    arrival: Cells


@loop
def note_peaks(peaks: Peaks, box: Integers, h: Cells, qx: Cells, qy: Cells, faces: int, t: Any) -> None:
    """Look at the cells of a piece of work. `faces` is 1 where discharges stand at western and southern faces."""
    real = type(t)
    half, least = real(0.5), real(ARRIVED)
    a, b = box[2], box[3]
    for i in range(box[0], box[1]):
        depth, east, north = h[i, a:b], qx[i, a + faces : b + faces], qy[i + faces, a:b]
        x, y = qx[i, a:b], qy[i, a:b]
        top, speed, hazard, arrival = (
            peaks.depth[i, a:b],
            peaks.speed[i, a:b],
            peaks.hazard[i, a:b],
            peaks.arrival[i, a:b],
        )
        for j in range(len(depth)):
            p, q = half * (x[j] + east[j]), half * (y[j] + north[j])
            flow = math.sqrt(p * p + q * q)
            there = depth[j] > least
            fast = flow / depth[j] if there else real(0.0)
            top[j] = max(top[j], depth[j])
            hazard[j] = max(hazard[j], flow)
            speed[j] = max(speed[j], fast)
            arrival[j] = min(arrival[j], t) if there else arrival[j]
