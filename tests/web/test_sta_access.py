"""Who may write over SensorThings, by which credentials, and what a kill leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from small_river import END, NOW, START, make_basin, serving, sign_in
from sta_twin import DoorTwin, client_of, make_door_twin

from liuyu.app.users import Users
from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.sensorthings import read_observation
from liuyu.store.inbox.interface import Parcel
from liuyu.store.sqlite import open_store
from liuyu.web.ports import ROLES, ClockState, User
from liuyu.web.sensorthings.editor import Editor
from liuyu.web.sensorthings.guard import REMEMBERED, Credentials
from liuyu.web.sensorthings.service import SensorThings
from liuyu.web.session import ATTEMPTS

LEVEL = "Datastreams('S1:water_level')/Observations"
BODY = {"result": 20.5, "phenomenonTime": "2021-06-30T10:00:00Z"}
THING = {"name": "raft", "description": "a raft"}
FEATURE = {"name": "km 5", "description": "x", "encodingType": "text/plain", "feature": {"km": 5}}


@pytest.fixture
def twin(tmp_path: Path) -> DoorTwin:
    return make_door_twin(tmp_path, values=False)


@pytest.fixture(scope="module")
def outsider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Someone without credentials that are right."""
    with client_of(make_door_twin(tmp_path_factory.mktemp("firm"), values=False), "") as client:
        yield client


def test_without_credentials_nothing_is_written(twin: DoorTwin) -> None:
    with client_of(twin, "") as client:
        for method, path in (
            ("POST", LEVEL),
            ("POST", "$batch"),
            ("PATCH", "Things('S1')"),
            ("DELETE", "Things('S1')"),
        ):
            answer = client.request(method, path, json=BODY)
            assert (answer.status_code, answer.json()["error"]) == (401, "not signed in"), (method, path)
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
        assert client.get("Things").status_code == 200, "reading stays open"
    assert not twin.delivered


def test_roles(twin: DoorTwin) -> None:
    may = {
        "viewer": (403, 403, 403, 403),
        "device": (201, 201, 403, 403),
        "duty_officer": (201, 201, 403, 403),
        "administrator": (201, 201, 201, 204),
    }
    assert set(may) == set(ROLES)
    with client_of(twin) as client:
        assert client.post("Things", json={**THING, "@iot.id": "raft"}).status_code == 201
    for name, expected in may.items():
        with client_of(twin, name) as client:
            answers = (
                client.post(LEVEL, json=BODY),
                client.post(LEVEL, json={**BODY, "FeatureOfInterest": FEATURE}),
                client.post("Things", json=THING),
                client.delete("Things('raft')"),
            )
            assert tuple(each.status_code for each in answers) == expected, name
            inner = client.post(
                "$batch", json={"requests": [{"id": "1", "method": "post", "url": "Things", "body": THING}]}
            )
            if name != "viewer":
                assert inner.json()["responses"][0]["status"] == expected[2]
    assert {each.source for each in twin.delivered} == {f"sensorthings:{name}" for name in may if name != "viewer"}
    with client_of(twin, "device") as client:
        told = client.post("Things", json=THING).json()
        assert told["error"] == "'device' is a device and may deliver observations, but not write Things"


def test_a_device_may_do_nothing_else(twin: DoorTwin) -> None:
    with serving(twin) as url, httpx.Client(base_url=url) as client:
        sign_in(client, "device")
        assert client.post("/api/clock", json={"phase": "running"}).status_code == 403
        assert client.post("/sta/v1.1/" + LEVEL, json=BODY).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic device:device"},
        {"Authorization": "Basic ZGV2aWNl"},
        {"Authorization": "Basic ////"},
        {"Authorization": "Bearer device"},
        {"Authorization": "Bearer .device"},
        {"Authorization": "Bearer device.wrong"},
        {"Authorization": "Negotiate abc"},
        {"Authorization": ""},
    ],
)
def test_credentials_that_are_wrong(outsider: httpx.Client, headers: dict[str, str]) -> None:
    answer = outsider.post(LEVEL, json=BODY, headers=headers)
    assert answer.status_code == 401, answer.text
    assert answer.json()["cure"]
    assert "www-authenticate" in answer.headers


def test_a_session_is_bound_to_the_site_but_a_token_is_not(twin: DoorTwin) -> None:
    with serving(twin) as url, httpx.Client(base_url=url) as client:
        sign_in(client, "administrator")
        forged = client.post("/sta/v1.1/" + LEVEL, json=BODY, headers={"Origin": "http://evil.example"})
        assert forged.status_code == 403
        form = client.post("/sta/v1.1/" + LEVEL, content=b"{}", headers={"Content-Type": "text/plain"})
        assert form.status_code == 415
        elsewhere = {"Origin": "http://portal.example", "Authorization": "Bearer device.device"}
        assert client.post("/sta/v1.1/" + LEVEL, json=BODY, headers=elsewhere).status_code == 201


def test_guessing_closes_the_door_but_not_for_those_who_are_in(twin: DoorTwin) -> None:
    with client_of(twin, "") as client:
        assert client.post(LEVEL, json=BODY, auth=("device", "device")).status_code == 201
        wrong = [client.post(LEVEL, json=BODY, auth=("device", f"guess {n}")).status_code for n in range(ATTEMPTS + 1)]
        assert wrong == [401] * ATTEMPTS + [429]
        assert client.post(LEVEL, json=BODY, auth=("administrator", "administrator")).status_code == 429
        assert client.post(LEVEL, json=BODY, auth=("device", "device")).status_code == 201


def test_what_was_right_is_remembered_for_a_while() -> None:
    now = [0.0]
    known = Credentials(lambda: now[0])
    known.remember("logger", "secret", User("logger", "device"))
    assert known.known("logger", "secret") == User("logger", "device")
    assert known.known("loggers", "ecret") is None
    now[0] = REMEMBERED
    assert known.known("logger", "secret") is None


def test_a_token_of_the_command_line_serves_as_bearer_and_as_password(tmp_path: Path, twin: DoorTwin) -> None:
    users = Users(tmp_path)
    token = users.add_with_token("logger.7", "device")
    twin.sign_in = users.check  # type: ignore[method-assign]
    name, _, secret = token.rpartition(".")
    with client_of(twin, "") as client:
        assert client.post(LEVEL, json=BODY, headers={"Authorization": f"Bearer {token}"}).status_code == 201
        assert client.post(LEVEL, json=BODY, auth=(name, secret)).status_code == 201
    users.remove("logger.7")
    assert users.check(name, secret) is None
    with client_of(twin, "") as client:
        assert client.post(LEVEL, json=BODY, auth=(name, secret)).status_code == 401


def test_a_twin_that_replays_takes_no_observation_and_says_why(tmp_path: Path, twin: DoorTwin) -> None:
    def deliver(parcel: Parcel) -> None:
        raise BadInput(f"this twin replays an archive and takes nothing ({parcel.source}); start one with --live")

    twin.deliver = deliver  # type: ignore[method-assign]
    with client_of(twin, "device") as client:
        answer = client.post(LEVEL, json=BODY)
        assert (answer.status_code, answer.json()["cure"]) == (400, "start one with --live")
        assert client.get(LEVEL).json()["value"] == []


def test_mqtt_reads_what_the_service_reads(twin: DoorTwin) -> None:
    things = SensorThings(twin)
    editor = Editor(things)
    with client_of(twin) as client:
        unit = {"name": "foot", "symbol": "ft", "definition": "ucum:[ft_i]"}
        kind = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
        told = {"name": "l", "description": "d", "unitOfMeasurement": unit, "observationType": kind}
        view = {**told, "@iot.id": "feet", "Thing": {"@iot.id": "S1"}, "ObservedProperty": {"@iot.id": "water_level"}}
        wind = {
            **view,
            "@iot.id": "wind",
            "ObservedProperty": {"name": "wind", "definition": "urn:x", "description": "x"},
        }
        assert [client.post("Datastreams", json=each).status_code for each in (view, wind)] == [201, 201]
    things.ledger.reload()
    things.refresh()
    body = b'{"result": 10, "phenomenonTime": "2021-06-30T10:00:00Z", "parameters": {"n": 1}}'
    parcel = editor.message("v1.1/Datastreams('feet')/Observations", body)
    assert parcel.batch.value.tolist() == [3.048]
    same = read_observation("v1.1/Datastreams('feet')/Observations", body, editor, epoch(NOW))
    assert same.batch.value.tolist() == parcel.batch.value.tolist()
    assert len(editor.message("v1.1/Datastreams('wind')/Observations", body).batch) == 0
    with client_of(twin) as client:
        assert client.get("Datastreams('wind')/Observations").json()["value"][0]["parameters"] == {"n": 1}


def _served_from(folder: Path) -> subprocess.Popen[str]:
    program = Path(__file__).with_name("sta_server.py")
    return subprocess.Popen([sys.executable, str(program), str(folder)], stdout=subprocess.PIPE, text=True)


def test_what_was_answered_with_created_is_there_after_a_kill(tmp_path: Path) -> None:
    server = _served_from(tmp_path)
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        with httpx.Client(base_url=url + "/sta/v1.1/", auth=("administrator", "administrator"), timeout=60) as client:
            thing = client.post("Things", json=THING).json()["@iot.id"]
            for minute in range(20):
                body: dict[str, Any] = {"result": 20 + minute / 10, "phenomenonTime": f"2021-06-30T10:{minute:02}:00Z"}
                body |= {"parameters": {"n": minute}} if minute % 2 else {}
                assert client.post(LEVEL, json=body).status_code == 201
        os.kill(server.pid, signal.SIGKILL)
    finally:
        server.kill()
        server.wait()
    store = open_store(tmp_path / "store")
    clock = ClockState(now=NOW, start=START, end=END, speed=3600.0, phase="paused")
    made = DoorTwin(make_basin(tmp_path / "package"), store, clock, tmp_path)
    assert made.step() == 20
    with client_of(made) as client:
        found = client.get(LEVEL).json()["value"]
        assert [each["result"] for each in found] == [20 + minute / 10 for minute in range(20)]
        assert [each["parameters"]["n"] for each in found if "parameters" in each] == list(range(1, 20, 2))
        assert client.get(f"Things('{thing}')").json()["name"] == "raft"
    assert len([each for each in store.audit_log() if each["target"] == LEVEL]) == 20
    store.close()
