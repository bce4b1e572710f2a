"""The report: every number from the log and the series, the same bytes from the same log, nothing left to chance."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC
from html import escape
from pathlib import Path

import docx
import msgspec
import numpy as np
import pytest
from docx.oxml.ns import qn

from liuyu.basin.clock import DAY, HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import (
    Alert,
    Event,
    Incident,
    LateData,
    Notice,
    NumberedFlood,
    Proposal,
    QualityNote,
    RehearsalRun,
    SourceNote,
    Task,
    announce,
)
from liuyu.basin.places import Basin, Reservoir, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch, Series
from liuyu.monitor import summarise
from liuyu.monitor.summarise import pdf
from liuyu.monitor.summarise.grading import crps, grade_of, permissible
from liuyu.monitor.summarise.period import at_times, thin
from liuyu.monitor.summarise.water import hours_above
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

START = epoch(parse_time("2020-08-10", "Asia/Shanghai"))
END = START + 10 * DAY
LEVEL, FLOW = quantity("water_level").number, quantity("discharge").number
INFLOW, OUTFLOW = quantity("reservoir_inflow").number, quantity("reservoir_outflow").number


def basin() -> Basin:
    return Basin(
        code="tiny",
        name="小河<",
        name_en="Tiny & Co",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="tiny",
        stations=(
            Station(
                code="A", name="汉口", name_en="Hankou", rank=1, kind="ZQ", quantities=("water_level", "discharge")
            ),
            Station(code="B", name="九江", name_en="Jiujiang", rank=1),
            Station(
                code="D",
                name="大坝水库",
                name_en="Dam",
                kind="RR",
                rank=1,
                quantities=("water_level", "reservoir_inflow", "reservoir_outflow"),
            ),
        ),
        thresholds=(
            Threshold(station="A", quantity="water_level", kind="warning", value=27.0),
            Threshold(station="A", quantity="water_level", kind="guarantee", value=28.0),
            Threshold(station="A", quantity="water_level", kind="historical_maximum", value=30.0),
            Threshold(station="D", quantity="water_level", kind="flood_limit", value=145.0),
        ),
        reservoirs=(
            Reservoir(
                code="dam",
                name="大坝水库",
                name_en="Dam",
                station="D",
                curve=((140.0, 1e9), (150.0, 2e9), (160.0, 4e9)),
                curve_source="made for this test",
            ),
        ),
        attribution="made for this test",
    )


def hours() -> np.ndarray:
    return START + HOUR * np.arange(240)


def level(hour: np.ndarray) -> np.ndarray:
    """A flood that rises by 3 m to 28.5 m at hour 120 and falls again."""
    return 25.5 + 3.0 * np.exp(-(((hour - 120) / 40) ** 2))


def observations(where: Basin) -> Iterator[Batch]:
    time, hour = hours(), np.arange(240)
    flags = np.ones(240, np.uint8)
    flags[5], flags[6] = 4, 3
    values = level(hour)
    values[5] = 99.0
    inflow = 20000 + 30000 * np.exp(-(((hour - 100) / 20) ** 2))
    outflow = np.minimum(inflow, 30000.0)
    pool = 145.0 + 10.0 * (hour / 239)
    for station, number, series, flag in (
        ("A", LEVEL, values, flags),
        ("A", FLOW, 1000 * level(hour), np.ones(240, np.uint8)),
        ("B", LEVEL, level(hour) - 8, np.ones(240, np.uint8)),
        ("D", LEVEL, pool, np.ones(240, np.uint8)),
        ("D", INFLOW, inflow, np.ones(240, np.uint8)),
        ("D", OUTFLOW, outflow, np.ones(240, np.uint8)),
    ):
        place = where.roster.number[station]
        yield Batch.of(where.roster, np.full(240, place), np.full(240, number), time, series, flag)
    last_year = START - 365 * DAY
    yield Batch.of(where.roster, [0, 0], [LEVEL, LEVEL], [last_year, last_year + HOUR], [29.0, 29.2], [1, 1])


def forecasts() -> list[Forecast]:
    """Every 6 h, 20 members whose median stands 0.1 m too high at every lead."""
    found = []
    for issue in range(0, 60, 6):
        time = START + HOUR * (issue + np.arange(1, 169))
        true = level((time - START) / HOUR)
        members = true + 0.1 + np.linspace(-0.2, 0.2, 21)[:, None]
        found.append(
            Forecast(
                station="A",
                quantity="water_level",
                issued=moment(START + issue * HOUR),
                model="made",
                time=time,
                members=members,
                drivers={},
                provenance=Provenance(code="made", version="1"),
            )
        )
    return found


def at(record: msgspec.Struct, state: str, hour: float, subject: str = "A") -> Event:
    return announce(record, state=state, time=moment(int(START + hour * HOUR)), subject=subject)


def words(text: str) -> dict[str, str]:
    return {"zh": f"{text}<中>", "en": f"{text}<en>"}


def notice(name: str, outcome: str = "", lead: float | None = None, crossed: float | None = None) -> Notice:
    return Notice(
        id=f"notice:{name}",
        station="A",
        quantity="water_level",
        threshold="warning",
        threshold_value=27.0,
        severity="yellow",
        issued=moment(START + 10 * HOUR),
        chance=0.8,
        crossing=moment(START + 90 * HOUR),
        crossing_from=None,
        crossing_to=None,
        peak=28.0,
        peak_time=moment(START + 100 * HOUR),
        title=words("notice"),
        outcome=outcome,
        lead_h=lead,
        crossed_at=None if crossed is None else moment(int(START + crossed * HOUR)),
    )


def events() -> list[Event]:
    alert = Alert(
        id="alert:1",
        rule="above-warning",
        subject="A",
        quantity="water_level",
        severity="yellow",
        title=words("alert"),
        since=moment(START),
        value=27.1,
        threshold="warning",
    )
    task = Task(
        id="task:1",
        incident="incident:1",
        title=words("task"),
        owner="duty",
        owner_name={"zh": "值班员", "en": "duty officer"},
        due=moment(START + 80 * HOUR),
    )
    incident = Incident(
        id="incident:1",
        title=words("flood"),
        level="yellow",
        opened=moment(START + 70 * HOUR),
        stations=("A",),
        alerts=("alert:1",),
        entry=words("opened"),
    )
    flood = NumberedFlood(
        id="flood:4",
        name="小河2020年第4号洪水",
        name_en="Tiny flood No. 4 of 2020",
        year=2020,
        number=4,
        section="upper",
        station="D",
        quantity="reservoir_inflow",
        value=50000.0,
        threshold_value=50000.0,
        time=moment(START + 96 * HOUR),
    )
    proposal = Proposal(
        id="proposal:1",
        issued=moment(START + 80 * HOUR),
        reservoir="dam",
        title=words("proposal"),
        releases={"dam": (1.0,)},
        compared=({"name": words("hold"), "loss": 1234.5, "peaks": {"A": 27.6}},),
        reason=words("least loss"),
        binding=(words("ramp"),),
    )
    rehearsal = RehearsalRun(
        id="rehearsal:1",
        name=words("what if"),
        issued=moment(START + 81 * HOUR),
        releases={},
        results=({"station": "A", "peak_with": 27.5, "peak_change": -0.5, "peak_time_with": "2020-08-14T00:00:00Z"},),
    )
    source = SourceNote(id="source:B", station="B", last=moment(START + 20 * HOUR), title=words("silent"))
    late = LateData(id="late:B", station="B", first=moment(START), count=7, title=words("late"))
    doubt = QualityNote(
        id="quality:A", station="A", quantity="water_level", test="spike", value=99.0, title=words("spike")
    )
    replace = msgspec.structs.replace
    return [
        at(replace(alert, id="alert:0"), "raised", -30),
        at(replace(alert, id="alert:0"), "cleared", 12),
        at(replace(alert, id="alert:old"), "raised", -60),
        at(replace(alert, id="alert:old"), "cleared", -40),
        at(notice("hit"), "issued", 10),
        at(notice("hit"), "updated", 16),
        at(notice("false"), "issued", 11),
        at(source, "silent", 23),
        at(source, "returned", 32),
        at(late, "reopened", 32),
        at(doubt, "doubted", 33),
        at(incident, "opened", 70),
        at(task, "assigned", 70),
        at(replace(task, id="task:2"), "assigned", 70),
        at(alert, "raised", 72),
        at(alert, "acknowledged", 73),
        at(replace(alert, severity="red"), "escalated", 74),
        at(replace(task, done_by="li"), "done", 75),
        at(proposal, "proposed", 80, "dam"),
        at(rehearsal, "run", 81),
        at(replace(task, id="task:2", escalated_to={"zh": "处长", "en": "head"}), "overdue", 81),
        at(replace(proposal, decided_by="zhang"), "accepted", 82, "dam"),
        at(notice("hit", "hit", 80.0, 90), "verified", 90),
        at(replace(notice("miss", "miss", None, 91), crossing=None), "verified", 91),
        at(notice("false", "false_alarm"), "verified", 95),
        at(flood, "numbered", 96),
        at(replace(incident, level="orange", entry=words("worse"), floods=("flood:4",)), "updated", 97),
        at(replace(task, id="task:2", done_by="li", escalated_to={"zh": "处长", "en": "head"}), "done", 104),
        at(replace(incident, entry=words("closed")), "closed", 200),
    ]


def fill(folder: Path, parts: Sequence[str] = ("observations", "forecasts", "events")) -> Store:
    where, store = basin(), open_store(folder)
    with store.transaction():
        for batch in observations(where) if "observations" in parts else ():
            store.write(batch, received=END)
        if "forecasts" in parts:
            store.put_forecasts(forecasts())
        if "events" in parts:
            store.append(events())
    return store


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> summarise.Report:
    with closing(fill(tmp_path_factory.mktemp("store"))) as store:
        return summarise.report(basin(), store, START, END)


def test_peaks_stand_against_their_lines(found: summarise.Report) -> None:
    peak = found.peaks[0]
    assert (peak.name["zh"], peak.level, peak.time) == ("汉口", 28.5, START + 120 * HOUR)
    assert peak.margins == pytest.approx({"warning": 1.5, "guarantee": 0.5, "historical_maximum": -1.5})
    above = level(np.arange(240))
    assert peak.hours["warning"] == (above[:-1] >= 27.0).sum()
    assert (peak.rank, peak.years) == (2, 2)  # last year stood at 29.2 m
    assert (peak.discharge, peak.discharge_time) == (28500.0, START + 120 * HOUR)
    assert not peak.at_edge
    assert found.peaks[2].at_edge  # the pool rose to the end


def test_a_bad_value_makes_no_peak(found: summarise.Report) -> None:
    assert found.peaks[0].level < 99.0
    assert (found.quality.bad, found.quality.suspect) == (1, 1)


def test_a_value_holds_until_the_next_but_not_through_a_gap() -> None:
    times = np.array([0, HOUR, 2 * HOUR, 30 * HOUR])
    series = Series("A", "water_level", times, np.array([1.0, 3.0, 3.0, 3.0]))
    assert hours_above(series, 2.0) == 1 + 6


def test_values_between_are_linear_and_absent_in_a_gap() -> None:
    times = np.array([0, HOUR, 20 * HOUR])
    series = Series("A", "water_level", times, np.array([1.0, 3.0, 5.0]))
    asked = np.array([-1, 0, HOUR // 2, HOUR, 10 * HOUR, 20 * HOUR, 21 * HOUR])
    np.testing.assert_equal(at_times(series, asked), [np.nan, 1.0, 2.0, 3.0, np.nan, 5.0, np.nan])


def test_thinning_keeps_the_highest_the_lowest_and_the_ends() -> None:
    rng = np.random.default_rng(2)
    value = rng.normal(size=5000)
    series = Series("A", "water_level", np.arange(5000), value, np.ones(5000, np.uint8))
    drawn = thin(series, 300)
    assert len(drawn) <= 303
    assert (drawn.value.max(), drawn.value.min()) == (value.max(), value.min())
    assert (drawn.time[0], drawn.time[-1]) == (0, 4999)


def test_a_reservoir_is_judged_by_what_it_cut_and_held(found: summarise.Report) -> None:
    (dam,) = found.reservoirs
    whole, flood = dam.operations
    assert (whole.inflow, whole.outflow, whole.cut) == (50000.0, 30000.0, 20000.0)
    assert whole.inflow_time == START + 100 * HOUR
    assert (whole.level_low, whole.level_high) == (145.0, 155.0)
    assert whole.stored == pytest.approx(3e9 - 1.5e9)
    assert flood.label["zh"] == "小河2020年第4号洪水"
    assert (flood.start, flood.end) == (START + 72 * HOUR, END)


def test_the_ensemble_score_is_that_of_its_definition() -> None:
    rng = np.random.default_rng(5)
    members, value = rng.normal(size=(6, 17)), rng.normal(size=6)
    brute = [
        np.abs(row - one).mean() - np.abs(row[:, None] - row[None, :]).mean() / 2
        for row, one in zip(members, value, strict=True)
    ]
    np.testing.assert_allclose(crps(members, value), brute)
    ragged = np.concatenate([members, np.full((6, 3), np.nan)], axis=1)
    np.testing.assert_allclose(crps(ragged, value), brute)


def test_forecasts_are_graded_against_what_came_and_against_persistence(found: summarise.Report) -> None:
    day = next(each for each in found.grades if each.lead_h == 24)
    change = level(np.arange(0, 60, 6) + 24.0) - level(np.arange(0, 60, 6))
    assert (day.n, found.issues) == (10, 10)  # no usable level at hour 6: it is read across from 4 to 7
    assert day.rmse == pytest.approx(0.1, abs=1e-3)
    assert day.bias == pytest.approx(0.1, abs=1e-3)
    assert day.persistence == pytest.approx(float(np.sqrt((change**2).mean())), rel=0.02)
    assert day.skill == pytest.approx(1 - day.rmse**2 / day.persistence**2)
    assert {each.lead_h for each in found.grades} == {24, 48, 72, 120, 168}
    assert found.models == ("made (1)",)


def test_the_permissible_error_is_a_fifth_of_the_change_with_a_floor() -> None:
    then, now = np.array([30.0, 27.1]), np.array([27.0, 27.0])
    np.testing.assert_allclose(permissible("water_level", then, now), [0.6, 0.10])
    np.testing.assert_allclose(permissible("discharge", np.array([1000.0]), np.array([990.0])), [50.0])


@pytest.mark.parametrize(
    ("qualified", "determination", "grade"),
    [(0.85, 0.95, "甲"), (0.9, 0.8, "乙"), (0.7, 0.5, "丙"), (0.59, 0.99, "估报"), (0.9, float("nan"), "甲")],
)
def test_a_grade_needs_both_its_limits(qualified: float, determination: float, grade: str) -> None:
    assert grade_of(qualified, determination) == grade


def test_courses_are_put_together_from_the_log(found: summarise.Report) -> None:
    assert [each.id for each in found.alerts] == ["alert:0", "alert:1"]  # one lasted into the period, one did not
    before, within = found.alerts
    assert (before.start, before.end) == (START - 30 * HOUR, START + 12 * HOUR)
    assert (within.severity, within.escalated, within.end) == ("yellow", True, None)
    assert within.acknowledged == START + 73 * HOUR
    assert [(each.id, each.outcome, each.updates) for each in found.notices] == [
        ("notice:false", "false_alarm", 0),
        ("notice:hit", "hit", 1),
        ("notice:miss", "miss", 0),
    ]
    (incident,) = found.incidents
    assert (incident.highest, incident.closed) == ("orange", START + 200 * HOUR)
    first, second = incident.tasks
    assert (first.state, first.late_h) == ("done", None)
    assert (second.state, second.late_h, second.escalated_to["zh"]) == ("done", 24.0, "处长")
    assert [(each.kind, each.state, each.decided_by) for each in found.alternatives] == [
        ("proposal", "accepted", "zhang"),
        ("rehearsal", "run", ""),
    ]


def test_data_quality_is_counted(found: summarise.Report) -> None:
    data = found.quality
    assert (data.received, data.usable, data.stations) == (6 * 240, 6 * 240 - 2, 3)
    assert data.completeness == 1.0
    assert (dict(data.doubts), data.late_values) == ({"spike": 1}, 7)
    (silence,) = data.silences
    assert (silence.start, silence.returned) == (START + 20 * HOUR, START + 32 * HOUR)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_stands_alone_and_every_reference_leads_somewhere(found: summarise.Report, language: str) -> None:
    page = summarise.report_file(found, "html", language).decode()
    anchors = set(re.findall(r'id="(e\d+)"', page))
    assert set(re.findall(r'href="#(e\d+)"', page)) <= anchors
    assert len(anchors) == len(found.log) == len({each.seq for each in found.log})
    assert not re.findall(r"(?:src|href)=\"(?!#|data:)", page)
    assert set(re.findall(r"https?://[^\"<' ]+", page)) == {"http://www.w3.org/2000/svg"}
    assert "<script" not in page
    assert "<中>" not in page
    assert "<en>" not in page
    assert ("合成数据" if language == "zh" else "SYNTHETIC DATA") in page
    for said in ("28.50", "50,000", "20,000", "15.0" if language == "zh" else "1.50"):  # held: 15.0 亿, 1.50 billion
        assert said in page


def test_the_summary_says_what_happened_in_numbers(found: summarise.Report) -> None:
    page = summarise.report_file(found, "html", "zh").decode()
    plain = re.sub(r"<sup>.*?</sup>|<[^>]+>", "", page)
    assert "1站超过警戒水位" in plain
    assert "汉口站8月15日0时最高水位28.50米" in plain
    assert "大坝水库最大入库流量50,000立方米每秒" in plain
    assert "库水位由145.00米升至155.00米" in plain
    assert "下达任务2项" in plain


def test_the_same_log_gives_the_same_bytes(found: summarise.Report, tmp_path: Path) -> None:
    with closing(fill(tmp_path)) as store:
        again = summarise.report(basin(), store, START, END)
    for language in ("zh", "en"):
        assert summarise.report_file(found, "html", language) == summarise.report_file(again, "html", language)


def fonts() -> None:
    try:
        pdf.find_fonts(pdf.FONT_FOLDER)
    except NotFound as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pdf_says_the_same_and_is_the_same_each_time(found: summarise.Report, language: str) -> None:
    fonts()
    pypdf = pytest.importorskip("pypdf")
    made = summarise.report_file(found, "pdf", language)
    assert made == summarise.report_file(found, "pdf", language)
    reader = pypdf.PdfReader(io.BytesIO(made))
    text = "".join(page.extract_text() for page in reader.pages)
    assert "28.50" in text
    assert ("合成数据" if language == "zh" else "SYNTHETIC DATA") in text
    assert reader.metadata.creation_date.timestamp() == END


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_document_says_the_same_and_is_the_same_each_time(found: summarise.Report, language: str) -> None:
    fonts()
    made = summarise.report_file(found, "docx", language)
    assert made == summarise.report_file(found, "docx", language)
    document = docx.Document(io.BytesIO(made))
    cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
    assert any("28.50" in each for each in cells)
    titles = [each.text for each in document.paragraphs if each.style.name == "Heading 1"]
    page = summarise.report_file(found, "html", language).decode()
    assert len(titles) > 5
    assert all(escape(each.split("  ")[1]) in page for each in titles)
    assert ("合成数据" if language == "zh" else "SYNTHETIC DATA") in document.paragraphs[3].text
    assert document.core_properties.created.replace(tzinfo=UTC).timestamp() == END
    body = document.element.body
    marks = {each.get(qn("w:name")) for each in body.iter(qn("w:bookmarkStart"))}
    cited = {each.get(qn("w:anchor")) for each in body.iter(qn("w:hyperlink"))}
    assert cited
    assert cited <= marks
    assert len(document.inline_shapes) == page.count("<svg")


def test_without_a_chinese_font_the_cure_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "FAMILIES", ())
    with pytest.raises(NotFound, match="install Noto Sans SC"):
        pdf.find_fonts(tmp_path)


def test_a_quiet_period_makes_a_quiet_report(tmp_path: Path) -> None:
    with closing(fill(tmp_path, ("observations",))) as store:
        quiet = summarise.report(basin(), store, START, START + DAY)
        empty = summarise.report(basin(), store, START - 90 * DAY, START - 89 * DAY)
    assert "各站水位均未超过警戒" in summarise.report_file(quiet, "html", "zh").decode()
    assert "No levels were received" in summarise.report_file(empty, "html", "en").decode()
    fonts()
    for report in (quiet, empty):
        assert summarise.report_file(report, "pdf", "en").startswith(b"%PDF")


def test_what_cannot_be_reported_is_refused(found: summarise.Report, tmp_path: Path) -> None:
    with closing(fill(tmp_path, ())) as store, pytest.raises(BadInput, match="no length"):
        summarise.report(basin(), store, END, START)
    with pytest.raises(BadInput, match="zh or en"):
        summarise.report_file(found, "html", "fr")
