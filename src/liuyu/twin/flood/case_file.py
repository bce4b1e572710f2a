"""Reads a case file: every fault at once, with file and line. Paths are relative to the case file."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.toml_file import TomlFile
from liuyu.twin.flood.case import (
    LISTS,
    TABLES,
    BoundaryTable,
    BreachTable,
    FrictionTable,
    GridTable,
    InflowTable,
    InitialTable,
    RainTable,
    SchemeTable,
    StructureTable,
    TimeTable,
)  # fmt: skip
from liuyu.twin.flood.places import Point, cell_of, cells_along, cells_in, within
from liuyu.twin.flood.problem import (
    NEVER,
    Breach,
    Floats,
    Flood,
    Inflow,
    Integers,
    Rain,
    Scheme,
    Series,
    Side,
    Structure,
    check_flood,
)  # fmt: skip
from liuyu.twin.flood.rasters import Grid, read_raster
from liuyu.twin.flood.series_file import read_series

PER_HOUR = 1e-3 / 3600.0  # [m/s] in a mm/h
_PRECISIONS = {"float64": "double", "float32": "single"}


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A flood with its grid and its times [s]."""

    name: str
    flood: Flood
    grid: Grid
    end: float
    output: float


def read_case(path: Path) -> Case:
    """The case of a file. Raises BadPackage with every fault that the file and the files it names have."""
    return CaseReader(path).read()


class CaseReader:
    """One case file while it is read."""

    def __init__(self, path: Path) -> None:
        self.file = TomlFile(path)
        self.folder = path.parent
        self.grid: Grid | None = None

    def read(self) -> Case:
        """The case, or BadPackage."""
        one = {name: self._table(name) for name in TABLES}
        many = {name: self.file.tables(name, kind) for name, kind in LISTS.items()}
        for name in self.file.data:
            if name not in TABLES and name not in LISTS and name != "name":
                near = difflib.get_close_matches(name, [*TABLES, *LISTS], n=1)
                cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join([*TABLES, *LISTS])}"
                self.file.fault("unknown table", cure, table=name, key=name)
        terrain = self._terrain(one["grid"])
        if terrain is None or self.grid is None:
            self._check_without_terrain(one["boundary"], many)
            raise self._refused()
        parts = self._parts(terrain, one, many)
        if self.file.faults:
            raise self._refused()
        flood = Flood(terrain=terrain, cell=self.grid.cell, **parts)
        try:
            check_flood(flood)
        except BadInput as error:
            self.file.fault(str(error), "mend the values")
            raise self._refused() from None
        time = one["time"]
        assert isinstance(time, TimeTable)
        name = str(self.file.data.get("name", self.file.path.stem))
        return Case(name=name, flood=flood, grid=self.grid, end=time.end_s, output=time.output_s or time.end_s)

    def _refused(self) -> BadPackage:
        return BadPackage(str(self.file.path), self.file.faults)

    def _table(self, name: str) -> Any:
        row = self.file.data.get(name, {})
        if not isinstance(row, dict):
            self.file.fault("must be a table", f"write [{name}]", key=name, value=row)
            return None
        return self.file.convert(row, TABLES[name], table=name)

    def _parts(self, terrain: Floats, one: dict[str, Any], many: dict[str, list[tuple[int, Any]]]) -> dict[str, Any]:
        friction, scheme = one["friction"], one["scheme"]
        parts: dict[str, Any] = {}
        if isinstance(friction, FrictionTable):
            parts["manning"] = self.number("friction", "manning", friction.manning, least=0.0)
        if isinstance(one["initial"], InitialTable):
            parts.update(self._initial(one["initial"], terrain))
        if isinstance(one["boundary"], BoundaryTable):
            for side in ("west", "east", "north", "south"):
                parts[side] = self._side(side, getattr(one["boundary"], side))
        if isinstance(one["rain"], RainTable):
            parts["rain"] = self._rain(one["rain"])
        if isinstance(scheme, SchemeTable):
            precision = _PRECISIONS.get(scheme.precision, scheme.precision)
            parts["scheme"] = Scheme(**{**msgspec.structs.asdict(scheme), "precision": precision})
            if scheme.name == "inertial" and scheme.order == 2:
                cure = 'take order = 1, or name = "hllc"'
                self.file.fault("the inertial scheme has one order", cure, table="scheme", key="order", value=2)
        inflows = [self._inflow(place, row) for place, row in many["inflow"]]
        breaches = [self._breach(place, row) for place, row in many["breach"]]
        structures = [self._structure(place, row, terrain) for place, row in many["structure"]]
        parts["inflows"] = tuple(each for each in inflows if each is not None)
        parts["breaches"] = tuple(each for each in breaches if each is not None)
        parts["structures"] = tuple(structures)
        return parts

    def _terrain(self, table: Any) -> Floats | None:
        if not isinstance(table, GridTable):
            return None
        try:
            terrain, self.grid = read_raster(self.folder / table.terrain)
        except BadInput as error:
            self.file.fault(str(error), "correct the path", table="grid", key="terrain", value=table.terrain)
            return None
        return terrain

    def number(
        self, table: str, key: str, value: float | str | None, least: float | None = None, fill: float | None = None
    ) -> Floats | float:
        """A number, or a raster of the terrain's shape with `fill` where it has none."""
        if value is None or not isinstance(value, str):
            number = 0.0 if value is None else float(value)
            if not np.isfinite(number) or (least is not None and number < least):
                self.file.fault(
                    "is out of range", f"give a number of at least {least}", table=table, key=key, value=value
                )
            return number
        assert self.grid is not None
        try:
            raster, grid = read_raster(self.folder / value)
        except BadInput as error:
            self.file.fault(str(error), "correct the path", table=table, key=key, value=value)
            return 0.0
        apart = max(abs(grid.x - self.grid.x), abs(grid.y - self.grid.y)) > 0.5 * self.grid.cell
        if grid.shape != self.grid.shape or apart:
            problem = f"the raster has {grid.shape} cells from ({grid.x:g}, {grid.y:g})"
            cure = f"give it the terrain's {self.grid.shape} from ({self.grid.x:g}, {self.grid.y:g})"
            self.file.fault(problem, cure, table=table, key=key, value=value)
            return 0.0
        if fill is not None:
            raster = np.where(np.isnan(raster), fill, raster)
        return raster

    def series(self, table: str, index: int, key: str, value: float | str | None) -> Series | None:
        """A constant or the series of a CSV."""
        if isinstance(value, str):
            before = len(self.file.faults)
            found = read_series(self.folder / value, self.file.faults)
            if len(self.file.faults) > before:
                self.file.fault(
                    "the CSV has faults, listed above", "mend it", table=table, index=index, key=key, value=value
                )
            return found
        if isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value):
            return Series.constant(value)
        cure = "give a number, or the path of a CSV of seconds and values"
        self.file.fault("is no series", cure, table=table, index=index, key=key, value=value)
        return None

    def _initial(self, table: InitialTable, terrain: Floats) -> dict[str, Any]:
        if table.depth is not None and table.level is not None:
            cure = "keep one; depth = level - terrain"
            self.file.fault("depth and level are both given", cure, table="initial", key="level", value=table.level)
        depth = self.number("initial", "depth", table.depth, least=0.0, fill=0.0)
        if table.level is not None:
            level = self.number("initial", "level", table.level, fill=-NEVER)
            depth = np.maximum(np.where(np.isnan(terrain), 0.0, level - terrain), 0.0)
        speeds = {
            key: self.number("initial", key, getattr(table, key), fill=0.0) for key in ("velocity_x", "velocity_y")
        }
        return {"depth": depth, **speeds}

    def _side(self, side: str, value: Any) -> Side:
        if value in ("wall", "open"):
            return Side(kind=value)
        if isinstance(value, dict) and len(value) == 1 and next(iter(value)) in ("stage", "discharge"):
            kind, given = next(iter(value.items()))
            return Side(kind=kind, series=self.series("boundary", 0, side, given))
        cure = 'write "wall", "open", {stage = "FILE.csv"} or {discharge = "FILE.csv"}'
        self.file.fault("is no boundary", cure, table="boundary", key=side, value=value)
        return Side()

    def _rain(self, table: RainTable) -> Rain:
        given = table.mm_per_h if table.mm_per_h is not None else table.rate
        key = "mm_per_h" if table.mm_per_h is not None else "rate"
        soak = self.number("rain", "infiltration_mm_per_h", table.infiltration_mm_per_h, least=0.0)
        infiltration = np.multiply(soak, PER_HOUR)
        if given is None:
            return Rain(infiltration=infiltration)
        pattern = None
        if table.pattern is not None:
            pattern = np.broadcast_to(self.number("rain", "pattern", table.pattern, least=0.0), self._shape).copy()
        if isinstance(given, str) and Path(given).suffix.lower() in (".tif", ".tiff", ".asc"):
            pattern = np.broadcast_to(self.number("rain", key, given, fill=0.0), self._shape).copy()
            given = 1.0
        series = self.series("rain", 0, key, given)
        if series is None:
            return Rain(infiltration=infiltration)
        if (series.values < 0.0).any():
            cure = "give rates of at least 0; infiltration has its own key"
            self.file.fault("rain is negative", cure, table="rain", key=key, value=series.values.min())
        rate = Series(times=series.times, values=series.values * PER_HOUR)
        return Rain(series=rate, pattern=pattern, infiltration=infiltration)

    @property
    def _shape(self) -> tuple[int, int]:
        assert self.grid is not None
        return self.grid.shape

    def _places(
        self, table: str, index: int, key: str, value: list[list[float]] | str, least: int
    ) -> list[Point] | None:
        """The points of a key: a list, or the first geometry of a GeoJSON, or a CSV of x,y."""
        if isinstance(value, str):
            try:
                value = _points_of(self.folder / value)
            except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
                cure = "give [[x, y], ...], a GeoJSON or a CSV of x,y"
                self.file.fault(f"cannot be read ({error})", cure, table=table, index=index, key=key, value=value)
                return None
        if len(value) < least or any(len(point) != 2 or not np.isfinite(point).all() for point in value):
            cure = f"give at least {least} pairs of numbers [[x, y], ...]"
            self.file.fault("is no shape", cure, table=table, index=index, key=key, value=value)
            return None
        return list(value)

    def _points(self, table: str, index: int, row: Any) -> tuple[str, list[Point]] | None:
        """Which of polygon, line and point is given, and its points."""
        given = [key for key in ("polygon", "line", "point") if getattr(row, key, None) is not None]
        if len(given) != 1:
            self.file.fault("needs one of polygon, line, point", "write line = [[x, y], ...]", table=table, index=index)
            return None
        key = given[0]
        value = getattr(row, key)
        points = self._places(table, index, key, [value] if key == "point" else value, {"polygon": 3}.get(key, 1))
        return None if points is None else (key, points)

    def _cells(self, table: str, index: int, row: Any) -> tuple[Integers, Floats] | None:
        """Cells of a polygon, line or point, and how far along the line each is [m]."""
        assert self.grid is not None
        found = self._points(table, index, row)
        if found is None:
            return None
        key, points = found
        if key == "polygon":
            cells = within(self.grid, cells_in(self.grid, points))
            distances = np.zeros(len(cells))
        else:
            cells, distances = cells_along(self.grid, points)
        if not len(cells):
            low, high = (self.grid.x, self.grid.y), (self.grid.columns_x[-1], self.grid.rows_y[-1])
            cure = f"the terrain reaches from {low} to {high}, and so must the {key}"
            self.file.fault("lies outside the terrain", cure, table=table, index=index, key=key, value=points)
            return None
        return cells, distances

    def _inflow(self, index: int, row: InflowTable) -> Inflow | None:
        found = self._cells("inflow", index, row)
        given, key = (row.discharge, "discharge") if row.discharge is not None else (row.csv, "csv")
        if given is None:
            self.file.fault("discharge is missing", 'add discharge = "FILE.csv" (s, m³/s)', table="inflow", index=index)
            return None
        series = self.series("inflow", index, key, given)
        if found is None or series is None:
            return None
        return Inflow(name=row.name or f"inflow {index + 1}", cells=found[0], series=series)

    def _breach(self, index: int, row: BreachTable) -> Breach | None:
        found = self._cells("breach", index, row)
        if found is None:
            return None
        assert self.grid is not None
        cells, along = found
        far = np.abs(along - 0.5 * (along.min() + along.max()))
        if row.polygon is not None:
            middle = cells.mean(0)
            far = np.hypot(*(cells - middle).T) * self.grid.cell
        half = 0.5 * row.width if row.width is not None else max(float(far.max()), 0.5 * self.grid.cell)
        held = far <= max(half, float(far.min()))
        return Breach(
            name=row.name or f"breach {index + 1}",
            cells=cells[held],
            distances=np.minimum(far[held] / half, 1.0),
            bottom=row.bottom,
            start_s=row.start_s,
            duration_s=row.duration_s,
            level=-NEVER if row.level is None else row.level,
        )

    def _structure(self, index: int, row: StructureTable, terrain: Floats) -> Structure:
        assert self.grid is not None
        ends = []
        for key in ("upstream", "downstream"):
            points = self._places("structure", index, key, [getattr(row, key)], 1)
            cell = cell_of(self.grid, points[0]) if points else (-1, -1)
            held = all(0 <= at < size for at, size in zip(cell, terrain.shape, strict=True))
            if points and not (held and np.isfinite(terrain[cell])):
                value = getattr(row, key)
                self.file.fault(
                    "lies outside the terrain", "move it", table="structure", index=index, key=key, value=value
                )
            ends.append(cell)
        values = {key: getattr(row, key) for key in ("kind", "crest", "width", "height", "opens_s", "opens_over_s")}
        return Structure(
            **values,
            name=row.name or f"structure {index + 1}",
            start=ends[0],
            end=ends[1],
            coefficient=row.discharge if row.kind == "pump" else row.coefficient,
            opens_level=-NEVER if row.opens_level is None else row.opens_level,
        )

    def _check_without_terrain(self, boundary: Any, many: dict[str, list[tuple[int, Any]]]) -> None:
        """Without a terrain, still read what can be read, so that all its faults are told at once."""
        for table in ("inflow", "breach"):
            for index, row in many[table]:
                self._points(table, index, row)
        if isinstance(boundary, BoundaryTable):
            for side in ("west", "east", "north", "south"):
                self._side(side, getattr(boundary, side))
        for index, row in many["inflow"]:
            given = row.discharge if row.discharge is not None else row.csv
            if given is not None:
                self.series("inflow", index, "discharge", given)


def _points_of(path: Path) -> list[list[float]]:
    """Points of a GeoJSON's first geometry (its outer ring), or of a CSV of x,y with or without a header."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix.lower() in (".json", ".geojson"):
        found = json.loads(text)
        found = found["features"][0] if "features" in found else found
        points = found.get("geometry", found)["coordinates"]
        while isinstance(points[0][0], list):
            points = points[0]
        return [[float(x), float(y)] for x, y, *_ in points]
    rows = [line.split(",")[:2] for line in text.splitlines() if line.strip()]
    return [[float(x), float(y)] for x, y in rows[0 if _is_number(rows[0][0]) else 1 :]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
