"""Arrays of stations by quantities as bytes: the cells that hold something, so that a large network stays small."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray


def pack_cells(held: NDArray[np.bool_], *arrays: NDArray[np.generic]) -> list[bytes]:
    """The cells where `held` is true of each array, and first which these are."""
    at = np.flatnonzero(held)
    return [at.astype("<i8").tobytes(), *(each.reshape(-1)[at].tobytes() for each in arrays)]


def unpack_cells(parts: list[bytes], *arrays: NDArray[np.generic]) -> None:
    """Put the cells back into arrays that are blank."""
    at = np.frombuffer(parts[0], "<i8")
    if len(parts) != len(arrays) + 1 or (len(at) and at[-1] >= arrays[0].size):
        raise msgspec.ValidationError("the memory of the gate is of another basin")
    for part, each in zip(parts[1:], arrays, strict=True):
        each.reshape(-1)[at] = np.frombuffer(part, each.dtype)
