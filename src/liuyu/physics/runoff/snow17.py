"""Snow-17 at a point: accumulation and melt of snow by temperature, with heat deficit and melt by rain.

The seasonal melt factor, the heat deficit that must be filled before water leaves, liquid water held, melt in rain by
radiation, rain's warmth and turbulence, and melt at the ground are Anderson's; the depletion of snow cover over an area
is not in it, for which bands of elevation stand.

[1] Anderson E.A. (2006) Snow accumulation and ablation model: SNOW-17. US National Weather Service.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee

STATE_SIZE = 4  # ice [mm], liquid water [mm], heat deficit [mm of water to be frozen], antecedent temperature [°C]
STEFAN = 6.12e-10  # [mm/(K4 h)] black body radiation in melted snow


@compiled_ieee
def melt_factor(day: int, greatest: float, least: float, hours: float) -> float:
    """Melt by degree in a step [mm/°C], highest on 21 June; greatest, least: [mm/(°C 6 h)]; day of the year."""
    season = 0.5 * math.sin(2.0 * math.pi * (day - 80) / 366.0) + 0.5
    return hours / 6.0 * (season * (greatest - least) + least)


@compiled_ieee
def melt_in_rain(rain: float, temperature: float, wind: float, elevation: float, hours: float) -> float:
    """Melt [mm] in a step with rain [mm] under an overcast, humid sky; wind: UADJ [mm/(hPa 6 h)]; elevation [m]."""
    high = 0.01 * elevation
    pressure = 33.86 * (29.9 - 0.335 * high + 0.00022 * high**2.4)
    vapour = 2.7489e8 * math.exp(-4278.63 / (temperature + 242.792))
    radiated = STEFAN * hours * ((temperature + 273.0) ** 4 - 273.0**4)
    turbulent = 8.5 * wind * hours / 6.0 * (0.9 * vapour - 6.11 + 0.00057 * pressure * temperature)
    return float(max(radiated + 0.0125 * rain * max(temperature, 0.0) + turbulent, 0.0))


@compiled_ieee
def snow17_step(
    state: NDArray[np.float64],
    p: NDArray[np.float64],
    precipitation: float,
    temperature: float,
    day: int,
    elevation: float,
    hours: float,
) -> tuple[float, float]:
    """One step in place; water that leaves the pack or falls on bare ground [mm], water gained by correcting the catch.

    state: (STATE_SIZE,); p: (10,) SCF, MFMAX, MFMIN, UADJ, NMF, TIPM, MBASE, PLWHC, DAYGM [mm/d], PXTEMP;
    precipitation [mm], temperature [°C]; day of the year; elevation [m]; hours: length of the step.
    """
    snow = precipitation * p[0] if temperature <= p[9] else 0.0
    rain = 0.0 if temperature <= p[9] else precipitation
    gain = snow + rain - precipitation
    state[0] += snow
    if state[0] <= 0.0:
        state[:] = 0.0
        return rain, gain
    cold = min(temperature, 0.0)
    factor = melt_factor(day, p[1], p[2], hours)
    deficit = state[2] - cold * snow / 160.0 + p[4] * factor / p[1] * (state[3] - cold)
    inert = 1.0 - (1.0 - p[5]) ** (hours / 6.0)
    index = cold if snow > 1.5 * hours else state[3] + inert * (temperature - state[3])
    state[3] = min(index, 0.0)
    melted = 0.0
    if rain > 0.25 * hours:
        melted = melt_in_rain(rain, temperature, p[3], elevation, hours)
    elif temperature > p[6]:
        melted = factor * (temperature - p[6]) + 0.0125 * rain * max(temperature, 0.0)
    melted = min(melted, state[0])
    state[0] -= melted
    state[2] = min(max(deficit, 0.0), 0.33 * state[0])
    out = _ripen(state, p[7], melted + rain)
    return out + _ground(state, p[8] * hours / 24.0), gain


@compiled_ieee
def _ripen(state: NDArray[np.float64], held: float, water: float) -> float:
    """Melt and rain enter the pack: they freeze until the deficit is filled, then are held, then leave [mm]."""
    ice, liquid, deficit = state[0], state[1], state[2]
    if water < deficit:
        state[0], state[2] = ice + water, deficit - water
        return 0.0
    state[0], state[2] = ice + deficit, 0.0
    liquid += water - deficit
    out = max(liquid - held * state[0], 0.0)
    state[1] = liquid - out
    return float(out)


@compiled_ieee
def _ground(state: NDArray[np.float64], melted: float) -> float:
    """Melt at the ground, which takes its share of the liquid water along [mm]."""
    share = min(melted / state[0], 1.0) if state[0] > 0.0 else 1.0
    out = share * (state[0] + state[1])
    state[0] *= 1.0 - share
    state[1] *= 1.0 - share
    return float(out)


@compiled_ieee
def snow17_storage(state: NDArray[np.float64]) -> float:
    """Water within the pack [mm]."""
    return float(state[0] + state[1])
