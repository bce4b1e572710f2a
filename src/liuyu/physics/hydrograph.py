"""Rain to runoff of a small basin: initial loss and runoff coefficient, linear reservoirs, unit hydrograph.

A linear reservoir S = K Q fed with I answers dQ/dt = (I - Q) / K; over a step with constant I the exact answer is
Q1 = I + (Q0 - I) exp(-dt / K) (Nash 1957 strings n of them, whose unit hydrograph is a gamma density).

[1] Nash J.E. (1957) The form of the instantaneous unit hydrograph. IAHS Publ. 45.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled


@compiled
def linear_reservoir(q: float, inflow: float, k: float, dt: float) -> float:
    """Outflow after a step of constant inflow, exactly. q, inflow in one unit; k, dt in one unit of time."""
    return inflow + (q - inflow) * math.exp(-dt / k)


@compiled
def linear_reservoir_mean(q: float, inflow: float, k: float, dt: float) -> float:
    """Mean outflow over a step of constant inflow: inflow less what the reservoir took up, k (Q1 - Q0) / dt."""
    return inflow - k * (linear_reservoir(q, inflow, k, dt) - q) / dt


@compiled
def excess_rain(rain: NDArray[np.float64], initial_loss: float, coefficient: float) -> NDArray[np.float64]:
    """Rain that runs off [mm]: nothing until `initial_loss` [mm] has fallen, then a share. rain: (n,) [mm a step]."""
    out = np.empty_like(rain)
    missing = initial_loss
    for step in range(len(rain)):
        taken = min(missing, rain[step])
        missing -= taken
        out[step] = coefficient * (rain[step] - taken)
    return out


@compiled
def nash_unit_hydrograph(count: float, k: float, dt: float, length: int) -> NDArray[np.float64]:
    """Share of a step's excess rain that flows off in each later step: (length,), sum 1 [1].

    count: number of reservoirs, n >= 1; k: storage constant of each; k and dt in one unit.
    """
    out = np.empty(length)
    for step in range(length):
        middle = (step + 0.5) * dt / k
        out[step] = middle ** (count - 1.0) * math.exp(-middle)
    total = out.sum()
    for step in range(length):
        out[step] /= total
    return out


@compiled
def convolve(excess: NDArray[np.float64], unit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Runoff per step from excess rain per step and a unit hydrograph; (n,) in the unit of `excess`."""
    out = np.zeros_like(excess)
    for step in range(len(excess)):
        if excess[step] != 0.0:
            for later in range(min(len(unit), len(excess) - step)):
                out[step + later] += excess[step] * unit[later]
    return out
