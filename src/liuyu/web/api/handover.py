"""The shift's handover: what is open, offered by one and taken by the next."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody, PathParameter

from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event
from liuyu.web.api.actions import Note
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.papers import HandoverSheet, ShiftDesk
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import signed_write

HandoverId = Annotated[str, PathParameter(description="Id of the handover, as in /api/handover", max_length=200)]


class HandingOver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A note with a handover; `by` names the person where several share an account."""

    note: Note = ""
    by: Annotated[str, msgspec.Meta(max_length=80)] = ""


@get(
    "/api/handover",
    summary="Where the watch stands",
    description="The shift of this hour, everything that is open, computed from the log, and the newest handovers.",
    responses=answers(HandoverSheet, "The watch", 404),
    tags=["handover"],
)
async def get_handover(desk: AtDesk) -> HandoverSheet:
    """The watch."""
    return await sync_to_thread(shift(desk).handover)


@post(
    "/api/handover",
    status_code=200,
    guards=[signed_write],
    summary="Hand over the watch",
    description="Writes down what is open. One handover at a time is offered. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["handover"],
)
async def offer_handover(request: WebRequest, desk: AtDesk, data: JSONBody[HandingOver]) -> Event:
    """An offered handover."""
    return await sync_to_thread(shift(desk).offer, request.user, data.note, data.by)


@post(
    "/api/handover/{id:str}/take",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Take over the watch",
    description="By somebody else than who hands over. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["handover"],
)
def take_handover(request: WebRequest, desk: AtDesk, id: HandoverId, data: JSONBody[HandingOver]) -> Event:
    """A handover that was taken."""
    return shift(desk).take(request.user, id, data.note, data.by)


def shift(desk: Desk) -> ShiftDesk:
    """The shift of the twin. Raises NotFound where it has none."""
    found = desk.twin.shift
    if found is None:
        raise NotFound("this twin has no duty office; start one with liuyu up")
    return found
