"""Scenarios in a running twin over HTTP: durable, told as they go, cancelled, taken up again after a kill."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from litestar.testing import TestClient

from liuyu.app.choice import Course, choose
from liuyu.app.config import Config
from liuyu.app.live import LiveTwin
from liuyu.app.rehearsals.desk import KIND, LEASE, WORKER, Kept
from liuyu.app.users import Users
from liuyu.basin.clock import HOUR
from liuyu.basin.events import RehearsalRun, record
from liuyu.store.sqlite import open_store
from liuyu.web.app import create_app
from liuyu.web.ports import User

DAM = "qingxi_reservoir"
HELD = {
    "name": "拦",
    "name_en": "hold",
    "hours": 24,
    "release": [{"reservoir": DAM, "delta": -10, "from": 0, "to": 12}],
}
FLOOD = {
    "name": "溃堤",
    "hours": 5,
    "breach": [{"levee": "levee_qinghecheng", "chainage_m": 5200, "at": 1, "width_m": 300, "duration_h": 0.5}],
}
PATIENCE = 90.0  # [s]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return choose(Config(basin="qingxi"), tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("twin")


@pytest.fixture(scope="module")
def users(home: Path) -> Users:
    return Users(home)


@pytest.fixture(scope="module")
def twin(course: Course, home: Path, users: Users) -> Iterator[LiveTwin]:
    with closing(open_store(home / "store")) as store:
        made = LiveTwin(course, store, users, home, speed=3600.0)
        made.warm_up(lambda _: None)
        made.start(playing=False)
        yield made
        made.stop()


@pytest.fixture(scope="module")
def client(twin: LiveTwin, users: Users) -> Iterator[TestClient[Any]]:
    with TestClient(create_app(twin)) as made:
        token = users.issue_token(User("wang", "duty_officer"))
        assert made.post("/api/session", json={"token": token}).status_code == 200
        yield made


def ended(client: TestClient[Any], id: str) -> dict[str, Any]:
    """The scenario when it has ended."""
    until = time.monotonic() + PATIENCE
    while True:
        told: dict[str, Any] = client.get(f"/api/scenarios/{id}").json()
        if told["state"] not in ("queued", "running"):
            return told
        assert time.monotonic() < until, told
        time.sleep(0.05)


def test_what_may_be_changed_is_told(client: TestClient[Any]) -> None:
    told = client.get("/api/scenarios/options").json()
    (dam,) = told["reservoirs"]
    assert dam["code"] == DAM
    assert len(dam["release_expected"]) == told["hours"] == 96
    assert told["levees"][0]["length_m"] == pytest.approx(12285, abs=1)
    (flood,) = told["floods"]
    assert flood["case"] == "qinghecheng"
    assert flood["gates"] == ["bailuzhou"]
    assert flood["driver"]["station"] == "99000600"
    assert told["plain"] is None


def test_a_scenario_from_asking_to_the_log(client: TestClient[Any], twin: LiveTwin) -> None:
    assert client.post("/api/scenarios/check", json=HELD).json() == []
    asked = client.post("/api/scenarios", json=HELD)
    assert asked.status_code == 202
    sheet = asked.json()
    told = ended(client, sheet["id"])
    assert (told["state"], told["share"], told["by"], told["reason"]) == ("done", 1.0, "wang", "")
    assert told["scenario"] == HELD
    assert (
        told["summary"]["reservoirs"][0]["highest_pool_with"] > told["summary"]["reservoirs"][0]["highest_pool_without"]
    )
    course = client.get(f"/api/scenarios/{sheet['id']}/series/99000300/discharge").json()
    assert len(course["time"]) == len(course["with"]["0.5"]) == 24
    assert sum(course["with"]["0.5"]) < sum(course["without"]["0.5"])
    pool = client.get(f"/api/scenarios/{sheet['id']}/reservoirs/{DAM}").json()
    assert pool["with"]["outflow_m3s"][0] == pytest.approx(pool["without"]["outflow_m3s"][0] - 10, abs=2.0)
    (event,) = twin.store.events(kinds=["rehearsal"], id=f"rehearsal:{sheet['id']}")
    run = record(event, RehearsalRun)
    assert run.job == sheet["id"]
    assert run.name == {"zh": "拦", "en": "hold"}
    assert {"peak_with", "peak_without", "hours_above_warning_with"} <= set(run.results[0])
    actions = [(each["action"], each["user"]) for each in twin.store.audit_log()]
    assert ("rehearse", "wang (duty_officer)") in actions
    assert client.post("/api/scenarios", json=HELD).json()["id"] == sheet["id"], "asked twice, run once"
    assert client.get("/api/scenarios").json()[0]["summary"] is None


def test_a_flood_can_be_seen_and_compared(client: TestClient[Any]) -> None:
    first, second = (client.post("/api/scenarios", json=each).json()["id"] for each in (FLOOD, HELD))
    told = ended(client, first)
    assert told["state"] == "done", told["reason"]
    ended(client, second)
    base = f"/api/scenarios/{first}"
    pictures = client.get(f"{base}/floods/qinghecheng").json()
    assert pictures["frames"] == len(pictures["time"]) == 6
    png = client.get(f"{base}/floods/qinghecheng/frames/0005.png")
    assert (png.headers["content-type"], png.content[:4]) == ("image/png", b"\x89PNG")
    for kind in pictures["maps"]:
        assert client.get(f"{base}/floods/qinghecheng/maps/{kind}.png").status_code == 200
    zoom = pictures["zooms"][0]
    assert client.get(f"{base}/floods/qinghecheng/tiles/{zoom}/0/0.png").status_code == 200
    assert client.get(f"{base}/floods/qinghecheng/tiles/3/0/0.png").status_code == 404
    impact = client.get(f"{base}/impact").json()
    assert {each["class_kind"] for each in impact} == {"depth", "hazard"}
    files = [each["path"] for each in client.get(f"{base}/files").json()]
    assert "floods/qinghecheng/median/maximum.tif" in files
    body = client.get(f"{base}/file", params={"path": "river.nc"}).content
    assert body[:4] in (b"\x89HDF", b"CDF\x02", b"CDF\x01")
    for wrong in ("../../store", "/etc/passwd", "river.nc/"):
        assert client.get(f"{base}/file", params={"path": wrong}).status_code == 404
    compared = client.get("/api/scenarios/compare", params={"ids": f"{first},{second}"}).json()
    assert len(compared["columns"]) == 3
    assert client.get("/api/scenarios/compare", params={"ids": first}).status_code == 400


def test_faults_and_rights(client: TestClient[Any], twin: LiveTwin, users: Users) -> None:
    wrong = {"name": "x", "hours": 9999, "release": [{"reservoir": "gorges", "delta": 1}], "breaches": []}
    fields = {each["field"] for each in client.post("/api/scenarios/check", json=wrong).json()}
    assert fields == {"hours", "reservoir", "breaches"}
    refused = client.post("/api/scenarios", json=wrong)
    assert refused.status_code == 400
    assert refused.json()["error"] == "the scenario has 3 faults"
    assert "known: qingxi_reservoir" in refused.json()["cure"]
    late = client.post("/api/scenarios", json={"name": "x", "base": {"at": "2031-01-01T00:00Z"}})
    assert "after the twin's present" in late.text
    failed = ended(client, client.post("/api/scenarios", json={"name": "far", "hours": 700}).json()["id"])
    assert failed["state"] == "failed"
    assert "sees 96 h ahead" in failed["reason"]
    assert client.get("/api/scenarios/none").status_code == 404
    assert client.get(f"/api/scenarios/{failed['id']}/impact").status_code == 400
    with TestClient(create_app(twin)) as other:
        assert other.post("/api/scenarios", json=HELD).status_code == 401
        token = users.issue_token(User("li", "viewer"))
        other.post("/api/session", json={"token": token})
        assert other.post("/api/scenarios", json=HELD).status_code == 403
        assert other.get("/api/scenarios").status_code == 200


def test_one_that_runs_is_cancelled(client: TestClient[Any]) -> None:
    long = {**FLOOD, "name": "长", "hours": 96}
    id = client.post("/api/scenarios", json=long).json()["id"]
    waiting = client.post("/api/scenarios", json={**long, "name": "候"}).json()["id"]
    until = time.monotonic() + PATIENCE
    while client.get(f"/api/scenarios/{id}").json()["share"] < 0.12:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert client.post(f"/api/scenarios/{waiting}/cancel", json={}).json()["state"] == "cancelled"
    client.post(f"/api/scenarios/{id}/cancel", json={})
    told = ended(client, id)
    assert told["state"] == "cancelled"
    assert client.post(f"/api/scenarios/{id}/cancel", json={}).status_code == 400
    again = client.post("/api/scenarios", json={**HELD, "name": "后"}).json()["id"]
    assert ended(client, again)["state"] == "done", "the next one runs"


def test_what_a_kill_interrupted_is_run_again_or_said_to_have_ended(course: Course, tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "store")) as store:
        first = LiveTwin(course, store, Users(tmp_path), tmp_path, speed=3600.0)
        first.warm_up(lambda _: None)
        at = first.clock().now
        kept = Kept(scenario=HELD, at=int(at.timestamp()) // HOUR * HOUR, by="wang", asked=1)
        for name, claims in (("once", 1), ("thrice", 3)):
            store.submit(KIND, name, msgspec.json.encode(kept), now=1)
            for attempt in range(claims):  # a process that took it and died
                job = store.claim([KIND], WORKER, now=2, lease=LEASE, name=name)
                assert job is not None
                if attempt < claims - 1:
                    store.fail(job, "the twin ended while it ran", now=2, retry_at=2)
        second = LiveTwin(course, store, Users(tmp_path), tmp_path, speed=3600.0)
        second.start(playing=False)
        assert second.rehearsals is not None
        try:
            until = time.monotonic() + PATIENCE
            while (told := second.rehearsals.find("once")).state in ("queued", "running"):
                assert time.monotonic() < until
                time.sleep(0.05)
            assert told.state == "done", told.reason
            given_up = second.rehearsals.find("thrice")
            assert given_up.state == "failed"
            assert "ended 3 times" in given_up.reason
        finally:
            second.stop()
