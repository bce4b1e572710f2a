"""Observations: upsert, new flags, series and windows of the live table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import quantities
from liuyu.basin.series import Batch
from liuyu.store.history import History
from liuyu.store.interface import Version, Written
from liuyu.store.sqlite import newest, rollups
from liuyu.store.sqlite.columns import fetch, pack, stage
from liuyu.store.sqlite.names import Names
from liuyu.store.sqlite.schema import BLOCK

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


def check(batch: Batch) -> None:
    """Raise BadInput where a batch holds what no store could give back; nothing was written."""
    sizes = {len(getattr(batch, name)) for name in ("station", "quantity", "time", "value", "flag")}
    if len(sizes) > 1:
        raise BadInput(
            f"the columns of a batch have lengths {sorted(sizes)}; give one value in each for an observation"
        )
    if not len(batch):
        return
    low, high = int(batch.station.min()), int(batch.station.max())
    if low < 0 or high >= len(batch.roster):
        raise BadInput(f"station place {low if low < 0 else high} is outside the roster of {len(batch.roster)}")
    _known("quantity", batch.quantity, [each.number for each in quantities()])
    _known("flag", batch.flag, [int(flag) for flag in Flag])


def _known(name: str, column: NDArray[np.int16] | NDArray[np.uint8], allowed: Sequence[int]) -> None:
    table = np.zeros(65536, bool)
    table[list(allowed)] = True
    wrong = ~table[column]
    if wrong.any():
        raise BadInput(f"{name} {int(column[wrong][0])} is none of {', '.join(map(str, sorted(allowed)))}")


def write(writer: apsw.Connection, names: Names, history: History, batch: Batch, received: int) -> Written:
    """Upsert a checked batch, with `latest`, roll-ups and the history of corrected values. See Store.write."""
    station = names.assign(writer, batch.roster, batch.station)
    source = names.source(writer, batch.source)
    total = Written(0, 0, 0)
    for turn in _turns(station, batch):
        done = _write_turn(writer, history, station[turn], batch.take(turn), received, source)
        total = Written(total.new + done.new, total.same + done.same, total.corrected + done.corrected)
    return total


def _turns(station: NDArray[np.int64], batch: Batch) -> Iterator[NDArray[np.intp]]:
    """Places of the batch in key order; what comes again for a key has its own, later turn."""
    if not len(batch):
        return
    order = np.lexsort((batch.time, batch.quantity, station, batch.time // BLOCK))
    keys = (station[order], batch.quantity[order], batch.time[order])
    again = np.zeros(len(order), bool)
    again[1:] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    if not again.any():
        yield order
        return
    places = np.arange(len(order))
    turn = places - np.maximum.accumulate(np.where(again, 0, places))
    for number in range(int(turn.max()) + 1):
        yield order[turn == number]


def _write_turn(
    writer: apsw.Connection, history: History, station: NDArray[np.int64], batch: Batch, received: int, source: int
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
        corrected = fetch(writer, ["s.i"], f"{_MEET} WHERE o.value IS NOT s.value")[0].astype(np.intp) - 1
        if len(corrected):
            writer.execute(_KEEP_OLDER, values)
            writer.execute(_CORRECT, values)
        newest.follow(writer, history, _MEET)
    rollups.follow(writer, key >> 8, batch.time, received)
    return Written(new, len(batch) - new - len(corrected), len(corrected))


def reflag(writer: apsw.Connection, names: Names, history: History, batch: Batch) -> int:
    """Set flags by key; of a key that comes twice the last counts. See Store.reflag."""
    station = names.of_roster(writer, batch.roster)[batch.station]
    known = station >= 0
    batch, station = batch.take(known), station[known]
    if not len(batch):
        return 0
    order = np.lexsort((batch.time, batch.quantity, station, batch.time // BLOCK))
    ordered = np.stack([station[order], batch.quantity[order], batch.time[order]])
    last = np.append((ordered[:, 1:] != ordered[:, :-1]).any(axis=0), True)
    batch, station = batch.take(order[last]), station[order[last]]
    key = pack(station, batch.quantity, batch.flag)
    stage(writer, key, batch.time)
    changed = fetch(writer, ["s.i"], f"{_TOUCHED} WHERE o.flag <> s.flag")[0].astype(np.intp) - 1
    if len(changed):
        writer.execute(_REFLAG)
        newest.follow(writer, history, _TOUCHED)
        rollups.refresh_late(writer, key[changed] >> 8, batch.time[changed])
    return len(changed)


def versions(connection: apsw.Connection, station: int, quantity: int, time: int) -> list[Version]:
    """Values that were corrected away, oldest first. See Store.versions."""
    rows = connection.execute(
        "SELECT value, flag, received, replaced FROM version"
        " WHERE station = ? AND quantity = ? AND time = ? ORDER BY id",
        (station, quantity, time),
    )
    return [Version(np.nan if value is None else value, *rest) for value, *rest in rows]
