"""Forecasts to ST_FORECASTC_F and the tables of their values, and back.

Out goes the median, with what it rests on as a remark. Back comes one value for each time, as a forecast of one member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import epoch, moment
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Aside
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.observed import seconds_of, wall_texts
from liuyu.monitor.sense.sl323.rules import Rules
from liuyu.monitor.sense.sl323.tables import Meaning, column, meanings

_KEY = ("STCD", "UNITNAME", "PLCD", "FYMDH", "IYMDH")


def export_forecasts(
    forecasts: Sequence[Forecast],
    basin: Basin,
    codes: Mapping[str, str],
    database: Database,
    rules: Rules,
    zone: ZoneInfo,
) -> tuple[dict[str, int], list[Aside]]:
    """Write the median of forecasts; returns the rows of each table, and what no column holds."""
    kinds = {each.code: each.kind for each in basin.stations}
    notes: dict[tuple[str, ...], str] = {}
    values: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
    lost: dict[str, list[str]] = {}
    for each in forecasts:
        homes = (one for one in meanings("forecast") if one.quantity == each.quantity)
        home = next((one for one in homes if one.fits(kinds.get(each.station, ""))), None)
        if home is None or each.station not in codes:
            lost.setdefault(f"no column of SL 323 here holds a forecast of {each.quantity}", []).append(each.station)
            continue
        known = each.provenance.inputs_until or each.issued
        until, issued = wall_texts(np.array([epoch(known), epoch(each.issued)]), zone)
        key = (codes[each.station], rules.unit_name[:30], each.model[:20], until, issued)
        count = len(each.members)
        notes[key] = f"median of {count} members; {each.provenance.code} {each.provenance.version}"[:200]
        target = column(home.table, home.column)
        median = np.round(each.quantile(0.5) / home.factor, target.decimals)
        table = values.setdefault(home.table, {})
        for time, value in zip(wall_texts(each.time, zone), median.tolist(), strict=True):
            if abs(value) <= target.largest:
                table.setdefault((*key, time), {})[home.column] = value
    written = {}
    if notes:
        database.create("ST_FORECASTC_F")
        rows = ((*key, note) for key, note in notes.items())
        written["ST_FORECASTC_F"] = database.upsert("ST_FORECASTC_F", (*_KEY, "COMMENTS"), rows)
    for name, table in values.items():
        database.create(name)
        columns = sorted({each for row in table.values() for each in row})
        cells = ((*key, *(row.get(each) for each in columns)) for key, row in table.items())
        written[name] = database.upsert(name, (*_KEY, "YMDH", *columns), cells)
    asides = [Aside(basin.code, f"{why}: {len(each)}", "\n".join(each).encode()) for why, each in lost.items()]
    return written, asides


def import_forecasts(
    database: Database, stations: Mapping[str, Station], codes: Mapping[str, str], rules: Rules, zone: ZoneInfo
) -> tuple[list[Forecast], list[Aside]]:
    """Read every forecast of some stations, by issue, station, quantity and model; and what could not be used.

    `stations` by our code; `codes` turns a code of the tables into one of ours. The model is the plan (PLCD), with the
    office (UNITNAME) and a slash before it where it is not ours, so that none stands for a forecast of our own.
    """
    notes = {}
    if all(name in database.columns("ST_FORECASTC_F") for name in (*_KEY, "COMMENTS")):
        notes = {row[:5]: row[5] for row in database.rows("ST_FORECASTC_F", (*_KEY, "COMMENTS"))}
    found: list[Forecast] = []
    lost: dict[str, list[str]] = {}
    for table in dict.fromkeys(each.table for each in meanings("forecast")):
        there = database.columns(table)
        homes = [each for each in meanings("forecast") if each.table == table and each.column in there]
        if not homes or not all(name in there for name in (*_KEY, "YMDH")):
            continue
        columns = list(dict.fromkeys(each.column for each in homes))
        rows = database.rows(table, (*_KEY, "YMDH", *columns), (*_KEY, "YMDH"))
        for key, group in groupby(rows, key=lambda row: row[:5]):
            code = codes.get(key[0], key[0])
            if code not in stations or None in key:
                lost.setdefault(f"{table}: no such station, or no time", []).append(", ".join(map(str, key)))
                continue
            values = np.array([row[5:] for row in group], object)
            for place, name in enumerate(columns, 1):
                home = next(each for each in homes if each.column == name)
                home = next((each for each in homes if each.column == name and each.fits(stations[code].kind)), home)
                made = _forecast(key, values[:, 0], values[:, place].astype(np.float64), home, rules, zone)
                if made is not None:
                    drivers = {"office": key[1], "remark": notes.get(key) or ""}
                    found.append(msgspec.structs.replace(made, station=code, drivers=drivers))
    found.sort(key=lambda each: (each.issued, each.station, each.quantity, each.model))
    return found, [Aside(database.name, f"{why}: {len(each)}", "\n".join(each).encode()) for why, each in lost.items()]


def _forecast(
    key: Sequence[str],
    texts: NDArray[np.object_],
    values: NDArray[np.float64],
    home: Meaning,
    rules: Rules,
    zone: ZoneInfo,
) -> Forecast | None:
    """The forecast of one column, where it has values later than its issue."""
    (known, issued), _ = seconds_of(key[3:5], zone)
    time, timed = seconds_of(texts.tolist(), zone)
    here = timed & np.isfinite(values) & (time > issued)
    if not here.any():
        return None
    what = quantity(home.quantity)
    return Forecast(
        station="",
        quantity=what.name,
        issued=moment(int(issued)),
        model=key[2] if key[1] == rules.unit_name else f"{key[1]}/{key[2]}",
        time=time[here],
        members=np.round(values[here] * home.factor, what.decimals)[None, :],
        drivers={},
        provenance=Provenance(code=key[1], version=key[2], inputs_until=moment(int(known))),
    )
