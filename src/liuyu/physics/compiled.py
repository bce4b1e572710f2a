"""How every law is compiled: by Numba, kept on disk, arithmetic as written (fast maths would delete tests for NaN).

Machine code runs outside Python's lock, so that two threads use two cores.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """The function as machine code, compiled at its first call and read from the cache afterwards."""
    return cast(F, numba.njit(cache=True, nogil=True)(function))


def compiled_ieee(function: F) -> F:
    """As `compiled`, but a division by zero gives infinity or NaN, which a balance check finds, where Python raises.

    Without a test at every division a loop over many series becomes vector instructions.
    """
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def compiled_within(function: F) -> F:
    """As `compiled_ieee`, and always set into the loop that calls it, where a call would keep vector instructions away.

    A product may be added without being rounded between (`contract`), which is a third faster and leaves NaN alone.
    """
    return cast(
        F, numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True, fastmath={"contract"})(function)
    )
