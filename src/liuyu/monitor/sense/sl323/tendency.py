"""Tendency of a level, 水势: derived from the levels themselves, and held against what a table says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.monitor.sense.sl323.rules import TENDENCIES, Rules

STEADY = 0.005  # m; half the last digit that a level is reported with
LONGEST = 6 * 3600  # s between two levels of which the later still tells a tendency
FEWEST = 50  # comparisons, below which nothing is said


@dataclass(frozen=True, slots=True)
class Check:
    """How often the codes of a table agree with the change of the level, as they stand and with two exchanged."""

    compared: int
    agree: int
    exchanged: int

    def __add__(self, other: Check) -> Check:
        return Check(self.compared + other.compared, self.agree + other.agree, self.exchanged + other.exchanged)

    @property
    def problem(self) -> str:
        """What is wrong, or nothing."""
        if self.compared < FEWEST or self.agree >= self.exchanged:
            return ""
        share = f"{self.agree / self.compared:.0%} against {self.exchanged / self.compared:.0%}"
        return f"the codes of rising and falling are exchanged: {share} of {self.compared} changes of level agree"


def tendencies(station: NDArray[np.int64], time: NDArray[np.int64], level: NDArray[np.float64]) -> NDArray[np.int8]:
    """Place in TENDENCIES of each row, -1 where nothing can be said: (n,).

    Rows by station, then time; time in s, level in m, NaN where there is none. A row is held against the last one of
    its station that has a level, up to LONGEST before it.
    """
    found = np.full(len(time), -1, np.int8)
    there = np.flatnonzero(np.isfinite(level))
    before, after = there[:-1], there[1:]
    near = (station[before] == station[after]) & (time[after] - time[before] <= LONGEST)
    change = level[after] - level[before]
    kind = np.select([change <= -STEADY, change >= STEADY], [0, 1], 2)
    found[after[near]] = kind[near]
    return found


def check(codes: NDArray[np.object_], derived: NDArray[np.int8], rules: Rules) -> Check:
    """Hold the codes of a table, (n,) texts or None, against derived tendencies, (n,), rises and falls alone."""
    falling, rising = (codes == rules.wptn[name] for name in TENDENCIES[:2])
    compared = (falling | rising) & ((derived == 0) | (derived == 1))
    agree = compared & (rising == (derived == 1))
    return Check(int(compared.sum()), int(agree.sum()), int((compared & ~agree).sum()))
