"""Forecasts as one row each."""

from __future__ import annotations

from collections.abc import Iterable

import apsw

from liuyu.basin.records import Forecast
from liuyu.store.encoding import forecast_of, forecast_row

_SELECT = """
SELECT s.code, f.issued, f.quantity, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance
FROM forecast f JOIN station s ON s.number = f.station
"""


def put(writer: apsw.Connection, forecasts: Iterable[Forecast]) -> None:
    """Keep forecasts; the same key again replaces. See Store.put_forecasts. Raises BadInput for unequal shapes."""
    for each in forecasts:
        issued, number, *rest = forecast_row(each)
        writer.execute("INSERT INTO station (code) VALUES (?) ON CONFLICT DO NOTHING", (each.station,))
        station = writer.execute("SELECT number FROM station WHERE code = ?", (each.station,)).get
        writer.execute(
            "INSERT OR REPLACE INTO forecast VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (issued, station, number, *rest)
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
    return forecast_of(row) if row else None


def issued(connection: apsw.Connection, start: int, end: int, station: str | None) -> list[Forecast]:
    """Forecasts issued in [start, end). See Store.forecasts."""
    where = "f.issued >= ? AND f.issued < ?"
    values: list[int | str] = [start, end]
    if station is not None:
        where, values = f"{where} AND s.code = ?", [*values, station]
    rows = connection.execute(f"{_SELECT} WHERE {where} ORDER BY f.issued, s.code, f.quantity, f.model", values)
    return [forecast_of(row) for row in rows]
