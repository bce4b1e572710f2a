"""What came of a scenario on the river, as rows and files: gauges, reservoirs, hydrographs, river.nc."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.quantities import quantity
from liuyu.outlook.rehearse.river import Futures
from liuyu.twin.limits import level_limits

Floats = NDArray[np.float64]
LINES = ("warning", "guarantee")
BAND = (0.1, 0.9)


def gauges_of(futures: Futures) -> list[dict[str, Any]]:
    """A row for each level and discharge at a gauge: peaks and their times by the median, hours above lines by members.

    peak_low, peak_high: 80 % of the members have their peak between them, with the scenario.
    """
    basin, out = futures.twin.basin, []
    day = moment(futures.now, basin.zone).date()
    for row, (code, name) in enumerate(futures.twin.targets):
        if name not in ("water_level", "discharge"):
            continue
        station = basin.station_by_code[code]
        told: dict[str, Any] = {
            "station": code,
            "name": {"zh": station.name, "en": station.name_en},
            "quantity": name,
            "unit": quantity(name).unit,
            "rank": station.rank,
        }
        lines = {each.kind: each.value for each in basin.thresholds_of(code, name, day) if each.kind in LINES}
        for label, members in (("without", futures.without[row]), ("with", futures.changed[row])):
            told |= _peak(futures, np.median(members, axis=0), label, quantity(name).decimals)
            for kind, line in lines.items():
                told[f"hours_above_{kind}_{label}"] = round(float((members > line).mean(axis=0).sum()), 1)
                told[f"chance_above_{kind}_{label}"] = round(float((members > line).any(axis=1).mean()), 3)
        tops = futures.changed[row].max(axis=1)
        told["peak_low"], told["peak_high"] = (round(float(each), 3) for each in np.quantile(tops, BAND))
        told["peak_change"] = round(told["peak_with"] - told["peak_without"], 3)
        out.append(told | lines)
    return out


def _peak(futures: Futures, line: Floats, label: str, decimals: int) -> dict[str, Any]:
    hour = int(np.argmax(line))
    when = moment(int(futures.time[hour])).isoformat().replace("+00:00", "Z")
    return {f"peak_{label}": round(float(line[hour]), decimals), f"peak_time_{label}": when}


def reservoirs_of(futures: Futures) -> list[dict[str, Any]]:
    """A row for each reservoir: highest pool, storage used on the way, storage left below each limit at the highest."""
    basin, out = futures.twin.basin, []
    day = moment(futures.now, basin.zone).date()
    for code in futures.pools_changed:
        reservoir = next(each for each in basin.reservoirs if each.code == code)
        told: dict[str, Any] = {"reservoir": code, "name": {"zh": reservoir.name, "en": reservoir.name_en}}
        for label, pools in (("without", futures.pools_without), ("with", futures.pools_changed)):
            course = pools[code]
            top = int(np.argmax(course["level"]))
            start = futures.storage_now(code)
            told[f"highest_pool_{label}"] = round(float(course["level"][top]), 2)
            when = moment(int(futures.time[top])).isoformat().replace("+00:00", "Z")
            told[f"highest_pool_time_{label}"] = when
            told[f"storage_used_{label}_m3"] = round(float(course["storage"].max() - start))
            told[f"peak_outflow_{label}"] = round(float(course["outflow"].max()), 1)
        out.append(told | level_limits(basin, reservoir, day))
    return out


def write_tables(folder: Path, futures: Futures, gauges: Sequence[Mapping[str, Any]]) -> None:
    """gauges.csv, hydrographs.csv and reservoirs.csv."""
    _write_rows(folder / "gauges.csv", gauges)
    with (folder / "hydrographs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["time", "station", "quantity", "without", "with", "low", "high"])
        times = [moment(int(each)).isoformat().replace("+00:00", "Z") for each in futures.time]
        for row, (code, name) in enumerate(futures.twin.targets):
            low, high = np.quantile(futures.changed[row], BAND, axis=0)
            lines = (np.median(futures.without[row], axis=0), np.median(futures.changed[row], axis=0), low, high)
            for hour, time in enumerate(times):
                writer.writerow([time, code, name, *(f"{each[hour]:.{quantity(name).decimals}f}" for each in lines)])
    with (folder / "reservoirs.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["time", "reservoir", "run", "level_m", "storage_m3", "inflow_m3s", "outflow_m3s"])
        for run, pools in (("without", futures.pools_without), ("with", futures.pools_changed)):
            for code, course in pools.items():
                for hour, time in enumerate(times):
                    numbers = (course[each][hour] for each in ("level", "storage", "inflow", "outflow"))
                    formats = (".3f", ".0f", ".1f", ".1f")
                    writer.writerow([time, code, run, *(format(n, f) for n, f in zip(numbers, formats, strict=True))])


def _write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    names: dict[str, None] = {}
    flat = [{k: (v["en"] if isinstance(v, Mapping) else v) for k, v in row.items()} for row in rows]
    for row in flat:
        names |= dict.fromkeys(row)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(names))
        writer.writeheader()
        writer.writerows(flat)


def write_river(path: Path, futures: Futures, title: str, provenance: Mapping[str, Any]) -> None:
    """river.nc after the CF conventions: every member at every gauge, without and with, and the reservoirs."""
    targets, basin = futures.twin.targets, futures.twin.basin
    with netCDF4.Dataset(path, "w") as file:
        file.setncatts({
            "Conventions": "CF-1.11", "title": title, "source": "liuyu rehearse run", "featureType": "timeSeries",
            "history": "; ".join(f"{name}: {each}" for name, each in provenance.items()),
        })  # fmt: skip
        stations = list(dict.fromkeys(code for code, _ in targets))
        sizes = {"station": len(stations), "member": futures.changed.shape[1], "time": futures.hours}
        for name, size in sizes.items():
            file.createDimension(name, size)
        time = file.createVariable("time", "i8", ("time",))
        time.setncatts({"units": "seconds since 1970-01-01 00:00:00", "standard_name": "time", "axis": "T"})
        time[:] = futures.time
        codes = file.createVariable("station", str, ("station",))
        codes.setncatts({"cf_role": "timeseries_id", "long_name": "code of the station"})
        names = file.createVariable("station_name", str, ("station",))
        for place, code in enumerate(stations):
            codes[place], names[place] = code, basin.station_by_code[code].name
        for axis, name in ((0, "longitude"), (1, "latitude")):
            unit = {"longitude": "degrees_east", "latitude": "degrees_north"}[name]
            where = file.createVariable(name, "f8", ("station",), fill_value=np.nan)
            where.setncatts({"units": unit, "standard_name": name})
            positions = [basin.station_by_code[code].position for code in stations]
            where[:] = [np.nan if each is None else each[axis] for each in positions]
        for run, members in (("without", futures.without), ("with", futures.changed)):
            _members(file, futures, stations, members, run)


def _members(file: Any, futures: Futures, stations: list[str], members: Floats, run: str) -> None:
    targets = futures.twin.targets
    for name in dict.fromkeys(each for _, each in targets):
        kind = quantity(name)
        packed = {"zlib": True, "complevel": 1, "shuffle": True, "fill_value": np.float32(np.nan)}
        variable = file.createVariable(f"{name}_{run}", "f4", ("station", "member", "time"), **packed)
        told = {"units": kind.unit.replace("m3/s", "m3 s-1"), "long_name": f"{kind.meaning}, {run} the scenario",
                "coordinates": "latitude longitude station_name"}  # fmt: skip
        if kind.cf_name:
            told["standard_name"] = kind.cf_name
        variable.setncatts(told)
        for row, (code, each) in enumerate(targets):
            if each == name:
                variable[stations.index(code)] = members[row]
