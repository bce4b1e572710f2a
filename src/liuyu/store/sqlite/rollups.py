"""Hourly and daily minimum, maximum, count and sum of the usable values.

An hour is summed up in one pass when it is over, that is when a later hour has been received (its end is the
`summed_until` of the table meta). What comes for an hour that is over, late or as a correction, sums that hour and
its day again, from the observations, so that the sums never depend on the order of arrival. An hour that still runs is
summed when it is asked for.
"""

from __future__ import annotations

import apsw
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.store.batches import BLOCK
from liuyu.store.columns import Columns
from liuyu.store.history import History
from liuyu.store.interface import Rollup
from liuyu.store.sqlite.columns import Binding, fetch, stage
from liuyu.store.sqlite.rows import rows
from liuyu.store.sqlite.schema import USABLE

_SUMS = "count(*), min(o.value), max(o.value), sum(o.value)"
_DAY_SUMS = "sum(h.count), min(h.minimum), max(h.maximum), sum(h.total)"

_CLOSE_HOUR = f"""
INSERT INTO hourly SELECT :day, o.station, o.quantity, :hour, {_SUMS}
FROM observation o WHERE o.block = :block AND o.time >= :hour AND o.time < :hour + 3600 AND {USABLE.format("o")}
GROUP BY o.station, o.quantity
"""
_CLOSE_DAY = f"""
INSERT INTO daily SELECT h.day, h.station, h.quantity, {_DAY_SUMS}
FROM hourly h WHERE h.day = :day GROUP BY h.station, h.quantity
"""
_FORGET_HOURS = """
DELETE FROM hourly WHERE (day, station, quantity, time) IN (SELECT day, station, quantity, time FROM temp.touched)
"""
_AGAIN_HOURS = f"""
INSERT INTO hourly SELECT u.day, u.station, u.quantity, u.time, {_SUMS}
FROM temp.touched u CROSS JOIN observation o
    ON o.block = u.block AND o.station = u.station AND o.quantity = u.quantity
    AND o.time >= u.time AND o.time < u.time + 3600
WHERE {USABLE.format("o")} GROUP BY u.i
"""
_FORGET_DAYS = """
DELETE FROM daily WHERE (day, station, quantity) IN (SELECT day, station, quantity FROM temp.touched)
"""
_AGAIN_DAYS = f"""
INSERT INTO daily SELECT u.day, u.station, u.quantity, {_DAY_SUMS}
FROM temp.touched u CROSS JOIN hourly h ON h.day = u.day AND h.station = u.station AND h.quantity = u.quantity
GROUP BY u.i
"""
_NEXT_BLOCK = "SELECT min(block) FROM observation WHERE block >= ?"
_NEXT_DAY = "SELECT min(day) FROM hourly WHERE day >= ?"


def summed_until(connection: apsw.Connection) -> int | None:
    """The end of the hours that are over [s UTC], None in an empty store."""
    row = connection.execute("SELECT value FROM meta WHERE name = 'summed_until'").fetchone()
    return int(row[0]) if row else None


def follow(writer: apsw.Connection, series: NDArray[np.int64], time: NDArray[np.int64], received: int) -> None:
    """Bring the roll-ups up to rows that were written: series (n,), station << 16 | quantity, and their times.

    A station whose clock runs ahead closes no hour before that hour is over for the receiver.
    """
    until = summed_until(writer)
    if until is None:
        until = _step_of(int(time.min()), HOUR)
    else:
        refresh_late(writer, series, time)
    _close(writer, until, max(until, _step_of(min(int(time.max()), received), HOUR)))


def refresh_late(writer: apsw.Connection, series: NDArray[np.int64], time: NDArray[np.int64]) -> None:
    """Sum again the hours and days that are over and of which rows changed."""
    until = summed_until(writer)
    if until is None or not (late := time < until).any():
        return
    hours = sum_hours(writer, series[late], time[late])
    days = np.unique(np.stack([hours[0], hours[1] // DAY * DAY]), axis=1)
    days = days[:, days[1] + DAY <= until]
    stage(writer, days[0] << 8, days[1])
    writer.execute(_FORGET_DAYS)
    writer.execute(_AGAIN_DAYS)


def sum_hours(writer: apsw.Connection, series: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum again the hours that hold some times of series, each (n,); returns series and hours, (2, m)."""
    hours: NDArray[np.int64] = np.unique(np.stack([series, time // HOUR * HOUR]), axis=1)
    stage(writer, hours[0] << 8, hours[1])
    writer.execute(_FORGET_HOURS)
    writer.execute(_AGAIN_HOURS)
    return hours


def _close(writer: apsw.Connection, start: int, end: int) -> None:
    """Sum up the hours of [start, end), and the days that are over with them."""
    block = writer.execute(_NEXT_BLOCK, (start // BLOCK,)).get
    while block is not None and block * BLOCK < end:
        for hour in range(max(start, block * BLOCK), min(end, (block + 1) * BLOCK), HOUR):
            writer.execute(_CLOSE_HOUR, {"day": hour // DAY, "block": block, "hour": hour})
        block = writer.execute(_NEXT_BLOCK, (block + 1,)).get
    day = writer.execute(_NEXT_DAY, (start // DAY,)).get
    while day is not None and (day + 1) * DAY <= end:
        writer.execute(_CLOSE_DAY, {"day": day})
        day = writer.execute(_NEXT_DAY, (day + 1,)).get
    writer.execute("INSERT OR REPLACE INTO meta VALUES ('summed_until', ?)", (end,))


def rollup(
    connection: apsw.Connection, history: History, station: int, quantity: int, start: int, end: int, step: int
) -> Rollup:
    """The steps of a series that begin in [start, end). See Store.rollup. Raises BadInput for another step."""
    if step not in (HOUR, DAY):
        raise BadInput(f"step {step} s is no roll-up; ask for {HOUR} (hourly) or {DAY} (daily)")
    start, end = -(-start // step) * step, -(-end // step) * step
    columns = (_hours if step == HOUR else _days)(connection, history, station, quantity, start, end)
    time, count, minimum, maximum, total = columns
    counts = count.astype(np.int64)
    return Rollup(time.astype(np.int64), counts, minimum, maximum, total / np.maximum(counts, 1))


def _days(connection: apsw.Connection, history: History, station: int, quantity: int, start: int, end: int) -> Columns:
    over = max(start, min(end, (summed_until(connection) or 0) // DAY * DAY))
    table = "daily o ON o.day = d.value AND o.station = :station AND o.quantity = :quantity"
    names = ["o.day * 86400", "o.count", "o.minimum", "o.maximum", "o.total"]
    values: dict[str, Binding] = {
        "days": np.arange(start // DAY, over // DAY),
        "station": station,
        "quantity": quantity,
    }
    closed = fetch(connection, names, f"FROM carray(:days) d CROSS JOIN {table}", values)
    hours = _hours(connection, history, station, quantity, over, end)
    return _joined([closed, _gather(connection, DAY, *hours)])


def _hours(connection: apsw.Connection, history: History, station: int, quantity: int, start: int, end: int) -> Columns:
    """Hourly sums: from the table where an hour is over and its month is live, from the observations otherwise."""
    until = summed_until(connection) or 0
    parts: list[Columns] = [[np.empty(0)] * 5]
    for low, high, archived in history.stretches(start, end):
        over = low if archived else max(low, min(high, until))
        table = "hourly o ON o.day = d.value AND o.station = :station AND o.quantity = :quantity"
        values: dict[str, Binding] = {
            "days": np.arange(low // DAY, -(-over // DAY)),
            "station": station,
            "quantity": quantity,
            "low": low,
            "over": over,
        }
        names = ["o.time", "o.count", "o.minimum", "o.maximum", "o.total"]
        where = "WHERE o.time >= :low AND o.time < :over"
        parts.append(fetch(connection, names, f"FROM carray(:days) d CROSS JOIN {table} {where}", values))
        one = np.array([station], np.int64), np.array([quantity], np.int64)
        _, _, time, value, flag = rows(connection, history, *one, over, high)
        usable = (flag <= Flag.NOT_EVALUATED) & np.isfinite(value)
        time, value = time[usable], value[usable]
        parts.append(_gather(connection, HOUR, time, np.ones(len(time)), value, value, value))
    return _joined(parts)


def _gather(
    connection: apsw.Connection,
    step: int,
    time: NDArray[np.float64],
    count: NDArray[np.float64],
    minimum: NDArray[np.float64],
    maximum: NDArray[np.float64],
    total: NDArray[np.float64],
) -> Columns:
    """Sums of longer steps from rows in order of time. SQLite adds, so that a sum is the same wherever it was made."""
    if not len(time):
        return [np.empty(0)] * 5
    steps = time.astype(np.int64) // step * step
    first = np.flatnonzero(np.append(True, steps[1:] != steps[:-1]))
    stage(connection, np.zeros(len(steps), np.int64), steps, total)
    (totals,) = fetch(connection, ["sum(s.value)"], "FROM temp.staged s GROUP BY s.time ORDER BY s.time")
    return [
        steps[first].astype(np.float64),
        np.add.reduceat(count, first),
        np.minimum.reduceat(minimum, first),
        np.maximum.reduceat(maximum, first),
        totals,
    ]


def _joined(parts: list[Columns]) -> Columns:
    return [np.concatenate(column) for column in zip(*parts, strict=True)]


def _step_of(time: int, step: int) -> int:
    return time // step * step
