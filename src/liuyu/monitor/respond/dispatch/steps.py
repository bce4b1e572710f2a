"""A release hour by hour as the few steps in which an order can say it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

MOST_STEPS = 8
_FINEST = ((5000.0, 100.0), (500.0, 10.0), (0.0, 1.0))


class Hold(msgspec.Struct, frozen=True):
    """A release [m3/s] that is held from an hour on, for so many hours."""

    start: int
    hours: int
    flow: float


def holds(releases: Sequence[float], *, most: int = MOST_STEPS) -> tuple[Hold, ...]:
    """The steps of a release [m3/s] hour by hour: the mean of each, rounded to what a gate can be set to.

    Hours go together while they differ by less than a tolerance, which is doubled until at most `most` steps are left.
    Above 5,000 m3/s a step is rounded to 100, above 500 to 10, else to 1.

    >>> holds([8000.0, 8040.0, 12000.0])
    (Hold(start=0, hours=2, flow=8000.0), Hold(start=2, hours=1, flow=12000.0))
    """
    if not releases:
        return ()
    unit = next(step for least, step in _FINEST if max(releases) >= least)
    tolerance = unit
    while len(found := _grouped(releases, tolerance, unit)) > most:
        tolerance *= 2
    return tuple(found)


def hourly(found: Sequence[Hold]) -> tuple[float, ...]:
    """The steps hour by hour again: what the words of the order say."""
    return tuple(each.flow for each in found for _ in range(each.hours))


def _grouped(releases: Sequence[float], tolerance: float, unit: float) -> list[Hold]:
    groups: list[list[float]] = []
    for flow in releases:
        if groups and max(*groups[-1], flow) - min(*groups[-1], flow) <= tolerance:
            groups[-1].append(flow)
        else:
            groups.append([flow])
    out: list[Hold] = []
    start = 0
    for group in groups:
        flow = round(sum(group) / len(group) / unit) * unit
        if out and out[-1].flow == flow:
            out[-1] = Hold(out[-1].start, out[-1].hours + len(group), flow)
        else:
            out.append(Hold(start, len(group), flow))
        start += len(group)
    return out
