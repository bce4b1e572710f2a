"""Signing in and out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody

from liuyu.basin.errors import BadInput
from liuyu.web.desk import AtDesk
from liuyu.web.errors import Refused
from liuyu.web.ports import User
from liuyu.web.reply import answers, errors
from liuyu.web.session import COOKIE, fresh_write, same_site, session_cookie


class Credentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token from the address printed at the start, or a name with its password."""

    token: Annotated[str, msgspec.Meta(max_length=200)] = ""
    name: Annotated[str, msgspec.Meta(max_length=200)] = ""
    password: Annotated[str, msgspec.Meta(max_length=1000)] = ""


@get(
    "/api/session",
    sync_to_thread=False,
    summary="Who is signed in",
    responses=answers(User | None, "The user, or null"),
    tags=["session"],
)
def get_session(request: Request[Any, Any, Any], desk: AtDesk) -> User | None:
    """Who is signed in."""
    return desk.sessions.user(request.cookies.get(COOKIE))


@post(
    "/api/session",
    status_code=200,
    guards=[fresh_write],
    summary="Sign in",
    description="With a token, which works once, or a name and password. Sets a cookie that scripts cannot read and "
    "other sites cannot use; it holds for 12 hours. Ten failures within five minutes close the door to an address.",
    responses=answers(User, "The user", 401, 403, 413, 415, 429),
    tags=["session"],
)
async def sign_in(request: Request[Any, Any, Any], desk: AtDesk, data: JSONBody[Credentials]) -> Response[User]:
    """Begin a session."""
    if not data.token and not (data.name and data.password):
        raise BadInput("neither a token nor a name with a password was given; send one of them")
    address = request.client.host if request.client else ""
    desk.sessions.admit(address)
    user = await sync_to_thread(_check, desk, data)
    if user is None:
        what = "the token is spent or unknown" if data.token else "the name or the password is wrong"
        raise Refused(401, what, "check it, or ask an administrator")
    desk.sessions.forgive(address)
    desk.sessions.close(request.cookies.get(COOKIE))
    cookie = session_cookie(desk.sessions.open(user), secure=request.url.scheme == "https")
    return Response(user, cookies=[cookie], headers={"Cache-Control": "no-store"})


@delete(
    "/api/session",
    sync_to_thread=False,
    summary="Sign out",
    responses=errors(403),
    tags=["session"],
)
def sign_out(request: Request[Any, Any, Any], desk: AtDesk) -> Response[None]:
    """End the session."""
    same_site(request)
    desk.sessions.close(request.cookies.get(COOKIE))
    return Response(None, cookies=[session_cookie("", secure=request.url.scheme == "https")])


def _check(desk: AtDesk, data: JSONBody[Credentials]) -> User | None:
    if data.token:
        return desk.twin.sign_in_with_token(data.token)
    return desk.twin.sign_in(data.name, data.password)
