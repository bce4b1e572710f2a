"""`kind = "service"`: a public service that is asked again and again; a gap is filled when it answers again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec

from liuyu.app.sources import source
from liuyu.app.sources.source import Place, Wrong, deliver, write_durably
from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.monitor.sense.pollers import SERVICES, Polled, Poller, service
from liuyu.monitor.sense.readers import read_mapping
from liuyu.monitor.sense.readers.mapping import Mapping as MappingFile
from liuyu.store.inbox.interface import Parcel


class Settings(source.Settings, frozen=True, kw_only=True):
    """Which service, by which mapping file, how often [s], at which address, and from how many days ago at first."""

    service: str
    mapping: str = ""
    every: Annotated[float, msgspec.Meta(ge=1)] = 600.0
    address: str = ""
    back_days: Annotated[float, msgspec.Meta(ge=0, le=366)] = 1.0

    @property
    def title(self) -> str:
        """Its name, or that of the service."""
        return self.name or self.service

    def faults(self) -> Iterator[Wrong]:
        """A service that there is not, and a mapping that cannot be read."""
        if self.service.replace("-", "_") not in SERVICES:
            yield "service", "is no service", f"known: {', '.join(SERVICES)}"
        if self.mapping:
            try:
                read_mapping(Path(self.mapping))
            except BadPackage as error:
                yield from (("mapping", str(each), "mend the mapping file") for each in error.faults)


class Service:
    """Satisfies `Source`. What it must remember to fill a gap is in `poller.json` of its folder."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name, self._settings, self._place = settings.title, settings, place
        self._mapping = read_mapping(Path(settings.mapping)) if settings.mapping else MappingFile()
        self._service = service(settings.service.replace("-", "_"))
        self._state = place.folder / "poller.json"
        self._counts: Counter[str] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Ask, deliver, remember, wait."""
        start = int(self._place.clock() - self._settings.back_days * DAY)
        asked = self._settings
        poller = Poller(
            self._service, self._mapping, self._place.basin, start, address=asked.address, every=asked.every
        )
        if self._state.exists():
            poller.load(self._state.read_bytes())
        while not stop.is_set():
            polled = poller.step(self._place.clock())
            if not self._deliver(polled, stop):
                return
            write_durably(self._state, poller.dump())
            self._place.tell(polled.events)
            stop.wait(polled.wait)

    def started(self, patience: float) -> str:
        """Where it asks, and how often. Raises BadInput where the mapping does not suit the service."""
        now = self._place.clock()
        address = self._settings.address or self._service.address
        if not self._service.requests(address, self._mapping, now - 60, now):
            raise BadInput(f"{self.name} has nothing to ask; name its stations in the mapping file")
        return f"{address} every {self._settings.every:g} s"

    def counts(self) -> Mapping[str, int]:
        """Tries, failures, values and asides."""
        return dict(self._counts)

    def again(self, kept: bytes, received: int) -> Parcel:
        """Raises BadInput: a piece of an answer says too little by itself."""
        raise BadInput(f"{self.name} is asked again by itself; correct its mapping, or drop what is older as a file")

    def _deliver(self, polled: Polled, stop: threading.Event) -> bool:
        reading = polled.reading
        self._counts.update(
            tries=1, failures=bool(polled.reason), values=len(reading.batch), asides=len(reading.asides)
        )
        if not len(reading.batch) and not reading.asides:
            return True
        batch = replace(reading.batch, source=self.name)
        asides = tuple(replace(each, source=self.name) for each in reading.asides)
        return deliver(self._place.inbox, Parcel(self.name, self._place.clock(), batch, asides), stop)


def open_source(settings: Settings, place: Place) -> Service:
    """The poller, not yet asking."""
    return Service(settings, place)
