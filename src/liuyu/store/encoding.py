"""Forecasts and events as rows of plain values, alike in every engine.

Members are compressed float32, which keeps seven digits: a level of 50 m to 0.004 mm, a discharge of 60,000 m3/s to
0.004 m3/s. The rest is JSON.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def forecast_row(forecast: Forecast) -> tuple[int, int, str, int, int, bytes, bytes, bytes, bytes]:
    """issued, quantity, model, steps, members, time, value, drivers, provenance. Raises BadInput for unequal shapes."""
    members = np.asarray(forecast.members, np.float64)
    if members.ndim != 2 or members.shape[1] != len(forecast.time):
        raise BadInput(
            f"forecast of {forecast.station}: members {members.shape} do not fit {len(forecast.time)} times;"
            " give (m, n)"
        )
    return (
        epoch(forecast.issued),
        quantity(forecast.quantity).number,
        forecast.model,
        members.shape[1],
        members.shape[0],
        _squeeze(np.diff(np.asarray(forecast.time, np.int64), prepend=0), 8),
        _squeeze(members.astype(np.float32), 4),
        msgspec.json.encode(forecast.drivers),
        msgspec.json.encode(forecast.provenance),
    )


def forecast_of(row: Sequence[Any]) -> Forecast:
    """The forecast of a row that begins with the station's code and goes on as `forecast_row` makes it."""
    code, when, number, model, steps, members, time, value, drivers, provenance = row
    return Forecast(
        station=code,
        quantity=quantity(number).name,
        issued=moment(when),
        model=model,
        time=np.cumsum(_unsqueeze(time, "<i8")),
        members=_unsqueeze(value, "<f4").astype(np.float64).reshape(members, steps),
        drivers=msgspec.json.decode(drivers),
        provenance=msgspec.json.decode(provenance, type=Provenance),
    )


def event_row(event: Event) -> tuple[str, str, int, str, str, bytes]:
    """kind, id, time [us UTC], state, subject, body."""
    time = (event.time.astimezone(UTC) - _EPOCH) // _MICROSECOND
    return event.kind, event.id, time, event.state, event.subject, msgspec.json.encode(event.body)


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row: kind, id, time [us UTC], state, subject, body, seq."""
    kind, id, time, state, subject, body, seq = row
    return Event(
        kind=kind,
        time=_EPOCH + time * _MICROSECOND,
        id=id,
        state=state,
        subject=subject,
        body=msgspec.json.decode(body),
        seq=seq,
    )


def numbered(event: Event, seq: int) -> Event:
    """An event as the log gives it back: with its number, and its time in UTC."""
    return msgspec.structs.replace(event, time=event.time.astimezone(UTC), seq=seq)


def _squeeze(array: NDArray[Any], size: int) -> bytes:
    """Bytes of equal weight laid together before compression: a third smaller than as they lie."""
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return zlib.compress(little.view(np.uint8).reshape(-1, size).T.tobytes(), 1)


def _unsqueeze(blob: bytes, kind: str) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    laid = np.frombuffer(zlib.decompress(blob), np.uint8).reshape(size, -1)
    return np.ascontiguousarray(laid.T).reshape(-1).view(kind).astype(kind[1:])
