"""The linear program of a problem: columns, rows and hinges, before any solver sees it.

Everything is in SI units; each column says what size its values have, for whoever solves it. The columns are, for each
step, the release and the storage of each dam, the flow at each junction (all of the mean member), and how far each
hard limit has to give way (zero unless the problem has no solution).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from liuyu.outlook.plan.optimise.members import Offsets, offsets, routed
from liuyu.outlook.plan.optimise.problem import Dam, Floats, Goal, Problem

Places = NDArray[np.int64]


@dataclass
class Rows:
    """Rows of a linear program as they are gathered: lower <= sum of coefficient x column <= upper."""

    row: list[Places] = field(default_factory=list)
    column: list[Places] = field(default_factory=list)
    value: list[Floats] = field(default_factory=list)
    lower: list[Floats] = field(default_factory=list)
    upper: list[Floats] = field(default_factory=list)
    count: int = 0

    def add(self, terms: list[tuple[Places, Floats | float]], lower: Floats | float, upper: Floats | float) -> Places:
        """As many rows as the longest of the terms; each term is columns (n,), negative for none, and coefficients."""
        size = max(len(columns) for columns, _ in terms)
        rows = np.arange(self.count, self.count + size)
        for columns, coefficient in terms:
            there = columns >= 0
            self.row.append(rows[there])
            self.column.append(columns[there])
            self.value.append(np.broadcast_to(np.asarray(coefficient, np.float64), columns.shape)[there])
        self.lower.append(np.broadcast_to(np.asarray(lower, np.float64), (size,)).copy())
        self.upper.append(np.broadcast_to(np.asarray(upper, np.float64), (size,)).copy())
        self.count += size
        return rows

    def packed(self) -> tuple[Floats, Floats, Places, Places, Floats]:
        """lower, upper, and the matrix by rows: starts (n + 1,), columns, coefficients; doubles are summed."""
        row, column = np.concatenate(self.row), np.concatenate(self.column)
        value = np.concatenate(self.value)
        key = row * (column.max() + 1) + column
        unique, place = np.unique(key, return_inverse=True)
        summed = np.bincount(place, value)
        keep = summed != 0.0
        rows = unique[keep] // (column.max() + 1)
        starts = np.searchsorted(rows, np.arange(self.count + 1))
        return (
            np.concatenate(self.lower),
            np.concatenate(self.upper),
            starts,
            unique[keep] % (column.max() + 1),
            summed[keep],
        )


class Columns:
    """Where each column of a problem stands, and its bounds."""

    def __init__(self, problem: Problem, flow_unit: float, volume_unit: float) -> None:
        steps = problem.steps
        self.lower: list[Floats] = []
        self.upper: list[Floats] = []
        self.unit: list[Floats] = []
        self.count = 0
        self.release = {each.code: self.add(steps, *each.release_range, flow_unit) for each in problem.dams}
        self.storage = {each.code: self.add(steps, -np.inf, np.inf, volume_unit) for each in problem.dams}
        self.flow = {
            each.code: self.add(steps, -np.inf, np.inf, 1.0 if each.unit == "m" else flow_unit)
            for each in problem.junctions
        }

    def add(self, size: int, lower: float, upper: float, unit: float) -> Places:
        """More columns with bounds and the size of their values; returns where they stand."""
        self.lower.append(np.full(size, lower))
        self.upper.append(np.full(size, upper))
        self.unit.append(np.full(size, unit))
        self.count += size
        return np.arange(self.count - size, self.count)

    def unit_of(self, columns: Places) -> float:
        """The size of the values of some columns of one kind."""
        return float(np.concatenate(self.unit)[columns[0]])

    def leaving(self, code: str) -> Places:
        """The columns of what leaves a place."""
        return self.release[code] if code in self.release else self.flow[code]


@dataclass(frozen=True, slots=True)
class Limit:
    """A hard limit: which columns (n,) it bounds from above (sign 1) or below (-1), and the columns by which it gives
    way, in the unit of those; `what` is its kind, `goal` the goal it comes from, if any."""

    what: str
    code: str
    sign: int
    columns: Places
    bound: Floats
    slack: Places
    rows: Places
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Hinge:
    """A penalty on columns (n,): for each member and each line of the goal, its weight x the excess over the line.

    ranked: (k, n) sign x (offset - line) of all members and lines, descending; slope, summed: (k, n) their weights, and
    weights x ranked, added up so far: so the mean penalty at x is the largest over j of slope[j] sign x + summed[j].
    excess: the columns that are to be no less than it.
    """

    goal: Goal
    sign: int
    columns: Places
    ranked: Floats
    slope: Floats
    summed: Floats
    excess: Places

    def mean(self, x: Floats) -> tuple[Floats, Places]:
        """The mean penalty at x (n,), and how many members and lines exceed there."""
        count = (self.sign * x + self.ranked > 0).sum(axis=0)
        slope, summed = self.piece(count, slice(None))
        return np.where(count > 0, slope * self.sign * x + summed, 0.0), count

    def piece(self, count: Places, where: Places | slice) -> tuple[Floats, Floats]:
        """The straight piece on which `count` exceed: its slope in sign x, and its value at 0."""
        last = np.maximum(count - 1, 0)[None]
        return (
            np.take_along_axis(self.slope[:, where], last, axis=0)[0],
            np.take_along_axis(self.summed[:, where], last, axis=0)[0],
        )


class Program:
    """The rows and columns of a problem. `limits` are what may have to give way; goals are added by `hinge`."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.offsets: Offsets = offsets(problem)
        self.flow_unit, self.volume_unit = _sizes(problem)
        self.columns = Columns(problem, self.flow_unit, self.volume_unit)
        self.rows = Rows()
        self.limits: list[Limit] = []
        for place in problem.order:
            self._balance(place)
        for dam in problem.dams:
            self._dam(dam)
        for goal in problem.goals:
            if goal.hard:
                self._hard(goal)

    def quantity(self, goal: Goal) -> tuple[Places, Floats, int]:
        """What a goal is about: columns, offsets (members, n) in the unit of the column, and its sign."""
        span = slice(goal.first, goal.last)
        stored = goal.kind in ("storage_below", "storage_above", "end_storage")
        if stored:
            columns, off = self.columns.storage[goal.at], self.offsets.storage[goal.at]
        elif goal.at in self.columns.release:
            columns = self.columns.release[goal.at]
            off = np.zeros((1, len(columns)))
        else:
            columns, off = self.columns.flow[goal.at], self.offsets.flow[goal.at]
        sign = -1 if goal.kind in ("flow_above", "storage_above") else 1
        return columns[span], off[:, span], sign

    def hinge(self, goal: Goal, sign: int, span: slice | None = None) -> Hinge:
        """The penalty of a goal, with its columns of excess; `span` picks steps of the goal's own."""
        columns, off, _ = self.quantity(goal)
        if span is not None:
            columns, off = columns[span], off[:, span]
        lines = np.array([(goal.value, 1.0), *goal.further])
        raw = sign * (off[None] - lines[:, 0, None, None])  # (lines, members, n)
        if goal.members == "worst":
            raw = raw.max(axis=1, keepdims=True)
        elif goal.members == "middle":
            raw = raw.mean(axis=1, keepdims=True)
        weight = np.repeat(lines[:, 1] / raw.shape[1], raw.shape[1])
        raw = raw.reshape(-1, len(columns))
        order = np.argsort(-raw, axis=0, kind="stable")
        ranked, weights = np.take_along_axis(raw, order, axis=0), weight[order]
        slope, summed = np.cumsum(weights, axis=0), np.cumsum(weights * ranked, axis=0)
        excess = self.columns.add(len(columns), 0.0, np.inf, self.columns.unit_of(columns))
        return Hinge(goal, sign, columns, ranked, slope, summed, excess)

    def _balance(self, code: str) -> None:
        """Water is kept: for a dam storage follows, for a junction flow is what arrives."""
        problem, columns = self.problem, self.columns
        dams = {each.code: each for each in problem.dams}
        known = problem.from_outside(code).mean(axis=0)
        steps = np.arange(problem.steps)
        terms: list[tuple[Places, Floats | float]] = []
        for link in problem.arriving(code):
            before = dams[link.source].release if link.source in dams else None
            known = known + routed(link, np.zeros(problem.steps), before)
            for delay, share in enumerate(link.kernel):
                source = columns.leaving(link.source)
                terms.append((np.where(steps >= delay, source[steps - delay], -1), share))
        if code in dams:
            self._store(dams[code], terms, known)
        else:
            self.rows.add([(columns.flow[code], 1.0), *[(c, -v) for c, v in terms]], known, known)

    def _store(self, dam: Dam, terms: list[tuple[Places, Floats | float]], known: Floats) -> None:
        step = self.problem.step
        half = 0.5 * dam.evaporation[0] * step
        storage, release = self.columns.storage[dam.code], self.columns.release[dam.code]
        previous = np.concatenate([[-1], storage[:-1]])
        right = step * (known - dam.evaporation[1])
        right[0] += (1 - half) * dam.storage
        self.rows.add(
            [(storage, 1 + half), (previous, -(1 - half)), (release, step), *[(c, -step * v) for c, v in terms]],
            right,
            right,
        )

    def _dam(self, dam: Dam) -> None:
        """The limits of a dam: ramps and outlets always, storage for every member as far as it can be."""
        release, storage = self.columns.release[dam.code], self.columns.storage[dam.code]
        down, up = dam.ramp
        if np.isfinite(down) or np.isfinite(up):
            previous = np.concatenate([[-1], release[:-1]])
            first = np.zeros(len(release))
            first[0] = dam.release
            self.rows.add([(release, 1.0), (previous, -1.0)], first - down, first + up)
        off = self.offsets.storage[dam.code]
        low, high = dam.storage_range
        self._limit("storage_high", dam.code, 1, storage, high - off.max(axis=0))
        self._limit("storage_low", dam.code, -1, storage, low - off.min(axis=0))
        before = np.concatenate([[-1], storage[:-1]])
        least = np.concatenate([[0.0], off.min(axis=0)[:-1]])
        for (x0, y0), (x1, y1) in zip(dam.capacity[:-1], dam.capacity[1:], strict=True):
            slope = (y1 - y0) / (x1 - x0)
            right = y0 + slope * (least - x0)
            right[0] += slope * dam.storage
            self._limit("capacity", dam.code, 1, release, right, [(before, -slope)])

    def _hard(self, goal: Goal) -> None:
        columns, off, sign = self.quantity(goal)
        bound = goal.value - (off.max(axis=0) if sign > 0 else off.min(axis=0))
        self._limit(goal.kind, goal.at, sign, columns, bound, goal=goal)

    def _limit(
        self,
        what: str,
        code: str,
        sign: int,
        columns: Places,
        bound: Floats,
        terms: list[tuple[Places, Floats | float]] | None = None,
        goal: Goal | None = None,
    ) -> None:
        slack = self.columns.add(len(columns), 0.0, np.inf, self.columns.unit_of(columns))
        parts = [(columns, 1.0), (slack, -float(sign)), *(terms or [])]
        rows = self.rows.add(parts, -np.inf if sign > 0 else bound, bound if sign > 0 else np.inf)
        self.limits.append(Limit(what, code, sign, columns, bound, slack, rows, goal))


def _sizes(problem: Problem) -> tuple[float, float]:
    """The size of flows [m3/s] and of volumes [m3] in a problem, as powers of ten."""
    flow = max(float(np.abs(each).max()) for each in problem.inflow.values())
    flow = max([flow, *(each.release for each in problem.dams)])
    size = 10.0 ** np.floor(np.log10(max(flow, 1e-3)))
    return float(size), float(10.0 ** np.round(np.log10(size * problem.step * 4)))
