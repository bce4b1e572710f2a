"""The gate of the present: which source counts, whatever comes first; units; and memory that outlives the process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.gather import Gather, Precedence
from liuyu.monitor.gather.units import Units
from liuyu.store.sqlite import SqliteStore, open_store

HOUR = 3600
START = 1_700_000_000 // HOUR * HOUR
LEVEL, FLOW, RAIN = (quantity(each).number for each in ("water_level", "discharge", "rainfall"))
RANKS = {"a": 3, "b": 2, "c": 1}
Told = tuple[str, int, float]
Outcome = tuple[list[bool], list[bool], list[tuple[str, str]]]


def network(size: int) -> Basin:
    stations = tuple(Station(code=f"S{each}", name=f"站{each}", name_en=f"S{each}") for each in range(size))
    return Basin(code="n", name="网", name_en="Net", time_zone="UTC", synthetic=True, folder="", stations=stations)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqliteStore]:
    with closing(open_store(tmp_path_factory.mktemp("gate") / "store")) as opened:
        yield opened


class Gate:
    """Precedence over a store, fed as the loop feeds it."""

    def __init__(self, basin: Basin, store: SqliteStore) -> None:
        self.basin, self.store, self.precedence = basin, store, Precedence(basin.roster, RANKS)

    def take(self, station: int, told: list[Told]) -> None:
        """A step in which sources tell values of one station: source, hour, value."""
        origin = np.array([self.precedence.number(source) for source, *_ in told], np.int16)
        times = [START + hour * HOUR for _, hour, _ in told]
        size = len(told)
        batch = Batch.of(self.basin.roster, [station] * size, [LEVEL] * size, times, [value for *_, value in told])
        found = self.precedence.sort_out(batch, origin, self.store)
        for part in (found.outdone, found.batch, found.restored):
            self.store.write(part, received=START)

    def reopen(self) -> None:
        again = Precedence(self.basin.roster, RANKS)
        again.load(self.precedence.dump())
        self.precedence = again


SIZE = 400
USED = iter(range(SIZE))
steps = st.lists(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4), st.sampled_from([1.0, 2.0, 3.0])), min_size=1),
    min_size=1,
    max_size=6,
)


@given(steps=steps, killed=st.integers(0, 6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_highest_rank_told_last_counts_and_nothing_is_lost(
    store: SqliteStore, steps: list[list[Told]], killed: int
) -> None:
    station = next(USED)
    gate = Gate(network(SIZE), store)
    holder: dict[int, tuple[int, float]] = {}
    for number, told in enumerate(steps):
        if number == killed:
            gate.reopen()
        gate.take(station, told)
        for source, hour, value in sorted(told, key=lambda each: RANKS[each[0]]):
            if RANKS[source] >= holder.get(hour, (0, 0.0))[0]:
                holder[hour] = (RANKS[source], value)
    kept = store.series(f"S{station}", "water_level", 0, 2**40)
    found = dict(zip(((kept.time - START) // HOUR).tolist(), kept.value.tolist(), strict=True))
    assert found == {hour: value for hour, (_, value) in sorted(holder.items())}
    for hour, value in found.items():
        versions = {each.value for each in store.versions(f"S{station}", "water_level", START + hour * HOUR)}
        said = {each for step in steps for _, at, each in step if at == hour}
        assert said <= versions | {value}


def judged(units: Units, values: list[float], hour: int, kind: int = FLOW) -> tuple[list[bool], list[float]]:
    basin = network(len(values))
    size = len(values)
    batch = Batch.of(basin.roster, range(size), [kind] * size, [START + hour * HOUR] * size, values)
    suspect, news = units.judge(batch, np.zeros(size, np.int16))
    return suspect.tolist(), [each.factor for each in news]


@pytest.mark.parametrize("factor", [0.001, 0.01, 0.1, 1 / 3.280839895, 3.280839895, 10.0, 100.0, 1000.0])
def test_several_gauges_off_by_one_factor_at_once_are_doubted(factor: float) -> None:
    units, usual = Units(4), [100.0, 220.0, 350.0, 4000.0]
    assert judged(units, usual, 0) == ([False] * 4, [])
    suspect, news = judged(units, [each * factor for each in usual], 1)
    assert suspect == [True] * 4
    assert news == [pytest.approx(factor)]
    assert judged(units, usual, 2) == ([False] * 4, [0.0])


def test_one_gauge_is_doubted_when_it_stays_off_and_rain_never() -> None:
    units = Units(1)
    told = [judged(units, [value], hour)[0][0] for hour, value in enumerate([5.0, 5.1, 51.0, 51.2, 51.1, 51.0, 5.2])]
    assert told == [False, False, False, False, True, True, False]
    rain = Units(1)
    assert not any(judged(rain, [value], hour, RAIN)[0][0] for hour, value in enumerate([1.0, 10.0, 10.0, 10.0, 10.0]))


def test_a_day_without_values_is_too_long_to_doubt_by() -> None:
    units = Units(3)
    judged(units, [1.0, 2.0, 3.0], 0)
    assert judged(units, [10.0, 20.0, 30.0], 25) == ([False] * 3, [])


def test_the_gate_goes_on_from_its_memory_as_if_nothing_had_been() -> None:
    basin = network(6)
    rng = np.random.default_rng(5)

    def fed(gate: Gather, hours: range) -> list[Outcome]:
        told: list[Outcome] = []
        for hour in hours:
            factor = 1000.0 if hour in (6, 7) else 1.0
            present = [each for each in range(6) if not (hour > 9 and each < 3)]
            size = len(present)
            values = [factor * (50.0 + each + rng.random()) for each in present]
            times = [START + hour * HOUR + (HOUR if hour == 4 and each == 5 else 0) for each in present]
            batch = Batch.of(basin.roster, present, [FLOW] * size, times, values)
            origin = np.array([each // 3 for each in present], np.int16)
            found = gate.step(batch, START + hour * HOUR + 60, origin, ["one", "two"])
            told.append((found.odd.tolist(), found.late.tolist(), [(each.id, each.state) for each in found.events]))
        return told

    whole = fed(Gather(basin, live=True), range(16))
    rng = np.random.default_rng(5)
    first = Gather(basin, live=True)
    begun = fed(first, range(7))
    second = Gather(basin, live=True)
    second.load(first.dump())
    assert begun + fed(second, range(7, 16)) == whole
    ids = {each for *_, events in whole for each in events}
    assert ("source:network:one", "silent") in ids
    assert ("quality:S5:clock", "doubted") in ids
