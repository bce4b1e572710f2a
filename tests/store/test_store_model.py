"""The store against a dictionary: whatever is written, corrected, reflagged and archived, in any order."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Store, Version, Written
from tests.store.engines import Engine

ROSTER = Roster(("upper", "middle", "lower"))
QUANTITIES = (1, 2)
START = 1_596_153_600  # 2020-07-31 00:00 UTC: a month ends within what is written
HOURS = 72
STEP = 1200

places = st.tuples(st.integers(0, 2), st.sampled_from(QUANTITIES), st.integers(0, HOURS * 3600 // STEP - 1))
values = st.sampled_from([1.5, 2.25, 30.125, -4.0, 0.1, math.nan, math.inf])
flags = st.sampled_from([1, 2, 3, 4, 9])
rows = st.lists(st.tuples(places, values, flags), min_size=1, max_size=25)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("write"), rows),
        st.tuples(st.just("reflag"), rows),
        st.tuples(st.just("archive"), st.just([])),
        st.tuples(st.just("reopen"), st.just([])),
    ),
    min_size=1,
    max_size=8,
)

Key = tuple[int, int, int]


@dataclass
class Model:
    """What a store must hold, as a dictionary."""

    rows: dict[Key, tuple[float, int, int]] = field(default_factory=dict)
    versions: dict[Key, list[Version]] = field(default_factory=lambda: defaultdict(list))

    def write(self, batch: Batch, received: int) -> Written:
        new = same = corrected = 0
        for key, value, flag in _rows_of(batch):
            if key not in self.rows:
                new += 1
            elif _alike(self.rows[key][0], value):
                same += 1
                continue
            else:
                corrected += 1
                self.versions[key].append(Version(*self.rows[key], replaced=received))
            self.rows[key] = (value, flag, received)
        return Written(new, same, corrected)

    def reflag(self, batch: Batch) -> int:
        last = {key: flag for key, _, flag in _rows_of(batch)}
        changed = [key for key, flag in last.items() if key in self.rows and self.rows[key][1] != flag]
        for key in changed:
            value, _, received = self.rows[key]
            self.rows[key] = (value, last[key], received)
        return len(changed)

    def usable(self, station: int, number: int) -> dict[int, tuple[float, int]]:
        return {
            time: (value, flag)
            for (place, kind, time), (value, flag, _) in sorted(self.rows.items())
            if (place, kind) == (station, number) and flag <= 2 and math.isfinite(value)
        }


def _rows_of(batch: Batch) -> list[tuple[Key, float, int]]:
    columns = (batch.station, batch.quantity, batch.time, batch.value, batch.flag)
    return [((s, q, t), v, f) for s, q, t, v, f in zip(*(column.tolist() for column in columns), strict=True)]


def _alike(one: float, other: float) -> bool:
    return one == other or (math.isnan(one) and math.isnan(other))


def _batch(given_rows: list[tuple[Key, float, int]]) -> Batch:
    keys = [key for key, _, _ in given_rows]
    return Batch.of(
        ROSTER,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [START + key[2] * STEP for key in keys],
        [value for _, value, _ in given_rows],
        [flag for _, _, flag in given_rows],
        "test",
    )


def test_store_holds_what_a_dictionary_holds(engine: Engine) -> None:
    @settings(max_examples=40 if engine.name == "sqlite" else 25, deadline=None, derandomize=True, database=None)
    @given(steps)
    def holds(plan: list[tuple[str, list[tuple[Key, float, int]]]]) -> None:
        _follow(engine, plan)

    holds()


def _follow(engine: Engine, plan: list[tuple[str, list[tuple[Key, float, int]]]]) -> None:
    model = Model()
    with TemporaryDirectory() as folder:
        store = engine.open(Path(folder))
        for number, (action, given_rows) in enumerate(plan):
            now = START + (number + 1) * 9 * 3600 + 500
            if action == "write":
                assert store.write(_batch(given_rows), received=now) == model.write(_batch(given_rows), now)
            elif action == "reflag":
                assert store.reflag(_batch(given_rows)) == model.reflag(_batch(given_rows))
            elif action == "archive":
                before = engine.fingerprint(store)
                store.archive(START + 400 * 86400)
                assert engine.fingerprint(store) == before
            else:
                store.close()
                store = engine.open(Path(folder))
            _compare_newest(store, model)
        _compare_series(store, model)
        _compare_rollups(store, model)
        store.close()


def _compare_newest(store: Store, model: Model) -> None:
    for at in (None, START + 20 * 3600, START + 50 * 3600 + 1):
        expected = {}
        for station in range(3):
            for number in QUANTITIES:
                found = [(t, *v) for t, v in model.usable(station, number).items() if at is None or t <= at]
                if found:
                    expected[station, number] = found[-1]
        latest = store.latest(ROSTER, at=at)
        columns = (latest.station, latest.quantity, latest.time, latest.value, latest.flag)
        got = {(s, q): (t, v, f) for s, q, t, v, f in zip(*(column.tolist() for column in columns), strict=True)}
        assert got == expected


def _compare_series(store: Store, model: Model) -> None:
    whole = store.window([], [], START, START + HOURS * 3600, ROSTER)
    assert (np.diff(whole.time) >= 0).all()
    got = {key: (value, flag) for key, value, flag in _rows_of(whole)}
    assert got.keys() == model.rows.keys()
    for key, (value, flag, _) in model.rows.items():
        assert _alike(got[key][0], value)
        assert got[key][1] == flag
        name = quantity(key[1]).name
        one = store.series(ROSTER.codes[key[0]], name, key[2], key[2] + 1)
        assert (len(one), one.flag[0]) == (1, flag)
        kept = store.versions(ROSTER.codes[key[0]], name, key[2])
        assert [repr(each) for each in kept] == [repr(each) for each in model.versions.get(key, [])]


def _compare_rollups(store: Store, model: Model) -> None:
    for step in (3600, 86400):
        for station in range(3):
            for number in QUANTITIES:
                expected: dict[int, list[float]] = defaultdict(list)
                for time, (value, _) in model.usable(station, number).items():
                    expected[time // step * step].append(value)
                code, name = ROSTER.codes[station], quantity(number).name
                found = store.rollup(code, name, START, START + HOURS * 3600, step)
                assert found.time.tolist() == sorted(expected)
                for place, time in enumerate(found.time.tolist()):
                    group = expected[time]
                    assert found.count[place] == len(group)
                    assert found.minimum[place] == min(group)
                    assert found.maximum[place] == max(group)
                    assert found.mean[place] == pytest.approx(math.fsum(group) / len(group), rel=1e-14, abs=1e-14)
