"""HiGHS, quiet and the same on every run, in well-scaled units.

The program speaks SI: storages of 10^10 m3 beside levels of metres. The solver's tolerances are absolute, so it is
given every column in a unit of its own size and every row divided by its largest coefficient; outside nobody sees it.
"""

from __future__ import annotations

import highspy
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import ModelFailed
from liuyu.outlook.plan.optimise.problem import Floats
from liuyu.outlook.plan.optimise.program import Places, Program

FEASIBLE = 1e-7  # the solver's own tolerance, in scaled units
LOOSER = (1e-4, 1e-3)  # by which share what is held may be undone, where less leaves the solver no room
_DUAL, _PRIMAL = 1, 4


class _Quiet(highspy.Highs):
    """A solver that says nothing, from its very first line on."""

    def enableCallbacks(self) -> None:  # the first that its constructor calls, and the first that prints
        self.setOptionValue("output_flag", False)
        super().enableCallbacks()  # type: ignore[no-untyped-call]


class Solver:
    """A program that is solved again and again, with other costs and more rows."""

    def __init__(self, program: Program) -> None:
        lower, upper, starts, columns, values = program.rows.packed()
        self.unit = np.concatenate(program.columns.unit)
        values = values * self.unit[columns]
        rows = np.repeat(np.arange(len(lower)), np.diff(starts))
        size = np.zeros(len(lower))
        np.maximum.at(size, rows, np.abs(values))
        self._size = np.where(size > 0, size, 1.0)
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = program.columns.count, len(lower)
        lp.col_cost_ = np.zeros(program.columns.count)
        lp.col_lower_ = np.concatenate(program.columns.lower) / self.unit
        lp.col_upper_ = np.concatenate(program.columns.upper) / self.unit
        lp.row_lower_, lp.row_upper_ = lower / self._size, upper / self._size
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_ = starts, columns
        lp.a_matrix_.value_ = values / self._size[rows]
        self._highs = _Quiet()  # type: ignore[no-untyped-call]
        self._highs.setOptionValue("random_seed", 0)
        self._highs.passModel(lp)
        self._scale = 1.0
        self._rows = lp.num_row_
        self._held: list[tuple[int, float, float, float]] = []  # row, its size, best, what counts as one

    def minimise(self, columns: Places, costs: Floats) -> None:
        """What is to be least from now on: the sum of costs x columns; columns may stand twice."""
        cost = np.zeros(len(self.unit))
        np.add.at(cost, columns, costs * self.unit[columns])
        self._scale = float(np.abs(cost).max()) or 1.0
        self._highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost / self._scale)

    def run(self, *, fresh: bool) -> Floats:
        """Solve on from the last basis; `fresh` after other costs, which suit the primal simplex as new rows the dual.

        On 30 dams x 240 steps the primal after a change of costs is three to four times quicker than the dual. Where it
        loses its way the solver begins again from nothing, and where what is held leaves no room, it is loosened.
        Raises ModelFailed where that does not help either.
        """
        done = self._tried(_PRIMAL if fresh else _DUAL)
        if not done:
            self._highs.clearSolver()
            done = self._tried(_DUAL)
        for share in LOOSER:
            if done:
                break
            for row, size, best, one in self._held:
                self._highs.changeRowBounds(row, -np.inf, (best + share * max(abs(best), one)) / size)
            self._highs.clearSolver()
            done = self._tried(_DUAL)
        if not done:
            said = self._highs.modelStatusToString(self._highs.getModelStatus())
            raise ModelFailed(f"the optimiser ended with {said!r}; look for a goal without bound, such as energy alone")
        return np.asarray(self._highs.getSolution().col_value, np.float64) * self.unit

    def _tried(self, strategy: int) -> bool:
        self._highs.setOptionValue("simplex_strategy", strategy)
        self._highs.run()
        return bool(self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal)

    def hold(self, columns: Places, costs: Floats, best: float, share: float, one: float) -> None:
        """The sum of costs x columns (each once) may not exceed its best by more than a share of it, or of `one`."""
        size = float(np.abs(costs * self.unit[columns]).max())
        self._held.append((self._rows, size, best, one))
        self.add(columns[None], costs[None], np.array([-np.inf]), np.array([best + share * max(abs(best), one)]))

    def bound(self, columns: Places, upper: Floats) -> None:
        """Columns may lie between 0 and these from now on."""
        place = columns.astype(np.int32)
        self._highs.changeColsBounds(len(place), place, np.zeros(len(place)), upper / self.unit[columns])

    def add(self, columns: Places, values: Floats, lower: Floats, upper: Floats) -> None:
        """More rows: columns and values (rows, terms), lower and upper (rows,)."""
        scaled = values * self.unit[columns]
        size = np.abs(scaled).max(axis=1)
        rows, terms = columns.shape
        self._rows += rows
        starts = np.arange(0, rows * terms, terms, dtype=np.int32)
        flat = (scaled / size[:, None]).ravel()
        self._highs.addRows(
            rows, lower / size, upper / size, rows * terms, starts, columns.ravel().astype(np.int32), flat
        )

    def prices(self, rows: NDArray[np.int64]) -> Floats:
        """What one more unit of a row's bound is worth, in the unit of what is minimised."""
        dual = np.asarray(self._highs.getSolution().row_dual, np.float64)
        return np.asarray(dual[rows] * self._scale / self._size[rows], np.float64)
