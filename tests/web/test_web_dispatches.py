"""Orders, the phone's page, the handover, files and push over HTTP, on a real office whose clock stands still."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import capvalidator
import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.events import Incident, Proposal, Task, announce
from liuyu.web.app import create_app
from liuyu.web.ports import User
from tests.app.office_bench import NOW, OFFICER, StillTwin, office

load_all_checks()
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100
BYTES = {"Content-Type": "application/octet-stream"}
BOTH = {"zh": "清溪洪水", "en": "Qingxi flood"}
BY_HAND = {"releases": {"qingxi_reservoir": [200, 200, 300]}}


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[StillTwin]:
    with office(tmp_path, outgoing=False) as (made, postbox):
        made.deliverer(postbox)
        incident = Incident(
            id="incident:1", title=BOTH, level="orange", opened=moment(NOW), stations=("99000300",), alerts=()
        )
        task = Task(id="task:1", incident="incident:1", title=BOTH, owner="township", due=moment(NOW + HOUR))
        for event in (
            announce(incident, state="opened", time=moment(NOW), subject="qingxi"),
            announce(task, state="assigned", time=moment(NOW), subject="qingxi"),
        ):
            made._run.pipeline.answer(event, NOW)
        yield made


def serve(twin: StillTwin) -> tuple[uvicorn.Server, threading.Thread, str]:
    config = uvicorn.Config(create_app(twin), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    return server, thread, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"


@pytest.fixture
def url(twin: StillTwin) -> Iterator[str]:
    server, thread, address = serve(twin)
    yield address
    server.should_exit = True
    thread.join(5)


@pytest.fixture
def officer(twin: StillTwin, url: str) -> Iterator[httpx.Client]:
    with signed_in(twin, url, OFFICER) as client:
        yield client


@contextmanager
def signed_in(twin: StillTwin, url: str, user: User) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        assert client.post("/api/session", json={"token": twin._users.issue_token(user)}).status_code == 200
        yield client


def accept(twin: StillTwin) -> None:
    """A proposal of two hours ago is accepted, as by a person."""
    made = Proposal(
        id="proposal:1", issued=moment(NOW - 2 * HOUR), reservoir="qingxi_reservoir", title=BOTH,
        releases={"qingxi_reservoir": (100.0, 110.0, 200.0, 203.0, 400.0)}, compared=(), reason=BOTH, decided_by="wang",
    )  # fmt: skip
    twin._run.pipeline.answer(announce(made, state="accepted", time=moment(NOW), subject="qingxi_reservoir"), NOW)


def test_accepting_a_proposal_makes_the_draft_and_one_click_signs_it(twin: StillTwin, officer: httpx.Client) -> None:
    accept(twin)
    (sheet,) = officer.get("/api/dispatches", params={"proposal": "proposal:1"}).json()
    assert (sheet["state"], sheet["acts"]) == ("drafted", ["amend", "sign", "cancel"])
    draft = sheet["dispatch"]
    assert draft["effective"] == "2021-07-05T16:00:00Z", "the hours that have passed are not ordered"
    assert draft["releases"] == {"qingxi_reservoir": [200, 203, 400]}
    assert (draft["incident"], draft["drafted_by"], draft["exercise"]) == ("incident:1", "wang", True)
    assert [each["code"] for each in draft["recipients"]] == ["reservoir-duty"]
    signed = officer.post(f"/api/dispatches/{sheet['id']}/sign", json={}).json()
    assert signed["state"] == "signed"
    assert signed["dispatch"]["number"] == {"zh": "清防演调令〔2021〕第1号", "en": "Exercise order 2021/1"}
    assert signed["dispatch"]["due"] == "2021-07-05T17:00:00Z"
    text = signed["document"]["zh"]
    for line in ("调度令", "编号：清防演调令〔2021〕第1号", "签发人：wang", "签发时间：2021年7月6日0时"):
        assert line in text.splitlines(), line
    assert "一、清溪水库自7月6日0时起出库流量按200 m³/s控制，至7月6日1时；" in text
    assert "1. Qingxi Reservoir: release 200 m³/s from 00:00 on 6 July" in signed["document"]["en"]
    assert [each["state"] for each in signed["deliveries"]] == ["sent"]
    assert officer.get("/api/board").json()["dispatches"][0]["state"] == "signed"


def test_a_draft_is_amended_each_version_kept_and_what_is_signed_is_not(twin: StillTwin, officer: httpx.Client) -> None:
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    changes: list[dict[str, Any]] = [
        {"recipients": ["all"]},
        {"releases": {"qingxi_reservoir": [500]}, "effective": "2021-07-06T00:00:00Z"},
        {"title": {"zh": "关于清溪水库的调度令", "en": "Order on Qingxi"}, "note": "会商"},
    ]
    for change in changes:
        assert officer.post(f"/api/dispatches/{id}/amend", json=change).status_code == 200
    sheet = officer.post(f"/api/dispatches/{id}/sign", json={"note": "同意"}).json()
    assert "按500 m³/s控制" in sheet["dispatch"]["wording"]["zh"]
    assert len(sheet["waiting"]) == 3
    versions = officer.get("/api/events", params={"id": id}).json()
    assert [each["body"]["version"] for each in versions] == [1, 2, 3, 4, 5]
    assert [each["state"] for each in versions] == ["drafted"] * 4 + ["signed"]
    times = [each["time"] for each in versions]
    assert times == sorted(set(times)), "acts within one second of the twin keep their order"
    for act, body in (("amend", {"note": "x"}), ("sign", {})):
        refused = officer.post(f"/api/dispatches/{id}/{act}", json=body)
        assert refused.status_code == 400
        assert refused.json()["cure"]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({}, "says nothing"),
        ({"form": "notification"}, "title and wording"),
        ({"releases": {"three_gorges": [1]}}, "no reservoir"),
        ({**BY_HAND, "recipients": ["townhip"]}, "no recipient"),
        ({**BY_HAND, "supersedes": "dispatch:x"}, "supersedes"),
        ({**BY_HAND, "colour": 1}, "colour"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_the_cure(officer: httpx.Client, wish: Any, said: str) -> None:
    refused = officer.post("/api/dispatches", json=wish)
    assert refused.status_code in (400, 404)
    assert said in refused.json()["error"] + refused.json()["cure"]
    assert officer.get("/api/dispatches").json() == []


def test_who_may_not_sign_does_not_and_every_act_leaves_a_line(
    twin: StillTwin, url: str, officer: httpx.Client
) -> None:
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    with signed_in(twin, url, User("li", "viewer")) as viewer:
        for path in (f"/api/dispatches/{id}/sign", f"/api/dispatches/{id}/cancel", "/api/handover", "/api/dispatches"):
            assert viewer.post(path, json={}).status_code == 403, path
        assert viewer.post("/api/attachments?target=task:1&name=a.png", content=PNG, headers=BYTES).status_code == 403
    assert httpx.post(f"{url}/api/dispatches/{id}/sign", json={}).status_code == 401
    officer.post(f"/api/dispatches/{id}/sign", json={})
    receipt = {"recipient": "reservoir-duty", "what": "reported", "by": "赵", "note": "已开闸"}
    done = officer.post(f"/api/dispatches/{id}/receipt", json=receipt).json()
    assert (done["state"], done["acts"]) == ("reported", [])
    assert [each["what"] for each in done["dispatch"]["receipts"]] == ["acknowledged", "reported"]
    assert done["dispatch"]["receipts"][1]["by"] == "赵（wang代记）"
    assert officer.post(f"/api/dispatches/{id}/receipt", json=receipt).status_code == 400
    lines = [each["action"] for each in reversed(twin.store.audit_log())]
    assert lines == ["draft", "sign", "receipt"]


def test_a_phone_answers_without_an_account_or_a_script(twin: StillTwin, url: str, officer: httpx.Client) -> None:
    id = officer.post("/api/dispatches", json={**BY_HAND, "recipients": ["reservoir-duty", "township"]}).json()["id"]
    officer.post(f"/api/dispatches/{id}/sign", json={})
    token = twin._postbox._links.token(id, "reservoir-duty")  # type: ignore[union-attr]
    with httpx.Client(base_url=url, timeout=20) as phone:
        page = phone.get(f"/r/{token}", headers={"Accept-Language": "zh-CN"})
        assert page.status_code == 200
        assert "确认收悉" in page.text
        assert "清溪水库管理所" in page.text
        assert "<script" not in page.text
        assert "'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert "no-store" in page.headers["cache-control"]
        assert officer.get(f"/api/dispatches/{id}").json()["waiting"] == ["reservoir-duty", "township"], (
            "looking is no act"
        )
        answer = phone.post(f"/r/{token}?lang=en", data={"what": "acknowledged", "by": "赵 <b>", "note": "ok"})
        assert answer.status_code == 303
        after = phone.get(answer.headers["location"])
        assert "Receipt acknowledged" in after.text
        assert "Report it carried out" in after.text
        assert "Acknowledge receipt" not in after.text
        assert phone.post(f"/r/{token}", data={"what": "acknowledged"}).status_code == 303, "pressed twice"
        assert phone.post(f"/r/{token}", data={"what": "reported", "note": "已执行"}).status_code == 303
        assert "已报告执行情况" in phone.get(f"/r/{token}?lang=zh").text
        assert phone.post(f"/r/{token}", data={"what": "cancelled"}).status_code == 400
        lost = phone.get("/r/" + "x" * 32)
        assert lost.status_code == 404
        assert lost.headers["content-type"].startswith("text/html")
    sheet = officer.get(f"/api/dispatches/{id}").json()
    assert (sheet["waiting"], sheet["unreported"]) == (["township"], ["township"])
    assert [each["by"] for each in sheet["dispatch"]["receipts"]] == ["赵 <b>", "清溪水库管理所"]
    assert twin.store.audit_log(limit=1)[0]["user"] == "link:reservoir-duty (viewer)"
    kept = [twin.store.load_state(f"link/{token}"), str(twin.store.events())]
    assert kept[0] is None
    assert token not in kept[1], "the store holds the hash alone"


def test_an_order_that_is_over_asks_nothing_more_of_a_phone(twin: StillTwin, url: str, officer: httpx.Client) -> None:
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    officer.post(f"/api/dispatches/{id}/sign", json={})
    officer.post(f"/api/dispatches/{id}/cancel", json={"note": "水情转好"})
    token = twin._postbox._links.token(id, "reservoir-duty")  # type: ignore[union-attr]
    assert "<button" not in httpx.get(f"{url}/r/{token}").text
    assert httpx.post(f"{url}/r/{token}", data={"what": "acknowledged"}).status_code == 400


def test_a_shift_hands_over_what_is_open_to_somebody_else(officer: httpx.Client) -> None:
    officer.post("/api/dispatches", json=BY_HAND)
    watch = officer.get("/api/handover").json()
    assert watch["shift"] == {"zh": "7月5日夜班", "en": "Night shift of 5 July"}
    said = [each["zh"] for each in watch["open"]]
    assert said[0] == "事件：清溪洪水"
    assert said[1] == "文书（签发时编号）：关于调整清溪水库出库流量的调度令（拟稿）"
    assert said[2] == "未完成任务：清溪洪水（未接受，期限7月6日1时）"
    offered = officer.post("/api/handover", json={"note": "雨未停"}).json()
    assert [each["zh"] for each in offered["body"]["open"]] == said
    assert officer.post("/api/handover", json={}).status_code == 400, "one at a time"
    take = f"/api/handover/{offered['id']}/take"
    assert officer.post(take, json={}).status_code == 400, "not by who hands over"
    taken = officer.post(take, json={"by": "李", "note": "已核对"}).json()
    assert (taken["state"], taken["body"]["taken_by"], taken["body"]["note"]) == ("taken", "李", "雨未停\n已核对")
    assert officer.post(take, json={"by": "张"}).status_code == 400
    assert officer.get("/api/handover").json()["handovers"][0]["state"] == "taken"


def test_a_file_is_kept_with_its_event_and_given_back_to_be_saved(
    twin: StillTwin, url: str, officer: httpx.Client
) -> None:
    where = {"target": "task:1", "name": "C:\\照片\\巡堤 1.png", "note": "桩号3+200"}
    added = officer.post("/api/attachments", params=where, content=PNG, headers=BYTES).json()
    assert (added["subject"], added["body"]["name"], added["body"]["size"]) == ("task:1", "巡堤 1.png", len(PNG))
    assert officer.get("/api/attachments", params={"target": "task:1"}).json() == [added]
    file = officer.get(f"/api/attachments/{added['id']}")
    assert file.content == PNG
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''%E5%B7%A1%E5%A0%A4%201.png"
    assert "sandbox" in file.headers["content-security-policy"]
    assert file.headers["x-content-type-options"] == "nosniff"
    assert httpx.get(f"{url}/api/attachments/{added['id']}").status_code == 401
    assert officer.post("/api/attachments", params=where, content=PNG, headers=BYTES).status_code == 400, (
        "there already"
    )


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.html", b"<script>", 400),
        ("a.svg", b"<svg/>", 400),
        ("a.png", b"<script>alert(1)</script>", 400),
        ("a.txt", b"\xff\xfe\x00x", 400),
        ("a.docx", b"PK\x03\x04 no archive", 400),
        ("..", PNG, 400),
        ("a.png", b"", 400),
        ("a.png", PNG + bytes(8 << 20), 413),
    ],
)
def test_a_file_of_another_kind_is_refused(officer: httpx.Client, name: str, content: bytes, status: int) -> None:
    where = {"target": "task:1", "name": name}
    assert officer.post("/api/attachments", params=where, content=content, headers=BYTES).status_code == status
    assert officer.get("/api/attachments").json() == []


def test_files_need_a_thing_and_their_own_type(officer: httpx.Client) -> None:
    nowhere = officer.post("/api/attachments?target=task:9&name=a.png", content=PNG, headers=BYTES)
    assert nowhere.status_code == 404
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    assert officer.post("/api/attachments?target=task:1&name=a.png", content=PNG, headers=form).status_code == 415


def test_a_signed_order_is_in_the_feed_as_valid_cap_and_a_draft_is_not(officer: httpx.Client) -> None:
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    assert id not in officer.get("/api/cap").text
    officer.post(f"/api/dispatches/{id}/sign", json={})
    receipt = {"recipient": "reservoir-duty", "what": "acknowledged"}
    officer.post(f"/api/dispatches/{id}/receipt", json=receipt)
    feed = officer.get("/api/cap").text
    links = [each.replace("&amp;", "&") for each in re.findall(r'href="([^"]*dispatch[^"]*)"', feed)]
    assert len(links) == 2
    for link in links:
        message = httpx.get(link).text
        judged = capvalidator.check_schema(message.encode())
        assert judged.passed, judged.message
        assert "<status>Exercise</status>" in message
        assert "<scope>Restricted</scope>" in message
    assert "<references>" in httpx.get(links[0]).text


def test_without_a_channel_there_is_no_push(officer: httpx.Client) -> None:
    assert officer.get("/api/push").status_code == 404
    keys = {"p256dh": "x" * 87, "auth": "y" * 22}
    wish = {"endpoint": "https://fcm.googleapis.com/x", "keys": keys, "recipient": "township"}
    assert officer.post("/api/push", json=wish).status_code == 404


def test_whatever_is_sent_is_answered_as_described(twin: StillTwin, url: str, officer: httpx.Client) -> None:
    """schemathesis writes with a duty officer's session to every address of the office, about things that are there."""
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    described = schemathesis.openapi.from_url(f"{url}/schema/openapi.json")
    checks = [
        schemathesis.checks.not_a_server_error, status_code_conformance, content_type_conformance,
        response_schema_conformance,
    ]  # fmt: skip
    asked, statuses = 0, []
    office_paths = re.compile("^/api/(dispatches|recipients|handover|attachments|push)")
    for found in described.include(path_regex=office_paths.pattern).get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy())
        def ask(case: schemathesis.Case) -> None:
            if "dispatches" in case.path and case.path_parameters:
                case.path_parameters["id"] = id
            answer = case.call_and_validate(checks=checks, cookies=dict(officer.cookies))
            statuses.append(answer.status_code)

        ask()
        asked += 1
    assert asked >= 16
    assert statuses.count(200) > 20
    assert twin.store.verify_chain().bad is None


def test_times_of_a_paper_stay_within_their_second(twin: StillTwin, officer: httpx.Client) -> None:
    id = officer.post("/api/dispatches", json=BY_HAND).json()["id"]
    for _ in range(5):
        officer.post(f"/api/dispatches/{id}/amend", json={"note": "x"})
    found = twin.store.events(id=id, end=NOW + 1)
    assert len(found) == 6
    assert found[-1].time - moment(NOW) < timedelta(milliseconds=1)
