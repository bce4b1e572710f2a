"""Conditions over columns: which level of a rule holds in each row, strictly and with its hysteresis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.assessments import TRENDS, Assessments, SeriesIndex
from liuyu.basin.places import Basin
from liuyu.monitor.alert.language import Level, Match, Rule, Test

_SIGN = {name: sign for sign, name in TRENDS.items()}


def watched(match: Match, basin: Basin, index: SeriesIndex) -> NDArray[np.bool_]:
    """The series that a rule watches: (len(index),) bool."""
    found = np.zeros(len(index), np.bool_)
    reports = {each.station: each.code for each in basin.reservoirs}
    having = {(each.station, each.quantity) for each in basin.thresholds if each.kind == match.threshold}
    for station in basin.stations:
        reservoir = reports.get(station.code, "")
        place = index.place(station.code, match.quantity)
        found[place] |= place >= 0 and (
            (not match.threshold or (station.code, match.quantity) in having)
            and (not match.stations or station.code in match.stations)
            and (not match.rivers or station.river in match.rivers)
            and (not match.reservoirs or reservoir in match.reservoirs or bool(reservoir and "*" in match.reservoirs))
            and (not match.kinds or station.kind in match.kinds)
            and (not match.rank or station.rank <= match.rank)
        )
    return found


def highest(rule: Rule, assessed: Assessments, rows: NDArray[np.int64], *, relaxed: bool) -> NDArray[np.int8]:
    """The highest level (from 1; 0 none) that holds in each row: (n,). Relaxed, every test is eased by its slack."""
    found = np.zeros(len(rows), np.int8)
    for number, level in enumerate(rule.levels, 1):
        found[_any(level, rule, assessed, rows, relaxed)] = number
    return found


def met(level: Level, rule: Rule, assessed: Assessments, row: int) -> tuple[Test, ...]:
    """The conditions of a level that hold in a row; with hysteresis where none holds strictly."""
    at = np.array([row], np.int64)
    for relaxed in (False, True):
        found = tuple(test for test in level.when if bool(_all(test, rule, assessed, at, relaxed)[0]))
        if found:
            return found
    return ()


def _any(level: Level, rule: Rule, assessed: Assessments, rows: NDArray[np.int64], relaxed: bool) -> NDArray[np.bool_]:
    found = np.zeros(len(rows), np.bool_)
    for test in level.when:
        found |= _all(test, rule, assessed, rows, relaxed)
    return found


def _all(test: Test, rule: Rule, assessed: Assessments, rows: NDArray[np.int64], relaxed: bool) -> NDArray[np.bool_]:
    """Where every test of a table holds. A comparison with NaN (unknown) never does."""
    found = np.ones(len(rows), np.bool_)
    slack, back = (test.slack, rule.clear_below) if relaxed else (0.0, 0.0)
    if test.above:
        found &= _margin(test.above, assessed, rows) >= test.by - back
    if test.below:
        found &= _margin(test.below, assessed, rows) <= back - test.by
    if test.value_above is not None:
        found &= assessed.batch.value[rows] >= test.value_above - back
    if test.value_below is not None:
        found &= assessed.batch.value[rows] <= test.value_below + back
    if test.rising is not None:
        found &= assessed.tendency[rows] >= test.rising - slack
    if test.falling is not None:
        found &= assessed.tendency[rows] <= slack - test.falling
    if test.return_period is not None:
        found &= assessed.return_period[rows] >= test.return_period - slack
    if test.trend:
        found &= assessed.trend[rows] == _SIGN[test.trend]
    return found


def _margin(kind: str, assessed: Assessments, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    if kind not in assessed.kinds:
        return np.full(len(rows), np.nan)
    found: NDArray[np.float64] = assessed.margins[rows, assessed.kinds.index(kind)]
    return found
