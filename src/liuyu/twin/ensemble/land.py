"""The calibrated land of a basin package: `land.toml` beside its network file says how sub-basins turn rain to flow.

    fade_h = 24                # hours in which what the gauge says more than the model fades
    outlines = "sub.geojson"   # for rain on a grid: polygons with a property `code`; else the cell at the middle
    pet_mm_d = [0.8, 1.1, 1.8, 2.8, 3.6, 4.2, 4.9, 4.5, 3.2, 2.2, 1.3, 0.8]  # evaporation of a day by month [mm]

    [[subbasin]]
    code = "upper_qingxi"      # of subbasins.csv, which has its area and outlet
    model = "gr5h"             # a model by hours
    parameters = { x1 = 320.0, ... }        # or
    calibration = "upper_qingxi.json"       # what `liuyu calibrate` wrote

Sub-basins that are left out stay with what the network itself expects of them.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.basin.places import Basin
from liuyu.twin.ensemble.basin import Land
from liuyu.twin.ensemble.rain import MemberRain
from liuyu.twin.ensemble.weights import areal_weights
from liuyu.twin.runoff.models import HOURLY, MODELS
from liuyu.twin.runoff.run import Forcing, RunoffState, begin, simulate

Floats = NDArray[np.float64]
FILE = "land.toml"


class _SubBasin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    model: str
    parameters: dict[str, float] = {}
    calibration: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subbasin: tuple[_SubBasin, ...]
    pet_mm_d: tuple[float, ...]
    fade_h: float = 24.0
    outlines: str = ""


@dataclass(frozen=True, slots=True)
class LandModel:
    """Sub-basins (n,) of a basin with the station at whose node each flows out, and what the land does with rain.

    middle: (n, 2) latitude, longitude; outlines: GeoJSON polygons, empty where there are none; pet: (12,) [mm/d].
    """

    codes: tuple[str, ...]
    stations: tuple[str, ...]
    area: Floats
    middle: Floats
    outlines: tuple[dict[str, Any], ...]
    land: tuple[Land, ...]
    pet: Floats
    fade_h: float

    def begin(self) -> tuple[RunoffState, ...]:
        """Stores as the laws say."""
        return tuple(begin(each.model, each.parameters) for each in self.land)

    def run(self, state: Sequence[RunoffState], rain: Floats, first: int) -> tuple[Floats, tuple[RunoffState, ...]]:
        """Flow (n, hours) [m3/s] of rain (n, hours) [mm], and the state after it; first: end of the first hour [s UTC].

        Raises ModelFailed where a balance does not close, naming sub-basin and hour.
        """
        hours = [datetime.fromtimestamp(first + 3600 * k, UTC) for k in range(rain.shape[1])]
        pet = np.tile(self.pet[[each.month - 1 for each in hours]] / 24.0, (len(self.codes), 1))
        names = [each.strftime("%Y-%m-%dT%H:%MZ") for each in hours]
        out, after = np.empty(rain.shape), []
        for part, was in zip(self.land, state, strict=True):
            codes = [self.codes[place] for place in part.places]
            forcing = Forcing(rain[part.places], pet[part.places], None, codes, names)
            out[part.places], now = simulate(part.model, forcing, part.parameters, state=was)
            after.append(now)
        return out * self.area[:, None] / 3.6, tuple(after)

    def over(self, rain: MemberRain) -> Floats:
        """Rain on the sub-basins, (members, steps, n) [mm a step]. Raises BadInput where it lies elsewhere."""
        if rain.codes:
            return rain.of(self.codes).value.astype(np.float64)
        if rain.y is None or rain.x is None:
            raise BadInput("this rain has neither sub-basins nor a grid; name its columns by sub-basin")
        if self.outlines:
            weights = areal_weights(self.outlines, rain.y, rain.x, self.codes)
            return np.stack([weights.apply(member).T for member in rain.value])
        cells = []
        for code, (y, x) in zip(self.codes, self.middle, strict=True):
            row, column = int(np.argmin(abs(rain.y - y))), int(np.argmin(abs(rain.x - x)))
            step = max(abs(float(np.diff(axis).mean())) if len(axis) > 1 else 1.0 for axis in (rain.y, rain.x))
            if not (abs(rain.y[row] - y) <= step and abs(rain.x[column] - x) <= step):
                raise BadInput(
                    f"sub-basin {code} at {y:g}, {x:g} lies outside the grid of the rain; give one that covers it"
                )
            cells.append(row * len(rain.x) + column)
        return rain.value[:, :, cells].astype(np.float64)


def read_land(basin: Basin) -> LandModel | None:
    """The land of a basin package, None where it has none. Raises BadPackage with every fault of the file."""
    if not basin.model_file:
        return None
    path = (Path(basin.folder) / basin.model_file).with_name(FILE)
    if not path.is_file():
        return None
    try:
        said = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        fault = Fault(file=FILE, problem=str(error), cure="see docs/howto/calibrate.md for the keys")
        raise BadPackage(str(path), [fault]) from None
    faults, rows = [], []
    known = {each.code: each for each in basin.subbasins}
    station = {each.code: each.station for each in basin.reservoirs}
    for each in said.subbasin:
        try:
            if each.code not in known or each.model not in HOURLY:
                what = ("code", each.code) if each.code not in known else ("model", each.model)
                raise BadInput(
                    f"{what[0]} {what[1]!r} is not known; take one of {', '.join((known, HOURLY)[what[0] == 'model'])}"
                )
            rows.append(_parameters(each, path))
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            faults.append(Fault(file=FILE, field="subbasin", value=each.code, problem=problem, cure=cure))
    if len(said.pet_mm_d) != 12 or min(said.pet_mm_d) < 0.0 or not said.fade_h > 0.0:
        faults.append(
            Fault(file=FILE, field="pet_mm_d", problem="is no year of evaporation", cure="give 12 numbers [mm/d]")
        )
    if faults:
        raise BadPackage(str(path), faults)
    codes = tuple(each.code for each in said.subbasin)
    places = [known[code] for code in codes]
    names = np.array([each.model for each in said.subbasin])
    land = []
    for name in dict.fromkeys(names.tolist()):
        mine = np.flatnonzero(names == name)
        land.append(Land(MODELS[name], mine, np.stack([rows[place] for place in mine])))
    return LandModel(
        codes=codes,
        stations=tuple(station.get(each.outlet, each.outlet) for each in places),
        area=np.array([each.area_km2 for each in places]),
        middle=np.array([each.position[::-1] if each.position else (np.nan, np.nan) for each in places]),
        outlines=_outlines(Path(basin.folder) / said.outlines, codes) if said.outlines else (),
        land=tuple(land),
        pet=np.array(said.pet_mm_d),
        fade_h=said.fade_h,
    )


def _parameters(each: _SubBasin, path: Path) -> Floats:
    """A row of a model's parameters; those of the weather may be left out. Raises BadInput."""
    given = dict(each.parameters)
    if each.calibration:
        file = path.parent / each.calibration
        if not file.is_file():
            raise BadInput(f"{each.calibration} is not there; write it with `liuyu calibrate`")
        told = json.loads(file.read_text(encoding="utf-8"))
        if told.get("model") != each.model or "parameters" not in told:
            raise BadInput(
                f"{each.calibration} holds {told.get('model')}, not {each.model}; name the model that it holds"
            )
        given = told["parameters"]
    usual = {"precip_factor": 1.0, "pet_factor": 1.0, "snow_threshold": 0.0, "snow_factor": 0.1, "snow_spread": 0.0,
             "snow_catch": 1.0}  # fmt: skip
    names = [one.name for one in MODELS[each.model].parameters]
    missing = [name for name in names if name not in {**usual, **given}]
    strange = [name for name in given if name not in names]
    if missing or strange:
        raise BadInput(
            f"parameters {', '.join(missing + strange)} are missing or not the model's; give {', '.join(names)}"
        )
    return np.array([float({**usual, **given}[name]) for name in names])


def _outlines(path: Path, codes: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Polygons by code. Raises BadInput where one is missing."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a GeoJSON of the sub-basins, or leave `outlines` out")
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    found = {str(each["properties"].get("code")): each["geometry"] for each in features}
    missing = [code for code in codes if code not in found]
    if missing:
        raise BadInput(f"{path.name} has no polygon of {', '.join(missing)}; give each a property `code`")
    return tuple(found[code] for code in codes)
