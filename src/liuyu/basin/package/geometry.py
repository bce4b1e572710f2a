"""Geometry of a layer: GeoJSON thinned to what a screen can show, and tables of points made into GeoJSON.

Lines and rings are simplified after Douglas and Peucker (Cartographica 10(2), 1973) with a tolerance in degrees, and
coordinates rounded to four decimals, about 10 m.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput

TOLERANCE = 0.0015
SMALL = 100_000
"""A file of so few bytes is served as it is: thinned, the rivers of a small basin would look angular."""
DECIMALS = 4
_DROPPED = {"Shape_Leng", "Shape_Area", "OBJECTID", "FNODE_", "TNODE_", "LPOLY_", "RPOLY_"}

Feature = dict[str, Any]


def read_layer(file: Path) -> Mapping[str, Any]:
    """A GeoJSON file, or a CSV of dams, as a thinned feature collection. Raises BadInput where it is neither."""
    if file.suffix == ".csv":
        return {"type": "FeatureCollection", "features": read_dams(file)}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        features = content["features"]
        if file.stat().st_size > SMALL:
            features = [thinned for each in features if (thinned := _thin_feature(each))]
    except (json.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{file.name} is no GeoJSON feature collection ({error}); mend or replace it") from None
    return {"type": "FeatureCollection", "features": features}


def read_dams(file: Path) -> list[Feature]:
    """Dams from the columns of the Global Power Plant Database: Name, capacity_mw, Commissioning Date, lat, lon.

    Two rows of the known file are put right: Baihetan, which carries the position of Xiluodu, moves to its own, and
    Guadian is left out, being Guandi once more under a misspelt name.
    """
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    features = []
    for row in rows:
        if row["Name"] == "Guadian Dam":
            continue
        position = (float(row["lon"]), float(row["lat"]))
        if row["Name"] == "Baihetan Dam":
            position = _BAIHETAN
        features.append(_point(position, {"name": row["Name"], "capacity_mw": _number(row["capacity_mw"])}))
    return sorted(features, key=lambda each: -(each["properties"]["capacity_mw"] or 0.0))


_BAIHETAN = (102.9, 27.22)
"""Baihetan dam lies on the Jinsha between Ningnan and Qiaojia, about 100 km south-west of Xiluodu (approximate)."""


def _point(position: tuple[float, float], properties: Feature) -> Feature:
    place = [round(position[0], DECIMALS), round(position[1], DECIMALS)]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": place}}


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None


def _thin_feature(feature: Feature) -> Feature | None:
    geometry = _thin_geometry(feature.get("geometry"))
    if geometry is None:
        return None
    properties = {
        name: value
        for name, value in (feature.get("properties") or {}).items()
        if value not in (None, "") and name not in _DROPPED
    }
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _thin_geometry(geometry: Feature | None) -> Feature | None:
    if not geometry:
        return None
    kind, coordinates = geometry["type"], geometry["coordinates"]
    thin: Callable[[Any], Any] = {
        "Point": _round,
        "MultiPoint": _round,
        "LineString": _line,
        "MultiLineString": lambda lines: [line for each in lines if (line := _line(each))],
        "Polygon": _polygon,
        "MultiPolygon": lambda parts: [part for each in parts if (part := _polygon(each))],
    }[kind]
    thinned = thin(coordinates)
    return {"type": kind, "coordinates": thinned} if thinned else None


def _round(coordinates: Any) -> Any:
    return np.round(np.asarray(coordinates, np.float64)[..., :2], DECIMALS).tolist()


def _line(coordinates: Any) -> Any:
    points = np.asarray(coordinates, np.float64)[:, :2]
    return _round(points[simplify(points, TOLERANCE)])


def _polygon(rings: Any) -> Any:
    kept = []
    for number, ring in enumerate(rings):
        points = np.asarray(ring, np.float64)[:, :2]
        wide = np.ptp(points, axis=0).max()
        if number and wide < 2 * TOLERANCE:
            continue
        thinned = points[simplify_ring(points, TOLERANCE)]
        kept.append(_round(thinned if len(thinned) >= 4 else points))
    return kept


def simplify(points: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """Which points of a line (n, 2) to keep so that none left out lies farther than `tolerance` from the line: (n,)."""
    keep = np.zeros(len(points), np.bool_)
    keep[[0, -1]] = True
    spans = [(0, len(points) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        distance = _distance(points[first + 1 : last], points[first], points[last])
        farthest = int(np.argmax(distance))
        if distance[farthest] > tolerance:
            middle = first + 1 + farthest
            keep[middle] = True
            spans += [(first, middle), (middle, last)]
    return keep


def simplify_ring(points: NDArray[np.float64], tolerance: float) -> NDArray[np.bool_]:
    """The same for a closed ring (n, 2), which is parted at the point farthest from its first: (n,)."""
    if len(points) < 5:
        return np.ones(len(points), np.bool_)
    parting = int(np.argmax(np.hypot(*(points - points[0]).T)))
    if parting in (0, len(points) - 1):
        return np.ones(len(points), np.bool_)
    return np.concatenate([simplify(points[: parting + 1], tolerance)[:-1], simplify(points[parting:], tolerance)])


def _distance(
    points: NDArray[np.float64], first: NDArray[np.float64], last: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Distance of points (n, 2) from the segment between two others: (n,)."""
    along = last - first
    length = float(along @ along)
    share = np.clip((points - first) @ along / length, 0.0, 1.0) if length else np.zeros(len(points))
    return np.asarray(np.hypot(*(points - first - share[:, None] * along).T), np.float64)
