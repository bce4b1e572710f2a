"""Environment Agency, England: real-time flood-monitoring API (environment.data.gov.uk/flood-monitoring).

A reading has `dateTime` in UTC, `measure` with the station, parameter, qualifier, kind, interval and unit in its last
part, as 690140-level-stage-i-15_min-m, and `value`. Readings go back four weeks. Form verified on stored answers.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.pollers.service import Kinds, Unanswered, json_of, stations, take
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer
from liuyu.monitor.sense.readers.times import Times

MEASURES = {
    "level-stage-i": ("water_level", ""),
    "flow--i": ("discharge", ""),
    "flow-logged-i": ("discharge", ""),
    "rainfall-tipping_bucket_raingauge-t": ("rainfall", ""),
}
_UNITS = {"m3_s": "m3/s", "l_s": "L/s", "mASD": "m", "mAOD": "m", "---": ""}
_MEASURE = re.compile(r"(?P<station>[^-]+)-(?P<kind>.+?)-(?P<interval>\d+_[a-z]+)-(?P<unit>-{3}|[^-]+)")
_MOST = 10_000


class EnvironmentAgency:
    """Readings of the Environment Agency's gauges."""

    name: ClassVar[str] = "environment_agency"
    address: ClassVar[str] = "https://environment.data.gov.uk/flood-monitoring"
    longest: ClassVar[int] = 28 * 86400
    reach: ClassVar[int] = 28 * 86400

    def requests(self, address: str, mapping: Mapping, after: int, until: int) -> list[str]:
        """A request for each station."""
        since = moment(after).strftime("%Y-%m-%dT%H:%M:%SZ")
        asked = urlencode({"since": since, "_sorted": "", "_limit": _MOST}, safe=":")
        return [f"{address}/id/stations/{quote(each)}/readings?{asked}" for each in stations(mapping, self.name)]

    def read(self, body: bytes, request: str, mapping: Mapping, gatherer: Gatherer) -> None:
        """Every reading of an answer; a measure that is named whole in the mapping goes before its kind."""
        content = json_of(body, self.name)
        items = content.get("items") if isinstance(content, dict) else None
        if not isinstance(items, list):
            raise Unanswered(f"{request} answered JSON without items; has the service changed?")
        if len(items) >= _MOST:
            gatherer.fault(f"holds {_MOST} readings, the most that one answer can", "ask for a shorter span")
        kinds, times = Kinds(mapping, MEASURES), Times("UTC")
        for item in items:
            if isinstance(item, dict):
                self._reading(item, kinds, times, gatherer)

    def _reading(self, item: dict[str, Any], kinds: Kinds, times: Times, gatherer: Gatherer) -> None:
        measure = str(item.get("measure", "")).rpartition("/")[2]
        raw = f"{item.get('dateTime')} {measure} {item.get('value')}"
        found = _MEASURE.fullmatch(measure)
        if not found:
            gatherer.fault("is no measure", "it is kept raw", field="measure", value=measure, raw=raw)
            return
        kind = kinds.find(measure) or kinds.find(found["kind"])
        if kind is None:
            gatherer.set_aside(f"no quantity for measure {found['kind']}, name it under [[values]] code", raw)
            return
        value = item.get("value")
        if isinstance(value, bool) or not isinstance(value, int | float):
            gatherer.fault("is not a number", "it is kept raw", field=measure, value=str(value), raw=raw)
            return
        try:
            time = times.read(str(item.get("dateTime")))
        except BadInput as error:
            gatherer.fault(str(error).partition("; ")[0], "it is kept raw", field="dateTime", raw=raw)
            return
        unit = _UNITS.get(found["unit"], found["unit"])
        if not unit and not kind[1]:
            gatherer.set_aside(f"measure {found['kind']} has no unit, name it in the mapping", raw)
            return
        take(gatherer, found["station"], kind, unit, time, float(value), raw)
