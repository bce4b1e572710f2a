"""The most credible path through a series: which values belong together, and which left and came back.

Each value is kept or dropped so that the whole costs least. Keeping value j after value i costs

    rho(i, j) = clip(|v_j - v_i - lead| / (floor + share |v| + scale dt^0.75) - 1, 0, 40)

where `lead` is the part of the change that the motion before i foretold (over a gap, dt^0.375 stands for dt^0.75).
Dropping n values that left and came back costs 2 + hold log2 n + 0.03 (n - 1). Dropping the newest n, or n values after
which the series is somewhere else, costs more (2, 6, 12, 20, ...), since what moved and stays moved is real. The
least-cost path is found by dynamic programming over the last values, 32 live and up to 120 in hindsight, one value at a
time, so that the live stage and the hindsight run are the same computation. It is the robust-path reading of what
QARTOD's spike and rate-of-change tests ask of single differences (IOOS, Manual for Real-Time Quality Control of Water
Level Data, 2.0).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.flags import Flag
from liuyu.monitor.quality.parameters import BINS, FLOOR, HOLD, LONG, SHARE, STRETCH, STUCK, SURGE
from liuyu.monitor.quality.table import QualityTest
from liuyu.physics.compiled import compiled

Row = NDArray[Any]
"""Values of one series, or one number for each series, of the type that the memory gives them."""

DOUBT_CAP = 40.0
LEAD = 4.0
ASTRAY = 1.0
SPIKE_LENGTH = 3
ONSET = 6
LEAN = 0.3
MOVED = 1.2
ENOUGH = 1.5
SWELL = 0.1
SHARP = 1.5
COMMON, RARE = 0.95, 0.98
GOOD, SUSPECT, BAD, GONE = int(Flag.GOOD), int(Flag.SUSPECT), int(Flag.BAD), int(Flag.MISSING)
NONE, MISSING, RANGE = int(QualityTest.NONE), int(QualityTest.MISSING), int(QualityTest.RANGE)
RATE, SPIKE, STEP = int(QualityTest.RATE), int(QualityTest.SPIKE), int(QualityTest.STEP)
MILD = 128


@compiled
def pace(dt: float) -> float:
    """Time step [s] as hours to the power 0.75, not below one hour: how changes grow with the step."""
    hours = max(dt, 3600.0) / 3600.0
    return float(np.sqrt(hours * np.sqrt(hours)))


@compiled
def gap_cost(n: int, hold: float) -> float:
    """Cost of dropping n values that lie between two kept ones."""
    return 0.0 if n == 0 else 2.0 + hold * np.log2(n) + 0.03 * (n - 1)


@compiled
def tail_cost(n: int) -> float:
    """Cost of doubting the newest n values."""
    if n <= 2:
        return n * (n + 1.0)
    return 8.0 * n - 12.0


@compiled
def link_cost(dv: float, reach: float, slope: float, room: float, scale: float, surge: float) -> float:
    """rho: how far a change dv over `reach` (a pace) lies outside what slope and scale allow, in allowances, capped."""
    most = max(LEAD * scale, surge)
    lead = max(-most, min(most, slope)) * reach
    beyond = max(dv - max(lead, 0.0), min(lead, 0.0) - dv, 0.0)
    return min(max(beyond / (room + scale * reach) - 1.0, 0.0), DOUBT_CAP)


@compiled
def join(
    time: Row,
    value: Row,
    cost: Row,
    back: Row,
    slope: Row,
    usable: Row,
    j: int,
    whole: bool,
    tip: int,
    law: Row,
    scale: float,
    memory: int,
) -> int:
    """Give value j its cheapest predecessor; returns the new tip: the newest kept value's place, -1 for none.

    `whole` says that place 0 is the series' first value, `memory` how many values back a predecessor may lie.
    back[j] is the distance to the predecessor, 0 for none.
    """
    if not usable[j]:
        return tip
    best, best_back, best_slope, dropped, i = np.inf, 0, 0.0, 0, j - 1
    while i >= 0 and j - i <= memory:
        if usable[i]:
            dv = value[j] - value[i]
            step = pace(time[j] - time[i])
            room = law[FLOOR] + law[SHARE] * min(abs(value[i]), abs(value[j]))
            reach = step if dropped == 0 else np.sqrt(step)
            link = link_cost(dv, reach, slope[i], room, scale, law[SURGE])
            total = cost[i] + link + (gap_cost(dropped, law[HOLD]) if link < ASTRAY else tail_cost(dropped))
            if total < best:
                best, best_back, best_slope = total, j - i, dv / step
            if i == tip and dropped == 0 and link == 0.0:
                break
            dropped += 1
        i -= 1
    if i < 0 and whole and gap_cost(dropped, law[HOLD]) < best:
        best, best_back, best_slope = gap_cost(dropped, law[HOLD]), 0, 0.0
    if best == np.inf:
        best, best_back = 0.0, 0
    cost[j], back[j], slope[j] = best, best_back, best_slope
    if tip >= 0 and j - best_back == tip and cost[j] == cost[tip]:
        return j
    return newest_kept(cost, usable, j, memory)


@compiled
def newest_kept(cost: Row, usable: Row, last: int, memory: int) -> int:
    """Place of the value at which the cheapest path ends."""
    best, tip, dropped, i = np.inf, -1, 0, last
    while i >= 0 and last - i <= memory:
        if usable[i]:
            total = cost[i] + tail_cost(dropped)
            if total < best:
                best, tip = total, i
            dropped += 1
        i -= 1
    return tip


@compiled
def stand(also: int) -> tuple[int, int]:
    """Flag and test of a value that the path keeps: what other tests found. With the bit MILD it is SUSPECT only."""
    if also == NONE:
        return GOOD, NONE
    return (SUSPECT if also & MILD else BAD), also & (MILD - 1)


@compiled
def off_line(time: Row, value: Row, a: int, k: int, b: int) -> float:
    """How far value k lies off the straight line from value a to value b."""
    part = (time[k] - time[a]) / max(time[b] - time[a], 1)
    return float(value[k] - value[a] - part * (value[b] - value[a]))


@compiled
def walk(
    time: Row,
    value: Row,
    flag: Row,
    test: Row,
    also: Row,
    back: Row,
    usable: Row,
    tip: int,
    count: int,
    law: Row,
    scale: float,
) -> None:
    """Write what the path says into flag and test of the values that it judges.

    Kept values are GOOD; values after the tip are SUSPECT; values that left and came back are BAD.
    """
    for i in range(tip + 1, count):
        if usable[i]:
            flag[i], test[i] = SUSPECT, RATE
    i = tip
    while i >= 0:
        flag[i], test[i] = stand(also[i])
        before = i - back[i] if back[i] > 0 else -1
        if i - before > 1 and (before >= 0 or back[i] == 0):
            before = condemn(time, value, flag, test, also, back, usable, before, i, law, scale)
        i = before


@compiled
def departure(time: Row, value: Row, usable: Row, before: int, after: int) -> float:
    """The farthest that values between two kept ones lie off the line between them, with its sign."""
    worst = 0.0
    for k in range(before + 1, after):
        if usable[k]:
            off = off_line(time, value, before, k, after)
            worst = off if abs(off) > abs(worst) else worst
    return worst


@compiled
def onset(time: Row, value: Row, back: Row, before: int, after: int, near: float, worst: float) -> int:
    """The kept value before a departure began, where what led up to it had still passed as motion."""
    next_off = off_line(time, value, before, before + 1, after)
    for _ in range(ONSET):
        earlier = before - 1
        if back[before] != 1 or earlier < 0 or abs(value[after] - value[earlier]) > abs(worst):
            break
        off = off_line(time, value, earlier, before, after)
        if abs(off) <= near or off * worst < 0.0 or abs(off) < SWELL * abs(next_off):
            break
        before, next_off = earlier, off
    return before


@compiled
def sharp(time: Row, value: Row, usable: Row, before: int, after: int, law: Row, scale: float) -> bool:
    """Whether a departure has a change in it that is well above its allowance."""
    last = before
    for k in range(before + 1, after + 1):
        if usable[k]:
            room = law[FLOOR] + law[SHARE] * min(abs(value[last]), abs(value[k]))
            if abs(value[k] - value[last]) > SHARP * (room + scale * pace(time[k] - time[last])):
                return True
            last = k
    return False


@compiled
def condemn(
    time: Row,
    value: Row,
    flag: Row,
    test: Row,
    also: Row,
    back: Row,
    usable: Row,
    before: int,
    after: int,
    law: Row,
    scale: float,
) -> int:
    """Judge what lies between two kept values of the path; returns the kept value at which the path goes on.

    A value near the line from the last good one to the end is good. A run between two good values is BAD if it strays
    far enough, farther than its ends lie apart (else the series moved on), and changes sharply somewhere.
    """
    near = law[FLOOR] + law[SHARE] * abs(value[after]) + LEAN * scale
    enough = ENOUGH * (law[FLOOR] + law[SHARE] * abs(value[after]) + scale)
    if before >= 0:
        before = onset(time, value, back, before, after, near, departure(time, value, usable, before, after))
    anchor, far = before, 0.0
    for k in range(max(before + 1, 0), after + 1):
        if not usable[k]:
            continue
        off = off_line(time, value, anchor, k, after) if anchor >= 0 else np.inf
        if k < after and abs(off) > near:
            far = max(far, abs(off))
            continue
        if k - anchor > 1:
            bad = far > enough
            if anchor >= 0 and bad:
                bad = far > MOVED * abs(value[k] - value[anchor]) and sharp(time, value, usable, anchor, k, law, scale)
            name_run(flag, test, also, usable, anchor + 1, k, bad)
        flag[k], test[k] = stand(also[k])
        anchor, far = k, 0.0
    return before


@compiled
def name_run(flag: Row, test: Row, also: Row, usable: Row, start: int, end: int, bad: bool) -> None:
    """Mark a run between two good values as BAD, a spike if it is short, or as GOOD if it strayed too little."""
    count = 0
    for k in range(start, end):
        count += usable[k]
    for k in range(start, end):
        if usable[k] and bad:
            flag[k], test[k] = BAD, (SPIKE if count <= SPIKE_LENGTH else STEP)
        elif usable[k]:
            flag[k], test[k] = stand(also[k])


@compiled
def change_bin(dv: float, step: float) -> int:
    """Bin of a change per pace in the histogram."""
    x = abs(dv) / step
    if x < 1e-3:
        return 0
    return min(int(2.0 * np.log2(x * 1e3)) + 1, BINS - 1)


@compiled
def quantile_of(histogram: Row, share: float) -> float:
    """The quantile of a histogram of changes [unit per pace], interpolated within its bin."""
    total = 0
    for b in range(BINS):
        total += histogram[b]
    want, below = share * total, 0.0
    for b in range(BINS):
        if below + histogram[b] >= want and histogram[b] > 0:
            if b == 0:
                return 1e-3
            return float(1e-3 * 2.0 ** (0.5 * (b - 1.0 + (want - below) / histogram[b])))
        below += histogram[b]
    return 1e-3


@compiled
def scale_of(histogram: Row, law: Row) -> float:
    """How far a series moves per pace [unit] without being doubted: its common changes stretched, or its rare ones."""
    common = float(law[STRETCH] * quantile_of(histogram, COMMON))
    if histogram.sum() < LONG or law[STUCK] == 0.0:
        return common
    return max(common, min(2.0 * common, quantile_of(histogram, RARE)))
