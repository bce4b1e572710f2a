"""How members differ, and what a schedule does to each: the linear river run outside of any solver.

Because releases are common to all members, the flow at a junction and the storage of a dam are those of the mean member
plus an offset that depends on the member alone. `offsets` finds them, `simulate` runs a schedule out for every member
by the same laws, and so checks what the solver claims.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from liuyu.outlook.plan.optimise.problem import Dam, Floats, Link, Problem


@dataclass(frozen=True, slots=True)
class Offsets:
    """By code, (members, steps): of the flow at junctions [m3/s], of the storage of dams at the end of steps [m3]."""

    flow: Mapping[str, Floats]
    storage: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Course:
    """A schedule run out: release by dam (steps,) [m3/s]; storage by dam and flow by junction, each (members, steps);
    error: the largest that a dam's water balance fails to close by, as a share of the water that passed."""

    release: Mapping[str, Floats]
    storage: Mapping[str, Floats]
    flow: Mapping[str, Floats]
    error: float


def routed(link: Link, flow: Floats, before: float | None = None) -> Floats:
    """What arrives of a flow (..., steps) over a link; `before` holds where the link tells nothing of the past."""
    steps = flow.shape[-1]
    reach = len(link.kernel) - 1
    past = np.array(link.before if link.before else ([before] if before is not None else [0.0]), np.float64)
    past = np.concatenate([np.full(max(reach - len(past), 0), past[0]), past])[-reach:] if reach else past[:0]
    full = np.concatenate([np.broadcast_to(past, (*flow.shape[:-1], reach)), flow], axis=-1)
    out = np.zeros_like(flow)
    for delay, share in enumerate(link.kernel):
        out += share * full[..., reach - delay : reach - delay + steps]
    return out


def keep(dam: Dam, start: float, net: Floats, step: float) -> Floats:
    """Storage at the end of each step [m3] for a net inflow (..., steps) [m3/s], evaporation by the mean storage."""
    rate, loss = dam.evaporation
    half = 0.5 * rate * step
    out = np.empty_like(net)
    held = np.full(net.shape[:-1], start)
    for t in range(net.shape[-1]):
        held = ((1 - half) * held + step * (net[..., t] - loss)) / (1 + half)
        out[..., t] = held
    return out


def offsets(problem: Problem) -> Offsets:
    """The part of each member that no release changes: its difference from the mean of all members."""
    leaving: dict[str, Floats] = {}
    flow: dict[str, Floats] = {}
    storage: dict[str, Floats] = {}
    nothing = np.zeros((problem.members, problem.steps))
    dams = {each.code: each for each in problem.dams}
    for code in problem.order:
        outside = problem.from_outside(code)
        arriving = outside - outside.mean(axis=0)
        for link in problem.arriving(code):
            bare = Link(source=link.source, target=link.target, kernel=link.kernel)
            arriving = arriving + routed(bare, leaving[link.source])
        if code in dams:
            still = dams[code]
            storage[code] = keep(_lossless(still), 0.0, arriving, problem.step)
            leaving[code] = nothing
        else:
            flow[code] = leaving[code] = arriving
    return Offsets(flow, storage)


def simulate(problem: Problem, release: Mapping[str, Floats]) -> Course:
    """Run a schedule out for every member."""
    leaving: dict[str, Floats] = {}
    storage: dict[str, Floats] = {}
    flow: dict[str, Floats] = {}
    error = 0.0
    dams = {each.code: each for each in problem.dams}
    for code in problem.order:
        arriving = problem.from_outside(code).copy()
        for link in problem.arriving(code):
            before = dams[link.source].release if link.source in dams else None
            arriving += routed(link, leaving[link.source], before)
        if code in dams:
            out = np.broadcast_to(release[code], arriving.shape)
            storage[code] = keep(dams[code], dams[code].storage, arriving - out, problem.step)
            error = max(error, _imbalance(dams[code], storage[code], arriving, out, problem.step))
            leaving[code] = out
        else:
            flow[code] = leaving[code] = arriving
    return Course(dict(release), storage, flow, error)


def _lossless(dam: Dam) -> Dam:
    """The same dam without its constant loss: offsets are differences."""
    return Dam(code=dam.code, storage=0.0, storage_range=dam.storage_range, evaporation=(dam.evaporation[0], 0.0))


def _imbalance(dam: Dam, storage: Floats, arriving: Floats, leaving: Floats, step: float) -> float:
    """Volume in less volume out less what is stored more, as a share of the volume in and held."""
    rate, loss = dam.evaporation
    held = np.concatenate([np.full((len(storage), 1), dam.storage), storage], axis=1)
    lost = step * (loss + rate * 0.5 * (held[:, 1:] + held[:, :-1]))
    gap = (step * (arriving - leaving) - lost).sum(axis=1) - (held[:, -1] - held[:, 0])
    passed = step * np.abs(arriving).sum(axis=1) + np.abs(held[:, 0]) + np.abs(held[:, -1])
    return float((np.abs(gap) / np.maximum(passed, 1.0)).max())
