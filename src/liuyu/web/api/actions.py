"""What people do: acknowledge, carry out, decide, silence, rehearse. Each answer is the event that was logged."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import post
from litestar.params import JSONBody, PathParameter

from liuyu.basin.events import Event
from liuyu.web.desk import AtDesk
from liuyu.web.reply import WebRequest, errors
from liuyu.web.session import signed_write

Note = Annotated[str, msgspec.Meta(max_length=2000, description="Why, in the user's words")]
Flow = Annotated[float, msgspec.Meta(ge=0, le=1e6, description="Outflow [m3/s]")]
Hourly = Annotated[tuple[Flow, ...], msgspec.Meta(min_length=1, max_length=720)]
ThingId = Annotated[str, PathParameter(description="Id of the thing, as in /api/board", max_length=200)]


class Acknowledgement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note with an acknowledgement."""

    note: Note = ""


class TaskUpdate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a task is from now on."""

    state: Literal["acknowledged", "done"]
    note: Note = ""


class Decision(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a proposal is accepted."""

    accept: bool
    note: Note = ""


class Silence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which alerts to silence, by subject, rule and severity, and until when."""

    match: Annotated[Mapping[Literal["subject", "rule", "severity"], str], msgspec.Meta(min_length=1)]
    until: Annotated[datetime, msgspec.Meta(tz=True)]
    note: Note = ""


class Rehearse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A what-if: releases by reservoir, hour by hour from the newest forecast, and a factor on its inflow."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    releases: Mapping[str, Hourly] = {}
    inflow_factor: Annotated[float, msgspec.Meta(ge=0.1, le=10)] = 1.0


@post(
    "/api/alerts/{id:str}/acknowledge",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Acknowledge an alert",
    description="Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["actions"],
)
def acknowledge(request: WebRequest, desk: AtDesk, id: ThingId, data: JSONBody[Acknowledgement]) -> Event:
    """Acknowledge an alert."""
    return desk.twin.acknowledge(request.user, id, data.note)


@post(
    "/api/tasks/{id:str}",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Acknowledge or finish a task",
    description="Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["actions"],
)
def update_task(request: WebRequest, desk: AtDesk, id: ThingId, data: JSONBody[TaskUpdate]) -> Event:
    """Acknowledge or finish a task."""
    return desk.twin.update_task(request.user, id, data.state, data.note)


@post(
    "/api/proposals/{id:str}/decision",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Accept or reject a proposal",
    description="Needs a signed-in duty officer. A proposal is decided once.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["actions"],
)
def decide(request: WebRequest, desk: AtDesk, id: ThingId, data: JSONBody[Decision]) -> Event:
    """Accept or reject a proposal."""
    return desk.twin.decide(request.user, id, data.accept, data.note)


@post(
    "/api/silences",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Silence alerts",
    description="Alerts that match every given field stay untold until a moment. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 413, 415),
    security=[{"session": []}],
    tags=["actions"],
)
def silence(request: WebRequest, desk: AtDesk, data: JSONBody[Silence]) -> Event:
    """Silence alerts."""
    match = {str(field): value for field, value in data.match.items()}
    return desk.twin.silence(request.user, match, data.until, data.note)


@post(
    "/api/rehearsals",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Rehearse a what-if",
    description="Runs the newest forecast with other releases [m3/s] or inflow. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["actions"],
)
def rehearse(request: WebRequest, desk: AtDesk, data: JSONBody[Rehearse]) -> Event:
    """Rehearse a what-if."""
    return desk.twin.rehearse(request.user, data.name, data.releases, data.inflow_factor)
