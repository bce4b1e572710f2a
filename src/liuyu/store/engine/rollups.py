"""Hourly and daily minimum, maximum, count and sum of the usable values, as they are read.

An hour is summed up in one pass when it is over, that is when a later hour has been received (its end is the
`summed_until` of the table meta). What comes for an hour that is over, late or as a correction, sums that hour and
its day again, from the observations, so that the sums never depend on the order of arrival. An hour that still runs is
summed when it is asked for.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.store.columns import Columns
from liuyu.store.engine.session import Session
from liuyu.store.engine.sums import gather
from liuyu.store.engine.tables import Tables
from liuyu.store.interface import Rollup

S = TypeVar("S", bound=Session)


def summed_until(session: Session) -> int | None:
    """The end of the hours that are over [s UTC], None in an empty store."""
    rows = session.ask("SELECT value FROM meta WHERE name = 'summed_until'")
    return int(rows[0][0]) if rows else None


def keep_summed_until(writer: Session, end: int) -> None:
    """Note that the hours before a time are summed."""
    writer.ask(
        "INSERT INTO meta VALUES ('summed_until', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (end,)
    )


def rollup(tables: Tables[S], session: S, station: int, quantity: int, start: int, end: int, step: int) -> Rollup:
    """The steps of a series that begin in [start, end). See Store.rollup. Raises BadInput for another step."""
    if step not in (HOUR, DAY):
        raise BadInput(f"step {step} s is no roll-up; ask for {HOUR} (hourly) or {DAY} (daily)")
    start, end = -(-start // step) * step, -(-end // step) * step
    time, count, minimum, maximum, total = (_hours if step == HOUR else _days)(
        tables, session, station, quantity, start, end
    )
    counts = count.astype(np.int64)
    return Rollup(time.astype(np.int64), counts, minimum, maximum, total / np.maximum(counts, 1))


def _days(tables: Tables[S], session: S, station: int, quantity: int, start: int, end: int) -> Columns:
    over = max(start, min(end, (summed_until(session) or 0) // DAY * DAY))
    closed = tables.days(session, station, quantity, start, over)
    time, *sums = _hours(tables, session, station, quantity, over, end)
    return _joined([closed, gather([time // DAY * DAY], sums)])


def _hours(tables: Tables[S], session: S, station: int, quantity: int, start: int, end: int) -> Columns:
    """Hourly sums: from the table where an hour is over and its month is live, from the observations otherwise."""
    until = summed_until(session) or 0
    parts: list[Columns] = [[np.empty(0)] * 5]
    one = np.array([station], np.int64), np.array([quantity], np.int64)
    for low, high, archived in tables.history.stretches(start, end) if tables.history else [(start, end, False)]:
        over = low if archived else max(low, min(high, until))
        if low < over:
            parts.append(tables.hours(session, station, quantity, low, over))
        if over < high:
            _, _, time, value, flag = tables.rows(session, *one, over, high)
            usable = (flag <= Flag.NOT_EVALUATED) & np.isfinite(value)
            time, value = time[usable], value[usable]
            parts.append(gather([time // HOUR * HOUR], [np.ones(len(time)), value, value, value]))
    return _joined(parts)


def _joined(parts: list[Columns]) -> Columns:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]
