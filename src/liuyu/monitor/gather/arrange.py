"""Order and doubles of one batch, without memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside, Batch


def ordered(batch: Batch) -> Batch:
    """The batch by time, station and quantity; equal keys keep their order. One packed key sorts quicker than three."""
    if len(batch) < 2:
        return batch
    start = batch.time.min()
    span = int(batch.time.max()) - int(start) + 1
    stations, kinds = int(batch.station.max()) + 1, int(batch.quantity.max()) + 1
    if span * stations * kinds >= 2**62:
        return batch.ordered()
    key = ((batch.time - start) * stations + batch.station) * kinds + batch.quantity
    if np.all(key[1:] >= key[:-1]):
        return batch
    return batch.take(np.argsort(key, kind="stable"))


def first_of_key(batch: Batch) -> NDArray[np.bool_]:
    """In an ordered batch, where a new (time, station, quantity) begins: (n,)."""
    begins = np.ones(len(batch), np.bool_)
    begins[1:] = (
        (batch.time[1:] != batch.time[:-1])
        | (batch.station[1:] != batch.station[:-1])
        | (batch.quantity[1:] != batch.quantity[:-1])
    )
    return begins


def set_aside(batch: Batch, rows: NDArray[np.bool_], reason: str) -> list[Aside]:
    """One aside that holds the rows of a mask as CSV; none where the mask is empty."""
    taken = batch.take(rows)
    if not len(taken):
        return []
    lines = ["stcd,time,quantity,value"]
    lines += [
        f"{batch.roster.codes[station]},{moment(time).isoformat()},{quantity(int(kind)).name},{value:g}"
        for station, time, kind, value in zip(
            taken.station.tolist(), taken.time.tolist(), taken.quantity.tolist(), taken.value.tolist(), strict=True
        )
    ]
    count = f"{len(taken)} value{'s' if len(taken) > 1 else ''}"
    return [Aside(batch.source, f"{reason}: {count}", ("\n".join(lines) + "\n").encode())]
