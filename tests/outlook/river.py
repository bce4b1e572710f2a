"""What the tests of the outlook stand on: the synthetic basin, its archive and a store filled from it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.events import Event, Notice, announce
from liuyu.basin.places import Basin
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.store.sqlite import SqliteStore, open_store
from liuyu.twin import make_archive


def at(basin: Basin, text: str) -> int:
    """Seconds UTC of a wall-clock time of the basin."""
    return epoch(datetime.fromisoformat(text).replace(tzinfo=basin.zone))


def observations(basin: Basin, folder: Path, *, start: int, end: int) -> Batch:
    """Everything that the synthetic gauges of seed 2020 reported in (start, end]."""
    file = make_archive(basin, folder / "archive.parquet", 2020)
    return Archive(file, basin).take(start, end)


def filled(folder: Path, batch: Batch, now: int) -> SqliteStore:
    """A store that holds a batch."""
    store = open_store(folder)
    store.write(batch, received=now)
    return store


def poisoned(batch: Batch, now: int) -> Batch:
    """The batch with every value after `now` turned into nonsense."""
    value = np.where(batch.time > now, 7.0 * batch.value + 1e3, batch.value)
    return Batch.of(batch.roster, batch.station, batch.quantity, batch.time, value, batch.flag, batch.source)


def notice(basin: Basin, station: str, now: int, severity: str = "yellow", state: str = "issued") -> Event:
    """A warning notice for a station's level."""
    found = Notice(
        id=f"notice:above-warning:{station}",
        station=station,
        quantity="water_level",
        threshold="warning",
        threshold_value=58.0,
        severity=severity,  # type: ignore[arg-type]
        issued=moment(now),
        chance=0.7,
        crossing=moment(now + 12 * HOUR),
        crossing_from=None,
        crossing_to=None,
        peak=58.6,
        peak_time=moment(now + DAY),
        title={"zh": "预警", "en": "warning"},
    )
    return announce(found, state=state, time=moment(now), subject=station)
