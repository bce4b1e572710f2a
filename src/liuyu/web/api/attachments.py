"""Files laid to an incident, a task or an order: photographs, sketches, scanned papers. None can run in a browser."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from litestar import Response, get, post
from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import PathParameter, QueryParameter

from liuyu.basin.events import Event
from liuyu.monitor.respond.dispatch.files import LARGEST, TYPES
from liuyu.web.api.handover import shift
from liuyu.web.desk import AtDesk
from liuyu.web.errors import Refused
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import COOKIE, same_site, signed_read

_BYTES = "application/octet-stream"
_SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


@dataclass
class _Upload(Operation):
    """The description of a body that is a file."""

    def __post_init__(self) -> None:
        """Say that the body is the file."""
        content = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            content={_BYTES: OpenAPIMediaType(schema=content)}, description="The file", required=True
        )


def signed_upload(connection: ASGIConnection, _: BaseRouteHandler) -> None:  # type: ignore[type-arg]
    """Guard of an upload: same site, a running session, and bytes, which no form of another site can send."""
    same_site(connection)
    user = connection.app.state.desk.sessions.user(connection.cookies.get(COOKIE))
    if user is None:
        raise Refused(401, "not signed in", "sign in with POST /api/session, or open the address printed at the start")
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _BYTES:
        raise Refused(415, f"content type {kind[:80]!r} is not that of bytes", f"send Content-Type: {_BYTES}")
    connection.scope["user"] = user


@post(
    "/api/attachments",
    status_code=200,
    guards=[signed_upload],
    request_max_body_size=LARGEST + 1,
    operation_class=_Upload,
    summary="Lay a file to a thing",
    description=f"The body is the file, {LARGEST >> 20} MiB at most, sent as {_BYTES}: {', '.join(TYPES)}. Its content "
    "must be what its name says. Needs a signed-in duty officer.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["attachments"],
)
async def add_attachment(
    request: WebRequest,
    desk: AtDesk,
    target: Annotated[
        str, QueryParameter(name="target", max_length=200, description="Id of the incident, task or order")
    ],
    name: Annotated[str, QueryParameter(name="name", max_length=200, description="Name of the file")],
    note: Annotated[str, QueryParameter(name="note", max_length=2000, description="What it shows")] = "",
) -> Event:
    """A file that was added."""
    content = await request.body()
    return await sync_to_thread(shift(desk).attach, request.user, target, name, content, note)


@get(
    "/api/attachments",
    summary="The files of a thing",
    description="Newest first; without `target` those of all things.",
    responses=answers(list[Event], "Events of the kind attachment", 404),
    tags=["attachments"],
)
async def get_attachments(
    desk: AtDesk,
    target: Annotated[str, QueryParameter(name="target", max_length=200, description="Id of the thing")] = "",
) -> list[Event]:
    """Files."""
    return await sync_to_thread(shift(desk).attachments, target)


@get(
    "/api/attachments/{id:str}",
    sync_to_thread=True,
    guards=[signed_read],
    summary="A file",
    description="To be saved, never to be shown within the page but as an image. Needs a session.",
    responses=answers(bytes, "The file", 401, 404, media_type=_BYTES),
    security=[{"session": []}],
    tags=["attachments"],
)
def get_attachment(
    desk: AtDesk, id: Annotated[str, PathParameter(description="Id of the attachment", max_length=200)]
) -> Response[bytes]:
    """A file."""
    made, content = shift(desk).attachment(id)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(made.name, safe='')}",
        "Content-Security-Policy": _SANDBOX,
        "Cache-Control": "private, no-cache",
        "ETag": f'"{made.digest}"',
        "Digest": f"sha-256={b64encode(bytes.fromhex(made.digest)).decode()}",
    }
    return Response(content, headers=headers, media_type=made.media_type)
