"""Every refusal in one form: what is wrong, with its name and value, and what would mend it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException, ValidationException

from liuyu.basin.errors import BadInput, LiuyuError, NotAllowed, NotFound, StoreFailed
from liuyu.web.reply import ErrorBody, WebRequest, encode_json

log = logging.getLogger(__name__)

_STATUS: tuple[tuple[type[LiuyuError], int], ...] = (
    (BadInput, 400),
    (NotFound, 404),
    (NotAllowed, 403),
    (StoreFailed, 503),
)

Handler = Callable[[WebRequest, Any], Response[bytes]]


class Refused(HTTPException):
    """A request that is refused before it reaches the twin: no session, another site, too many attempts."""

    def __init__(self, status: int, error: str, cure: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail=error, status_code=status, headers=headers)
        self.cure = cure


def status_of(error: LiuyuError) -> int:
    """The HTTP status that fits an error of the family."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def split_message(message: str) -> tuple[str, str]:
    """The error and its cure, which the family's messages part with a semicolon."""
    error, _, cure = message.partition("; ")
    return error, cure


def error_handlers() -> dict[int | type[Exception], Handler]:
    """The handlers that give every error its form."""
    return {LiuyuError: _of_family, HTTPException: _of_http, Exception: _unforeseen}


def refuse(status: int, error: str, cure: str, headers: dict[str, str] | None = None) -> Response[bytes]:
    """An error as an answer."""
    told = {"Cache-Control": "no-store", **(headers or {})}
    return Response(
        encode_json(ErrorBody(error, cure)), status_code=status, headers=told, media_type="application/json"
    )


def _of_family(request: WebRequest, error: LiuyuError) -> Response[bytes]:
    if isinstance(error, StoreFailed):  # its message names files of this machine, which are no caller's business
        log.error("%s %s: %s", request.method, request.scope["path"], error)
        return refuse(503, "the store could not answer", "try again; the server's log says why")
    what, cure = split_message(str(error))
    return refuse(status_of(error), what, cure)


def _of_http(request: WebRequest, error: HTTPException) -> Response[bytes]:
    if isinstance(error, Refused):
        return refuse(error.status_code, error.detail, error.cure, error.headers)
    if isinstance(error, ValidationException):
        return refuse(400, _what_is_invalid(request, error), "see the description of this operation at /schema")
    path = request.scope["path"]
    if error.status_code == 404:
        return refuse(404, f"there is nothing at {path}", "see /schema for every address")
    if error.status_code == 405:
        what = f"{request.method} is not possible at {path}"
        return refuse(405, what, "see /schema for what is", error.headers)
    if error.status_code == 413:
        return refuse(413, "the body is too large", "send at most 256 KiB")
    return refuse(error.status_code, error.detail or HTTPStatus(error.status_code).phrase, "see /schema", error.headers)


def _what_is_invalid(request: WebRequest, error: ValidationException) -> str:
    """Each parameter that is wrong, with its value and what was expected."""
    found = []
    for each in error.extra if isinstance(error.extra, list) else []:
        name, message = each.get("key") or "body", each.get("message", "")
        given = request.query_params.get(name) or request.path_params.get(name)
        found.append(f"{name}={str(given)[:40]!r}: {message}" if given is not None else f"{name}: {message}")
    return ", ".join(found) or error.detail


def _unforeseen(request: WebRequest, error: Exception) -> Response[bytes]:
    log.error("%s %s failed", request.method, request.scope["path"], exc_info=error)
    return refuse(500, "the server failed at this request", "try again; its log says why")
