"""The GeoJSON of a package: levees as lines, and layers that must at least be GeoJSON on the globe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from liuyu.basin.package.columns import LEVEES_FILE
from liuyu.basin.package.reading import Faults, near, read_text
from liuyu.basin.package.tables import Row

_LEVEE_KEYS = ("code", "name", "name_en", "crest_m", "datum")
_GEOMETRIES = ("Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon")


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number of JSON")


def read_features(folder: Path, file: str, faults: Faults) -> list[tuple[int, dict[str, Any]]]:
    """The features of a GeoJSON file with the line that each begins on; what is no feature on the globe is a fault."""
    text = read_text(folder, file, faults)
    content = _parse(file, text, faults) if text is not None else None
    if text is None or content is None:
        return []
    features = content.get("features") if isinstance(content, dict) else None
    if not isinstance(features, list) or content.get("type") != "FeatureCollection":
        cure = 'write {"type": "FeatureCollection", "features": [...]}'
        faults.add(file, "is not a FeatureCollection", cure, line=1)
        return []
    starts = [text.count("\n", 0, each.start()) + 1 for each in re.finditer(r'"type"\s*:\s*"Feature"', text)]
    found = []
    for nth, feature in enumerate(features):
        line = starts[nth] if nth < len(starts) else 1
        if _is_feature(file, line, feature, faults):
            found.append((line, feature))
    return found


def _parse(file: str, text: str, faults: Faults) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        faults.add(file, f"is not JSON: {error.msg}", f"mend it at column {error.colno}", line=error.lineno)
    except ValueError as error:
        faults.add(file, f"is not JSON: {error}", "write a number, or null", line=1)
    except RecursionError:
        faults.add(file, "is nested too deep", "write features of points, lines and polygons alone", line=1)
    return None


def _is_feature(file: str, line: int, feature: Any, faults: Faults) -> bool:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    if not isinstance(geometry, dict) or geometry.get("type") not in _GEOMETRIES:
        cure = f"give it a geometry of type {', '.join(_GEOMETRIES)}"
        faults.add(file, "feature has no geometry", cure, line=line, field="geometry", value=geometry)
        return False
    for position in _positions(geometry.get("coordinates")):
        if _on_globe(position):
            continue
        swapped = isinstance(position, list) and len(position) >= 2 and _on_globe(position[1::-1])
        cure = "swap the two: longitude comes first" if swapped else "write [longitude, latitude] in degrees, WGS 84"
        faults.add(file, "position outside the globe", cure, line=line, field="coordinates", value=position)
        return False
    return True


def _positions(coordinates: Any, depth: int = 0) -> Iterator[Any]:
    """Each position in nested lists of coordinates (a MultiPolygon nests three), or whatever stands in its place."""
    nested = isinstance(coordinates, list) and coordinates and all(isinstance(each, list) for each in coordinates)
    if nested and depth < 4:
        for each in coordinates:
            yield from _positions(each, depth + 1)
    else:
        yield coordinates


def _on_globe(position: Any) -> bool:
    if not isinstance(position, list) or len(position) < 2:
        return False
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in position):
        return False
    return bool(-180 <= position[0] <= 180 and -90 <= position[1] <= 90)


def read_levees(folder: Path, faults: Faults) -> list[Row]:
    """The levees of the package, each a row with code, name, name_en, line, crest_m and datum."""
    file = LEVEES_FILE
    return [_levee(file, line, feature, faults) for line, feature in read_features(folder, file, faults)]


def _levee(file: str, line: int, feature: dict[str, Any], faults: Faults) -> Row:
    given = feature.get("properties")
    properties: dict[str, Any] = given if isinstance(given, dict) else {}
    cells: dict[str, Any] = {"datum": "unknown"}
    for key, value in properties.items():
        if key not in _LEVEE_KEYS:
            cure = near(key, _LEVEE_KEYS, f"known: {', '.join(_LEVEE_KEYS)}")
            faults.add(file, "no such property of a levee", cure, line=line, field=key, value=value)
        elif key == "crest_m":
            if value is None or (isinstance(value, int | float) and -500 <= value <= 9000 and value is not True):
                cells[key] = value
            else:
                faults.add(file, "is no level in m", "write a number without quotes", line=line, field=key, value=value)
        elif isinstance(value, str) and value.strip():
            cells[key] = value.strip()
        else:
            faults.add(file, "is not text", "write text in double quotes", line=line, field=key, value=value)
    for key in ("code", "name", "name_en"):
        if key not in properties:
            faults.add(file, f"the levee has no {key}", f"add the property {key}", line=line, field=key)
    cells["line"] = _line(file, line, feature["geometry"], faults)
    return Row(file, line, cells, {key: str(value) for key, value in properties.items()})


def _line(file: str, line: int, geometry: dict[str, Any], faults: Faults) -> tuple[tuple[float, float], ...]:
    coordinates = geometry["coordinates"]
    if geometry["type"] != "LineString" or len(coordinates) < 2 or not isinstance(coordinates[0], list):
        cure = "draw it as one LineString of two positions or more"
        faults.add(file, "a levee is a line", cure, line=line, field="geometry", value=geometry["type"])
        return ()
    return tuple((float(each[0]), float(each[1])) for each in coordinates)
