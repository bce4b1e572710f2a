"""Many at once: data arrays and batches in both forms; what stands together is kept together or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from small_river import NOW
from sta_twin import DoorTwin, client_of, make_door_twin

from liuyu.basin.clock import epoch

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
LEVEL = "Datastreams('S1:water_level')/Observations"
THING = {"name": "raft", "description": "a raft"}
SENSOR = {"name": "cup", "description": "cup anemometer", "encodingType": "text/plain", "metadata": "made 2019"}
WIND = {"name": "Wind speed", "definition": "http://mmisw.org/ont/cf/parameter/wind_speed", "description": "of the air"}
UNIT = {"name": "metre per second", "symbol": "m/s", "definition": "ucum:m/s"}


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[DoorTwin]:
    made = make_door_twin(tmp_path, values=False)
    yield made
    made.store.close()


@pytest.fixture
def sta(twin: DoorTwin) -> Iterator[httpx.Client]:
    with client_of(twin) as made:
        yield made


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DoorTwin, httpx.Client]]:
    """A twin, and a client of it, on which every request of several tests is refused."""
    made = make_door_twin(tmp_path_factory.mktemp("firm"), values=False)
    with client_of(made) as client:
        yield made, client
    made.store.close()


def level(minute: int, result: Any = 20.0) -> dict[str, Any]:
    return {"result": result, "phenomenonTime": f"2021-06-30T10:{minute:02}:00Z"}


def ask(id: str, method: str, url: str, body: Any = None, group: str = "") -> dict[str, Any]:
    told = {"id": id, "method": method, "url": url}
    return told | ({} if body is None else {"body": body}) | ({"atomicityGroup": group} if group else {})


def batch(sta: httpx.Client, *requests: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The replies to a JSON batch by id, in the order of the requests."""
    answer = sta.post("$batch", json={"requests": requests})
    assert answer.status_code == 200, answer.text
    replies = answer.json()["responses"]
    assert [each["id"] for each in replies] == [each["id"] for each in requests]
    return {each["id"]: each for each in replies}


def test_data_arrays(twin: DoorTwin, sta: httpx.Client) -> None:
    rows = [[f"2021-06-30T10:{minute:02}:00Z", 20 + minute / 100, {"n": minute}] for minute in range(60)]
    body = [
        {
            "Datastream": {"@iot.id": "S1:water_level"},
            "components": ["phenomenonTime", "result", "parameters"],
            "dataArray@iot.count": 60,
            "dataArray": rows,
        },
        {
            "Datastream": {"@iot.id": "S1:discharge"},
            "components": ["result", "phenomenonTime", "resultTime", "FeatureOfInterest/id"],
            "dataArray": [[5000, "2021-06-30T10:00:00Z", None, "S2"], ["x", "2021-06-30T10:00:00Z", None, None], [1]],
        },
    ]
    answer = sta.post("CreateObservations", json=body)
    assert answer.status_code == 201, answer.text
    links = answer.json()
    assert [each.startswith("error") for each in links] == [False] * 61 + [True, True]
    assert "is no number" in links[61]
    assert "does not hold 4 values" in links[62]
    (parcel,) = twin.delivered
    assert len(parcel.batch) == 61, "one parcel for all of them"
    for _ in range(2):
        assert sta.get(links[7]).json()["parameters"] == {"n": 7}
        assert sta.get(links[60] + "/FeatureOfInterest").json()["@iot.id"] == "S2"
        assert len(sta.get(LEVEL).json()["value"]) == 60
        twin.step()
    (line,) = twin.store.audit_log()
    assert (line["target"], line["detail"]) == ("CreateObservations", {"observations": 61, "refused": 2})
    assert sta.post("CreateObservations", json=body).json() == links
    twin.step()
    assert len(twin.store.series("S1", "water_level", 0, 2**40)) == 60


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "is no list"),
        ([{}], "names no Datastream"),
        ([{"Datastream": {"@iot.id": "S1:water_level"}}], 'the lists "components" and "dataArray"'),
        (
            [{"Datastream": {"@iot.id": "S1:water_level"}, "components": ["value"], "dataArray": []}],
            "component 'value' is not known",
        ),
        (
            [{"Datastream": {"@iot.id": "no"}, "components": ["result"], "dataArray": [[1]]}],
            "every row is refused, the first for no Datastreams('no')",
        ),
        (["x"], "names no Datastream"),
    ],
)
def test_data_arrays_that_are_refused(firm: tuple[DoorTwin, httpx.Client], body: Any, message: str) -> None:
    twin, sta = firm
    answer = sta.post("CreateObservations", json=body)
    assert (answer.status_code, message in answer.json()["message"]) == (400, True), answer.text
    assert not twin.delivered


def test_a_batch_in_which_one_names_another(twin: DoorTwin, sta: httpx.Client) -> None:
    stream = {
        "name": "wind",
        "description": "wind",
        "observationType": MEASUREMENT,
        "unitOfMeasurement": UNIT,
        "Sensor": {"@iot.id": "$s"},
        "ObservedProperty": WIND,
    }
    found = batch(
        sta,
        ask("s", "post", "Sensors", SENSOR, "g"),
        ask("t", "post", "/v1.1/Things", THING, "g"),
        ask("d", "post", "Things($t)/Datastreams", stream, "g"),
        ask("o", "post", "$d/Observations", level(5, 3.5), "g"),
        ask("l", "POST", LEVEL, level(6)),
        ask("r", "get", "$t/Datastreams?$expand=Sensor,Observations"),
        ask("p", "patch", "$t", {"name": "renamed"}),
        ask("x", "delete", "$d"),
    )
    assert [each["status"] for each in found.values()] == [201, 201, 201, 201, 201, 200, 200, 204]
    (read,) = found["r"]["body"]["value"]
    assert read["@iot.selfLink"] == found["d"]["location"]
    assert (read["Sensor"]["name"], read["Observations"][0]["result"]) == ("cup", 3.5)
    assert sta.get(found["t"]["location"]).json()["name"] == "renamed"
    assert sta.get(found["d"]["location"]).status_code == 404
    assert len(twin.delivered) == 1


def test_a_group_is_kept_whole_or_not_at_all(twin: DoorTwin, sta: httpx.Client) -> None:
    found = batch(
        sta,
        ask("1", "post", "Things", THING, "g"),
        ask("2", "post", LEVEL, level(1), "g"),
        ask("3", "post", LEVEL, level(2, "high"), "g"),
        ask("4", "post", LEVEL, level(3)),
        ask("5", "post", LEVEL, level(4, None)),
        ask("6", "get", "Things('thing-0')"),
        ask("7", "get", "Things", None, "h"),
    )
    assert [each["status"] for each in found.values()] == [424, 424, 400, 201, 400, 404, 400]
    assert found["1"]["body"]["error"] == "request '3' of the same group failed"
    twin.step()
    assert twin.store.series("S1", "water_level", 0, 2**40).time.tolist() == [epoch(NOW) - 14 * 3600 + 180]
    assert sta.get("Things?$count=true").json()["@iot.count"] == 5


def test_a_batch_has_one_line_in_the_audit_log(twin: DoorTwin, sta: httpx.Client) -> None:
    requests = [ask(str(minute), "post", LEVEL, level(minute)) for minute in range(50)]
    batch(sta, *requests, ask("t", "post", "Things", THING), ask("bad", "post", LEVEL, {}))
    (line,) = twin.store.audit_log()
    assert (line["action"], line["detail"]) == (
        "sensorthings batch",
        {"observations": 50, "created": 1, "refused": 1, "requests": 52},
    )
    assert len(twin.delivered) == 1


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ([], "has no list of requests"),
        ({"requests": {}}, "has no list of requests"),
        ({"requests": [1]}, "the request '1' is no object"),
        ({"requests": [{"id": "1", "method": "post"}]}, "url='' of a request is no text"),
        ({"requests": [{"id": 1, "method": "post", "url": "Things"}]}, "id='1' of a request is no text"),
        ({"requests": [ask("1", "post", "Things"), ask("1", "post", "Things")]}, "two requests have the id '1'"),
        ({"requests": [ask("1", "brew", "Things")]}, "method 'BREW' of request '1' is not known"),
        ({"requests": [ask(str(each), "get", "Things") for each in range(2001)]}, "holds 2001 requests"),
    ],
)
def test_batches_that_are_refused(firm: tuple[DoorTwin, httpx.Client], body: Any, message: str) -> None:
    _, sta = firm
    answer = sta.post("$batch", json=body)
    assert (answer.status_code, message in answer.json()["message"]) == (400, True), answer.text


def part(request: str, body: Any = None, name: str = "") -> str:
    head = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    head += f"Content-ID: {name}\r\n" if name else ""
    told = "" if body is None else "Content-Type: application/json\r\n"
    return f"{head}\r\n{request} HTTP/1.1\r\nHost: x\r\n{told}\r\n" + (
        "" if body is None else msgspec.json.encode(body).decode()
    )


def multipart(boundary: str, *parts: str) -> str:
    return "".join(f"--{boundary}\r\n{each}\r\n" for each in parts) + f"--{boundary}--\r\n"


def send(sta: httpx.Client, content: str) -> httpx.Response:
    return sta.post("$batch", content=content, headers={"Content-Type": "multipart/mixed; boundary=b_1"})


def test_a_multipart_batch_with_a_change_set(twin: DoorTwin, sta: httpx.Client) -> None:
    changes = multipart(
        "c_1",
        part("POST /sta/v1.1/Things", THING, "t1"),
        part("PATCH $t1", {"description": "renamed"}, "p"),
        part(f"POST /v1.1/{LEVEL}", level(1)),
    )
    failing = multipart("c_2", part("POST Things", THING), part("POST Things", {"name": "x"}))
    body = multipart(
        "b_1",
        part("GET /sta/v1.1/Things?$top=1&$select=name"),
        "Content-Type: multipart/mixed; boundary=c_1\r\n\r\n" + changes,
        "Content-Type: multipart/mixed; boundary=c_2\r\n\r\n" + failing,
        part(f"GET /sta/v1.1/{LEVEL}"),
    )
    answer = send(sta, body)
    assert answer.status_code == 200, answer.text
    head = f"Content-Type: {answer.headers['content-type']}\r\n\r\n".encode()
    whole = BytesParser(policy=HTTP).parsebytes(head + answer.content)
    first, changed, failed, last = whole.get_payload()
    lines = [each.get_payload().splitlines()[0] for each in changed.get_payload()]
    assert lines == ["HTTP/1.1 201 Created", "HTTP/1.1 200 OK", "HTTP/1.1 201 Created"]
    assert [each["Content-ID"] for each in changed.get_payload()][:2] == ["t1", "p"]
    assert [each.get_payload().split()[1] for each in failed.get_payload()] == ["424", "400"]
    assert first.get_payload().startswith("HTTP/1.1 200 OK\r\nContent-Type: application/json")
    assert '"result":20.0' in last.get_payload()
    assert [each["description"] for each in sta.get("Things").json()["value"]][-1] == "renamed"
    assert len(twin.delivered) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the batch has no parts"),
        ("--b_1\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b_1--", "make each one application/http"),
        (multipart("b_1", "Content-Type: application/http\r\n\r\nGET\r\n\r\n"), "begin it with a request line"),
        (multipart("b_1", part("POST Things") + "{"), "the body of a part is not JSON"),
        (
            multipart("b_1", part("GET Things", None, "a"), part("GET Things", None, "a")),
            "two requests have the id 'a'",
        ),
    ],
)
def test_multipart_batches_that_are_refused(firm: tuple[DoorTwin, httpx.Client], content: str, message: str) -> None:
    _, sta = firm
    answer = send(sta, content)
    assert (answer.status_code, message in answer.json()["message"]) == (400, True), answer.text
