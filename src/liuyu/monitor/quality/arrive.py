"""What happens when values arrive: each is put in its place, joined to the path of its series, and judged."""

from __future__ import annotations

import numpy as np

from liuyu.basin.quantities import quantity
from liuyu.monitor.quality.memory import Memory
from liuyu.monitor.quality.neighbours import MEET, MEMORY, acquaint, agree, parted, to_blame
from liuyu.monitor.quality.parameters import (
    BACK,
    BESIDE,
    LONG,
    LOWER,
    PATH,
    PRIOR,
    PRIOR_SHARE,
    PRIOR_WEIGHT,
    RING,
    RING_DROP,
    SHARE,
    STUCK,
    UPPER,
)
from liuyu.monitor.quality.path import (
    BAD,
    GONE,
    GOOD,
    MILD,
    MISSING,
    NONE,
    RANGE,
    SPIKE,
    Row,
    change_bin,
    join,
    newest_kept,
    pace,
    scale_of,
    stand,
    walk,
)
from liuyu.monitor.quality.table import QualityTest
from liuyu.monitor.quality.together import DERIVED, FLAT, RATING, band_of, derived, freed, juts, last_good, off_rating
from liuyu.physics.compiled import compiled

RENEW = 16
FORGET = 30000
YOUNG = 1.5
NEIGHBOUR = int(QualityTest.NEIGHBOUR)
LEVEL, FLOW = quantity("water_level").number, quantity("discharge").number


@compiled
def drop_oldest(m: Memory, s: int) -> None:
    """Let the oldest values of a full series go, learn from the good ones, and take the common cost off the rest."""
    for p in range(RING_DROP):
        if m.flag[s, p] == GOOD:
            settle(m, s, p)
    kept = RING - RING_DROP
    for numbers in (m.cost, m.slope):
        numbers[s, :kept] = numbers[s, RING_DROP:].copy()
    for codes in (m.back, m.flag, m.test, m.told, m.also):
        codes[s, :kept] = codes[s, RING_DROP:].copy()
    m.time[s, :kept] = m.time[s, RING_DROP:].copy()
    m.value[s, :kept] = m.value[s, RING_DROP:].copy()
    m.usable[s, :kept] = m.usable[s, RING_DROP:].copy()
    m.filled[s], m.whole[s] = kept, False
    m.tip[s] = max(m.tip[s] - RING_DROP, -1)
    m.cost[s, :kept] -= m.cost[s, :kept].min()


@compiled
def settle(m: Memory, s: int, p: int) -> None:
    """Let a good value that nothing will revise widen the rating that its station is known to have."""
    v = m.value[s, p]
    z = level_at(m, s, m.time[s, p])
    if np.isnan(z):
        return
    if np.isnan(m.origin[s]):
        m.origin[s] = z
    b = band_of(z, m.origin[s])
    if b >= 0:
        m.low[s, b] = min(m.low[s, b], v) if m.pairs[s, b] > 0 else v
        m.high[s, b] = max(m.high[s, b], v) if m.pairs[s, b] > 0 else v
        m.pairs[s, b] = min(m.pairs[s, b] + 1, 60000)


@compiled
def level_at(m: Memory, s: int, t: float) -> float:
    """The good level of a discharge's station at a time [m], NaN where there is none."""
    z = m.mate[s]
    if m.quantity[s] != FLOW or z < 0:
        return np.nan
    n = m.filled[z]
    k = np.searchsorted(m.time[z, :n], t)
    return m.value[z, k] if k < n and m.time[z, k] == t and m.flag[z, k] == GOOD else np.nan


@compiled
def place_for(m: Memory, s: int, t: float) -> int:
    """Where a time belongs in a series' ring; makes room. -1 where it is older than all that is remembered."""
    if m.filled[s] == RING:
        drop_oldest(m, s)
    n = m.filled[s]
    if n == 0 or t > m.time[s, n - 1]:
        p = int(n)
    elif t < m.time[s, 0] and not m.whole[s]:
        return -1
    else:
        p = int(np.searchsorted(m.time[s, :n], t))
        if m.time[s, p] == t:
            m.also[s, p] = NONE
            return p
    for k in range(n, p, -1):
        m.time[s, k], m.value[s, k], m.usable[s, k] = m.time[s, k - 1], m.value[s, k - 1], m.usable[s, k - 1]
        m.flag[s, k], m.test[s, k], m.told[s, k] = m.flag[s, k - 1], m.test[s, k - 1], m.told[s, k - 1]
        m.also[s, k] = m.also[s, k - 1]
    m.told[s, p], m.also[s, p] = 0, NONE
    m.filled[s] = n + 1
    return p


@compiled
def seasoned(histogram: Row, law: Row) -> float:
    """The scale of a series; until a long record is there, no less than what its first weeks may not have shown."""
    scale = scale_of(histogram, law)
    young = histogram.sum() < LONG and law[STUCK] > 0.0
    return max(scale, YOUNG * law[PRIOR]) if young else scale


@compiled
def learn(m: Memory, s: int, p: int, law: Row) -> None:
    """Let a newest value's change widen or narrow what the series is known to do."""
    if m.learned[s] == 0:
        m.histogram[s, change_bin(law[PRIOR] + law[PRIOR_SHARE] * abs(m.value[s, p]), 1.0)] = np.uint16(
            law[PRIOR_WEIGHT]
        )
        m.scale[s] = seasoned(m.histogram[s], law)
        m.learned[s] = np.int32(law[PRIOR_WEIGHT])
    if p == 0 or not m.usable[s, p - 1]:
        return
    m.histogram[s, change_bin(m.value[s, p] - m.value[s, p - 1], pace(m.time[s, p] - m.time[s, p - 1]))] += np.uint16(1)
    m.learned[s] += 1
    if m.learned[s] % RENEW == 0:
        m.scale[s] = seasoned(m.histogram[s], law)
    if m.learned[s] >= FORGET:
        for b in range(m.histogram.shape[1]):
            m.histogram[s, b] = m.histogram[s, b] // 2
        m.learned[s] = m.histogram[s].sum()


@compiled
def first_judgement(v: float, law: Row) -> tuple[bool, int, int]:
    """Whether the path may use a value, and its flag and test where it may not."""
    if np.isnan(v):
        return False, GONE, MISSING
    if not (law[LOWER] <= v <= law[UPPER]):
        return False, BAD, RANGE
    return True, GOOD, NONE


@compiled
def put(m: Memory, s: int, t: float, v: float, law: Row) -> int:
    """Put a value into its series and judge it by range; returns its place, -1 where it came too late."""
    p = place_for(m, s, t)
    if p < 0:
        return p
    m.time[s, p], m.value[s, p] = t, v
    good, m.flag[s, p], m.test[s, p] = first_judgement(v, law)
    m.usable[s, p] = good and law[PATH] > 0
    if m.usable[s, p] and p == m.filled[s] - 1:
        learn(m, s, p, law)
    return p


@compiled
def follow(m: Memory, s: int, p: int, law: Row) -> bool:
    """Carry the path of a series on from place p; True where it now says something else of earlier values."""
    last, before = m.filled[s] - 1, m.tip[s]
    tip = before if p == last else newest_kept(m.cost[s], m.usable[s], p - 1, BACK)
    for j in range(p, last + 1):
        row = (m.time[s], m.value[s], m.cost[s], m.back[s], m.slope[s], m.usable[s])
        tip = join(*row, j, m.whole[s], tip, law, m.scale[s], BACK)
    m.tip[s] = tip
    if p == last and tip == last and before == last - 1 and m.back[s, last] == 1:
        return False
    judged = (m.time[s], m.value[s], m.flag[s], m.test[s], m.also[s], m.back[s], m.usable[s])
    walk(*judged, tip, m.filled[s], law, m.scale[s])
    return True


@compiled
def arrive(m: Memory, slot: Row, time: Row, value: Row, laws: Row, place: Row, touched: Row, walked: Row) -> None:
    """Take values in, in order. Writes `place` (n,): where each lies, -1 too old; marks `touched`, `walked` series."""
    for n in range(len(slot)):
        s, law = slot[n], laws[m.quantity[slot[n]]]
        if m.filled[s] == 0:
            m.whole[s], m.tip[s], m.origin[s] = True, -1, np.nan
        p = put(m, s, time[n], value[n], law)
        place[n] = p
        if p < 0:
            continue
        touched[s] = True
        if law[PATH] == 0.0:
            continue
        if follow(m, s, p, law):
            walked[s] = True
        for j in range(max(p - 2, 1), p + 1 if law[STUCK] > 0.0 else 0):
            if m.flag[s, j] == GOOD and m.value[s, j] != m.value[s, j - 1]:
                for k in range(freed(m.time[s], m.value[s], m.flag[s], j, law, m.scale[s]), j):
                    m.also[s, k] = FLAT
                    m.flag[s, k], m.test[s, k] = stand(FLAT)
        if law[STUCK] > 0.0 and juts(m.time[s], m.value[s], m.flag[s], p - 2, m.filled[s], law, m.scale[s]):
            m.also[s, p - 2] = SPIKE
            m.flag[s, p - 2], m.test[s, p - 2] = stand(SPIKE)
        if m.quantity[s] == FLOW and m.mate[s] >= 0 and m.flag[s, p] == GOOD:
            z = level_at(m, s, time[n])
            b = band_of(z, m.origin[s]) if not (np.isnan(z) or np.isnan(m.origin[s])) else -1
            if b >= 0 and off_rating(
                value[n], last_good(m.value[s], m.flag[s], p), m.low[s, b], m.high[s, b], m.pairs[s, b]
            ):
                m.also[s, p] = RATING
                m.flag[s, p], m.test[s, p] = stand(RATING)


@compiled
def locate(m: Memory, slot: Row, time: Row, place: Row) -> None:
    """Bring `place` up to date: values that came after may have moved those that came before."""
    for n in range(len(slot)):
        if place[n] >= 0:
            filled = m.filled[slot[n]]
            p = np.searchsorted(m.time[slot[n], :filled], time[n])
            place[n] = p if p < filled and m.time[slot[n], p] == time[n] else -1


@compiled
def look_beside(m: Memory, slot: Row, place: Row, touched: Row, walked: Row, laws: Row) -> None:
    """When all values of a step are in: hold levels against gauges beside them, discharges against their levels."""
    for n in range(len(slot)):
        s = slot[n]
        if place[n] >= 0 and m.quantity[s] == LEVEL and m.beside[s, 0] >= 0 and m.flag[s, place[n]] == GOOD:
            hold_against(m, s, place[n])
    for s in range(len(walked)):
        if walked[s] and m.quantity[s] == LEVEL and m.mate[s] >= 0:
            q = m.mate[s]
            for k in range(m.filled[q]):
                if m.also[q, k] & (MILD - 1) == DERIVED:
                    m.also[q, k] = NONE
                    if m.test[q, k] == DERIVED:
                        m.flag[q, k], m.test[q, k] = GOOD, NONE
            derived(
                m.time[s], m.value[s], m.flag[s], m.filled[s],
                m.time[q], m.value[q], m.flag[q], m.test[q], m.also[q], m.filled[q], 0, laws[FLOW, SHARE],
            )  # fmt: skip
            touched[q] = True


@compiled
def hold_against(m: Memory, s: int, p: int) -> None:
    """Hold a level against the gauges beside it, and learn how far they run apart."""
    for k in range(BESIDE):
        b = m.beside[s, k]
        if b < 0 or m.filled[b] == 0:
            continue
        q = min(np.searchsorted(m.time[b, : m.filled[b]], m.time[s, p]), m.filled[b] - 1)
        if q > 0 and m.time[s, p] - m.time[b, q - 1] < abs(m.time[b, q] - m.time[s, p]):
            q -= 1
        if abs(m.time[b, q] - m.time[s, p]) > MEET // 2 or m.flag[b, q] != GOOD:
            continue
        difference = m.value[s, p] - m.value[b, q]
        if parted(difference, m.seen[s, k], m.mean[s, k], m.spread[s, k]) > 0.0:
            if to_blame(m.value[s, p], m.value[b, q], m.agreed[s, k], m.other[s, k]):
                m.also[s, p] = NEIGHBOUR | MILD
                m.flag[s, p], m.test[s, p] = stand(NEIGHBOUR | MILD)
            m.mean[s, k] += (difference - m.mean[s, k]) / MEMORY
        else:
            m.seen[s, k], m.mean[s, k], m.spread[s, k] = acquaint(
                difference, m.seen[s, k], m.mean[s, k], m.spread[s, k]
            )
            if agree(difference, m.mean[s, k], m.spread[s, k]):
                m.agreed[s, k], m.other[s, k] = m.value[s, p], m.value[b, q]
