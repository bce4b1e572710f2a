"""How the laws and loops of floods are compiled: divisions untested, products and sums fused, laws set into loops.

Fusing a product with a sum rounds once instead of twice and gains a tenth of the time; NaN stays NaN.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])
_WAY = {"cache": True, "nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


def law(function: F) -> F:
    """A scalar law as machine code, always set into the loop that calls it: a call would keep it from vectors."""
    return cast(F, numba.njit(forceinline=True, **_WAY)(function))


def loop(function: F) -> F:
    """A loop over cells as machine code."""
    return cast(F, numba.njit(**_WAY)(function))


def inner(function: F) -> F:
    """A loop that only other compiled functions call; without a door from Python it compiles in less time."""
    return cast(F, numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **_WAY)(function))
