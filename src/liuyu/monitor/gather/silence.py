"""Who has fallen silent: a station, or the source that carries all of its stations, be it the whole network."""

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
    """Who fell silent and who returned, as places in the roster, and what befell whole sources.

    last: newest time of observation of each of these stations. sources: number, "silent" or "returned", newest time.
    """

    silent: NDArray[np.intp]
    returned: NDArray[np.intp]
    last: NDArray[np.int64]
    sources: tuple[tuple[int, str, int], ...] = ()


@dataclass(slots=True)
class Watch:
    """What must be remembered of n stations to tell silence from quiet.

    seen: (n,) newest time of observation [s UTC], NEVER before the first. interval: (n,) time between reports [s] that
    stations.csv promises. pace: (n,) the same as learned. silent: (n,) announced as silent. source: (n,) number of the
    source that told of the station last. Of each source: `since`, the newest time of observation before it fell
    silent, or NEVER; `resumed`, when it last returned.

    A station is silent when its newest value is older than INTERVALS times its interval, or its pace where that is
    longer: one that reports more often than promised owes no more than it promised. It is the source
    where SHARE of its stations that speak are behind together: then no single station is announced, and the clocks of
    those that stay away start again when the others are back. A station that never reported is not silent.
    """

    seen: NDArray[np.int64]
    interval: NDArray[np.float64]
    pace: NDArray[np.float64] = field(init=False)
    silent: NDArray[np.bool_] = field(init=False)
    source: NDArray[np.int16] = field(init=False)
    since: NDArray[np.int64] = field(init=False)
    resumed: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.pace = self.interval.copy()
        self.silent = np.zeros(len(self.seen), np.bool_)
        self.source = np.zeros(len(self.seen), np.int16)
        self.since, self.resumed = np.full(1, NEVER, np.int64), np.full(1, NEVER, np.int64)

    def attribute(self, station: NDArray[np.int32], source: NDArray[np.int16], sources: int) -> None:
        """Remember which of so many sources told of which stations, the last one."""
        self.source[station] = source
        more = np.full(max(0, sources - len(self.since)), NEVER, np.int64)
        self.since, self.resumed = np.append(self.since, more), np.append(self.resumed, more)

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
        age = now - np.maximum(self.seen, self.resumed[self.source])
        overdue = speaks & (age > INTERVALS * self.pace)
        new, sources = overdue.copy(), []
        for number in range(len(self.since)):
            mine = self.source == number
            state, last = self._judge_source(number, speaks & mine, overdue, now)
            if state:
                sources.append((number, state, last))
            fallen = self.since[number] > NEVER or self._share(self._behind(now), speaks & mine) >= SHARE
            if state or fallen:
                new &= ~mine
        self.silent |= new
        silent, returned = np.flatnonzero(new), np.flatnonzero(back)
        return Change(silent, returned, np.concatenate([self.seen[silent], self.seen[returned]]), tuple(sources))

    def _behind(self, now: int) -> NDArray[np.bool_]:
        return (now - self.seen) > 1.5 * self.pace

    @staticmethod
    def _share(some: NDArray[np.bool_], of: NDArray[np.bool_]) -> float:
        every = np.count_nonzero(of)
        return float(np.count_nonzero(some & of)) / every if every >= FEWEST else 0.0

    def _judge_source(
        self, number: int, speaks: NDArray[np.bool_], overdue: NDArray[np.bool_], now: int
    ) -> tuple[str, int]:
        if self.since[number] == NEVER:
            if self._share(overdue, speaks) < SHARE:
                return "", 0
            self.since[number] = self.seen[speaks].max()
            return "silent", int(self.since[number])
        if self._share(self._behind(now), speaks) >= SHARE:
            return "", 0
        self.since[number], self.resumed[number] = NEVER, now
        return "returned", int(self.seen[speaks].max())
