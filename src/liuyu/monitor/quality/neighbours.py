"""Gauges of the same water: a level is held against the level of a gauge beside it.

Candidates come from the basin (joined by a reach or within NEAR_KM) or from the data (levels that move as one). How
close two gauges run is learned: `mean` of their difference, and `spread`, the deviation from it that 98 % stay below.
A pair is a judge only where it is tight. When a tight pair parts, the gauge that stood still while the other moved is
doubted, or else the one that moved more than twice as far since they last agreed well; else neither can be told.
The mean follows all the while, within some ten days, so that a gauge that was set anew is not doubted for ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.places import Basin, Station
from liuyu.basin.series import Batch
from liuyu.monitor.quality.parameters import BESIDE
from liuyu.physics.compiled import compiled

NEAR_KM = 5.0
MEET = 3600
LEARN, TIGHT, TOLERANCE = 500, 0.05, 0.20
MEMORY = 240.0
CROWD = 400


def beside(basin: Basin) -> dict[str, tuple[str, ...]]:
    """By station: those within NEAR_KM or at the other end of a reach, nearest first, at most BESIDE."""
    found: dict[str, dict[str, float]] = {each.code: {} for each in basin.stations}
    at_node = {each.code: each.station for each in basin.reservoirs}
    links: dict[str, list[tuple[str, float]]] = {}
    for reach in basin.reaches:
        upper, lower = at_node.get(reach.upper, reach.upper), at_node.get(reach.lower, reach.lower)
        links.setdefault(upper, []).append((lower, reach.length_km))
        links.setdefault(lower, []).append((upper, reach.length_km))
    for code, ends_of in found.items():
        for node, length in links.get(code, ()):
            ends = [(node, length)] if node in found else [(far, length + more) for far, more in links.get(node, ())]
            for end, distance in ends:
                if end in found and end != code:
                    ends_of[end] = min(distance, ends_of.get(end, math.inf))
    for one, other, distance in _close(basin):
        found[one][other] = found[other][one] = distance
    return {code: tuple(sorted(near, key=lambda end: (near[end], end))[:BESIDE]) for code, near in found.items()}


def _close(basin: Basin) -> list[tuple[str, str, float]]:
    """Pairs of stations within NEAR_KM, with their distance, by a grid of cells so that many stations cost little."""
    cells: dict[tuple[int, int], list[int]] = {}
    placed = [each for each in basin.stations if each.position is not None]
    for place, station in enumerate(placed):
        assert station.position is not None
        cells.setdefault((int(station.position[0] // 0.1), int(station.position[1] // 0.1)), []).append(place)
    pairs = []
    for (x, y), here in cells.items():
        around = [k for dx in (-1, 0, 1) for dy in (-1, 0, 1) for k in cells.get((x + dx, y + dy), ())]
        if len(around) > CROWD:
            pairs += _nearest(placed, here, around)
            continue
        for i in here:
            for k in around:
                distance = _distance(placed[i].position, placed[k].position) if i < k else math.inf
                if distance <= NEAR_KM:
                    pairs.append((placed[i].code, placed[k].code, distance))
    return sorted(pairs)


def _nearest(placed: Sequence[Station], here: Sequence[int], around: Sequence[int]) -> list[tuple[str, str, float]]:
    """Of a crowd, for each station those alone that are nearest within NEAR_KM, by distance and code."""
    around = sorted(around, key=lambda place: placed[place].code)
    at = np.array([placed[place].position for place in around], np.float64).T
    pairs = []
    for place in here:
        code, position = placed[place].code, placed[place].position or (math.nan, math.nan)
        shrink = np.cos(np.radians((position[1] + at[1]) / 2))
        distance = 111.2 * np.hypot((at[0] - position[0]) * shrink, at[1] - position[1])
        reach = min(float(np.partition(distance, BESIDE)[BESIDE]), NEAR_KM)
        beside = np.concatenate([np.flatnonzero(distance < reach), np.flatnonzero(distance == reach)[: BESIDE + 1]])
        pairs += [(code, placed[around[k]].code, float(distance[k])) for k in beside.tolist() if around[k] != place]
    return pairs


def _distance(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float:
    """Distance of two positions [km] on a sphere, good for short ones."""
    if one is None or other is None:
        return math.inf
    east = (other[0] - one[0]) * math.cos(math.radians((one[1] + other[1]) / 2))
    return 111.2 * math.hypot(east, other[1] - one[1])


def alike(batch: Batch, bounds: NDArray[np.int64], series: NDArray[np.intp]) -> list[tuple[int, int]]:
    """Pairs among some series whose difference hardly changes while they do; on every 25th hour of long series."""
    samples = {}
    for s in series:
        part = slice(bounds[s], bounds[s + 1])
        hour = batch.time[part] // 3600
        pick = hour % 25 == 0
        samples[int(s)] = dict(zip(hour[pick].tolist(), batch.value[part][pick].tolist(), strict=True))
    pairs = []
    for one, other in combinations(sorted(samples), 2):
        both = samples[one].keys() & samples[other].keys()
        if len(both) < 100:
            continue
        a = np.array([samples[one][hour] for hour in both])
        b = np.array([samples[other][hour] for hour in both])
        if np.subtract(*np.percentile(a - b, (75, 25))) < 0.05 < 0.1 * np.subtract(*np.percentile(a, (75, 25))):
            pairs.append((one, other))
    return pairs


@compiled
def parted(difference: float, seen: int, mean: float, spread: float) -> float:
    """How far a difference lies beyond what a tight pair allows [m]; 0 while learning or where the pair is loose."""
    if seen < LEARN or spread > TIGHT:
        return 0.0
    return max(abs(difference - mean) - max(TOLERANCE, 4.0 * spread), 0.0)


@compiled
def acquaint(difference: float, seen: int, mean: float, spread: float) -> tuple[int, float, float]:
    """What a pair is known to be after one more difference: (seen, mean, spread)."""
    if seen == 0:
        return 1, difference, 0.02
    spread *= 1.0294 if abs(difference - mean) > spread else 0.9994  # at rest where 2 % lie beyond
    spread = max(spread, 1e-3)
    return seen + 1, mean + (difference - mean) / min(seen + 1.0, MEMORY), spread


@compiled
def agree(difference: float, mean: float, spread: float) -> bool:
    """Whether a pair agrees well, a quarter of what it is allowed."""
    return abs(difference - mean) <= 0.25 * max(TOLERANCE, 4.0 * spread)


@compiled
def to_blame(here: float, there: float, agreed: float, other: float) -> bool:
    """Whether of two gauges that parted this one is doubted; `agreed`, `other` are their levels when they last met."""
    moved, moved_other = abs(here - agreed), abs(there - other)
    if moved == 0.0 or moved_other == 0.0:
        return moved == 0.0
    return moved > 2.0 * moved_other
