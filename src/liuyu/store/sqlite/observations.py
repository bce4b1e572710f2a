"""Observations: upsert and new flags."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Batch
from liuyu.store.batches import last_of_each_key, turns
from liuyu.store.engine.tables import Tables
from liuyu.store.interface import Written
from liuyu.store.sqlite import newest, rollups
from liuyu.store.sqlite.columns import pack, stage
from liuyu.store.sqlite.link import Link

_SAME_KEY = "o.block = s.block AND o.station = s.station AND o.quantity = s.quantity AND o.time = s.time"
_MEET = f"FROM temp.staged s CROSS JOIN observation o ON {_SAME_KEY}"
_TOUCHED = f"FROM temp.touched s CROSS JOIN observation o ON {_SAME_KEY}"

_INSERT = """
INSERT INTO observation SELECT block, station, quantity, time, value, flag, :received, :source
FROM temp.staged WHERE true ON CONFLICT DO NOTHING
"""
_KEEP_OLDER = f"""
INSERT INTO version (station, quantity, time, value, flag, received, source, replaced)
SELECT o.station, o.quantity, o.time, o.value, o.flag, o.received, o.source, :received
{_MEET} WHERE o.value IS NOT s.value
"""
_CORRECT = f"""
INSERT INTO observation SELECT s.block, s.station, s.quantity, s.time, s.value, s.flag, :received, :source
{_MEET} WHERE o.value IS NOT s.value
ON CONFLICT DO UPDATE SET value = excluded.value, flag = excluded.flag, received = excluded.received,
    source = excluded.source
"""
_REFLAG = f"""
INSERT INTO observation SELECT o.block, o.station, o.quantity, o.time, o.value, s.flag, o.received, o.source
{_TOUCHED} WHERE o.flag <> s.flag
ON CONFLICT DO UPDATE SET flag = excluded.flag
"""


def write(tables: Tables[Link], writer: Link, batch: Batch, received: int) -> Written:
    """Upsert a checked batch, with `latest`, roll-ups and the history of corrected values. See Store.write."""
    station = tables.names.assign(writer, batch.roster, batch.station)
    source = tables.names.source(writer, batch.source)
    total = Written(0, 0, 0)
    for turn in turns(station, batch):
        done = _write_turn(tables, writer, station[turn], batch.take(turn), received, source)
        total = Written(total.new + done.new, total.same + done.same, total.corrected + done.corrected)
    return total


def _write_turn(
    tables: Tables[Link], writer: Link, station: NDArray[np.int64], batch: Batch, received: int, source: int
) -> Written:
    key = pack(station, batch.quantity, batch.flag)
    stage(writer, key, batch.time, batch.value)
    values = {"received": received, "source": source}
    writer.execute(_INSERT, values)
    new = writer.changes()
    corrected = np.empty(0, np.intp)
    if new == len(batch):
        newest.advance(writer)
    else:
        corrected = writer.fetch(["s.i"], f"{_MEET} WHERE o.value IS NOT s.value")[0].astype(np.intp) - 1
        if len(corrected):
            writer.execute(_KEEP_OLDER, values)
            writer.execute(_CORRECT, values)
        newest.follow(tables, writer, _MEET)
    rollups.follow(writer, key >> 8, batch.time, received)
    return Written(new, len(batch) - new - len(corrected), len(corrected))


def reflag(tables: Tables[Link], writer: Link, batch: Batch) -> int:
    """Set flags by key; of a key that comes twice the last counts. See Store.reflag."""
    station = tables.names.of_roster(writer, batch.roster)[batch.station]
    known = station >= 0
    batch, station = batch.take(known), station[known]
    if not len(batch):
        return 0
    last = last_of_each_key(station, batch)
    batch, station = batch.take(last), station[last]
    key = pack(station, batch.quantity, batch.flag)
    stage(writer, key, batch.time)
    changed = writer.fetch(["s.i"], f"{_TOUCHED} WHERE o.flag <> s.flag")[0].astype(np.intp) - 1
    if len(changed):
        writer.execute(_REFLAG)
        newest.follow(tables, writer, _TOUCHED)
        rollups.refresh_late(writer, key[changed] >> 8, batch.time[changed])
    return len(changed)
