"""Contingency plans and the responses under them: to read, to propose by hand, to decide on."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from litestar import Response, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event
from liuyu.monitor.respond.contingency.sheet import PlanHead, PlanSheet, ResponseSheet
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.ports import ResponseDesk
from liuyu.web.reply import WebRequest, answers, errors, send
from liuyu.web.session import signed_write

Note = Annotated[str, msgspec.Meta(max_length=2000, description="Why, in the user's words")]
LevelCode = Annotated[Literal["", "I", "II", "III", "IV"], msgspec.Meta(description='A level; "" ends the response')]
ResponseId = Annotated[str, PathParameter(description="Id of the response, as in /api/board", max_length=200)]
PlanCode = Annotated[str, PathParameter(description="Code of the plan, as in /api/plans", max_length=64)]


class ResponseDecision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether what is proposed is approved; with `level`, another level than the proposed one is."""

    approve: bool
    level: LevelCode | None = None
    note: Note = ""


class ResponseWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level proposed by hand under a plan, with its reason."""

    plan: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    level: LevelCode
    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2000, description="The reason")]


@get(
    "/api/plans",
    sync_to_thread=True,
    summary="Contingency plans, every version",
    description="`digest` is the SHA-256 of the plan as data; `in_force` marks the version that is matched now; "
    "`response` names the open response under the plan.",
    responses=answers(list[PlanHead], "Plans", 404),
    tags=["plans"],
)
def get_plans(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """Every plan."""
    return send(request, _desk(desk).plans())


@get(
    "/api/plans/{code:str}",
    sync_to_thread=True,
    summary="One contingency plan",
    description="Levels from the gravest to the mildest, each with its conditions in words and as data, its actions, "
    "who is told, and when it may be left; detention basins in their order of use. Without `version` the one in force.",
    responses=answers(PlanSheet, "The plan", 404),
    tags=["plans"],
)
def get_plan(
    request: WebRequest,
    desk: AtDesk,
    code: PlanCode,
    version: Annotated[str, QueryParameter(name="version", max_length=64, description="This version")] = "",
) -> Response[bytes]:
    """One plan."""
    return send(request, _desk(desk).plan(code, version))


@get(
    "/api/responses/{id:str}",
    sync_to_thread=True,
    summary="One emergency response",
    description="What is in force and what is proposed, the copy of the plan that it goes by, its history, the trace "
    "of the newest proposal, how each condition stands now, and how each action does.",
    responses=answers(ResponseSheet, "The response", 404),
    tags=["plans"],
)
def get_response(request: WebRequest, desk: AtDesk, id: ResponseId) -> Response[bytes]:
    """One response."""
    return send(request, _desk(desk).response(id))


@post(
    "/api/responses",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Propose a response by hand",
    description="A level under a plan in force, or the end of its response, with the reason. It waits for a decision "
    "like one that the twin proposes. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["plans"],
)
def propose_response(request: WebRequest, desk: AtDesk, data: JSONBody[ResponseWish]) -> Event:
    """Propose a response by hand."""
    return _desk(desk).propose(request.user, data.plan, data.level, data.note)


@post(
    "/api/responses/{id:str}/decision",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Approve or decline what is proposed",
    description="Approving starts, adjusts or ends the response; with `level` another level than the proposed one is "
    "approved. Needs a signed-in duty officer, or the role that the plan asks for at that level; where the plan wants "
    "two people, whoever proposed it may not approve it.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["plans"],
)
def decide_response(request: WebRequest, desk: AtDesk, id: ResponseId, data: JSONBody[ResponseDecision]) -> Event:
    """Approve or decline."""
    return _desk(desk).decide(request.user, id, data.approve, data.level, data.note)


def _desk(desk: Desk) -> ResponseDesk:
    if desk.twin.responses is None:
        raise NotFound("this twin follows no contingency plan; name some in basin.toml as plan_files")
    return desk.twin.responses
