"""Areal weights: how much of each grid cell lies in each sub-basin, so that rain on a grid becomes rain on land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine

from liuyu.basin.errors import BadInput
from liuyu.physics.compiled import compiled_ieee

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
FINE = 10  # points across a cell, so that an edge is found to a hundredth of its area


@dataclass(frozen=True, slots=True)
class Weights:
    """For each sub-basin the cells that it lies on, first: (n + 1,), cell: (entries,), and their shares, sum 1."""

    first: Places
    cell: Places
    share: Floats

    def apply(self, grid: NDArray[np.float32]) -> Floats:
        """Rain of sub-basins (n, steps) [mm] from that of cells (steps, cells) [mm]."""
        return np.asarray(_apply(self.first, self.cell, self.share, grid))


def areal_weights(outlines: Sequence[dict[str, Any]], y: Floats, x: Floats, codes: Sequence[str] = ()) -> Weights:
    """Weights of sub-basins given as GeoJSON polygons, (n,), on the cells of a regular grid with centres y and x.

    Cells are taken row by row; on a grid in degrees each counts as the cosine of its latitude. Raises BadInput where a
    sub-basin lies outside the grid.
    """
    steps = float(y[1] - y[0]), float(x[1] - x[0])
    if not (np.allclose(np.diff(y), steps[0], rtol=1e-3) and np.allclose(np.diff(x), steps[1], rtol=1e-3)):
        raise BadInput("the grid is not regular; give one with equal steps")
    first, cells, shares = [0], [], []
    degrees = abs(y).max() <= 90.0 and abs(x).max() <= 360.0
    for number, outline in enumerate(outlines):
        cell, area = _covered(outline, y, x, steps)
        area = area * np.cos(np.radians(y[cell // len(x)])) if degrees else area
        if not area.sum() > 0.0:
            name = codes[number] if len(codes) else f"number {number}"
            raise BadInput(f"sub-basin {name} lies outside the grid of the rain; give a grid that covers it")
        cells.append(cell)
        shares.append(area / area.sum())
        first.append(first[-1] + len(cell))
    return Weights(np.array(first, np.int64), np.concatenate(cells), np.concatenate(shares))


def _covered(outline: dict[str, Any], y: Floats, x: Floats, steps: tuple[float, float]) -> tuple[Places, Floats]:
    """Cells that an outline touches and how much of each it covers [cells]."""
    points = np.concatenate([np.asarray(ring, float)[:, :2] for ring in _rings(outline)])
    row = np.clip((points[:, 1] - y[0]) / steps[0], -1, len(y)).round().astype(int)
    column = np.clip((points[:, 0] - x[0]) / steps[1], -1, len(x)).round().astype(int)
    top, left = max(row.min() - 1, 0), max(column.min() - 1, 0)
    high, wide = min(row.max() + 2, len(y)) - top, min(column.max() + 2, len(x)) - left
    if high <= 0 or wide <= 0:
        return np.empty(0, np.int64), np.empty(0)
    west, north = x[left] - 0.5 * steps[1], y[top] - 0.5 * steps[0]
    points_of = Affine(steps[1] / FINE, 0.0, west, 0.0, steps[0] / FINE, north)
    fine = rasterize([(outline, 1)], (high * FINE, wide * FINE), transform=points_of)
    part = fine.reshape(high, FINE, wide, FINE).mean(axis=(1, 3))
    r, c = np.nonzero(part)
    return ((r + top) * len(x) + c + left).astype(np.int64), part[r, c].astype(np.float64)


def _rings(outline: dict[str, Any]) -> list[Any]:
    """Outer and inner rings of a polygon or of several."""
    if outline["type"] == "Polygon":
        return list(outline["coordinates"])
    return [ring for polygon in outline["coordinates"] for ring in polygon]


@compiled_ieee
def _apply(first: Places, cell: Places, share: Floats, grid: NDArray[np.float32]) -> Floats:
    out = np.zeros((len(first) - 1, len(grid)))
    for place in range(len(first) - 1):
        for entry in range(first[place], first[place + 1]):
            for at in range(len(grid)):
                out[place, at] += share[entry] * grid[at, cell[entry]]
    return out
