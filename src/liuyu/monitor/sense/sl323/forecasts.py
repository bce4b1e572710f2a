"""Forecasts to ST_FORECASTC_F and the tables of their values: the median, with what it rests on as a remark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from liuyu.basin.clock import epoch
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast
from liuyu.basin.series import Aside
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.observed import wall_texts
from liuyu.monitor.sense.sl323.rules import Rules
from liuyu.monitor.sense.sl323.tables import column, meanings

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
        issued = wall_texts(np.array([epoch(each.issued)]), zone)[0]
        key = (codes[each.station], rules.unit_name[:30], each.model[:20], issued, issued)
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
