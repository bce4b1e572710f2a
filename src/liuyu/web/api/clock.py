"""The twin's clock: where it stands, and setting it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from litestar import get, post
from litestar.params import JSONBody

from liuyu.web.desk import AtDesk
from liuyu.web.ports import ClockState
from liuyu.web.reply import WebRequest, answers, errors, utc
from liuyu.web.session import signed_write


class ClockChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to change: play or pause, the speed [twin seconds per second], or a moment to run to and pause."""

    phase: Literal["running", "paused"] | None = None
    speed: Annotated[float, msgspec.Meta(gt=0, le=1e7)] | None = None
    run_to: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


@get(
    "/api/clock",
    sync_to_thread=False,
    summary="Where the twin's time stands",
    responses=answers(ClockState, "The clock"),
    tags=["clock"],
)
def get_clock(desk: AtDesk) -> ClockState:
    """The clock."""
    return in_utc(desk.twin.clock())


@post(
    "/api/clock",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Play, pause, set the speed, or run to a moment",
    description="Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 413, 415),
    security=[{"session": []}],
    tags=["clock"],
)
def set_clock(request: WebRequest, desk: AtDesk, data: JSONBody[ClockChange]) -> ClockState:
    """Set the clock."""
    return in_utc(desk.twin.set_clock(request.user, phase=data.phase, speed=data.speed, run_to=data.run_to))


def in_utc(state: ClockState) -> ClockState:
    """The clock with its times in UTC."""
    return ClockState(
        now=utc(state.now), start=utc(state.start), end=utc(state.end), speed=state.speed, phase=state.phase
    )
