"""Units are converted once, at the door, into the unit of the quantity's own row in `quantities.csv`."""

from __future__ import annotations

import csv
import difflib
from functools import cache
from importlib.resources import files

from liuyu.basin.errors import BadInput
from liuyu.basin.quantities import Quantity

_PREFIXES = ("urn:ogc:def:uom:udunits:2:", "urn:ogc:def:uom:", "http://www.opengis.net/def/uom/UCUM/0/")


@cache
def _table() -> dict[tuple[str, str], tuple[float, float]]:
    """Factor and offset by the unit wanted and the name of the unit given."""
    text = files("liuyu.monitor.sense.readers").joinpath("units.csv").read_text(encoding="utf-8")
    return {
        (row["unit"], name): (float(row["factor"]), float(row["offset"]))
        for row in csv.DictReader(text.splitlines())
        for name in row["names"].split()
    }


def conversion(name: str, quantity: Quantity) -> tuple[float, float]:
    """Factor and offset that turn a named unit into the unit of a quantity: wanted = given * factor + offset.

    Without a name the value is taken to be in the quantity's unit. Raises BadInput for a unit that is not known here.

    >>> from liuyu.basin.quantities import quantity
    >>> conversion("cfs", quantity("discharge"))
    (0.028316846592, 0.0)
    """
    plain = name.strip().replace(" ", "")
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    if not plain or plain == quantity.unit:
        return 1.0, 0.0
    found = _table().get((quantity.unit, plain))
    if found is None:
        known = [each for unit, each in _table() if unit == quantity.unit]
        near = difflib.get_close_matches(plain, known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise BadInput(f"unit {name!r} does not turn into {quantity.unit}, the unit of {quantity.name}; {hint}")
    return found


def convert(value: float, factor: float, offset: float, decimals: int) -> float:
    """A value in the quantity's unit, rounded to three decimals more than the quantity has where it was converted."""
    return value if factor == 1.0 and offset == 0.0 else round(value * factor + offset, decimals + 3)
