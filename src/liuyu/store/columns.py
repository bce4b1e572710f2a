"""Observations as columns of float64, whichever engine they come from, and what engines do with them alike.

COLUMNS are store number of the station, number of the quantity, time [s UTC], value and flag; each (n,).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.flags import Flag
from liuyu.basin.series import Batch, Roster
from liuyu.store.history import History

COLUMNS = ("station", "quantity", "time", "value", "flag")
ALL_COLUMNS = (*COLUMNS, "received", "source")

Numbers = NDArray[np.int64] | None
"""Store numbers of stations or quantities, None for all."""

Columns = list[NDArray[np.float64]]

Read = Callable[[Numbers, Numbers, int, int], Columns]
"""Reads COLUMNS of some stations and quantities in [start, end)."""


def overlay(live: Columns, kept: Columns) -> Columns:
    """Live rows laid over archived ones, by station, quantity and time: where both have a key the live row counts."""
    joined = [np.concatenate(pair) for pair in zip(live, kept, strict=True)]
    place = np.concatenate([np.zeros(len(live[0])), np.ones(len(kept[0]))])
    station, quantity, time = joined[:3]
    order = np.lexsort((place, time, quantity, station))
    first = np.ones(len(order), bool)
    key = np.stack([station[order], quantity[order], time[order]])
    first[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    return [column[order[first]] for column in joined]


def last_usable(columns: Columns) -> Columns:
    """Of COLUMNS in any order, the newest usable row of each series, by station and quantity."""
    usable = (columns[4] <= Flag.NOT_EVALUATED) & np.isfinite(columns[3])
    columns = [column[usable] for column in columns]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    key = np.stack([columns[0][order], columns[1][order]])
    last = np.ones(len(order), bool)
    last[:-1] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    return [column[order[last]] for column in columns]


def newest_with_history(history: History, series: NDArray[np.int64], found: Columns, until: int, read: Read) -> Columns:
    """The newest usable rows of some series, given the newest live ones, from the archived months, newest first.

    series: (n,), station << 16 | quantity. Months that begin after `until` [s UTC] are not looked into.
    """
    best = {(int(row[0]), int(row[1])): row for row in zip(*found, strict=True)}
    todo = [(int(each) >> 16, int(each) & 65535) for each in series]
    for month in reversed(history.months):
        todo = [each for each in todo if each not in best or best[each][2] < month.start]
        if not todo or month.start > until:
            continue
        station, quantity = (np.unique(column) for column in np.array(todo, np.int64).T)
        newer = last_usable(read(station, quantity, month.start, month.end))
        for row in zip(*newer, strict=True):
            key = (int(row[0]), int(row[1]))
            if key in todo and (key not in best or best[key][2] < row[2]):
                best[key] = row
    ordered = np.array([best[key] for key in sorted(best)], np.float64).reshape(-1, len(COLUMNS))
    return list(ordered.T)


def to_batch(roster: Roster, places: NDArray[np.int32], columns: Columns) -> Batch:
    """COLUMNS of store numbers as a batch of those that the roster has. places: place of every store number."""
    station = places[columns[0].astype(np.intp)]
    _, quantity, time, value, flag = columns
    batch = Batch.of(roster, station, quantity, time, value, flag)
    return batch.take(station >= 0)
