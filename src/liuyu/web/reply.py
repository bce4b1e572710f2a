"""How an answer leaves: encoded and compressed in the thread that made it, so that the event loop stays free."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec

WebRequest = Request[Any, Any, Any]

JSON = "application/json"
_WORTH_COMPRESSING = 1024
_LEVEL = 4


class ErrorBody(msgspec.Struct, frozen=True):
    """What went wrong, and what would mend it."""

    error: str
    cure: str = ""


_MEANINGS = {
    400: "A parameter or the body cannot be used; the message names it, shows its value and gives the cure",
    401: "Not signed in, or the session has ended",
    403: "The signed-in user's role does not allow this, or the request came from another site",
    404: "There is no such thing",
    413: "The body is too large",
    415: "The body is not JSON",
    429: "Too many attempts to sign in",
    503: "The store could not answer",
}


def errors(*codes: int) -> dict[int, ResponseSpec]:
    """The OpenAPI entries of the errors that an operation may answer with."""
    return {code: ResponseSpec(ErrorBody, generate_examples=False, description=_MEANINGS[code]) for code in codes}


def answers(kind: Any, description: str, *codes: int, media_type: str = JSON) -> dict[int, ResponseSpec]:
    """The OpenAPI entries of an operation: its success, as `kind`, and its errors."""
    success = ResponseSpec(kind, generate_examples=False, description=description, media_type=media_type)
    return {200: success, **errors(400, *codes)}


def encode_json(value: Any) -> bytes:
    """A value as JSON: times in UTC with Z, NaN as null, arrays as lists."""
    return msgspec.json.encode(value, enc_hook=_plain)


def utc(moment: datetime) -> datetime:
    """The same moment in UTC, which JSON shows with Z."""
    return moment.astimezone(UTC)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


@dataclass(frozen=True, slots=True)
class Packed:
    """A body that is sent many times: plain and compressed, with its entity tag."""

    body: bytes
    compressed: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, body: bytes, media_type: str = JSON, *, level: int = 6) -> Packed:
        """Compress a body once, and name it by its content."""
        return cls(body, gzip.compress(body, level, mtime=0), media_type, etag_of(body))


def etag_of(body: bytes) -> str:
    """A weak entity tag: the same for the same content, compressed or not."""
    return f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def send_packed(request: WebRequest, packed: Packed, *, headers: Mapping[str, str] | None = None) -> Response[bytes]:
    """A packed body, or 304 where the caller has it already."""
    told = {"ETag": packed.etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache", **(headers or {})}
    if has_already(request, packed.etag):
        return Response(b"", status_code=304, headers=told, media_type=packed.media_type)
    if accepts_gzip(request) and len(packed.compressed) < len(packed.body):
        return Response(packed.compressed, headers={**told, "Content-Encoding": "gzip"}, media_type=packed.media_type)
    return Response(packed.body, headers=told, media_type=packed.media_type)


def send(
    request: WebRequest, value: Any, *, media_type: str = JSON, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    """A value as JSON, or bytes as they are, compressed where it pays and the caller can read it."""
    body = value if isinstance(value, bytes) else encode_json(value)
    told = {"Cache-Control": "no-cache", **(headers or {})}
    if len(body) >= _WORTH_COMPRESSING and accepts_gzip(request):
        body = gzip.compress(body, _LEVEL, mtime=0)
        told |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return Response(body, headers=told, media_type=media_type)


def accepts_gzip(request: WebRequest) -> bool:
    """True where the caller says that it can read gzip."""
    for part in request.headers.get("accept-encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def has_already(request: WebRequest, etag: str) -> bool:
    """True where If-None-Match names this entity tag."""
    asked = request.headers.get("if-none-match", "")
    known = [each.strip().removeprefix("W/") for each in asked.split(",")]
    return "*" in known or etag.removeprefix("W/") in known
