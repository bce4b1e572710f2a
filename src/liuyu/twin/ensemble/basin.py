"""A whole basin under many rainfall members: each sub-basin's rain to runoff, all of it through the rivers.

Members are taken some at a time, so that memory does not grow with their number. Two threads run runoff members side by
side, then both halves of the river tree; neither changes a bit of the outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.network.route import RiverState, Router
from liuyu.twin.runoff.models import RunoffModel
from liuyu.twin.runoff.run import Forcing, RunoffState, begin, simulate

Floats = NDArray[np.float64]
Places = NDArray[np.int64]
MEMORY = 256e6  # [bytes] that the runoff of the members in hand may take


@dataclass(frozen=True, slots=True)
class Land:
    """Sub-basins that one model simulates: their places, (n,), and its parameters, (n, count)."""

    model: RunoffModel
    places: Places
    parameters: Floats


@dataclass(frozen=True, slots=True)
class BasinState:
    """What the land, by its parts, and the rivers hold; one member."""

    land: tuple[RunoffState, ...]
    river: RiverState

    def dump(self) -> bytes:
        """The state as bytes, exactly."""
        return msgspec.msgpack.encode(([each.dump() for each in self.land], self.river.dump()))

    @classmethod
    def load(cls, saved: bytes) -> BasinState:
        """The state of `dump`, bit for bit."""
        land, river = msgspec.msgpack.decode(saved, type=tuple[list[bytes], bytes])
        return cls(tuple(RunoffState.load(each) for each in land), RiverState.load(river))


@dataclass(frozen=True, slots=True)
class Weather:
    """What falls on the sub-basins, all (n, steps): `rain` gives that of a member [mm], potential evaporation [mm] and
    temperature [°C] are those of all members; without temperature there is no snow. times name the steps."""

    rain: Callable[[int], Floats]
    pet: Floats
    temperature: Floats | None = None
    times: Sequence[str] = ()


class BasinModel:
    """Sub-basins with their areas [km2], one reach of the router's network each, in the same order.

    Raises BadInput where sub-basins are simulated by no part of the land or by two, or steps differ.
    """

    def __init__(self, codes: Sequence[str], area: Floats, land: Sequence[Land], router: Router) -> None:
        self.codes, self.area, self.land, self.router = codes, np.asarray(area, np.float64), tuple(land), router
        count = np.bincount(np.concatenate([each.places for each in land]), minlength=len(codes))
        wrong = np.flatnonzero(count != 1)
        if len(wrong) or len(codes) != router.network.size:
            name = codes[wrong[0]] if len(wrong) else f"{router.network.size} reaches for {len(codes)}"
            raise BadInput(f"sub-basin {name} must be simulated once and have one reach")
        for each in land:
            if each.model.step_h * 3600.0 != router.dt:
                raise BadInput(f"{each.model.name} steps {each.model.step_h} h, the rivers {router.dt / 3600:g} h")

    @property
    def per_mm(self) -> Floats:
        """Mean flow of a sub-basin that sheds 1 mm in a step, (n,) [m3/s]."""
        return self.area * 1e3 / self.router.dt

    def begin(self, runoff: float = 0.05) -> BasinState:
        """Stores as their laws say, rivers as `runoff` [mm a step] would keep them."""
        land = tuple(begin(each.model, each.parameters) for each in self.land)
        return BasinState(land, self.router.steady((self.per_mm * runoff)[:, None]))

    def run(
        self,
        state: BasinState,
        weather: Weather,
        *,
        members: int = 1,
        keep: Sequence[int] | Places | None = None,
        tell: Callable[[float], None] = lambda _: None,
    ) -> Floats:
        """Flow (kept, members, steps) [m3/s] at the end of each step; every member begins from `state`.

        keep: (kept,) reaches to hand back, by default all; tell: hears the share done. Raises ModelFailed where a
        balance does not close, naming place and time.
        """
        count, steps = weather.pet.shape
        at_once = int(np.clip(MEMORY / (8.0 * count * steps), 1, members))
        kept = np.arange(count) if keep is None else np.asarray(keep, np.int64)
        flow = np.empty((len(kept), members, steps))
        with ThreadPoolExecutor(self.router.cores) as pool:
            for first in range(0, members, at_once):
                part = range(first, min(first + at_once, members))
                lateral = np.empty((count, len(part), steps))

                def one(member: int, lateral: Floats = lateral, first: int = first) -> None:
                    lateral[:, member - first] = self.runoff(state, weather, member)[0]

                list(pool.map(one, part))
                river = state.river.spread(len(part))
                flow[:, part.start : part.stop], _ = self.router.run(river, lateral, keep=kept, times=weather.times)
                tell(part.stop / members)
        return flow

    def advance(self, state: BasinState, weather: Weather) -> tuple[Floats, BasinState]:
        """Flow of every reach (n, steps) [m3/s] under member 0, and the state after it."""
        lateral, land = self.runoff(state, weather, 0)
        flow, river = self.router.run(state.river, lateral[:, None], times=weather.times)
        return flow[:, 0], BasinState(land, river)

    def runoff(self, state: BasinState, weather: Weather, member: int) -> tuple[Floats, tuple[RunoffState, ...]]:
        """What runs off each sub-basin under a member, (n, steps) [m3/s], and what the land then holds."""
        rain = weather.rain(member)
        out, after = np.empty(weather.pet.shape), []
        for part, was in zip(self.land, state.land, strict=True):
            forcing = Forcing(
                np.ascontiguousarray(rain[part.places], np.float64),
                weather.pet[part.places],
                None if weather.temperature is None else weather.temperature[part.places],
                [self.codes[place] for place in part.places],
                weather.times,
            )
            depth, now = simulate(part.model, forcing, part.parameters, state=was)
            out[part.places] = depth
            after.append(now)
        out *= self.per_mm[:, None]
        return out, tuple(after)
