"""What threads share inside a compiled loop: a counter that hands out work, and a barrier.

A march over many time steps stays in machine code on every thread, and threads meet twice a step. A library's pool is
woken once a step instead, and spins while others want the processor; here a thread that waits long gives way. Neither
touches the process: a program that forks, or marches two floods at once, is safe.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from liuyu.physics.flood.compiled import law

Integers = NDArray[np.int64]

NEXT, ARRIVED, TURN = 0, 16, 32  # places in a `shared` array, a cache line apart and more
SHARED_SIZE = 64
_PATIENCE = 4000  # looks before a waiting thread gives way
_give_way = types.ExternalFunction("SwitchToThread" if sys.platform == "win32" else "sched_yield", types.int32())


@intrinsic  # type: ignore[untyped-decorator]
def fetch_add(typing_context: Any, shared: Any, place: Any, amount: Any) -> Any:
    """Add to one place of an int64 array as one indivisible act, and return what stood there before."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = cgutils.get_item_pointer(
            context, builder, signature.args[0], array, [arguments[1]], wraparound=False, boundscheck=False
        )
        return builder.atomic_rmw("add", pointer, arguments[2], "seq_cst")

    return types.int64(shared, types.intp, types.int64), build


@law
def take(shared: Integers) -> int:
    """The number of the next piece of work, from 0."""
    return fetch_add(shared, NEXT, 1)  # type: ignore[no-any-return]


@law
def meet(shared: Integers, threads: int) -> None:
    """Return when all threads are here. Whatever one wrote before, every other sees after."""
    if threads == 1:
        return
    turn = fetch_add(shared, TURN, 0)
    if fetch_add(shared, ARRIVED, 1) == threads - 1:
        fetch_add(shared, ARRIVED, -threads)
        fetch_add(shared, TURN, 1)
        return
    looks = 0
    while fetch_add(shared, TURN, 0) == turn:
        looks += 1
        if looks > _PATIENCE:
            _give_way()
