"""The write side is what it says it is: schemathesis and hypothesis send what the description allows, and worse."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from small_river import serving
from sta_twin import DoorTwin, make_door_twin

from liuyu.monitor.sense.sensorthings.streams import KINDS

load_all_checks()
CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]
AUTH = ("administrator", "administrator")
WRITES = ("POST", "PATCH", "PUT", "DELETE")
COLLECTIONS = (
    "Observations",
    "Datastreams('S1:water_level')/Observations",
    "Things",
    "Things('raft')/Datastreams",
    "Things('raft')/Locations",
    "Locations",
    "HistoricalLocations",
    "Sensors",
    "ObservedProperties",
    "FeaturesOfInterest",
    "Datastreams",
    "CreateObservations",
    "$batch",
)
ENTITIES = (
    "Things('raft')",
    "Things('S1')",
    "Datastreams('wind')",
    "Datastreams('S1:water_level')",
    "Observations('wind:1625047200')",
    "Observations('S1:water_level:1625097600')",
    "Sensors('cup')",
    "Nothing('x')",
    "Things",
)
RAFT = {"@iot.id": "raft", "name": "raft", "description": "a raft"}
WIND = {
    "@iot.id": "wind",
    "name": "wind",
    "description": "wind",
    "observationType": KINDS[4],
    "unitOfMeasurement": {"name": None, "symbol": None, "definition": None},
    "Thing": {"@iot.id": "raft"},
    "Sensor": {"@iot.id": "cup", "name": "c", "description": "c", "encodingType": "text/plain", "metadata": "m"},
    "ObservedProperty": {"@iot.id": "wind", "name": "wind", "definition": "urn:x", "description": "x"},
    "Observations": [{"result": 1, "phenomenonTime": "2021-06-30T10:00:00Z"}],
}


OBSERVED = {"result": 3, "phenomenonTime": "2021-06-30T10:00:00Z"}
SOUND = {
    "POST": {
        "Things": {"name": "raft", "description": "a raft"},
        "Sensors": {"name": "c", "description": "c", "encodingType": "text/plain", "metadata": "m"},
        "Datastreams('wind')/Observations": OBSERVED,
        "Datastreams('S1:water_level')/Observations": OBSERVED,
    },
    "PATCH": {"Things('raft')": {"description": "new"}, "Observations('wind:1625047200')": {"result": 4}},
    "PUT": {"Things('raft')": {"name": "raft", "description": "new"}},
    "DELETE": {"Things('raft')": {}, "Observations('wind:1625047200')": {}},
}
"""Addresses with bodies that must be taken, whatever else is generated beside them."""


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DoorTwin, str]]:
    twin = make_door_twin(tmp_path_factory.mktemp("door"))
    with serving(twin) as url:
        yield twin, url
    twin.store.close()


def restore(url: str) -> None:
    """Put back what an earlier request may have deleted."""
    for path, body in (("Things", RAFT), ("Datastreams", WIND)):
        assert httpx.post(f"{url}/sta/v1.1/{path}", json=body, auth=AUTH).status_code in (201, 409)


def test_writes_are_as_described(door: tuple[DoorTwin, str]) -> None:
    """Bodies that the description allows, at addresses that are there or not; nothing but what is described comes."""
    twin, url = door
    described = schemathesis.openapi.from_url(f"{url}/schema/openapi.json")
    statuses: Counter[tuple[str, int]] = Counter()
    for found in described.include(path_regex="^/sta/v1.1/", method=list(WRITES)).get_all_operations():
        operation = found.ok()
        paths = COLLECTIONS if operation.method.upper() == "POST" else ENTITIES

        @settings(
            max_examples=20, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy(), st.sampled_from(("", *paths)), st.booleans())
        def ask(case: schemathesis.Case, path: str, sound: bool) -> None:
            restore(url)
            if path:
                case.path_parameters["path"] = path
            known = SOUND[case.method.upper()]
            if sound:
                case.media_type = case.media_type and "application/json"
                path = [*known][len(path) % len(known)]
                case.path_parameters["path"] = path
                given = case.body if isinstance(case.body, dict) else {}
                free = {key: each for key, each in given.items() if key in ("properties", "parameters")}
                case.body = case.body if case.method.upper() == "DELETE" else {**free, **known[path]}
            answer = case.call_and_validate(checks=CHECKS, auth=AUTH)
            statuses[case.method.upper(), answer.status_code] += 1
            if answer.status_code >= 400:
                assert {"error", "cure"} <= set(answer.json())

        ask()
    assert {method for method, _ in statuses} == set(WRITES)
    assert statuses["POST", 201] >= 5, "otherwise only refusals were looked at"
    assert statuses["DELETE", 204] >= 3
    assert statuses["PATCH", 200] >= 1
    twin.step()


NAMES = (
    "name",
    "description",
    "properties",
    "encodingType",
    "location",
    "feature",
    "metadata",
    "definition",
    "time",
    "observationType",
    "unitOfMeasurement",
    "result",
    "phenomenonTime",
    "resultTime",
    "resultQuality",
    "parameters",
    "Thing",
    "Things",
    "Locations",
    "Sensor",
    "ObservedProperty",
    "Datastream",
    "Datastreams",
    "FeatureOfInterest",
    "Observations",
    "@iot.id",
    "type",
    "coordinates",
    "components",
    "dataArray",
    "requests",
    "id",
    "method",
    "url",
    "body",
)
WORDS = st.sampled_from(
    (
        "raft",
        "wind",
        "S1",
        "water_level",
        "S1:water_level",
        "Point",
        "application/geo+json",
        "2021-06-30T10:00:00Z",
        "2021-06-30T10:00:00Z/2021-06-30T11:00:00Z",
        "post",
        "get",
        "Things",
        "$1",
        "result",
        "m",
        "ucum:[ft_i]",
        *KINDS,
    )
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(
    method=st.sampled_from(WRITES),
    path=st.sampled_from(COLLECTIONS + ENTITIES) | st.text(max_size=12),
    body=VALUES,
    good=st.booleans(),
)
def test_no_body_breaks_it_and_a_refusal_leaves_no_trace(
    door: tuple[DoorTwin, str], method: str, path: str, body: Any, good: bool
) -> None:
    twin, url = door
    base = {"Things": RAFT, "Datastreams": WIND, "Observations": WIND["Observations"][0]}  # type: ignore[index]
    if good and isinstance(body, dict):
        body = {**base.get(path, RAFT), **body}
    before = (len(twin.delivered), len(twin.store.audit_log(limit=10**6)))
    sent = httpx.Request(method, url + "/sta/v1.1/", json=body)
    with httpx.Client(auth=AUTH, timeout=60) as client:
        address = f"{url}/sta/v1.1/" + quote(path, safe="()':$")
        headers = {"Content-Type": "application/json"}
        answer = client.request(method, address, content=sent.content, headers=headers)
        assert answer.status_code in {200, 201, 204, 400, 404, 405, 409}, (answer.status_code, answer.text)
        if answer.status_code >= 400:
            assert answer.json()["cure"] or answer.status_code == 405
            assert (len(twin.delivered), len(twin.store.audit_log(limit=10**6))) == before
        elif answer.status_code == 201 and "location" in answer.headers:
            assert client.get(answer.headers["location"]).json() == answer.json()
        json.loads(client.get(f"{url}/sta/v1.1/Things?$expand=Datastreams/Observations($top=2),Locations").content)
