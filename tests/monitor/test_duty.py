"""The duty room's bulletins: what stands at a moment, and nothing of later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.clock import DAY, HOUR, epoch, moment, parse_time
from liuyu.basin.errors import NotFound
from liuyu.basin.events import Alert, Incident, Task, announce
from liuyu.basin.places import Basin, Reservoir, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.summarise import bulletin_file, bulletin_pages
from liuyu.monitor.summarise.duty import watch
from liuyu.outlook.warn import crossing
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

NOW = epoch(parse_time("2020-08-20T08:00", "Asia/Shanghai"))
BASIN = Basin(
    code="tiny",
    name="小河",
    name_en="Tiny",
    time_zone="Asia/Shanghai",
    synthetic=True,
    folder="tiny",
    stations=(
        Station(code="A", name="甲", name_en="Alpha", rank=1, river="小河"),
        Station(code="D", name="大坝水库", name_en="Dam", kind="RR", rank=1),
    ),
    thresholds=(
        Threshold(station="A", quantity="water_level", kind="warning", value=27.0),
        Threshold(station="A", quantity="water_level", kind="guarantee", value=28.5),
        Threshold(station="D", quantity="water_level", kind="normal_pool", value=160.0),
    ),
    reservoirs=(
        Reservoir(code="dam", name="大坝水库", name_en="Dam", station="D", curve=((140.0, 1e9), (160.0, 3e9))),
    ),
)


def observations() -> Iterator[Batch]:
    """Two days and one hour more: the river rises by 1 m a day through 27.5 m now, the pool by 2 m a day to 150 m."""
    time = NOW + HOUR * np.arange(-48, 2)
    days = (time - NOW) / DAY
    for place, name, value in (
        (0, "water_level", 27.5 + days),
        (1, "water_level", 150.0 + 2 * days),
        (1, "reservoir_inflow", np.full(50, 9000.0)),
        (1, "reservoir_outflow", np.full(50, 6000.0)),
    ):
        number = quantity(name).number
        yield Batch.of(BASIN.roster, np.full(50, place), np.full(50, number), time, value, np.ones(50, np.uint8))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    incident = Incident(
        id="incident:1",
        title={"zh": "小河洪水", "en": "Flood of the Tiny"},
        level="yellow",
        opened=moment(NOW - 60 * HOUR),
        stations=("A",),
        alerts=("alert:1",),
        entry={"zh": "立案", "en": "opened"},
    )
    alert = Alert(
        id="alert:1",
        rule="above",
        subject="A",
        quantity="water_level",
        severity="yellow",
        title={"zh": "甲超警", "en": "Alpha above warning"},
        since=moment(NOW - 12 * HOUR),
        value=27.0,
    )
    patrol, call = (
        Task(
            id=f"task:{name}",
            incident="incident:1",
            title={"zh": zh, "en": name},
            owner="duty",
            due=moment(NOW + hours * HOUR),
        )
        for name, zh, hours in (("patrol", "巡堤", -2), ("call", "会商", 3))
    )
    with closing(open_store(tmp_path)) as opened:
        for batch in observations():
            opened.write(batch, received=NOW)
        opened.append(
            [
                announce(incident, state="opened", time=moment(NOW - 60 * HOUR), subject="tiny"),
                announce(patrol, state="assigned", time=moment(NOW - 50 * HOUR), subject="tiny"),
                announce(alert, state="raised", time=moment(NOW - 12 * HOUR), subject="A"),
                announce(call, state="assigned", time=moment(NOW - 1 * HOUR), subject="tiny"),
                announce(call, state="done", time=moment(NOW + 1 * HOUR), subject="tiny"),
            ]
        )
        yield opened


def test_a_watch_holds_what_stands_at_its_moment_and_nothing_later(store: Store) -> None:
    seen = watch(BASIN, store, NOW, crossing)
    (gauge,) = seen.gauges
    assert gauge.level.value == pytest.approx(27.5)
    assert gauge.level.change == pytest.approx(1.0)
    assert gauge.level.tendency == 1
    assert gauge.above("warning") == pytest.approx(0.5)
    assert gauge.above("guarantee") == pytest.approx(-1.0)
    (pool,) = seen.pools
    assert pool.storage == pytest.approx(2e9)
    assert pool.stored_in_day == pytest.approx(2e8)
    assert [each.id for each in seen.alerts] == ["alert:1"]
    states = {task.id: task.state for each in seen.incidents for task in each.tasks}
    assert states == {"task:patrol": "assigned", "task:call": "assigned"}
    assert watch(BASIN, store, NOW + 2 * HOUR, crossing).incidents[0].tasks[1].state == "done"
    assert seen.forecast is None


def test_the_daily_bulletin_says_so_in_both_languages_with_the_same_bytes_each_time(store: Store) -> None:
    pages = bulletin_pages("daily", BASIN, store, NOW, crossing)
    zh, en = (bulletin_file(pages(language), "html").decode() for language in ("zh", "en"))
    assert "各站水位1站上涨、0站回落、0站平稳。超警：甲27.50米（超警0.50米）。" in zh
    assert "Alpha 27.50 m (0.50 m above warning)" in en
    assert "逾期1项" in zh
    assert "20.0 亿立方米" in zh
    for form in ("html", "pdf", "docx"):
        again = bulletin_pages("daily", BASIN, store, NOW, crossing)
        assert bulletin_file(again("zh"), form) == bulletin_file(pages("zh"), form)


def test_the_flood_bulletin_tells_of_the_flood_in_course_and_of_no_other_time(store: Store) -> None:
    page = bulletin_file(bulletin_pages("flood", BASIN, store, NOW, crossing)("zh"), "html").decode()
    assert "已下达任务2项，完成0项，在办2项，其中逾期1项。" in page
    assert "大坝水库入库9,000、出库6,000立方米每秒，24小时拦蓄2.0 亿立方米。" in page
    before = bulletin_pages("flood", BASIN, store, NOW - 70 * HOUR, crossing)
    with pytest.raises(NotFound, match="ask for the daily bulletin"):
        before("zh")
