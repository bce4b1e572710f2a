"""The tables of a case file, as `liuyu flood run` takes it. Lengths in m, times in s since the start."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Number = float | str
Places = list[list[float]] | str
_RASTER = Meta(description="a number or the path of a raster")
_SERIES = Meta(description="a number or the path of a CSV of two columns, seconds and values")


class GridTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[grid]`"""

    terrain: Annotated[str, Meta(description='terrain = "FILE" with bed levels in m, GeoTIFF or ESRI ASCII')]


class TimeTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[time]`"""

    end_s: Annotated[float, Meta(gt=0, description="end_s = seconds above 0")]
    output_s: Annotated[float, Meta(gt=0, description="output_s = seconds above 0 between two outputs")] | None = None


class InitialTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[initial]`: depth or level, and velocities."""

    depth: Annotated[Number, _RASTER] | None = None
    level: Annotated[Number, _RASTER] | None = None
    velocity_x: Annotated[Number, _RASTER] = 0.0
    velocity_y: Annotated[Number, _RASTER] = 0.0


class FrictionTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[friction]`"""

    manning: Annotated[Number, _RASTER] = 0.03


class BoundaryTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[boundary]`: each side is "wall", "open", {stage = CSV} or {discharge = CSV}."""

    west: Any = "wall"
    east: Any = "wall"
    north: Any = "wall"
    south: Any = "wall"


class InflowTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[inflow]]`: a polygon, a line or a point, and its discharge in m³/s."""

    name: str = ""
    polygon: Places | None = None
    line: Places | None = None
    point: list[float] | None = None
    discharge: Annotated[Number, _SERIES] | None = None
    csv: str | None = None


class BreachTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[breach]]`: a stretch of a levee that wears down to `bottom`."""

    name: str = ""
    line: Places | None = None
    polygon: Places | None = None
    bottom: Annotated[float, Meta(description="bottom = level in m")]
    start_s: Annotated[float, Meta(ge=0)] = 0.0
    duration_s: Annotated[float, Meta(ge=0)] = 0.0
    width: Annotated[float, Meta(gt=0)] | None = None
    level: float | None = None


class RainTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[rain]`: mm/h as a number, a CSV over time or a raster; a raster `pattern` multiplies a series."""

    mm_per_h: Annotated[Number, _SERIES] | None = None
    rate: Annotated[Number, _SERIES] | None = None
    pattern: Annotated[Number, _RASTER] | None = None
    infiltration_mm_per_h: Annotated[Number, _RASTER] = 0.0


class StructureTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[structure]]`: a weir, gate, culvert or pump between two points."""

    name: str = ""
    kind: Literal["weir", "gate", "culvert", "pump"]
    upstream: list[float]
    downstream: list[float]
    crest: float = 0.0
    width: Annotated[float, Meta(gt=0)] = 1.0
    height: Annotated[float, Meta(gt=0)] = 1.0
    coefficient: float | None = None
    discharge: float | None = None
    opens_s: float = 0.0
    opens_over_s: float = 0.0
    opens_level: float | None = None


class SchemeTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[scheme]`"""

    name: Literal["hllc", "inertial"] = "hllc"
    order: Literal[1, 2] = 1
    precision: Literal["double", "single", "float64", "float32"] = "double"
    threads: Annotated[int, Meta(ge=0)] = 0
    device: Literal["cpu", "cuda"] = "cpu"
    cfl: Annotated[float, Meta(gt=0, le=1)] | None = None


TABLES: dict[str, type[msgspec.Struct]] = {
    "grid": GridTable,
    "time": TimeTable,
    "initial": InitialTable,
    "friction": FrictionTable,
    "boundary": BoundaryTable,
    "rain": RainTable,
    "scheme": SchemeTable,
}
LISTS: dict[str, type[msgspec.Struct]] = {"inflow": InflowTable, "breach": BreachTable, "structure": StructureTable}
