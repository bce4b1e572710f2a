"""Sections between those that are given."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from liuyu.basin.errors import BadInput
from liuyu.twin.channel.network import Reach, Section


def refine(reach: Reach, spacing: float) -> Reach:
    """A reach with sections no more than `spacing` [m] apart: points run straight from section to section.

    Needs as many points in each section, in the same order. Raises BadInput otherwise.
    """
    counts = {len(each.station) for each in reach.sections}
    if len(counts) > 1 or not spacing > 0.0:
        raise BadInput(
            f"reach {reach.name}: sections of {sorted(counts)} points, spacing={spacing!r} m: give all as many"
        )
    made = [reach.sections[0]]
    for one, other in zip(reach.sections[:-1], reach.sections[1:], strict=True):
        pieces = max(int(np.ceil((other.chainage - one.chainage) / spacing - 1e-9)), 1)
        made += [_between(one, other, k / pieces) for k in range(1, pieces)] + [other]
    return replace(reach, sections=tuple(made))


def _between(one: Section, other: Section, share: float) -> Section:
    keep = 1.0 - share
    return Section(
        chainage=keep * one.chainage + share * other.chainage,
        station=keep * one.station + share * other.station,
        level=keep * one.level + share * other.level,
        manning=keep * np.asarray(one.manning) + share * np.asarray(other.manning),
        synthetic=one.synthetic or other.synthetic,
        deepening=keep * one.deepening + share * other.deepening,
    )
