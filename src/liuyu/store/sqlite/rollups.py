"""Hourly and daily minimum, maximum, count and sum of the usable values, as they are kept. See `engine/rollups.py`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR
from liuyu.store.batches import BLOCK
from liuyu.store.columns import Columns
from liuyu.store.engine.rollups import keep_summed_until, summed_until
from liuyu.store.sqlite.columns import Binding, stage
from liuyu.store.sqlite.link import Link
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


def follow(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64], received: int) -> None:
    """Bring the roll-ups up to rows that were written: series (n,), station << 16 | quantity, and their times.

    A station whose clock runs ahead closes no hour before that hour is over for the receiver.
    """
    until = summed_until(writer)
    if until is None:
        until = _step_of(int(time.min()), HOUR)
    else:
        refresh_late(writer, series, time)
    _close(writer, until, max(until, _step_of(min(int(time.max()), received), HOUR)))


def refresh_late(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64]) -> None:
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


def sum_hours(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum again the hours that hold some times of series, each (n,); returns series and hours, (2, m)."""
    hours: NDArray[np.int64] = np.unique(np.stack([series, time // HOUR * HOUR]), axis=1)
    stage(writer, hours[0] << 8, hours[1])
    writer.execute(_FORGET_HOURS)
    writer.execute(_AGAIN_HOURS)
    return hours


def _close(writer: Link, start: int, end: int) -> None:
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
    keep_summed_until(writer, end)


def days(link: Link, station: int, quantity: int, start: int, end: int) -> Columns:
    """Time, count, minimum, maximum and sum of the days of a series that are kept in [start, end)."""
    table = "daily o ON o.day = d.value AND o.station = :station AND o.quantity = :quantity"
    names = ["o.day * 86400", "o.count", "o.minimum", "o.maximum", "o.total"]
    values: dict[str, Binding] = {
        "days": np.arange(start // DAY, end // DAY),
        "station": station,
        "quantity": quantity,
    }
    return link.fetch(names, f"FROM carray(:days) d CROSS JOIN {table}", values)


def hours(link: Link, station: int, quantity: int, start: int, end: int) -> Columns:
    """Time, count, minimum, maximum and sum of the hours of a series that are kept in [start, end)."""
    table = "hourly o ON o.day = d.value AND o.station = :station AND o.quantity = :quantity"
    names = ["o.time", "o.count", "o.minimum", "o.maximum", "o.total"]
    values: dict[str, Binding] = {
        "days": np.arange(start // DAY, -(-end // DAY)),
        "station": station,
        "quantity": quantity,
        "start": start,
        "end": end,
    }
    where = "WHERE o.time >= :start AND o.time < :end"
    return link.fetch(names, f"FROM carray(:days) d CROSS JOIN {table} {where}", values)


def _step_of(time: int, step: int) -> int:
    return time // step * step
