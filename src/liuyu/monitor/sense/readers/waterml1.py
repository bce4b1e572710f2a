"""CUAHSI WaterML 1.0 and 1.1 answers to GetValues, as older services and USGS speak it, to observations."""

from __future__ import annotations

from dataclasses import replace

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import Quantity, quantities, quantity
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer
from liuyu.monitor.sense.readers.table import Absent, Numbers
from liuyu.monitor.sense.readers.times import Times
from liuyu.monitor.sense.readers.units import conversion, convert
from liuyu.monitor.sense.readers.xml_tree import Element

SPACES = ("http://www.cuahsi.org/waterML/1.1/", "http://www.cuahsi.org/waterML/1.0/")


def read_old(root: Element, mapping: Mapping, times: Times, gatherer: Gatherer) -> None:
    """Take up every time series of a document. Raises BadInput where it holds none, as a list of sites does."""
    found = list(root.every("timeSeries"))
    if not found:
        raise BadInput(f"{gatherer.file} holds no time series (its root is {root.name}); ask the service for GetValues")
    for series in found:
        _series(series, mapping, times, gatherer)


def _series(series: Element, mapping: Mapping, times: Times, gatherer: Gatherer) -> None:
    site = series.word("sourceInfo", "siteCode")
    network = series.attribute("network", "sourceInfo", "siteCode")
    variable = series.word("variable", "variableCode")
    values = [each for group in series.children if group.name == "values" for each in group.every("value")]
    whole = "\n".join([f"station {site}, variable {variable}", *(_raw(each) for each in values)])
    stations = (gatherer.station(each) for each in (site, f"{network}:{site}"))
    place = next((each for each in stations if each is not None), None)
    if place is None:
        gatherer.unknown_station(site, whole)
        return
    wanted = _target([variable, series.word("variable", "variableName")], mapping)
    if wanted is None:
        gatherer.set_aside(f"no quantity for variable {variable}, name it under [[values]] code in the mapping", whole)
        return
    what, unit, add, numbers = wanted
    nothing = series.word("variable", "noDataValue")
    numbers = replace(numbers, values=numbers.values | ({float(nothing)} if _is_number(nothing) else set()))
    try:
        factor, offset = _conversion([unit] if unit else _units(series), what)
    except BadInput as error:
        problem, _, cure = str(error).partition("; ")
        gatherer.fault(problem, cure, line=series.line, field="unit", raw=whole)
        return
    for each in values:
        try:
            value = convert(numbers.read(each.text), factor, offset, what.decimals)
            value = round(value + add, what.decimals + 3) if add else value
            gatherer.take(place, what.number, _time(each, times), value, _flag(each, mapping), _raw(each))
        except Absent:
            gatherer.miss()
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            shown = each.text.strip()
            gatherer.fault(problem, cure, line=each.line, field=what.name, value=shown, raw=_raw(each))


def _target(called: list[str], mapping: Mapping) -> tuple[Quantity, str, float, Numbers] | None:
    for each in mapping.values:
        if each.code and each.code in called:
            return quantity(each.quantity), each.unit, each.add, Numbers.of(mapping, each.missing)
    for what in quantities():
        if any(each in (what.cf_name, what.name, what.name_zh) for each in called):
            return what, "", 0.0, Numbers.of(mapping)
    return None


def _units(series: Element) -> list[str]:
    unit = series.find("variable", "unit")
    found = [unit.word(each) for each in ("unitAbbreviation", "unitCode", "unitName")] if unit else []
    return [each for each in found if each] or [""]


def _conversion(units: list[str], what: Quantity) -> tuple[float, float]:
    """By the first name of the unit that is known."""
    if units == [""]:
        raise BadInput("the series has no unit; give unit under [[values]] in the mapping")
    for unit in units[:-1]:
        try:
            return conversion(unit, what)
        except BadInput:
            continue
    return conversion(units[-1], what)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _time(value: Element, times: Times) -> int:
    universal = value.attributes.get("dateTimeUTC")
    if universal:
        return times.read(universal if universal.endswith("Z") else universal + "Z")
    wall, offset = value.attributes.get("dateTime", ""), value.attributes.get("timeOffset", "")
    return times.read(wall if not offset or wall.endswith("Z") or "+" in wall or wall.count("-") > 2 else wall + offset)


def _flag(value: Element, mapping: Mapping) -> int:
    codes = [value.attributes.get(each, "") for each in ("qualifiers", "censorCode", "qualityControlLevelCode")]
    known = [mapping.flags[code] for each in codes for code in each.split() if code in mapping.flags]
    if Flag.MISSING in known:
        raise Absent
    return max(known, default=int(Flag.NOT_EVALUATED))


def _raw(value: Element) -> str:
    given = " ".join(f'{name}="{each}"' for name, each in value.attributes.items())
    return f"{given} {value.text.strip()}"
