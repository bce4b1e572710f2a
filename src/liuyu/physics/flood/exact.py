"""Exact solutions of the shallow water equations, for proof. Places in m, times in s, depths in m, speeds in m/s.

[1] Ritter A. (1892) Die Fortpflanzung der Wasserwellen. Z. VDI 36(33), 947-954.
[2] Stoker J. J. (1957) Water Waves. Interscience. Section 10.8.
[3] Thacker W. C. (1981) Some exact solutions to the nonlinear shallow-water wave equations. J. Fluid Mech. 107,
    499-508.
[4] MacDonald I. et al. (1997) Analytic benchmark solutions for open-channel flows. J. Hydraul. Eng. 123(11), 1041-1045.
[5] Delestre O. et al. (2013) SWASHES: a compilation of shallow water analytic solutions. Int. J. Numer. Methods Fluids
    72(3), 269-300.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.flood.laws import GRAVITY

Floats = NDArray[np.float64]


def ritter(x: Floats, t: float, depth: float, slope: float = 0.0) -> tuple[Floats, Floats]:
    """Depth and speed after a dam at 0 broke, still water of `depth` on its left and a dry bed on its right [1].

    On a bed that falls by `slope` to the right, with water of even depth, the same runs in a frame that falls with the
    slope: x is less by g S t² / 2 and the speed more by g S t.
    """
    celerity = np.sqrt(GRAVITY * depth)
    s = (x - 0.5 * GRAVITY * slope * t * t) / t
    h = np.where(s < -celerity, depth, np.where(s > 2.0 * celerity, 0.0, (2.0 * celerity - s) ** 2 / (9.0 * GRAVITY)))
    u = np.where(s < -celerity, 0.0, 2.0 / 3.0 * (s + celerity)) + GRAVITY * slope * t
    return h, np.where(h > 0.0, u, 0.0)


def stoker(x: Floats, t: float, left: float, right: float) -> tuple[Floats, Floats]:
    """Depth and speed after a dam at 0 broke between still water of two depths, left > right > 0 [2]."""
    celerity = np.sqrt(GRAVITY * left)
    low, high = right, left
    for _ in range(200):
        middle = 0.5 * (low + high)
        jump = (middle - right) * np.sqrt(0.5 * GRAVITY * (middle + right) / (middle * right))
        low, high = (middle, high) if 2.0 * (celerity - np.sqrt(GRAVITY * middle)) > jump else (low, middle)
    speed = 2.0 * (celerity - np.sqrt(GRAVITY * middle))
    shock = middle * speed / (middle - right)
    s = x / t
    tail = speed - np.sqrt(GRAVITY * middle)
    places = [s < -celerity, s < tail, s < shock]
    h = np.select(
        places, [np.full_like(s, left), (2.0 * celerity - s) ** 2 / (9.0 * GRAVITY), np.full_like(s, middle)], right
    )
    u = np.select(places, [np.zeros_like(s), 2.0 / 3.0 * (s + celerity), np.full_like(s, speed)], 0.0)
    return h, u


def planar_bowl(x: Floats, y: Floats, t: float) -> tuple[Floats, Floats, Floats, Floats]:
    """Bed, depth and velocities of a plane surface that runs round a paraboloid of 0.1 m and radius 1 m [3, 5]."""
    radius, deep, swing = 1.0, 0.1, 0.5
    omega = np.sqrt(2.0 * GRAVITY * deep) / radius
    bed = deep * ((x * x + y * y) / radius**2 - 1.0)
    c, s = np.cos(omega * t), np.sin(omega * t)
    h = np.maximum(swing * deep / radius**2 * (2.0 * x * c + 2.0 * y * s - swing) - bed, 0.0)
    return bed, h, np.where(h > 0.0, -swing * omega * s, 0.0), np.where(h > 0.0, swing * omega * c, 0.0)


PLANAR_PERIOD = 2.0 * np.pi / np.sqrt(2.0 * GRAVITY * 0.1)  # [s]


def radial_bowl(x: Floats, y: Floats, t: float) -> tuple[Floats, Floats]:
    """Bed and depth of a curved surface that swings in the same bowl, from 0.8 m of radius at the start [3, 5]."""
    radius, deep, first = 1.0, 0.1, 0.8
    omega = np.sqrt(8.0 * GRAVITY * deep) / radius
    a = (radius**2 - first**2) / (radius**2 + first**2)
    distance = (x * x + y * y) / radius**2
    bed = deep * (distance - 1.0)
    k = 1.0 - a * np.cos(omega * t)
    level = deep * (np.sqrt(1.0 - a * a) / k - 1.0 - distance * ((1.0 - a * a) / k**2 - 1.0))
    return bed, np.maximum(level - bed, 0.0)


RADIAL_PERIOD = 2.0 * np.pi / np.sqrt(8.0 * GRAVITY * 0.1)  # [s]


def macdonald(x: Floats, kind: str, q: float = 2.0, manning: float = 0.033) -> tuple[Floats, Floats]:
    """Bed and depth of a steady flow of unit discharge q [m²/s] on 1,000 m, "subcritical" or "transcritical" [4, 5].

    The depth is chosen and the bed follows from it: dz/dx = (q² / (g h³) - 1) dh/dx - n² q² h^(-10/3), summed along a
    hundred times finer line; it is 0 at the end.
    """
    fine = np.linspace(0.0, 1000.0, 200_001)
    h, slope = _macdonald_depth(fine, kind, q)
    steepness = (q * q / (GRAVITY * h**3) - 1.0) * slope - manning**2 * q * q / h ** (10.0 / 3.0)
    bed = np.concatenate([[0.0], np.cumsum(0.5 * (steepness[1:] + steepness[:-1]) * np.diff(fine))])
    return np.interp(x, fine, bed - bed[-1]), _macdonald_depth(x, kind, q)[0]


def _macdonald_depth(x: Floats, kind: str, q: float) -> tuple[Floats, Floats]:
    critical = (q * q / GRAVITY) ** (1.0 / 3.0)
    s = x / 1000.0 - 0.5
    if kind == "subcritical":
        bump = 0.5 * np.exp(-16.0 * s * s)
        return critical * (1.0 + bump), critical * bump * -32.0 * s / 1000.0
    height, rate = np.where(s < 0.0, 1.0 / 3.0, 1.0 / 6.0), np.where(s < 0.0, 3.0, 6.0)
    bend = np.tanh(rate * s)
    return critical * (1.0 - height * bend), -critical * height * rate * (1.0 - bend * bend) / 1000.0
