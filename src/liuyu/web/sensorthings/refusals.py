"""Refusals of the write side that have a status of their own, in the form that clients of SensorThings look for."""

from __future__ import annotations

from typing import Any

from liuyu.basin.errors import BadInput, InboxFull, LiuyuError, StoreFailed
from liuyu.web.errors import split_message, status_of

RETRY_AFTER = 5


class Conflict(BadInput):
    """What is asked for goes against what is there: an id that is taken, or an entity of the basin package."""


class NotPossible(BadInput):
    """A method that an address does not have; `allowed` are those that it has."""

    def __init__(self, message: str, *allowed: str) -> None:
        self.allowed = ("GET", *allowed)
        super().__init__(message)


def refusal(error: LiuyuError) -> tuple[int, dict[str, Any], dict[str, str]]:
    """Status, body and headers of an error."""
    status, headers = _status(error), {"Cache-Control": "no-store"}
    message = str(error)
    if isinstance(error, StoreFailed):
        headers["Retry-After"] = str(RETRY_AFTER)
        full = isinstance(error, InboxFull)
        message = (
            f"{'the inbox is full' if full else 'the store could not keep it'}; nothing was kept, send it again later"
        )
    if isinstance(error, NotPossible):
        headers["Allow"] = ", ".join(error.allowed)
    what, cure = split_message(message)
    return status, {"code": status, "type": "error", "message": message, "error": what, "cure": cure}, headers


def _status(error: LiuyuError) -> int:
    for kind, status in ((Conflict, 409), (NotPossible, 405)):
        if isinstance(error, kind):
            return status
    return status_of(error)
