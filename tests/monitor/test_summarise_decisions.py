"""Decisions in the report: who proposed and approved, which orders went to whom, what came late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from liuyu.basin.clock import DAY, HOUR, epoch, moment, parse_time
from liuyu.basin.directives import Delivery, Dispatch, Handover, Receipt, Recipient, Response
from liuyu.basin.events import Event, Incident, announce
from liuyu.basin.places import Basin, Station
from liuyu.monitor import summarise
from liuyu.store.sqlite import open_store

START = epoch(parse_time("2020-08-10", "Asia/Shanghai"))
BASIN = Basin(
    code="tiny",
    name="小河",
    name_en="Tiny",
    time_zone="Asia/Shanghai",
    synthetic=True,
    folder="tiny",
    stations=(
        Station(code="A", name="甲", name_en="Alpha", rank=1, position=(111.0, 30.0)),
        Station(code="B", name="乙", name_en="Beta", rank=1, position=(112.0, 30.5)),
    ),
)
DAM = Recipient(code="dam", name={"zh": "水库管理局", "en": "dam authority"}, channels=("spool",))
CITY = Recipient(code="city", name={"zh": "市防办", "en": "city office"}, channels=("smtp",))
ORDER = Dispatch(
    id="dispatch:1",
    form="order",
    number={"zh": "调令〔2020〕1号", "en": "Order 1 of 2020"},
    title={"zh": "关于拦洪的调度令", "en": "Order to hold back"},
    wording={"zh": "……", "en": "..."},
    recipients=(DAM, CITY),
    due=moment(START + 30 * HOUR),
    drafted_by="li",
)
ANSWER = Response(
    id="response:1",
    plan="tiny",
    version="1",
    digest="00",
    incident="incident:1",
    title={"zh": "小河应急响应", "en": "Tiny response"},
    proposed_level="III",
    proposed_by="engine",
    why=({"zh": "甲站超警", "en": "Alpha above warning"},),
)


def event(record: msgspec.Struct, state: str, hour: float) -> Event:
    return announce(record, state=state, time=moment(START + int(hour * HOUR)), subject="tiny")


def log() -> Sequence[Event]:
    incident = Incident(
        id="incident:1",
        title={"zh": "洪水", "en": "Flood"},
        level="yellow",
        opened=moment(START + 20 * HOUR),
        stations=("A",),
        alerts=(),
    )
    signed = msgspec.structs.replace(ORDER, signed_by="wang", signed=moment(START + 28 * HOUR))
    got = Receipt(recipient="dam", what="acknowledged", at=moment(START + 29 * HOUR), by="zhao")
    took = msgspec.structs.replace(signed, receipts=(got,))
    late = Receipt(recipient="city", what="acknowledged", at=moment(START + 34 * HOUR), by="qian", note="收到")
    both = msgspec.structs.replace(took, receipts=(got, late))
    started = msgspec.structs.replace(ANSWER, level="III", proposed_level="", approved_by="wang")
    failed = Delivery(id="d:1", dispatch="dispatch:1", recipient="city", channel="smtp", attempt=1, reason="no server")
    again = msgspec.structs.replace(failed, attempt=2, reason="", duplicate=True)
    shift = Handover(id="h:1", shift={"zh": "早班", "en": "Early"}, given_by="li", open=({"zh": "a", "en": "a"},))
    return [
        event(incident, "opened", 20),
        event(ANSWER, "proposed", 21),
        event(started, "started", 22),
        event(ORDER, "drafted", 27),
        event(signed, "signed", 28),
        event(failed, "failed", 28.5),
        event(again, "sent", 29),
        event(took, "signed", 29),
        event(both, "acknowledged", 34),
        event(shift, "offered", 35),
        event(msgspec.structs.replace(shift, taken_by="sun"), "taken", 36),
    ]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> summarise.Report:
    with closing(open_store(tmp_path_factory.mktemp("store"))) as store:
        store.append(log())
        return summarise.report(BASIN, store, START, START + 3 * DAY)


def test_a_response_keeps_who_proposed_and_who_approved(found: summarise.Report) -> None:
    (course,) = found.responses
    assert [(each.state, each.level, each.proposed, each.by) for each in course.moves] == [
        ("proposed", "", "III", "engine"),
        ("started", "III", "", "wang"),
    ]
    assert course.highest == "III"


def test_an_order_tells_each_answer_and_how_late_the_last_came(found: summarise.Report) -> None:
    (order,) = found.dispatches
    assert (order.state, order.signed, order.signed_by) == ("acknowledged", START + 28 * HOUR, "wang")
    assert order.late_h == pytest.approx(4.0)
    dam, city = order.recipients
    assert (dam.acknowledged, dam.sent, dam.failed) == (START + 29 * HOUR, 0, 0)
    assert (city.acknowledged, city.by, city.note) == (START + 34 * HOUR, "qian", "收到")
    assert (city.sent, city.failed, city.duplicates) == (1, 1, 1)


def test_the_page_tells_decisions_in_their_order_and_cites_the_log(found: summarise.Report) -> None:
    page = summarise.report_file(found, "html", "zh").decode()
    timeline = page[page.index("决策过程") :]
    told = [timeline.index(each) for each in ("应急响应 · 建议", "应急响应 · 启动", "调度令 · 签发", "li交班，sun接班")]
    assert told == sorted(told)
    assert "甲站超警" in timeline
    assert "签发1份，送达2个单位次，签收2、反馈0；发送失败1次，重发（标明重复）1次。" in timeline
    kinds = {each.kind for each in found.log}
    assert {"response", "dispatch", "handover"} <= kinds
    assert {int(each) for each in re.findall(r'href="#e(\d+)"', page)} <= {each.seq for each in found.log}


def test_what_was_late_stands_in_one_table(found: summarise.Report) -> None:
    page = summarise.report_file(found, "html", "en").decode()
    late = page[page.index("What was late</h2>") :]
    assert "1 task or order came late" in late
    assert "Order 1 of 2020 Order to hold back" in late
    assert "4.0" in late


def test_a_log_without_decisions_has_no_such_chapter(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        quiet = summarise.report(BASIN, store, START, START + DAY)
    page = summarise.report_file(quiet, "html", "zh").decode()
    assert "决策与调度指令" not in page
    assert "迟滞事项" not in page
