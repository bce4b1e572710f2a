"""What stages hand to one another as numbers; what they announce is in `events.py`.

Batch (series.py) → Assessment → Alert → Incident, Task → report
Forecast → Notice → Rehearsal → Proposal
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """What a result was made of: the code, its parameters and the newest input it could see."""

    code: str
    version: str
    inputs_until: datetime | None = None
    parameters: str = ""


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """How one series stands at one time.

    `margins` pairs each threshold kind in force with value - threshold [unit], positive above. `tendency` is the change
    per hour [unit/h] over the last hours, `trend` one of rising, falling, steady. `return_period` in years where known.
    """

    station: str
    quantity: str
    time: datetime
    value: float
    flag: int
    margins: Mapping[str, float]
    tendency: float | None = None
    trend: str = "steady"
    return_period: float | None = None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The future of one quantity of one station, as members.

    time: (n,) int64 [s UTC], rising, after `issued`; members: (m, n) float64 [unit]. `drivers` says in words and
    numbers what the forecast rests on, as JSON values.
    """

    station: str
    quantity: str
    issued: datetime
    model: str
    time: NDArray[np.int64]
    members: NDArray[np.float64]
    drivers: Mapping[str, Any]
    provenance: Provenance

    def quantile(self, chance: float | Sequence[float]) -> NDArray[np.float64]:
        """Values that the members stay below with a chance in [0, 1]: (n,), or (k, n) for k chances [unit]."""
        return np.asarray(np.quantile(self.members, chance, axis=0), np.float64)

    def chance_above(self, value: float) -> NDArray[np.float64]:
        """Share of members above a value [unit] by each time, at any time so far: (n,), never falling."""
        passed = np.maximum.accumulate(self.members > value, axis=1)
        return np.asarray(passed.mean(axis=0), np.float64)


def leading(forecasts: Iterable[Forecast]) -> list[Forecast]:
    """Of forecasts of one series issued together the one with the most members, in the order given.

    That is the one that was issued to the public; the others are what models that it was made of say by themselves.
    """
    best: dict[tuple[datetime, str, str], Forecast] = {}
    for each in forecasts:
        key = (each.issued, each.station, each.quantity)
        if key not in best or len(each.members) > len(best[key].members):
            best[key] = each
    return list(best.values())


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """A change laid upon a forecast. `releases` maps a reservoir to its outflow [m3/s], hour by hour from the issue."""

    name: str
    name_en: str = ""
    releases: Mapping[str, tuple[float, ...]] = {}
    inflow_factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A scenario run out: forecasts, and each reservoir's hourly level [m], storage [m3], outflow and inflow [m3/s].

    `binding` says in both languages which limits the schedule meets or breaks.
    """

    scenario: Scenario
    issued: datetime
    forecasts: tuple[Forecast, ...]
    reservoirs: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)
    binding: tuple[Mapping[str, str], ...] = ()
