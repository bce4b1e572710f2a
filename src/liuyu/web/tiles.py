"""Terrain tiles, made once from the basin's elevation raster, in the background, into one PMTiles archive.

Elevation [m] is written as colour the way Terrarium does it: red * 256 + green + blue / 256 - 32768. Tiles are 256 px
PNG in web Mercator (EPSG:3857), zoom 0 to 7; where the raster has no value the tile shows 0 m. The finest zoom is
resampled from the raster, each coarser one is the mean of four pixels of the finer.
"""

from __future__ import annotations

import io
import logging
import math
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from pmtiles.reader import MemorySource, MmapSource, Reader
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from rasterio.transform import from_bounds
from rasterio.warp import Resampling, reproject, transform_bounds

from liuyu.basin.errors import BadInput, LiuyuError

log = logging.getLogger(__name__)

ZOOMS = range(8)
PIXELS = 256
_FORM = 2
_EDGE = math.pi * 6378137.0

Grid = NDArray[np.float32]


class TileJson(msgspec.Struct, frozen=True, kw_only=True):
    """TileJSON 3.0 of the terrain, with what MapLibre needs to read elevation from colour."""

    tiles: tuple[str, ...]
    bounds: Annotated[list[float], msgspec.Meta(min_length=4, max_length=4)]
    attribution: str
    tilejson: str = "3.0.0"
    name: str = "terrain"
    encoding: str = "terrarium"
    tileSize: int = PIXELS
    minzoom: int = ZOOMS[0]
    maxzoom: int = ZOOMS[-1]
    scheme: str = "xyz"


class Terrain:
    """The terrain of one basin: nothing until someone asks, then built in a thread of its own, then served.

    With a folder the archive is kept there and found again at the next start; without one it lives in memory.
    """

    def __init__(self, raster: Path | None, attribution: str = "", folder: Path | None = None) -> None:
        self._raster = raster
        self._attribution = attribution
        self._folder = folder
        self._reader: Reader | None = None
        self._builder: threading.Thread | None = None
        self._failed = False
        self._lock = threading.Lock()

    @property
    def exists(self) -> bool:
        """True where the basin has terrain that can be shown, now or soon."""
        return self._raster is not None and not self._failed

    def ready(self) -> bool:
        """True when tiles can be served; the first call begins to make them."""
        with self._lock:
            if self._reader is None and self._builder is None and self.exists:
                self._builder = threading.Thread(target=self._build, name="terrain", daemon=True)
                self._builder.start()
        return self._reader is not None

    def wait(self, seconds: float) -> bool:
        """Wait until tiles can be served, at most so long."""
        self.ready()
        if self._builder is not None:
            self._builder.join(seconds)
        return self._reader is not None

    def describe(self, address: str) -> TileJson | None:
        """The TileJSON with tiles at the server's absolute address, or None while there are no tiles."""
        if self._reader is None:
            return None
        header = self._reader.header()
        bounds = [header[f"{each}_e7"] / 1e7 for each in ("min_lon", "min_lat", "max_lon", "max_lat")]
        return TileJson(
            tiles=(address + "/tiles/terrain/{z}/{x}/{y}.png",),
            bounds=bounds,
            attribution=self._attribution,
        )

    def tile(self, zoom: int, x: int, y: int) -> bytes | None:
        """A tile as PNG, or None outside the raster and the zooms."""
        if self._reader is None or zoom not in ZOOMS or not (0 <= x < 2**zoom and 0 <= y < 2**zoom):
            return None
        found: bytes | None = self._reader.get(zoom, x, y)
        return found

    def _build(self) -> None:
        assert self._raster is not None
        try:
            self._reader = self._open(self._raster)
        except (LiuyuError, OSError, rasterio.errors.RasterioError) as error:
            self._failed = True
            log.error("no terrain tiles could be made of %s: %s", self._raster, error)

    def _open(self, raster: Path) -> Reader:
        if self._folder is None:
            return Reader(MemorySource(make_archive(raster)))
        status = raster.stat()
        file = self._folder / f"terrain-{_FORM}-{status.st_size:x}-{status.st_mtime_ns:x}.pmtiles"
        if not file.is_file():
            self._folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(make_archive(raster))
            part.replace(file)
        return Reader(MmapSource(file.open("rb")))


def make_archive(raster: Path) -> bytes:
    """A PMTiles archive of an elevation raster. Raises BadInput where the raster has no place on earth."""
    with rasterio.open(raster) as source:
        if source.crs is None:
            raise BadInput(f"{raster.name} names no coordinate system; write one into it")
        bounds = transform_bounds(source.crs, "EPSG:4326", *source.bounds)
        west, north = _tile_of(bounds[0], bounds[3], ZOOMS[-1])
        east, south = _tile_of(bounds[2], bounds[1], ZOOMS[-1])
        grid = _on_mercator(source, west, north, east, south)
    stream = io.BytesIO()
    writer = Writer(stream)
    for number, png in sorted(_tiles(grid, west, north)):
        writer.write_tile(number, png)
    writer.finalize(_header(bounds), {"name": "terrain", "encoding": "terrarium"})
    return stream.getvalue()


def encode(elevation: Grid) -> bytes:
    """Elevation [m], (256, 256), as a PNG in the colours of Terrarium."""
    quarters = np.round((np.clip(elevation, -11000.0, 9000.0) + 32768.0) * 4.0)  # of a metre: finer than any raster
    steps = quarters.astype(np.uint32) * 64
    colour = np.stack([steps >> 16, (steps >> 8) & 255, steps & 255], axis=-1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(colour).save(stream, "PNG", compress_level=7)
    return stream.getvalue()


def decode(png: bytes) -> Grid:
    """Elevation [m] from a tile's colours: what a map does with it."""
    colour = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"), np.float32)
    return np.asarray(colour[..., 0] * 256 + colour[..., 1] + colour[..., 2] / 256 - 32768, np.float32)


def _on_mercator(source: Any, west: int, north: int, east: int, south: int) -> Grid:
    """The raster on the pixels of whole tiles of the finest zoom, 0 where it has no value."""
    width, height = (east - west + 1) * PIXELS, (south - north + 1) * PIXELS
    side = 2 * _EDGE / 2 ** ZOOMS[-1]
    box = (west * side - _EDGE, _EDGE - (south + 1) * side, (east + 1) * side - _EDGE, _EDGE - north * side)
    grid = np.full((height, width), np.nan, np.float32)
    reproject(
        rasterio.band(source, 1),
        grid,
        dst_transform=from_bounds(*box, width, height),
        dst_crs="EPSG:3857",
        dst_nodata=np.nan,
        resampling=Resampling.bilinear,
    )
    return np.nan_to_num(grid, nan=0.0)


def _tiles(grid: Grid, west: int, north: int) -> Iterator[tuple[int, bytes]]:
    """Every tile that touches the raster, from the finest zoom to the coarsest."""
    for zoom in reversed(ZOOMS):
        for row in range(grid.shape[0] // PIXELS):
            for column in range(grid.shape[1] // PIXELS):
                part = grid[row * PIXELS : (row + 1) * PIXELS, column * PIXELS : (column + 1) * PIXELS]
                yield zxy_to_tileid(zoom, west + column, north + row), encode(part)
        grid, west, north = _coarser(grid, west, north)


def _coarser(grid: Grid, west: int, north: int) -> tuple[Grid, int, int]:
    """The grid of the next coarser zoom, widened to whole tiles, and its first tile."""
    left, top = west % 2 * PIXELS, north % 2 * PIXELS
    right = -(grid.shape[1] + left) % (2 * PIXELS)
    bottom = -(grid.shape[0] + top) % (2 * PIXELS)
    wide = np.pad(grid, ((top, bottom), (left, right)))
    height, width = wide.shape
    return wide.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3)), west // 2, north // 2


def _tile_of(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """The tile that holds a position."""
    count = 2**zoom
    bend = math.asinh(math.tan(math.radians(max(-85.05, min(85.05, latitude))))) / math.pi
    x, y = (longitude + 180) / 360 * count, (1 - bend) / 2 * count
    return min(count - 1, max(0, int(x))), min(count - 1, max(0, int(y)))


def _header(bounds: tuple[float, float, float, float]) -> dict[str, Any]:
    west, south, east, north = (round(each * 1e7) for each in bounds)
    return {
        "tile_type": TileType.PNG,
        "tile_compression": Compression.NONE,
        "min_zoom": ZOOMS[0],
        "max_zoom": ZOOMS[-1],
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": 4,
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }
