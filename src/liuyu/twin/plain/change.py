"""What a person changes in a plain: breaches of levees, detention basins that are opened, gates that fail."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.physics.channel.sections import GRAVITY

Floats = NDArray[np.float64]
_LOWERING = 0.1  # share of the duration in which the first gap is worn down to its bottom
_FIRST = 0.1  # share of the final width that the first gap has
_F1, _F2 = 1.3, 0.04  # Verheij and van der Knaap's factors
_SPENT = 30.0  # powers of ten of time after which a breach no longer widens


class Breach(msgspec.Struct, frozen=True, kw_only=False):
    """A levee gives way: at a chainage [m] of its reach, from `start_s`, to a final width [m] after `duration_s`.

    `bottom_m` is the level down to which it wears; None takes the ground behind it. `law` "linear" widens at one rate
    after a first gap of a tenth of the width has been worn down in a tenth of the duration. "verheij" widens after
    Verheij and van der Knaap (2002) by the fall of the water, for soil that gives way at `critical_m_s` (sand 0.2,
    good clay 0.5), with `width_m` as the most it can reach and `duration_s` the time of the first wearing down.
    """

    levee: str
    chainage_m: float
    start_s: float = 0.0
    width_m: float = 200.0
    bottom_m: float | None = None
    duration_s: float = 3600.0
    law: Literal["linear", "verheij"] = "linear"
    critical_m_s: float = 0.2


class Opening(msgspec.Struct, frozen=True, kw_only=False):
    """The gate of a detention basin opens at `start_s` and shuts at `close_s`; None leaves it open."""

    detention: str
    start_s: float = 0.0
    close_s: float | None = None


class PlainChange(msgspec.Struct, frozen=True, kw_only=True):
    """What differs from the plain as it is. `failed_gates` name detention basins whose gate does not move, or gates and
    releases of the river that stay as they are at the start."""

    breaches: tuple[Breach, ...] = ()
    openings: tuple[Opening, ...] = ()
    failed_gates: tuple[str, ...] = ()


class Growth:
    """A breach as it grows: `grow` is told time and fall, and says how wide it is and how low.

    Verheij and van der Knaap: B = f1 sqrt(g) H^1.5 / u_c log10(1 + f2 g t / u_c) for a fall H [m] that stays; we go on
    from the width that is there, so that a fall that lessens slows it and never narrows it.

    Verheij H. J., van der Knaap F. C. M. (2002) Modification breach growth model in HIS-OM. WL | Delft Hydraulics
    report Q3299 (in Dutch); as given by Verheij H. J. (2003) Aanpassen van het bresgroeimodel in HIS-OM.
    """

    def __init__(self, breach: Breach) -> None:
        self.breach = breach
        self.width = 0.0
        self._at = breach.start_s

    def grow(self, now: float, fall: float) -> tuple[float, float]:
        """Width [m] and share of the way down (0 to 1) at a time [s], with the fall of the water across it [m]."""
        breach = self.breach
        since = now - breach.start_s
        if since < 0.0:
            return 0.0, 0.0
        lowering = breach.duration_s * (1.0 if breach.law == "verheij" else _LOWERING)
        down = 1.0 if lowering <= 0.0 else min(since / lowering, 1.0)
        first = _FIRST * breach.width_m
        if breach.law == "linear":
            left = breach.duration_s - lowering
            wide = 1.0 if left <= 0.0 else float(np.clip((since - lowering) / left, 0.0, 1.0))
            self.width = max(self.width, first + wide * (breach.width_m - first))
        else:
            step = max(min(now - self._at, since - lowering), 0.0)
            self.width = max(self.width, first)
            self.width = min(self._after(step, max(fall, 0.0)), breach.width_m)
        self._at = now
        return self.width, down

    def _after(self, step: float, fall: float) -> float:
        """Width [m] after a step [s] in which the fall stays: on from the time at which the law gives the width now."""
        soil = self.breach.critical_m_s
        scale = _F1 * np.sqrt(GRAVITY) * fall**1.5 / soil
        if scale <= 0.0 or self.width / scale > _SPENT:
            return self.width
        quick = _F2 * GRAVITY / soil
        return float(scale * np.log10(10.0 ** (self.width / scale) + quick * step))
