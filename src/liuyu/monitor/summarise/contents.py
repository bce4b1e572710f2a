"""What a report holds, as plain frozen data. Times are [s UTC]; `seq` numbers are those of events in the log.

Every number is either computed from series of the store over the period, or taken from an event whose `seq` is given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.monitor.summarise.decisions import DispatchCourse, ResponseCourse, Shift

Text = Mapping[str, str]
Floats = NDArray[np.float64]
Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Flood:
    """A numbered flood of the period."""

    name: Text
    year: int
    number: int
    time: int
    station: Text
    quantity: str
    value: float
    threshold_value: float
    seq: int


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest water of one station in the period, against its lines.

    `margins` pairs threshold kind with value - threshold [m]; `hours` with how long the level stood at or above [h].
    `rank` is its place among the yearly maxima of `years` years that the store holds. `at_edge`: it fell on the first
    or last value of the period, so the true peak may lie outside.
    """

    station: str
    name: Text
    rank_of_station: int
    level: float
    time: int
    lines: Mapping[str, float]
    margins: Mapping[str, float]
    hours: Mapping[str, float]
    rank: int
    years: int
    at_edge: bool
    discharge: float | None
    discharge_time: int | None


@dataclass(frozen=True, slots=True)
class Hydrograph:
    """Level of one station through the period, thinned so that peaks stay, with its lines."""

    station: str
    name: Text
    time: Times
    level: Floats
    lines: Mapping[str, float]
    peak: float
    peak_time: int


@dataclass(frozen=True, slots=True)
class Operation:
    """What a reservoir did over a span: the whole period, or one numbered flood.

    `cut` = highest inflow - highest outflow [m3/s]; `stored` [m3] between the lowest level before the highest and the
    highest, by the curve; None where a part is not known.
    """

    label: Text
    start: int
    end: int
    inflow: float
    inflow_time: int
    outflow: float
    outflow_time: int
    level_low: float | None
    level_high: float | None
    level_high_time: int | None
    stored: float | None

    @property
    def cut(self) -> float:
        """Highest inflow - highest outflow [m3/s]."""
        return self.inflow - self.outflow


@dataclass(frozen=True, slots=True)
class ReservoirCourse:
    """A reservoir through the period."""

    code: str
    name: Text
    time: Times
    inflow: Floats
    outflow: Floats
    level_time: Times
    level: Floats
    lines: Mapping[str, float]
    operations: tuple[Operation, ...]
    curve_source: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What the operation of the reservoirs did to one gauge below them: as observed, and as it would have been without.

    time, level, without: the hourly courses, thinned [s UTC, m, m]; hours and hours_without: above each line [h].
    """

    station: str
    name: Text
    time: Times
    level: Floats
    without: Floats
    peak: float
    peak_time: int
    peak_without: float
    peak_without_time: int
    lines: Mapping[str, float]
    hours: Mapping[str, float]
    hours_without: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class AlertSpan:
    """One alert from when it was raised until it was cleared; `end` None while it stands."""

    id: str
    station: str
    threshold: str
    severity: str
    title: Text
    start: int
    end: int | None
    acknowledged: int | None
    escalated: bool
    seq: int


@dataclass(frozen=True, slots=True)
class NoticeCourse:
    """One notice: as it was first said, and what came of it.

    `outcome` is "" while it stands, "withdrawn", or what its verification found: hit, miss, false_alarm.
    """

    id: str
    station: Text
    threshold: str
    threshold_value: float
    unit: str
    near: float
    severity: str
    issued: int
    chance: float
    crossing: int | None
    updates: int
    withdrawn: int | None
    outcome: str
    crossed_at: int | None
    lead_h: float | None
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Grade:
    """How forecasts of one series at one lead did, all issues of the period together.

    rmse, bias, persistence and crps in `unit`; `skill` = 1 - MSE / MSE of persistence; `qualified` is the share of
    forecasts within the permissible error; `determination` the coefficient DC; `grade` a name of the profile.
    """

    station: str
    name: Text
    quantity: str
    unit: str
    lead_h: int
    n: int
    rmse: float
    bias: float
    persistence: float
    skill: float
    qualified: float
    determination: float
    crps: float
    grade: str


@dataclass(frozen=True, slots=True)
class Track:
    """What was forecast for one station at one lead, issue after issue: at each valid time, 80 % of members between."""

    station: str
    name: Text
    lead_h: int
    time: Times
    low: Floats
    median: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of an incident's log."""

    time: int
    state: str
    level: str
    entry: Text
    seq: int


@dataclass(frozen=True, slots=True)
class TaskCourse:
    """A task from when it was given to how it stands. `late_h` is by how many hours it passed its deadline, or None."""

    id: str
    title: Text
    owner: Text
    given: int
    due: int
    done: int | None
    state: str
    late_h: float | None
    escalated_to: Text
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class IncidentCourse:
    """An incident and its tasks."""

    id: str
    title: Text
    opened: int
    closed: int | None
    level: str
    highest: str
    stations: int
    entries: tuple[Entry, ...]
    tasks: tuple[TaskCourse, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A what-if that was run, or a proposal that was made: rows of numbers as they stand in the log."""

    kind: str
    title: Text
    time: int
    state: str
    reason: Text
    rows: tuple[Mapping[str, Any], ...]
    binding: tuple[Text, ...]
    decided_by: str
    note: str
    decided: int
    seqs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Silence:
    """A station that fell silent; `returned` None where it has not come back."""

    station: Text
    start: int
    returned: int | None
    seq: int


@dataclass(frozen=True, slots=True)
class DataQuality:
    """What was received and how far it could be trusted. `doubts` counts episodes by test; shares are of `received`."""

    received: int
    usable: int
    suspect: int
    bad: int
    stations: int
    completeness: float | None
    doubts: Mapping[str, int]
    worst: tuple[tuple[Text, int, int], ...]
    silences: tuple[Silence, ...]
    late_events: int
    late_values: int


@dataclass(frozen=True, slots=True)
class Logged:
    """An event that the report rests on."""

    seq: int
    time: int
    kind: str
    id: str
    state: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What a map is drawn on. box: west, south, east, north [deg]; lines by kind of layer: (n, 2) [deg]; position by
    station [deg]."""

    box: tuple[float, float, float, float]
    lines: Mapping[str, tuple[Floats, ...]]
    position: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the pages show."""

    basin: Text
    code: str
    time_zone: str
    synthetic: bool
    start: int
    end: int
    floods: tuple[Flood, ...]
    peaks: tuple[Peak, ...]
    hydrographs: tuple[Hydrograph, ...]
    reservoirs: tuple[ReservoirCourse, ...]
    effects: tuple[Effect, ...]
    alerts: tuple[AlertSpan, ...]
    notices: tuple[NoticeCourse, ...]
    grades: tuple[Grade, ...]
    tracks: tuple[Track, ...]
    issues: int
    models: tuple[str, ...]
    grading: Mapping[str, Any]
    incidents: tuple[IncidentCourse, ...]
    responses: tuple[ResponseCourse, ...]
    dispatches: tuple[DispatchCourse, ...]
    shifts: tuple[Shift, ...]
    alternatives: tuple[Alternative, ...]
    quality: DataQuality
    attribution: Text
    version: str
    log: tuple[Logged, ...]
    logged: int
    station_names: Mapping[str, Text]
    ground: Ground | None = None
