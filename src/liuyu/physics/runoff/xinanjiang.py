"""Xinanjiang 新安江, three sources: the humid basins' model, runoff where the soil's tension water is full.

Evaporation in three layers [1]; runoff of saturation excess under a parabolic curve of tension water capacity; free
water under a second curve, which sheds surface runoff, interflow and groundwater; a linear reservoir for each; a
triangular unit hydrograph for the channels of a lumped sub-basin. The net rain of a step passes the free water store in
portions of at most 5 mm [2].

Where the reference programs let water go, this one keeps it: free water that no longer fits when the runoff area
shrinks is surface runoff, and an impervious share takes part in the balance, so that every step closes.

[1] 赵人俊 Zhao R.J. (1984) 流域水文模拟：新安江模型与陕北模型. 水利电力出版社.
[2] Zhao R.J. (1992) The Xinanjiang model applied in China. J. Hydrol. 135, 371-381.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee
from liuyu.physics.runoff.delay import delay, triangle

LONGEST = 96  # [steps] greatest base of the unit hydrograph
QUEUE = 8  # WU, WL, WD, S, FR, three reservoirs, then the queue
STATE_SIZE = QUEUE + LONGEST
COUNT, SHARES = 14, 15  # places in a prepared row behind the fourteen parameters
PREPARED_SIZE = SHARES + LONGEST
PORTION = 5.0  # [mm]


@compiled_ieee
def three_layers(
    upper: float, lower: float, deep: float, water: float, pet: float, lower_capacity: float, c: float
) -> tuple[float, float, float]:
    """Evaporation from the upper, lower and deep layers [mm], for tension water [mm] at the start of the step [1]."""
    if water + upper >= pet:
        return pet, 0.0, 0.0
    first = water + upper
    wanted = pet - first
    if lower >= c * lower_capacity:
        return first, wanted * lower / lower_capacity, 0.0
    if lower >= c * wanted:
        return first, c * wanted, 0.0
    return first, lower, min(c * wanted - lower, deep)


@compiled_ieee
def saturation_excess(tension: float, capacity: float, b: float, impervious: float, net: float) -> float:
    """Runoff [mm] of net rain [mm] on tension water [mm], that of the impervious share [1] included [1]."""
    if net <= 0.0:
        return 0.0
    greatest = (1.0 + b) / (1.0 - impervious) * capacity
    level = greatest * (1.0 - max(1.0 - tension / capacity, 0.0) ** (1.0 / (1.0 + b)))
    if level + net >= greatest:
        return max(net - (capacity - tension), 0.0)
    left = capacity * (1.0 - (level + net) / greatest) ** (1.0 + b)
    return float(max(net + tension - capacity + left, 0.0))


@compiled_ieee
def three_layers_after(
    upper: float, lower: float, deep: float, gained: float, upper_capacity: float, lower_capacity: float
) -> tuple[float, float, float]:
    """Tension water after the upper layer gained [mm]: what a layer cannot hold goes down into the next."""
    upper += gained
    over = max(upper - upper_capacity, 0.0)
    lower += over
    further = max(lower - lower_capacity, 0.0)
    return upper - over, lower - further, deep + further


@compiled_ieee
def three_sources(
    free: float, area: float, net: float, runoff: float, sm: float, ex: float, ki: float, kg: float
) -> tuple[float, float, float, float, float, float]:
    """Free water S [mm over the runoff area] and that area FR [1] after a step; RS, RI, RG, and what was spilled [mm].

    free, area: S and FR before; net, runoff: net rain and the pervious land's runoff [mm]; sm, ex: mean capacity of
    free water [mm] and the exponent of its curve; ki, kg: outflow a step to interflow and groundwater [1]. Spilled is
    free water above the capacity of the new area, which the reference programs drop.
    """
    if net <= 0.0 or runoff <= 0.0:
        return free * (1.0 - ki - kg), area, 0.0, ki * free * area, kg * free * area, 0.0
    now = runoff / net
    s = free * area / now
    parts = int(net / PORTION) + 1
    portion = net / parts
    kept = (1.0 - ki - kg) ** (1.0 / parts)
    kid = (1.0 - kept) / (1.0 + kg / ki)
    kgd = kid * kg / ki
    greatest = sm * (1.0 + ex) * (1.0 - max(1.0 - now, 0.0) ** (1.0 / ex))
    mean = greatest / (1.0 + ex)
    spilled = max(s - mean, 0.0) * now
    s = min(s, mean)
    rs = ri = rg = 0.0
    for _ in range(parts):
        level = greatest * (1.0 - max(1.0 - s / mean, 0.0) ** (1.0 / (1.0 + ex)))
        surface = s + portion - mean
        if level + portion < greatest:
            surface += mean * (1.0 - (level + portion) / greatest) ** (1.0 + ex)
        surface = max(surface, 0.0)
        left = s + portion - surface
        rs += surface * now
        ri += left * kid * now
        rg += left * kgd * now
        s = left * (1.0 - kid - kgd)
    return s, now, rs, ri, rg, spilled


@compiled_ieee
def xinanjiang_prepare(parameters: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """From the fourteen parameters what a step reads, into `prepared` (PREPARED_SIZE,).

    WM [mm], share of the upper layer in WM, share of the lower layer in the rest, C, B, IM, SM [mm], EX, KI + KG, share
    of KI in it, CI, CG, CS, base of the unit hydrograph [d].
    """
    prepared[:] = 0.0
    prepared[:14] = parameters[:14]
    prepared[1] = parameters[0] * parameters[1]
    prepared[2] = (parameters[0] - prepared[1]) * parameters[2]
    prepared[8] = parameters[8] * parameters[9]
    prepared[9] = parameters[8] - prepared[8]
    prepared[COUNT] = triangle(parameters[13], prepared[SHARES:])


@compiled_ieee
def xinanjiang_step(
    state: NDArray[np.float64], prepared: NDArray[np.float64], water: float, pet: float
) -> tuple[float, float, float]:
    """One step in place; runoff, actual evaporation, water gained (none) [mm].

    state: (STATE_SIZE,) tension water of three layers [mm], free water S [mm over FR], FR [1], water in the surface,
    interflow and groundwater reservoirs [mm], queue [mm].
    """
    wm, wum, wlm, c, b, im = prepared[0], prepared[1], prepared[2], prepared[3], prepared[4], prepared[5]
    eu, el, ed = three_layers(state[0], state[1], state[2], water, pet, wlm, c)
    evaporated = eu + el + ed
    net = max(water - evaporated, 0.0)
    tension = min(state[0] + state[1] + state[2], wm)
    runoff = saturation_excess(tension, wm, b, im, net)
    direct = min(im * net, runoff)
    state[0], state[1], state[2] = three_layers_after(
        state[0], state[1] - el, state[2] - ed, water - eu - runoff, wum, wlm
    )
    state[3], state[4], rs, ri, rg, spilled = three_sources(
        state[3], state[4], net, runoff - direct, prepared[6], prepared[7], prepared[8], prepared[9]
    )
    out = 0.0
    for place, source in ((5, rs + spilled + direct), (6, ri), (7, rg)):
        held = state[place] + source
        kept = prepared[12] if place == 5 else prepared[10] if place == 6 else prepared[11]
        state[place] = kept * held
        out += held - state[place]
    return delay(state[QUEUE:], prepared[SHARES:], int(prepared[COUNT]), out), evaporated, 0.0


@compiled_ieee
def xinanjiang_storage(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> float:
    """Water within [mm]."""
    total = state[0] + state[1] + state[2] + state[3] * state[4] + state[5] + state[6] + state[7]
    for place in range(int(prepared[COUNT])):
        total += state[QUEUE + place]
    return float(total)


@compiled_ieee
def xinanjiang_start(state: NDArray[np.float64], prepared: NDArray[np.float64]) -> None:
    """Every layer of tension water at half its capacity, everything else empty."""
    state[:] = 0.0
    state[0] = 0.5 * prepared[1]
    state[1] = 0.5 * prepared[2]
    state[2] = 0.5 * (prepared[0] - prepared[1] - prepared[2])
