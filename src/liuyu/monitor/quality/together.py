"""Tests that need a second look than the path: stuck values, and a discharge held against its station's level."""

from __future__ import annotations

import numpy as np

from liuyu.monitor.quality.parameters import BANDS, FLOOR, SHARE
from liuyu.monitor.quality.path import BAD, GOOD, MILD, SUSPECT, Row, pace, stand
from liuyu.monitor.quality.table import QualityTest
from liuyu.physics.compiled import compiled

FLAT, RATING, DERIVED = int(QualityTest.FLAT), int(QualityTest.RATING), int(QualityTest.DERIVED)
STILL_VALUES, STILL_TIME = 6, 6 * 3600
RELEASE, TREND = 1.2, 0.1
ASIDE, MOST, STEEP = 0.01, 0.6, 0.05
BAND = 1.0
JUT, CALM_TIME = 4.0, 12 * 3600
SINGLE, BEYOND, LEAP, LOOK = 2.5, 1.8, 1.5, 12
ENOUGH_PAIRS = 300


@compiled
def freed(time: Row, value: Row, flag: Row, j: int, law: Row, scale: float) -> int:
    """First of the equal values before j that were stuck, or j itself if none were.

    A stuck gauge is known by its release: values equal for six reports and six hours, then a change of more than its
    allowance, in the direction in which the water had been going. Natural stillness ends with a small step.
    """
    k = j - 1
    while k > 0 and value[k - 1] == value[j - 1] and flag[k - 1] == GOOD:
        k -= 1
    if k < 1 or j - k < STILL_VALUES or time[j - 1] - time[k] < STILL_TIME or flag[j - 1] != GOOD:
        return j
    change = value[j] - value[j - 1]
    room = law[FLOOR] + law[SHARE] * min(abs(value[j]), abs(value[j - 1]))
    if abs(change) <= RELEASE * (room + scale * pace(time[j] - time[j - 1])):
        return j
    b = k - 1
    while b > 0 and time[k] - time[b] < STILL_TIME and flag[b] == GOOD:
        b -= 1
    trend = value[k] - value[b]
    near = abs(value[k] - value[k - 1]) <= room + scale
    return k + 1 if near and trend * change > 0.0 and abs(trend) >= TREND * abs(change) else j


@compiled
def juts(time: Row, value: Row, flag: Row, i: int, n: int, law: Row, scale: float) -> bool:
    """Whether one value juts out of a calm run: beyond both its neighbours by four times what moves around it.

    It stands for the spikes that are small beside what the station can do, but not beside what it is doing.
    """
    if i < 3 or i + 2 >= n or time[i + 2] - time[i - 3] > CALM_TIME:
        return False
    for k in range(i - 3, i + 3):
        if flag[k] != GOOD:
            return False
    up, down = value[i] - value[i - 1], value[i] - value[i + 1]
    if up * down <= 0.0:
        return False
    around = max(abs(value[i + 1] - value[i - 1]), abs(value[i - 1] - value[i - 2]), abs(value[i - 2] - value[i - 3]))
    around = max(around, abs(value[i + 2] - value[i + 1]))
    return bool(min(abs(up), abs(down)) > max(3.0 * law[FLOOR], JUT * around, 0.5 * scale))


@compiled
def doubted(flag: int) -> bool:
    """Whether a flag speaks against a value."""
    return flag in (SUSPECT, BAD)


@compiled
def follows(
    time_z: Row, z: Row, flag_z: Row, nz: int, time_q: Row, q: Row, nq: int, start: int, end: int, k: int, share: float
) -> bool:
    """Whether discharge k went where the doubted levels start..end went: beyond those on either side, the same way."""
    before = np.searchsorted(time_q[:nq], time_z[start]) - 1
    after = np.searchsorted(time_q[:nq], time_z[end - 1], "right")
    if before < 0:
        return False
    low = min(q[before], q[after]) if after < nq else q[before]
    high = max(q[before], q[after]) if after < nq else q[before]
    room = (ASIDE if after < nq else share) * max(abs(low), abs(high))
    at = np.searchsorted(time_z[:nz], time_q[k])
    if at >= nz or time_z[at] != time_q[k] or not doubted(flag_z[at]):
        return False
    rise = z[at] - z[max(start - 1, 0)]
    room = max(room, min(STEEP * abs(rise), 0.3) * abs(q[before]))
    return bool((rise > 0.0 and q[k] > high + room) or (rise < 0.0 and q[k] < low - room))


@compiled
def derived(
    time_z: Row,
    z: Row,
    flag_z: Row,
    nz: int,
    time_q: Row,
    q: Row,
    flag_q: Row,
    test_q: Row,
    also_q: Row,
    nq: int,
    first: int,
    share: float,
) -> None:
    """Doubt discharges that were computed from a doubted level, among levels from place `first` on.

    For each run of doubted levels the discharges at the same times are held against those on either side; if most of
    them went where the level went, by more than a hundredth (`share` while the run goes on), they are doubted likewise.
    """
    start = first
    while start < nz:
        end = start
        while end < nz and doubted(flag_z[end]):
            end += 1
        if end > start:
            a, b = np.searchsorted(time_q[:nq], time_z[start]), np.searchsorted(time_q[:nq], time_z[end - 1], "right")
            count = 0
            for k in range(a, b):
                count += follows(time_z, z, flag_z, nz, time_q, q, nq, start, end, k, share)
            for k in range(a, b if count >= MOST * (end - start) else a):
                if follows(time_z, z, flag_z, nz, time_q, q, nq, start, end, k, share):
                    at = np.searchsorted(time_z[:nz], time_q[k])
                    also_q[k] = DERIVED if flag_z[at] == BAD else DERIVED | MILD
                    if flag_q[k] == GOOD:
                        flag_q[k], test_q[k] = stand(also_q[k])
        start = end + 1


@compiled
def band_of(z: float, origin: float) -> int:
    """Band of level that holds z [m], among BANDS bands around the station's first level; -1 outside."""
    band = int(np.floor((z - origin) / BAND)) + BANDS // 2
    return band if 0 <= band < BANDS else -1


@compiled
def off_rating(q: float, before: float, low: float, high: float, pairs: int) -> bool:
    """Whether a discharge left a band's rating at once, the last good one being `before`.

    Judged only in bands that have a rating: many pairs, and not spread too wide. A slow
    departure is backwater, and one that lasts longer than LOOK values is taken for a new rating.
    """
    if pairs < ENOUGH_PAIRS or low <= 0.0 or high > SINGLE * low or not before > 0.0:
        return False
    return (q < low / BEYOND and q < before / LEAP) or (q > high * BEYOND and q > before * LEAP)


@compiled
def last_good(value: Row, flag: Row, j: int) -> float:
    """The last good value among the LOOK before place j, NaN where there is none."""
    for k in range(j - 1, max(j - 1 - LOOK, -1), -1):
        if flag[k] == GOOD:
            return float(value[k])
    return np.nan
