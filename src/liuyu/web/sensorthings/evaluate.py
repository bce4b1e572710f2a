"""What an expression is worth, for one entity or for a whole column of observations at once.

Values are numbers, texts, truths, times (datetime64 in UTC), intervals, durations, geometries or null; numbers, times
and truths may be NumPy arrays, and the result is one then. A missing number in an array (NaN) counts as null.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.web.sensorthings.expressions import COMPARISONS, Call, Geometry, Interval, Literal, Node, Path

Look = Callable[[tuple[str, ...]], Any]


class Mismatch(BadInput):
    """Values of kinds that do not go together, where others might."""


def evaluate(node: Node, look: Look) -> Any:
    """The value of an expression; `look` gives the value of a path. Raises BadInput for what cannot be done."""
    if isinstance(node, Literal):
        return node.value
    if isinstance(node, Path):
        return look(node.names)
    values = [evaluate(each, look) for each in node.arguments]
    return _apply(node, values)


def holds(node: Node, look: Look) -> Any:
    """Whether a condition holds: a truth, or an array of truths. Raises BadInput where it is no condition."""
    return _truth(evaluate(node, look), "the expression")


def _apply(node: Call, values: list[Any]) -> Any:
    name = node.name
    if name in ("and", "or"):
        both = np.logical_and if name == "and" else np.logical_or
        return both(_truth(values[0], name), _truth(values[1], name))
    if name == "not":
        return np.logical_not(_truth(values[0], name))
    if name in COMPARISONS:
        return compare(name, values[0], values[1])
    known = _ARITHMETIC.get(name) or _FUNCTIONS.get(name)
    if known is None:
        raise BadInput(f"$filter: no function {name!r}; there are: {', '.join(sorted(_FUNCTIONS))}")
    if any(each is None for each in values):
        return None
    try:
        return known(*values)
    except (TypeError, AttributeError, ValueError, OverflowError, ZeroDivisionError):
        kinds = ", ".join(kind_of(each) for each in values)
        raise Mismatch(f"$filter: {name} cannot be applied to {kinds or 'nothing'}; see OGC 18-088 9.3.3.5") from None


def compare(name: str, left: Any, right: Any) -> Any:
    """A comparison. With null only equality holds; an interval lies before or after where it does so wholly."""
    if left is None or right is None:
        return _against_null(name, left, right)
    kinds = {kind_of(left), kind_of(right)}
    if kinds <= {"time", "interval"} and "interval" in kinds:
        return _between(name, _interval(left), _interval(right))
    if len(kinds) != 1 or kinds & {"structure", "geometry"}:
        raise Mismatch(f"$filter: cannot compare {kind_of(left)} with {kind_of(right)}; give both of one kind")
    return getattr(operator, name)(left, right)


def kind_of(value: Any) -> str:
    """What a value is, in a word."""
    if isinstance(value, np.ndarray):
        value = value.dtype.type(0) if value.dtype.kind in "biuf" else _SAMPLES[value.dtype.kind]
    for kind, types in _KINDS.items():
        if isinstance(value, types):
            return kind
    return "null" if value is None else "structure"


_SAMPLES: Mapping[str, Any] = {"M": np.datetime64(0, "ms"), "m": np.timedelta64(0, "ms"), "U": "", "O": ""}
_KINDS: Mapping[str, tuple[type, ...]] = {
    "truth": (bool, np.bool_),
    "text": (str,),
    "time": (np.datetime64,),
    "duration": (np.timedelta64,),
    "number": (int, float, np.integer, np.floating),
    "interval": (Interval,),
    "geometry": (Geometry,),
}


def _truth(value: Any, where: str) -> Any:
    if value is None:
        return False
    if kind_of(value) != "truth":
        raise Mismatch(f"$filter: {where} needs a condition and got a {kind_of(value)}; compare it with something")
    return value


def _against_null(name: str, left: Any, right: Any) -> Any:
    other = right if left is None else left
    if isinstance(other, np.ndarray):
        missing = np.isnan(other) if other.dtype.kind == "f" else np.zeros(other.shape, np.bool_)
        return missing if name == "eq" else ~missing if name == "ne" else np.zeros(other.shape, np.bool_)
    return (other is None) == (name == "eq") if name in ("eq", "ne") else False


def _interval(value: Any) -> Interval:
    return value if isinstance(value, Interval) else Interval(value, value)


def _between(name: str, left: Interval, right: Interval) -> Any:
    same = (left.start == right.start) & (left.end == right.end)
    if name in ("eq", "ne"):
        return same if name == "eq" else np.logical_not(same)
    if name in ("gt", "ge"):
        return getattr(operator, name)(left.start, right.end if name == "gt" else right.start)
    return getattr(operator, name)(left.end, right.start if name == "lt" else right.end)


def _part(unit: str, above: str, offset: int = 0) -> Callable[[Any], Any]:
    """The function that takes one part of a time, such as the hour of its day, in UTC."""

    def part(time: Any) -> Any:
        fine, coarse = time.astype(f"datetime64[{unit}]"), time.astype(f"datetime64[{above}]")
        return (fine - coarse.astype(f"datetime64[{unit}]")).astype(np.int64) + offset

    return part


def _text_only(function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(*values: Any) -> Any:
        if not isinstance(values[0], str):
            raise TypeError
        return function(*values)

    return checked


def _contains(text: str, part: str) -> bool:
    return part in text


def _substring(text: str, start: int, length: int | None = None) -> str:
    return text[start:] if length is None else text[start : start + length]


def position_of(value: Any) -> tuple[float, float]:
    """The position of a GeoJSON point or a point literal. Raises TypeError for anything else."""
    if isinstance(value, Geometry) and value.kind == "POINT":
        return value.positions[0]
    if isinstance(value, Mapping) and value.get("type") == "Point":
        return float(value["coordinates"][0]), float(value["coordinates"][1])
    raise TypeError


def _distance(left: Any, right: Any) -> float:
    """Distance of two positions in degrees, as FROST gives it."""
    (x1, y1), (x2, y2) = position_of(left), position_of(right)
    return math.hypot(x1 - x2, y1 - y2)


def _within(point: Any, area: Any) -> bool:
    """True where a point lies in a ring: it is crossed an odd number of times by a ray to the east."""
    x, y = position_of(point)
    if not isinstance(area, Geometry) or area.kind != "POLYGON":
        raise TypeError
    ring, inside = area.positions, False
    for (x1, y1), (x2, y2) in zip(ring, (*ring[1:], ring[0]), strict=True):
        if (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1:
            inside = not inside
    return inside


_ARITHMETIC: Mapping[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "mod": operator.mod,
}
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "substringof": _text_only(lambda part, text: _contains(text, part)),
    "contains": _text_only(_contains),
    "startswith": _text_only(lambda text, part: text.startswith(part)),
    "endswith": _text_only(lambda text, part: text.endswith(part)),
    "length": _text_only(len),
    "indexof": _text_only(lambda text, part: text.find(part)),
    "substring": _text_only(_substring),
    "tolower": _text_only(lambda text: text.lower()),
    "toupper": _text_only(lambda text: text.upper()),
    "trim": _text_only(lambda text: text.strip()),
    "concat": _text_only(lambda left, right: left + right),
    "round": lambda value: np.floor(value + 0.5),
    "floor": np.floor,
    "ceiling": np.ceil,
    "year": lambda time: time.astype("datetime64[Y]").astype(np.int64) + 1970,
    "month": _part("M", "Y", 1),
    "day": _part("D", "M", 1),
    "hour": _part("h", "D"),
    "minute": _part("m", "h"),
    "second": _part("s", "m"),
    "fractionalseconds": lambda time: _part("ms", "s")(time) / 1000,
    "date": lambda time: time.astype("datetime64[D]"),
    "totaloffsetminutes": lambda time: time.astype(np.int64) * 0,
    "before": lambda left, right: _interval(left).end < _interval(right).start,
    "after": lambda left, right: _interval(left).start > _interval(right).end,
    "during": lambda left, right: (
        (_interval(left).start >= _interval(right).start) & (_interval(left).end <= _interval(right).end)
    ),
    "overlaps": lambda left, right: (
        (_interval(left).start <= _interval(right).end) & (_interval(left).end >= _interval(right).start)
    ),
    "geo.distance": _distance,
    "geo.intersects": _within,
    "st_within": _within,
    "st_intersects": _within,
}
