"""Changing things over HTTP: who may, from where, in which form, and what is logged."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from looptwin import LoopTwin
from small_river import serving, sign_in

from liuyu.web.errors import Refused
from liuyu.web.ports import User
from liuyu.web.session import ATTEMPTS, COOKIE, LIFETIME, WINDOW, Sessions

WRITES = (
    ("/api/clock", {"phase": "running"}),
    ("/api/alerts/alert:above:S2:1/acknowledge", {"note": "seen"}),
    ("/api/tasks/task:1:patrol", {"state": "done"}),
    ("/api/proposals/proposal:1/decision", {"accept": True}),
    ("/api/silences", {"match": {"subject": "S2"}, "until": "2021-07-02T00:00:00Z"}),
    ("/api/rehearsals", {"name": "hold", "releases": {"res": [100, 90]}}),
)


def test_session_comes_and_goes(own_twin: LoopTwin) -> None:
    with serving(own_twin) as url, httpx.Client(base_url=url) as client:
        assert client.get("/api/session").json() is None
        answer = client.post("/api/session", json={"name": "viewer", "password": "viewer"})
        assert answer.json() == {"name": "viewer", "role": "viewer"}
        cookie = answer.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={LIFETIME}"):
            assert part in cookie
        assert "Secure" not in cookie, "the server speaks plain HTTP on loopback"
        assert client.get("/api/session").json()["name"] == "viewer"
        stale = client.cookies[COOKIE]
        assert client.delete("/api/session").status_code == 204
        client.cookies.set(COOKIE, stale)
        assert client.get("/api/session").json() is None, "a session that was ended stays ended"


def test_a_token_signs_in_once(own_twin: LoopTwin) -> None:
    with serving(own_twin) as url, httpx.Client(base_url=url) as client:
        assert client.post("/api/session", json={"token": "once-only"}).json()["role"] == "duty_officer"
        again = client.post("/api/session", json={"token": "once-only"})
        assert (again.status_code, again.json()["error"]) == (401, "the token is spent or unknown")


def test_too_many_failures_close_the_door(own_twin: LoopTwin) -> None:
    with serving(own_twin) as url, httpx.Client(base_url=url) as client:
        wrong = {"name": "viewer", "password": "guess"}
        answers = [client.post("/api/session", json=wrong).status_code for _ in range(ATTEMPTS + 1)]
        assert answers == [401] * ATTEMPTS + [429]
        right = client.post("/api/session", json={"name": "viewer", "password": "viewer"})
        assert right.status_code == 429
        assert 0 < int(right.headers["retry-after"]) <= WINDOW + 1


def test_sessions_end_by_themselves() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    token = sessions.open(User("ana", "viewer"))
    now[0] = LIFETIME - 1
    assert sessions.user(token) == User("ana", "viewer")
    now[0] = LIFETIME
    assert sessions.user(token) is None
    assert sessions.user("made up") is None
    assert sessions.user(None) is None


def test_failures_are_forgotten() -> None:
    now = [0.0]
    sessions = Sessions(lambda: now[0])
    for _ in range(3 * ATTEMPTS):
        sessions.admit("10.0.0.1")
        sessions.forgive("10.0.0.1")
    for _ in range(ATTEMPTS):
        sessions.admit("10.0.0.1")
    sessions.admit("10.0.0.2")
    with pytest.raises(Refused, match="too many"):
        sessions.admit("10.0.0.1")
    now[0] = WINDOW + 1
    sessions.admit("10.0.0.1")


def test_every_change_needs_a_session(url: str) -> None:
    for path, body in WRITES:
        answer = httpx.post(url + path, json=body)
        assert (answer.status_code, answer.json()["error"]) == (401, "not signed in"), path


@pytest.fixture
def viewer(own_twin: LoopTwin) -> Iterator[httpx.Client]:
    with serving(own_twin) as address, httpx.Client(base_url=address) as made:
        sign_in(made, "viewer")
        yield made


def test_a_viewer_may_change_nothing(viewer: httpx.Client, own_twin: LoopTwin) -> None:
    before = len(own_twin.store.events())
    for path, body in WRITES:
        answer = viewer.post(path, json=body)
        assert answer.status_code == 403, path
        assert answer.json() == {
            "error": "viewer is a viewer and this needs a duty_officer",
            "cure": "ask one to do it",
        }
    assert len(own_twin.store.events()) == before


def test_a_duty_officer_may(officer: httpx.Client, own_twin: LoopTwin) -> None:
    states = []
    for path, body in WRITES:
        answer = officer.post(path, json=body)
        assert answer.status_code == 200, answer.text
        states.append(answer.json().get("state"))
    assert states == [None, "acknowledged", "done", "accepted", "set", "run"]
    acknowledged = own_twin.store.events(id="alert:above:S2:1", newest_first=True)[0]
    assert acknowledged.state == "acknowledged"
    assert acknowledged.body["acknowledged_by"] == "duty_officer"
    assert acknowledged.body["note"] == "seen"
    board = officer.get("/api/board").json()
    assert [each["state"] for each in board["alerts"] if each["id"] == "alert:above:S2:1"] == ["acknowledged"]
    assert board["proposals"][0]["state"] == "accepted"


def test_what_was_decided_is_not_decided_again(officer: httpx.Client) -> None:
    assert officer.post("/api/proposals/proposal:1/decision", json={"accept": False}).json()["state"] == "rejected"
    again = officer.post("/api/proposals/proposal:1/decision", json={"accept": True})
    assert again.status_code == 400
    assert again.json()["error"] == "proposal 'proposal:1' is rejected already"


def test_clock_is_set(officer: httpx.Client) -> None:
    state = officer.post("/api/clock", json={"phase": "running", "speed": 60, "run_to": "2021-07-02T08:00:00+08:00"})
    assert state.json()["now"] == "2021-07-02T00:00:00Z"
    assert state.json()["speed"] == 60.0
    assert officer.get("/api/clock").json() == state.json()


@pytest.mark.parametrize(
    ("path", "body", "error"),
    [
        ("/api/clock", {"speed": 0}, "speed: Expected `float` > 0.0"),
        ("/api/clock", {"phase": "ended"}, "phase: Invalid enum value 'ended'"),
        ("/api/clock", {"run_to": "2021-07-02T08:00:00"}, "run_to: Expected `datetime` with a timezone component"),
        ("/api/clock", {"pace": 3}, "unknown field `pace`"),
        ("/api/clock", {"run_to": "2031-07-02T08:00:00Z"}, "run_to=2031-07-02T08:00:00+00:00 lies outside the replay"),
        ("/api/tasks/task:1:patrol", {"state": "burnt"}, "state: Invalid enum value 'burnt'"),
        ("/api/silences", {"match": {}, "until": "2021-07-02T00:00:00Z"}, "match: Expected `object` of length >= 1"),
        ("/api/silences", {"match": {"rule": "x"}, "until": "2020-01-01T00:00:00Z"}, "has passed"),
        ("/api/rehearsals", {"name": "x", "releases": {"res": [-5]}}, "Expected `float` >= 0"),
        ("/api/rehearsals", {"name": "x", "releases": {"lake": [5]}}, "no reservoir 'lake'"),
        ("/api/rehearsals", {"name": "", "releases": {}}, "name: Expected `str` of length >= 1"),
        ("/api/alerts/alert:above:S2:1/acknowledge", {"note": "x" * 2001}, "note: Expected `str` of length <= 2000"),
    ],
)
def test_a_body_that_cannot_be_used(bystander: httpx.Client, path: str, body: dict, error: str) -> None:
    answer = bystander.post(path, json=body)
    assert answer.status_code == 400
    assert error in answer.json()["error"]
    assert answer.json()["cure"]


def test_what_is_not_there_cannot_be_changed(bystander: httpx.Client) -> None:
    answer = bystander.post("/api/alerts/alert:none/acknowledge", json={})
    assert (answer.status_code, answer.json()["error"]) == (404, "no alert 'alert:none'")


def test_other_sites_cannot_write(officer: httpx.Client, own_twin: LoopTwin) -> None:
    before = own_twin.store.events()
    path, body = "/api/alerts/alert:above:S2:1/acknowledge", {"note": "forged"}
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = officer.post(path, json=body, headers=headers)
        assert answer.status_code == 403, headers
    signed = officer.post("/api/session", json={"name": "viewer", "password": "viewer"}, headers={"Origin": "null"})
    assert signed.status_code == 403
    assert own_twin.store.events() == before
    own = f"http://{officer.base_url.host}:{officer.base_url.port}"
    assert officer.post(path, json=body, headers={"Origin": own}).status_code == 200


def test_a_form_is_not_json(bystander: httpx.Client) -> None:
    answer = bystander.post("/api/clock", content='{"phase": "running"}', headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["error"]) == (415, "content type 'text/plain' is not JSON")


def test_a_body_that_is_too_large(bystander: httpx.Client) -> None:
    answer = bystander.post("/api/clock", json={"phase": "x" * 300_000})
    assert (answer.status_code, answer.json()["error"]) == (413, "the body is too large")
