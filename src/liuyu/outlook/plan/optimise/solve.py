"""Goals in order of priority: each is made as good as it can be, and then held while the next one is sought.

Before the first, limits that cannot be kept give way by as little as possible, and the schedule is called infeasible.
The mean penalty over members is a convex function of one column, made of as many straight pieces as there are members
and lines; pieces are added where the solution needs them, so that the program stays as small as that of one member.
Source of the method: Kelley (1960), cutting planes; solver: HiGHS (Huangfu and Hall 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from liuyu.basin.errors import ModelFailed
from liuyu.outlook.plan.optimise.highs import FEASIBLE, Solver
from liuyu.outlook.plan.optimise.members import Course, simulate
from liuyu.outlook.plan.optimise.problem import Floats, Goal, Problem
from liuyu.outlook.plan.optimise.program import Hinge, Limit, Places, Program

CLOSE = 1e-5  # the share by which a priority may end above its best
LOOSE = 1e-4  # room for the search where limits had to give way, as a share of the size of things
HELD = 1e-5  # the share by which a later priority may undo an earlier one
MET = 1e-6  # what of a penalty counts as nothing, as a share of the size of things
UNDONE = 1e-4  # by how much in all, in the same terms, later priorities may see a held penalty too low
ROUNDS = 60


@dataclass(frozen=True, slots=True)
class Reached:
    """How far one goal was met: its penalty in each step (n,), in SI units, and their sum (of a peak, the largest)."""

    goal: Goal
    excess: Floats
    total: float


@dataclass(frozen=True, slots=True)
class GivenWay:
    """A hard limit that could not be kept: by how much in each step, [m3/s], [m3] or [m]."""

    limit: Limit
    amount: Floats


@dataclass(frozen=True, slots=True)
class Answer:
    """A schedule: its course for every member, whether every hard limit is kept, what gave way, how far goals are met.

    objective: by priority, the weighted sum that was minimised. prices: by priority, the dual of every limit's rows.
    cuts: pieces that were added.
    """

    course: Course
    feasible: bool
    given_way: tuple[GivenWay, ...]
    reached: tuple[Reached, ...]
    objective: Mapping[int, float]
    prices: Mapping[int, tuple[tuple[Limit, Floats], ...]]
    cuts: int


@dataclass(frozen=True, slots=True)
class _Part:
    """One goal in the program: its hinges, and the columns and coefficients that its penalty sums."""

    priority: int
    goal: Goal
    hinges: tuple[Hinge, ...]
    columns: Places
    costs: Floats


def solve(problem: Problem, *, weighted: bool = False) -> Answer:
    """The best schedule of a problem, in order of priority, or with all goals in one weighted sum.

    Raises ModelFailed where the solver gives up.
    """
    return _Search(problem, weighted=weighted).answer()


class _Search:
    """One search: the program in the solver, its goals, and what has been held so far."""

    def __init__(self, problem: Problem, *, weighted: bool) -> None:
        self.problem = problem
        self.program = Program(problem)
        soft = [goal for goal in problem.goals if not goal.hard]
        self.parts = [self._part(goal, 1 if weighted else goal.priority) for goal in soft]
        for part in self.parts:
            for hinge in part.hinges:
                self._first_pieces(hinge)
        self.solver = Solver(self.program)
        self.cuts = 0

    def answer(self) -> Answer:
        """Solve priority by priority."""
        x, amounts = self._give_way()
        objective: dict[int, float] = {}
        prices: dict[int, tuple[tuple[Limit, Floats], ...]] = {}
        for priority in sorted({each.priority for each in self.parts}):
            here = [each for each in self.parts if each.priority == priority]
            columns = np.concatenate([each.columns for each in here])
            if self._met(here, x):
                objective[priority], prices[priority] = 0.0, ()
                self.solver.bound(columns, MET * self.solver.unit[columns])
                continue
            costs = np.concatenate([each.goal.weight * each.costs for each in here])
            x, best = self._best(columns, costs, here)
            objective[priority] = best
            prices[priority] = tuple((limit, self.solver.prices(limit.rows)) for limit in self.program.limits)
            self._hold(columns, costs, best)
        return self._told(x, amounts, objective, prices)

    # what goals cost

    def _part(self, goal: Goal, priority: int) -> _Part:
        program = self.program
        if goal.kind == "smooth":
            return _Part(priority, goal, (), *self._changes(goal))
        if goal.kind == "energy":
            return _Part(priority, goal, (), *self._power(goal))
        if goal.kind == "end_storage":
            both = tuple(program.hinge(goal, sign, slice(-1, None)) for sign in (1, -1))
            return _Part(priority, goal, both, np.concatenate([each.excess for each in both]), np.ones(2))
        hinge = program.hinge(goal, program.quantity(goal)[2])
        if goal.kind == "peak":
            top = program.columns.add(1, 0.0, np.inf, program.columns.unit_of(hinge.excess))
            program.rows.add([(hinge.excess, 1.0), (np.repeat(top, len(hinge.excess)), -1.0)], -np.inf, 0.0)
            return _Part(priority, goal, (hinge,), top, np.ones(1))
        return _Part(priority, goal, (hinge,), hinge.excess, np.ones(len(hinge.excess)))

    def _changes(self, goal: Goal) -> tuple[Places, Floats]:
        release = self.program.columns.release[goal.at][goal.first : goal.last]
        size = len(release) - 1
        change = self.program.columns.add(size, 0.0, np.inf, self.program.flow_unit)
        for sign in (1.0, -1.0):
            self.program.rows.add([(release[1:], sign), (release[:-1], -sign), (change, -1.0)], -np.inf, 0.0)
        return change, np.ones(size)

    def _power(self, goal: Goal) -> tuple[Places, Floats]:
        """Flow through turbines, worth the head at the storage at the start: 9.81e-3 x 0.9 x head x flow [MW]."""
        dam = self.problem.dams[self.problem.dam_place[goal.at]]
        level, held = np.array(dam.curve).T if dam.curve else (np.array([100.0, 100.0]), np.array([0.0, 1.0]))
        head = max(float(np.interp(dam.storage, held, level)) - dam.tail, 1.0)
        release = self.program.columns.release[goal.at][goal.first : goal.last]
        turbine = self.program.columns.add(len(release), 0.0, dam.turbine or np.inf, self.program.flow_unit)
        self.program.rows.add([(turbine, 1.0), (release, -1.0)], -np.inf, 0.0)
        return turbine, np.full(len(release), -9.81e-3 * 0.9 * head)

    def _first_pieces(self, hinge: Hinge) -> None:
        size = len(hinge.ranked)
        for count in sorted({1, max(size // 4, 1), max(size // 2, 1), size}):
            slope, right = hinge.piece(np.full(len(hinge.columns), count), slice(None))
            self.program.rows.add([(hinge.excess, 1.0), (hinge.columns, -hinge.sign * slope)], right, np.inf)

    # the search

    def _give_way(self) -> tuple[Floats, list[Floats]]:
        """Let hard limits give way by the least sum, and hold them there; all zero where the problem has a solution."""
        slack = np.concatenate([each.slack for each in self.program.limits])
        unit = self.solver.unit[slack]
        self.solver.minimise(slack, 1.0 / unit)
        x = self.solver.run(fresh=False)
        amounts = [np.where(x[each.slack] > self._slight(each), x[each.slack], 0.0) for each in self.program.limits]
        loose = LOOSE if any(each.any() for each in amounts) else 10 * FEASIBLE  # no room at all is hard to search
        self.solver.bound(slack, x[slack] * (1 + loose) + loose * unit)
        return x, amounts

    def _met(self, here: Sequence[_Part], x: Floats) -> bool:
        """True where the schedule found so far misses none of these goals, so that there is nothing to search."""
        return all(
            part.hinges and all(self._excess(hinge, x).max() <= MET * self._unit(hinge) for hinge in part.hinges)
            for part in here
        )

    def _best(self, columns: Places, costs: Floats, here: Sequence[_Part]) -> tuple[Floats, float]:
        """Minimise a sum of penalties, with pieces added until none is missing, neither of these goals nor of those
        held already; the columns, and the true value."""
        held = [each for each in self.parts if each.priority < here[0].priority]
        self.solver.minimise(columns, costs)
        for tried in range(ROUNDS):
            x = self.solver.run(fresh=tried == 0)
            missing = sum(each.goal.weight * self._refine(hinge, x) for each in here for hinge in each.hinges)
            undone = max(
                (self._refine(hinge, x) / self._unit(hinge) for each in held for hinge in each.hinges), default=0
            )
            value = float(costs @ x[columns])
            close = CLOSE * max(abs(value), 1e-3 * self._size(columns, costs))
            if missing <= close and undone <= UNDONE:
                return x, value + missing  # with the pieces of this round, for they are in the program now
        raise ModelFailed(f"the optimiser did not settle in {ROUNDS} rounds; give fewer goals of one priority")

    def _refine(self, hinge: Hinge, x: Floats) -> float:
        """Add the pieces that the solution lacks; returns the sum by which it was too low."""
        true, count = hinge.mean(x[hinge.columns])
        short = true - x[hinge.excess]
        where = np.flatnonzero(short > 10 * FEASIBLE * np.maximum(true, self._unit(hinge)))
        if not len(where):
            return 0.0
        slope, right = hinge.piece(count[where], where)
        columns = np.stack([hinge.excess[where], hinge.columns[where]], axis=1)
        values = np.stack([np.ones(len(where)), -hinge.sign * slope], axis=1)
        self.solver.add(columns, values, right, np.full(len(where), np.inf))
        self.cuts += len(where)
        return float(short[where].sum())

    def _hold(self, columns: Places, costs: Floats, best: float) -> None:
        """A later priority may not undo what this one reached."""
        unique, place = np.unique(columns, return_inverse=True)
        summed = np.asarray(np.bincount(place, costs), np.float64)
        self.solver.hold(unique, summed, best, HELD, self._size(columns, costs))

    def _excess(self, hinge: Hinge, x: Floats) -> Floats:
        """The true penalty of each step."""
        return hinge.mean(x[hinge.columns])[0]

    def _unit(self, hinge: Hinge) -> float:
        """The size of what a hinge is about."""
        return float(self.solver.unit[hinge.excess[0]])

    def _size(self, columns: Places, costs: Floats) -> float:
        """What counts as one in a sum of penalties."""
        return float(np.abs(costs * self.solver.unit[columns]).max())

    def _slight(self, limit: Limit) -> Floats:
        """What counts as nothing, a hundred-thousandth of the size of things here."""
        return 1e-5 * self.solver.unit[limit.slack]

    # what came of it

    def _told(
        self,
        x: Floats,
        amounts: list[Floats],
        objective: Mapping[int, float],
        prices: Mapping[int, tuple[tuple[Limit, Floats], ...]],
    ) -> Answer:
        release = {
            each.code: np.clip(x[self.program.columns.release[each.code]], *each.release_range)
            for each in self.problem.dams
        }
        pairs = zip(self.program.limits, amounts, strict=True)
        given = tuple(GivenWay(limit, amount) for limit, amount in pairs if amount.any())
        reached = []
        for part in self.parts:
            excess = part.costs * x[part.columns]
            if part.hinges:
                excess = np.sum([self._excess(hinge, x) for hinge in part.hinges], axis=0)
            total = excess.max() if part.goal.kind == "peak" else excess.sum()
            reached.append(Reached(part.goal, excess, float(total)))
        return Answer(simulate(self.problem, release), not given, given, tuple(reached), objective, prices, self.cuts)
