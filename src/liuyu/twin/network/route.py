"""Routing through a network over time, on two cores: state in, state out; a failure says reach, time and amount."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.physics.diffusive import steady_levels
from liuyu.twin.network import kernels
from liuyu.twin.network.kernels import BEFORE, HELD, OUT, Fields, Plan
from liuyu.twin.network.network import Pool, RiverNetwork
from liuyu.twin.network.order import arrange

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RiverState:
    """Inflow, outflow [m3/s] and water held of each reach and member: (n, members, 3).

    Water is in m3 where levels are, and 2 S / dt [m3/s] in a channel, so that a state belongs to its step.
    """

    values: Floats

    def dump(self) -> bytes:
        """The state as bytes, exactly."""
        return msgspec.msgpack.encode((self.values.shape, self.values.tobytes()))

    @classmethod
    def load(cls, saved: bytes) -> RiverState:
        """The state of `dump`, bit for bit."""
        shape, values = msgspec.msgpack.decode(saved, type=tuple[tuple[int, int, int], bytes])
        return cls(np.frombuffer(values, np.float64).reshape(shape).copy())

    def spread(self, members: int) -> RiverState:
        """The state of one member given to many."""
        return RiverState(np.repeat(self.values[:, :1], members, axis=1))


class Router:
    """A network made ready for a step of `dt` [s]. Holds no state between calls.

    cores: threads, and parts into which a tree is cut. Raises BadInput naming a reach where water runs in a circle.
    """

    def __init__(self, network: RiverNetwork, dt: float, *, cores: int = 2) -> None:
        self.network, self.dt, self.cores = network, dt, cores
        element, rank = np.arange(network.size), np.zeros(network.size, np.int64)
        for each in network.coupled:
            element[list(each.reaches)] = each.reaches[0]
            rank[list(each.reaches)] = np.arange(len(each.reaches))
        order = arrange(network.source, network.target, network.kind, element, rank, cores)
        if isinstance(order, int):
            raise BadInput(f"water runs in a circle through reach {network.codes[order]}; mend what lies below it")
        self.order, self.runs = order.order, order.runs
        self.place = np.empty(network.size, np.int64)
        self.place[self.order] = np.arange(network.size)
        self._kind = network.kind[self.order]
        self._plan = _plan(network, dt, self.order, self.place)

    def run(
        self,
        state: RiverState,
        lateral: Floats,
        *,
        keep: Sequence[int] | Places | None = None,
        release: Floats | None = None,
        times: Sequence[str] = (),
    ) -> tuple[Floats, RiverState]:
        """Outflow (kept, members, steps) [m3/s] at the end of each step, and the state after the last.

        lateral: (n, members, steps) mean inflow along each reach [m3/s], what runs off the land; keep: (kept,) reaches
        to hand back, by default all; release: (pools, steps) [m3/s] of pools that are operated, NaN where one follows
        its curve; times: names of the steps for a failure. Raises BadInput where shapes differ, ModelFailed where a
        step's balance does not close: in which reach, when, and by how much.
        """
        count, members, steps = lateral.shape
        if count != self.network.size or state.values.shape != (count, members, 3):
            raise BadInput(
                f"lateral inflow is of shape {lateral.shape} and the state {state.values.shape}; "
                f"both need {self.network.size} reaches and one number of members"
            )
        rows = count * members
        fields = Fields(
            np.ascontiguousarray(lateral, np.float64).reshape(rows, steps),
            np.full((len(self.network.pools), steps), np.nan) if release is None else np.asarray(release, np.float64),
            np.empty((rows, steps)),
            np.ascontiguousarray(state.values[self.order]).reshape(rows, 3),
            np.full(rows, -1),
            np.zeros(rows),
        )
        self._sweep(fields, members)
        self._heed(fields, members, times)
        kept = self.place if keep is None else self.place[np.asarray(keep, np.int64)]
        after = np.empty_like(state.values)
        after[self.order] = fields.state.reshape(count, members, 3)
        return fields.flow.reshape(count, members, steps)[kept], RiverState(after)

    def steady(self, lateral: Floats) -> RiverState:
        """The state in which `lateral`, (n, members) [m3/s] and not negative, has flowed for ever."""
        network, plan, members = self.network, self._plan, lateral.shape[1]
        ordered = np.ascontiguousarray(lateral[self.order], np.float64)
        state = np.empty((network.size, members, 3))
        kernels.steady_channels(plan, ordered, state)
        for pool in network.pools:
            place = self.place[pool.reach]
            state[place, :, HELD] = _along(state[place, :, OUT], pool)
        for each in network.coupled:
            places = self.place[list(each.reaches)]
            for member in range(members):
                passing, z = state[places, member, OUT], np.empty(len(places))
                steady_levels(z, passing, plan.down[places], each.cell, each.link, each.rating)
                state[places, member, HELD] = kernels.held_at(plan, places, z)
            inner = np.isin(network.source, each.reaches) & np.isin(network.target, each.reaches)
            for source, target in zip(network.source[inner], network.target[inner], strict=True):
                state[self.place[target], :, BEFORE] -= state[self.place[source], :, OUT]
        after = np.empty_like(state)
        after[self.order] = state
        return RiverState(after)

    def water(self, state: RiverState) -> float:
        """Water within the network, all members together [m3]."""
        rows = np.ascontiguousarray(state.values[self.order]).reshape(-1, 3)
        return float(kernels.water(self._plan, self._kind, rows, state.values.shape[1]))

    def levels(self, state: RiverState, reaches: Sequence[int]) -> Floats:
        """Levels (reaches, members) [m] of coupled reaches."""
        rows = np.ascontiguousarray(state.values[self.order]).reshape(-1, 3)
        return np.asarray(kernels.levels(self._plan, rows, state.values.shape[1], self.place[list(reaches)]))

    def _sweep(self, fields: Fields, members: int) -> None:
        """The parts of the tree at once, then the trunk."""
        *parts, trunk = self.runs if len(self.runs) > 1 else ((), self.runs[0])
        if len(self.runs) > 1 and self.cores > 1:
            with ThreadPoolExecutor(self.cores) as pool:
                list(pool.map(lambda part: kernels.sweep(self._plan, part, fields, members), parts))
        kernels.sweep(self._plan, trunk, fields, members)

    def _heed(self, fields: Fields, members: int, times: Sequence[str]) -> None:
        failed = np.flatnonzero(fields.bad >= 0)
        if not len(failed):
            return
        row = int(failed[np.argmin(fields.bad[failed])])
        at, reach = int(fields.bad[row]), int(self.order[row // members])
        when = times[at] if len(times) else f"step {at}"
        raise ModelFailed(
            f"reach {self.network.codes[reach]}, member {row % members}: the water balance misses by "
            f"{fields.miss[row]:.6g} m3 at {when}; look for missing inflow, a withdrawal of more than there is, or a "
            "reach too small for the step"
        )


def _plan(network: RiverNetwork, dt: float, order: Places, place: Places) -> Plan:
    """The arrays of a network in the order in which it is run."""
    count = network.size
    by_target = np.lexsort((network.source, place[network.target]))  # sums do not depend on the order
    links = np.bincount(place[network.target], minlength=count)
    own = np.full(count, -1)
    down, cell, link, rating = np.full(count, -1), np.zeros((count, 3)), np.zeros((count, 4)), np.zeros((count, 3))
    for number, pool in enumerate(network.pools):
        own[place[pool.reach]] = number
    for each in network.coupled:
        places = place[list(each.reaches)]
        cell[places], link[places], rating[places[-1]] = each.cell, each.link, each.rating
        for reach in each.reaches[:-1]:
            down[place[reach]] = place[network.target[network.source == reach][0]] - places[0]
    return Plan(
        first=np.concatenate([[0], np.cumsum(links)]).astype(np.int64),
        source=place[network.source[by_target]],
        share=np.asarray(network.share, np.float64)[by_target],
        lateral=order,
        law=network.law[order] * [dt, 1.0, 1.0, 1.0],
        own=own,
        curve_first=np.cumsum([0, *(len(each.storages) for each in network.pools)]).astype(np.int64),
        storages=np.concatenate([np.empty(0), *(each.storages for each in network.pools)]).astype(np.float64),
        outflows=np.concatenate([np.empty(0), *(each.outflows for each in network.pools)]).astype(np.float64),
        down=down,
        cell=cell,
        link=link,
        rating=rating,
        dt=float(dt),
    )


def _along(flow: Floats, pool: Pool) -> Floats:
    """Water [m3] of a pool from which `flow` (members,) [m3/s] runs; beyond its curve the last stretch goes on."""
    q, s = pool.outflows, pool.storages
    place = np.clip(np.searchsorted(q, flow), 1, len(q) - 1)
    rise = np.maximum(q[place] - q[place - 1], 1e-300)
    return np.asarray(s[place - 1] + (flow - q[place - 1]) / rise * (s[place] - s[place - 1]), np.float64)
