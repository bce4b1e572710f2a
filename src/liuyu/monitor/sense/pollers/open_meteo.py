"""Open-Meteo (api.open-meteo.com): hourly rain and temperature of weather models at any place, of the past hours alone.

These are analyses and short forecasts of models, not observations of a gauge: give them stations of their own. A
station is named by its position, "latitude,longitude" = "ours", under [station.codes]. Rain and evaporation are sums of
the hour before. Answers hold `hourly.time` and a list for each variable, units in `hourly_units`; for several places
they are a list in the order asked. Form verified on stored answers; the 92 days of reach [reported].
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.pollers.service import Kinds, Unanswered, json_of, stations, take
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer

VARIABLES = {
    "precipitation": ("rainfall", ""),
    "temperature_2m": ("air_temperature", ""),
    "et0_fao_evapotranspiration": ("potential_evaporation", ""),
}
_AT_ONCE = 50


class OpenMeteo:
    """Hourly model weather at the places of a basin."""

    name: ClassVar[str] = "open_meteo"
    address: ClassVar[str] = "https://api.open-meteo.com/v1/forecast"
    longest: ClassVar[int] = 14 * 86400
    reach: ClassVar[int] = 92 * 86400

    def requests(self, address: str, mapping: Mapping, after: int, until: int) -> list[str]:
        """A request for every fifty places, for whole days; hours outside (after, until] are dropped when read."""
        places = [_position(each) for each in stations(mapping, self.name)]
        asked = {
            "hourly": ",".join(Kinds(mapping, VARIABLES).codes),
            "start_date": moment(after + 1).strftime("%Y-%m-%d"),
            "end_date": moment(until).strftime("%Y-%m-%d"),
            "timeformat": "unixtime",
            "timezone": "UTC",
        }
        groups = (places[start : start + _AT_ONCE] for start in range(0, len(places), _AT_ONCE))
        return [f"{address}?{urlencode(_at(group) | asked, safe=',')}#{after},{until}" for group in groups]

    def read(self, body: bytes, request: str, mapping: Mapping, gatherer: Gatherer) -> None:
        """Every place of an answer."""
        content = json_of(body, self.name)
        parts = urlsplit(request)
        asked = parse_qs(parts.query)
        after, until = (int(each) for each in parts.fragment.split(","))
        places = list(zip(asked["latitude"][0].split(","), asked["longitude"][0].split(","), strict=True))
        answers = content if isinstance(content, list) else [content]
        if len(answers) != len(places):
            raise Unanswered(f"{self.name} answered {len(answers)} places where {len(places)} were asked")
        by_position = {_position(each): each for each in mapping.codes}
        kinds = Kinds(mapping, VARIABLES)
        for place, answer in zip(places, answers, strict=True):
            self._place(by_position[place], answer, kinds, (after, until), gatherer)

    def _place(self, station: str, answer: Any, kinds: Kinds, span: tuple[int, int], gatherer: Gatherer) -> None:
        try:
            hours, units = answer["hourly"], answer["hourly_units"]
            times = hours["time"]
            columns = [(kind, units[code], hours[code]) for code in kinds.codes if (kind := kinds.find(code))]
            lengths = {len(values) for *_, values in columns}
        except (KeyError, TypeError) as error:
            raise Unanswered(f"{self.name} answered JSON of another form (no {error}); has it changed?") from None
        if lengths - {len(times)}:
            raise Unanswered(f"{self.name} answered lists of unequal length")
        for kind, unit, values in columns:
            for time, value in zip(times, values, strict=True):
                if not span[0] < time <= span[1]:
                    continue
                if value is None:
                    gatherer.miss()
                else:
                    take(gatherer, station, kind, unit, int(time), float(value), f"{time} {station} {kind[0]} {value}")


def _position(text: str) -> tuple[str, str]:
    latitude, comma, longitude = (each.strip() for each in text.partition(","))
    try:
        if comma and -90 <= float(latitude) <= 90 and -180 <= float(longitude) <= 180:
            return latitude, longitude
    except ValueError:
        pass
    raise BadInput(f'station {text!r} is no position; write "latitude,longitude", as "30.58,114.28"')


def _at(places: list[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(each[at] for each in places) for at, name in enumerate(("latitude", "longitude"))}
