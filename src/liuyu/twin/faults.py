"""What telemetry does to good readings: a spike, a stuck sensor, a gap, an impossible value, data that come late."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from liuyu.basin.places import Basin

Floats = NDArray[np.float64]
STUCK_H = 20
GAP_H = 9
LATE_H = 7
_COLUMNS = ("z_m", "q_m3s", "inflow_m3s", "outflow_m3s")
_FALLING, _RISING, _STEADY = "4", "5", "6"


def spoil(
    readings: Mapping[str, Mapping[str, Floats]],
    basin: Basin,
    time: NDArray[np.datetime64],
    peak: int,
    dice: np.random.Generator,
) -> pa.Table:
    """The rows of an archive, in order of arrival, faults in them; `peak` is the hour of the flood.

    A spike and an impossible value a few days before, a sensor that sticks on the rise, a gap just before, and rows of
    one station that stand at the end of the file because they came late. No fault falls on a peak of the flood.
    """
    columns = {code: {name: values.copy() for name, values in each.items()} for code, each in readings.items()}
    rivers = [code for code, each in columns.items() if np.isfinite(each["q_m3s"]).any()]
    hit = list(dice.permutation(rivers)) * 5
    spike, impossible, stuck, gap, late = hit[:5]
    columns[spike]["z_m"][peak - int(dice.integers(60, 80))] += round(float(dice.uniform(2.5, 4.5)), 2)
    columns[impossible]["z_m"][peak - int(dice.integers(85, 100))] = -20.0
    first = peak - 26
    columns[stuck]["z_m"][first : first + STUCK_H] = columns[stuck]["z_m"][first]
    silent = slice(peak - 44, peak - 44 + GAP_H)
    for values in columns[gap].values():
        values[silent] = np.nan
    return _rows(columns, basin, time, late, slice(peak - 60, peak - 60 + LATE_H))


def _rows(
    columns: Mapping[str, Mapping[str, Floats]], basin: Basin, time: NDArray[np.datetime64], late: str, delayed: slice
) -> pa.Table:
    """Rows by time, then station; those of one station in a span of hours last."""
    codes = list(columns)
    hours = len(time)
    station = np.tile(np.arange(len(codes)), hours)
    hour = np.repeat(np.arange(hours), len(codes))
    values = {name: np.stack([columns[code][name] for code in codes], axis=1).ravel() for name in _COLUMNS}
    there = np.logical_or.reduce([np.isfinite(each) for each in values.values()])
    is_late = (station == codes.index(late)) & (hour >= delayed.start) & (hour < delayed.stop)
    arrival = np.lexsort((station, hour, is_late))
    arrival = arrival[there[arrival]]
    places = [basin.station_by_code[code] for code in codes]
    tendency = np.stack([_tendency(columns[code]["z_m"]) for code in codes], axis=1).ravel()
    text = {
        "stcd": np.array(codes)[station],
        "stnm": np.array([each.name for each in places])[station],
        "rvnm": np.array([each.river for each in places])[station],
    }
    table = {name: pa.array(each[arrival]).dictionary_encode() for name, each in text.items()}
    table["time_cst"] = pa.array(time[hour][arrival].astype("datetime64[us]"))
    table |= {name: pa.array(each[arrival].astype(np.float32), from_pandas=True) for name, each in values.items()}
    table["wptn"] = pa.array(tendency[arrival]).dictionary_encode()
    return pa.table(table).unify_dictionaries()


def _tendency(level: Floats) -> NDArray[np.str_]:
    """4 falling, 5 rising, 6 steady, by the change over the last hour."""
    change = np.diff(level, prepend=level[:1])
    return np.where(change > 0.005, _RISING, np.where(change < -0.005, _FALLING, _STEADY))
