"""Observations: upsert and new flags."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY
from liuyu.basin.flags import Flag
from liuyu.basin.series import Batch
from liuyu.store.batches import BLOCK, last_of_each_key, turns
from liuyu.store.engine.tables import Tables
from liuyu.store.interface import Written
from liuyu.store.postgres import newest, rollups
from liuyu.store.postgres.columns import stage
from liuyu.store.postgres.link import Link

PIECE = 16
"""How many days are written at once."""

# A statement's plan is made once, often while the tables are all but empty. LATERAL and OFFSET 0 fix what it must be at
# any size: the stage row by row, and for each row one entry into the key.
_MEET = """
FROM pg_temp.stage s CROSS JOIN LATERAL (
    SELECT * FROM observation k
    WHERE k.block = s.block AND k.station = s.station AND k.quantity = s.quantity AND k.time = s.time
        AND k.block >= %(low)s AND k.block <= %(high)s
    OFFSET 0
) o
"""

_INSERT = """
INSERT INTO observation (block, station, quantity, time, value, flag, received, source)
SELECT block, station, quantity, time, value, flag, %(received)s, %(source)s FROM pg_temp.stage
ON CONFLICT DO NOTHING
"""
_KEEP_OLDER = f"""
INSERT INTO version (station, quantity, time, value, flag, received, source, replaced)
SELECT o.station, o.quantity, o.time, o.value, o.flag, o.received, o.source, %(received)s
{_MEET} WHERE o.value <> s.value ORDER BY s.i
"""
_KEY = "(block, station, quantity, time)"
_CORRECT = f"""
INSERT INTO observation (block, station, quantity, time, value, flag, received, source)
SELECT s.block, s.station, s.quantity, s.time, s.value, s.flag, %(received)s, %(source)s {_MEET}
WHERE o.value <> s.value
ON CONFLICT {_KEY} DO UPDATE SET value = excluded.value, flag = excluded.flag, received = excluded.received,
    source = excluded.source
"""
_REFLAG = f"""
INSERT INTO observation (block, station, quantity, time, value, flag, received, source)
SELECT o.block, o.station, o.quantity, o.time, o.value, s.flag, o.received, o.source {_MEET} WHERE o.flag <> s.flag
ON CONFLICT {_KEY} DO UPDATE SET flag = excluded.flag
"""


def write(tables: Tables[Link], writer: Link, batch: Batch, received: int) -> Written:
    """Upsert a checked batch, with `latest`, roll-ups and the history of corrected values. See Store.write."""
    station = tables.names.assign(writer, batch.roster, batch.station)
    source = tables.names.source(writer, batch.source)
    total = Written(0, 0, 0)
    for places in (piece for turn in turns(station, batch) for piece in _pieces(turn, batch.time)):
        done = _write_piece(tables, writer, station[places], batch.take(places), received, source)
        total = Written(total.new + done.new, total.same + done.same, total.corrected + done.corrected)
    return total


def _pieces(places: NDArray[np.intp], time: NDArray[np.int64]) -> Iterator[NDArray[np.intp]]:
    """Places in key order cut so that no piece touches more than PIECE days: each costs its rows times its days."""
    days = time[places] // DAY
    cuts = np.flatnonzero(np.diff((days - days[0]) // PIECE)) + 1
    yield from np.split(places, cuts)


def _write_piece(
    tables: Tables[Link], writer: Link, station: NDArray[np.int64], batch: Batch, received: int, source: int
) -> Written:
    series = (station << 16) | batch.quantity
    _stage(writer, station, batch)
    values = {"received": received, "source": source, **_blocks(batch)}
    new = writer.execute(_INSERT, values).rowcount
    corrected = 0
    if new == len(batch):
        newest.advance(writer)
    else:
        # PostgreSQL holds NaN equal to NaN, so that one that comes again is no correction.
        corrected = writer.execute(_KEEP_OLDER, values).rowcount
        if corrected:
            writer.execute(_CORRECT, values)
        newest.follow(tables, writer, _MEET, _blocks(batch))
    rollups.follow(writer, series, batch.time, received)
    return Written(new, len(batch) - new - corrected, corrected)


def _stage(writer: Link, station: NDArray[np.int64], batch: Batch) -> None:
    """Lay a batch in key order on the stage, with a mark on the newest usable row of each series."""
    stage(
        writer,
        "stage",
        {
            "i": np.arange(len(batch)),
            "block": batch.time // BLOCK,
            "station": station,
            "quantity": batch.quantity,
            "flag": batch.flag,
            "time": batch.time,
            "value": np.where(batch.value == 0, 0.0, batch.value),  # -0.0 is kept as 0.0, as SQLite keeps it
            "newest": _newest(station, batch),
        },
    )


def _newest(station: NDArray[np.int64], batch: Batch) -> NDArray[np.int16]:
    marks = np.zeros(len(batch), np.int16)
    usable = np.flatnonzero((batch.flag <= Flag.NOT_EVALUATED) & np.isfinite(batch.value))[::-1]
    series = (station[usable] << 16) | batch.quantity[usable]
    _, first = np.unique(series, return_index=True)
    marks[usable[first]] = 1
    return marks


def reflag(tables: Tables[Link], writer: Link, batch: Batch) -> int:
    """Set flags by key; of a key that comes twice the last counts. See Store.reflag."""
    station = tables.names.of_roster(writer, batch.roster)[batch.station]
    known = station >= 0
    batch, station = batch.take(known), station[known]
    if not len(batch):
        return 0
    changed = 0
    for places in _pieces(last_of_each_key(station, batch), batch.time):
        changed += _reflag_piece(tables, writer, station[places], batch.take(places))
    return changed


def _reflag_piece(tables: Tables[Link], writer: Link, station: NDArray[np.int64], batch: Batch) -> int:
    _stage(writer, station, batch)
    blocks = _blocks(batch)
    changed = writer.fetch(["s.i"], f"{_MEET} WHERE o.flag <> s.flag", blocks)[0].astype(np.intp)
    if len(changed):
        writer.execute(_REFLAG, blocks)
        newest.follow(tables, writer, _MEET, blocks)
        series = (station << 16) | batch.quantity
        rollups.refresh_late(writer, series[changed], batch.time[changed])
    return len(changed)


def _blocks(batch: Batch) -> dict[str, int]:
    return {"low": int(batch.time.min()) // BLOCK, "high": int(batch.time.max()) // BLOCK}
