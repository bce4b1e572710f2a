"""Forecasts as one row each."""

from __future__ import annotations

from collections.abc import Iterable

from liuyu.basin.records import Forecast
from liuyu.store.encoding import forecast_of, forecast_row
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.names import add_stations, station_codes

_PUT = """
INSERT INTO forecast (issued, station, quantity, model, steps, members, time, value, drivers, provenance)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s::json, %s::json)
ON CONFLICT (issued, station, quantity, model) DO UPDATE SET steps = excluded.steps, members = excluded.members,
    time = excluded.time, value = excluded.value, drivers = excluded.drivers, provenance = excluded.provenance
"""
_SELECT = """
SELECT s.code, f.issued, f.quantity, f.model, f.steps, f.members, f.time, f.value, f.drivers, f.provenance
FROM forecast f JOIN station s ON s.number = f.station
"""


def put(writer: Link, forecasts: Iterable[Forecast]) -> None:
    """Keep forecasts; the same key again replaces. See Store.put_forecasts. Raises BadInput for unequal shapes."""
    given = [(each.station, forecast_row(each)) for each in forecasts]
    if not given:
        return
    add_stations(writer, list(dict.fromkeys(code for code, _ in given)))
    number = {code: number for number, code in station_codes(writer).items()}
    with writer.cursor() as cursor:
        cursor.executemany(
            _PUT,
            [
                (issued, number[code], quantity, *rest, drivers.decode(), provenance.decode())
                for code, (issued, quantity, *rest, drivers, provenance) in given
            ],
        )


def newest(link: Link, station: str, quantity_number: int, at: int | None, model: str | None) -> Forecast | None:
    """The newest forecast of a series. See Store.forecast."""
    where, values = "s.code = %s AND f.quantity = %s", [station, quantity_number]
    if at is not None:
        where, values = f"{where} AND f.issued <= %s", [*values, at]
    if model is not None:
        where, values = f"{where} AND f.model = %s", [*values, model]
    row = link.execute(f"{_SELECT} WHERE {where} ORDER BY f.issued DESC, f.model LIMIT 1", values).fetchone()
    return forecast_of(row) if row else None


def issued(link: Link, start: int, end: int, station: str | None) -> list[Forecast]:
    """Forecasts issued in [start, end). See Store.forecasts."""
    where, values = "f.issued >= %s AND f.issued < %s", [start, end]
    if station is not None:
        where, values = f"{where} AND s.code = %s", [*values, station]  # type: ignore[list-item]
    found = link.execute(f"{_SELECT} WHERE {where} ORDER BY f.issued, s.code, f.quantity, f.model", values)
    return [forecast_of(row) for row in found]
