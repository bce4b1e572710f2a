"""The spread of a forecast, from errors that such forecasts made before.

A member is the forecast plus the whole error trajectory of one past forecast, at every station at once, so that
stations agree with one another and an hour with the next. Past forecasts made when the river stood as it does now are
preferred. The draw depends on the time of issue alone: the same hour, the same members.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.course import hourly
from liuyu.twin.model import Errors, Model

Floats = NDArray[np.float64]
_NEAR = 3


def nearest(errors: Errors, regime: Floats, members: int) -> NDArray[np.int64]:
    """Places of the past errors whose regime lies nearest, three times as many as there are members."""
    spread = errors.regime.std(axis=0) + 1e-9
    distance = (((errors.regime - regime) / spread) ** 2).sum(axis=1)
    return np.asarray(np.argsort(distance, kind="stable")[: _NEAR * members], np.int64)


def draw(errors: Errors, regime: Floats, members: int, seed: int) -> NDArray[np.int64]:
    """Places of `members` past errors, drawn from the nearest ones, without return where there are enough."""
    near = nearest(errors, regime, members)
    dice = np.random.Generator(np.random.PCG64(seed))
    return np.asarray(np.sort(dice.choice(near, size=members, replace=len(near) < members)), np.int64)


def beyond(errors: Errors, chosen: NDArray[np.int64], regime: Floats, model: Model) -> Floats:
    """Factor by which past errors grow for a river that carries more water than when they were made: (targets,).

    At most two, and for flows and whatever is measured where water enters (boundaries and reservoirs): their errors go
    with the flow, while a stage far down the river does not miss by more because it is high. The first number of a
    regime is the logarithm of the water that passes.
    """
    factor = float(np.clip(np.exp(regime[0] - errors.regime[chosen, 0].mean()), 1.0, 2.0))
    entries = {node.station for node in model.nodes if node.kind in ("boundary", "reservoir")}
    grows = [station in entries or name != "water_level" for station, name in errors.targets]
    return np.where(grows, factor, 1.0)


def trajectories(
    errors: Errors, chosen: NDArray[np.int64], leads: tuple[int, ...], hours: int, widen: Floats
) -> Floats:
    """Error members hour by hour, centred: (targets, members, hours) [unit]; widen: (targets,) factors >= 1."""
    picked = errors.error[chosen].transpose(1, 0, 2)
    centred = picked - picked.mean(axis=1, keepdims=True)
    return hourly(centred * widen[:, None, None], leads, hours)
