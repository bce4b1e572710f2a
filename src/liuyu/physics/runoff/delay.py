"""Water on its way to the outlet: a queue of what leaves in each coming step, filled by a unit hydrograph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled_ieee


@compiled_ieee
def delay(queue: NDArray[np.float64], shares: NDArray[np.float64], count: int, water: float) -> float:
    """What leaves in this step [mm]; the rest waits in `queue`, in place.

    queue: (at least count,) leaving in this and later steps [mm]; shares: (at least count,) unit hydrograph, sum 1;
    count: length of the hydrograph; water: what sets off now [mm].
    """
    out = queue[0] + shares[0] * water
    for place in range(1, count):
        queue[place - 1] = queue[place] + shares[place] * water
    queue[count - 1] = 0.0
    return float(out)


@compiled_ieee
def triangle(base: float, shares: NDArray[np.float64]) -> int:
    """Fill `shares` with a triangular unit hydrograph of base length `base` [steps]; returns how many it takes [1].

    The share of a step is the area of the triangle over it, so that base <= 1 delays nothing.

    [1] Lindström G. et al. (1997) Development and test of the distributed HBV-96 model. J. Hydrol. 201, the MAXBAS.
    """
    base = max(base, 1.0)
    count = int(np.ceil(base))
    before = 0.0
    for place in range(count):
        x = min((place + 1) / base, 1.0)
        upto = 2.0 * x * x if x < 0.5 else 1.0 - 2.0 * (1.0 - x) * (1.0 - x)
        shares[place] = upto - before
        before = upto
    return count
