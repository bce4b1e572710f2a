"""Regional transfer: an ungauged sub-basin runs with the parameters of gauged ones that resemble it.

Donors are ranked by how far they lie in a space of attributes, each scaled by its spread among the gauged sub-basins.
Every donor's parameters travel as a whole set, because they were found together, and the simulated runoffs are averaged
with the inverse of the distance, because no donor is right alone [1].

[1] Oudin L. et al. (2008) Spatial proximity, physical similarity, regression and ungauged catchments. Water Resour.
    Res. 44, W03413.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.runoff.calibrate import Fitted, warmed
from liuyu.twin.runoff.run import Forcing

Floats = NDArray[np.float64]


def climate(forcing: Forcing) -> Floats:
    """Attributes of a row of weather: log of mean precipitation, of evaporation over it, share that falls as snow."""
    rain, pet = forcing.precipitation[0], forcing.pet[0]
    snow = 0.0
    if forcing.temperature is not None:
        snow = float(rain[forcing.temperature[0] < 0.0].sum() / rain.sum())
    return np.array([np.log(rain.mean()), np.log(pet.mean() / rain.mean()), snow])


def donors(attributes: Floats, target: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """The nearest gauged sub-basins, nearest first, and their weights, sum 1.

    attributes: (gauged, k); target: (k,). Raises BadInput where there are fewer than `count`.
    """
    if not 1 <= count <= len(attributes):
        raise BadInput(f"{count} donors are asked for and {len(attributes)} sub-basins are gauged; ask for fewer")
    scale = np.maximum(attributes.std(axis=0), 1e-12)
    distance = np.sqrt((((attributes - target) / scale) ** 2).sum(axis=1))
    nearest = np.argsort(distance, kind="stable")[:count]
    weight = 1.0 / np.maximum(distance[nearest], 1e-6)
    return nearest, weight / weight.sum()


def transferred(forcing: Forcing, givers: Sequence[Fitted], weights: Floats) -> Floats:
    """Runoff (steps,) [mm] of one row of forcing with the parameters of donors, (donors,) their weights."""
    return np.asarray(
        sum(
            weight * warmed(giver.model, forcing, giver.parameters[None])[0]
            for weight, giver in zip(weights, givers, strict=True)
        )
    )
