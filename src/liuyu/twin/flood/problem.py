"""What a flood is made of, on arrays. Rows run from south to north: row 0 is the southernmost.

These are the nouns that `FloodModel` marches and that `read_case` makes from a case file.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kind = Literal["wall", "open", "stage", "discharge"]
NEVER = float("inf")


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """A number over time: knots joined by straight lines, level before the first and after the last. Times in s."""

    times: Floats
    values: Floats

    @classmethod
    def constant(cls, value: float) -> Series:
        """The same number at all times."""
        return cls(times=np.zeros(1), values=np.array([float(value)]))


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What happens at one side: `stage` needs levels [m], `discharge` the inflow of the whole side [m³/s]."""

    kind: Kind = "wall"
    series: Series | None = None


class Inflow(msgspec.Struct, frozen=True, kw_only=True):
    """Discharge [m³/s] put into cells, rows of (row, column), by their shares; negative takes water out."""

    name: str = "inflow"
    cells: Integers
    series: Series
    shares: Floats | None = None


class Rain(msgspec.Struct, frozen=True, kw_only=True):
    """Rain and infiltration, both as rates [m/s]: a factor over time times a pattern over cells (1 everywhere)."""

    series: Series | None = None
    pattern: Floats | None = None
    infiltration: Floats | float = 0.0


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """A weir, gate, culvert or pump between two cells (row, column).

    Lengths in m; `coefficient` is that of a weir [m^(1/2)/s], of an opening (0.6), or a pump's discharge [m³/s]. It
    opens once `opens_s` has passed and the higher level has reached `opens_level`, over `opens_over_s`.
    """

    name: str = "structure"
    kind: Literal["weir", "gate", "culvert", "pump"]
    start: tuple[int, int]
    end: tuple[int, int]
    crest: float = 0.0
    width: float = 1.0
    height: float = 1.0
    coefficient: float | None = None
    opens_s: float = 0.0
    opens_over_s: float = 0.0
    opens_level: float = -NEVER


class Breach(msgspec.Struct, frozen=True, kw_only=True):
    """Cells of a levee that wear down to `bottom` [m], first in the middle, then outwards.

    `distances` tells how far each cell is from the middle as a share of half the final width (0 to 1). It begins at
    `start_s`, or when the water beside the cells first reaches `level` thereafter, and is done after `duration_s`.
    """

    name: str = "breach"
    cells: Integers
    distances: Floats
    bottom: float
    start_s: float = 0.0
    duration_s: float = 0.0
    level: float = -NEVER


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """How it is solved. `threads` 0 takes every core; `cfl` None takes what suits the scheme."""

    name: Literal["hllc", "inertial"] = "hllc"
    order: Literal[1, 2] = 1
    precision: Literal["double", "single"] = "double"
    threads: int = 0
    device: Literal["cpu", "cuda"] = "cpu"
    cfl: float | None = None


class Flood(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a run needs but its times. Arrays have the terrain's shape (rows, columns), NaN is no terrain."""

    terrain: Floats
    cell: float
    manning: Floats | float = 0.03
    depth: Floats | float = 0.0
    velocity_x: Floats | float = 0.0
    velocity_y: Floats | float = 0.0
    west: Side = Side()
    east: Side = Side()
    south: Side = Side()
    north: Side = Side()
    inflows: tuple[Inflow, ...] = ()
    rain: Rain = Rain()
    structures: tuple[Structure, ...] = ()
    breaches: tuple[Breach, ...] = ()
    scheme: Scheme = Scheme()


def check_flood(flood: Flood) -> None:
    """Raise BadInput, listing all that is wrong, if a run could not begin."""
    faults: list[str] = []
    terrain = flood.terrain
    if terrain.ndim != 2 or min(terrain.shape, default=0) < 1 or not np.isfinite(terrain).any():
        raise BadInput(
            f"terrain has shape {terrain.shape}; give rows x columns of bed levels in m, some of them numbers"
        )
    if not flood.cell > 0.0:
        faults.append(f"cell={flood.cell!r} must be a length above 0 m")
    inside = np.isfinite(terrain)
    for name in ("manning", "depth", "velocity_x", "velocity_y"):
        _check_values(faults, name, getattr(flood, name), inside, least=None if name.startswith("velocity") else 0.0)
    _check_values(faults, "infiltration", flood.rain.infiltration, inside, least=0.0)
    if flood.rain.pattern is not None:
        _check_values(faults, "rain", flood.rain.pattern, inside, least=0.0)
    for name in ("west", "east", "south", "north"):
        side: Side = getattr(flood, name)
        if side.kind in ("stage", "discharge") and side.series is None:
            faults.append(f"{name}: kind {side.kind!r} needs a series")
    places: list[Inflow | Breach] = [*flood.inflows, *flood.breaches]
    for each in places:
        outside = len(each.cells) == 0 or (each.cells < 0).any() or (each.cells >= np.array(terrain.shape)).any()
        if outside:
            faults.append(f"{each.name}: has no cell, or cells outside the terrain {terrain.shape}")
        elif not inside[each.cells[:, 0], each.cells[:, 1]].any():
            faults.append(f"{each.name}: all its cells lie where there is no terrain")
    if faults:
        raise BadInput("the flood cannot begin:\n" + "\n".join(faults))


def _check_values(faults: list[str], name: str, value: Any, inside: NDArray[np.bool_], least: float | None) -> None:
    array = np.asarray(value, float)
    if array.ndim and array.shape != inside.shape:
        faults.append(f"{name} has shape {array.shape}; the terrain has {inside.shape}")
        return
    here = array[inside] if array.ndim else array.reshape(1)
    if not np.isfinite(here).all():
        faults.append(f"{name} is not a number in {int((~np.isfinite(here)).sum())} cells; fill them")
    elif least is not None and here.min(initial=0.0) < least:
        faults.append(f"{name} goes down to {here.min():g}; it must be at least {least:g}")
