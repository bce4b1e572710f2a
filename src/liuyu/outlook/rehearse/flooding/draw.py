"""Pictures of a flood: depth, speed, hazard and arrival in colour, on the map's projection. Same data, same bytes."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rasterio.transform import from_bounds
from rasterio.warp import Resampling, reproject, transform_bounds

from liuyu.outlook.rehearse.flooding.classes import classes
from liuyu.outlook.rehearse.flooding.ground import WGS84
from liuyu.twin.flood import Grid, Maximum
from liuyu.twin.flood.problem import Floats

MERCATOR = "EPSG:3857"
WIDEST = 1200  # pixels
Colours = NDArray[np.uint8]
_BLUES = ("#d6ecff", "#9ecbf5", "#5aa2e3", "#2272c3", "#0b3f8a")
_HAZARDS = ("#fff3b0", "#fdd06b", "#f59a44", "#e3582f", "#b01d3e", "#5b0f4f")
_SPEEDS = ("#e8e3f5", "#bfaee0", "#8f73c4", "#6340a3", "#3b1b73")
_CHANCES = ("#e6f4e1", "#b5dea8", "#78bf7b", "#37924f", "#0b5a30")
_ARRIVALS = ("#5b0f4f", "#a31d52", "#dc4a40", "#f58f4c", "#fcc86f", "#fff0bd")
_CHANCE_ABOVE = (1e-9, 0.1, 0.33, 0.66, 0.9)
_SPEED_ABOVE = (0.0, 0.25, 0.5, 1.0, 2.0)
_ARRIVAL_ABOVE_H = (0.0, 1.0, 3.0, 6.0, 12.0, 24.0)
KINDS = ("depth", "maximum", "speed", "hazard", "arrival")  # drawn of every flood
CHANCE = "chance"  # of an ensemble
TITLES: Mapping[str, Mapping[str, str]] = {
    "depth": {"zh": "水深", "en": "Depth"},
    "maximum": {"zh": "最大水深", "en": "Greatest depth"},
    "speed": {"zh": "最大流速", "en": "Greatest speed"},
    "hazard": {"zh": "危险性（水深×流速）", "en": "Hazard (depth x velocity)"},
    "arrival": {"zh": "洪水到达时间", "en": "Arrival"},
    "chance": {"zh": "淹没可能性（成员比例）", "en": "Chance of flooding (share of members)"},
}


def legend() -> dict[str, list[dict[str, Any]]]:
    """Colours of each kind of picture, from the lowest class: colour, label in both languages, lower limit."""
    known = classes()
    depths = [_entry(c, each, low) for c, each, low in zip(_BLUES, known.depths, known.above_m, strict=True)]
    return {
        "depth": depths,
        "maximum": depths,
        "speed": [_entry(c, f"> {low:g} m/s", low) for c, low in zip(_SPEEDS, _SPEED_ABOVE, strict=True)],
        "hazard": [
            {"colour": c, "label": {lang: f"{each.code} {each.meaning[lang]}" for lang in ("zh", "en")}, "above": n}
            for n, (c, each) in enumerate(zip(_HAZARDS, known.hazards, strict=True))
        ],
        "chance": [_entry(c, f"> {low:.0%}", low) for c, low in zip(_CHANCES, (0.0, *_CHANCE_ABOVE[1:]), strict=True)],
        "arrival": [_entry(c, f"> {low:g} h", low) for c, low in zip(_ARRIVALS, _ARRIVAL_ABOVE_H, strict=True)],
    }


def _entry(colour: str, label: str, above: float) -> dict[str, Any]:
    chinese = label.replace(" and more m", " m以上")
    return {
        "colour": colour,
        "label": {"zh": chinese, "en": label.replace(" and more m", " m and more")},
        "above": above,
    }


def places_of(kind: str, maximum: Maximum | None, depth: Floats | None = None) -> NDArray[np.int64]:
    """The class of each cell in the colours of a kind; -1 is not painted. `depth` [m], or a chance of that kind."""
    known = classes()
    if kind in ("depth", CHANCE):
        assert depth is not None
        if kind == CHANCE:
            return np.asarray(np.digitize(np.nan_to_num(depth), _CHANCE_ABOVE) - 1)
        return known.depth_class(depth)
    assert maximum is not None
    deep, speed, product = (np.nan_to_num(each) for each in (maximum.depth, maximum.speed, maximum.hazard))
    wet = deep >= known.above_m[0]
    if kind == "maximum":
        return known.depth_class(deep)
    if kind == "hazard":
        return known.hazard_class(deep, speed, product)
    if kind == "speed":
        return np.where(wet, np.digitize(speed, _SPEED_ABOVE) - 1, -1)
    arrival = np.nan_to_num(maximum.arrival, nan=-1.0) / 3600.0
    return np.where(wet & (arrival > 0.0), np.digitize(arrival, _ARRIVAL_ABOVE_H) - 1, -1)


def painted(places: NDArray[np.int64], kind: str) -> Colours:
    """Red, green, blue and opacity of each cell."""
    told = {"depth": _BLUES, "maximum": _BLUES, "speed": _SPEEDS, "hazard": _HAZARDS, "arrival": _ARRIVALS,
            "chance": _CHANCES}[kind]  # fmt: skip
    table = np.array([[*bytes.fromhex(each[1:]), 215] for each in told] + [[0, 0, 0, 0]], np.uint8)
    return np.asarray(table[places], np.uint8)


class Canvas:
    """A grid as pixels of web Mercator, or as it is where it names no reference. `bounds`: west, south, east, north."""

    def __init__(self, grid: Grid, widest: int = WIDEST) -> None:
        self.grid = grid
        rows, columns = grid.shape
        left, bottom = grid.x, grid.y
        box = (left, bottom, left + columns * grid.cell, bottom + rows * grid.cell)
        self.bounds: tuple[float, float, float, float] | None = None
        if grid.reference:
            self._box = transform_bounds(grid.reference, MERCATOR, *box, densify_pts=21)
            self.bounds = transform_bounds(MERCATOR, WGS84, *self._box)
            stretched = 1.0 / math.cos(math.radians(0.5 * (self.bounds[1] + self.bounds[3])))
            size = grid.cell * stretched
        else:
            self._box, size = box, grid.cell
        wide, high = self._box[2] - self._box[0], self._box[3] - self._box[1]
        fine = max(1, min(16, 640 // max(rows, columns)))
        size = max(size / fine, wide / widest, high / widest)
        self.shape = (max(1, round(high / size)), max(1, round(wide / size)))

    def lay(self, values: NDArray[Any], fill: float, smooth: bool = False) -> NDArray[Any]:
        """Values of the grid on the pixels, the first row in the north, `fill` outside."""
        if not self.grid.reference:
            rows = np.arange(self.shape[0]) * self.grid.shape[0] // self.shape[0]
            columns = np.arange(self.shape[1]) * self.grid.shape[1] // self.shape[1]
            return np.asarray(values[::-1][np.ix_(rows, columns)])
        out = np.full(self.shape, fill, values.dtype)
        reproject(
            np.ascontiguousarray(values[::-1]), out, src_transform=self.grid.transform, src_crs=self.grid.reference,
            dst_transform=from_bounds(*self._box, self.shape[1], self.shape[0]), dst_crs=MERCATOR, src_nodata=fill,
            dst_nodata=fill, resampling=Resampling.bilinear if smooth else Resampling.nearest,
        )  # fmt: skip
        return out

    def picture(self, kind: str, maximum: Maximum | None = None, depth: Floats | None = None) -> bytes:
        """A kind of picture as PNG, transparent where there is nothing to show."""
        places = places_of(kind, maximum, depth).astype(np.int16)
        return png_of(painted(self.lay(places, -1).astype(np.int64), kind))


def png_of(colours: Colours) -> bytes:
    """Colours as PNG."""
    stream = io.BytesIO()
    Image.fromarray(colours).save(stream, "PNG", compress_level=6)
    return stream.getvalue()


def relief(ground: Floats) -> Colours:
    """Ground as grey shades, lit from the north-west: what a flood is painted upon."""
    filled = np.where(np.isfinite(ground), ground, np.nanmin(ground))
    low, high = np.nanpercentile(ground, [2, 98])
    tone = np.clip((filled - low) / max(high - low, 1e-6), 0.0, 1.0)
    down, across = np.gradient(filled)
    steep = np.hypot(down, across)
    light = (down - across) / (1.0 + steep)
    reach = max(float(np.percentile(np.abs(light), 98)), 1e-9)
    shade = 0.80 + 0.12 * tone + 0.10 * np.clip(light / reach, -1.0, 1.0)
    warm = np.array([244.0, 241.0, 232.0])
    grey = np.clip(shade[..., None] * warm, 0.0, 255.0)
    grey[~np.isfinite(ground)] = 214.0
    return np.asarray(grey, np.uint8)
