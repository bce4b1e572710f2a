"""How two floods differ, as a map: greatest depth and arrival, the second less the first."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.outlook.rehearse.flooding.draw import Canvas, Colours, png_of
from liuyu.outlook.rehearse.flooding.pictures import read_maximum
from liuyu.twin.flood import Grid, write_raster
from liuyu.twin.flood.problem import Floats

LIMITS_M = (-2.0, -1.0, -0.5, -0.05, 0.05, 0.5, 1.0, 2.0)
_COLOURS = ("#08519c", "#3182bd", "#6baed6", "#bdd7e7", "#f2f2f2", "#fcbba1", "#fb6a4a", "#cb181d", "#67000d")


def write_difference(first: Path, second: Path, target: Path) -> dict[str, float]:
    """TARGET.tif (bands depth [m], arrival [h]) and TARGET.png of two folders of results of one flood.

    Depth where only one is wet counts from 0; arrival is a number where both are wet. Returns areas [km2] that are
    deeper, shallower, newly wet and spared. Raises BadInput where the two lie on different grids.
    """
    (a, grid), (b, other) = read_maximum(first / "maximum.tif"), read_maximum(second / "maximum.tif")
    if (grid.shape, grid.x, grid.y) != (other.shape, other.x, other.y):
        raise BadInput(f"{first} and {second} lie on different grids and cannot be set against each other")
    deep, deeper = np.nan_to_num(a.depth), np.nan_to_num(b.depth)
    change = np.where(np.isnan(a.depth), np.nan, deeper - deep)
    arrival = (b.arrival - a.arrival) / 3600.0
    write_raster(target.with_suffix(".tif"), {"depth": change, "arrival_h": arrival}, grid)
    target.with_suffix(".png").write_bytes(png_of(_painted(change, deep, deeper, grid)))
    km2 = grid.cell**2 / 1e6
    wet, wetter = deep >= LIMITS_M[4], deeper >= LIMITS_M[4]
    areas = {
        "deeper": (change >= LIMITS_M[4]) & wet,
        "shallower": (change <= LIMITS_M[3]) & wetter,
        "newly_wet": wetter & ~wet,
        "spared": wet & ~wetter,
    }
    return {name: round(float(each.sum()) * km2, 3) for name, each in areas.items()}


def _painted(change: Floats, first: Floats, second: Floats, grid: Grid) -> Colours:
    """Red where the second is deeper, blue where it is shallower, grey where both are the same, clear where dry."""
    table = np.array([[*bytes.fromhex(each[1:]), 220] for each in _COLOURS] + [[0, 0, 0, 0]], np.uint8)
    places = np.digitize(np.nan_to_num(change), LIMITS_M)
    places = np.where((first >= LIMITS_M[4]) | (second >= LIMITS_M[4]), places, -1).astype(np.int16)
    laid: NDArray[np.int16] = Canvas(grid).lay(places, -1)
    return np.asarray(table[laid.astype(np.int64)], np.uint8)


def difference_legend() -> list[tuple[str, str]]:
    """Colours and what they mean [m]."""
    edges = ["", *(f"{each:g}" for each in LIMITS_M), ""]
    texts = [f"{low} … {high} m" if low and high else f"< {high} m" if high else f"> {low} m"
             for low, high in pairwise(edges)]  # fmt: skip
    return list(zip(_COLOURS, texts, strict=True))
