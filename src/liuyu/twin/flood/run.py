"""A flood from beginning to end: outputs at their times, the greatest values, and a summary."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.twin.flood.model import FloodModel
from liuyu.twin.flood.problem import Floats, Flood


class Frame(msgspec.Struct, frozen=True):
    """The flood at a time [s]: depth and level [m], unit discharges [m²/s]; NaN where there is no terrain, and in
    levels where it is dry."""

    time: float
    depth: Floats
    level: Floats
    discharge_x: Floats
    discharge_y: Floats


class Maximum(msgspec.Struct, frozen=True):
    """Greatest depth and level [m], speed [m/s], hazard (depth x speed) [m²/s]; arrival of 1 cm of water [s].

    NaN where there is no terrain; level and arrival are NaN where no water came.
    """

    depth: Floats
    level: Floats
    speed: Floats
    hazard: Floats
    arrival: Floats


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a run cost and whether its volumes balance. `mass_error` is a share of all water there has been."""

    scheme: str
    order: int
    precision: str
    device: str
    threads: int
    rows: int
    columns: int
    cell_m: float
    end_s: float
    steps: int
    wall_s: float
    cell_updates: int
    cell_updates_per_s: float
    volume_start_m3: float
    volume_in_m3: float
    volume_out_m3: float
    volume_stored_m3: float
    rain_m3: float
    infiltration_m3: float
    mass_error_m3: float
    mass_error: float
    maximum_depth_m: float
    maximum_speed_m_s: float
    flooded_area_m2: float


class Result(msgspec.Struct, frozen=True):
    """Frames in order of time, greatest values, summary."""

    frames: tuple[Frame, ...]
    maximum: Maximum
    summary: Summary


def output_times(end: float, every: float) -> list[float]:
    """0, every, 2 every, ... and the end [s]."""
    count = int(np.floor(end / every * (1.0 + 1e-12)))
    times = [k * every for k in range(count + 1)]
    return times if end - times[-1] < 1e-9 * end else [*times, end]


def frame_of(model: FloodModel) -> Frame:
    """The flood as it is now."""
    x, y = model.discharge
    return Frame(model.time, model.depth, model.level, x, y)


def maximum_of(model: FloodModel) -> Maximum:
    """The greatest values up to now."""
    outside = np.isnan(model.bed)
    depth, speed, hazard, arrival = (np.where(outside, np.nan, each[2:-2, 2:-2].astype(float)) for each in model.peaks)
    reached = depth > model.notes.clock[4]
    level = np.where(reached, model.bed + depth, np.nan)
    return Maximum(depth, level, speed, hazard, np.where(np.isfinite(arrival), arrival, np.nan))


def summary_of(model: FloodModel, wall: float) -> Summary:
    """Cost and balance up to now."""
    scheme, balance = model.flood.scheme, model.balance
    greatest = maximum_of(model)
    rows, columns = model.flood.terrain.shape
    return Summary(
        scheme=scheme.name,
        order=scheme.order,
        precision=scheme.precision,
        device=scheme.device,
        threads=model.threads,
        rows=rows,
        columns=columns,
        cell_m=model.flood.cell,
        end_s=model.time,
        steps=model.steps,
        wall_s=wall,
        cell_updates=model.cell_updates,
        cell_updates_per_s=model.cell_updates / max(wall, 1e-9),
        volume_start_m3=balance.start,
        volume_in_m3=balance.inflow,
        volume_out_m3=balance.outflow,
        volume_stored_m3=balance.stored,
        rain_m3=balance.rain,
        infiltration_m3=balance.infiltration,
        mass_error_m3=balance.error,
        mass_error=balance.relative_error,
        maximum_depth_m=float(np.nanmax(greatest.depth)),
        maximum_speed_m_s=float(np.nanmax(greatest.speed)),
        flooded_area_m2=float(np.isfinite(greatest.arrival).sum()) * model.flood.cell**2,
    )


class Run:
    """A flood on its way; `frames` yields it at each output time, and `wall` adds up the seconds of the march alone."""

    def __init__(self, flood: Flood, end: float, output: float | None = None) -> None:
        if not end > 0.0 or (output is not None and not output > 0.0):
            raise BadInput(f"end={end!r} and output={output!r} must be seconds above 0")
        self.model = FloodModel(flood)
        self.end = end
        self.wall = 0.0
        self._times = output_times(end, output if output is not None else end)

    def frames(self, heard: Callable[[float], Any] | None = None) -> Iterator[Frame]:
        """The flood at each output time. Raises ModelFailed where it becomes unstable."""
        self.model.compile()
        for each in self._times:
            began = time.perf_counter()
            self.model.advance(each, heard)
            self.wall += time.perf_counter() - began
            yield frame_of(self.model)

    @property
    def maximum(self) -> Maximum:
        """The greatest values so far."""
        return maximum_of(self.model)

    @property
    def summary(self) -> Summary:
        """Cost and balance so far."""
        return summary_of(self.model, self.wall)


def simulate(
    terrain: Floats,
    cell: float,
    end: float,
    *,
    output: float | None = None,
    heard: Callable[[float], Any] | None = None,
    **parts: Any,
) -> Result:
    """March a flood on arrays from 0 to `end` [s] and keep it every `output` seconds.

    `terrain` is bed level [m] (rows, columns), row 0 in the south, NaN where there is none; `cell` is the size of a
    cell [m]; `parts` are the fields of `Flood`: manning, depth, velocity_x, velocity_y, west, east, south, north,
    inflows, rain, structures, breaches, scheme. Raises BadInput where it cannot begin, ModelFailed where it
    becomes unstable.

    >>> import numpy as np
    >>> pond = simulate(np.zeros((8, 8)), 1.0, 5.0, depth=0.5)
    >>> float(np.ptp(pond.frames[-1].level))
    0.0
    """
    run = Run(Flood(terrain=np.asarray(terrain, float), cell=cell, **parts), end, output)
    frames = tuple(run.frames(heard))
    return Result(frames, run.maximum, run.summary)
