"""Hourly and daily minimum, maximum, count and sum of the usable values, as they are kept. See `engine/rollups.py`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR
from liuyu.store.batches import BLOCK
from liuyu.store.columns import Columns
from liuyu.store.engine.rollups import keep_summed_until, summed_until
from liuyu.store.engine.sums import gather
from liuyu.store.postgres.columns import copy_in, stage
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.schema import USABLE

ROWS_AT_ONCE = 1_000_000
"""How many rows are summed in one piece, about."""

_SUMS = ("count", "minimum", "maximum", "total")
_FORGET_HOURS = """
DELETE FROM hourly WHERE ctid = ANY(ARRAY(
    SELECT h.at FROM pg_temp.touched u CROSS JOIN LATERAL (
        SELECT k.ctid AS at FROM hourly k
        WHERE k.day = u.day AND k.station = u.station AND k.quantity = u.quantity AND k.time = u.time OFFSET 0
    ) h
))
"""
_FORGET_DAYS = """
DELETE FROM daily WHERE ctid = ANY(ARRAY(
    SELECT d.at FROM pg_temp.touched u CROSS JOIN LATERAL (
        SELECT k.ctid AS at FROM daily k
        WHERE k.day = u.day AND k.station = u.station AND k.quantity = u.quantity OFFSET 0
    ) d
))
"""
_TOUCHED_ROWS = f"""
FROM pg_temp.touched u CROSS JOIN LATERAL (
    SELECT * FROM observation k
    WHERE k.block = u.block AND k.station = u.station AND k.quantity = u.quantity
        AND k.time >= u.time AND k.time < u.time + 3600 AND k.block >= %(low)s AND k.block <= %(high)s
    OFFSET 0
) o
WHERE {USABLE.format("o")} ORDER BY u.time, u.station, u.quantity, o.time
"""
_TOUCHED_HOURS = """
FROM pg_temp.touched u CROSS JOIN LATERAL (
    SELECT * FROM hourly k WHERE k.day = u.day AND k.station = u.station AND k.quantity = u.quantity OFFSET 0
) h
ORDER BY u.day, u.station, u.quantity, h.time
"""


def follow(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64], received: int) -> None:
    """Bring the roll-ups up to rows that were written: series (n,), station << 16 | quantity, and their times.

    A station whose clock runs ahead closes no hour before that hour is over for the receiver.
    """
    until = known = summed_until(writer)
    if until is None:
        until = int(time.min()) // HOUR * HOUR
    else:
        refresh_late(writer, series, time)
    end = max(until, min(int(time.max()), received) // HOUR * HOUR)
    if end != known:
        _close(writer, until, end)


def refresh_late(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64]) -> None:
    """Sum again the hours and days that are over and of which rows changed."""
    until = summed_until(writer)
    if until is None or not (late := time < until).any():
        return
    hours = sum_hours(writer, series[late], time[late])
    days = np.unique(np.stack([hours[0], hours[1] // DAY * DAY]), axis=1)
    _touch(writer, days[:, days[1] + DAY <= until])
    writer.execute(_FORGET_DAYS)
    names = ("u.day", "u.station", "u.quantity", *(f"h.{each}" for each in _SUMS))
    _keep_days(writer, writer.fetch(names, _TOUCHED_HOURS))


def sum_hours(writer: Link, series: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum again the hours that hold some times of series, each (n,); returns series and hours, (2, m)."""
    hours: NDArray[np.int64] = np.unique(np.stack([series, time // HOUR * HOUR]), axis=1)
    _touch(writer, hours)
    writer.execute(_FORGET_HOURS)
    blocks = {"low": int(hours[1].min()) // BLOCK, "high": int(hours[1].max()) // BLOCK}
    _keep_hours(writer, writer.fetch(("u.time", "u.station", "u.quantity", "o.value"), _TOUCHED_ROWS, blocks))
    return hours


def _touch(writer: Link, steps: NDArray[np.int64]) -> None:
    """Lay series and starts of steps, (2, n), on the table of what is to be summed."""
    series, time = steps
    columns: dict[str, NDArray[Any]] = {
        "day": time // DAY,
        "block": time // BLOCK,
        "station": series >> 16,
        "quantity": series & 65535,
        "time": time,
    }
    stage(writer, "touched", columns)


def _close(writer: Link, start: int, end: int) -> None:
    """Sum up the hours of [start, end), and the days that are over with them."""
    at, stride = start, BLOCK
    while at < end and (block := _least(writer, "observation", "block", at // BLOCK)) is not None:
        at = max(at, block * BLOCK)
        stop = min(end, block * BLOCK + stride)
        if at >= end:
            break
        values = {"low": block, "high": (stop - 1) // BLOCK, "start": at, "stop": stop}
        where = "o.block >= %(low)s AND o.block <= %(high)s AND o.time >= %(start)s AND o.time < %(stop)s"
        rest = f"FROM observation o WHERE {where} AND {USABLE.format('o')}"
        time, station, quantity, value = writer.fetch(("o.time", "o.station", "o.quantity", "o.value"), rest, values)
        hour = time // HOUR * HOUR
        order = np.lexsort((time, quantity, station, hour))
        _keep_hours(writer, [column[order] for column in (hour, station, quantity, value)])
        at, stride = stop, _next_stride(stride, len(time), BLOCK)
    at, stride = start // DAY, 1
    while (day := _least(writer, "hourly", "day", at)) is not None and (day + 1) * DAY <= end:
        at = min(end // DAY, day + stride)
        names = ("h.day", "h.station", "h.quantity", *(f"h.{each}" for each in _SUMS))
        rest = "FROM hourly h WHERE h.day >= %(day)s AND h.day < %(stop)s ORDER BY h.day, h.station, h.quantity, h.time"
        columns = writer.fetch(names, rest, {"day": day, "stop": at})
        _keep_days(writer, columns)
        stride = _next_stride(stride, len(columns[0]), 1)
    keep_summed_until(writer, end)


def _next_stride(stride: int, found: int, least: int) -> int:
    """A longer stride where few rows were found, a shorter one where many were."""
    return stride * 2 if found < ROWS_AT_ONCE // 4 else max(least, stride // 2)


def _least(writer: Link, table: str, column: str, low: int) -> int | None:
    found = writer.execute(f"SELECT min({column}) FROM {table} WHERE {column} >= %s", (low,)).fetchall()[0][0]
    return None if found is None else int(found)


def _keep_hours(writer: Link, columns: Columns) -> None:
    """Sum rows into hours. columns: start of the hour, station, quantity and value, in this order and by time."""
    hour, station, quantity, value = columns
    sums = gather([hour, station, quantity], [np.ones(len(hour)), value, value, value])
    if len(sums[0]):
        names = ("time", "station", "quantity", *_SUMS)
        copy_in(writer, "hourly", {"day": sums[0] // DAY, **dict(zip(names, sums, strict=True))})


def _keep_days(writer: Link, columns: Columns) -> None:
    """Sum hours into days. columns: day, station, quantity and the sums of an hour, in this order and by time."""
    sums = gather(columns[:3], columns[3:])
    if len(sums[0]):
        copy_in(writer, "daily", dict(zip(("day", "station", "quantity", *_SUMS), sums, strict=True)))


def days(link: Link, station: int, quantity: int, start: int, end: int) -> Columns:
    """Time, count, minimum, maximum and sum of the days of a series that are kept in [start, end)."""
    values = {"days": np.arange(start // DAY, end // DAY), "station": station, "quantity": quantity}
    table = "SELECT * FROM daily d WHERE d.day = n AND d.station = %(station)s AND d.quantity = %(quantity)s OFFSET 0"
    names = ["o.day::bigint * 86400", *(f"o.{each}" for each in _SUMS)]
    return link.fetch(names, f"FROM unnest(%(days)s) n CROSS JOIN LATERAL ({table}) o ORDER BY o.day", values)


def hours(link: Link, station: int, quantity: int, start: int, end: int) -> Columns:
    """Time, count, minimum, maximum and sum of the hours of a series that are kept in [start, end)."""
    values: dict[str, Any] = {"station": station, "quantity": quantity, "start": start, "end": end}
    values["days"] = np.arange(start // DAY, -(-end // DAY))
    key = "h.day = n AND h.station = %(station)s AND h.quantity = %(quantity)s"
    table = f"SELECT * FROM hourly h WHERE {key} AND h.time >= %(start)s AND h.time < %(end)s OFFSET 0"
    names = ["o.time", *(f"o.{each}" for each in _SUMS)]
    return link.fetch(names, f"FROM unnest(%(days)s) n CROSS JOIN LATERAL ({table}) o ORDER BY o.time", values)
