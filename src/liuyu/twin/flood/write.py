"""Writes a run: flow.nc after the CF conventions, maximum.tif, summary.json."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import netCDF4
import numpy as np

from liuyu.twin.flood.problem import Floats
from liuyu.twin.flood.rasters import Grid, write_raster
from liuyu.twin.flood.run import Frame, Maximum, Summary

_VARIABLES = {
    "depth": ("m", "depth of water above the bed", "flood_water_thickness"),
    "level": ("m", "level of the water, where there is any", "water_surface_height_above_reference_datum"),
    "discharge_x": ("m2 s-1", "unit discharge eastwards", None),
    "discharge_y": ("m2 s-1", "unit discharge northwards", None),
}


class FlowFile:
    """`flow.nc` while it grows: dimensions time, y, x; each frame is on disk once it is added."""

    def __init__(self, path: Path, grid: Grid, bed: Floats, title: str) -> None:
        self._file: Any = netCDF4.Dataset(path, "w")
        self._file.setncatts({"Conventions": "CF-1.11", "title": title, "source": "liuyu flood run"})
        for name, size in (("time", None), ("y", grid.shape[0]), ("x", grid.shape[1])):
            self._file.createDimension(name, size)
        self._add("time", ("time",), "f8", units="s", long_name="time since the start of the run", axis="T")
        for name, values in (("x", grid.columns_x), ("y", grid.rows_y)):
            self._add(name, (name,), "f8", units="m", standard_name=f"projection_{name}_coordinate", axis=name.upper())
            self._file[name][:] = values
        mapping = {}
        if grid.reference:
            mapping = {"grid_mapping": "crs"}
            self._add("crs", (), "i4", crs_wkt=grid.reference, spatial_ref=grid.reference)
        self._add(
            "bed", ("y", "x"), "f4", units="m", long_name="level of the bed at the start",
            standard_name="ground_level_altitude", **mapping,
        )  # fmt: skip
        self._file["bed"][:] = bed
        for name, (unit, meaning, standard) in _VARIABLES.items():
            named = {"standard_name": standard} if standard else {}
            self._add(name, ("time", "y", "x"), "f4", units=unit, long_name=meaning, **named, **mapping)

    def _add(self, name: str, dimensions: tuple[str, ...], kind: str, **attributes: str) -> None:
        packed = (
            {"zlib": True, "complevel": 1, "shuffle": True, "fill_value": np.float32(np.nan)}
            if "y" in dimensions[-2:-1]
            else {}
        )
        self._file.createVariable(name, kind, dimensions, **packed).setncatts(attributes)

    def add(self, frame: Frame) -> None:
        """One more time."""
        place = len(self._file["time"])
        self._file["time"][place] = frame.time
        for name in _VARIABLES:
            self._file[name][place] = getattr(frame, name)
        self._file.sync()

    def __enter__(self) -> FlowFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def write_maximum(path: Path, maximum: Maximum, grid: Grid) -> None:
    """Bands depth, level, speed, hazard, arrival."""
    bands = {name: getattr(maximum, name) for name in ("depth", "level", "speed", "hazard", "arrival")}
    write_raster(path, bands, grid)


def write_summary(path: Path, summary: Summary) -> None:
    """As JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
