"""OGC WaterML 2.0 part 1 (OGC 10-126r4) time series, alone or in a SOS answer, to observations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantities, quantity
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import FLAGS, Gatherer, Reading
from liuyu.monitor.sense.readers.table import Absent, Numbers
from liuyu.monitor.sense.readers.times import Times
from liuyu.monitor.sense.readers.units import conversion, convert
from liuyu.monitor.sense.readers.waterml1 import SPACES as OLD_SPACES
from liuyu.monitor.sense.readers.waterml1 import read_old
from liuyu.monitor.sense.readers.xml_tree import Element, read_xml

SPACE = "http://www.opengis.net/waterml/2.0"
_QUALITY = {"good": "good", "suspect": "suspect", "estimate": "suspect", "poor": "bad", "unchecked": "not_evaluated"}
_NO_MOMENT = ("maxprec", "minprec", "maxsucc", "minsucc", "statistical", "totalsucc", "averagesucc")


@dataclass(frozen=True, slots=True)
class Target:
    """What a series becomes: the quantity, and how a value of it is turned into its unit."""

    quantity: Quantity
    unit: str
    add: float
    numbers: Numbers


def read_waterml2(path: Path, mapping: Mapping, basin: Basin) -> Reading:
    """The observations of a WaterML 2.0 document; WaterML 1.1 is read too, since many services still speak it.

    A property is found by its address, the last part of it, or its title: under `code` in the mapping, else among the
    names of the table of quantities. Raises BadInput where the file is no XML, or holds no time series.
    """
    root = read_xml(path)
    gatherer = Gatherer(path.name, basin.roster, mapping.source, mapping.codes)
    times = Times(mapping.zone, shift=mapping.shift_minutes * 60)
    if root.space in OLD_SPACES:
        read_old(root, mapping, times, gatherer)
        return gatherer.reading()
    found = list(root.every("OM_Observation")) or [root] * (root.name == "OM_Observation")
    if not any(each.space == SPACE for one in found for each in one.every("MeasurementTimeseries")):
        raise BadInput(f"{path.name} holds no WaterML 2.0 time series (its root is {root.name}); is it another format?")
    for observation in found:
        for series in observation.every("MeasurementTimeseries"):
            _series(observation, series, mapping, times, gatherer)
    return gatherer.reading()


def names(address: str, *others: str) -> Iterator[str]:
    """What a thing may be called: its address, the last part of it, its other names."""
    yield address
    for sign in "/#:":
        yield address.rpartition(sign)[2]
    yield from others


def target(called: list[str], unit: str, mapping: Mapping) -> Target | None:
    """What a property of these names becomes, or None where neither mapping nor table knows it."""
    for each in mapping.values:
        if each.code and each.code in called:
            numbers = Numbers.of(mapping, each.missing)
            return Target(quantity(each.quantity), each.unit or unit, each.add, numbers)
    for what in quantities():
        if any(each and each in (what.cf_name, what.name, what.name_zh) for each in called):
            return Target(what, unit, 0.0, Numbers.of(mapping))
    return None


def _series(observation: Element, series: Element, mapping: Mapping, times: Times, gatherer: Gatherer) -> None:
    feature = observation.find("featureOfInterest")
    inner = [each.text.strip() for each in feature.every("identifier")] if feature else []
    href, title = (observation.attribute(each, "featureOfInterest") for each in ("href", "title"))
    stations = [each for each in (*names(href, title), *inner) if each]
    shown = stations[0] if stations else ""
    place = next((found for each in stations if (found := gatherer.station(each)) is not None), None)
    raw = f"station {shown}, property {observation.attribute('href', 'observedProperty')}"
    points = [_point(each) for each in series.every("MeasurementTVP")]
    whole = "\n".join([raw, *(f"{time},{value}" for _, time, value, _ in points)])
    if place is None:
        gatherer.unknown_station(shown, whole)
        return
    default = next(series.every("DefaultTVPMeasurementMetadata"), None)
    unit = default.attribute("code", "uom") if default else ""
    called = list(
        names(observation.attribute("href", "observedProperty"), observation.attribute("title", "observedProperty"))
    )
    wanted = target(called, unit, mapping)
    kind = (default.attribute("href", "interpolationType") if default else "").rpartition("/")[2].lower()
    if wanted is None:
        gatherer.set_aside(f"no quantity for property {called[0]}, name it under [[values]] code in the mapping", whole)
    elif kind in _NO_MOMENT:
        gatherer.set_aside(f"values of the kind {kind}, which are no observations of a moment", whole)
    else:
        quality = _quality(default) if default else ""
        _points(points, wanted, place, quality, mapping, times, gatherer, series.line)


def _point(tvp: Element) -> tuple[int, str, str, str]:
    """Line, time, value (empty where it is nil) and quality of a point."""
    value = tvp.find("value")
    nil = value is None or value.attributes.get("nil") in ("true", "1")
    meta = tvp.find("metadata", "TVPMeasurementMetadata")
    return tvp.line, tvp.word("time"), "" if nil else tvp.word("value"), _quality(meta) if meta else ""


def _quality(meta: Element) -> str:
    return (
        meta.attribute("href", "quality").rpartition("/")[2] or meta.attribute("href", "qualifier").rpartition("/")[2]
    )


def _points(
    points: list[tuple[int, str, str, str]],
    wanted: Target,
    place: int,
    default: str,
    mapping: Mapping,
    times: Times,
    gatherer: Gatherer,
    line: int,
) -> None:
    what = wanted.quantity
    try:
        if not wanted.unit:
            raise BadInput("the series has no unit; give unit under [[values]] in the mapping")
        factor, offset = conversion(wanted.unit, what)
    except BadInput as error:
        problem, _, cure = str(error).partition("; ")
        raw = "\n".join(f"{time},{value}" for _, time, value, _ in points)
        gatherer.fault(problem, cure, line=line, field="uom", value=wanted.unit, raw=raw)
        return
    for number, time, text, quality in points:
        try:
            flag = quality_flag(quality or default, mapping)
            value = convert(wanted.numbers.read(text), factor, offset, what.decimals)
            value = round(value + wanted.add, what.decimals + 3) if wanted.add else value
            gatherer.take(place, what.number, times.read(time), value, flag, f"{time},{text},{quality}")
        except Absent:
            gatherer.miss()
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            shown = text if "number" in problem else time
            gatherer.fault(problem, cure, line=number, field=what.name, value=shown, raw=f"{time},{text},{quality}")


def quality_flag(code: str, mapping: Mapping) -> int:
    """The flag of a quality code: the mapping's, else that of the WaterML vocabulary. Raises Absent for "missing"."""
    if code == "missing":
        raise Absent
    return mapping.flags.get(code, FLAGS[_QUALITY.get(code, "not_evaluated")] if code else int(Flag.NOT_EVALUATED))
