"""Dead letters: what was set aside, with the reason, and trying it again."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import get, post
from litestar.params import PathParameter, QueryParameter

from liuyu.basin.errors import NotFound
from liuyu.web.api.events import EventStart
from liuyu.web.api.values import End
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.parameters import moment_of
from liuyu.web.ports import LetterDesk, LetterSheet
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import signed_read, signed_write

Number = Annotated[int, PathParameter(description="Number of the letter, as in /api/letters", ge=1, le=2**53)]


@get(
    "/api/letters",
    sync_to_thread=True,
    guards=[signed_read],
    summary="Dead letters, newest first",
    description="What was set aside, with the reason and the bytes. To go on where a list ended, give its last number "
    "as `before`. Needs a signed-in duty officer.",
    responses=answers(list[LetterSheet], "Letters", 401, 403, 404),
    security=[{"session": []}],
    tags=["letters"],
)
def get_letters(
    request: WebRequest,
    desk: AtDesk,
    source: Annotated[str, QueryParameter(name="source", max_length=100, description="From this source alone")] = "",
    reason: Annotated[str, QueryParameter(name="reason", max_length=200, description="A part of the reason")] = "",
    stage: Annotated[
        Literal["waiting", "replayed", "refused"] | None,
        QueryParameter(name="state", description="In this state alone"),
    ] = None,
    start: EventStart = None,
    end: End = None,
    before: Annotated[
        int | None, QueryParameter(name="before", ge=1, le=2**53, description="Only smaller numbers")
    ] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=1000, description="At most so many")] = 100,
) -> list[LetterSheet]:
    """Dead letters."""
    return _letters(desk).listed(
        request.user,
        source=source,
        reason=reason,
        state=stage or "",
        start=None if start is None else moment_of("start", start),
        end=None if end is None else moment_of("end", end),
        before=before,
        limit=limit,
    )


@get(
    "/api/letters/{id:int}",
    sync_to_thread=True,
    guards=[signed_read],
    summary="One dead letter, read as far as it can be",
    description="Needs a signed-in duty officer.",
    responses=answers(LetterSheet, "The letter", 401, 403, 404),
    security=[{"session": []}],
    tags=["letters"],
)
def get_letter(request: WebRequest, desk: AtDesk, id: Number) -> LetterSheet:
    """One dead letter."""
    return _letters(desk).find(request.user, id)


@post(
    "/api/letters/{id:int}/replay",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Decode a dead letter again and deliver what is in it",
    description="For when a dialect or the basin's stations were mended. The letter stays, marked with the outcome. "
    "Needs a signed-in administrator.",
    responses=errors(400, 401, 403, 404, 413, 415, 503),
    security=[{"session": []}],
    tags=["letters"],
)
def replay_letter(request: WebRequest, desk: AtDesk, id: Number) -> LetterSheet:
    """Try a dead letter again."""
    return _letters(desk).replay(request.user, id)


def _letters(desk: Desk) -> LetterDesk:
    found = desk.twin.letters
    if found is None:
        raise NotFound("this twin takes nothing in, so nothing was set aside; ask one that is live")
    return found
