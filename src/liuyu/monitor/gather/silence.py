"""Who has fallen silent: a station, or the network that carries all of them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY

NEVER = np.iinfo(np.int64).min // 4
INTERVALS = 3
SHARE = 0.6
FEWEST = 3
LEARNING = 0.1
LONGEST = 4.0  # of the pace; more is an outage, from which little is to be learned


@dataclass(frozen=True, slots=True)
class Change:
    """Who fell silent and who returned, as places in the roster, and what befell the network, if anything."""

    silent: NDArray[np.intp]
    returned: NDArray[np.intp]
    last: NDArray[np.int64]
    network: str = ""
    network_last: int = 0


@dataclass(slots=True)
class Watch:
    """What must be remembered of n stations to tell silence from quiet.

    seen: (n,) newest time of observation [s UTC], NEVER before the first. interval: (n,) time between reports [s] that
    stations.csv promises. pace: (n,) the same as learned. silent: (n,) announced as silent. `network_since`: the newest
    time of observation before the network fell silent, or NEVER; `resumed`: when it last returned.

    A station is silent when its newest value is older than INTERVALS times its interval, or its pace where that is
    longer: one that reports more often than promised owes no more than it promised. It is the network
    where SHARE of the stations that speak are behind together: then no single station is announced, and the clocks of
    those that stay away start again when the others are back. A station that never reported is not silent.
    """

    seen: NDArray[np.int64]
    interval: NDArray[np.float64]
    pace: NDArray[np.float64] = field(init=False)
    silent: NDArray[np.bool_] = field(init=False)
    network_since: int = NEVER
    resumed: int = NEVER

    def __post_init__(self) -> None:
        self.pace = self.interval.copy()
        self.silent = np.zeros(len(self.seen), np.bool_)

    def hear(self, newest: NDArray[np.int64], reports: NDArray[np.int64]) -> NDArray[np.int64]:
        """Take in the newest time of each station's new reports (n,) and their number (n,).

        Returns the newest times as they were before.
        """
        before = self.seen
        fresh = (reports > 0) & (newest > before)
        known = fresh & (before > NEVER)
        gap = np.minimum((newest - before) / np.maximum(reports, 1), np.minimum(LONGEST * self.pace, DAY))
        learned = np.maximum(self.pace + LEARNING * (gap - self.pace), self.interval)
        self.pace = np.where(known, learned, self.pace)
        self.seen = np.where(fresh, newest, before)
        return before

    def judge(self, before: NDArray[np.int64], now: int) -> Change:
        """Who is silent now that was not, and who is back, after `hear`; `before` is what `hear` returned."""
        back = self.silent & (self.seen > before)
        self.silent &= ~back
        speaks = (self.seen > NEVER) & ~self.silent
        age = now - np.maximum(self.seen, self.resumed)
        overdue = speaks & (age > INTERVALS * self.pace)
        network, network_last = self._judge_network(speaks, overdue, now)
        together = self.network_since > NEVER or self._share(speaks & self._behind(now), speaks) >= SHARE
        new = np.zeros_like(overdue) if together or network else overdue
        self.silent |= new
        fallen, returned = np.flatnonzero(new), np.flatnonzero(back)
        last = np.concatenate([self.seen[fallen], self.seen[returned]])
        return Change(fallen, returned, last, network, network_last)

    def _behind(self, now: int) -> NDArray[np.bool_]:
        return (now - self.seen) > 1.5 * self.pace

    @staticmethod
    def _share(some: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
        every = np.count_nonzero(of)
        return float(np.count_nonzero(some)) / every if every >= FEWEST else 0.0

    def _judge_network(self, speaks: NDArray[np.bool_], overdue: NDArray[np.bool_], now: int) -> tuple[str, int]:
        if self.network_since == NEVER:
            if self._share(overdue, speaks) < SHARE:
                return "", 0
            self.network_since = int(self.seen[speaks].max())
            return "silent", self.network_since
        if self._share(speaks & self._behind(now), speaks) >= SHARE:
            return "", 0
        self.network_since, self.resumed = NEVER, now
        return "returned", int(self.seen[speaks].max())
