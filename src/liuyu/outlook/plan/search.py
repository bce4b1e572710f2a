"""Which release schedule does best: a few dozen candidates, each judged on every member of the forecast.

The loss of a schedule is, summed over the gauges downstream, the mean over members of the hours and metres above the
warning level, ten times that above the guarantee level, and on top what the reservoir pays: storage still held above
the flood limit at the end, the more the fuller it is, for the next flood may come; metre-hours above its normal pool,
should the inflow be that of the member in ten that brings most; and a little for every change of the release, so that
of equal schedules the quietest wins. It is a search among candidates, not an optimum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.places import Reservoir
from liuyu.basin.records import Scenario
from liuyu.twin import Alternative, Outlook, RiverTwin, along_curve
from liuyu.twin.limits import bounded, level_limits

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


def candidates(expected: Floats, inflow: Floats, now_release: float, reservoir: Reservoir) -> Iterator[Candidate]:
    """Schedules to try, each within the reservoir's range and ramp. expected, inflow: (hours,) [m3/s]."""
    hours = len(expected)

    def make(key: str, zh: str, en: str, wanted: Floats) -> Candidate:
        return Candidate(key, zh, en, bounded(reservoir, wanted, now_release))

    yield make("expected", "按以往调度习惯", "as in like states before", expected)
    yield make("hold", f"维持现状出库{now_release:.0f} m³/s", f"hold the present {now_release:.0f} m³/s",
               np.full(hours, now_release))  # fmt: skip
    yield make("pass", "出入库平衡", "pass the inflow on", inflow)
    for share in (10, 20, 30, 40):
        for length in (24, 48, 72, 120):
            if length < hours:
                wanted = np.where(np.arange(hours) < length, now_release * (1 - share / 100), expected)
                yield make(
                    f"cut-{share}-{length}",
                    f"削减出库{share}%，持续{length}小时",
                    f"cut by {share} % for {length} h",
                    wanted,
                )
        staged = np.array([now_release * (1 - share / 100), now_release * (1 - share / 200)])
        wanted = np.concatenate([np.full(min(48, hours), staged[0]), np.full(max(hours - 48, 0), staged[1])])
        yield make(
            f"staged-{share}",
            f"先削减{share}%两天，再减半削减",
            f"cut by {share} % for two days, then by half that",
            wanted,
        )
    for share in (10, 20):
        wanted = np.where(np.arange(hours) < 48, now_release * (1 + share / 100), np.minimum(expected, now_release))
        yield make(
            f"raise-{share}",
            f"预泄：加大出库{share}%两天后减小",
            f"release {share} % more for two days, then less",
            wanted,
        )


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


def search(twin: RiverTwin, outlook: Outlook, reservoir: Reservoir, now_release: float) -> list[Judged]:
    """Every candidate judged, best first; of equals, the one tried earlier.

    The normal pool goes before all loss: a schedule that is expected to pass it stands behind every one that is not.
    """
    place = twin.reservoir_places[reservoir.code]
    downstream, wet = twin.below(place), high_inflow(twin, outlook, place)
    tried = candidates(outlook.course.flow[place], outlook.course.inflow[place], now_release, reservoir)
    judged = [judge(twin, outlook, reservoir, each, downstream, wet) for each in tried]
    return sorted(judged, key=lambda each: (round(each.over_pool, 2), round(each.loss, 6)))
