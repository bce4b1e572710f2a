"""Months in Parquet, and late data laid over them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from liuyu.basin.errors import StoreFailed
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Written
from tests.store.engines import AnyStore, Engine

AUGUST, SEPTEMBER, OCTOBER = 1_596_240_000, 1_598_918_400, 1_601_510_400
HOUR, DAY = 3600, 86400
ROSTER = Roster(("60112200", "60105400", "no value"))


def filled(engine: Engine, folder: Path) -> AnyStore:
    """Two stations hourly from 1 August to 10 October 2020, of which the second has gaps and doubts."""
    store = engine.open(folder)
    time = np.arange(AUGUST, OCTOBER + 10 * DAY, HOUR)
    value = np.round(25 + np.sin(time / DAY), 3)
    value[::97] = np.nan
    flag = np.where(np.arange(len(time)) % 50 == 0, 4, 1)
    for place in (0, 1):
        batch = Batch.of(ROSTER, [place] * len(time), [1] * len(time), time, value + place, flag, "feed")
        store.write(batch.take(slice(place, None)), received=OCTOBER + 10 * DAY)
    return store


def test_archived_months_read_as_before(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        before = engine.fingerprint(store)
        asked: list[Callable[[], object]] = [
            lambda: store.series("60112200", "water_level", AUGUST + 5 * DAY, OCTOBER + DAY),
            lambda: store.window([], [], SEPTEMBER - DAY, SEPTEMBER + DAY, ROSTER),
            lambda: store.latest(ROSTER, at=SEPTEMBER + 3 * DAY + 60),
            lambda: store.latest(ROSTER, at=OCTOBER + 3 * DAY),
            lambda: store.rollup("60105400", "water_level", AUGUST, OCTOBER + 10 * DAY, HOUR),
            lambda: store.rollup("60105400", "water_level", AUGUST, OCTOBER + 10 * DAY, DAY),
        ]
        live = [repr(ask()) for ask in asked]
        assert store.archive(OCTOBER) == 2 * 61 * 24 - 1
        assert [month.name for month in store.history.months] == ["2020-08", "2020-09"]
        assert [repr(ask()) for ask in asked] == live
        assert engine.fingerprint(store) == before
        assert store.archive(OCTOBER) == 0
        store.history.verify()
    with engine.open(tmp_path, read_only=True) as reader:
        assert engine.fingerprint(reader) == before


def test_a_month_that_is_not_over_stays(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        assert store.archive(SEPTEMBER - 1) == 0
        assert store.archive(OCTOBER + 100 * DAY) == 2 * 61 * 24 - 1
        assert len(store.history.months) == 2


def test_late_rows_are_laid_over_the_history_until_it_is_written_again(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        store.archive(OCTOBER)
        at = AUGUST + 3 * DAY
        older = store.series("60112200", "water_level", at, at + 2 * HOUR)
        late = Batch.of(
            ROSTER, [0, 0, 0, 2], [1, 1, 1, 1], [at, at + 60, at + HOUR, at], [99.0, 98.0, older.value[1], 7.0]
        )
        assert store.write(late, received=OCTOBER + 11 * DAY) == Written(2, 1, 1)
        kept = store.versions("60112200", "water_level", at)
        assert [(each.value, each.received) for each in kept] == [(older.value[0], OCTOBER + 10 * DAY)]
        assert store.reflag(Batch.of(ROSTER, [1], [1], [at + 5 * HOUR], [0.0], [3])) == 1

        def check() -> None:
            found = store.series("60112200", "water_level", at, at + 2 * HOUR)
            assert found.time.tolist() == [at, at + 60, at + HOUR]
            assert found.value.tolist() == [99.0, 98.0, older.value[1]]
            assert store.series("60105400", "water_level", at + 5 * HOUR, at + 6 * HOUR).flag.tolist() == [3]
            assert store.rollup("60112200", "water_level", at, at + HOUR, HOUR).mean.tolist() == [98.5]
            assert store.rollup("60112200", "water_level", at, at + DAY, DAY).maximum.tolist() == [99.0]
            assert store.latest(ROSTER, at=at + 60).value.tolist()[0] == 98.0
            assert store.latest(ROSTER).time[-1] == at

        check()
        before = engine.fingerprint(store)
        assert store.archive(OCTOBER) > 0
        assert [month.file for month in store.history.months] == ["2020-08.2.parquet", "2020-09.1.parquet"]
        check()
        assert engine.fingerprint(store) == before
    with engine.open(tmp_path) as store:
        assert sorted(each.name for each in (tmp_path / "history").glob("*.parquet")) == [
            "2020-08.2.parquet",
            "2020-09.1.parquet",
        ]
        check()


def test_a_day_that_late_data_bring_back_keeps_the_hours_that_it_had(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        at = AUGUST + 3 * DAY
        before = store.rollup("60112200", "water_level", at, at + DAY, DAY)
        store.archive(OCTOBER)
        store.write(Batch.of(ROSTER, [0], [1], [at + 60], [7.5]), received=OCTOBER + 11 * DAY)
        after = store.rollup("60112200", "water_level", at, at + DAY, DAY)
        assert after.count.tolist() == [before.count[0] + 1]
        assert after.minimum.tolist() == [7.5]
        assert after.maximum.tolist() == before.maximum.tolist()
        store.archive(OCTOBER)
        store.reflag(Batch.of(ROSTER, [0], [1], [at + 60], [7.5], [4]))
        assert repr(store.rollup("60112200", "water_level", at, at + DAY, DAY)) == repr(before)


def test_the_newest_value_is_found_in_the_history_when_live_ones_are_doubted(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        store.archive(OCTOBER)
        october = store.window([], [], OCTOBER, OCTOBER + 10 * DAY, ROSTER)
        store.reflag(october.flagged(np.full(len(october), 4, np.uint8)))
        newest = store.latest(ROSTER)
        assert newest.station.tolist() == [0, 1]
        assert newest.time.tolist() == [OCTOBER - HOUR, OCTOBER - HOUR]


def test_the_files_are_anyones_to_read(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        store.archive(OCTOBER)
        found = duckdb.sql(
            "SELECT quantity, count(*), min(station), max(flag), any_value(source), bool_and(epoch(time) % 3600 = 0)"
            f" FROM '{tmp_path}/history/2020-08.1.parquet' GROUP BY quantity"
        ).fetchall()
        assert found == [("water_level", 2 * 31 * 24 - 1, "60105400", 4, "feed", True)]
        size = (tmp_path / "history" / "2020-08.1.parquet").stat().st_size
        assert size / (2 * 31 * 24) < 12


def test_damage_to_the_history_is_told(engine: Engine, tmp_path: Path) -> None:
    with filled(engine, tmp_path) as store:
        store.archive(OCTOBER)
        file = tmp_path / "history" / "2020-09.1.parquet"
        content = bytearray(file.read_bytes())
        content[200] ^= 255
        file.write_bytes(content)
        with pytest.raises(StoreFailed, match=r"2020-09\.1\.parquet in .* differ from the manifest"):
            store.history.verify()
        file.unlink()
        with pytest.raises(StoreFailed, match=r"is damaged .* restore it from a copy"):
            store.series("60112200", "water_level", SEPTEMBER, OCTOBER)
        (tmp_path / "history" / "manifest.json").write_text("{")
        with pytest.raises(StoreFailed, match=r"manifest\.json cannot be read"):
            store.series("60112200", "water_level", SEPTEMBER, OCTOBER)
