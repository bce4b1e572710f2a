"""`kind = "sl323"`: the real-time tables of another office (SL 323-2011), looked into again and again."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.app.sources import source
from liuyu.app.sources.source import Place, Wrong, deliver
from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.sl323 import import_records, open_database
from liuyu.store.inbox.interface import Parcel

LONGEST_WAIT = 3600.0
_log = logging.getLogger("liuyu.sources")


class Settings(source.Settings, frozen=True, kw_only=True):
    """A SQLite file or postgresql://user@host/name; how often it is looked into [s]; how far back each time [d]."""

    database: str
    every: Annotated[float, msgspec.Meta(ge=1)] = 300.0
    back_days: Annotated[float, msgspec.Meta(gt=0, le=36500)] = 3.0

    def faults(self) -> Iterator[Wrong]:
        """A database that there is not."""
        server = self.database.startswith(("postgres://", "postgresql://"))
        if not server and not Path(self.database.removeprefix("sqlite:///")).is_file():
            yield "database", "is no file", "name a SQLite file, or write postgresql://user@host/name"


class Tables:
    """Satisfies `Source`. Rows that were delivered and have not changed since are not delivered again."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name, self._settings, self._place = settings.title, settings, place
        self._told: dict[tuple[int, int, int], float] = {}
        self._asides: set[Aside] = set()
        self._counts: Counter[str] = Counter()
        self._silent = False

    def run(self, stop: threading.Event) -> None:
        """Look, deliver, wait; twice as long after each look that failed, up to an hour."""
        wait = self._settings.every
        while not stop.is_set():
            try:
                if not self._look(stop):
                    return
                wait = self._settings.every
                self._say(silent=False)
            except (LiuyuError, OSError) as error:
                self._counts["failures"] += 1
                self._say(silent=True, why=str(error))
                wait = min(2 * wait, max(LONGEST_WAIT, self._settings.every))
            stop.wait(wait)

    def started(self, patience: float) -> str:
        """Where it looks, and how often."""
        name = self._settings.database.rpartition("@")[2]
        return f"{name} every {self._settings.every:g} s"

    def counts(self) -> Mapping[str, int]:
        """Looks that failed, values and asides."""
        return dict(self._counts)

    def again(self, kept: bytes, received: int) -> Parcel:
        """Raises BadInput: the rows still stand in their table."""
        raise BadInput(f"the rows stand in the tables of {self.name}; correct them there, and they are read again")

    def _look(self, stop: threading.Event) -> bool:
        now = self._place.clock()
        with closing(open_database(self._settings.database)) as database:
            found = import_records(database, self._place.basin)
        batch = found.batch.take(found.batch.time > now - int(self._settings.back_days * DAY))
        fresh, told = self._changed(batch)
        batch = replace(batch.take(fresh), source=self.name)
        asides = tuple(replace(each, source=self.name) for each in found.asides if each not in self._asides)
        if (len(batch) or asides) and not deliver(self._place.inbox, Parcel(self.name, now, batch, asides), stop):
            return False
        self._told, self._asides = told, set(found.asides)
        self._counts.update(values=len(batch), asides=len(asides))
        return True

    def _changed(self, batch: Batch) -> tuple[NDArray[np.intp], dict[tuple[int, int, int], float]]:
        """Which rows are new or other than at the last look, and what is to be remembered of this one."""
        columns = (batch.station.tolist(), batch.quantity.tolist(), batch.time.tolist())
        told = dict(zip(zip(*columns, strict=True), batch.value.tolist(), strict=True))
        fresh = [place for place, (key, value) in enumerate(told.items()) if self._told.get(key) != value]
        return np.array(fresh, np.intp), told

    def _say(self, *, silent: bool, why: str = "") -> None:
        """One line when the tables cannot be read, one when they can again."""
        if silent and not self._silent:
            _log.warning("%s cannot be read: %s", self.name, why)
        elif self._silent and not silent:
            _log.warning("%s can be read again", self.name)
        self._silent = silent


def open_source(settings: Settings, place: Place) -> Tables:
    """The tables, not yet looked into."""
    return Tables(settings, place)
