"""Forecasts as one row each."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from liuyu.basin.records import Forecast
from liuyu.store.encoding import forecast_of, forecast_row
from liuyu.store.engine.session import Session

_PUT = """
INSERT INTO forecast (issued, station, quantity, model, steps, members, time, value, drivers, provenance)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (issued, station, quantity, model) DO UPDATE SET steps = excluded.steps, members = excluded.members,
    time = excluded.time, value = excluded.value, drivers = excluded.drivers, provenance = excluded.provenance
"""
_SELECT = """
SELECT s.code, f.issued, f.quantity, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance
FROM forecast f JOIN station s ON s.number = f.station
"""


def put(writer: Session, forecasts: Iterable[Forecast]) -> None:
    """Keep forecasts; the same key again replaces. See Store.put_forecasts. Raises BadInput for unequal shapes."""
    given = [(each.station, forecast_row(each)) for each in forecasts]
    if not given:
        return
    writer.add_stations(list(dict.fromkeys(code for code, _ in given)))
    number = {code: number for number, code in writer.station_codes().items()}
    writer.ask_many(
        _PUT,
        [
            (issued, number[code], quantity, *rest, writer.document(drivers), writer.document(provenance))
            for code, (issued, quantity, *rest, drivers, provenance) in given
        ],
    )


def newest(session: Session, station: str, quantity_number: int, at: int | None, model: str | None) -> Forecast | None:
    """The newest forecast of a series, of several the one with the most members. See Store.forecast."""
    where = "s.code = ? AND f.quantity = ?"
    values: list[Any] = [station, quantity_number]
    if at is not None:
        where, values = f"{where} AND f.issued <= ?", [*values, at]
    if model is not None:
        where, values = f"{where} AND f.model = ?", [*values, model]
    rows = session.ask(f"{_SELECT} WHERE {where} ORDER BY f.issued DESC, f.members DESC, f.model LIMIT 1", values)
    return forecast_of(rows[0]) if rows else None


def issued(session: Session, start: int, end: int, station: str | None) -> list[Forecast]:
    """Forecasts issued in [start, end). See Store.forecasts."""
    where = "f.issued >= ? AND f.issued < ?"
    values: list[Any] = [start, end]
    if station is not None:
        where, values = f"{where} AND s.code = ?", [*values, station]
    rows = session.ask(f"{_SELECT} WHERE {where} ORDER BY f.issued, s.code, f.quantity, f.model", values)
    return [forecast_of(row) for row in rows]
