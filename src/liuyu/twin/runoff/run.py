"""A model over time for many sub-basins, members and parameter sets, its state kept between runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.physics.runoff import degree_day
from liuyu.twin.runoff import kernels
from liuyu.twin.runoff.lanes import run_lanes
from liuyu.twin.runoff.models import BEFORE, RunoffModel

Floats = NDArray[np.float64]
CHUNK = 4096  # series whose snow is held at once


@dataclass(frozen=True, slots=True)
class Forcing:
    """Rows of weather, one for each sub-basin and member: precipitation, potential evaporation [mm], temperature [°C].

    Each array is (rows, steps), a step being the model's own; temperature is None where nobody measured it, and then
    there is no snow. `names` tell the rows apart when one fails, `times` the steps.
    """

    precipitation: Floats
    pet: Floats
    temperature: Floats | None = None
    names: Sequence[str] = ()
    times: Sequence[str] = ()

    def between(self, first: int, end: int) -> Forcing:
        """The steps from first up to, but without, end."""
        warmth = None if self.temperature is None else self.temperature[:, first:end]
        return Forcing(
            self.precipitation[:, first:end], self.pet[:, first:end], warmth, self.names, self.times[first:end]
        )


@dataclass(frozen=True, slots=True)
class RunoffState:
    """The water in every series: snow (n, 10) and the model's stores (n, size) [mm]."""

    snow: Floats
    stores: Floats

    def dump(self) -> bytes:
        """The state as bytes, exactly."""
        head = (self.snow.shape, self.stores.shape, self.snow.tobytes(), self.stores.tobytes())
        return msgspec.msgpack.encode(head)

    @classmethod
    def load(cls, saved: bytes) -> RunoffState:
        """The state of `dump`, bit for bit."""
        shape, size, snow, stores = msgspec.msgpack.decode(saved, type=_Saved)
        return cls(
            np.frombuffer(snow, np.float64).reshape(shape).copy(),
            np.frombuffer(stores, np.float64).reshape(size).copy(),
        )


_Saved = tuple[tuple[int, int], tuple[int, int], bytes, bytes]


def begin(model: RunoffModel, parameters: Floats) -> RunoffState:
    """The state that a model begins with: no snow, stores as its law says. parameters: (n, count)."""
    stores = np.zeros((len(parameters), model.state_size))
    kernels.start(model.kind, _prepared(model, parameters), stores)
    return RunoffState(np.zeros((len(parameters), degree_day.STATE_SIZE)), stores)


def simulate(
    model: RunoffModel,
    forcing: Forcing,
    parameters: Floats,
    *,
    rows: Sequence[int] | NDArray[np.int64] | None = None,
    state: RunoffState | None = None,
) -> tuple[Floats, RunoffState]:
    """Runoff (n, steps) [mm] of n series, and the state after it; the state given is left as it was.

    parameters: (n, count) in the order of `model.parameters`; rows: (n,) the row of forcing that each series reads,
    by default series k reads row k, or the only row there is; state: where to begin, see `begin`.
    Raises BadInput where shapes differ, ModelFailed where a step's balance does not close: which series, and when.
    """
    parameters = np.ascontiguousarray(np.atleast_2d(parameters), dtype=np.float64)
    count = len(parameters)
    if parameters.shape[1] != len(model.parameters):
        raise BadInput(f"{model.name} has {len(model.parameters)} parameters, not {parameters.shape[1]}; give them all")
    row = _rows(forcing, rows, count)
    was = state or begin(model, parameters)
    if was.stores.shape != (count, model.state_size):
        raise BadInput(f"the state is of shape {was.stores.shape}, not {(count, model.state_size)}; begin anew")
    after = RunoffState(was.snow.copy(), was.stores.copy())
    runoff = np.empty((count, forcing.precipitation.shape[1]))
    for first in range(0, count, CHUNK):
        _chunk(model, forcing, parameters, row, after, runoff, slice(first, first + CHUNK))
    return runoff, after


def _rows(forcing: Forcing, rows: Sequence[int] | NDArray[np.int64] | None, count: int) -> NDArray[np.int64]:
    there = len(forcing.precipitation)
    if rows is not None:
        row = np.asarray(rows, dtype=np.int64)
    else:
        row = np.zeros(count, np.int64) if there == 1 else np.arange(count)
    if len(row) != count or row.min(initial=0) < 0 or row.max(initial=0) >= there:
        raise BadInput(f"{count} series cannot read {there} rows of forcing by {row!r}; name a row for each series")
    return row


def _prepared(model: RunoffModel, parameters: Floats) -> Floats:
    prepared = np.zeros((len(parameters), model.prepared_size))
    kernels.prepare(model.kind, np.ascontiguousarray(parameters[:, BEFORE:]), prepared)
    return prepared


def _chunk(
    model: RunoffModel,
    forcing: Forcing,
    parameters: Floats,
    row: NDArray[np.int64],
    state: RunoffState,
    runoff: Floats,
    part: slice,
) -> None:
    """Run some of the series; state and runoff are changed in place."""
    mine, source = np.ascontiguousarray(parameters[part]), row[part]
    fallen, pet = _plain(forcing.precipitation), _plain(forcing.pet)
    water, water_row, factors = fallen, source, mine[:, :2].copy()
    bad = np.full(len(mine), -1)
    if forcing.temperature is not None:
        water = np.empty((len(mine), forcing.precipitation.shape[1]))
        water_row, factors[:, 0] = np.arange(len(mine)), 1.0
        warmth = _plain(forcing.temperature)
        kernels.snow_series(fallen, warmth, source, mine[:, :BEFORE].copy(), state.snow[part], water, bad)
        _heed(f"{model.name}'s snow", forcing, source, bad)
    rows = water, pet, water_row, source, factors, _prepared(model, mine), state.stores[part], runoff[part], bad
    done = run_lanes(model.kind == kernels.GR4J, *rows) if model.kind in kernels.LANED else 0
    if done < len(mine):
        kernels.run_series(model.kind, *rows, done)
    _heed(model.name, forcing, source, bad)


def _plain(values: Floats) -> Floats:
    """The values as one block of memory: another layout would be compiled anew."""
    return np.ascontiguousarray(values, np.float64)


def _heed(what: str, forcing: Forcing, row: NDArray[np.int64], bad: NDArray[np.int64]) -> None:
    failed = np.flatnonzero(bad >= 0)
    if len(failed) == 0:
        return
    series = int(failed[0])
    at, place = int(bad[series]), int(row[series])
    name = forcing.names[place] if len(forcing.names) else f"row {place}"
    when = forcing.times[at] if len(forcing.times) else f"step {at}"
    warmth = "" if forcing.temperature is None else f", temperature {forcing.temperature[place, at]} degC"
    raise ModelFailed(
        f"{what} of {name} (series {series}) does not close its water balance at {when}: precipitation "
        f"{forcing.precipitation[place, at]} mm, evaporation {forcing.pet[place, at]} mm{warmth}; "
        "look for missing forcing or parameters out of range"
    )
