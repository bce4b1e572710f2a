"""What the water did: peaks against their lines, hydrographs, and how the reservoirs were operated."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.events import NumberedFlood, record
from liuyu.basin.places import Reservoir, Station
from liuyu.basin.series import Series
from liuyu.monitor.summarise.contents import Flood, Hydrograph, Operation, Peak, ReservoirCourse, Text
from liuyu.monitor.summarise.period import Period, text_of, thin

_LONGEST_STEP = 6 * HOUR
_FLOOD_BEFORE, _FLOOD_AFTER = 24 * HOUR, 144 * HOUR


def floods(period: Period) -> tuple[Flood, ...]:
    """Floods numbered in the period, in the order of the log."""
    found = []
    for event in period.events:
        if event.kind == "numbered_flood":
            flood = record(event, NumberedFlood)
            name = {"zh": flood.name, "en": flood.name_en}
            when, where = int(flood.time.timestamp()), text_of(period.basin, flood.station)
            found.append(
                Flood(
                    name,
                    flood.year,
                    flood.number,
                    when,
                    where,
                    flood.quantity,
                    flood.value,
                    flood.threshold_value,
                    event.seq,
                )
            )
    return tuple(found)


def peaks(period: Period) -> tuple[Peak, ...]:
    """The highest level of every station that has one, and of its discharge, in roster order."""
    found = (_peak(period, station) for station in period.basin.stations)
    return tuple(each for each in found if each is not None)


def _peak(period: Period, station: Station) -> Peak | None:
    level = period.series(station.code, "water_level")
    if len(level) == 0:
        return None
    at = int(level.value.argmax())
    lines = _lines(period, station.code, int(level.time[at]))
    flow = period.series(station.code, "discharge")
    top = int(flow.value.argmax()) if len(flow) else -1
    rank, years = _rank(period, station.code, float(level.value[at]))
    return Peak(
        station=station.code,
        name=text_of(period.basin, station.code),
        rank_of_station=station.rank,
        level=float(level.value[at]),
        time=int(level.time[at]),
        lines=lines,
        margins={kind: float(level.value[at]) - line for kind, line in lines.items()},
        hours={kind: hours_above(level, line) for kind, line in lines.items()},
        rank=rank,
        years=years,
        at_edge=at in {0, len(level) - 1},
        discharge=float(flow.value[top]) if top >= 0 else None,
        discharge_time=int(flow.time[top]) if top >= 0 else None,
    )


def hours_above(series: Series, line: float) -> float:
    """Hours at or above a line: each value holds until the next, though for no longer than 6 h."""
    if len(series) < 2:
        return 0.0
    steps = np.minimum(np.diff(series.time), _LONGEST_STEP)
    return float(steps[series.value[:-1] >= line].sum() / HOUR)


def _lines(period: Period, station: str, time: int) -> dict[str, float]:
    """The level lines of a station in force on the day of a time, lowest first."""
    day = _day(period, time)
    found = period.basin.thresholds_of(station, "water_level", day)
    return {each.kind: each.value for each in found if each.side == "above"}


def _day(period: Period, time: int) -> date:
    return moment(time, period.basin.zone).date()


def _rank(period: Period, station: str, level: float) -> tuple[int, int]:
    """The place of a peak among the highest levels of the years that the store holds, this year's own left out."""
    daily = period.store.rollup(station, "water_level", 0, period.end, 86400)
    seen = np.isfinite(daily.maximum)
    if not seen.any():
        return 1, 1
    zone = period.basin.zone
    years = np.asarray([moment(int(each), zone).year for each in daily.time[seen]])
    own = moment(period.end - 1, zone).year
    highest = [float(daily.maximum[seen][years == year].max()) for year in np.unique(years) if year != own]
    return 1 + sum(each > level for each in highest), 1 + len(highest)


def hydrographs(period: Period, found: tuple[Peak, ...]) -> tuple[Hydrograph, ...]:
    """Level through the period of the control stations that are no reservoirs."""
    at_dams = period.basin.reservoir_by_station
    return tuple(
        Hydrograph(
            peak.station,
            peak.name,
            (drawn := thin(period.series(peak.station, "water_level"))).time,
            drawn.value,
            peak.lines,
            peak.level,
            peak.time,
        )
        for peak in found
        if peak.rank_of_station == 1 and peak.station not in at_dams
    )


def reservoirs(period: Period, numbered: tuple[Flood, ...]) -> tuple[ReservoirCourse, ...]:
    """Every reservoir that reported inflow and outflow, over the whole period and over each numbered flood."""
    found = []
    for place in period.basin.reservoirs:
        inflow, outflow = (period.series(place.station, name) for name in ("reservoir_inflow", "reservoir_outflow"))
        level = period.series(place.station, "water_level")
        if not len(inflow) or not len(outflow):
            continue
        whole: Text = {"zh": "全过程", "en": "Whole period"}
        spans = [(whole, period.start, period.end)]
        spans += [(flood.name, *_span(period, at, numbered)) for at, flood in enumerate(numbered)]
        operations = (_operation(place, inflow, outflow, level, *span) for span in spans)
        drawn_in, drawn_level = _paired(inflow, outflow), thin(level)
        found.append(
            ReservoirCourse(
                code=place.code,
                name={"zh": place.name, "en": place.name_en},
                time=drawn_in[0],
                inflow=drawn_in[1],
                outflow=drawn_in[2],
                level_time=drawn_level.time,
                level=drawn_level.value,
                lines=_lines(period, place.station, int(level.time[level.value.argmax()])) if len(level) else {},
                operations=tuple(each for each in operations if each is not None),
                curve_source=place.curve_source,
            )
        )
    return tuple(found)


def _span(period: Period, at: int, numbered: tuple[Flood, ...]) -> tuple[int, int]:
    """From a day before a flood was numbered to six days after, or to when the next one was."""
    flood, later = numbered[at], [each.time for each in numbered if each.time > numbered[at].time]
    return max(period.start, flood.time - _FLOOD_BEFORE), min(period.end, flood.time + _FLOOD_AFTER, *later)


def _operation(
    place: Reservoir, inflow: Series, outflow: Series, level: Series, label: Mapping[str, str], start: int, end: int
) -> Operation | None:
    coming, going, held = (_cut(each, start, end) for each in (inflow, outflow, level))
    if not len(coming) or not len(going):
        return None
    top_in, top_out = int(coming.value.argmax()), int(going.value.argmax())
    low = high = when = None
    if len(held):
        top = int(held.value.argmax())
        high, when = float(held.value[top]), int(held.time[top])
        low = float(held.value[: top + 1].min())
    return Operation(
        label=label,
        start=start,
        end=end,
        inflow=float(coming.value[top_in]),
        inflow_time=int(coming.time[top_in]),
        outflow=float(going.value[top_out]),
        outflow_time=int(going.time[top_out]),
        level_low=low,
        level_high=high,
        level_high_time=when,
        stored=_storage(place, high) - _storage(place, low) if low is not None and high is not None else None,
    )


def _storage(place: Reservoir, level: float) -> float:
    """Storage [m3] at a level [m] by the curve; not a number beyond its ends."""
    levels, volumes = zip(*place.curve, strict=True)
    return float(np.interp(level, levels, volumes, left=np.nan, right=np.nan))


def _cut(series: Series, start: int, end: int) -> Series:
    keep = (series.time >= start) & (series.time < end)
    return Series(series.station, series.quantity, series.time[keep], series.value[keep], series.flag[keep])


def _paired(inflow: Series, outflow: Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inflow and outflow at common times, thinned by every n-th value."""
    common, left, right = np.intersect1d(inflow.time, outflow.time, return_indices=True)
    step = max(1, len(common) // 420)
    return common[::step], inflow.value[left][::step], outflow.value[right][::step]
