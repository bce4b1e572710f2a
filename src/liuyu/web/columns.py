"""Numbers in columns: as JSON lists for people, as typed arrays for the page.

The binary form is little-endian: uint32 n, uint32 0, then float64 time[n] [s UTC], float64 value[n], int32 station[n]
(place in the roster, which is the order of /api/basin), int16 quantity[n] (its number), uint8 flag[n].
"""

from __future__ import annotations

import struct

import msgspec
import numpy as np
from litestar import Response

from liuyu.basin.series import Batch, Series
from liuyu.store.interface import Rollup
from liuyu.web.reply import WebRequest, send

BINARY = "application/octet-stream"


class ValueColumns(msgspec.Struct, frozen=True):
    """Observations in columns of equal length: station as its place in the roster, quantity as its number."""

    station: list[int]
    quantity: list[int]
    time: list[int]
    value: list[float | None]
    flag: list[int]


class SeriesColumns(msgspec.Struct, frozen=True):
    """One series by time [s UTC]: value in the quantity's unit (null where missing), flag 1 good .. 9 missing."""

    time: list[int]
    value: list[float | None]
    flag: list[int]


class RollupColumns(msgspec.Struct, frozen=True):
    """Usable values of a series gathered by hour or day; time is the start of each step [s UTC]."""

    time: list[int]
    count: list[int]
    minimum: list[float | None]
    maximum: list[float | None]
    mean: list[float | None]


def values_of(batch: Batch) -> ValueColumns:
    """A batch as columns for JSON."""
    return ValueColumns(
        batch.station.tolist(),
        batch.quantity.tolist(),
        batch.time.tolist(),
        batch.value.tolist(),
        batch.flag.tolist(),
    )


def series_of(series: Series) -> SeriesColumns:
    """A series as columns for JSON."""
    return SeriesColumns(series.time.tolist(), series.value.tolist(), series.flag.tolist())


def rollup_of(rollup: Rollup) -> RollupColumns:
    """A roll-up as columns for JSON; means are rounded to the millimetre that the values have."""
    return RollupColumns(
        rollup.time.tolist(),
        rollup.count.tolist(),
        rollup.minimum.tolist(),
        rollup.maximum.tolist(),
        np.round(rollup.mean, 4).tolist(),
    )


def pack(batch: Batch) -> bytes:
    """A batch in its binary form."""
    parts = (
        np.ascontiguousarray(batch.time, "<f8"),
        np.ascontiguousarray(batch.value, "<f8"),
        np.ascontiguousarray(batch.station, "<i4"),
        np.ascontiguousarray(batch.quantity, "<i2"),
        np.ascontiguousarray(batch.flag, "u1"),
    )
    return struct.pack("<II", len(batch), 0) + b"".join(each.tobytes() for each in parts)


def wants_binary(request: WebRequest) -> bool:
    """True where the caller asks for typed arrays."""
    return BINARY in request.headers.get("accept", "")


def send_batch(request: WebRequest, batch: Batch) -> Response[bytes]:
    """A batch in the form that the caller asks for."""
    vary = {"Vary": "Accept, Accept-Encoding"}
    if wants_binary(request):
        return send(request, pack(batch), media_type=BINARY, headers=vary)
    return send(request, values_of(batch), headers=vary)
