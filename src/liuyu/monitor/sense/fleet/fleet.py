"""Thousands of simulated stations in one process."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.fleet.faults import Faults
from liuyu.monitor.sense.fleet.lines import Line, Over
from liuyu.monitor.sense.fleet.scripts import Report, Script
from liuyu.monitor.sense.fleet.station import Nature, SimulatedStation

DIALS = 100
TIMES_KEPT = 1_000_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the reports: confirmed ones, and those that stations still keep.

    seconds: how long it took. median, p99: from sending a frame to its confirmation [s]. counts: what else happened.
    """

    stations: int
    reports: int
    confirmed: int
    kept: int
    seconds: float
    median: float
    p99: float
    counts: dict[str, int]


class Fleet:
    """Plays a script to a station server, the same way for the same seed as far as the server lets it.

    speed: twin seconds per second, infinite for as fast as confirmations come. sources: local addresses to call from,
    each good for some 25,000 connections; empty leaves it to the system. start: the time of observation at which the
    play begins [s UTC]. confirmed: hears each report that was. over: connections or datagrams. nature: how the stations
    work. stay: how long they answer orders after their last report [s]. clock: the true time [s UTC], for their clocks.
    """

    def __init__(
        self,
        script: Script,
        host: str,
        port: int,
        *,
        speed: float = math.inf,
        start: int = 0,
        faults: Faults | None = None,
        seed: int = 0,
        timeout: float = 5.0,
        sources: Sequence[str] = (),
        confirmed: Callable[[Report], None] | None = None,
        over: Over = "tcp",
        nature: Nature | None = None,
        stay: float = 0.0,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self._over, self._stay = over, stay
        self.counts: Counter[str] = Counter()
        self._script, self._host, self._port = script, host, port
        self._speed, self._start, self._sources = speed, start, tuple(sources)
        self._confirmed = confirmed
        self._times: list[float] = []
        self._dialling: asyncio.Semaphore | None = None
        self._begun = 0.0
        self._stations = [
            SimulatedStation(
                address,
                np.random.default_rng((seed, place)),
                faults or Faults(),
                dial=self._dial,
                told=self._hear,
                count=self._count,
                timeout=timeout,
                nature=nature,
                clock=clock,
            )
            for place, address in enumerate(script)
        ]

    async def connect(self) -> int:
        """Open a connection for each station and keep it; how many stand."""
        self._dialling = asyncio.Semaphore(DIALS)
        return sum(await asyncio.gather(*(each.connect() for each in self._stations)))

    async def play(self) -> Outcome:
        """Play the script to its end and hang up."""
        loop = asyncio.get_running_loop()
        self._dialling = self._dialling or asyncio.Semaphore(DIALS)
        self._begun = loop.time()
        await asyncio.gather(*(each.play(self._script[each.address], self._due) for each in self._stations))
        seconds = loop.time() - self._begun
        if self._stay:
            await asyncio.sleep(self._stay)
        for station in self._stations:
            station.hang_up()
        return self._outcome(seconds)

    def _outcome(self, seconds: float) -> Outcome:
        times = np.array(self._times or [math.nan])
        median, p99 = np.quantile(times, (0.5, 0.99)).tolist()
        return Outcome(
            stations=len(self._stations),
            reports=self.counts["reports"],
            confirmed=self.counts["confirmed"],
            kept=sum(len(each.kept) for each in self._stations),
            seconds=seconds,
            median=median,
            p99=p99,
            counts=dict(sorted(self.counts.items())),
        )

    async def _due(self, report: Report) -> None:
        if math.isfinite(self._speed):
            due = self._begun + (report.observed - self._start) / self._speed
            await asyncio.sleep(max(0.0, due - asyncio.get_running_loop().time()))

    async def _dial(self, line: Line) -> None:
        assert self._dialling is not None
        local = None
        if self._sources:
            local = (self._sources[self.counts["connections"] % len(self._sources)], 0)
        loop, there = asyncio.get_running_loop(), (self._host, self._port)
        line.over = self._over
        async with self._dialling:
            if self._over == "udp":
                await loop.create_datagram_endpoint(lambda: line, local, there)
            else:
                await loop.create_connection(lambda: line, *there, local_addr=local)

    def _hear(self, report: Report, took: float) -> None:
        self.counts["confirmed"] += 1
        if len(self._times) < TIMES_KEPT:
            self._times.append(took)
        if self._confirmed is not None:
            self._confirmed(report)

    def _count(self, name: str) -> None:
        self.counts[name] += 1


def only_here(host: str) -> str:
    """The host, if it is this machine. Raises BadInput for any other: a simulated fleet must not call a real centre."""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if not here:
        raise BadInput(f"{host} is not this machine, and the fleet is simulated; give --anywhere if that is meant")
    return host
