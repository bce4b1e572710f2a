"""A storm season that never was: rain, runoff, routing, a reservoir with a rule, gauges with noise and faults.

It lets everything run where there are no data, on any basin whose package has reaches and sub-basins. The same basin,
seed and years give the same bytes. What it makes is labelled synthetic by the basin's package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin, Reservoir, Station, SubBasin
from liuyu.physics.hydrograph import convolve, excess_rain, linear_reservoir_mean, nash_unit_hydrograph
from liuyu.physics.pool import interpolate
from liuyu.physics.routing import muskingum
from liuyu.twin.faults import spoil

Floats = NDArray[np.float64]
SEASON = ((5, 15), (7, 31))
LAKE_H = 30.0
SLOW_SHARE = 0.2
SLOW_H = 150.0
BASE_FLOW = 0.012
ABOVE_GUARANTEE = 0.2


@dataclass(frozen=True, slots=True)
class Water:
    """What truly happens, hour by hour: flow by node; level, inflow and outflow by reservoir station."""

    flow: Mapping[str, Floats]
    level: Mapping[str, Floats] = field(default_factory=dict)
    inflow: Mapping[str, Floats] = field(default_factory=dict)


def make_archive(basin: Basin, path: Path, seed: int, *, years: Sequence[int] = ()) -> Path:
    """Write a synthetic archive with the catalogue's columns, stcd to wptn, times in the basin's wall clock.

    One flood a year is made so large that the level passes the guarantee line, by 0.2 m at the gauge that is worst hit;
    with a demonstration period and no `years`, within that period. Raises BadInput for a basin without sub-basins.
    """
    if not basin.subbasins or not basin.reaches:
        raise BadInput(f"basin {basin.code!r} has no sub-basins or no reaches, so no rain can run off; add them")
    wanted = tuple(years) or ((basin.demonstration[0].astimezone(basin.zone).year,) if basin.demonstration else (2021,))
    tables = [_season(basin, year, np.random.Generator(np.random.PCG64([seed, year]))) for year in wanted]
    pa.parquet.write_table(pa.concat_tables(tables), path, compression="zstd")
    return path


def _season(basin: Basin, year: int, dice: np.random.Generator) -> pa.Table:
    start = np.datetime64(date(year, *SEASON[0]), "h")
    hours = int((np.datetime64(date(year, *SEASON[1]), "h") - start) / np.timedelta64(1, "h")) + 24
    peak = _peak_hour(basin, year, start, hours, dice)
    storms = _storms(basin.subbasins, hours, peak, dice)
    water, laws = _large_enough(basin, storms)
    time = start + np.arange(hours)
    return spoil(gauge(basin, water, laws, time, dice), basin, time, peak, dice)


def _peak_hour(basin: Basin, year: int, start: np.datetime64, hours: int, dice: np.random.Generator) -> int:
    """Hour of the season about which the great storm falls."""
    shown = basin.demonstration
    if shown and shown[0].astimezone(basin.zone).year == year:
        begin = np.datetime64(shown[0].astimezone(basin.zone).replace(tzinfo=None), "h")
        return int((begin - start) / np.timedelta64(1, "h")) + int(dice.integers(84, 108))
    return int(dice.integers(int(0.35 * hours), int(0.85 * hours)))


def _storms(subbasins: Sequence[SubBasin], hours: int, peak: int, dice: np.random.Generator) -> tuple[Floats, Floats]:
    """Hourly rain of each sub-basin [mm]: small storms of the season, and the great one, (sub-basins, hours) each."""
    clock = np.arange(hours)
    small = np.zeros((len(subbasins), hours))
    centre = float(dice.uniform(20, 90))
    while centre < hours:
        depth, length = dice.gamma(2.0, 9.0), dice.uniform(4, 14)
        if abs(centre - peak) > 60:
            small += _storm(len(subbasins), clock, centre, depth, length, dice)
        centre += dice.uniform(70, 190)
    great = _storm(len(subbasins), clock, peak - 14, 70.0, 9.0, dice)
    great += _storm(len(subbasins), clock, peak + 8, 110.0, 11.0, dice)
    return small, great


def _storm(
    count: int, clock: NDArray[np.int64], centre: float, depth: float, length: float, dice: np.random.Generator
) -> Floats:
    """One storm moving down the basin: depth [mm] and length [h] vary from one sub-basin to the next."""
    shift = np.linspace(-2.0, 4.0, count) + dice.normal(0.0, 1.5, count)
    share = dice.lognormal(0.0, 0.22, count)
    shape = np.exp(-0.5 * ((clock[None, :] - centre - shift[:, None]) / (length / 2)) ** 2)
    shape *= dice.gamma(4.0, 0.25, shape.shape)
    return np.asarray(depth * share[:, None] * shape / np.maximum(shape.sum(axis=1, keepdims=True), 1e-9), np.float64)


@dataclass(frozen=True, slots=True)
class Rating:
    """Q = a (z - b)^m at a gauge, drawn so that the river is at its warning level about once in three years."""

    a: float
    b: float
    m: float

    def level(self, flow: Floats) -> Floats:
        """Level [m] of a flow [m3/s]."""
        return np.asarray(self.b + (np.maximum(flow, 0.01) / self.a) ** (1.0 / self.m), np.float64)


def ratings(basin: Basin) -> dict[str, Rating]:
    """A rating of every gauge with discharge, from its lines, its frequency table or the land above it."""
    above = _land_above(basin)
    out = {}
    for station in basin.stations:
        if "discharge" not in station.quantities:
            continue
        lines = {t.kind: t.value for t in basin.thresholds_of(station.code, "water_level")}
        warning = lines.get("warning", 50.0)
        depth = warning - lines["drought_warning"] + 0.8 if "drought_warning" in lines else 5.5
        table = basin.frequencies_of(station.code, "discharge")
        if len(table) > 1:
            full = 0.5 * (table[0].value + table[1].value)
        else:
            full = 1.2 * max(above.get(station.code, 300.0), 1.0) ** 0.92 * (0.55 if station.kind == "ZZ" else 1.0)
        out[station.code] = Rating(a=full / depth**1.6, b=warning - depth, m=1.6)
    return out


def _land_above(basin: Basin) -> dict[str, float]:
    """Area that drains to each node [km2]."""
    land: dict[str, float] = {}
    for node in order(basin):
        own = sum(each.area_km2 for each in basin.subbasins if each.outlet == node)
        land[node] = own + sum(land[reach.upper] for reach in basin.reaches if reach.lower == node)
    held = {each.code: each.station for each in basin.reservoirs}
    return {**land, **{held[code]: area for code, area in land.items() if code in held}}


def order(basin: Basin) -> list[str]:
    """Every node that a reach or sub-basin names, sources first. Raises BadInput where reaches run in a circle."""
    names = [n for r in basin.reaches for n in (r.upper, r.lower)] + [s.outlet for s in basin.subbasins if s.outlet]
    waiting = list(dict.fromkeys(names))
    done: list[str] = []
    while waiting:
        ready = [n for n in waiting if all(r.upper in done for r in basin.reaches if r.lower == n)]
        if not ready:
            raise BadInput(f"the reaches of basin {basin.code!r} run in a circle through {', '.join(waiting)}; open it")
        done += ready
        waiting = [n for n in waiting if n not in ready]
    return done


def _large_enough(basin: Basin, storms: tuple[Floats, Floats]) -> tuple[Water, dict[str, Rating]]:
    """The season with the great storm so scaled that the worst-hit gauge stands 0.2 m above its guarantee line."""
    small, great = storms
    laws = ratings(basin)

    def season(factor: float) -> Water:
        return flow_down(basin, small + factor * great)

    def excess(water: Water) -> float:
        found = [-np.inf]
        for code, law in laws.items():
            lines = [t.value for t in basin.thresholds_of(code, "water_level") if t.kind == "guarantee"]
            if lines:
                found.append(float(law.level(water.flow[code]).max()) - lines[0])
        return max(found)

    low, high = 0.1, 6.0
    for _ in range(18):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if excess(season(middle)) > ABOVE_GUARANTEE else (middle, high)
    return season(low), laws


def flow_down(basin: Basin, rain: Floats) -> Water:
    """Rain of each sub-basin (sub-basins, hours) [mm] to flow at every node, reservoirs and lakes on the way."""
    hours = rain.shape[1]
    held = {each.code: each for each in basin.reservoirs}
    lakes = {each.code for each in basin.stations if each.kind == "ZZ" and "discharge" in each.quantities}
    flow: dict[str, Floats] = {}
    level: dict[str, Floats] = {}
    inflow: dict[str, Floats] = {}
    for node in order(basin):
        total = np.zeros(hours)
        for place, land in enumerate(basin.subbasins):
            if land.outlet == node:
                total += runoff(rain[place], land.area_km2)
        for reach in basin.reaches:
            if reach.lower == node:
                total += muskingum(flow[reach.upper], reach.travel_hours, min(reach.muskingum_x, 1 / 3), 1.0)
        if node in held:
            station = held[node].station
            inflow[station] = total
            level[station], total = operate(basin, held[node], total)
            flow[station] = total
        elif node in lakes:
            total = _slow(total, LAKE_H)
        flow[node] = total
    return Water(flow, level, inflow)


def runoff(rain: Floats, area_km2: float) -> Floats:
    """Hourly flow [m3/s] of rain [mm] on land: a unit hydrograph for what is fast, a slow reservoir, a base flow."""
    wet = excess_rain(rain, 12.0, 0.62)
    unit = nash_unit_hydrograph(3.0, 0.75 * (area_km2 / 100.0) ** 0.35, 1.0, 72)
    fast = convolve((1.0 - SLOW_SHARE) * wet, unit)
    return np.asarray((fast + _slow(SLOW_SHARE * wet, SLOW_H)) * area_km2 / 3.6 + BASE_FLOW * area_km2, np.float64)


def _slow(inflow: Floats, hours: float) -> Floats:
    """Flow through one linear reservoir, hour means, in the unit of the inflow."""
    out = np.empty_like(inflow)
    state = inflow[0]
    for hour, value in enumerate(inflow):
        out[hour] = linear_reservoir_mean(state, value, hours, 1.0)
        state += (value - out[hour]) / hours
    return out


def operate(basin: Basin, reservoir: Reservoir, inflow: Floats) -> tuple[Floats, Floats]:
    """Level [m] at the end of each hour and release [m3/s] under a plain rule; the balance closes.

    Below the lowest flood limit the release is the inflow, up to a tenth of the largest; above it, seven tenths of the
    inflow and what draws the pool down in two days; near the normal pool all that comes. Range and ramp are kept.
    """
    levels, held = np.array(reservoir.curve).T
    lines = basin.thresholds_of(reservoir.station, "water_level")
    limit = min((t.value for t in lines if t.kind == "flood_limit"), default=float(levels[-2]))
    pool = max((t.value for t in lines if t.kind == "normal_pool"), default=float(levels[-1]))
    least, most = reservoir.release_range
    storage = interpolate(limit - 1.5, levels, held)
    release = max(least, min(inflow[0], 0.1 * most))
    level, out = np.empty_like(inflow), np.empty_like(inflow)
    for hour, comes in enumerate(inflow):
        z = interpolate(storage, held, levels)
        surplus = max(storage - interpolate(limit, levels, held), 0.0) / (48 * 3600.0)
        wanted = min(comes, 0.1 * most) if z < limit else 0.7 * comes + surplus
        if z > pool - 0.3:
            wanted = comes + 2 * surplus
        ramp = min(reservoir.release_ramp, 150.0)
        release = min(max(wanted, release - ramp, least), release + ramp, most)
        storage += 3600.0 * (comes - release)
        level[hour], out[hour] = interpolate(storage, held, levels), release
    return level, out


def gauge(
    basin: Basin, water: Water, laws: Mapping[str, Rating], time: NDArray[np.datetime64], dice: np.random.Generator
) -> dict[str, dict[str, Floats]]:
    """What the gauges read: noise at their precision, levels to 0.01 m, flows to three digits; by station, columns."""
    return {each.code: _read(each, water, laws, len(time), dice) for each in basin.stations if _has(each, water)}


def _has(station: Station, water: Water) -> bool:
    return station.code in water.flow


def _read(
    station: Station, water: Water, laws: Mapping[str, Rating], hours: int, dice: np.random.Generator
) -> dict[str, Floats]:
    nothing = np.full(hours, np.nan)
    columns = {"z_m": nothing, "q_m3s": nothing, "inflow_m3s": nothing, "outflow_m3s": nothing}
    flow = water.flow[station.code]
    if station.code in water.level:
        columns["z_m"] = np.round(water.level[station.code] + dice.normal(0, 0.004, hours), 2)
        columns["inflow_m3s"] = digits(water.inflow[station.code] * (1 + dice.normal(0, 0.02, hours)))
        columns["outflow_m3s"] = digits(flow)
        return columns
    columns["z_m"] = np.round(laws[station.code].level(flow) + dice.normal(0, 0.005, hours), 2)
    columns["q_m3s"] = digits(flow * (1 + dice.normal(0, 0.008, hours)))
    return columns


def digits(values: Floats) -> Floats:
    """Values rounded to three significant digits, as discharge is reported."""
    size = 10.0 ** (np.floor(np.log10(np.maximum(np.abs(values), 1e-9))) - 2)
    return np.asarray(np.round(values / size) * size, np.float64)
