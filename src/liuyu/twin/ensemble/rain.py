"""Rainfall members from files: CSV by sub-basin, NetCDF and Zarr by sub-basin or on a grid, GRIB on a grid.

A file holds one variable of precipitation in mm a step. Its dimensions are known by their usual names: time or
valid_time; member, number, realization or ensemble, and one member where there is none; then the sub-basins
(sub_basin), or a grid of y (lat, latitude) and x (lon, longitude).
"""

from __future__ import annotations

import csv
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import rasterio
import xarray as xr
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, BadPackage, Fault

Floats = NDArray[np.float64]
TIMES = ("time", "valid_time", "step")
MEMBERS = ("member", "number", "realization", "ensemble")
NAMES = ("precip_mm", "tp", "precipitation", "rain", "pr")
ENSEMBLE = ("1", "11")  # GRIB 2 templates of a member at a moment, and over a range of time
PERTURBATION = 16  # place of the member's number in them
RANGE = {"8": 26, "11": 29}  # place of the length of the range


@dataclass(frozen=True, slots=True)
class MemberRain:
    """Rain (members, steps, columns) [mm a step], the steps ending at `times` [s UTC].

    Columns are sub-basins, named by `codes`, or cells of a grid, row by row, whose centres are y and x; the others are
    empty then.
    """

    times: NDArray[np.int64]
    value: NDArray[np.float32]
    codes: tuple[str, ...] = ()
    y: Floats | None = None
    x: Floats | None = None

    @property
    def members(self) -> int:
        """How many members there are."""
        return int(self.value.shape[0])

    def of(self, codes: Sequence[str]) -> MemberRain:
        """The same with its sub-basins in another order. Raises BadInput naming those that the file lacks."""
        place = {code: number for number, code in enumerate(self.codes)}
        missing = [code for code in codes if code not in place]
        if missing:
            raise BadInput(f"there is no rain for {', '.join(missing[:9])}; the file has {', '.join(self.codes[:9])}")
        return MemberRain(self.times, self.value[:, :, [place[code] for code in codes]], tuple(codes))


def read_members(path: Path, variable: str = "") -> MemberRain:
    """Read a file of members by its ending: .csv, .nc, .zarr, .grib, .grb, .grib2, .grb2.

    variable: which one to read, by default the only one or one with a usual name. Raises BadInput and BadPackage saying
    what is wrong and where.
    """
    if not path.exists():
        raise BadInput(f"there is no file {path}; give rainfall members as .csv, .nc, .zarr or .grib")
    ending = path.suffix.lower()
    if ending == ".csv":
        rain = _csv(path)
    elif ending in (".grib", ".grb", ".grib2", ".grb2"):
        rain = _grib(path)
    elif ending == ".zarr":
        with xr.open_zarr(path, consolidated=False) as data:
            rain = _array(data, variable, path)
    elif ending in (".nc", ".nc4", ".cdf"):
        with xr.open_dataset(path) as data:
            rain = _array(data, variable, path)
    else:
        raise BadInput(f"{path.name} has an ending that is not read; give .csv, .nc, .zarr or .grib")
    wrong = np.argwhere(~(rain.value >= 0.0))
    if len(wrong):
        member, step, column = wrong[0]
        raise BadInput(
            f"{path.name}: member {member}, step {step}, column {column} is {rain.value[tuple(wrong[0])]}; rain is a "
            "number of mm, not negative; fill gaps before a forecast"
        )
    return rain


def _csv(path: Path) -> MemberRain:
    """Columns time, member, then one for each sub-basin."""
    faults, rows = [], []
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        header = [each.strip() for each in next(reader, [])]
        if header[:2] != ["time", "member"] or len(header) < 3:
            fault = Fault(file=path.name, line=1, problem="no header", cure="begin with time,member,CODE,CODE")
            raise BadPackage(str(path), [fault])
        for row in reader:
            try:
                rows.append((_seconds(row[0]), row[1].strip(), [float(each) for each in row[2:]]))
                if len(row) != len(header):
                    raise ValueError
            except (ValueError, IndexError):
                cure = f"give a time like 2026-07-01T00:00Z, a member and {len(header) - 2} numbers"
                faults.append(
                    Fault(file=path.name, line=reader.line_num, value=",".join(row[:4]), problem="no row", cure=cure)
                )
    if faults:
        raise BadPackage(str(path), faults)
    times = sorted({time for time, _, _ in rows})
    members = list(dict.fromkeys(member for _, member, _ in rows))
    value = np.full((len(members), len(times), len(header) - 2), np.nan, np.float32)
    for time, member, numbers in rows:
        value[members.index(member), np.searchsorted(times, time)] = numbers
    return MemberRain(np.array(times, np.int64), value, tuple(header[2:]))


def _seconds(text: str) -> int:
    """[s UTC] of an ISO time; one without a zone is refused."""
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(text)
    return int(moment.timestamp())


def _array(data: xr.Dataset, variable: str, path: Path) -> MemberRain:
    """A variable of a NetCDF or Zarr file."""
    there = [str(name) for name in data.data_vars if data[name].ndim >= 2]
    wanted = [variable] if variable else [name for name in there if name.lower() in NAMES] or there
    if len(wanted) != 1 or wanted[0] not in data:
        raise BadInput(f"{path.name} has the variables {', '.join(there) or 'none'}; say which is the rain")
    array = data[wanted[0]]
    unit = str(array.attrs.get("units", "mm"))
    factor = {"mm": 1.0, "kg m-2": 1.0, "kg m**-2": 1.0, "m": 1000.0}.get(unit)
    if factor is None:
        raise BadInput(f"{path.name}: {wanted[0]} is in {unit!r}; give mm a step, kg m-2 or m")
    time = _dimension(array, TIMES, path)
    member = next((str(name) for name in array.dims if str(name).lower() in MEMBERS), "")
    if not member:
        array, member = array.expand_dims("member"), "member"
    space = [str(name) for name in array.dims if str(name) not in (time, member)]
    values = array.transpose(member, time, *space).to_numpy().astype(np.float32) * np.float32(factor)
    times = array[time].to_numpy().astype("datetime64[s]").astype(np.int64)
    flat = values.reshape(*values.shape[:2], -1)
    if len(space) == 1:
        return MemberRain(times, flat, tuple(str(code) for code in array[space[0]].to_numpy()))
    y, x = (np.asarray(array[name], np.float64) for name in space)
    return MemberRain(times, flat, (), y, x)


def _dimension(array: xr.DataArray, names: Sequence[str], path: Path) -> str:
    """The name of a dimension that must be there."""
    for name in array.dims:
        if str(name).lower() in names:
            return str(name)
    raise BadInput(
        f"{path.name}: {array.name} has no dimension {' or '.join(names)}, but {', '.join(map(str, array.dims))}"
    )


def _grib(path: Path) -> MemberRain:
    """Messages of a GRIB file, each a step of a member; totals since the issue are told apart into steps.

    GRIB 2 is read by GDAL. It does not tell the members of GRIB 1 apart, so that is left to cfgrib, an extra.
    """
    fields: dict[tuple[int, int], NDArray[np.float32]] = {}
    lengths: dict[int, int] = {}
    with rasterio.open(path) as file:
        if "GRIB_PDS_PDTN" not in file.tags(1):
            return _grib_1(path)
        transform, shape = file.transform, file.shape
        for band in range(1, file.count + 1):
            tags = file.tags(band)
            template = [int(each) for each in tags.get("GRIB_PDS_TEMPLATE_ASSEMBLED_VALUES", "").split()]
            kind, time = tags.get("GRIB_PDS_PDTN"), int(tags["GRIB_VALID_TIME"].split()[0])
            member = template[PERTURBATION] if kind in ENSEMBLE else 0
            lengths[time] = template[RANGE[kind]] if kind in RANGE else 0
            fields[member, time] = (file.read(band) * _factor(tags, template, path)).astype(np.float32).ravel()
    members, times = sorted({member for member, _ in fields}), sorted(lengths)
    if len(fields) != len(members) * len(times):
        raise BadInput(
            f"{path.name} has {len(fields)} fields for {len(members)} members and {len(times)} times; complete it"
        )
    value = np.stack([np.stack([fields[member, time] for time in times]) for member in members])
    if len(times) > 1 and all(lengths[before] < lengths[after] for before, after in pairwise(times)):
        value = _apart(value)
    y = transform.f + transform.e * (np.arange(shape[0]) + 0.5)
    x = transform.c + transform.a * (np.arange(shape[1]) + 0.5)
    return MemberRain(np.array(times, np.int64), value, (), y, x)


def _apart(total: NDArray[np.float32]) -> NDArray[np.float32]:
    """Steps of totals since the issue, (members, steps, cells); packing may let a total fall by a hair."""
    out = total.copy()
    out[:, 1:] = np.maximum(total[:, 1:] - total[:, :-1], 0.0)
    return out


def _factor(tags: dict[str, str], template: list[int], path: Path) -> float:
    """From the unit of a GRIB 2 message to mm. Raises BadInput for a unit that is not rain's."""
    unit = tags.get("GRIB_UNIT", "")
    local = tags.get("GRIB_DISCIPLINE", "").startswith("0(") and template[:2] == [1, 193]
    if unit == "[m]" or (local and "CENTER=98(" in tags.get("GRIB_IDS", "")):
        return 1000.0  # ECMWF's tp under its local number, which GDAL does not know
    total = tags.get("GRIB_PDS_PDTN") in RANGE
    if unit in ("[kg/(m^2)]", "[mm]") or (unit == "[kg/(m^2*s)]" and total):  # GDAL calls the total of 0-1-52 a rate
        return 1.0
    raise BadInput(f"{path.name} holds {tags.get('GRIB_COMMENT', unit)}; give precipitation as totals in m or kg m-2")


def _grib_1(path: Path) -> MemberRain:
    """A GRIB 1 file by cfgrib: totals since the issue, or of each step."""
    if importlib.util.find_spec("cfgrib") is None:
        raise BadInput(
            f"{path.name} is GRIB 1, which cfgrib reads; install it with `pip install cfgrib`, or give GRIB 2"
        )
    with xr.open_dataset(path, engine="cfgrib", backend_kwargs={"indexpath": ""}) as data:
        named = [str(name) for name in data.data_vars if str(name).lower() in NAMES]
        if len(named) != 1 or "step" not in data[named[0]].dims:
            raise BadInput(f"{path.name} holds {', '.join(map(str, data.data_vars))}; give tp at several steps")
        array = data[named[0]].expand_dims("number") if "number" not in data[named[0]].dims else data[named[0]]
        array = array.transpose("number", "step", "latitude", "longitude")
        factor = 1000.0 if array.attrs.get("units") == "m" else 1.0
        value = (array.to_numpy() * factor).astype(np.float32).reshape(*array.shape[:2], -1)
        if array.attrs.get("GRIB_stepType") == "accum":
            value = _apart(value)
        times = np.atleast_1d(data["valid_time"].to_numpy()).astype("datetime64[s]").astype(np.int64)
        return MemberRain(times, value, (), data["latitude"].to_numpy(), data["longitude"].to_numpy())
