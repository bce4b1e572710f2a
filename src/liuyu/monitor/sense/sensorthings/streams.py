"""What must be known of a datastream to read its observations: which series it feeds, in which unit, of which kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Roster

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
COUNT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CountObservation"
CATEGORY = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_CategoryObservation"
TRUTH = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_TruthObservation"
OBSERVATION = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Observation"
KINDS = (MEASUREMENT, COUNT, CATEGORY, TRUTH, OBSERVATION)


@dataclass(frozen=True, slots=True)
class Stream:
    """A datastream.

    `station` and `quantity` name the series that it feeds; both are empty where it feeds none. A result times `factor`
    plus `offset` is in the quantity's unit. `interval` is the expected time between reports [s]; `kind` one of KINDS.
    """

    id: str
    station: str = ""
    quantity: str = ""
    factor: float = 1.0
    offset: float = 0.0
    interval: int = 3600
    kind: str = MEASUREMENT

    @property
    def mapped(self) -> bool:
        """True where it feeds a series of the basin."""
        return bool(self.station and self.quantity)


class Streams(Protocol):
    """Whoever knows the datastreams of a basin by their ids."""

    @property
    def roster(self) -> Roster:
        """The order of the basin's stations."""
        ...

    def stream(self, id: str) -> Stream | None:
        """The datastream of an id; None where there is none."""
        ...


class BasinStreams:
    """The datastreams that a basin package has by itself: each station's quantities, in our units."""

    def __init__(self, basin: Basin) -> None:
        self._basin = basin

    @property
    def roster(self) -> Roster:
        """The order of the basin's stations."""
        return self._basin.roster

    def stream(self, id: str) -> Stream | None:
        """The datastream of an id such as 60112200:water_level; None where there is none."""
        code, _, name = id.rpartition(":")
        station = self._basin.station_by_code.get(code)
        if station is None or name not in station.quantities:
            return None
        return Stream(id, code, quantity(name).name, interval=station.interval)
