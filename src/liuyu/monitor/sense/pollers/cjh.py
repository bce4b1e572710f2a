"""长江水文网 (cjh.com.cn): the newest level and discharge of each gauge, in a script of its bulletin pages.

`var sssq = [{"oq": "0", "q": "4860", "rvnm": ..., "stcd": "60105400", "stnm": ..., "tm": 1549983600000, "wptn": "5",
"z": "169.97"}, ...]`: tm in milliseconds since 1970 UTC, 0 for what is not reported; at a reservoir q is what comes in,
oq what goes out. The page keeps no past, so a gap stays a gap. Form verified on stored pages of 2019 to 2026.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import msgspec

from liuyu.monitor.sense.pollers.service import Unanswered, json_of, take
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer

_SCRIPT = re.compile(rb"var\s+sssq\s*=\s*(\[.*?\])\s*;", re.DOTALL)
_COLUMNS = {"z": ("water_level", "m", 0.0), "q": ("discharge", "m3/s", 0.0)}
_DAM = {"z": _COLUMNS["z"], "q": ("reservoir_inflow", "m3/s", 0.0), "oq": ("reservoir_outflow", "m3/s", 0.0)}


class Cjh:
    """The bulletin page of the Bureau of Hydrology of the Changjiang Water Resources Commission."""

    name: ClassVar[str] = "cjh"
    address: ClassVar[str] = "http://www.cjh.com.cn/sqindex.html"
    longest: ClassVar[int] = 1 << 40
    reach: ClassVar[int] = 0

    def requests(self, address: str, mapping: Mapping, after: int, until: int) -> list[str]:
        """The page, whatever the span; several addresses may be given with blanks between."""
        return address.split()

    def read(self, body: bytes, request: str, mapping: Mapping, gatherer: Gatherer) -> None:
        """Every gauge of the page."""
        found = _SCRIPT.search(body)
        if not found:
            raise Unanswered(f"{request} holds no list of gauges (var sssq); has the page changed?")
        for row in json_of(found[1], self.name):
            if isinstance(row, dict):
                self._gauge(row, gatherer)

    def _gauge(self, row: dict[str, Any], gatherer: Gatherer) -> None:
        raw = msgspec.json.encode(row).decode()
        code, time = str(row.get("stcd", "")), row.get("tm")
        if not isinstance(time, int | float) or not code:
            gatherer.fault("has no time or no station", "set it aside", field="tm", value=time, raw=raw)
            return
        dam = str(row.get("oq") or "0") not in ("0", "0.0") or "水库" in str(row.get("stnm", ""))
        for column, kind in (_DAM if dam else _COLUMNS).items():
            text = str(row.get(column) or "0")
            try:
                value = float(text)
            except ValueError:
                gatherer.fault("is not a number", "set it aside", field=column, value=text, raw=raw)
                continue
            if value == 0.0:
                gatherer.miss()
            else:
                take(gatherer, code, kind, "", int(time) // 1000, value, raw)
