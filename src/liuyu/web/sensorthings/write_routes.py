"""The addresses of the SensorThings service that change something."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from litestar import Response, delete, patch, post, put
from litestar.concurrency import sync_to_thread
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import PathParameter

from liuyu.basin.errors import BadInput, LiuyuError, NotFound, StoreFailed
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.errors import log
from liuyu.web.ports import User
from liuyu.web.reply import ErrorBody, WebRequest, encode_json
from liuyu.web.sensorthings.batch import read_json, read_multipart, run_batch, tell_json, tell_multipart
from liuyu.web.sensorthings.editor import Outcome
from liuyu.web.sensorthings.guard import may_write
from liuyu.web.sensorthings.options import Options, read_query
from liuyu.web.sensorthings.refusals import refusal
from liuyu.web.sensorthings.routes import ROOT
from liuyu.web.sensorthings.shapes import ChangeOperation, CreateOperation, ReplaceOperation

LARGEST_BODY = 8 * 1024 * 1024
BATCH = "$batch"
_JSON = "application/json"
_PATCH = ("application/json-patch+json", "application/merge-patch+json")
_REFUSALS = {
    400: "The body or the address cannot be used; the message names it, shows its value and gives the cure",
    401: "Neither a session nor a right name and password or token",
    403: "The user's role does not allow this",
    404: "There is no such thing",
    405: "The address does not have this method",
    409: "It goes against what is there: an id is taken, or the entity is the basin package's",
    413: "The body is too large",
    415: "The body is of another type",
    429: "Too many failed attempts to sign in",
    503: "Nothing was kept: the inbox is full or the store failed; send it again after Retry-After",
}
Path = Annotated[str, PathParameter(description="Path below the service, such as Observations", max_length=1000)]


def _answers(success: dict[int, str]) -> dict[int, ResponseSpec]:
    told = {
        status: ResponseSpec(None if status == 204 else Any, generate_examples=False, description=text)
        for status, text in success.items()
    }
    refused = {
        status: ResponseSpec(ErrorBody, generate_examples=False, description=text) for status, text in _REFUSALS.items()
    }
    return told | refused


_SECURITY: list[dict[str, list[str]]] = [{"session": []}, {"basic": []}, {"bearer": []}]
_MEANT = (
    "Needs a device, a duty officer or an administrator for observations, an administrator for all else. "
    "Answered with success, it is durable."
)


@post(
    f"{ROOT}/{{path:path}}",
    status_code=201,
    guards=[may_write],
    request_max_body_size=LARGEST_BODY,
    operation_class=CreateOperation,
    summary="Create observations and other entities",
    description="At a collection, such as Observations or Datastreams('ID')/Observations, one entity, with others "
    f"written out within it; at CreateObservations data arrays; at $batch a batch, JSON or multipart. {_MEANT}",
    responses=_answers({201: "The entity, or its address by data array", 200: "The replies of a batch"}),
    security=_SECURITY,
    tags=["sensorthings"],
)
async def create_things(request: WebRequest, desk: AtDesk, path: Path) -> Response[bytes]:
    """Create."""
    if path.strip("/") == BATCH:
        return await _carry_out(request, (_JSON, "multipart/mixed"), lambda raw, kind: _batch(request, desk, raw, kind))
    return await _carry_out(request, (_JSON,), lambda raw, _: _one(request, desk, path, raw))


@patch(
    f"{ROOT}/{{path:path}}",
    guards=[may_write],
    request_max_body_size=LARGEST_BODY,
    operation_class=ChangeOperation,
    summary="Change an entity, or correct an observation",
    description=f"By its properties, or by a JSON Patch (RFC 6902). {_MEANT}",
    responses=_answers({200: "The entity as it is now"}),
    security=_SECURITY,
    tags=["sensorthings"],
)
async def change_things(request: WebRequest, desk: AtDesk, path: Path) -> Response[bytes]:
    """Change."""
    return await _carry_out(request, (_JSON, *_PATCH), lambda raw, _: _one(request, desk, path, raw))


@put(
    f"{ROOT}/{{path:path}}",
    guards=[may_write],
    request_max_body_size=LARGEST_BODY,
    operation_class=ReplaceOperation,
    summary="Replace an entity",
    description=f"The whole entity; its id and what it has observed stay. {_MEANT}",
    responses=_answers({200: "The entity as it is now"}),
    security=_SECURITY,
    tags=["sensorthings"],
)
async def replace_things(request: WebRequest, desk: AtDesk, path: Path) -> Response[bytes]:
    """Replace."""
    return await _carry_out(request, (_JSON,), lambda raw, _: _one(request, desk, path, raw))


@delete(
    f"{ROOT}/{{path:path}}",
    status_code=204,
    guards=[may_write],
    summary="Delete an entity",
    description="What was created here, with what belongs to it; what the basin's series hold stays. Needs an "
    "administrator.",
    responses=_answers({204: "It is gone"}),
    security=_SECURITY,
    tags=["sensorthings"],
)
async def delete_things(request: WebRequest, desk: AtDesk, path: Path) -> Response[None]:
    """Delete."""
    return await _carry_out(request, (), lambda raw, _: _one(request, desk, path, b""))


WRITES = (create_things, change_things, replace_things, delete_things)


async def _carry_out(
    request: WebRequest, kinds: tuple[str, ...], work: Callable[[bytes, str], Response[bytes]]
) -> Response[Any]:
    """Read the body, do the work in a thread, and give every refusal its form."""
    kind = request.headers.get("content-type", "")
    if kinds and kind.partition(";")[0].strip().lower() not in kinds:
        told = {"error": f"content type {kind[:60]!r} cannot be read here", "cure": f"send {' or '.join(kinds)}"}
        return _send(415, {"code": 415, "type": "error", "message": told["error"], **told})
    try:
        raw = await request.body() if kinds else b""
    except HTTPException as error:
        if error.status_code != 413:
            raise
        told = {
            "error": "the body is too large",
            "cure": f"send at most {LARGEST_BODY >> 20} MiB, and the rest after it",
        }
        return _send(413, {"code": 413, "type": "error", "message": told["error"], **told})
    try:
        return await sync_to_thread(work, raw, kind)
    except LiuyuError as error:
        if isinstance(error, StoreFailed):
            log.error("%s %s: %s", request.method, request.scope["path"], error)
        status, body, headers = refusal(error)
        return _send(status, body, headers)


def _one(request: WebRequest, desk: Desk, path: str, raw: bytes) -> Response[bytes]:
    """One request that stands for itself."""
    user: User = request.user
    method = request.method
    body = _decoded(raw) if method != "DELETE" else None
    action = {"POST": "create", "DELETE": "delete"}.get(method, "change")
    outcome = desk.editor.run(
        user, action, path.strip("/")[:200], lambda plan: desk.editor.plan(plan, method, path, body)
    )
    status, told, headers = _shown(desk, request, outcome, method)
    return _send(status, told, headers)


def _batch(request: WebRequest, desk: Desk, raw: bytes, kind: str) -> Response[bytes]:
    """A batch, in the form in which it was sent."""
    root = _root(request)

    def read(url: str) -> Any:
        path, _, query = url.partition("?")
        return desk.things.answer(path.strip("/"), read_query(query), root)

    multipart = kind.lower().startswith("multipart/")
    asked = read_multipart(kind, raw) if multipart else read_json(_decoded(raw))
    replies = run_batch(
        desk.editor, request.user, asked, read, lambda outcome, method: _shown(desk, request, outcome, method)
    )
    if multipart:
        media_type, body = tell_multipart(replies)
        return Response(body, status_code=200, media_type=media_type, headers={"Cache-Control": "no-store"})
    return Response(tell_json(replies), status_code=200, media_type=_JSON, headers={"Cache-Control": "no-store"})


def _shown(desk: Desk, request: WebRequest, outcome: Outcome, method: str) -> tuple[int, Any, dict[str, str]]:
    """What was done, as it is answered: the entity and where it is."""
    root = _root(request)
    if outcome is None:
        return 204, None, {}
    if isinstance(outcome, list):
        links = [each if each.startswith("error") else f"{root}/Observations('{each}')" for each in outcome]
        return 201, links, {}
    path = f"{outcome[0]}('{outcome[1]}')"
    try:
        told = desk.things.answer(path, Options(), root)
    except NotFound:  # deleted by another in the meantime, or set aside by the loop
        told = {"@iot.id": outcome[1], "@iot.selfLink": f"{root}/{path}"}
    return (201 if method == "POST" else 200), told, {"Location": f"{root}/{path}"}


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadInput(f"the body is not JSON ({error}); mend it") from None


def _send(status: int, body: Any, headers: dict[str, str] | None = None) -> Response[bytes]:
    told = {"Cache-Control": "no-store", **(headers or {})}
    content = b"" if body is None else encode_json(body)
    return Response(content, status_code=status, media_type=_JSON, headers=told)


def _root(request: WebRequest) -> str:
    return str(request.base_url).rstrip("/") + ROOT
