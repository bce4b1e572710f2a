"""What a unit is worth, from the Unified Code for Units of Measure (UCUM 2.1, unitsofmeasure.org) or its usual name.

A code such as `[ft_i]`, `m3/h`, `10*4.m3` or `L.s-1` is read by its grammar into dimensions, a factor and, for
temperatures, an offset; any unit of the same dimensions converts. Names that people write (cfs, 万m³, °C) are those of
the readers' table. Only what gauges report is known: length, time, mass, temperature, voltage, turbidity.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from liuyu.basin.errors import BadInput
from liuyu.basin.quantities import Quantity
from liuyu.monitor.sense.readers.units import conversion

Dimensions = tuple[tuple[str, int], ...]
_METRIC: Mapping[str, tuple[float, Dimensions]] = {
    "m": (1.0, (("m", 1),)),
    "g": (1.0, (("g", 1),)),
    "s": (1.0, (("s", 1),)),
    "L": (1e-3, (("m", 3),)),
    "l": (1e-3, (("m", 3),)),
    "V": (1.0, (("V", 1),)),
    "K": (1.0, (("K", 1),)),
}
_WHOLE: Mapping[str, tuple[float, Dimensions]] = {
    "min": (60.0, (("s", 1),)),
    "h": (3600.0, (("s", 1),)),
    "d": (86400.0, (("s", 1),)),
    "t": (1e6, (("g", 1),)),
    "%": (0.01, ()),
    "[pH]": (1.0, ()),
    "[ppm]": (1e-6, ()),
    "[in_i]": (0.0254, (("m", 1),)),
    "[ft_i]": (0.3048, (("m", 1),)),
    "[yd_i]": (0.9144, (("m", 1),)),
    "[mi_i]": (1609.344, (("m", 1),)),
    "[ft_us]": (1200 / 3937, (("m", 1),)),
    "[cft_i]": (0.028316846592, (("m", 3),)),
    "[acr_us]": (4046.872609874252, (("m", 2),)),
    "[gal_us]": (3.785411784e-3, (("m", 3),)),
    "{NTU}": (1.0, (("NTU", 1),)),
}
_PREFIXES = {"n": 1e-9, "u": 1e-6, "m": 1e-3, "c": 1e-2, "d": 1e-1, "da": 10.0, "h": 1e2, "k": 1e3, "M": 1e6, "G": 1e9}
_LEAST = 1e-30  # no unit of measurement is smaller, nor larger than its inverse
_AFFINE = {"Cel": (1.0, 273.15), "[degF]": (5 / 9, 459.67 * 5 / 9)}
_OWN = {"degC": "Cel", "NTU": "{NTU}"}
_COMPONENT = re.compile(r"(\[[^\]]+\]|\{[^}]*\}|%|10[*^](?=[+-]?\d)|[A-Za-z]+)?([+-]?\d+)?(\{[^}]*\})?$")
_SCHEMES = re.compile(
    r"^(ucum:|urn:ogc:def:uom:ucum:(:|[\d.]+:)?|https?://(www\.)?opengis\.net/def/uom/ucum/(0/)?)", re.IGNORECASE
)
_PLAIN = str.maketrans({"³": "3", "²": "2", "µ": "u", "μ": "u", "·": ".", "℃": "Cel", " ": ""})


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit in base units: base = given * factor + offset."""

    factor: float
    offset: float = 0.0
    dimensions: Dimensions = field(default=())


def parse_ucum(code: str) -> Unit | None:
    """The unit of a UCUM code; None where it is none, or one that is not known here.

    >>> parse_ucum("m3/h").factor * 3600
    1.0
    """
    if code in _AFFINE:
        factor, offset = _AFFINE[code]
        return Unit(factor, offset, (("K", 1),))
    if not code or len(code) > 60 or "(" in code:
        return None
    factor, powers, sign = 1.0, dict[str, int](), 1
    for place, part in enumerate(re.split(r"([./])(?![^{\[]*[}\]])", code)):
        if place % 2:
            sign = -1 if part == "/" else 1
            continue
        if not part and place == 0:  # a code may begin with a slash: /s
            continue
        found = _component(part)
        if found is None or not _LEAST < found.factor < 1 / _LEAST:
            return None
        factor *= found.factor**sign
        for name, power in found.dimensions:
            powers[name] = powers.get(name, 0) + sign * power
    return Unit(factor, 0.0, tuple(sorted((name, power) for name, power in powers.items() if power)))


def unit_conversion(unit: Mapping[str, Any], quantity: Quantity) -> tuple[float, float]:
    """Factor and offset that turn a `unitOfMeasurement` into the unit of a quantity: wanted = given * factor + offset.

    Its definition is read as UCUM, its symbol and name as people write them; what can be read must agree. Raises
    BadInput where none can be read, where two contradict each other, or where the unit measures something else.

    >>> from liuyu.basin.quantities import quantity
    >>> unit_conversion({"name": "foot", "symbol": "ft", "definition": "ucum:[ft_i]"}, quantity("water_level"))
    (0.3048, 0.0)
    """
    texts = {key: text for key in ("definition", "symbol", "name") if isinstance(text := unit.get(key), str) and text}
    found: dict[str, tuple[float, float]] = {}
    for key, text in texts.items():
        known = _of_definition(text, quantity) if key == "definition" else _of_text(text, quantity)
        if known is not None:
            found[key] = known
    shown = ", ".join(f"{key} {text[:40]!r}" for key, text in texts.items())
    if not found:
        raise BadInput(
            f"unit with {shown or 'neither definition nor symbol'} does not turn into {quantity.unit}, the unit of "
            f"{quantity.name}; give a UCUM code as definition, such as ucum:{_OWN.get(quantity.unit, quantity.unit)}"
        )
    told = next(iter(found.values()))
    if any(abs(each[0] / told[0] - 1) > 1e-6 or abs(each[1] - told[1]) > 1e-6 for each in found.values()):
        raise BadInput(f"the unit contradicts itself: {shown}; make its definition and symbol name one unit")
    return told


def _of_definition(text: str, quantity: Quantity) -> tuple[float, float] | None:
    """What a definition says; None where it is an address that is not of UCUM. Raises BadInput for a wrong unit."""
    code = _SCHEMES.sub("", text)
    if code == text and (":" in text or "#" in text):
        return None
    code = unquote(code)
    unit = parse_ucum(code.translate(_PLAIN))
    if unit is None:
        return _of_text(code, quantity)
    return _between(unit, quantity, text)


def _of_text(text: str, quantity: Quantity) -> tuple[float, float] | None:
    """What a symbol or a name says; None where it is not known. Raises BadInput for a wrong unit."""
    try:
        return conversion(text, quantity)
    except BadInput:
        unit = parse_ucum(text.translate(_PLAIN).replace("°C", "Cel").replace("^", ""))
        return None if unit is None else _between(unit, quantity, text)


def _between(given: Unit, quantity: Quantity, text: str) -> tuple[float, float]:
    wanted = parse_ucum(_OWN.get(quantity.unit, quantity.unit))
    if wanted is None or given.dimensions != wanted.dimensions:
        raise BadInput(
            f"unit {text[:40]!r} does not turn into {quantity.unit}, the unit of {quantity.name}; "
            "correct the unit, or choose the ObservedProperty that it measures"
        )
    factor = given.factor / wanted.factor
    offset = (given.offset - wanted.offset) / wanted.factor
    nearest = float(f"{factor:.15g}")
    return nearest, float(f"{offset:.15g}")


def _component(part: str) -> Unit | None:
    """The unit of one part of a code: an atom with its exponent, a number, or a note in braces."""
    matched = _COMPONENT.match(part)
    if part.isdecimal():
        return Unit(float(part))
    if matched is None or not any(matched.groups()):
        return None
    atom, exponent, note = matched.groups()
    power = int(exponent or 1)
    if atom is None:
        return Unit(1.0) if note and not exponent else None
    ten = atom in ("10*", "10^")
    found = (10.0, ()) if ten else _atom(atom)
    if found is None or abs(power) > 12:
        return None
    factor, dimensions = found
    return Unit(factor**power, 0.0, tuple((name, each * power) for name, each in dimensions))


def _atom(atom: str) -> tuple[float, Dimensions] | None:
    known = _WHOLE.get(atom) or _METRIC.get(atom)
    if known is not None:
        return known
    if atom.startswith("{"):
        return 1.0, ()
    for prefix, factor in _PREFIXES.items():
        rest = _METRIC.get(atom.removeprefix(prefix)) if atom.startswith(prefix) else None
        if rest is not None:
            return factor * rest[0], rest[1]
    return None
