"""From the twin's outlook to a schedule: one reservoir, six-hour steps, the levels of the gauges below.

How a level answers a release is read off the twin itself: a pulse is let go on top of the expected release, and what
the routed levels do with it, per m3/s, is the kernel of a link from the dam to the gauge. That is exact for a small
change about the expected course, so the schedule found is run through the whole twin afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from liuyu.basin.clock import HOUR
from liuyu.basin.places import Basin, Reservoir
from liuyu.outlook.plan.optimise import Dam, Goal, Junction, Link, Problem
from liuyu.outlook.plan.optimise.problem import Floats
from liuyu.twin import Outlook, RiverTwin, along_curve
from liuyu.twin.course import flow_on, to_series

STEP_H = 6
PULSE = 3000.0
BEYOND = 2.0  # times the end of the curve: storage that nothing reaches


@dataclass(frozen=True, slots=True)
class Base:
    """What is expected without a decision, in steps of STEP_H hours: release (steps,), members of inflow (members,
    steps) [m3/s], of levels by gauge (members, steps) [m], and kernels by gauge (steps,) [m per m3/s]."""

    release: Floats
    inflow: Floats
    level: Mapping[str, Floats]
    kernel: Mapping[str, Floats]


def base_of(twin: RiverTwin, outlook: Outlook, reservoir: Reservoir, gauges: Sequence[str]) -> Base:
    """The expected course and how the gauges answer a release."""
    place = twin.reservoir_places[reservoir.code]
    expected = outlook.course.flow[place]
    more = expected.copy()
    more[:STEP_H] += PULSE
    pulsed = flow_on(outlook.here, twin.plumbing, outlook.ahead, {place: more})
    still = flow_on(outlook.here, twin.plumbing, outlook.ahead, {place: expected})
    answer = (to_series(pulsed, outlook.here, twin.plumbing) - to_series(still, outlook.here, twin.plumbing)) / PULSE
    rows = {code: twin.plumbing.row[code, "water_level"] for code in gauges}
    inflow = outlook.members[twin.plumbing.inflow_row[place]]
    return Base(
        release=_means(expected),
        inflow=_means(inflow),
        level={code: outlook.members[row][:, STEP_H - 1 :: STEP_H] for code, row in rows.items()},
        kernel={code: answer[row, STEP_H - 1 :: STEP_H] for code, row in rows.items()},
    )


def problem_of(
    basin: Basin,
    reservoir: Reservoir,
    base: Base,
    *,
    storage: float,
    release: float,
    goals: Sequence[Goal],
    ramp: float,
) -> Problem:
    """The problem of one reservoir from `storage` [m3] and the present `release` [m3/s]; ramp [m3/s per step].

    Its pool is held by goals alone: a hard limit for the wettest member a week ahead would empty the reservoir today,
    as if nothing could be decided in between.
    """
    dam = Dam(
        code=reservoir.code,
        name=reservoir.name,
        name_en=reservoir.name_en,
        storage=storage,
        storage_range=(0.0, BEYOND * reservoir.curve[-1][1]),
        curve=reservoir.curve,
        release=release,
        release_range=reservoir.release_range,
        ramp=(ramp, ramp),
    )
    inflow = {reservoir.code: base.inflow}
    links = []
    for code, kernel in base.kernel.items():
        links.append(
            Link(source=reservoir.code, target=code, kernel=tuple(kernel.tolist()), before=(0.0,) * len(kernel))
        )
        inflow[code] = base.level[code] - np.convolve(base.release, kernel)[: len(base.release)]
    return Problem(
        step=STEP_H * HOUR,
        dams=(dam,),
        junctions=tuple(_gauge(basin, code) for code in base.kernel),
        links=tuple(links),
        inflow=inflow,
        goals=tuple(goals),
    )


def _gauge(basin: Basin, code: str) -> Junction:
    station = basin.station_by_code[code]
    return Junction(code=code, name=station.name, name_en=station.name_en, unit="m")


def stored(reservoir: Reservoir, level: float) -> float:
    """Storage [m3] at a level [m] by the reservoir's curve."""
    levels, held = np.array(reservoir.curve).T
    return float(along_curve(np.array([level]), levels, held)[0])


def _means(hourly: Floats) -> Floats:
    whole = hourly.shape[-1] // STEP_H * STEP_H
    return np.asarray(hourly[..., :whole].reshape(*hourly.shape[:-1], -1, STEP_H).mean(axis=-1), np.float64)
