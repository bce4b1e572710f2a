"""What is there: the places of a basin and how water joins them. Frozen nouns; nothing here acts.

Positions are longitude and latitude in degrees, WGS 84. A `code` is unique in its basin, among all kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

from liuyu.basin.series import Roster

Position = tuple[float, float]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What every place has: a code, its name in the local language and in English, and where it is, if known."""

    code: str
    name: str
    name_en: str
    position: Position | None = None


class Station(Place, frozen=True, kw_only=True):
    """A gauge, and what it reports.

    `kind` is the SL 323 STTP code (ZZ stage, ZQ discharge, RR reservoir, PP rain). `datum` names what water levels are
    measured from, or is "unknown". `chainage_km` grows downstream along `river`. `interval` is the expected time
    between reports [s]; `rank` 1 is a control station, shown first, 3 the rest.
    """

    river: str = ""
    kind: str = "ZZ"
    quantities: tuple[str, ...] = ("water_level",)
    datum: str = "unknown"
    interval: int = 3600
    rank: int = 3
    chainage_km: float | None = None
    reach: str = ""
    source: str = ""


class Season(msgspec.Struct, frozen=True, kw_only=True):
    """A part of every year, from and to a month and day, both within; it may pass over New Year."""

    start: tuple[int, int]
    end: tuple[int, int]

    def holds(self, day: date) -> bool:
        """True if the day lies in the season."""
        here = (day.month, day.day)
        if self.start <= self.end:
            return self.start <= here <= self.end
        return here >= self.start or here <= self.end


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """A line that a quantity of a station is held against.

    `kind` is one of THRESHOLD_KINDS; `value` is in the quantity's unit; `datum` must equal the station's for levels;
    `side` "above" means that danger lies above the line. A season limits it to a part of the year.
    """

    station: str
    quantity: str
    kind: str
    value: float
    datum: str = "unknown"
    side: str = "above"
    season: Season | None = None
    source: str = ""


THRESHOLD_KINDS: Mapping[str, tuple[str, str]] = {
    "warning": ("警戒", "warning"),
    "guarantee": ("保证", "guarantee"),
    "historical_maximum": ("历史最高", "highest on record"),
    "flood_limit": ("汛限", "flood limit"),
    "normal_pool": ("正常蓄水位", "normal pool"),
    "design_flood": ("设计洪水位", "design flood level"),
    "dead_pool": ("死水位", "dead pool"),
    "drought_warning": ("旱警", "drought warning"),
    "historical_minimum": ("历史最低", "lowest on record"),
    "flood_number": ("编号标准", "numbered-flood criterion"),
}


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of river between two nodes (stations, junctions or reservoirs), water going from upper to lower."""

    code: str
    name: str
    name_en: str
    upper: str
    lower: str
    length_km: float
    travel_hours: float
    muskingum_x: float = 0.2
    source: str = ""


class Junction(Place, frozen=True, kw_only=True):
    """A node where waters meet or part: a confluence, a lake outlet, a bifurcation."""

    kind: str = "confluence"


class SubBasin(Place, frozen=True, kw_only=True):
    """Land that drains to one node. Area in km2."""

    area_km2: float
    outlet: str = ""


class Reservoir(Place, frozen=True, kw_only=True):
    """A reservoir: the station that reports it, its curve and its limits.

    `curve` pairs level [m] with storage [m3], rising. Flood limits by season are thresholds of kind flood_limit at
    `station`. Releases are bounded by `release_range` [m3/s] and may change by `release_ramp` [m3/s per hour].
    """

    station: str
    curve: tuple[tuple[float, float], ...]
    curve_source: str = ""
    release_range: tuple[float, float] = (0.0, 1e5)
    release_ramp: float = 1e5
    downstream: str = ""


class Levee(msgspec.Struct, frozen=True, kw_only=True):
    """An embankment, as a line of positions, with its crest level [m] if known."""

    code: str
    name: str
    name_en: str
    line: tuple[Position, ...]
    crest_m: float | None = None
    datum: str = "unknown"


class DetentionBasin(Place, frozen=True, kw_only=True):
    """Land set aside to store flood water: capacity [m3], people who live there."""

    capacity_m3: float
    population: int
    station: str = ""


class Camera(Place, frozen=True, kw_only=True):
    """A camera and the place it watches."""

    watches: str
    url: str = ""


class Intake(Place, frozen=True, kw_only=True):
    """A water intake and the yearly volume it may take [m3]."""

    permit_m3: float | None = None


class KnownFlood(msgspec.Struct, frozen=True, kw_only=True):
    """A numbered flood of the public record, from which a count starts when the archive begins in mid-year."""

    year: int
    number: int
    time: str
    section: str
    source: str = ""


class Frequency(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a frequency curve: the value [unit of the quantity] that is passed once in so many years."""

    station: str
    quantity: str
    return_period: float
    value: float
    source: str = ""


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of the scene. `kind`: rivers, lakes, boundary, subbasins, terrain, dams; `path` in package or bundle."""

    kind: str
    path: str
    source: str = ""
    licence: str = ""


class Basin(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A whole basin, as its package describes it. Every code that a place names exists: the reader has checked.

    Files are named by their path in the folder (`package.basin_file` finds them). `demonstration` is the period, start
    to end, that a first visitor is shown. `channel` and `plain` are folders: a river in one dimension, and a plain
    beside it.
    """

    code: str
    name: str
    name_en: str
    time_zone: str
    synthetic: bool
    folder: str
    stations: tuple[Station, ...]
    thresholds: tuple[Threshold, ...] = ()
    reaches: tuple[Reach, ...] = ()
    junctions: tuple[Junction, ...] = ()
    subbasins: tuple[SubBasin, ...] = ()
    reservoirs: tuple[Reservoir, ...] = ()
    levees: tuple[Levee, ...] = ()
    detention_basins: tuple[DetentionBasin, ...] = ()
    cameras: tuple[Camera, ...] = ()
    intakes: tuple[Intake, ...] = ()
    layers: tuple[Layer, ...] = ()
    known_floods: tuple[KnownFlood, ...] = ()
    frequencies: tuple[Frequency, ...] = ()
    rule_files: tuple[str, ...] = ()
    notice_files: tuple[str, ...] = ()
    plan_files: tuple[str, ...] = ()
    playbook_file: str = ""
    reservoir_rules_file: str = ""
    recipients_file: str = ""
    channel: str = ""
    plain: str = ""
    model_file: str = ""
    archive: str = ""
    attribution: str = ""
    attribution_zh: str = ""
    demonstration: tuple[datetime, datetime] | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        """The time zone in which the basin's people read a clock."""
        return ZoneInfo(self.time_zone)

    @cached_property
    def roster(self) -> Roster:
        """The station codes, in order, as arrays number them."""
        return Roster(tuple(each.code for each in self.stations))

    @cached_property
    def station_by_code(self) -> dict[str, Station]:
        """Station of a code."""
        return {each.code: each for each in self.stations}

    @cached_property
    def reservoir_by_station(self) -> dict[str, Reservoir]:
        """Reservoir of the code of the station that reports it."""
        return {each.station: each for each in self.reservoirs}

    def thresholds_of(self, station: str, quantity: str, day: date | None = None) -> tuple[Threshold, ...]:
        """The thresholds of a station's quantity, lowest first; with a day, those alone that hold on it."""
        found = self._thresholds.get((station, quantity), ())
        return tuple(each for each in found if day is None or each.season is None or each.season.holds(day))

    def frequencies_of(self, station: str, quantity: str) -> tuple[Frequency, ...]:
        """The frequency curve of a station's quantity, by rising return period; empty where none is known."""
        return self._frequencies.get((station, quantity), ())

    @cached_property
    def _frequencies(self) -> dict[tuple[str, str], tuple[Frequency, ...]]:
        groups: dict[tuple[str, str], list[Frequency]] = {}
        for each in self.frequencies:
            groups.setdefault((each.station, each.quantity), []).append(each)
        return {key: tuple(sorted(group, key=lambda one: one.return_period)) for key, group in groups.items()}

    @cached_property
    def _thresholds(self) -> dict[tuple[str, str], tuple[Threshold, ...]]:
        groups: dict[tuple[str, str], list[Threshold]] = {}
        for each in self.thresholds:
            groups.setdefault((each.station, each.quantity), []).append(each)
        return {key: tuple(sorted(group, key=lambda one: one.value)) for key, group in groups.items()}
