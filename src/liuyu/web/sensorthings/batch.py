"""Many requests in one: `$batch` as multipart/mixed (OGC 18-088, section 11, after OData 4.0) or as JSON (OData 4.01).

Requests are planned in order; those of one atomicity group, or change set, are kept together or not at all, every other
one for itself. All is kept at once at the end, or before the next read. A later request may name what an earlier one
created by `$` and the id of that request (in multipart its Content-ID), where an id stands in an address or a body.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from itertools import groupby
from typing import Any

import msgspec

from liuyu.basin.errors import BadInput, LiuyuError, StoreFailed
from liuyu.web.ports import User
from liuyu.web.reply import encode_json
from liuyu.web.sensorthings.editor import Editor, Outcome
from liuyu.web.sensorthings.planner import Planner
from liuyu.web.sensorthings.refusals import refusal

MOST = 2000
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE")
_REASONS = {200: "OK", 201: "Created", 204: "No Content", 424: "Failed Dependency"}
_REFERENCE = re.compile(r"\$([A-Za-z0-9_.:,;-]+)")
_VERSION = re.compile(r"^(?:[a-z]+://[^/]+)?/?(?:.*?/)?v1\.[01]/", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of a batch: `group` is empty where it stands alone; `body` is what its JSON says, or None."""

    id: str
    method: str
    url: str
    body: Any = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What one request came to."""

    id: str
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    group: str = ""


Show = Callable[[Outcome, str], tuple[int, Any, dict[str, str]]]
"""Status, body and headers of what a method came to."""
Read = Callable[[str], Any]
"""The answer to a GET of an address below the service."""


def run_batch(editor: Editor, user: User, asked: Sequence[Asked], read: Read, show: Show) -> list[Reply]:
    """Carry out a batch; the replies in the order of the requests. Raises StoreFailed, BadInput where it is none."""
    if len(asked) > MOST:
        raise BadInput(f"the batch holds {len(asked)} requests; send at most {MOST}, or data arrays")
    replies: list[Reply] = []
    with editor.lock:
        planner = editor.planner(user)
        waiting: list[tuple[Asked, Outcome]] = []
        made: dict[str, str] = {}
        units = [[*some] for _, some in groupby(enumerate(asked), key=lambda each: each[1].group or each[0])]
        for unit in ([each for _, each in some] for some in units):
            if unit[0].method == "GET" and not unit[0].group:
                _keep(editor, planner, user)
                planner = editor.planner(user)
                replies.append(_read(unit[0], made, read))
                continue
            done, refused = _plan(editor, planner, unit, made)
            waiting += done
            replies += refused
        planner.draft.counts["requests"] = len(asked)
        _keep(editor, planner, user)
    replies += [Reply(each.id, *show(outcome, each.method), each.group) for each, outcome in waiting]
    order = {each.id: place for place, each in enumerate(asked)}
    return sorted(replies, key=lambda each: order[each.id])


def _plan(
    editor: Editor, planner: Planner, unit: Sequence[Asked], made: dict[str, str]
) -> tuple[list[tuple[Asked, Outcome]], list[Reply]]:
    """Plan the requests of one group; all of them, or none and why."""
    part, known, done = planner.part(), dict(made), list[tuple[Asked, Outcome]]()
    for each in unit:
        try:
            if each.method == "GET":
                raise BadInput("a GET cannot be part of an atomicity group; put it before or behind")
            path = _addressed(each.url, known).partition("?")[0]
            outcome = editor.plan(part, each.method, path, _resolved(each.body, known))
        except StoreFailed:
            raise
        except LiuyuError as error:
            planner.draft.counts["refused"] += len(unit)
            return [], [_refused(one, each, error) for one in unit]
        done.append((each, outcome))
        if isinstance(outcome, tuple) and each.method == "POST":
            known[each.id] = f"{outcome[0]}('{outcome[1]}')"
    planner.draft.join(part.draft)
    made.update(known)
    return done, []


def _refused(one: Asked, failed: Asked, error: LiuyuError) -> Reply:
    """The reply to one request of a group in which one failed."""
    if one is failed:
        return Reply(one.id, *refusal(error), one.group)
    what, cure = f"request {failed.id!r} of the same group failed", "mend it and send the group again"
    told = {"code": 424, "type": "error", "message": what, "error": what, "cure": cure}
    return Reply(one.id, 424, told, {}, one.group)


def _keep(editor: Editor, planner: Planner, user: User) -> None:
    editor.keep(planner, user, "batch", "$batch")


def _read(asked: Asked, made: Mapping[str, str], read: Read) -> Reply:
    try:
        return Reply(asked.id, 200, read(_addressed(asked.url, made)))
    except StoreFailed:
        raise
    except LiuyuError as error:
        return Reply(asked.id, *refusal(error))


def _addressed(url: str, made: Mapping[str, str]) -> str:
    """An address below the service, with references in the place of ids filled in."""
    path = _VERSION.sub("", url, count=1).lstrip("/")

    def whole(found: re.Match[str]) -> str:
        return made.get(found[1], found[0])

    def key(found: re.Match[str]) -> str:
        known = made.get(found[1])
        return found[0] if known is None else known[known.index("(") :]

    path = re.sub(r"^" + _REFERENCE.pattern + r"(?=/|$)", whole, path)
    return re.sub(r"\('?" + _REFERENCE.pattern + r"'?\)", key, path)


def _resolved(value: Any, made: Mapping[str, str]) -> Any:
    """A body with references in the place of ids filled in."""
    if isinstance(value, list):
        return [_resolved(each, made) for each in value]
    if not isinstance(value, Mapping):
        return value
    found = {key: _resolved(each, made) for key, each in value.items()}
    told = found.get("@iot.id")
    if isinstance(told, str) and told.startswith("$") and told[1:] in made:
        found["@iot.id"] = made[told[1:]].partition("('")[2][:-2]
    return found


# the two forms


def read_json(body: Any) -> list[Asked]:
    """The requests of a JSON batch. Raises BadInput."""
    if not isinstance(body, Mapping) or not isinstance(body.get("requests"), list):
        raise BadInput('the batch has no list of requests; send {"requests": [{"id", "method", "url", "body"}]}')
    found = []
    for each in body["requests"]:
        if not isinstance(each, Mapping):
            raise BadInput(f"the request {str(each)[:40]!r} is no object; write id, method, url and body")
        texts = {key: each.get(key, "") for key in ("id", "method", "url", "atomicityGroup")}
        for key, text in texts.items():
            if not isinstance(text, str) or (not text and key != "atomicityGroup"):
                raise BadInput(f"{key}={str(text)[:40]!r} of a request is no text; give one")
        found.append(
            Asked(texts["id"], texts["method"].upper(), texts["url"], each.get("body"), texts["atomicityGroup"])
        )
    return _checked(found)


def tell_json(replies: Sequence[Reply]) -> bytes:
    """The replies to a JSON batch."""
    told = []
    for each in replies:
        one: dict[str, Any] = {"id": each.id, "status": each.status}
        if "Location" in each.headers:
            one["location"] = each.headers["Location"]
        if each.body is not None:
            one["body"] = each.body
        told.append(one)
    return encode_json({"responses": told})


def read_multipart(content_type: str, body: bytes) -> list[Asked]:
    """The requests of a multipart batch; a part that is itself multipart is a change set. Raises BadInput."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    whole = BytesParser(policy=HTTP).parsebytes(head + body)
    if not whole.is_multipart():
        raise BadInput("the batch has no parts; name its boundary in Content-Type: multipart/mixed; boundary=...")
    found: list[Asked] = []
    for part in _parts(whole):
        if part.get_content_type() == "multipart/mixed":
            group = f"set{len(found)}"
            found += [_one(each, f"{group}.{place}", group) for place, each in enumerate(_parts(part))]
        else:
            found.append(_one(part, str(len(found)), ""))
    return _checked(found)


def tell_multipart(replies: Sequence[Reply]) -> tuple[str, bytes]:
    """The content type and body of the replies to a multipart batch."""
    parts: list[bytes] = []
    for group, some in groupby(replies, key=lambda each: each.group):
        if group:
            inner = b"".join(_part("changeset", _http(each), each.id) for each in some) + b"--changeset--\r\n"
            parts.append(b"--batch\r\nContent-Type: multipart/mixed; boundary=changeset\r\n\r\n" + inner)
        else:
            parts += [_part("batch", _http(each), "") for each in some]
    return "multipart/mixed; boundary=batch", b"".join(parts) + b"--batch--\r\n"


def _checked(found: list[Asked]) -> list[Asked]:
    met: set[str] = set()
    for each in found:
        if each.id in met:
            raise BadInput(f"two requests have the id {each.id[:40]!r}; give each its own")
        met.add(each.id)
        if each.method not in _METHODS:
            raise BadInput(
                f"method {each.method[:20]!r} of request {each.id[:40]!r} is not known; use {', '.join(_METHODS)}"
            )
    return found


def _parts(message: Message) -> Iterator[Message]:
    for each in message.get_payload():
        if isinstance(each, Message):
            yield each


def _one(part: Message, otherwise: str, group: str) -> Asked:
    """The request that an application/http part holds."""
    payload = part.get_payload(decode=True)
    if part.get_content_type() != "application/http" or not isinstance(payload, bytes):
        raise BadInput(f"a part is {part.get_content_type()[:40]!r}; make each one application/http")
    lines, _, body = payload.lstrip().replace(b"\r\n", b"\n").partition(b"\n\n")
    words = lines.split(b"\n")[0].decode("latin-1").split(" ")
    if len(words) < 2:
        raise BadInput(f"a part begins with {words[0][:40]!r}; begin it with a request line, as POST Things HTTP/1.1")
    told = body.strip()
    try:
        value = msgspec.json.decode(told) if told else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadInput(f"the body of a part is not JSON ({error}); mend it") from None
    name = str(part.get("Content-ID", "")).strip().strip("<>")
    return Asked(name or otherwise, words[0].upper(), words[1], value, group)


def _part(boundary: str, content: bytes, name: str) -> bytes:
    head = f"--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n"
    return (head + (f"Content-ID: {name}\r\n" if name else "") + "\r\n").encode() + content + b"\r\n"


def _http(reply: Reply) -> bytes:
    body = b"" if reply.body is None else encode_json(reply.body)
    lines = [f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Refused')}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name != "Cache-Control"]
    lines += [f"Content-Type: application/json\r\nContent-Length: {len(body)}"] if body else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body
