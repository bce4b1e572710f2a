"""The log of events, and the board that is computed from it."""

from __future__ import annotations

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from liuyu.basin.events import RECORDS, Event
from liuyu.web.api.values import End
from liuyu.web.board import Board
from liuyu.web.desk import AtDesk
from liuyu.web.parameters import At, moment_of, moment_or, names_of
from liuyu.web.reply import WebRequest, answers, send

EventStart = Annotated[
    str | None,
    QueryParameter(
        name="start",
        description="First moment of the event's time, within; ISO 8601 with zone",
        schema_extra={"format": "date-time"},
    ),
]


@get(
    "/api/events",
    sync_to_thread=True,
    summary="The log of events",
    description="Events by number. To follow the log, ask again with `after` set to the last number seen. `body` is "
    "the record that the event announces; texts for people are in Chinese and English.",
    responses=answers(list[Event], "Events by number"),
    tags=["events"],
)
def get_events(
    request: WebRequest,
    desk: AtDesk,
    after: Annotated[
        int, QueryParameter(name="after", ge=0, le=2**53, description="Only events with a greater number")
    ] = 0,
    kinds: Annotated[
        str | None,
        QueryParameter(name="kinds", max_length=400, description=f"Kinds parted by commas, of: {', '.join(RECORDS)}"),
    ] = None,
    start: EventStart = None,
    end: End = None,
    subject: Annotated[
        str | None, QueryParameter(name="subject", max_length=64, description="Code of the feature concerned")
    ] = None,
    id: Annotated[str | None, QueryParameter(name="id", max_length=200, description="Of this one thing")] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=10_000, description="At most so many")] = 1000,
    newest_first: Annotated[bool, QueryParameter(name="newest_first", description="The newest first")] = False,
) -> Response[bytes]:
    """Events, narrowed as asked."""
    found = desk.twin.store.events(
        after=after,
        kinds=names_of(kinds, list(RECORDS), "kinds"),
        start=None if start is None else moment_of("start", start),
        end=None if end is None else moment_of("end", end),
        id=id,
        subject=subject,
        limit=limit,
        newest_first=newest_first,
    )
    return send(request, found)


@get(
    "/api/board",
    sync_to_thread=True,
    summary="The duty board",
    description="The newest event of each alert, notice, flood, incident, task, rehearsal, proposal, report, doubted "
    "series and silent station, as of a moment, newest first. Things that ended or happened more than `days` ago are "
    "left out; numbered floods stay for 400 days.",
    responses=answers(Board, "Events by kind, newest first"),
    tags=["events"],
)
def get_board(
    request: WebRequest,
    desk: AtDesk,
    at: At = None,
    days: Annotated[
        int, QueryParameter(name="days", ge=1, le=3660, description="How long ended things stay on the board [d]")
    ] = 30,
) -> Response[bytes]:
    """The board as of a moment."""
    now = desk.now
    moment = moment_or("at", at, now)
    return send(request, desk.boards.at(moment, present=moment >= now, days=days))
