"""Quality control of whole series at once, with both sides of every value in view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.quality.arrive import first_judgement
from liuyu.monitor.quality.neighbours import MEET, MEMORY, acquaint, agree, alike, beside, parted, to_blame
from liuyu.monitor.quality.parameters import (
    BANDS,
    BINS,
    LONG,
    LOW_SHARE,
    PATH,
    PRIOR,
    PRIOR_SHARE,
    PRIOR_WEIGHT,
    SHARE,
    SPAN,
    STUCK,
    law_table,
)
from liuyu.monitor.quality.path import BAD, GOOD, MILD, SPIKE, Row, change_bin, join, pace, scale_of, stand, walk
from liuyu.monitor.quality.table import QualityTest
from liuyu.monitor.quality.together import (
    FLAT,
    RATING,
    STILL_VALUES,
    band_of,
    derived,
    freed,
    juts,
    last_good,
    off_rating,
)
from liuyu.physics.compiled import compiled

NEIGHBOUR, CLIMATOLOGY = int(QualityTest.NEIGHBOUR), int(QualityTest.CLIMATOLOGY)


def judge(batch: Batch, basin: Basin | None = None) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Flags and deciding tests (n,) of a batch that is ordered by station, quantity and time."""
    n = len(batch)
    flag, test, also = np.ones(n, np.uint8), np.zeros(n, np.uint8), np.zeros(n, np.uint8)
    if n == 0:
        return flag, test
    edge = np.flatnonzero(np.diff(batch.station) | np.diff(batch.quantity)) + 1
    bounds = np.concatenate([[0], edge, [n]])
    number, station = batch.quantity[bounds[:-1]], batch.station[bounds[:-1]]
    scale = np.zeros(len(number))
    floor = _lowest(batch, bounds, number)
    laws = law_table()
    whole_path(bounds, number, batch.time, batch.value, floor, laws, flag, test, also, scale)
    level, flow = quantity("water_level").number, quantity("discharge").number
    place = {(int(s), int(q)): i for i, (s, q) in enumerate(zip(station, number, strict=True))}
    for (s, q), i in place.items():
        k = place.get((s, flow))
        if q == level and k is not None:
            _discharge(batch, bounds, i, k, flag, test, also, float(laws[flow, SHARE]))
    for one, other in _pairs(batch, bounds, number, place, level, basin):
        for this, that in ((one, other), (other, one)):
            a, b = slice(bounds[this], bounds[this + 1]), slice(bounds[that], bounds[that + 1])
            compare(batch.time[a], batch.value[a], flag[a], test[a], batch.time[b], batch.value[b], flag[b])
    return flag, test


def _lowest(batch: Batch, bounds: NDArray[np.int64], number: NDArray[np.int16]) -> NDArray[np.float64]:
    """(s,) the least credible value of each series: a tenth of the lowest 0.5 % of a long record of discharge."""
    least = np.full(len(number), -np.inf)
    flow = quantity("discharge").number
    for s in np.flatnonzero(number == flow):
        value = batch.value[bounds[s] : bounds[s + 1]]
        if len(value) >= LONG:
            low = float(np.partition(value, int(0.005 * len(value)))[int(0.005 * len(value))])
            least[s] = LOW_SHARE * low if low > 0 else -np.inf
    return least


def _pairs(
    batch: Batch,
    bounds: NDArray[np.int64],
    number: NDArray[np.int16],
    place: dict[tuple[int, int], int],
    level: int,
    basin: Basin | None,
) -> list[tuple[int, int]]:
    """Places of level series that lie beside one another, each pair once."""
    if basin is None:
        long = np.flatnonzero((number == level) & (np.diff(bounds) >= LONG))
        return alike(batch, bounds, long)
    found = set()
    for code, near in beside(basin).items():
        for other in near:
            ends = [place.get((batch.roster.number.get(each, -1), level)) for each in (code, other)]
            if ends[0] is not None and ends[1] is not None:
                found.add((min(ends), max(ends)))  # type: ignore[type-var]
    return sorted(found)  # type: ignore[arg-type]


@compiled
def learned_scale(time: Row, value: Row, usable: Row, law: Row) -> float:
    """How far a series moves per pace [unit]: what the live stage would have learned by the end."""
    histogram = np.zeros(BINS, np.int64)
    first = True
    for j in range(len(value)):
        if not usable[j]:
            continue
        if first:
            histogram[change_bin(law[PRIOR] + law[PRIOR_SHARE] * abs(value[j]), 1.0)] = int(law[PRIOR_WEIGHT])
            first = False
        if j > 0 and usable[j - 1]:
            histogram[change_bin(value[j] - value[j - 1], pace(time[j] - time[j - 1]))] += 1
    return scale_of(histogram, law)


@compiled
def whole_path(
    bounds: Row, number: Row, time: Row, value: Row, least: Row, laws: Row, flag: Row, test: Row, also: Row, scales: Row
) -> None:
    """Judge each series between consecutive bounds by its cheapest path, and look for stuck values."""
    for s in range(len(bounds) - 1):
        a, b = bounds[s], bounds[s + 1]
        law = laws[number[s]]
        t, v, n = time[a:b], value[a:b], b - a
        usable = np.empty(n, np.bool_)
        for j in range(n):
            usable[j], flag[a + j], test[a + j] = first_judgement(v[j], law)
            if usable[j] and v[j] < least[s]:
                usable[j], flag[a + j], test[a + j] = False, BAD, CLIMATOLOGY
        if law[PATH] == 0.0:
            continue
        scale = learned_scale(t, v, usable, law)
        scales[s] = scale
        cost, slope, back = np.zeros(n), np.zeros(n), np.zeros(n, np.int64)
        tip = -1
        for j in range(n):
            tip = join(t, v, cost, back, slope, usable, j, True, tip, law, scale, int(law[SPAN]))
        walk(t, v, flag[a:b], test[a:b], also[a:b], back, usable, tip, n, law, scale)
        for j in range(STILL_VALUES, n if law[STUCK] else 0):
            if v[j] != v[j - 1] and v[j - 1] == v[j - STILL_VALUES] and flag[a + j] == GOOD:
                for k in range(freed(t, v, flag[a:b], j, law, scale), j):
                    flag[a + k], test[a + k] = BAD, FLAT
        for j in range(n if law[STUCK] else 0):
            if juts(t, v, flag[a:b], j, n, law, scale):
                flag[a + j], test[a + j] = BAD, SPIKE


def _discharge(
    batch: Batch,
    bounds: NDArray[np.int64],
    level: int,
    flow: int,
    flag: NDArray[np.uint8],
    test: NDArray[np.uint8],
    also: NDArray[np.uint8],
    share: float,
) -> None:
    """Hold a station's discharge against its level: what a doubted level gave, and what lies off the rating."""
    z, q = slice(bounds[level], bounds[level + 1]), slice(bounds[flow], bounds[flow + 1])
    time_z, time_q = batch.time[z], batch.time[q]
    level_row = (time_z, batch.value[z], flag[z], len(time_z))
    derived(*level_row, time_q, batch.value[q], flag[q], test[q], also[q], len(time_q), 0, share)
    origin = batch.value[z][0]
    off = rated(time_z, batch.value[z], flag[z], time_q, batch.value[q], flag[q], origin)
    wrong = np.flatnonzero(off) + bounds[flow]
    flag[wrong], test[wrong] = BAD, RATING


@compiled
def rated(time_z: Row, z: Row, flag_z: Row, time_q: Row, q: Row, flag_q: Row, origin: float) -> Row:
    """(n,) which discharges lie off the station's rating, learned as the middle 98 % of discharges by band of level."""
    band = np.full(len(q), -1)
    k = 0
    for j in range(len(q)):
        while k < len(z) and time_z[k] < time_q[j]:
            k += 1
        if k < len(z) and time_z[k] == time_q[j] and flag_z[k] == GOOD and flag_q[j] == GOOD:
            band[j] = band_of(z[k], origin)
    low, high, pairs = np.zeros(BANDS), np.zeros(BANDS), np.zeros(BANDS, np.int64)
    for b in range(BANDS):
        ordered = np.sort(q[band == b])
        pairs[b] = len(ordered)
        if pairs[b] > 0:
            low[b], high[b] = ordered[pairs[b] // 100], ordered[pairs[b] - 1 - pairs[b] // 100]
    off, good = np.zeros(len(q), np.bool_), flag_q.copy()
    for j in range(len(q)):
        b = band[j]
        off[j] = b >= 0 and off_rating(q[j], last_good(q, good, j), low[b], high[b], pairs[b])
        good[j] = BAD if off[j] else good[j]
    return off


@compiled
def compare(time_a: Row, a: Row, flag_a: Row, test_a: Row, time_b: Row, b: Row, flag_b: Row) -> None:
    """Walk along a gauge beside another of the same water, and doubt it where it leaves the other."""
    seen, mean, spread, k = 0, 0.0, 0.0, 0
    agreed, other = np.nan, np.nan
    for j in range(len(a)):
        while k + 1 < len(b) and abs(time_b[k + 1] - time_a[j]) <= abs(time_b[k] - time_a[j]):
            k += 1
        if abs(time_b[k] - time_a[j]) > MEET // 2 or flag_a[j] != GOOD or flag_b[k] != GOOD:
            continue
        difference = a[j] - b[k]
        if parted(difference, seen, mean, spread) > 0.0:
            if to_blame(a[j], b[k], agreed, other):
                flag_a[j], test_a[j] = stand(NEIGHBOUR | MILD)
            mean += (difference - mean) / MEMORY
        else:
            seen, mean, spread = acquaint(difference, seen, mean, spread)
            if agree(difference, mean, spread):
                agreed, other = a[j], b[k]
