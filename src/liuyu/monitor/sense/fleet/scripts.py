"""What simulated stations have to say: an archive, or a synthetic basin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import numpy as np

from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch

FIRST = 60_000_000
Script = Mapping[str, Iterable["Report"]]


class Report(NamedTuple):
    """What a station observed at a time [s UTC]: values by their identifier in the frame."""

    station: str
    observed: int
    values: tuple[tuple[str, float], ...]


def from_batch(batch: Batch) -> dict[str, list[Report]]:
    """The reports of an archive by address of station, each in order of time. Quantities that no element has are left.

    The address is 00 and the eight digits of the code; stations of other codes are left too.
    """
    names = {number: quantity(number).sl651 for number in np.unique(batch.quantity).tolist()}
    found: dict[str, dict[int, list[tuple[str, float]]]] = {}
    columns = (batch.station, batch.quantity, batch.time, batch.value)
    for place, number, time, value in zip(*(each.tolist() for each in columns), strict=True):
        code, name = batch.roster.codes[place], names[number]
        if name and len(code) == 8 and code.isdigit() and math.isfinite(value):
            found.setdefault(f"00{code}", {}).setdefault(time, []).append((name, value))
    return {
        address: [Report(address, time, tuple(values)) for time, values in sorted(by_time.items())]
        for address, by_time in sorted(found.items())
    }


def synthetic(stations: int, reports: int, start: int, step: int, seed: int) -> dict[str, Iterator[Report]]:
    """Stations 0060000000 and on, each with level, counted rain and supply voltage, made when they are asked for."""
    return {
        address: _made(address, number, reports, start, step, seed)
        for number, address in ((each, f"00{FIRST + each:08d}") for each in range(stations))
    }


def _made(address: str, number: int, reports: int, start: int, step: int, seed: int) -> Iterator[Report]:
    dice = np.random.default_rng((seed, number))
    base, swing, phase = dice.uniform((5, 0.2, 0), (60, 6, 2 * math.pi)).tolist()
    rain = float(dice.uniform(0, 500))
    for place in range(reports):
        time = start + place * step
        rain += float(dice.gamma(0.2, 2.0)) if dice.random() < 0.2 else 0.0
        level = base + swing * math.sin(phase + 2 * math.pi * time / 43_200) + float(dice.normal(0, 0.01))
        volt = 12.6 + float(dice.normal(0, 0.1))
        yield Report(address, time, (("39", round(level, 3)), ("26", round(rain, 1)), ("38", round(volt, 2))))
