"""What the operation of the reservoirs did to the gauges below: observed levels beside simulated ones without it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.monitor.summarise.contents import Effect
from liuyu.monitor.summarise.period import Period, text_of
from liuyu.twin import RiverTwin
from liuyu.twin.naturalise import naturalise

_LEAST = 0.05  # [m]: a smaller difference at every hour says nothing
_DRAWN = 420


def effects(period: Period) -> tuple[Effect, ...]:
    """Control stations below a reservoir with and without its operation, in the order of the river.

    Empty where the basin has no model or no reservoir, or the period has too few observations.
    """
    basin = period.basin
    if not basin.model_file or not basin.reservoirs:
        return ()
    twin = RiverTwin(basin)
    start, end = -(-period.start // HOUR) * HOUR, (period.end - 1) // HOUR * HOUR
    batch = period.store.window(twin.stations, twin.quantities, start, end + 1, basin.roster)
    found = naturalise(twin, batch, start, end)
    if found is None:
        return ()
    below = {code for place in twin.reservoir_places.values() for code in twin.below(place)}
    made = (
        _effect(period, code, found.time, level, found.without[code])
        for code, level in found.level.items()
        if code in below and basin.station_by_code[code].rank == 1 and _moved(level, found.without[code])
    )
    return tuple(made)


def _moved(level: NDArray[np.float64], without: NDArray[np.float64]) -> bool:
    return bool(np.abs(without - level).max() >= _LEAST)


def _effect(
    period: Period, code: str, time: NDArray[np.int64], level: NDArray[np.float64], without: NDArray[np.float64]
) -> Effect:
    top, other = int(level.argmax()), int(without.argmax())
    day = moment(int(time[top]), period.basin.zone).date()
    found = period.basin.thresholds_of(code, "water_level", day)
    lines = {each.kind: each.value for each in found if each.side == "above"}
    step = max(1, len(time) // _DRAWN)
    keep = np.unique(np.concatenate([np.arange(0, len(time), step), [top, other, len(time) - 1]]))
    return Effect(
        station=code,
        name=text_of(period.basin, code),
        time=time[keep],
        level=level[keep],
        without=without[keep],
        peak=float(level[top]),
        peak_time=int(time[top]),
        peak_without=float(without[other]),
        peak_without_time=int(time[other]),
        lines=lines,
        hours={kind: float((level >= line).sum()) for kind, line in lines.items()},
        hours_without={kind: float((without >= line).sum()) for kind, line in lines.items()},
    )
