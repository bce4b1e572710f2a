"""A map of the flood as SVG: rivers and lakes, every station in the colour of the gravest line that its peak reached.

The ground comes from the layers of the basin package. Longitude is drawn at the scale of the middle latitude; outlines
are simplified to what the paper can show, so the text of a drawing stays small and is the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.package import basin_file
from liuyu.basin.package.geometry import read_layer, simplify
from liuyu.basin.places import Basin
from liuyu.monitor.summarise.charts import GRID, INK, MUTED, SEVERITY, WATER, drawing, text
from liuyu.monitor.summarise.contents import Ground, Peak, Report
from liuyu.monitor.summarise.voice import Voice, fixed

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]
_KINDS = ("boundary", "lakes", "rivers")
_WIDTH, _TALLEST, _KEY = 1080.0, 640.0, 34.0
_MARGIN = 0.07
_SHORT = 1 / 45  # of the map's width: a river that is shorter is left out, and so is a lake of half that
_COLOURS = {"warning": SEVERITY["yellow"], "guarantee": SEVERITY["orange"], "historical_maximum": SEVERITY["red"]}
_LAKE = "#cfe3f1"


def ground(basin: Basin) -> Ground | None:
    """The ground of a basin's map; None where fewer than two stations have a position."""
    position = {each.code: each.position for each in basin.stations if each.position is not None and each.rank <= 2}
    if len(position) < 2:
        return None
    points = np.array(list(position.values()))
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    grow = max(_MARGIN * max(east - west, north - south), 0.01)
    box = (float(west - 1.6 * grow), float(south - grow), float(east + 1.6 * grow), float(north + grow))
    files = {layer.kind: basin_file(basin, layer.path) for layer in basin.layers if layer.kind in _KINDS}
    lines = {kind: tuple(_lines(read_layer(file), box, kind)) for kind, file in files.items() if file is not None}
    return Ground(box, lines, {code: (float(x), float(y)) for code, (x, y) in position.items()})


def _lines(layer: Mapping[str, Any], box: Box, kind: str) -> Iterable[Floats]:
    """The lines and rings of a layer that the box shows, simplified."""
    span = box[2] - box[0]
    least = 0.0 if kind == "boundary" else span * _SHORT * (0.5 if kind == "lakes" else 1.0)
    for feature in layer["features"]:
        for points in _parts(feature["geometry"]):
            low, high = points.min(axis=0), points.max(axis=0)
            outside = low[0] > box[2] or high[0] < box[0] or low[1] > box[3] or high[1] < box[1]
            if len(points) >= 2 and not outside and float((high - low).max()) >= least:
                yield points[simplify(points, span / 1200)]


def _parts(geometry: Mapping[str, Any]) -> list[Floats]:
    kind, inside = geometry["type"], geometry["coordinates"]
    rings = {
        "LineString": [inside],
        "MultiLineString": inside,
        "Polygon": inside[:1],
        "MultiPolygon": [each[0] for each in inside],
    }.get(kind, [])
    return [np.asarray(each, np.float64)[:, :2] for each in rings]


@dataclass(frozen=True, slots=True)
class _Paper:
    """Where a place stands on paper."""

    box: Box
    scale: float
    shrink: float

    @classmethod
    def of(cls, box: Box) -> _Paper:
        shrink = math.cos(math.radians((box[1] + box[3]) / 2))
        scale = min(_WIDTH / ((box[2] - box[0]) * shrink), (_TALLEST - _KEY) / (box[3] - box[1]))
        return cls(box, scale, shrink)

    @property
    def size(self) -> tuple[int, int]:
        west, south, east, north = self.box
        return round((east - west) * self.shrink * self.scale), round((north - south) * self.scale + _KEY)

    def place(self, points: Floats) -> Floats:
        x = (points[..., 0] - self.box[0]) * self.shrink * self.scale
        return np.stack([x, (self.box[3] - points[..., 1]) * self.scale + _KEY], axis=-1)


def flood_map(report: Report, voice: Voice) -> str:
    """The stations of a report on their rivers; "" where the basin has no map."""
    land = report.ground
    if land is None:
        return ""
    paper = _Paper.of(land.box)
    width, height = paper.size
    parts = [
        f'<clipPath id="paper"><rect x="0" y="{_KEY:g}" width="{width}" height="{height - _KEY:g}"/></clipPath>',
        f'<rect x="0" y="{_KEY:g}" width="{width}" height="{height - _KEY:g}" fill="#fbfcfd" stroke="{GRID}"/>',
        '<g clip-path="url(#paper)">',
        *_drawn(land, paper),
        "</g>",
        *_stations(report, land, paper, voice, (width, height)),
        *_key(voice),
    ]
    return drawing(width, height, parts, voice.say("洪峰分布", "Peaks on the map"))


def _drawn(land: Ground, paper: _Paper) -> Iterable[str]:
    looks = {
        "boundary": f'fill="none" stroke="{MUTED}" stroke-width="1" stroke-dasharray="6 4" stroke-opacity="0.6"',
        "lakes": f'fill="{_LAKE}" stroke="{WATER}" stroke-width="0.5" stroke-opacity="0.5"',
        "rivers": f'fill="none" stroke="{WATER}" stroke-width="1.1" stroke-opacity="0.55" stroke-linejoin="round"',
    }
    for kind in _KINDS:
        for points in land.lines.get(kind, ()):
            path = "L".join(f"{x:.1f} {y:.1f}" for x, y in paper.place(points).tolist())
            yield f'<path d="M{path}{"Z" if kind != "rivers" else ""}" {looks[kind]}/>'


def _stations(report: Report, land: Ground, paper: _Paper, voice: Voice, size: tuple[int, int]) -> list[str]:
    """Symbols and labels; the graver a station, the sooner its label takes its place."""
    shown = sorted((each for each in report.peaks if each.station in land.position), key=_gravity, reverse=True)
    at = {each.station: paper.place(np.array(land.position[each.station])).tolist() for each in shown}
    taken: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for x, y in at.values()]
    parts = []
    for each in shown:
        x, y = at[each.station]
        colour = _COLOURS[reached] if (reached := _reached(each)) else WATER
        label = f"{voice.of(each.name)} {fixed(each.level)}"
        place = _free(label, x, y, taken, size)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" fill="{colour}" stroke="#fff" stroke-width="1.5"/>')
        if place is not None:
            taken.append(place)
            parts.append(_halo(place[0], place[3] - 4, label))
    return parts


def _free(label: str, x: float, y: float, taken: Sequence[Box], size: tuple[int, int]) -> Box | None:
    """The first place about a point where a label meets no other; None where there is none."""
    wide = sum(12.0 if ord(letter) > 0x2E7F else 6.7 for letter in label) + 2
    for left, top in ((x + 9, y - 8), (x - wide - 9, y - 8), (x - wide / 2, y - 25), (x - wide / 2, y + 9)):
        box = (left, top, left + wide, top + 16)
        inside = left >= 2 and box[2] <= size[0] - 2 and top >= _KEY and box[3] <= size[1]
        if inside and not any(_meet(box, other) for other in taken):
            return box
    return None


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _halo(x: float, y: float, label: str) -> str:
    drawn = text(x, y, label, size=12, fill=INK, bold=True)
    return drawn.replace("<text ", '<text stroke="#fff" stroke-width="3" stroke-linejoin="round" ', 1) + drawn


def _reached(peak: Peak) -> str:
    """The gravest line that a peak reached, "" for none."""
    found = [kind for kind in _COLOURS if peak.margins.get(kind, -1.0) >= 0]
    return found[-1] if found else ""


def _gravity(peak: Peak) -> tuple[int, int, float]:
    reached = _reached(peak)
    return list(_COLOURS).index(reached) if reached else -1, -peak.rank_of_station, peak.level


def _key(voice: Voice) -> list[str]:
    parts, x = [], 8.0
    names = [(WATER, voice.say("未超警戒", "below warning"))]
    names += [(colour, voice.say("超", "above ") + voice.line(kind)) for kind, colour in _COLOURS.items()]
    for colour, name in names:
        parts.append(f'<circle cx="{x:.1f}" cy="14" r="5.5" fill="{colour}"/>')
        parts.append(text(x + 10, 18, name, size=11.5, fill=INK))
        x += 30 + sum(12.0 if ord(letter) > 0x2E7F else 6.6 for letter in name)
    return parts
