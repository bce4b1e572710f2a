"""The forecast bulletin: what stands in it is computed from the log and the series, the same each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.clock import DAY, HOUR, epoch, moment
from liuyu.basin.errors import NotFound
from liuyu.basin.events import ForecastRun, Notice, announce
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.monitor.summarise import bulletin_file
from liuyu.monitor.summarise.bulletin import Bulletin, bulletin
from liuyu.monitor.summarise.bulletin_page import bulletin_page
from liuyu.monitor.summarise.pdf import FONT_FOLDER, find_fonts
from liuyu.outlook.warn import crossing
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

ISSUED = epoch(datetime(2020, 8, 17, 0, tzinfo=UTC))  # 8:00 in China
LEVEL = quantity("water_level")


def basin() -> Basin:
    return Basin(
        code="tiny",
        name="小河",
        name_en="Tiny",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="tiny",
        stations=(
            Station(code="A", name="汉口", name_en="Hankou", river="长江", rank=1),
            Station(code="B", name="上游", name_en="Upper", rank=2),
        ),
        thresholds=(
            Threshold(station="A", quantity="water_level", kind="warning", value=27.3),
            Threshold(station="A", quantity="water_level", kind="guarantee", value=29.73),
        ),
    )


def forecast(station: str, issued: int = ISSUED, start: float = 26.1) -> Forecast:
    """51 members that rise by 2 to 4 cm an hour for 72 h and then fall by 1 cm an hour."""
    lead = np.arange(1, 241)
    rise = np.linspace(0.02, 0.04, 51)[:, None]
    members = start + rise * np.minimum(lead, 72) - 0.01 * np.maximum(lead - 72, 0)
    return Forecast(
        station=station,
        quantity="water_level",
        issued=moment(issued),
        model="twin",
        time=issued + HOUR * lead,
        members=members,
        drivers={
            "assumption": {"zh": "水库出库维持现状", "en": "reservoirs keep their present release"},
            "inputs": [
                {"station": "B", "discharge": 51000.0, "travel_h": 30.0, "share": 1.0},
                {"station": station, "from_outside": -300.0},
            ],
            "missing": [{"station": "B", "quantity": "water_level", "hours": 9}],
            "skill": [{"lead_h": 24, "n": 90, "rmse": 0.08, "rmse_persistence": 0.31}],
        },
        provenance=Provenance(code="twin", version="1", parameters="tiny@1"),
    )


def events() -> list[ForecastRun | Notice]:
    run = ForecastRun(
        id="forecast:twin:1", issued=moment(ISSUED), model="twin", stations=("A", "B"), horizon_h=240, members=51
    )
    notice = Notice(
        id="notice:above-warning:A:water_level:1",
        station="A",
        quantity="water_level",
        threshold="warning",
        threshold_value=27.3,
        severity="yellow",
        issued=moment(ISSUED),
        chance=1.0,
        crossing=moment(ISSUED + 40 * HOUR),
        crossing_from=None,
        crossing_to=None,
        peak=28.26,
        peak_time=moment(ISSUED + 72 * HOUR),
        title={"zh": "预计汉口站超过警戒水位27.30米", "en": "Hankou expected above warning"},
        limit=0.4,
        action={"zh": "巡堤查险", "en": "patrol the levees"},
    )
    return [run, notice]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Five days of a level that rises by 1 cm an hour to 26.10 m, forecasts every six hours, a notice."""
    made, where = open_store(tmp_path / "store"), basin()
    time = ISSUED - HOUR * np.arange(120, -1, -1)
    value = 26.1 + 0.01 * (time - ISSUED) / HOUR
    ones = np.ones(len(time))
    made.write(Batch.of(where.roster, 0 * ones, LEVEL.number * ones, time, value, ones), received=ISSUED)
    issues = range(ISSUED - 4 * DAY, ISSUED, 6 * HOUR)
    made.put_forecasts([forecast("A", each, 26.1 + 0.01 * (each - ISSUED) / HOUR) for each in issues])
    made.put_forecasts([forecast("A"), forecast("B")])
    subjects = ("A", "A")
    made.append(
        announce(each, state="issued", time=moment(ISSUED), subject=subject)
        for each, subject in zip(events(), subjects, strict=True)
    )
    yield made
    made.close()


@pytest.fixture
def made(store: Store) -> Bulletin:
    return bulletin(basin(), store, ISSUED + 3 * HOUR, crossing)


def test_the_main_stations_are_told_at_eight_in_the_morning(made: Bulletin) -> None:
    assert [each.station for each in made.rows] == ["A"]
    assert [(each - ISSUED) // DAY for each in made.valid] == [1, 2, 3, 5, 7]
    (row,) = made.rows
    assert row.now == (ISSUED, pytest.approx(26.1))
    assert row.day_before == pytest.approx(25.86)
    assert row.values[0].median == pytest.approx(26.1 + 24 * 0.03)
    assert (row.values[2].low, row.values[2].high) == pytest.approx((26.1 + 72 * 0.022, 26.1 + 72 * 0.038))


def test_peak_and_lines_are_those_of_the_ensemble(made: Bulletin) -> None:
    (row,) = made.rows
    assert row.heights == pytest.approx((27.684, 28.26, 28.836))
    assert {(each - ISSUED) // HOUR for each in row.times} == {72}
    warning, guarantee = row.lines
    assert (warning.kind, warning.chance, warning.passed) == ("warning", 1.0, False)
    assert warning.times is not None
    assert (warning.times[1] - ISSUED) // HOUR == 40  # 1.2 m at 3 cm an hour
    assert warning.beyond == pytest.approx(0.96)
    assert (guarantee.chance, guarantee.times) == (0.0, None)


def test_the_issues_of_the_last_days_are_graded(made: Bulletin) -> None:
    (row,) = made.rows
    day = next(each for each in row.grades if each.lead_h == 24)
    assert day.rmse == pytest.approx(24 * 0.02)
    assert day.n == 13


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_says_all_of_it(made: Bulletin, language: str) -> None:
    page = bulletin_file(bulletin_page(made, language), "html").decode("utf-8")
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))
    said = {
        "zh": ["小河水情预报", "2020年8月17日 08:00 发布", "汉口水位8月19日0时前后达到警戒 27.30 米",
               "（可能性100%），最高28.26 米",
               "河名", "预报要素", "8月18日8时", "27.68–28.84", "黄", "&gt;40%", "巡堤查险", "水库出库维持现状。",
               "上游来水51,000立方米每秒（约30小时后到达）", "；区间出流300立方米每秒。", "缺测： 上游（9小时）",
               "0.08 (0.31)",
               "GB/T 22482", "校核", "合成数据"],
        "en": ["Tiny: hydrological forecast", "Hankou reaches its warning 27.30 m about 19 Aug 00:00 (chance 100%)",
               "18 Aug 08:00", "patrol the levees", "Upper 51,000 m³/s, 30 h away; 300 m³/s leave in between.",
               "Upper (9 h)", "SYNTHETIC DATA"],
    }  # fmt: skip
    missing = [each for each in said[language] if each.replace("： ", "：") not in text.replace("： ", "：")]
    assert missing == []
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_same_log_gives_the_same_bytes(made: Bulletin, store: Store) -> None:
    again = bulletin(basin(), store, ISSUED + 5 * HOUR, crossing)
    assert again == made
    assert bulletin_page(again, "zh") == bulletin_page(made, "zh")


def test_the_pdf_is_the_same_each_time(made: Bulletin) -> None:
    try:
        find_fonts(FONT_FOLDER)
    except NotFound:
        pytest.skip("no font with Chinese characters")
    first = bulletin_file(bulletin_page(made, "zh"), "pdf")
    assert first.startswith(b"%PDF")
    assert bulletin_file(bulletin_page(made, "zh"), "pdf") == first


def test_a_line_that_is_passed_already_says_so(store: Store) -> None:
    where = basin()
    later = ISSUED + HOUR
    store.write(Batch.of(where.roster, [0], [LEVEL.number], [later], [27.9], [1]), received=later)
    store.put_forecasts([forecast("A", later, 27.9)])
    run = ForecastRun(
        id="forecast:twin:2", issued=moment(later), model="twin", stations=("A",), horizon_h=240, members=51
    )
    store.append([announce(run, state="issued", time=moment(later), subject="A")])
    made = bulletin(where, store, later, crossing)
    warning, guarantee = made.rows[0].lines
    assert (warning.passed, guarantee.passed) == (True, False)
    assert "已达到" in bulletin_file(bulletin_page(made, "zh"), "html").decode("utf-8")


def test_a_station_of_choice_and_what_is_not_there(store: Store) -> None:
    only = bulletin(basin(), store, ISSUED, crossing, ["B"])
    assert [each.station for each in only.rows] == ["B"]
    assert only.rows[0].now is None
    assert only.notices == ()
    with pytest.raises(NotFound, match="holds nothing for C"):
        bulletin(basin(), store, ISSUED, crossing, ["C"])
    with pytest.raises(NotFound, match="no forecast was issued"):
        bulletin(basin(), store, ISSUED - 40 * DAY, crossing)
