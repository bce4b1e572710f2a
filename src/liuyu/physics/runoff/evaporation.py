"""Potential evaporation [mm/d] from temperature alone (Oudin, Hargreaves) or from full weather (Penman-Monteith).

[1] Allen R.G. et al. (1998) Crop evapotranspiration. FAO Irrigation and Drainage Paper 56 (equations by number).
[2] Oudin L. et al. (2005) Which potential evapotranspiration input for a lumped rainfall-runoff model? Part 2.
    J. Hydrol. 303, 290-306.
[3] Hargreaves G.H., Samani Z.A. (1985) Reference crop evapotranspiration from temperature. Appl. Eng. Agric. 1, 96-99.
"""

from __future__ import annotations

import math

from liuyu.physics.compiled import compiled_ieee

LATENT = 2.45  # [MJ/kg] heat to evaporate water


@compiled_ieee
def extraterrestrial_radiation(latitude: float, day: int) -> float:
    """Radiation above the atmosphere [MJ/(m2 d)]; latitude [°], day of the year from 1 ([1] equations 21 to 25)."""
    phi = math.radians(latitude)
    angle = 2.0 * math.pi * day / 365.0
    distance = 1.0 + 0.033 * math.cos(angle)
    declination = 0.409 * math.sin(angle - 1.39)
    sunset = math.acos(min(max(-math.tan(phi) * math.tan(declination), -1.0), 1.0))
    up = sunset * math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.sin(sunset)
    return 24.0 * 60.0 / math.pi * 0.0820 * distance * max(up, 0.0)


@compiled_ieee
def oudin(temperature: float, latitude: float, day: int) -> float:
    """Ra / 2.45 (T + 5) / 100 where T > -5 °C, else nothing [2]."""
    return extraterrestrial_radiation(latitude, day) / LATENT * max(temperature + 5.0, 0.0) / 100.0


@compiled_ieee
def hargreaves(lowest: float, highest: float, latitude: float, day: int) -> float:
    """0.0023 (T + 17.8) sqrt(Tmax - Tmin) Ra / 2.45 from the day's extremes [°C] ([3], [1] equation 52)."""
    middle = 0.5 * (lowest + highest)
    swing = math.sqrt(max(highest - lowest, 0.0))
    return max(0.0023 * (middle + 17.8) * swing * extraterrestrial_radiation(latitude, day) / LATENT, 0.0)


@compiled_ieee
def saturation_pressure(temperature: float) -> float:
    """Saturation vapour pressure [kPa] over water at a temperature [°C] ([1] equation 11)."""
    return 0.6108 * math.exp(17.27 * temperature / (temperature + 237.3))


@compiled_ieee
def penman_monteith(
    lowest: float, highest: float, vapour: float, wind: float, radiation: float, latitude: float, day: int, z: float
) -> float:
    """Reference evaporation of short grass ([1] equation 6, the daily soil heat flux being nothing).

    lowest, highest: the day's temperatures [°C]; vapour: actual vapour pressure [kPa]; wind: at 2 m [m/s]; radiation:
    solar [MJ/(m2 d)]; latitude [°]; day of the year; z: elevation [m].
    """
    middle = 0.5 * (lowest + highest)
    saturated = 0.5 * (saturation_pressure(lowest) + saturation_pressure(highest))
    slope = 4098.0 * saturation_pressure(middle) / (middle + 237.3) ** 2
    gamma = 0.000665 * 101.3 * ((293.0 - 0.0065 * z) / 293.0) ** 5.26
    clear = (0.75 + 2e-5 * z) * extraterrestrial_radiation(latitude, day)
    cloud = 1.35 * min(radiation / clear, 1.0) - 0.35 if clear > 0.0 else 0.3
    emitted = 4.903e-9 * 0.5 * ((lowest + 273.16) ** 4 + (highest + 273.16) ** 4)
    net = 0.77 * radiation - emitted * (0.34 - 0.14 * math.sqrt(vapour)) * cloud
    drying = gamma * 900.0 / (middle + 273.0) * wind * (saturated - vapour)
    return float(max((0.408 * slope * net + drying) / (slope + gamma * (1.0 + 0.34 * wind)), 0.0))
