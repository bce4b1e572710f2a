"""Forecasts as one row each: members as compressed float32, the rest as JSON.

float32 keeps seven digits: a level of 50 m to 0.004 mm, a discharge of 60,000 m3/s to 0.004 m3/s.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance

_SELECT = """
SELECT s.code, f.quantity, f.issued, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance
FROM forecast f JOIN station s ON s.number = f.station
"""


def put(writer: apsw.Connection, forecasts: Iterable[Forecast]) -> None:
    """Keep forecasts; the same key again replaces. See Store.put_forecasts. Raises BadInput for unequal shapes."""
    for each in forecasts:
        members = np.asarray(each.members, np.float64)
        if members.ndim != 2 or members.shape[1] != len(each.time):
            raise BadInput(
                f"forecast of {each.station}: members {members.shape} do not fit {len(each.time)} times; give (m, n)"
            )
        writer.execute("INSERT INTO station (code) VALUES (?) ON CONFLICT DO NOTHING", (each.station,))
        number = writer.execute("SELECT number FROM station WHERE code = ?", (each.station,)).get
        key = (epoch(each.issued), number, quantity(each.quantity).number, each.model)
        writer.execute(
            "INSERT OR REPLACE INTO forecast VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *key,
                members.shape[1],
                members.shape[0],
                _squeeze(np.diff(np.asarray(each.time, np.int64), prepend=0), 8),
                _squeeze(members.astype(np.float32), 4),
                msgspec.json.encode(each.drivers),
                msgspec.json.encode(each.provenance),
            ),
        )


def newest(
    connection: apsw.Connection, station: str, quantity_number: int, at: int | None, model: str | None
) -> Forecast | None:
    """The newest forecast of a series. See Store.forecast."""
    where = "s.code = ? AND f.quantity = ?"
    values: list[int | str] = [station, quantity_number]
    if at is not None:
        where, values = f"{where} AND f.issued <= ?", [*values, at]
    if model is not None:
        where, values = f"{where} AND f.model = ?", [*values, model]
    row = connection.execute(f"{_SELECT} WHERE {where} ORDER BY f.issued DESC, f.model LIMIT 1", values).fetchone()
    return _forecast(row) if row else None


def issued(connection: apsw.Connection, start: int, end: int, station: str | None) -> list[Forecast]:
    """Forecasts issued in [start, end). See Store.forecasts."""
    where = "f.issued >= ? AND f.issued < ?"
    values: list[int | str] = [start, end]
    if station is not None:
        where, values = f"{where} AND s.code = ?", [*values, station]
    rows = connection.execute(f"{_SELECT} WHERE {where} ORDER BY f.issued, s.code, f.quantity, f.model", values)
    return [_forecast(row) for row in rows]


def _forecast(row: Sequence[Any]) -> Forecast:
    code, number, when, model, steps, members, time, value, drivers, provenance = row
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


def _squeeze(array: NDArray[Any], size: int) -> bytes:
    """Bytes of equal weight laid together before compression: a third smaller than as they lie."""
    little = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<")))
    return zlib.compress(little.view(np.uint8).reshape(-1, size).T.tobytes(), 1)


def _unsqueeze(blob: bytes, kind: str) -> NDArray[Any]:
    size = np.dtype(kind).itemsize
    laid = np.frombuffer(zlib.decompress(blob), np.uint8).reshape(size, -1)
    return np.ascontiguousarray(laid.T).reshape(-1).view(kind).astype(kind[1:])
