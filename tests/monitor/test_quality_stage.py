"""Quality control of live values: doubt on arrival, the verdict when what follows settles it."""

from __future__ import annotations

import numpy as np
import pytest

from liuyu.basin.errors import BadInput
from liuyu.basin.events import QualityNote, record
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station
from liuyu.basin.series import Batch
from liuyu.monitor.quality import TESTS, Checked, Quality, QualityTest
from liuyu.monitor.quality.hindsight import judge

HOUR = 3600
LEVEL, FLOW = 1, 2


def basin_of(*positions: tuple[float, float] | None) -> Basin:
    """A basin with a station at each position."""
    stations = tuple(
        Station(code=f"S{k}", name=f"站{k}", name_en=f"Station {k}", position=position, quantities=("water_level",))
        for k, position in enumerate(positions)
    )
    return Basin(
        code="b", name="流域", name_en="Basin", time_zone="Asia/Shanghai", synthetic=True, folder="", stations=stations
    )


BASIN = basin_of(None)


def calm(n: int, seed: int = 3, size: float = 0.01) -> np.ndarray:
    """A smooth river: small steps of a centimetre or two about 20 m, as gauges round them."""
    steps = np.random.default_rng(seed).normal(0, size, n)
    return np.round(20 + np.cumsum(steps), 2)


def feed(stage: Quality, values: np.ndarray, start: int = 0, quantity: int = LEVEL, station: int = 0) -> list[Checked]:
    """Values hour by hour, one step each."""
    roster = BASIN.roster if station == 0 else basin_of(None, None).roster
    done = []
    for k, value in enumerate(values):
        time = (start + k) * HOUR
        done.append(stage.step(Batch.of(roster, [station], [quantity], [time], [value]), time))
    return done


def final(done: list[Checked]) -> dict[tuple[int, int, int], int]:
    """The last flag told of every value."""
    flags: dict[tuple[int, int, int], int] = {}
    for checked in done:
        for batch in (checked.batch, checked.revised):
            rows = zip(batch.station, batch.quantity, batch.time, batch.flag, strict=True)
            flags.update({(int(s), int(q), int(t)): int(f) for s, q, t, f in rows})
    return flags


def told(done: list[Checked]) -> list[tuple[int, int]]:
    """Flag and test of each value on arrival."""
    return [(int(each.batch.flag[0]), int(each.tests[0])) for each in done]


def test_the_table_of_tests_is_in_order_and_in_both_languages() -> None:
    assert [row.number for row in TESTS] == [int(test) for test in QualityTest] == list(range(len(TESTS)))
    assert all(row.title["zh"] and row.title["en"] and row.meaning["zh"] for row in TESTS)


def test_a_spike_is_suspect_on_arrival_and_bad_once_it_returned() -> None:
    values = calm(300)
    values[250] += 1.5
    done = feed(Quality(BASIN), values)
    assert told(done)[250] == (Flag.SUSPECT, QualityTest.RATE)
    assert done[251].revised.flag.tolist() == [Flag.BAD]
    assert done[251].revised.time.tolist() == [250 * HOUR]
    bad = {time // HOUR for (_, _, time), flag in final(done).items() if flag != Flag.GOOD}
    assert bad == {250}


def test_each_spell_of_doubt_makes_one_note_and_its_end_another() -> None:
    values = calm(300)
    values[250:252] += 3.0
    events = [event for checked in feed(Quality(BASIN), values) for event in checked.events]
    assert [event.state for event in events] == ["doubted", "trusted"]
    note = record(events[0], QualityNote)
    assert (note.station, note.quantity, note.test) == ("S0", "water_level", "rate")
    assert note.title["zh"] == "站0水位存疑：变率检验"


def test_a_release_that_stays_is_trusted_within_two_more_reports() -> None:
    values = calm(300)
    values[250:] += 1.5
    done = feed(Quality(BASIN), values)
    assert told(done)[250][0] == Flag.SUSPECT
    assert told(done)[252][0] == Flag.GOOD
    assert all(flag == Flag.GOOD for flag in final(done).values())


@pytest.mark.parametrize("history", [2, 400, 2400])
def test_a_flash_flood_does_not_blind_the_alerts(history: int) -> None:
    rise = np.concatenate([np.zeros(history), np.minimum(np.arange(1, 13) * 0.8, 8.0), np.full(5, 8.0)])
    done = feed(Quality(BASIN), np.round(calm(len(rise)) + rise, 2))
    doubted = [k for k, (flag, _) in enumerate(told(done)) if flag != Flag.GOOD]
    assert len(doubted) <= 6, doubted
    assert all(flag == Flag.GOOD for flag in final(done).values())


def test_a_runaway_is_never_trusted_and_is_bad_when_it_returned() -> None:
    values = calm(2400)
    values[2300:2312] += np.array([0.1, 0.5, 1.3, 2.4, 3.7, 5.1, 6.6, 8.2, 9.9, 11.9, 14.2, 16.9])
    done = feed(Quality(BASIN), np.round(values, 2))
    assert all(flag == Flag.SUSPECT for flag, _ in told(done)[2301:2312])
    flags = final(done)
    assert all(flags[0, LEVEL, k * HOUR] == Flag.BAD for k in range(2301, 2312))
    assert all(flags[0, LEVEL, k * HOUR] == Flag.GOOD for k in range(2312, 2400))


def test_a_drop_of_telemetry_to_nothing_is_missing_or_out_of_range() -> None:
    done = feed(Quality(BASIN), np.array([20.0, np.nan, 20.0, 12000.0, 20.01]))
    assert [test for _, test in told(done)] == [0, QualityTest.MISSING, 0, QualityTest.RANGE, 0]
    assert [flag for flag, _ in told(done)] == [1, Flag.MISSING, 1, Flag.BAD, 1]


def test_real_backflow_stays_good() -> None:
    values = np.round(900 * np.cos(np.arange(300) / 20.0) - 300, 0)
    flags = final(feed(Quality(BASIN), values, quantity=FLOW))
    assert min(values) < -1000
    assert all(flag == Flag.GOOD for flag in flags.values())


def test_a_discharge_computed_from_a_faulty_level_is_doubted_with_it() -> None:
    level = calm(300)
    level[250] += 2.0
    flow = np.round(9000 * (level / 20) ** 3, -1)
    stage, done = Quality(BASIN), []
    for k in range(300):
        batch = Batch.of(BASIN.roster, [0, 0], [LEVEL, FLOW], [k * HOUR] * 2, [level[k], flow[k]])
        done.append(stage.step(batch, k * HOUR))
    bad = {(q, time // HOUR) for (_, q, time), flag in final(done).items() if flag != Flag.GOOD}
    assert bad == {(LEVEL, 250), (FLOW, 250)}


def test_a_stuck_gauge_is_known_by_its_release() -> None:
    values = np.round(20 + 0.03 * np.arange(400), 2)
    values[300:324] = values[300]
    flags = final(feed(Quality(BASIN), values))
    assert all(flags[0, LEVEL, k * HOUR] == Flag.BAD for k in range(301, 324))
    assert flags[0, LEVEL, 324 * HOUR] == Flag.GOOD


def test_natural_stillness_stays_good() -> None:
    values = np.round(20 + 0.3 * np.sin(np.arange(600) / 60.0), 1)
    assert all(flag == Flag.GOOD for flag in final(feed(Quality(BASIN), values)).values())


def test_of_two_gauges_of_one_pool_the_one_that_leaves_is_doubted() -> None:
    pair = basin_of((111.0, 30.8), (111.01, 30.81))
    stage, level, done = Quality(pair), calm(700, size=0.02), []
    for k in range(700):
        away = 0.012 * max(k - 640, 0)
        values = [level[k], level[k] + 0.5 + round(away, 2)]
        done.append(stage.step(Batch.of(pair.roster, [0, 1], [LEVEL] * 2, [k * HOUR] * 2, values), k * HOUR))
    late = [each.batch.flag.tolist() for each in done[680:]]
    assert all(flag == [Flag.GOOD, Flag.SUSPECT] for flag in late)
    assert {int(each.tests[1]) for each in done[680:]} == {QualityTest.NEIGHBOUR}


def test_late_values_are_judged_where_they_belong() -> None:
    values = calm(120)
    values[100] += 2.0
    order = [*range(99), 101, 102, 100, 99, *range(103, 120)]
    stage, done = Quality(BASIN), []
    for k in order:
        done.append(stage.step(Batch.of(BASIN.roster, [0], [LEVEL], [k * HOUR], [values[k]]), k * HOUR))
    flags = final(done)
    assert {time // HOUR for (_, _, time), flag in flags.items() if flag != Flag.GOOD} == {100}
    assert told(done)[101] == (Flag.BAD, QualityTest.SPIKE)


def test_what_is_older_than_memory_is_not_evaluated() -> None:
    stage = Quality(BASIN)
    feed(stage, calm(200))
    checked = stage.step(Batch.of(BASIN.roster, [0], [LEVEL], [5 * HOUR], [21.0]), 200 * HOUR)
    assert (checked.batch.flag[0], checked.tests[0]) == (Flag.NOT_EVALUATED, QualityTest.GAP)


def test_a_correction_is_judged_anew() -> None:
    values = calm(120)
    values[100] += 2.0
    stage = Quality(BASIN)
    feed(stage, values)
    checked = stage.step(Batch.of(BASIN.roster, [0], [LEVEL], [100 * HOUR], [values[99]]), 120 * HOUR)
    assert checked.batch.flag.tolist() == [Flag.GOOD]


def test_memory_taken_back_goes_on_bit_for_bit() -> None:
    values = calm(260)
    values[[90, 199, 203]] += [2.0, 4.0, -1.0]
    one, other = Quality(BASIN), Quality(BASIN)
    feed(one, values[:200])
    other.load(one.dump())
    assert other.dump() == one.dump()
    for mine, theirs in zip(feed(one, values[200:], 200), feed(other, values[200:], 200), strict=True):
        assert mine.batch.flag.tolist() == theirs.batch.flag.tolist()
        assert mine.revised.time.tolist() == theirs.revised.time.tolist()
        assert mine.events == theirs.events
    assert other.dump() == one.dump()


def test_what_the_source_condemns_stays_so_and_teaches_nothing() -> None:
    values = calm(300)
    plain, told_too = Quality(BASIN), Quality(BASIN)
    feed(plain, values)
    feed(told_too, values[:-1])
    time = 299 * HOUR
    pair = Batch.of(BASIN.roster, [0, 0], [LEVEL, LEVEL], [time - 60, time], [20.5, values[-1]], [Flag.BAD, Flag.GOOD])
    checked = told_too.step(pair, time)
    assert checked.batch.flag.tolist() == [Flag.BAD, Flag.GOOD]
    assert checked.tests.tolist() == [QualityTest.NONE, QualityTest.NONE]
    assert told_too.dump() == plain.dump()


def test_memory_of_another_version_is_refused() -> None:
    blob = bytearray(Quality(BASIN).dump())
    blob[5:6] = b"\xff"
    with pytest.raises(BadInput, match="replay from the start"):
        Quality(BASIN).load(bytes(blob))


def test_after_some_hours_live_flags_are_those_of_hindsight() -> None:
    rng = np.random.default_rng(11)
    many = basin_of(*[None] * 40)
    level = np.round(20 + np.cumsum(rng.normal(0, 0.015, (40, 1200)), axis=1), 2)
    hit = rng.random(level.shape) < 0.003
    hit[:, :300] = hit[:, -20:] = False
    level[hit] += rng.choice([-1, 1], hit.sum()) * rng.uniform(0.4, 3.0, hit.sum()).round(2)
    stage, done, place = Quality(many), [], np.arange(40)
    for k in range(1200):
        batch = Batch.of(many.roster, place, np.full(40, LEVEL), np.full(40, k * HOUR), level[:, k])
        done.append(stage.step(batch, k * HOUR))
    live = np.array([[flag for _, flag in sorted(final(done).items())]]).reshape(40, 1200)
    whole = Batch.of(
        many.roster, np.repeat(place, 1200), np.full(48000, LEVEL), np.tile(np.arange(1200) * HOUR, 40), level.ravel()
    )
    hindsight = judge(whole)[0].reshape(40, 1200)
    assert (live == hindsight)[:, 300:].mean() > 0.9995
    assert (hindsight[hit] >= Flag.SUSPECT).mean() > 0.98
    assert (hindsight[~hit] >= Flag.SUSPECT).mean() < 0.0005
