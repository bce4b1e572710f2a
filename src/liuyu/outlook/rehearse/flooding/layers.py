"""Exposure: what may be flooded. Rasters of something per cell, and polygons with columns of numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import msgspec
import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.features import rasterize
from rasterio.warp import Resampling, reproject, transform_geom

from liuyu.basin.errors import BadInput
from liuyu.outlook.rehearse.flooding.ground import WGS84
from liuyu.twin.flood import Grid
from liuyu.twin.flood.problem import Floats

LAYER_ENDINGS = (".tif", ".tiff", ".geojson", ".json", ".gpkg")
_ENVELOPES = (0, 32, 48, 48, 64)  # bytes of a GeoPackage header's envelope, by its code
_NAMES = ("name", "NAME", "Name", "name_zh", "code", "id")


class Feature(msgspec.Struct, frozen=True):
    """A polygon: its name, its numbers by column, and where it lies, as GeoJSON in `reference`."""

    name: str
    values: dict[str, float]
    geometry: dict[str, Any]
    reference: str


class Exposed(msgspec.Struct, frozen=True):
    """One number of one feature, spread over a flood's grid: `amount` per cell, `total` of the whole feature."""

    layer: str
    feature: str
    column: str
    amount: Floats
    total: float


def read_exposure(path: Path, grid: Grid) -> Iterator[Exposed]:
    """Every number of a layer, on a grid. Raises BadInput where the layer cannot be used."""
    if not grid.reference:
        raise BadInput(f"{path.name} cannot be laid over a terrain that names no coordinate reference")
    if path.suffix.lower() in (".tif", ".tiff"):
        yield _raster(path, grid)
        return
    features = _geojson(path) if path.suffix.lower() in (".geojson", ".json") else _geopackage(path)
    for each in features:
        yield from _polygon(path, each, grid)


def _raster(path: Path, grid: Grid) -> Exposed:
    """Something per cell of a raster, shared out so that its sum stays what it is."""
    try:
        with rasterio.open(path) as file:
            if file.crs is None:
                raise BadInput(f"{path.name} names no coordinate reference; write one into it")
            values = np.ma.filled(file.read(1, masked=True).astype(float), 0.0)
            values = np.where(np.isfinite(values), values, 0.0)
            share = _share_of_area(file, grid)
            spread = np.zeros(grid.shape)
            kind = Resampling.nearest if share < 1.0 else Resampling.sum
            reproject(
                values, spread, src_transform=file.transform, src_crs=file.crs, dst_transform=grid.transform,
                dst_crs=grid.reference, resampling=kind, dst_nodata=0.0,
            )  # fmt: skip
            column = file.descriptions[0] or path.stem
    except (RasterioError, OSError) as error:
        raise BadInput(f"{path.name} cannot be read as a raster ({error}); give a GeoTIFF") from None
    amount = spread[::-1] * min(share, 1.0)
    return Exposed(path.stem, path.stem, column, amount, float(values.sum()))


def _share_of_area(file: Any, grid: Grid) -> float:
    """Area of a cell of the grid as a share of a cell of the raster, at the middle of the grid."""
    x = grid.x + 0.5 * grid.shape[1] * grid.cell
    y = grid.y + 0.5 * grid.shape[0] * grid.cell
    corners = [[x, y], [x + grid.cell, y], [x, y + grid.cell]]
    moved = transform_geom(grid.reference, file.crs, {"type": "LineString", "coordinates": corners})["coordinates"]
    back = ~file.transform
    (ax, ay), (bx, by), (cx, cy) = ((back.a * px + back.b * py, back.d * px + back.e * py) for px, py in moved)
    return float(abs((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)))


def _polygon(path: Path, feature: Feature, grid: Grid) -> Iterator[Exposed]:
    """Numbers of a polygon, spread evenly over its area."""
    geometry = feature.geometry
    if feature.reference:
        geometry = transform_geom(feature.reference, grid.reference, geometry)
    area = _area(geometry)
    inside = rasterize([geometry], grid.shape, transform=grid.transform, dtype="uint8")[::-1].astype(bool)
    if not inside.any():
        inside = rasterize([geometry], grid.shape, transform=grid.transform, all_touched=True, dtype="uint8")[
            ::-1
        ].astype(bool)
    cells = int(inside.sum())
    per_cell = grid.cell**2 / max(area, cells * grid.cell**2) if cells else 0.0
    for column, value in {**feature.values, "area_km2": area / 1e6}.items():
        yield Exposed(path.stem, feature.name, column, inside * (value * per_cell), value)


def _area(geometry: dict[str, Any]) -> float:
    polygons = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    total = 0.0
    for rings in polygons:
        for place, ring in enumerate(rings):
            x, y = np.asarray(ring, float)[:, :2].T
            area = 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))))
            total += area if place == 0 else -area
    return total


def _geojson(path: Path) -> Iterator[Feature]:
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
        rows = told["features"] if told["type"] == "FeatureCollection" else [told]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path.name} cannot be read as GeoJSON ({error}); give a FeatureCollection") from None
    named = (told.get("crs") or {}).get("properties", {}).get("name", "")
    reference = named.replace("urn:ogc:def:crs:EPSG::", "EPSG:") if "EPSG" in named else WGS84
    for place, row in enumerate(rows, 1):
        geometry = row.get("geometry") or {}
        if geometry.get("type") in ("Polygon", "MultiPolygon"):
            yield _feature(row.get("properties") or {}, geometry, reference, place)


def _feature(properties: dict[str, Any], geometry: dict[str, Any], reference: str, place: int) -> Feature:
    name = next((str(properties[key]) for key in _NAMES if properties.get(key)), f"{place}")
    numbers = {
        key: float(value)
        for key, value in properties.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and key not in ("id", "fid", "OBJECTID")
    }
    return Feature(name, numbers, geometry, reference)


def _geopackage(path: Path) -> Iterator[Feature]:
    """Polygons of every feature table of a GeoPackage (OGC 12-128r19), which is a SQLite file."""
    try:
        with apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY) as file:
            tables = file.execute("SELECT table_name, column_name, srs_id FROM gpkg_geometry_columns").fetchall()
            for table, column, number in tables:
                cursor = file.execute(f'SELECT * FROM "{table}"')
                for place, row in enumerate(cursor, 1):
                    told = {str(each[0]): value for each, value in zip(cursor.description, row, strict=True)}
                    geometry = _geometry(told.pop(str(column)))
                    if geometry is not None:
                        yield _feature(told, geometry, f"EPSG:{number}", place)
    except apsw.Error as error:
        raise BadInput(f"{path.name} cannot be read as a GeoPackage ({error}); give a file in that form") from None


def _geometry(blob: Any) -> dict[str, Any] | None:
    """A polygon from the binary form of a GeoPackage, None for anything else."""
    if not isinstance(blob, bytes) or blob[:2] != b"GP":
        return None
    shape, _ = _well_known(blob, 8 + _ENVELOPES[(blob[3] >> 1) & 7])
    return shape


def _well_known(blob: bytes, at: int) -> tuple[dict[str, Any] | None, int]:
    """A geometry in well-known binary (OGC 06-103r4), and where it ends."""
    order = "<" if blob[at] == 1 else ">"
    kind = struct.unpack_from(order + "I", blob, at + 1)[0]
    numbers = 2 + (kind // 1000 in (1, 2)) + 2 * (kind // 1000 == 3)
    count = struct.unpack_from(order + "I", blob, at + 5)[0] if kind % 1000 in (3, 6) else 0
    at += 9
    if kind % 1000 == 6:
        parts = []
        for _ in range(count):
            part, at = _well_known(blob, at)
            parts.append(part["coordinates"] if part else [])
        return {"type": "MultiPolygon", "coordinates": parts}, at
    if kind % 1000 != 3:
        return None, at
    rings = []
    for _ in range(count):
        points = struct.unpack_from(order + "I", blob, at)[0]
        ring = np.frombuffer(blob, order + "f8", points * numbers, at + 4).reshape(points, numbers)
        rings.append(ring[:, :2].tolist())
        at += 4 + points * numbers * 8
    return {"type": "Polygon", "coordinates": rings}, at
