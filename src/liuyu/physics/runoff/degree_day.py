"""Snow by the degree-day method on bands of elevation.

A sub-basin is cut into bands of equal area whose temperatures spread evenly about its mean. In each, precipitation
turns from snow to rain across two degrees; the pack melts by `factor` mm for each degree and day, holds a tenth of
itself as liquid water, and freezes it again at a twentieth of the rate of melt.

[1] Bergström S. (1976) Development and application of a conceptual runoff model for Scandinavian catchments. SMHI
    RHO 7.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee

BANDS = 5
STATE_SIZE = 2 * BANDS  # ice of each band, then liquid water of each [mm]
HELD = 0.1
REFREEZING = 0.05


@compiled_ieee
def degree_day(
    ice: float, liquid: float, water: float, temperature: float, threshold: float, factor: float
) -> tuple[float, float, float, float]:
    """Ice and liquid water of a pack after a step [mm], water that leaves it [mm], snow that fell [mm].

    water: precipitation [mm]; temperature, threshold [°C]; factor: melt [mm/(°C step)].
    """
    snow = water * min(max(0.5 * (threshold + 1.0 - temperature), 0.0), 1.0)
    warmth = factor * (temperature - threshold)
    ice += snow
    liquid += water - snow
    melted = min(warmth, ice) if warmth > 0.0 else -min(-REFREEZING * warmth, liquid)
    ice -= melted
    liquid += melted
    out = max(liquid - HELD * ice, 0.0)
    return ice, liquid - out, out, snow


@compiled_ieee
def snow_bands(
    state: NDArray[np.float64],
    precipitation: float,
    temperature: float,
    threshold: float,
    factor: float,
    spread: float,
    catch: float,
) -> tuple[float, float]:
    """One step of every band in place; water that leaves the snow [mm], water gained by correcting the catch [mm].

    state: (STATE_SIZE,) [mm]; spread: temperature from the highest to the lowest land [°C]; catch: factor by which
    gauges miss snowfall [1].
    """
    out = gain = 0.0
    if temperature - 0.5 * spread >= threshold + 1.0 and state.sum() == 0.0:
        return precipitation, gain
    for band in range(BANDS):
        local = temperature + spread * ((band + 0.5) / BANDS - 0.5)
        share = min(max(0.5 * (threshold + 1.0 - local), 0.0), 1.0)
        extra = precipitation * share * (catch - 1.0)
        ice, liquid, left, _ = degree_day(
            state[band], state[BANDS + band], precipitation + extra, local, threshold, factor
        )
        state[band] = ice
        state[BANDS + band] = liquid
        out += left / BANDS
        gain += extra / BANDS
    return out, gain


@compiled_ieee
def snow_storage(state: NDArray[np.float64]) -> float:
    """Water within the snow, the mean of the bands [mm]."""
    return float(state[:STATE_SIZE].sum() / BANDS)
