"""Flood routing along a reach: the Muskingum method in a cascade, and pure lag.

A reach with travel time K and weight x stores S = K (x I + (1 - x) O) (McCarthy 1938). Written implicitly over a step
dt it becomes O1 = c0 I1 + c1 I0 + c2 O0. The three weights sum to one, so that no water is lost, and are all
non-negative while 2 K x <= dt <= 2 K (1 - x); outside that range the answer dips below zero ahead of a wave. A long
reach is therefore cut into equal sub-reaches, each within the range (Cunge 1969). A cascade of n delays a wave by K in
the mean and spreads it by a standard deviation of K sqrt((1 - 2 x) / n).

[1] McCarthy G.T. (1938) The unit hydrograph and flood routing. US Army Corps of Engineers.
[2] Cunge J.A. (1969) On the subject of a flood propagation computation method. J. Hydraulic Research 7(2).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled


@compiled
def sub_reaches(travel: float, x: float, dt: float) -> int:
    """Fewest equal sub-reaches that keep every Muskingum weight non-negative; there always are for x <= 1/3.

    travel: K of the whole reach, in the unit of dt; x: weight in [0, 0.5). A reach too short for any (2 K (1 - x) < dt)
    gets 0: it hands its inflow on within the step.
    """
    least = math.ceil(2.0 * travel * x / dt - 1e-9)
    most = math.floor(2.0 * travel * (1.0 - x) / dt + 1e-9)
    if most < 1:
        return 0
    return max(1, min(least, most))


@compiled
def muskingum_weights(travel: float, x: float, dt: float) -> tuple[float, float, float]:
    """Weights (c0, c1, c2) of inflow now, inflow before and outflow before; they sum to one [1]."""
    below = 2.0 * travel * (1.0 - x) + dt
    return (dt - 2.0 * travel * x) / below, (dt + 2.0 * travel * x) / below, (2.0 * travel * (1.0 - x) - dt) / below


@compiled
def muskingum_step(flow: NDArray[np.float64], inflow: float, travel: float, x: float, dt: float, count: int) -> float:
    """One step of a cascade of `count` sub-reaches, in place; returns the outflow [m3/s].

    flow: (count + 1,) flow at the head and behind each sub-reach one step ago [m3/s]; afterwards, now. With count 0 the
    inflow is handed on.
    """
    if count == 0:
        flow[0] = inflow
        return inflow
    c0, c1, c2 = muskingum_weights(travel / count, x, dt)
    before = flow[0]
    flow[0] = inflow
    for place in range(1, count + 1):
        old = flow[place]
        flow[place] = c0 * flow[place - 1] + c1 * before + c2 * old
        before = old
    return float(flow[count])


@compiled
def cascade_storage(flow: NDArray[np.float64], travel: float, x: float, count: int) -> float:
    """Water within a cascade [m3/s times the unit of travel]: the sum of K/n (x I + (1 - x) O)."""
    total = 0.0
    for place in range(1, count + 1):
        total += travel / count * (x * flow[place - 1] + (1.0 - x) * flow[place])
    return total


@compiled
def muskingum(inflow: NDArray[np.float64], travel: float, x: float, dt: float) -> NDArray[np.float64]:
    """Outflow of a reach for a whole inflow hydrograph, which was steady before it begins.

    inflow: (n,) [m3/s]; travel, dt: in one unit; x in [0, 0.5). Returns (n,) [m3/s].
    """
    count = sub_reaches(travel, x, dt)
    flow = np.full(count + 1, inflow[0])
    out = np.empty_like(inflow)
    for step in range(len(inflow)):
        out[step] = muskingum_step(flow, inflow[step], travel, x, dt, count)
    return out


@compiled
def lag(inflow: NDArray[np.float64], delay: float, dt: float) -> NDArray[np.float64]:
    """Inflow moved later by a delay, linear between steps, steady before: (n,) [m3/s]; delay, dt in one unit."""
    whole = math.floor(delay / dt)
    part = delay / dt - whole
    out = np.empty_like(inflow)
    for step in range(len(inflow)):
        late = inflow[max(step - whole, 0)]
        later = inflow[max(step - whole - 1, 0)]
        out[step] = (1.0 - part) * late + part * later
    return out
