"""What a schedule does, judged by the whole twin on every member of the forecast.

The loss of a schedule is, summed over the gauges downstream, the mean over members of the hours and metres above the
warning level, ten times that above the guarantee level, and on top what the reservoir pays: storage still held above
the flood limit at the end, the more the fuller it is, for the next flood may come; metre-hours above its normal pool,
should the inflow be that of the member in ten that brings most; and a little for every change of the release. It is one
number to compare schedules by; what the optimiser seeks are the goals of `aims`, in their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.places import Reservoir
from liuyu.basin.records import Scenario
from liuyu.twin import Alternative, Outlook, RiverTwin, along_curve
from liuyu.twin.limits import level_limits

Floats = NDArray[np.float64]
GUARANTEE_WEIGHT = 10.0
END_WEIGHT = 200.0
POOL_WEIGHT = 50.0
CHANGE_WEIGHT = 2.0
WET = 0.9


@dataclass(frozen=True, slots=True)
class Candidate:
    """A schedule with its name in both languages."""

    key: str
    zh: str
    en: str
    release: Floats


@dataclass(frozen=True, slots=True)
class Judged:
    """A candidate run out: loss and its parts, metres above the normal pool, the reservoir's course, levels below."""

    candidate: Candidate
    loss: float
    downstream: float
    over_pool: float
    highest: float
    highest_wet: float
    ends: float
    peaks: Mapping[str, float]
    alternative: Alternative


def judge(
    twin: RiverTwin,
    outlook: Outlook,
    reservoir: Reservoir,
    candidate: Candidate,
    downstream: tuple[str, ...],
    wet: Floats,
) -> Judged:
    """Run a candidate and weigh it. wet: (hours,) storage [m3] that a high inflow adds to the expected."""
    scenario = Scenario(name=candidate.zh, name_en=candidate.en, releases={reservoir.code: tuple(candidate.release)})
    alternative = twin.alternative(outlook, scenario)
    day = moment(outlook.now, twin.basin.zone).date()
    above, peaks = 0.0, {}
    for code in downstream:
        row = twin.plumbing.row.get((code, "water_level"))
        if row is None:
            continue
        members = alternative.members[row]
        peaks[code] = float(np.median(members, axis=0).max())
        for line in twin.basin.thresholds_of(code, "water_level", day):
            weight = {"warning": 1.0, "guarantee": GUARANTEE_WEIGHT}.get(line.kind, 0.0)
            if weight:
                above += weight * float(np.maximum(members - line.value, 0.0).mean(axis=0).sum())
    course = alternative.reservoirs[reservoir.code]
    levels, held = np.array(reservoir.curve).T
    level_wet = along_curve(course["storage"] + wet, held, levels)
    limits = level_limits(twin.basin, reservoir, day)
    pool = limits.get("normal_pool", float(levels[-1]))
    own = _held(reservoir, candidate, course["storage"], level_wet, limits)
    return Judged(
        candidate=candidate,
        loss=above + own,
        downstream=above,
        over_pool=max(float(course["level"].max()) - pool, 0.0),
        highest=float(course["level"].max()),
        highest_wet=float(level_wet.max()),
        ends=float(course["level"][-1]),
        peaks=peaks,
        alternative=alternative,
    )


def _held(
    reservoir: Reservoir, candidate: Candidate, storage: Floats, level_wet: Floats, limits: Mapping[str, float]
) -> float:
    """What the reservoir itself pays for a schedule."""
    levels, held = np.array(reservoir.curve).T
    pool = limits.get("normal_pool", float(levels[-1]))
    limit = limits.get("flood_limit", pool)
    room = np.interp([limit, pool], levels, held)
    used = max(storage[-1] - room[0], 0.0) / max(room[1] - room[0], 1.0)
    change = float(np.abs(np.diff(candidate.release)).sum()) / max(float(candidate.release.mean()), 1.0)
    over = float(np.maximum(level_wet - pool, 0.0).sum())
    return float(END_WEIGHT * used**2 + POOL_WEIGHT * over + CHANGE_WEIGHT * change)


def high_inflow(twin: RiverTwin, outlook: Outlook, place: int) -> Floats:
    """Storage [m3] that the inflow adds to the expected by each hour, in the member in ten that brings most."""
    row = int(twin.plumbing.inflow_row[place])
    if row < 0:
        return np.zeros(outlook.ahead.shape[1])
    more = 3600.0 * np.cumsum(outlook.members[row] - outlook.course.inflow[place], axis=1)
    return np.maximum(np.quantile(more, WET, axis=0), 0.0)
