"""What every engine does to a batch before it writes: refuse what cannot be kept, put keys in order, number turns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import quantities
from liuyu.basin.series import Batch

BLOCK = 10_800
"""Length of a block [s], the head of an observation's key: whole hours, and a whole number of them in a day."""


def check(batch: Batch) -> None:
    """Raise BadInput where a batch holds what no store could give back; nothing was written."""
    sizes = {len(getattr(batch, name)) for name in ("station", "quantity", "time", "value", "flag")}
    if len(sizes) > 1:
        raise BadInput(
            f"the columns of a batch have lengths {sorted(sizes)}; give one value in each for an observation"
        )
    if not len(batch):
        return
    low, high = int(batch.station.min()), int(batch.station.max())
    if low < 0 or high >= len(batch.roster):
        raise BadInput(f"station place {low if low < 0 else high} is outside the roster of {len(batch.roster)}")
    _known("quantity", batch.quantity, [each.number for each in quantities()])
    _known("flag", batch.flag, [int(flag) for flag in Flag])


def _known(name: str, column: NDArray[np.int16] | NDArray[np.uint8], allowed: Sequence[int]) -> None:
    table = np.zeros(65536, bool)
    table[list(allowed)] = True
    wrong = ~table[column]
    if wrong.any():
        raise BadInput(f"{name} {int(column[wrong][0])} is none of {', '.join(map(str, sorted(allowed)))}")


def turns(station: NDArray[np.int64], batch: Batch) -> Iterator[NDArray[np.intp]]:
    """Places of a batch in key order; what comes again for a key has its own, later turn. station: (n,), by store."""
    if not len(batch):
        return
    order = _key_order(station, batch)
    keys = (station[order], batch.quantity[order], batch.time[order])
    again = np.zeros(len(order), bool)
    again[1:] = np.logical_and.reduce([key[1:] == key[:-1] for key in keys])
    if not again.any():
        yield order
        return
    places = np.arange(len(order))
    turn = places - np.maximum.accumulate(np.where(again, 0, places))
    for number in range(int(turn.max()) + 1):
        yield order[turn == number]


def last_of_each_key(station: NDArray[np.int64], batch: Batch) -> NDArray[np.intp]:
    """Places of a batch in key order, of a key that comes more than once the last alone."""
    order = _key_order(station, batch)
    ordered = np.stack([station[order], batch.quantity[order], batch.time[order]])
    last = np.append((ordered[:, 1:] != ordered[:, :-1]).any(axis=0), True)
    return order[np.flatnonzero(last)]


def _key_order(station: NDArray[np.int64], batch: Batch) -> NDArray[np.intp]:
    return np.lexsort((batch.time, batch.quantity, station, batch.time // BLOCK))
