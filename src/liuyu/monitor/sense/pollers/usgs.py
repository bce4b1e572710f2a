"""USGS National Water Information System, instantaneous values (waterservices.usgs.gov/nwis/iv, JSON).

A series for each site and parameter, times with their offset, -999999 for no value; P provisional, A approved,
e estimated. Form verified on stored answers; limits of a request [unverified].
"""

from __future__ import annotations

import html
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.monitor.sense.pollers.service import Kinds, Unanswered, json_of, stations, take
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer
from liuyu.monitor.sense.readers.times import Times

PARAMETERS = {
    "00060": ("discharge", ""),
    "00065": ("water_level", ""),
    "00045": ("rainfall", ""),
    "00010": ("water_temperature", ""),
    "00020": ("air_temperature", ""),
    "00054": ("reservoir_storage", ""),
    "00300": ("dissolved_oxygen", ""),
    "00400": ("ph", ""),
}
_FLAGS = {"A": Flag.GOOD, "P": Flag.NOT_EVALUATED, "e": Flag.SUSPECT}
_AT_ONCE = 100


class Usgs:
    """Instantaneous values of USGS gauges."""

    name: ClassVar[str] = "usgs"
    address: ClassVar[str] = "https://waterservices.usgs.gov/nwis/iv/"
    longest: ClassVar[int] = 7 * 86400
    reach: ClassVar[int] = 120 * 86400

    def requests(self, address: str, mapping: Mapping, after: int, until: int) -> list[str]:
        """A request for every hundred sites."""
        sites = stations(mapping, self.name)
        asked = {
            "format": "json",
            "parameterCd": ",".join(Kinds(mapping, PARAMETERS).codes),
            "startDT": _iso(after + 1),
            "endDT": _iso(until),
        }
        groups = (sites[start : start + _AT_ONCE] for start in range(0, len(sites), _AT_ONCE))
        return [f"{address}?{urlencode({**asked, 'sites': ','.join(group)}, safe=',:')}" for group in groups]

    def read(self, body: bytes, request: str, mapping: Mapping, gatherer: Gatherer) -> None:
        """Every series of an answer."""
        kinds, times = Kinds(mapping, PARAMETERS), Times()
        for site, code, unit, nothing, value in _values(json_of(body, self.name), request):
            raw = f"{site} {code} [{unit}] {value}"
            kind = kinds.find(code)
            if kind is None:
                gatherer.set_aside(f"no quantity for parameter {code}", raw)
                continue
            try:
                number, time = float(value["value"]), times.read(str(value["dateTime"]))
            except (KeyError, ValueError, BadInput) as error:
                gatherer.fault(f"is no value ({error})", "it is kept raw", field=code, value=str(value), raw=raw)
                continue
            if number == nothing:
                gatherer.miss()
            else:
                take(gatherer, site, kind, unit, time, number, raw, _flag(value.get("qualifiers", ()), mapping))


def _values(content: Any, request: str) -> Iterator[tuple[str, str, str, float, dict[str, Any]]]:
    """Site, parameter, unit, the number that means nothing, and the value with its time and qualifiers."""
    try:
        for series in content["value"]["timeSeries"]:
            site = series["sourceInfo"]["siteCode"][0]["value"]
            variable = series["variable"]
            code, unit = variable["variableCode"][0]["value"], html.unescape(variable["unit"]["unitCode"])
            for group in series["values"]:
                for value in group["value"]:
                    yield site, code, unit, float(variable.get("noDataValue", -999999.0)), value
    except (KeyError, IndexError, TypeError) as error:
        raise Unanswered(f"{request} answered JSON of another form (no {error}); has the service changed?") from None


def _flag(qualifiers: Any, mapping: Mapping) -> int:
    known = [mapping.flags.get(each, int(_FLAGS.get(each, Flag.NOT_EVALUATED))) for each in map(str, qualifiers)]
    return max(known, default=int(Flag.NOT_EVALUATED))


def _iso(seconds: int) -> str:
    return moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
