"""How good forecasts of a series were: one row of `skill.csv` from errors, what came, and how wide the spread was."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.grading import find_profile
from liuyu.twin.model import Skill

Floats = NDArray[np.float64]
SCORED_LEADS = (24, 48, 72, 120, 168, 192, 240)
FEWEST = 10


def skill_row(
    target: tuple[str, str], lead_h: int, forecast: Floats, real: Floats, now: Floats, coverage: float
) -> Skill:
    """Scores of forecasts (n,) against what came (n,), with the value at issue (n,) as persistence [unit].

    coverage: share of values inside the 80 % interval. qr [%], dc [1] and grade are those of the grading profile in
    force (GB/T 22482); a series that did not move at all has neither dc nor grade.
    """
    miss, change = forecast - real, real - now
    profile = find_profile()
    permissible = profile.permissible(target[1], change, real)
    qr = 100.0 * float((np.abs(miss) <= permissible + 1e-9).mean())
    moved = float(np.sum((real - real.mean()) ** 2))
    dc = 1.0 - float(np.sum(miss**2)) / moved if moved > 0.0 else None
    return Skill(
        station=target[0],
        quantity=target[1],
        lead_h=lead_h,
        n=len(real),
        rmse=float(np.sqrt(np.mean(miss**2))),
        mae=float(np.mean(np.abs(miss))),
        rmse_persistence=float(np.sqrt(np.mean(change**2))),
        coverage_80=coverage,
        qr=qr,
        dc=dc,
        grade="" if dc is None else profile.grade(qr, dc),
    )
