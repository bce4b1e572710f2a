"""Asks a service again and again: backs off when it is silent, says so once, and fills the gap when it is back."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event as Signal

import msgspec

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, SourceNote, announce
from liuyu.basin.places import Basin
from liuyu.monitor.sense.pollers.http import get
from liuyu.monitor.sense.pollers.service import Service, Unanswered
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer, Reading

Fetch = Callable[[str], bytes]
OVERLAP = 3 * 3600
SILENT_AFTER = 3
LONGEST_WAIT = 3600.0
_log = logging.getLogger("liuyu.pollers")


@dataclass(frozen=True, slots=True)
class Polled:
    """One try: what came, what is to be announced, and how long to wait [s] before the next."""

    reading: Reading
    events: tuple[Event, ...]
    wait: float
    reason: str = ""


class _State(msgspec.Struct):
    """What outlives the process: the newest observation, tries that failed since, and whether silence was announced."""

    until: int
    failures: int = 0
    silent: bool = False


class Poller:
    """Polls one service for the stations of a basin.

    `start` [s UTC] is where it begins; `every` [s] is the wait after a success. After a failure it waits twice as long
    each time, up to an hour, spread by a generator with the given seed, lest many twins ask at once, and never less
    than the service asked for. After SILENT_AFTER failures it announces the silence, once; then its return, once. Each
    fetch reaches OVERLAP back from the newest observation so far, for values that come late, and so fills any gap.
    """

    def __init__(
        self,
        service: Service,
        mapping: Mapping,
        basin: Basin,
        start: int,
        *,
        address: str = "",
        every: float = 600.0,
        seed: int = 0,
        fetch: Fetch = get,
    ) -> None:
        self._service, self._mapping, self._basin = service, mapping, basin
        self._address = (address or service.address).rstrip()
        self._every, self._fetch = every, fetch
        self._dice = random.Random(f"{service.name} {seed}")
        self._state = _State(start)

    @property
    def name(self) -> str:
        """The service's name."""
        return self._service.name

    def fetch(self, since: int, now: int) -> Reading:
        """What the service tells of (since, now], in pieces it can answer. Raises Unanswered."""
        gatherer = Gatherer(self.name, self._basin.roster, self.name, self._mapping.codes)
        since = max(since, now - self._service.reach) if self._service.reach else since
        for after in range(since, max(now, since + 1), self._service.longest):
            until = min(after + self._service.longest, now)
            for request in self._service.requests(self._address, self._mapping, after, until):
                self._read(self._fetch(request), request, gatherer)
        return gatherer.reading()

    def _read(self, body: bytes, request: str, gatherer: Gatherer) -> None:
        try:
            self._service.read(body, request, self._mapping, gatherer)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Unanswered(f"{request} answered in another form ({error!r}); has the service changed?") from None

    def step(self, now: int) -> Polled:
        """One try at a time `now` [s UTC]. Raises BadInput alone, where the mapping does not suit the service."""
        try:
            reading = self.fetch(self._state.until - OVERLAP, now)
        except Unanswered as error:
            return self._failed(now, error)
        events = self._returned(now) if self._state.silent else ()
        newest = int(reading.batch.time.max()) if len(reading.batch) else self._state.until
        self._state = _State(max(self._state.until, min(newest, now)))
        return Polled(reading, events, self._every)

    def _failed(self, now: int, error: Unanswered) -> Polled:
        self._state.failures += 1
        backed = min(self._every * 2 ** (self._state.failures - 1), max(LONGEST_WAIT, self._every))
        wait = max(backed * self._dice.uniform(0.5, 1.0), error.wait)
        events: tuple[Event, ...] = ()
        if self._state.failures >= SILENT_AFTER and not self._state.silent:
            self._state.silent = True
            _log.warning("%s is silent since %s: %s", self.name, moment(self._state.until), error)
            zh, en = f"数据源 {self.name} 中断：{error}", f"Source {self.name} is silent: {error}"
            events = (self._note("silent", now, zh, en),)
        nothing = Gatherer(self.name, self._basin.roster).reading()
        return Polled(nothing, events, wait, str(error))

    def _returned(self, now: int) -> tuple[Event, ...]:
        minutes = (now - self._state.until) // 60
        lost = max(0, minutes - self._service.reach // 60)
        _log.warning("%s has returned after %d minutes, of which %d cannot be filled", self.name, minutes, lost)
        zh = f"数据源 {self.name} 恢复，中断 {minutes} 分钟，其中 {lost} 分钟无法补齐"
        en = f"Source {self.name} has returned after {minutes} minutes, of which {lost} cannot be filled"
        return (self._note("returned", now, zh, en),)

    def _note(self, state: str, now: int, zh: str, en: str) -> Event:
        last = moment(self._state.until)
        note = SourceNote(id=f"source:service:{self.name}", station="", last=last, title={"zh": zh, "en": en})
        return announce(note, state=state, time=moment(now), subject=self._basin.code)

    def run(self, clock: Callable[[], int], deliver: Callable[[Polled], None], stop: Signal) -> None:
        """Poll until told to stop: the body of a thread. `clock` tells the time [s UTC]."""
        while not stop.is_set():
            polled = self.step(clock())
            deliver(polled)
            stop.wait(polled.wait)

    def dump(self) -> bytes:
        """What a later process needs to go on without a gap."""
        return msgspec.json.encode({"state": self._state, "dice": self._dice.getstate()})

    def load(self, blob: bytes) -> None:
        """Go on from a dump. Raises BadInput where it is none."""
        try:
            content = msgspec.json.decode(blob)
            version, numbers, gauss = content["dice"]
            self._state = msgspec.convert(content["state"], _State)
            self._dice.setstate((version, tuple(numbers), gauss))
        except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
            raise BadInput(f"state of poller {self.name} cannot be read ({error}); begin it afresh") from None
