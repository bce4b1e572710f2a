"""The register of orders by itself: standard form, steps, numbers, two persons, deadlines, notifications, the list."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.directives import Recipient, Response
from liuyu.basin.errors import BadInput, BadPackage, NotFound
from liuyu.basin.events import Event, Proposal, announce
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.monitor.respond.dispatch import Dispatches, Wish, open_items, read_directory
from liuyu.monitor.respond.dispatch.files import media_type, plain_name
from liuyu.monitor.respond.dispatch.recipients import Directory
from liuyu.monitor.respond.dispatch.steps import MOST_STEPS, holds, hourly

NOW = epoch(datetime(2020, 8, 17, 12, tzinfo=UTC))
WISH = Wish(releases={"three_gorges": (30_000.0,) * 12 + (27_000.0,) * 12})
DOCS = Path(__file__).parents[2] / "docs" / "howto" / "respond.md"


@pytest.fixture(scope="module")
def basin() -> Basin:
    return read_basin(find_basin("yangtze"))


@pytest.fixture(scope="module")
def directory(basin: Basin) -> Directory:
    return read_directory([Path(basin.folder) / basin.recipients_file], basin)


@pytest.fixture
def register(basin: Basin, directory: Directory) -> Dispatches:
    return Dispatches(basin, directory)


def signed(register: Dispatches, wish: Wish = WISH, now: int = NOW) -> Event:
    return register.sign(register.draft(wish, "wang", now).id, "wang", "", now)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.floats(0, 90_000), min_size=1, max_size=240))
def test_any_release_is_said_in_a_few_steps_that_keep_its_hours_and_its_volume(flows: list[float]) -> None:
    found = holds(flows)
    assert 1 <= len(found) <= MOST_STEPS
    assert len(hourly(found)) == len(flows)
    assert [each.start for each in found] == [sum(one.hours for one in found[:place]) for place in range(len(found))]
    unit = 100 if max(flows) >= 5000 else 10 if max(flows) >= 500 else 1
    assert abs(sum(hourly(found)) - sum(flows)) <= len(flows) * unit / 2 + 1e-6


def test_steps_that_are_steps_already_are_said_as_they_are() -> None:
    assert hourly(holds([8000.0] * 5 + [12_000.0] * 3)) == (8000.0,) * 5 + (12_000.0,) * 3
    assert holds([]) == ()


def test_an_order_reads_as_orders_do_in_both_languages(register: Dispatches) -> None:
    event = signed(register)
    assert event.body["title"]["zh"] == "关于调整三峡水库出库流量的调度令"
    assert event.body["number"]["zh"] == "江孪演调令〔2020〕第1号"
    zh = event.body["wording"]["zh"].splitlines()
    assert zh[0] == "三峡水库调度运行单位："
    assert "一、三峡水库自8月17日20时起出库流量按30000 m³/s控制，至8月18日8时；" in zh
    assert "二、三峡水库自8月18日8时起出库流量按27000 m³/s控制，至8月18日20时；" in zh
    assert zh[-1].startswith("执行要求：")
    assert "收到本令后1小时内确认，6小时内报告执行情况" in zh[-1]
    en = event.body["wording"]["en"].splitlines()
    assert "2. Three Gorges Reservoir: release 27,000 m³/s from 08:00 on 18 August until 20:00 on 18 August;" in en


def test_other_recipients_are_those_that_the_text_addresses(register: Dispatches) -> None:
    id = register.draft(WISH, "wang", NOW).id
    before = register.standing(id)
    assert before is not None
    event = register.amend(id, Wish(recipients=("hubei", "hunan")), "wang", NOW)
    said, was = event.body["wording"]["zh"].splitlines(), before[0].wording["zh"].splitlines()
    names = [each["name"]["zh"] for each in event.body["recipients"]]
    assert said[0] == "、".join(names) + "："
    assert said[1:] == was[1:]
    own = msgspec.convert({"wording": {"zh": "请照办。", "en": "Please do so."}}, Wish)
    register.amend(id, own, "wang", NOW)
    event = register.amend(id, Wish(recipients=("hubei",)), "wang", NOW)
    assert event.body["wording"]["zh"] == "请照办。"


def test_a_proposal_says_itself_when_it_begins(register: Dispatches) -> None:
    proposal = Proposal(
        id="proposal:1",
        issued=moment(NOW),
        reservoir="three_gorges",
        title={"zh": "方案", "en": "plan"},
        releases={"three_gorges": (30_000.0,) * 6},
        compared=(),
        reason={},
    )
    with pytest.raises(BadInput, match="leave effective out"):
        register.draft(Wish(effective=moment(NOW + HOUR)), "wang", NOW, proposal=proposal)


def test_two_reservoirs_are_one_order_of_joint_operation(register: Dispatches) -> None:
    both = Wish(releases={"three_gorges": (30_000.0,), "danjiangkou": (1000.0,)})
    event = register.draft(both, "wang", NOW)
    assert event.body["title"]["zh"] == "关于丹江口水库、三峡水库联合调度的调度令"
    assert [each["code"] for each in event.body["recipients"]] == ["three-gorges", "danjiangkou"]


def test_numbers_rise_by_form_and_begin_again_each_year(register: Dispatches) -> None:
    told = {"title": {"zh": "通知", "en": "Notice"}, "wording": {"zh": "请核对。", "en": "Please check."}}
    note = msgspec.convert({**told, "form": "notification", "recipients": ["all"]}, Wish)
    numbers = [signed(register, wish, at).body["number"]["zh"] for wish, at in (
        (WISH, NOW), (note, NOW), (WISH, NOW + HOUR), (WISH, epoch(datetime(2020, 12, 31, 17, tzinfo=UTC))),
    )]  # fmt: skip
    assert numbers == [
        "江孪演调令〔2020〕第1号", "江孪演通〔2020〕第1号", "江孪演调令〔2020〕第2号", "江孪演调令〔2021〕第1号",
    ]  # fmt: skip


def test_where_two_persons_are_asked_for_nobody_signs_what_they_wrote(basin: Basin, directory: Directory) -> None:
    office = msgspec.structs.replace(directory.office, two_persons=True)
    register = Dispatches(basin, msgspec.structs.replace(directory, office=office))
    id = register.draft(WISH, "wang", NOW).id
    with pytest.raises(BadInput, match="another person"):
        register.sign(id, "wang", "", NOW)
    register.amend(id, Wish(note="x"), "li", NOW)
    with pytest.raises(BadInput, match="another person"):
        register.sign(id, "li", "", NOW)
    assert register.sign(id, "wang", "", NOW).state == "signed"


def test_a_notification_is_over_when_all_have_acknowledged_it(register: Dispatches) -> None:
    told = {"title": {"zh": "通知", "en": "Notice"}, "wording": {"zh": "请核对。", "en": "Please check."}}
    wish = msgspec.convert({**told, "form": "notification", "recipients": ["hubei", "hunan"]}, Wish)
    id = signed(register, wish).id
    assert register.receive(id, "hubei", "acknowledged", "赵", "", NOW).state == "signed"
    assert register.receive(id, "hunan", "acknowledged", "钱", "", NOW).state == "acknowledged"
    assert register.standing(id) is None
    assert register.step([], NOW + 100 * HOUR) == []


def test_deadlines_that_are_given_hold_and_past_ones_are_refused(register: Dispatches) -> None:
    late = msgspec.structs.replace(WISH, due=moment(NOW - 60))
    id = register.draft(late, "wang", NOW).id
    with pytest.raises(BadInput, match="due"):
        register.sign(id, "wang", "", NOW)
    register.amend(id, Wish(due=moment(NOW + 2 * HOUR)), "wang", NOW)
    register.sign(id, "wang", "", NOW)
    assert register.step([], NOW + 2 * HOUR) == []
    assert [each.state for each in register.step([], NOW + 2 * HOUR + 1)] == ["overdue"]


def test_the_memory_is_the_same_after_a_kill_at_any_step(basin: Basin, directory: Directory) -> None:
    def played(*, reopened: bool) -> list[Event]:
        register, out = Dispatches(basin, directory), list[Event]()
        id = register.draft(WISH, "wang", NOW).id
        for hour in range(12):
            now = NOW + hour * HOUR
            if reopened:
                blob, register = register.dump(), Dispatches(basin, directory)
                register.load(blob)
            if hour == 1:
                out.append(register.sign(id, "wang", "", now))
            if hour == 4:
                out.append(register.receive(id, "three-gorges", "acknowledged", "赵", "", now))
            out += register.step([], now)
        return out

    assert played(reopened=True) == played(reopened=False)
    assert [each.state for each in played(reopened=True)] == ["signed", "overdue", "acknowledged", "overdue"]


def test_a_response_notifies_its_list_at_once_in_the_name_of_who_approved_it(register: Dispatches) -> None:
    response = Response(
        id="response:1", plan="flood", version="2026-1", digest="", incident="incident:1", level="III",
        title={"zh": "长江防洪应急预案", "en": "Yangtze flood plan"}, approved_by="li",
        why=({"zh": "汉口超警戒", "en": "Hankou above warning"},),
    )  # fmt: skip
    event = announce(response, state="started", time=moment(NOW), subject="yangtze")
    hubei = Recipient(code="hubei", name={"zh": "湖北省防汛值班室", "en": "Hubei"}, channels=("page",))
    told = msgspec.structs.replace(event, body={**event.body, "notify": msgspec.to_builtins((hubei,))})
    (made,) = register.step([told], NOW)
    assert (made.state, made.body["form"], made.body["signed_by"]) == ("signed", "notification", "li")
    assert (made.body["response"], made.body["incident"]) == ("response:1", "incident:1")
    assert "启动" in made.body["title"]["zh"]
    assert "Ⅲ级应急响应" in made.body["wording"]["zh"]
    assert "汉口超警戒" in made.body["wording"]["zh"]
    quiet = msgspec.structs.replace(event, body={**event.body, "notify": []})
    assert register.step([quiet], NOW) == []


def test_lists_stand_for_their_members_once_each(directory: Directory) -> None:
    found = [each.code for each in directory.resolve(["hubei", "middle-reach", "hubei"])]
    assert found == ["hubei", "hunan", "hydrology-duty"]
    with pytest.raises(NotFound, match="hubei"):
        directory.resolve(["hubie"])


def test_every_fault_of_a_list_is_told_at_once(tmp_path: Path, basin: Basin) -> None:
    file = tmp_path / "recipients.toml"
    file.write_text(
        """kind = "recipients"
[office]
name = { zh = "室", en = "room" }
order_number = { zh = "令{year}", en = "Order {year}/{serial}" }
[[recipient]]
code = "a"
name = { zh = "甲", en = "A" }
superior = "z"
reservoirs = ["three_gorge"]
channels = ["page"]
address = { smtp = "a@x.example" }
[[recipient]]
code = "a"
name = { zh = "乙", en = "B" }
[[list]]
code = "all"
name = { zh = "全", en = "All" }
recipients = ["a", "c"]
""",
        encoding="utf-8",
    )
    with pytest.raises(BadPackage) as caught:
        read_directory([file], basin)
    told = {(each.line, each.field) for each in caught.value.faults}
    assert told == {
        (4, "order_number"),
        (8, "superior"),
        (9, "reservoirs"),
        (11, "address"),
        (13, "code"),
        (18, "recipients"),
    }


def test_the_manual_shows_a_list_that_can_be_read(tmp_path: Path, basin: Basin) -> None:
    blocks = [each.split("```")[0] for each in DOCS.read_text(encoding="utf-8").split("```toml\n")[1:]]
    (example,) = (each for each in blocks if 'kind = "recipients"' in each)
    (tmp_path / "recipients.toml").write_text(example, encoding="utf-8")
    found = read_directory([tmp_path / "recipients.toml"], basin)
    assert found.contacts
    assert found.groups


def test_what_is_done_or_inhibited_is_not_handed_over(basin: Basin) -> None:
    def alert(id: str, state: str, **more: str) -> Event:
        body = {"id": id, "title": {"zh": id, "en": id}, **more}
        return Event(kind="alert", time=moment(NOW), id=id, state=state, subject="x", body=body)

    events = [
        alert("a", "raised"), alert("b", "raised"), alert("b", "acknowledged"), alert("c", "raised", inhibited_by="a"),
    ]  # fmt: skip
    assert open_items(events, basin.zone) == ({"zh": "未确认告警：a", "en": "Alert not acknowledged: a"},)


def test_files_are_known_by_their_content_and_named_plainly() -> None:
    assert media_type("a.JPG", b"\xff\xd8\xff\xe0") == "image/jpeg"
    assert media_type("表.csv", "\ufeff站,水位\n".encode()) == "text/csv"
    assert plain_name("/etc/../巡堤\u202e.png") == "巡堤.png"
    with pytest.raises(BadInput):
        media_type("a.pdf", b"MZ")
