"""Orders 调度令 and notifications 通知 to people: drafted, signed, answered; and who may be written to.

Handlers that share a path are asynchronous: litestar wraps the others in threads once for each that joins.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody, PathParameter, QueryParameter

from liuyu.basin.errors import NotFound
from liuyu.monitor.respond.dispatch import Wish
from liuyu.web.api.actions import Note
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.papers import Answer, DirectorySheet, DispatchDesk, DispatchSheet, DispatchState
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import signed_write

PaperId = Annotated[str, PathParameter(description="Id of the paper, as in /api/dispatches", max_length=200)]
Narrow = Annotated[str, msgspec.Meta(max_length=200)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
_WRITES = (400, 401, 403, 404, 413, 415)


class Drafting(Wish, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to stand in a new draft. `proposal`: an accepted one, whose releases it orders."""

    proposal: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note with a signature or a cancellation."""

    note: Note = ""


class Received(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a recipient answered, by telephone say; `by` is the person there."""

    recipient: Code
    what: Answer
    by: Annotated[str, msgspec.Meta(max_length=80)] = ""
    note: Note = ""


@get(
    "/api/dispatches",
    summary="Orders and notifications, newest first",
    description="Each as it stands, with its whole text, who has not answered, and how it fared on its way.",
    responses=answers(list[DispatchSheet], "Papers, newest first", 404),
    tags=["dispatches"],
)
async def get_dispatches(
    desk: AtDesk,
    stage: Annotated[DispatchState | None, QueryParameter(name="state", description="In this state alone")] = None,
    form: Annotated[
        Literal["order", "notification"] | None, QueryParameter(name="form", description="Of this form alone")
    ] = None,
    incident: Annotated[str, QueryParameter(name="incident", max_length=200, description="Of this incident")] = "",
    proposal: Annotated[str, QueryParameter(name="proposal", max_length=200, description="Of this proposal")] = "",
    response: Annotated[str, QueryParameter(name="response", max_length=200, description="Of this response")] = "",
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=500, description="At most so many")] = 50,
) -> list[DispatchSheet]:
    """Papers, narrowed as asked."""
    narrow = {"incident": incident, "proposal": proposal, "response": response}
    return await sync_to_thread(partial(office(desk).listed, state=stage or "", form=form or "", limit=limit, **narrow))


@get(
    "/api/dispatches/{id:str}",
    sync_to_thread=True,
    summary="One order or notification",
    description="Its versions are the events of its id: /api/events?id=",
    responses=answers(DispatchSheet, "The paper", 404),
    tags=["dispatches"],
)
def get_dispatch(desk: AtDesk, id: PaperId) -> DispatchSheet:
    """One paper."""
    return office(desk).find(id)


@get(
    "/api/recipients",
    sync_to_thread=True,
    summary="Who may be written to",
    description="Recipients, notification lists, deadlines of the office, and the channels that this twin sends by.",
    responses=answers(DirectorySheet, "The directory", 404),
    tags=["dispatches"],
)
def get_recipients(desk: AtDesk) -> DirectorySheet:
    """The directory."""
    return office(desk).directory()


@post(
    "/api/dispatches",
    status_code=200,
    guards=[signed_write],
    summary="Draft an order or a notification",
    description="Of an accepted proposal, in the standard form, or by hand. Accepting a proposal has made a draft "
    "already. Needs a signed-in duty officer.",
    responses=errors(*_WRITES),
    security=[{"session": []}],
    tags=["dispatches"],
)
async def draft_dispatch(request: WebRequest, desk: AtDesk, data: JSONBody[Drafting]) -> DispatchSheet:
    """A new draft."""
    return await sync_to_thread(office(desk).draft, request.user, data, data.proposal)


@post(
    "/api/dispatches/{id:str}/amend",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Change a draft",
    description="What is given replaces what stood there; the log keeps the version before. What is signed is not "
    "changed. Needs a signed-in duty officer.",
    responses=errors(*_WRITES),
    security=[{"session": []}],
    tags=["dispatches"],
)
def amend_dispatch(request: WebRequest, desk: AtDesk, id: PaperId, data: JSONBody[Wish]) -> DispatchSheet:
    """A changed draft."""
    return office(desk).amend(request.user, id, data)


@post(
    "/api/dispatches/{id:str}/sign",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Sign and send",
    description="It gets its number, holds from now on, and goes out to every recipient. Needs the role that the "
    "office asks for (/api/recipients).",
    responses=errors(*_WRITES),
    security=[{"session": []}],
    tags=["dispatches"],
)
def sign_dispatch(request: WebRequest, desk: AtDesk, id: PaperId, data: JSONBody[Signature]) -> DispatchSheet:
    """A signed paper."""
    return office(desk).sign(request.user, id, data.note)


@post(
    "/api/dispatches/{id:str}/cancel",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Cancel a draft or a signed paper",
    description="Whoever was sent it is told. To replace it, draft another with `supersedes` and sign that. Needs a "
    "signed-in duty officer.",
    responses=errors(*_WRITES),
    security=[{"session": []}],
    tags=["dispatches"],
)
def cancel_dispatch(request: WebRequest, desk: AtDesk, id: PaperId, data: JSONBody[Signature]) -> DispatchSheet:
    """A cancelled paper."""
    return office(desk).cancel(request.user, id, data.note)


@post(
    "/api/dispatches/{id:str}/receipt",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Note what a recipient answered",
    description="That it has the paper, or has carried it out. Needs a signed-in duty officer; recipients themselves "
    "answer by the address in their message.",
    responses=errors(*_WRITES),
    security=[{"session": []}],
    tags=["dispatches"],
)
def receive_dispatch(request: WebRequest, desk: AtDesk, id: PaperId, data: JSONBody[Received]) -> DispatchSheet:
    """An answered paper."""
    return office(desk).receive(request.user, id, data.recipient, data.what, data.by, data.note)


def office(desk: Desk) -> DispatchDesk:
    """The duty office of the twin. Raises NotFound where it has none."""
    found = desk.twin.dispatches
    if found is None:
        raise NotFound("this twin has no duty office; start one with liuyu up")
    return found
