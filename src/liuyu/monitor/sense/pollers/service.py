"""What a public service must tell of itself to be polled; each service is one file beside this one."""

from __future__ import annotations

from math import isfinite
from typing import Any, ClassVar, Protocol

import msgspec

from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import quantity
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer
from liuyu.monitor.sense.readers.units import conversion, convert

_LATEST = 1 << 33


class Unanswered(LiuyuError):
    """A service did not answer, or not with what it should. `wait` [s] is how long it asked to be left alone."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        self.wait = wait
        super().__init__(message)


class Service(Protocol):
    """One public service. Times are seconds since 1970 UTC.

    `address` is where it answers; `longest` [s] is the span that one request may ask for, and `reach` [s] how far back
    it answers at all: 0 where it gives the newest value alone.
    """

    name: ClassVar[str]
    address: ClassVar[str]
    longest: ClassVar[int]
    reach: ClassVar[int]

    def requests(self, address: str, mapping: Mapping, after: int, until: int) -> list[str]:
        """The addresses to be fetched for what was observed in (after, until], at most `longest` apart."""
        ...

    def read(self, body: bytes, request: str, mapping: Mapping, gatherer: Gatherer) -> None:
        """Take up what an answer holds. Raises Unanswered where it is none of this service's."""
        ...


def json_of(body: bytes, name: str) -> Any:
    """The JSON of an answer. Raises Unanswered where it is none."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise Unanswered(f"{name} answered no JSON ({error}); look at its address") from None


def stations(mapping: Mapping, name: str) -> list[str]:
    """The service's own codes of the stations to ask for. Raises BadInput where the mapping names none."""
    if not mapping.codes:
        raise BadInput(f'{name} needs to know its stations; name them under [station.codes] as "theirs" = "ours"')
    return sorted(mapping.codes)


class Kinds:
    """What the codes of a service mean: those of the mapping, else its own table of quantity and unit."""

    def __init__(self, mapping: Mapping, table: dict[str, tuple[str, str]]) -> None:
        own = {each.code: (each.quantity, each.unit, each.add) for each in mapping.values if each.code}
        self._known = own or {code: (name, unit, 0.0) for code, (name, unit) in table.items()}

    @property
    def codes(self) -> list[str]:
        """Every code that is wanted."""
        return sorted(self._known)

    def find(self, code: str) -> tuple[str, str, float] | None:
        """Quantity, unit (empty: as the answer says) and what is to be added; None where the code is not wanted."""
        return self._known.get(code)


def take(
    gatherer: Gatherer,
    station: str,
    kind: tuple[str, str, float],
    unit: str,
    time: int,
    value: float,
    raw: str,
    flag: int = Flag.NOT_EVALUATED,
) -> None:
    """One value of a station, in a unit, into a gatherer; what cannot be one is set aside raw."""
    if not isfinite(value) or abs(time) > _LATEST:
        gatherer.set_aside("not a finite number, or not a time of this age", raw)
        return
    place = gatherer.station(station)
    if place is None:
        gatherer.unknown_station(station, raw)
        return
    name, own, add = kind
    what = quantity(name)
    try:
        factor, offset = conversion(own or unit, what)
    except BadInput as error:
        gatherer.set_aside(str(error), raw)
        return
    made = convert(value, factor, offset, what.decimals)
    gatherer.take(place, what.number, time, round(made + add, what.decimals + 3) if add else made, int(flag), raw)
