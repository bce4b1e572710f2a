"""Terrain and other rasters: GeoTIFF and ESRI ASCII in, GeoTIFF out. Inside, rows run from south to north."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import rasterio
from rasterio.errors import RasterioError
from rasterio.transform import Affine, from_origin

from liuyu.basin.errors import BadInput
from liuyu.twin.flood.problem import Floats

_SQUARE = 1e-3  # by how much width and height of a cell may differ, as a share


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """Where the cells lie: south-western corner (x, y), cell size [m], shape (rows, columns), reference (WKT)."""

    x: float
    y: float
    cell: float
    shape: tuple[int, int]
    reference: str = ""

    @property
    def columns_x(self) -> Floats:
        """Centres of the columns [m], west to east."""
        return np.asarray(self.x + (np.arange(self.shape[1]) + 0.5) * self.cell, np.float64)

    @property
    def rows_y(self) -> Floats:
        """Centres of the rows [m], south to north."""
        return np.asarray(self.y + (np.arange(self.shape[0]) + 0.5) * self.cell, np.float64)

    @property
    def transform(self) -> Affine:
        """From pixel to place, the first row in the north."""
        return from_origin(self.x, self.y + self.shape[0] * self.cell, self.cell, self.cell)


def read_raster(path: Path) -> tuple[Floats, Grid]:
    """A raster of numbers, NaN where it has none, and its grid. Raises BadInput where it cannot be used."""
    try:
        with rasterio.open(path) as file:
            if file.count != 1:
                raise BadInput(f"{path} has {file.count} bands; a flood needs a raster of one")
            band = file.read(1, masked=True).astype(float)
            transform, reference = file.transform, file.crs
    except (RasterioError, OSError) as error:
        raise BadInput(f"{path} cannot be read as a raster ({error}); give a GeoTIFF or an ESRI ASCII grid") from None
    values = np.ma.filled(band, np.nan)
    values[~np.isfinite(values)] = np.nan
    if transform.b or transform.d:
        raise BadInput(f"{path} is turned; warp it so that its rows run west to east")
    if transform.e > 0.0:
        values = values[::-1]
        transform = Affine(transform.a, 0.0, transform.c, 0.0, -transform.e, transform.f + transform.e * len(values))
    if abs(transform.a + transform.e) > _SQUARE * transform.a:
        raise BadInput(f"{path} has cells of {transform.a:g} by {-transform.e:g}; warp it to square ones")
    if reference is not None and reference.is_geographic:
        raise BadInput(f"{path} is in degrees ({reference}); warp it to a grid in metres, such as UTM")
    cell = float(np.sqrt(transform.a * -transform.e))
    grid = Grid(
        x=float(transform.c),
        y=float(transform.f + transform.e * len(values)),
        cell=cell,
        shape=(values.shape[0], values.shape[1]),
        reference=reference.to_wkt() if reference is not None else "",
    )
    return np.ascontiguousarray(values[::-1]), grid


def write_raster(path: Path, bands: dict[str, Floats], grid: Grid) -> None:
    """Bands by name as a GeoTIFF in single precision, NaN where there is nothing."""
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        height=grid.shape[0],
        width=grid.shape[1],
        count=len(bands),
        dtype="float32",
        crs=grid.reference or None,
        transform=grid.transform,
        nodata=float("nan"),
        compress="deflate",
    ) as file:
        for number, (name, values) in enumerate(bands.items(), 1):
            file.write(values[::-1].astype(np.float32), number)
            file.set_band_description(number, name)
