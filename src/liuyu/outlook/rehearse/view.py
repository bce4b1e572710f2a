"""Results of a scenario as a page asks for them, read from their folder."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import netCDF4
import numpy as np
from pmtiles.reader import MmapSource, Reader

from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import NotFound
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.flooding.cases import drivers_of, grid_of
from liuyu.outlook.rehearse.flooding.draw import CHANCE, KINDS, Canvas
from liuyu.outlook.rehearse.flooding.floods import structures_of
from liuyu.outlook.rehearse.flooding.ground import length_of
from liuyu.outlook.rehearse.flooding.plain import plain_options
from liuyu.outlook.rehearse.places import shipped_cases
from liuyu.twin import Outlook, RiverTwin

QUANTILES = (0.1, 0.5, 0.9)
_FRAME = re.compile(r"\d{4,6}\.png")
_MEMBER = re.compile(r"median|member-\d{1,4}")
_NAME = re.compile(r"[^/\\.][^/\\]{0,80}")


def series_of(folder: Path, station: str, quantity: str, *, members: bool = False) -> dict[str, Any]:
    """A gauge with and without the scenario: quantiles 0.1, 0.5, 0.9 over time [s UTC], and the members if asked for.

    Raises NotFound where the results do not hold it.
    """
    with netCDF4.Dataset(folder / "river.nc") as file:
        codes = [str(each) for each in file["station"][:]]
        if station not in codes or f"{quantity}_with" not in file.variables:
            raise NotFound(f"the results hold no {quantity} of {station!r}; see gauges in the summary")
        row = codes.index(station)
        told: dict[str, Any] = {"station": station, "quantity": quantity, "time": file["time"][:].tolist()}
        for run in ("without", "with"):
            values = np.ma.filled(file[f"{quantity}_{run}"][row].astype(float), np.nan)
            if not np.isfinite(values).any():
                raise NotFound(f"the results hold no {quantity} of {station!r}; see gauges in the summary")
            lines = np.quantile(values, QUANTILES, axis=0).round(3)
            told[run] = {str(q): line.tolist() for q, line in zip(QUANTILES, lines, strict=True)}
            if members:
                told[run]["members"] = values.round(3).tolist()
    return told


def pool_of(folder: Path, code: str) -> dict[str, Any]:
    """A reservoir with and without the scenario, hour by hour. Raises NotFound."""
    told: dict[str, Any] = {"reservoir": code, "time": []}
    names = ("level_m", "storage_m3", "inflow_m3s", "outflow_m3s")
    with (folder / "reservoirs.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["reservoir"] != code:
                continue
            run = told.setdefault(row["run"], {name: [] for name in names})
            for name in names:
                run[name].append(float(row[name]))
            if row["run"] == "with":
                told["time"].append(epoch(parse_time(row["time"], "UTC")))
    if not told["time"]:
        raise NotFound(f"the results hold no reservoir {code!r}; see reservoirs in the summary")
    return told


def flood_folder(folder: Path, flood: str, member: str) -> Path:
    """Where a flood's results lie. Raises NotFound."""
    if _NAME.fullmatch(flood) and _MEMBER.fullmatch(member):
        found = folder / "floods" / flood / member
        if (found / "pictures.json").is_file():
            return found
    raise NotFound(f"the results hold no flood {flood[:80]!r}, {member[:40]!r}; see floods in the summary")


def frames_of(folder: Path, flood: str, member: str, base: int) -> dict[str, Any]:
    """What there is to see of a flood: times [s UTC] of its frames, bounds, corners for the map, maps, legend."""
    told: dict[str, Any] = msgspec.json.decode((flood_folder(folder, flood, member) / "pictures.json").read_bytes())
    told["time"] = [base + round(each) for each in told.pop("times_s")]
    if told["bounds"]:
        west, south, east, north = told["bounds"]
        told["corners"] = [[west, north], [east, north], [east, south], [west, south]]
    told |= {"flood": flood, "member": member, "frames": len(told["time"])}
    return told


def picture_of(folder: Path, flood: str, member: str, kind: str, name: str) -> bytes:
    """A frame of depth (kind frames, as 0007.png) or a map (kind maps, as hazard.png). Raises NotFound."""
    home = flood_folder(folder, flood, member)
    stem = name.removesuffix(".png")
    known = _FRAME.fullmatch(name) if kind == "frames" else name.endswith(".png") and stem in (*KINDS, CHANCE)
    path = home / kind / name
    if not known or not path.is_file():
        raise NotFound(f"there is no picture {name[:40]!r}; frames are 0000.png and on, maps {', '.join(KINDS[1:])}")
    return path.read_bytes()


def tile_of(folder: Path, flood: str, member: str, zoom: int, x: int, y: int) -> bytes:
    """A tile of the greatest depth. Raises NotFound where there is no water."""
    path = flood_folder(folder, flood, member) / "tiles.pmtiles"
    inside = 0 <= zoom <= 22 and 0 <= x < 2**zoom and 0 <= y < 2**zoom
    if path.is_file() and inside:
        with path.open("rb") as stream:
            found: bytes | None = Reader(MmapSource(stream)).get(zoom, x, y)
        if found is not None:
            return found
    raise NotFound(f"there is no tile {zoom}/{x}/{y}; it is dry there, or outside")


def impact_rows(folder: Path, flood: str, member: str) -> list[dict[str, Any]]:
    """Rows of impact.csv, of a flood and member or of all ("")."""
    path = folder / "impact.csv"
    if not path.is_file():
        return []
    numbers = ("affected", "total", "share")
    with path.open(encoding="utf-8", newline="") as stream:
        return [
            {name: float(each) if name in numbers else each for name, each in row.items()}
            for row in csv.DictReader(stream)
            if flood in ("", row["flood"]) and member.removeprefix("member-") in ("", row["member"])
        ]


def files_of(folder: Path) -> list[dict[str, Any]]:
    """The files that may be fetched, with their sizes [bytes]; pictures are left out."""
    found = [each for each in sorted(folder.rglob("*")) if each.is_file() and each.suffix not in (".png", ".part")]
    return [{"path": str(each.relative_to(folder)), "size": each.stat().st_size} for each in found]


def file_of(folder: Path, path: str) -> Path:
    """A file of the results by its path. Raises NotFound where it is none of them."""
    if any(path == each["path"] for each in files_of(folder)):
        return folder / path
    raise NotFound(f"the results hold no file {path[:80]!r}; see the list of files")


def options_of(basin: Basin, twin: RiverTwin, outlook: Outlook) -> dict[str, Any]:
    """What a scenario may change in a basin, from a state: dams, levees, detention basins, flood cases, gauges."""
    hours = outlook.ahead.shape[1]
    plain, levees, pools = plain_options(basin)
    return {
        "plain": plain,
        "base": moment(outlook.now),
        "hours": hours,
        "members": outlook.members.shape[1],
        "time": [outlook.now + HOUR * k for k in range(1, hours + 1)],
        "reservoirs": [_reservoir(twin, outlook, code) for code in twin.reservoir_places],
        "levees": [
            {"code": each.code, "name": {"zh": each.name, "en": each.name_en}, "line": [list(p) for p in each.line],
             "length_m": round(length_of(each.line), 1), "crest_m": each.crest_m}
            for each in basin.levees
        ] + levees,
        "detention_basins": [
            {"code": each.code, "name": {"zh": each.name, "en": each.name_en}, "position": each.position,
             "capacity_m3": each.capacity_m3, "population": each.population, "station": each.station}
            for each in basin.detention_basins
        ] + pools,
        "floods": [_case(basin, name, path) for name, path in shipped_cases(basin).items()],
        "gauges": [
            {"station": code, "quantity": name, "name": _name(basin, code)}
            for code, name in twin.targets if name in ("water_level", "discharge")
        ],
    }  # fmt: skip


def _name(basin: Basin, code: str) -> Mapping[str, str]:
    station = basin.station_by_code[code]
    return {"zh": station.name, "en": station.name_en}


def _reservoir(twin: RiverTwin, outlook: Outlook, code: str) -> dict[str, Any]:
    found = twin.reservoir(code)
    assert found is not None
    course = twin.reservoirs(outlook, outlook.course)[code]
    row = twin.plumbing.row.get((found.station, "reservoir_outflow"))
    release = outlook.median[row] if row is not None else course["outflow"]
    now = float(outlook.here.window.value[row, -1]) if row is not None else float(release[0])
    return {
        "code": code,
        "name": {"zh": found.name, "en": found.name_en},
        "position": found.position,
        "release_range": list(found.release_range),
        "release_ramp": found.release_ramp,
        "release_now": round(now, 1),
        "release_expected": release.round(1).tolist(),
        "inflow_expected": course["inflow"].round(1).tolist(),
        "level_now": round(float(outlook.here.level[twin.reservoir_places[code]]), 2),
    }


def _case(basin: Basin, name: str, path: Path) -> dict[str, Any]:
    bounds = Canvas(grid_of(path)).bounds
    driver = {key: each for key, each in drivers_of(basin).get(name, {}).items() if key not in ("case", "source")}
    return {
        "case": name,
        "bounds": None if bounds is None else [round(each, 6) for each in bounds],
        "gates": structures_of(str(path)),
        "driver": driver,
    }
