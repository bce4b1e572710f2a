"""The interface is what it says it is: schemathesis asks for what the OpenAPI offers and checks what comes."""

from __future__ import annotations

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

load_all_checks()

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

THERE = {
    "station": "S1",
    "quantity": "water_level",
    "kind": "rivers",
    "path": "Datastreams",
    "zoom": 7,
    "x": 103,
    "name": "52.png",
}


def test_answers_are_as_described(url: str) -> None:
    """Requests that the description allows, about things that are there or not; the endless stream is left out."""
    described = schemathesis.openapi.from_url(f"{url}/schema/openapi.json").include(method="GET")
    asked, statuses = 0, []
    for found in described.exclude(path="/api/stream").get_all_operations():
        operation = found.ok()

        @settings(
            max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
        )
        @given(operation.as_strategy(), st.booleans())
        def ask(case: schemathesis.Case, there: bool) -> None:
            if there:
                case.path_parameters.update({name: THERE[name] for name in case.path_parameters if name in THERE})
            statuses.append(case.call_and_validate(checks=CHECKS).status_code)

        ask()
        asked += 1
    assert asked >= 20
    assert statuses.count(200) > 40, "otherwise only refusals were looked at"


def test_every_operation_is_described(client: httpx.Client) -> None:
    described = client.get("/schema/openapi.json").json()
    assert client.get("/schema").json() == described
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]
    assert len(operations) >= 28
    for name, operation in operations:
        assert len(operation.get("summary", "")) > 5, name
        assert operation.get("tags"), name
        for parameter in operation.get("parameters", []):
            assert len(parameter.get("description", "")) > 3, (name, parameter["name"])
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            if status.startswith("4"):
                shape = answer["content"]["application/json"]["schema"]
                assert shape == {"$ref": "#/components/schemas/ErrorBody"}, (name, status)
        if name.startswith("POST"):
            assert {"400", "403", "415"} <= set(operation["responses"]), name


def test_people_get_a_page_without_scripts(client: httpx.Client) -> None:
    page = client.get("/schema", headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "/api/series/{station}/{quantity}" in page.text
    assert "<script" not in page.text
    assert "http" not in page.text.replace("HTTP", "").replace("http-equiv", "")
