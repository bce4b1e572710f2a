"""What a release schedule must decide: dams and junctions joined by links, what flows in, and what is wanted.

A problem is plain data in SI units: storage in m3, flow in m3/s, level in m, one step of `step` seconds after another.
One schedule of releases is sought for all members of the forecast, for it must be ordered before anyone knows which
member will come true. Everything that is routed here is linear (links hand water on with fixed delays), so a member
differs from the mean by an offset that no release can change; that is what keeps fifty members as cheap as one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput

Floats = NDArray[np.float64]
Curve = tuple[tuple[float, float], ...]
Kind = Literal[
    "flow_below",
    "flow_above",
    "storage_below",
    "storage_above",
    "end_storage",
    "smooth",
    "peak",
    "energy",
]
Members = Literal["mean", "worst", "middle"]
FOREVER = float("inf")


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place in the network: its code, and its names where it has any."""

    code: str
    name: str = ""
    name_en: str = ""


class Dam(Site, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reservoir as the optimiser sees it.

    storage: at the start [m3]; storage_range: hard limits [m3] that every member must keep. release: before the first
    step [m3/s]; release_range [m3/s]; ramp: most change down and up [m3/s per step]. curve: level [m] and storage [m3],
    rising. capacity: storage [m3] and the most that can be let out there [m3/s], concave. turbine: most flow that makes
    power [m3/s]; tail: level of the tailwater [m]. evaporation: rate constant [1/s] and constant loss [m3/s].
    """

    storage: float
    storage_range: tuple[float, float]
    release: float = 0.0
    release_range: tuple[float, float] = (0.0, FOREVER)
    ramp: tuple[float, float] = (FOREVER, FOREVER)
    curve: Curve = ()
    capacity: Curve = ()
    turbine: float = 0.0
    tail: float = 0.0
    evaporation: tuple[float, float] = (0.0, 0.0)


class Junction(Site, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place where water is only counted: a confluence or a gauge.

    What it counts is flow [m3/s], unless `unit` is "m": then its links bear metres per m3/s and its inflow is a level.
    """

    unit: Literal["m3/s", "m"] = "m3/s"


class Link(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reach: the flow that leaves `source` arrives at `target` in shares, kernel[j] after j steps.

    before: flow that left `source` in the steps before the first, newest last [m3/s]; where short, its first is held.
    """

    source: str
    target: str
    kernel: tuple[float, ...] = (1.0,)
    before: tuple[float, ...] = ()


class Goal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that is wanted, in order of `priority` (1 first), weighed by `weight` within a priority.

    `at` names a dam or a junction; a flow at a dam is its release. `value` is the limit or target, m3/s for flows and
    m3 for storages, in steps [first, last); `further` are lines beyond it with weights of their own (the first's is 1),
    so that a long way over costs more than in proportion. members: the mean of the members' excess, the worst member's,
    or that of the middle course, the mean of all members: what is decided anew every few hours need not fear today what
    only the wettest member brings next week.
    end_storage strays to neither side; `peak` lowers the highest excess above `value`; `smooth` lowers the sum of
    changes of release; `energy` raises the power of the turbines. A hard goal is a limit, kept before all others.
    """

    kind: Kind
    at: str
    value: float = 0.0
    further: tuple[tuple[float, float], ...] = ()
    priority: int = 1
    weight: float = 1.0
    members: Members = "mean"
    first: int = 0
    last: int | None = None
    hard: bool = False
    name: str = ""
    name_en: str = ""


@dataclass(frozen=True)
class Problem:
    """Dams, junctions and links without a circle; inflow: from outside, (members, steps) [m3/s], by code; goals."""

    step: float
    dams: tuple[Dam, ...]
    junctions: tuple[Junction, ...] = ()
    links: tuple[Link, ...] = ()
    inflow: Mapping[str, Floats] = field(default_factory=dict)
    goals: tuple[Goal, ...] = ()

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            raise BadInput("; ".join(faults))

    @cached_property
    def steps(self) -> int:
        """How many steps are decided."""
        return int(next(iter(self.inflow.values())).shape[1])

    @cached_property
    def members(self) -> int:
        """How many members the inflow has."""
        return int(next(iter(self.inflow.values())).shape[0])

    @cached_property
    def dam_place(self) -> dict[str, int]:
        """Place of each dam by its code."""
        return {each.code: place for place, each in enumerate(self.dams)}

    @cached_property
    def junction_place(self) -> dict[str, int]:
        """Place of each junction by its code."""
        return {each.code: place for place, each in enumerate(self.junctions)}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """Codes from up to down the river. Raises BadInput where links run in a circle."""
        waiting = {code: {each.source for each in self.links if each.target == code} for code in self.codes}
        out: list[str] = []
        while waiting:
            free = [code for code, above in waiting.items() if not above & waiting.keys()]
            if not free:
                raise BadInput(f"links run in a circle among {', '.join(waiting)}; water flows down alone")
            out += free
            waiting = {code: above for code, above in waiting.items() if code not in free}
        return tuple(out)

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Codes of all dams and junctions."""
        return tuple(each.code for each in self.sites)

    @cached_property
    def sites(self) -> tuple[Site, ...]:
        """All dams and junctions."""
        return (*self.dams, *self.junctions)

    def arriving(self, code: str) -> tuple[Link, ...]:
        """Links that end at a place."""
        return tuple(each for each in self.links if each.target == code)

    def from_outside(self, code: str) -> Floats:
        """Inflow from outside at a place, (members, steps) [m3/s], 0 where none is given."""
        found = self.inflow.get(code)
        return found if found is not None else np.zeros((self.members, self.steps))

    def named(self, code: str, language: str) -> str:
        """The name of a place in a language, its code where it has none."""
        found = next(each for each in self.sites if each.code == code)
        return (found.name if language == "zh" else found.name_en) or found.name or code


def _faults(problem: Problem) -> list[str]:
    """Everything that is wrong with a problem, each with its cure."""
    out: list[str] = []
    codes = problem.codes
    if not problem.dams:
        out.append("there is no dam; name at least one")
    if problem.step <= 0:
        out.append(f"step {problem.step:g} s is not positive; give seconds such as 3600")
    out += [f"code {code!r} stands twice; every place needs its own" for code in sorted(_doubles(codes))]
    for link in problem.links:
        lost = [code for code in (link.source, link.target) if code not in codes]
        out += [f"link {link.source} > {link.target}: no place {code!r}; known: {', '.join(codes)}" for code in lost]
        levels = any(each.code == link.target and each.unit == "m" for each in problem.junctions)
        if not levels and (min(link.kernel) < 0 or sum(link.kernel) > 1 + 1e-9):
            out.append(f"link {link.source} > {link.target}: shares {link.kernel} must be >= 0 and sum to at most 1")
    shapes = {each.shape for each in problem.inflow.values()}
    if len(shapes) != 1:
        out.append("inflow is missing or uneven; give (members, steps) of one shape for each place")
    out += [f"inflow at {code!r}: no such place" for code in problem.inflow if code not in codes]
    out += [
        f"inflow at {code!r} is no number at member and step {tuple(np.argwhere(~np.isfinite(each))[0])}; fill the gap"
        for code, each in problem.inflow.items()
        if not np.isfinite(each).all()
    ]
    for dam in problem.dams:
        out += _dam_faults(dam)
    for goal in problem.goals:
        out += _goal_faults(problem, goal)
    return out


def _dam_faults(dam: Dam) -> list[str]:
    out = []
    low, high = dam.storage_range
    if not low < high:
        out.append(f"dam {dam.code}: storage_range {low:g}..{high:g} is empty; the first must be the lower")
    if dam.release_range[0] > dam.release_range[1] or dam.release_range[0] < 0:
        out.append(f"dam {dam.code}: release_range {dam.release_range} is empty or below 0")
    if any(each < 0 for each in dam.ramp):
        out.append(f"dam {dam.code}: ramp {dam.ramp} is below 0; give the change in m3/s per step, down and up")
    for name in ("curve", "capacity"):
        points = np.array(getattr(dam, name)).reshape(-1, 2)
        if len(points) == 1 or (np.diff(points, axis=0)[:, 0] <= 0).any():
            out.append(f"dam {dam.code}: {name} must rise and have two points at least")
    points = np.array(dam.capacity).reshape(-1, 2)
    if len(points) > 2:
        slope = np.diff(points[:, 1]) / np.diff(points[:, 0])
        bent = np.flatnonzero(np.diff(slope) > 1e-9 * np.abs(slope).max())
        if len(bent):
            out.append(
                f"dam {dam.code}: capacity bends upward at storage {points[bent[0] + 1, 0]:g}; it must be concave"
            )
    return out


def _goal_faults(problem: Problem, goal: Goal) -> list[str]:
    out = []
    is_dam = goal.at in [each.code for each in problem.dams]
    if goal.at not in problem.codes:
        out.append(f"goal {goal.kind}: no place {goal.at!r}; known: {', '.join(problem.codes)}")
    elif not is_dam and goal.kind in ("storage_below", "storage_above", "end_storage", "smooth", "energy"):
        out.append(f"goal {goal.kind} at {goal.at!r}: that is no dam; it stores and releases nothing")
    steps = next((each.shape[1] for each in problem.inflow.values() if each.ndim == 2), 0)
    if steps and not len(range(steps)[goal.first : goal.last]):
        out.append(f"goal {goal.kind} at {goal.at!r}: no step of {steps} lies in [{goal.first}, {goal.last}); widen it")
    if goal.weight <= 0:
        out.append(f"goal {goal.kind} at {goal.at!r}: weight {goal.weight:g} must be above 0")
    if goal.hard and goal.kind not in ("flow_below", "flow_above", "storage_below", "storage_above"):
        out.append(f"goal {goal.kind} at {goal.at!r} cannot be hard; flows and storages can")
    return out


def _doubles(codes: tuple[str, ...]) -> set[str]:
    return {code for code in codes if codes.count(code) > 1}
