"""What quality control remembers of every series: a ring of its newest values with their path, and how it moves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.monitor.quality.parameters import BANDS, BESIDE, BINS, RING


class Memory(NamedTuple):
    """One row per series, in order of first appearance. (s,) or (s, RING) or (s, BINS) arrays; see FIELDS."""

    station: NDArray[np.int32]
    quantity: NDArray[np.int16]
    filled: NDArray[np.int16]
    tip: NDArray[np.int16]
    whole: NDArray[np.bool_]
    doubted: NDArray[np.bool_]
    learned: NDArray[np.int32]
    scale: NDArray[np.float64]
    histogram: NDArray[np.uint16]
    time: NDArray[np.int64]
    value: NDArray[np.float64]
    cost: NDArray[np.float32]
    slope: NDArray[np.float32]
    back: NDArray[np.uint8]
    usable: NDArray[np.bool_]
    flag: NDArray[np.uint8]
    test: NDArray[np.uint8]
    told: NDArray[np.uint8]
    also: NDArray[np.uint8]
    mate: NDArray[np.int32]
    origin: NDArray[np.float64]
    low: NDArray[np.float32]
    high: NDArray[np.float32]
    pairs: NDArray[np.uint16]
    beside: NDArray[np.int32]
    seen: NDArray[np.int32]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    agreed: NDArray[np.float64]
    other: NDArray[np.float64]


FIELDS: dict[str, tuple[type[np.generic], int]] = {
    "station": (np.int32, 1),
    "quantity": (np.int16, 1),
    "filled": (np.int16, 1),
    "tip": (np.int16, 1),
    "whole": (np.bool_, 1),
    "doubted": (np.bool_, 1),
    "learned": (np.int32, 1),
    "scale": (np.float64, 1),
    "histogram": (np.uint16, BINS),
    "time": (np.int64, RING),
    "value": (np.float64, RING),
    "cost": (np.float32, RING),
    "slope": (np.float32, RING),
    "back": (np.uint8, RING),
    "usable": (np.bool_, RING),
    "flag": (np.uint8, RING),
    "test": (np.uint8, RING),
    "told": (np.uint8, RING),
    "also": (np.uint8, RING),
    "mate": (np.int32, 1),
    "origin": (np.float64, 1),
    "low": (np.float32, BANDS),
    "high": (np.float32, BANDS),
    "pairs": (np.uint16, BANDS),
    "beside": (np.int32, BESIDE),
    "seen": (np.int32, BESIDE),
    "mean": (np.float64, BESIDE),
    "spread": (np.float64, BESIDE),
    "agreed": (np.float64, BESIDE),
    "other": (np.float64, BESIDE),
}
"""Type and width of each field of the memory.

First the series and its path (see `path.py`); `doubted` is what the last note said. `told` is the flag that was last
handed on, `also` what tests besides the path found. Then: `mate`, the level of a discharge or the discharge of a level;
the rating by band of level around `origin`; and
for each gauge `beside` what is known of the pair (see `neighbours.py`).
"""


class _Head(msgspec.Struct, frozen=True):
    version: int
    series: int


VERSION = 1


def shape_of(series: int, width: int) -> tuple[int, ...]:
    """Shape of a field of so many series."""
    return (series,) if width == 1 else (series, width)


def empty(series: int) -> Memory:
    """A memory with room for a number of series, all blank."""
    return Memory(*(np.zeros(shape_of(series, width), kind) for kind, width in FIELDS.values()))


def grown(memory: Memory, series: int) -> Memory:
    """The same memory with room for more series."""
    larger = empty(series)
    for name in FIELDS:
        old: NDArray[Any] = getattr(memory, name)
        getattr(larger, name)[: len(old)] = old
    return larger


def pack(memory: Memory, series: int, first: int = 0) -> bytes:
    """The rows from `first` up to `series` as bytes: a header, then each field as it lies in memory."""
    head = msgspec.msgpack.encode(_Head(VERSION, series - first))
    parts: list[Any] = [len(head).to_bytes(4, "little"), head]
    parts += [getattr(memory, name)[first:series].reshape(-1).view(np.uint8).data for name in FIELDS if series > first]
    return b"".join(parts)


def joined(memories: Sequence[tuple[Memory, int]]) -> tuple[Memory, int]:
    """Memories one after another, as one."""
    if not memories:
        return empty(0), 0
    fields = (np.concatenate([getattr(memory, name)[:series] for memory, series in memories]) for name in FIELDS)
    return Memory(*fields), sum(series for _, series in memories)


def unpack(blob: bytes) -> tuple[Memory, int]:
    """What `pack` packed. Raises BadInput where the bytes come from another version or are cut short."""
    size = int.from_bytes(blob[:4], "little")
    try:
        head = msgspec.msgpack.decode(blob[4 : 4 + size], type=_Head)
    except msgspec.DecodeError as error:
        raise BadInput(f"the state of quality control cannot be read ({error}); replay from the start") from None
    if head.version != VERSION:
        raise BadInput(f"state of quality control has version {head.version}, not {VERSION}; replay from the start")
    fields, at = [], 4 + size
    for kind, width in FIELDS.values():
        flat = np.frombuffer(blob, kind, count=head.series * width, offset=at)
        fields.append(flat.reshape(shape_of(head.series, width)).copy())
        at += flat.nbytes
    return Memory(*fields), head.series
