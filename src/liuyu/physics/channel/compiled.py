"""How channels are compiled: one door from Python, and within it functions that have none.

Nets are tuples of some fifty arrays; a door for each function would unpack them anew and take most of the compiling.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def inner(function: F) -> F:
    """A function that only compiled ones call: it is tested from Python as `function.py_func`."""
    way = {"cache": True, "nogil": True, "error_model": "numpy"}
    return cast(F, numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **way)(function))


def within(function: F) -> F:
    """As `inner`, and always set into the loop that calls it: handing a net over costs more than what a face does."""
    way = {"cache": True, "nogil": True, "error_model": "numpy", "forceinline": True}
    return cast(F, numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **way)(function))
