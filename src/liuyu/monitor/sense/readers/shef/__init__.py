"""SHEF, the Standard Hydrometeorological Exchange Format of the United States, to observations.

What a code means is data: `codes.csv`, which a mapping may add to. Forecasts, extremes and means over a duration are no
observations of ours and are set aside. `qualifiers.csv` turns data qualifiers into flags [unverified: from memory of
the manual's table]; the `[flags]` of a mapping go before it.
"""

from __future__ import annotations

import csv
from datetime import datetime
from functools import cache
from importlib.resources import files
from pathlib import Path

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantity
from liuyu.monitor.sense.readers.mapping import Mapping, Value
from liuyu.monitor.sense.readers.reading import FLAGS, Gatherer, Reading
from liuyu.monitor.sense.readers.shef.messages import messages
from liuyu.monitor.sense.readers.shef.parse import Report, reports
from liuyu.monitor.sense.readers.units import conversion, convert

__all__ = ["read_shef"]

_SHORT = {"TX": "TAIRZXZ", "TN": "TAIRZNZ", "HX": "HGIRZXZ", "HN": "HGIRZNZ", "QX": "QRIRZXZ", "QN": "QRIRZNZ"}
_FORECAST = "a forecast, no observation"
_DURATION, _TYPE, _EXTREME = 2, 3, 5


@cache
def _rows(file: str) -> tuple[dict[str, str], ...]:
    text = files("liuyu.monitor.sense.readers.shef").joinpath(file).read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


class _Codes:
    """What a code means, by the mapping first and the table second; the longest beginning counts."""

    def __init__(self, mapping: Mapping) -> None:
        self._own = {each.code.upper(): each for each in mapping.values if each.code}
        self._named = {each.quantity for each in self._own.values()}
        self._table = {row["code"]: row for row in _rows("codes.csv")}
        self._flags = {row["qualifier"]: FLAGS[row["flag"]] for row in _rows("qualifiers.csv")} | mapping.flags

    def find(self, report: Report) -> tuple[Quantity, str, float]:
        """Quantity, unit of the value as written, and what is to be added. Raises BadInput where nothing fits."""
        code = _SHORT.get(report.code, report.code)
        own = _longest(code, self._own)
        row = self._table.get(_longest(code, self._table) or "")
        if own:
            value: Value = self._own[own]
            what = quantity(value.quantity)
            same = row is not None and row["quantity"] == value.quantity
            if len(own) <= _TYPE and code[_TYPE : _TYPE + 1] == "F":
                raise BadInput(_FORECAST)
            unit = value.unit or (_unit(row, report) if same and row else "")
            return what, unit, value.add
        if row is None:
            raise BadInput(f"no quantity for {report.code[:2]}; name it under [[values]] code in the mapping")
        what = quantity(row["quantity"])
        if what.name in self._named:
            raise BadInput(f"another code than the mapping names for {what.name}")
        _check(code, what)
        return what, _unit(row, report), 0.0

    def flag(self, qualifier: str) -> int:
        """The flag of a qualifier; one that is not known says nothing."""
        return self._flags.get(qualifier, int(Flag.NOT_EVALUATED))


def _longest(code: str, table: dict[str, Value] | dict[str, dict[str, str]]) -> str | None:
    return max((each for each in table if code.startswith(each)), key=len, default=None)


def _unit(row: dict[str, str], report: Report) -> str:
    return row["standard"] if report.standard else row["english"]


def _check(code: str, what: Quantity) -> None:
    """Set aside what is no observation of that moment."""
    if code[_TYPE : _TYPE + 1] == "F":
        raise BadInput(_FORECAST)
    if code[_EXTREME : _EXTREME + 1] not in ("", "Z"):
        raise BadInput("a highest or lowest value over a time, no observation of a moment")
    if what.kind == "instant" and code[_DURATION : _DURATION + 1] not in ("", "I", "Z"):
        raise BadInput("a mean over a duration, no observation of a moment")


def read_shef(path: Path, mapping: Mapping, basin: Basin, near: datetime | None = None) -> Reading:
    """The observations of a file of SHEF messages. `near` is the day near which dates without a year lie.

    Raises BadInput where the file cannot be read.
    """
    try:
        text = path.read_bytes().decode("ascii", errors="replace")
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); check its name and rights") from None
    gatherer = Gatherer(path.name, basin.roster, mapping.source, mapping.codes)
    codes = _Codes(mapping)

    def tell(sentence: str, line: int, value: str, raw: str) -> None:
        problem, _, cure = sentence.partition("; ")
        gatherer.fault(problem, cure, line=line, value=value, raw=raw)

    first: dict[tuple[int, int], str] = {}
    for message in messages(text):
        for report in reports(message, near, tell):
            _take(report, codes, first, gatherer)
    return gatherer.reading()


def _sensor(code: str) -> str:
    """The element, duration and source of a code, with what it leaves out filled in."""
    whole = _SHORT.get(code, code)
    duration = whole[_DURATION : _DURATION + 1] or "I"
    return whole[:_DURATION] + duration.replace("Z", "I") + (whole[_TYPE:_EXTREME] or "RZ").ljust(2, "Z")


def _take(report: Report, codes: _Codes, first: dict[tuple[int, int], str], gatherer: Gatherer) -> None:
    place = gatherer.station(report.station)
    if place is None:
        gatherer.unknown_station(report.station, report.raw)
        return
    if report.value is None:
        gatherer.miss()
        return
    try:
        what, unit, add = codes.find(report)
        if report.trace and what.unit != "mm":
            raise BadInput("a trace of what leaves none")
        sensor = _sensor(report.code)
        if first.setdefault((place, what.number), sensor) != sensor:
            raise BadInput(f"a second sensor for the same {what.name}; name the one that counts in the mapping")
    except BadInput as error:
        gatherer.set_aside(str(error), report.raw)
        return
    value = convert(report.value, *conversion(unit, what), what.decimals)
    value = round(value + add, what.decimals + 3) if add else value
    flag = codes.flag(report.qualifier)
    gatherer.take(place, what.number, report.time, value, flag, report.raw)
