"""The data array extension: many observations of few datastreams in one body (OGC 18-088, section 12.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from liuyu.basin.errors import BadInput, LiuyuError, NotAllowed
from liuyu.web.sensorthings.planner import Planner

MOST = 100_000
_COMPONENTS = ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters")
_FEATURE = "FeatureOfInterest/id"


def plan_arrays(planner: Planner, body: Any) -> list[str]:
    """Plan every row; gives the id of each observation in order, or `error: ...` for a row that is refused.

    Raises BadInput where the body is no list of data arrays or where every row is refused.
    """
    if not isinstance(body, list):
        raise BadInput('the body is no list; send [{"Datastream", "components", "dataArray"}]')
    answers: list[str] = []
    for each in body:
        for row in _rows(each):
            answers.append(_plan(planner, row))
            if len(answers) > MOST:
                raise BadInput(f"there are more than {MOST} rows; send them in parts")
    planner.draft.counts["refused"] += sum(each.startswith("error") for each in answers)
    if answers and all(each.startswith("error") for each in answers):
        raise BadInput(f"every row is refused, the first for {answers[0].removeprefix('error: ')}")
    return answers


def _plan(planner: Planner, row: Mapping[str, Any] | str) -> str:
    if isinstance(row, str):
        return f"error: {row}"
    try:
        return planner.create("Observations", row)[1]
    except NotAllowed:
        raise
    except LiuyuError as error:
        return f"error: {error}"


def _rows(array: Any) -> Sequence[Mapping[str, Any] | str]:
    """The rows of one data array, as bodies of observations, or what is wrong with them."""
    if not isinstance(array, Mapping) or not isinstance(array.get("Datastream"), Mapping):
        raise BadInput('a data array names no Datastream; write "Datastream": {"@iot.id": ...}')
    stream = {key: each for key, each in array["Datastream"].items() if key == "@iot.id"}
    components, rows = array.get("components"), array.get("dataArray")
    if not isinstance(components, list) or not isinstance(rows, list):
        raise BadInput('a data array needs the lists "components" and "dataArray"; add them')
    for each in components:
        if each not in (*_COMPONENTS, _FEATURE, "id"):
            raise BadInput(
                f"component {str(each)[:40]!r} is not known; choose from {', '.join((*_COMPONENTS, _FEATURE))}"
            )
    return [_row(stream, components, each) for each in rows]


def _row(stream: Mapping[str, Any], components: Sequence[str], row: Any) -> Mapping[str, Any] | str:
    if not isinstance(row, list) or len(row) != len(components):
        return f"the row {str(row)[:60]!r} does not hold {len(components)} values; give one for each component"
    told = dict(zip(components, row, strict=True))
    told.pop("id", None)  # the identity of an observation is its datastream and time
    feature = told.pop(_FEATURE, None)
    body = {key: each for key, each in told.items() if each is not None or key == "result"}
    if feature is not None:
        body["FeatureOfInterest"] = {"@iot.id": feature}
    return {**body, "Datastream": stream}
