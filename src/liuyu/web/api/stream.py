"""The stream of what happens, and whether the server is well."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import get
from litestar.params import HeaderParameter
from litestar.response import Stream

from liuyu import __version__
from liuyu.web.desk import AtDesk
from liuyu.web.reply import answers


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The server answers, and so does its store: `seq` is the number of the newest event."""

    status: str
    version: str
    basin: str
    phase: str
    seq: int


@get(
    "/api/stream",
    summary="What happens, as it happens",
    description="Server-sent events: `clock` (as /api/clock), `values` (columns as /api/values), `event` (as in "
    "/api/events, whose number is its id). A page that connects again gets the events that it missed. A comment "
    "every 15 s keeps the line open.",
    responses=answers(str, "An endless stream", 503, media_type="text/event-stream"),
    tags=["events"],
)
async def get_stream(
    desk: AtDesk,
    last_seen: Annotated[
        int | None, HeaderParameter(name="Last-Event-ID", ge=0, le=2**53, description="Number of the last event seen")
    ] = None,
) -> Stream:
    """Follow the twin."""
    desk.hub.admit()
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return Stream(desk.hub.follow(last_seen), media_type="text/event-stream", headers=headers)


@get(
    "/api/health",
    sync_to_thread=True,
    summary="Whether the server is well",
    responses=answers(Health, "It is well", 503),
    tags=["server"],
)
def get_health(desk: AtDesk) -> Health:
    """Whether the server and its store answer."""
    newest = desk.twin.store.events(limit=1, newest_first=True)
    return Health(
        status="ok",
        version=__version__,
        basin=desk.twin.basin.code,
        phase=desk.twin.clock().phase,
        seq=newest[0].seq if newest else 0,
    )
