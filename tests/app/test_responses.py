"""Responses over HTTP: a running twin proposes, a duty officer decides, and everybody can read why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from litestar.testing import TestClient
from msgspec.structs import replace

from liuyu.app.choice import choose
from liuyu.app.config import Config
from liuyu.app.live import LiveTwin
from liuyu.app.users import Users
from liuyu.basin.errors import NotAllowed
from liuyu.monitor.respond.contingency import Contingency
from liuyu.monitor.respond.dispatch import Wish
from liuyu.monitor.respond.dispatch.wish import WordingText
from liuyu.store.sqlite import open_store
from liuyu.web.app import create_app
from liuyu.web.ports import User

OFFICER, SECOND, VIEWER = User("wang", "duty_officer"), User("li", "duty_officer"), User("gu", "viewer")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveTwin]:
    """The synthetic river, run on until its plan proposes something."""
    folder = tmp_path_factory.mktemp("responses")
    course = choose(Config(basin="qingxi"), folder)
    with closing(open_store(folder / "store")) as store:
        live = LiveTwin(course, store, Users(folder), folder, speed=3600.0)
        live.warm_up(lambda _: None)
        while not store.events(kinds=["response"], limit=1):
            assert not live._run.ended, "the run ended without any proposal"
            live._run.advance()
        yield live


@pytest.fixture(scope="module")
def client(twin: LiveTwin) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(twin)) as opened:
        yield opened


def test_plans_and_the_open_response_can_be_read_by_anyone(twin: LiveTwin, client: TestClient[Any]) -> None:
    (head,) = client.get("/api/plans").json()
    assert (head["code"], head["in_force"], len(head["digest"])) == ("qingxi-flood", True, 64)
    plan = client.get("/api/plans/qingxi-flood").json()
    assert [each["code"] for each in plan["levels"]] == ["I", "II", "III", "IV"]
    assert plan["detention"][0]["population"] == 12600
    sheet = client.get(f"/api/responses/{head['response']}").json()
    assert (sheet["state"], sheet["level"], sheet["frozen"]) == ("proposed", "", False)
    assert sheet["proposed_level"] in {"IV", "III", "II", "I"}
    assert any(each["met"] for each in sheet["conditions"][sheet["proposed_level"]])
    assert {each["state"] for each in sheet["actions"]} == {"later"}
    board = client.get("/api/board").json()
    assert [each["id"] for each in board["responses"]] == [head["response"]]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/plans/qingxi-flod", "did you mean"),
        ("/api/plans/qingxi-flood?version=7", "no version"),
        ("/api/responses/none", "no response"),
    ],
)
def test_what_does_not_exist_is_not_found(client: TestClient[Any], path: str, words: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert words in answer.text


def test_only_who_is_signed_in_may_decide(twin: LiveTwin, client: TestClient[Any]) -> None:
    (head,) = client.get("/api/plans").json()
    answer = client.post(f"/api/responses/{head['response']}/decision", json={"approve": True})
    assert answer.status_code == 401
    assert client.post("/api/responses", json={"plan": "qingxi-flood", "level": "I", "note": "x"}).status_code == 401


def test_a_graver_role_is_asked_for_where_the_plan_does(twin: LiveTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = twin.responses
    assert desk is not None
    (head,) = desk.plans()
    before = twin.store.events(newest_first=True, limit=1)
    monkeypatch.setattr(Contingency, "approver", lambda *_: "administrator")
    with pytest.raises(NotAllowed, match="sign in as administrator"):
        desk.decide(OFFICER, head.response, True, None, "")
    assert twin.store.events(newest_first=True, limit=1) == before


def test_a_graver_role_is_asked_for_where_the_office_does(twin: LiveTwin) -> None:
    desk, stage = twin.dispatches, twin._run.pipeline.dispatch
    assert desk is not None
    wording = WordingText(zh="请照办。", en="Please do so.")
    draft = desk.draft(OFFICER, Wish(wording=wording, recipients=("reservoir-duty",)), "")
    held = stage.directory
    stage.directory = replace(held, office=replace(held.office, sign_role="administrator"))
    try:
        with pytest.raises(NotAllowed, match="sign in as administrator"):
            desk.sign(OFFICER, draft.id, "")
        assert desk.find(draft.id).state == "drafted"
        assert desk.sign(User("zhou", "administrator"), draft.id, "").state == "signed"
    finally:
        stage.directory = held


def test_a_decision_is_logged_audited_and_brings_tasks(twin: LiveTwin, client: TestClient[Any]) -> None:
    desk = twin.responses
    assert desk is not None
    (head,) = desk.plans()
    before = desk.response(head.response)
    event = desk.decide(OFFICER, head.response, True, None, "agreed")
    assert (event.state, event.body["approved_by"], event.body["level"]) == ("started", "wang", before.proposed_level)
    line = twin.store.audit_log(limit=1)[0]
    assert (line["user"], line["action"], line["target"]) == (
        "wang (duty_officer)",
        "decide_response",
        head.response,
    )
    sheet = client.get(f"/api/responses/{head.response}").json()
    assert (sheet["frozen"], sheet["level"], sheet["proposed_level"]) == (True, before.proposed_level, None)
    assert "assigned" in {each["state"] for each in sheet["actions"]}
    patrol = next(each for each in sheet["actions"] if each["action"]["code"] == "levee-patrol")
    assert patrol["action"]["evidence"] == ["note"]
    with pytest.raises(Exception, match="without evidence"):
        twin.update_task(OFFICER, patrol["task"], "done", "")
    assert twin.update_task(OFFICER, patrol["task"], "done", "已巡").state == "done"
    with pytest.raises(Exception, match="viewer"):
        desk.propose(VIEWER, "qingxi-flood", "I", "no")


def test_a_level_proposed_by_hand_needs_a_second_person_and_survives_a_restart(twin: LiveTwin) -> None:
    desk = twin.responses
    assert desk is not None
    (head,) = desk.plans()
    twin._run.advance()
    assert desk.propose(OFFICER, "qingxi-flood", "I", "大坝渗漏").state == "proposed"
    twin._run = twin._reopened()
    with pytest.raises(Exception, match="second person"):
        desk.decide(OFFICER, head.response, True, None, "")
    assert desk.decide(SECOND, head.response, True, None, "").body["level"] == "I"
    history = desk.response(head.response).history
    assert [each.state for each in history][-2:] == ["proposed", "adjusted"]
    assert history[-1].time - history[0].time >= timedelta(0)
