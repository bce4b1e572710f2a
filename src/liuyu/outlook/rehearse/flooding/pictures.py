"""The pictures of a flood's results, drawn from its files: frames of depth, maps of the greatest values, map tiles."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import netCDF4
import numpy as np
import rasterio
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from rasterio.transform import from_bounds
from rasterio.warp import Resampling, reproject

from liuyu.outlook.rehearse.flooding.draw import KINDS, MERCATOR, TITLES, Canvas, legend, painted, places_of, png_of
from liuyu.twin.flood import Grid, Maximum

PIXELS = 256
MOST_TILES = 400
FINEST = 16
_EDGE = math.pi * 6378137.0

Places = NDArray[np.int16]


def read_maximum(path: Path) -> tuple[Maximum, Grid]:
    """The greatest values of a flood from maximum.tif, rows from south to north."""
    with rasterio.open(path) as file:
        bands = {name: file.read(number)[::-1].astype(float) for number, name in enumerate(file.descriptions, 1)}
        cell, reference = float(file.transform.a), file.crs.to_wkt() if file.crs else ""
        x, y = float(file.transform.c), float(file.transform.f) - file.height * cell
        grid = Grid(x=x, y=y, cell=cell, shape=(file.height, file.width), reference=reference)
    return Maximum(*(bands[name] for name in ("depth", "level", "speed", "hazard", "arrival"))), grid


def read_flow(path: Path) -> Any:
    """flow.nc, to be closed by whoever asks; its variables have rows from south to north."""
    return netCDF4.Dataset(path)


def draw_results(
    folder: Path, heard: Callable[[float], None] = lambda _: None, *, since: float = 0.0
) -> dict[str, Any]:
    """Draw flow.nc and maximum.tif of a folder; what there is stands in pictures.json and is returned. The map of
    arrivals counts from `since` [s after the base], when the levee gives way.

    frames/0000.png and on: depth at each output; maps/maximum.png, speed, hazard, arrival; tiles.pmtiles of the
    greatest depth where the terrain has a place on earth.
    """
    maximum, grid = read_maximum(folder / "maximum.tif")
    later = msgspec.structs.replace(maximum, arrival=maximum.arrival - since)
    canvas = Canvas(grid)
    for name in ("frames", "maps"):
        (folder / name).mkdir(exist_ok=True)
    with read_flow(folder / "flow.nc") as flow:
        times = [float(each) for each in flow["time"][:]]
        for number in range(len(times)):
            depth = np.ma.filled(flow["depth"][number].astype(float), np.nan)
            (folder / "frames" / f"{number:04d}.png").write_bytes(canvas.picture("depth", depth=depth))
            heard(number / len(times))
    for kind in KINDS[1:]:
        (folder / "maps" / f"{kind}.png").write_bytes(canvas.picture(kind, later))
    zooms = write_tiles(folder / "tiles.pmtiles", maximum, grid, canvas) if canvas.bounds else None
    told = {
        "times_s": times,
        "bounds": None if canvas.bounds is None else [round(each, 6) for each in canvas.bounds],
        "size": [canvas.shape[1], canvas.shape[0]],
        "maps": list(KINDS[1:]),
        "zooms": zooms,
        "arrival_since_s": since,
        "titles": TITLES,
        "legend": legend(),
    }
    (folder / "pictures.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
    return {name: told[name] for name in ("times_s", "bounds", "size", "maps", "zooms", "arrival_since_s")}


def write_tiles(path: Path, maximum: Maximum, grid: Grid, canvas: Canvas) -> list[int]:
    """The greatest depth as a pyramid of 256 px tiles in web Mercator; returns its first and last zoom.

    Each coarser tile shows the greatest of the four pixels below it, so that a narrow flood does not fade away.
    """
    assert canvas.bounds is not None
    places = places_of("maximum", maximum).astype(np.int16)
    zoom = _finest(grid, canvas.bounds)
    tiles: list[tuple[int, bytes]] = []
    (west, north), (east, south) = _tile(canvas.bounds[0], canvas.bounds[3], zoom), _tile(
        canvas.bounds[2], canvas.bounds[1], zoom
    )  # fmt: skip
    pixels = _on_tiles(places, grid, zoom, (west, north, east, south))
    for level in range(zoom, -1, -1):
        for row in range(pixels.shape[0] // PIXELS):
            for column in range(pixels.shape[1] // PIXELS):
                part = pixels[row * PIXELS : (row + 1) * PIXELS, column * PIXELS : (column + 1) * PIXELS]
                if (part >= 0).any():
                    number = zxy_to_tileid(level, west + column, north + row)
                    tiles.append((number, png_of(painted(part.astype(np.int64), "maximum"))))
        pixels, west, north = _coarser(pixels, west, north)
    with path.open("wb") as stream:
        writer = Writer(stream)
        for number, png in sorted(tiles):
            writer.write_tile(number, png)
        writer.finalize(_header(canvas.bounds, zoom), {"name": "maximum depth", "attribution": "liuyu rehearse"})
    return [0, zoom]


def _finest(grid: Grid, bounds: tuple[float, float, float, float]) -> int:
    """The zoom at which a pixel is about a cell, but no more tiles are needed than can be kept."""
    stretched = 1.0 / math.cos(math.radians(0.5 * (bounds[1] + bounds[3])))
    zoom = math.ceil(math.log2(2 * _EDGE / PIXELS / (grid.cell * stretched)))
    zoom = max(0, min(zoom, FINEST))
    while zoom > 0:
        (west, north), (east, south) = _tile(bounds[0], bounds[3], zoom), _tile(bounds[2], bounds[1], zoom)
        if (east - west + 1) * (south - north + 1) <= MOST_TILES:
            break
        zoom -= 1
    return zoom


def _on_tiles(places: Places, grid: Grid, zoom: int, box: tuple[int, int, int, int]) -> Places:
    west, north, east, south = box
    side = 2 * _EDGE / 2**zoom
    out = np.full(((south - north + 1) * PIXELS, (east - west + 1) * PIXELS), -1, np.int16)
    edges = (west * side - _EDGE, _EDGE - (south + 1) * side, (east + 1) * side - _EDGE, _EDGE - north * side)
    reproject(
        np.ascontiguousarray(places[::-1]), out, src_transform=grid.transform, src_crs=grid.reference,
        dst_transform=from_bounds(*edges, out.shape[1], out.shape[0]), dst_crs=MERCATOR, src_nodata=-1, dst_nodata=-1,
        resampling=Resampling.nearest,
    )  # fmt: skip
    return out


def _coarser(pixels: Places, west: int, north: int) -> tuple[Places, int, int]:
    left, top = west % 2 * PIXELS, north % 2 * PIXELS
    right, bottom = -(pixels.shape[1] + left) % (2 * PIXELS), -(pixels.shape[0] + top) % (2 * PIXELS)
    wide = np.pad(pixels, ((top, bottom), (left, right)), constant_values=-1)
    height, width = wide.shape
    return wide.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3)), west // 2, north // 2


def _tile(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    count = 2**zoom
    bend = math.asinh(math.tan(math.radians(max(-85.05, min(85.05, latitude))))) / math.pi
    x, y = (longitude + 180) / 360 * count, (1 - bend) / 2 * count
    return min(count - 1, max(0, int(x))), min(count - 1, max(0, int(y)))


def _header(bounds: tuple[float, float, float, float], zoom: int) -> dict[str, Any]:
    west, south, east, north = (round(each * 1e7) for each in bounds)
    return {
        "tile_type": TileType.PNG, "tile_compression": Compression.NONE, "min_zoom": 0, "max_zoom": zoom,
        "min_lon_e7": west, "min_lat_e7": south, "max_lon_e7": east, "max_lat_e7": north, "center_zoom": zoom,
        "center_lon_e7": (west + east) // 2, "center_lat_e7": (south + north) // 2,
    }  # fmt: skip
