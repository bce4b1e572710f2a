"""Web push: browsers that want to be told what goes to a recipient."""

from __future__ import annotations

from typing import Annotated

import msgspec
from litestar import delete, get, post
from litestar.concurrency import sync_to_thread
from litestar.params import JSONBody, QueryParameter

from liuyu.web.api.handover import shift
from liuyu.web.desk import AtDesk
from liuyu.web.errors import Refused
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import COOKIE, same_site, signed_write

Key = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]+={0,2}$", min_length=16, max_length=200)]


class PushKey(msgspec.Struct, frozen=True, kw_only=True):
    """The public key of this twin, base64url, as `applicationServerKey` takes it."""

    key: str


class PushKeys(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a browser, base64url, as PushSubscription.toJSON gives them."""

    p256dh: Key
    auth: Key


class PushWish(msgspec.Struct, frozen=True, kw_only=True):
    """What PushSubscription.toJSON gives, and the recipient whose orders the browser is to be told of."""

    endpoint: Annotated[str, msgspec.Meta(pattern="^https?://", max_length=1000)]
    keys: PushKeys
    recipient: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]


@get(
    "/api/push",
    summary="The key for web push",
    description='404 where the twin has no channel of kind "push".',
    responses=answers(PushKey, "The public key", 404),
    tags=["push"],
)
async def get_push_key(desk: AtDesk) -> PushKey:
    """The key."""
    return PushKey(key=await sync_to_thread(shift(desk).push_key))


@post(
    "/api/push",
    status_code=204,
    guards=[signed_write],
    summary="Be told by web push",
    description="The endpoint must be of a known push service. Needs a session.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["push"],
)
async def subscribe(request: WebRequest, desk: AtDesk, data: JSONBody[PushWish]) -> None:
    """A browser to be told."""
    told = data.endpoint, data.keys.p256dh, data.keys.auth, data.recipient
    await sync_to_thread(shift(desk).subscribe, request.user, *told)


@delete(
    "/api/push",
    status_code=204,
    summary="Be told no more",
    description="Needs a session.",
    responses=errors(400, 401, 403, 404),
    security=[{"session": []}],
    tags=["push"],
)
async def unsubscribe(
    request: WebRequest,
    desk: AtDesk,
    endpoint: Annotated[str, QueryParameter(name="endpoint", max_length=1000, description="As it was given")],
) -> None:
    """A browser to be left in peace."""
    same_site(request)
    user = desk.sessions.user(request.cookies.get(COOKIE))
    if user is None:
        raise Refused(401, "not signed in", "sign in with POST /api/session, or open the address printed at the start")
    await sync_to_thread(shift(desk).unsubscribe, user, endpoint)
