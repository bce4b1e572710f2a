"""Who may write: a session of the page, HTTP Basic with name and password, or a bearer token from `liuyu user`.

Loggers and gatherers carry a name and a long random password, in either form. A password that was right is remembered
for five minutes by its digest under a key of this process, for to check one takes a twentieth of a second by design.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

from litestar.concurrency import sync_to_thread
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from liuyu.web.errors import Refused
from liuyu.web.ports import User
from liuyu.web.session import COOKIE, same_site

REMEMBERED = 300.0
_MOST = 10_000
_ASKED = {"WWW-Authenticate": 'Basic realm="liuyu", charset="UTF-8"'}
Connection = ASGIConnection[Any, Any, Any, Any]


class Credentials:
    """Names and passwords that were right a short while ago. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[User, float]] = {}

    def known(self, name: str, password: str) -> User | None:
        """The user of a name and password that were right within the last minutes."""
        found = self._known.get(self._digest(name, password))
        return found[0] if found and found[1] > self._clock() else None

    def remember(self, name: str, password: str, user: User) -> None:
        """Remember that they were right."""
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[self._digest(name, password)] = (user, self._clock() + REMEMBERED)

    def _digest(self, name: str, password: str) -> bytes:
        return hmac.digest(self._key, f"{len(name)}:{name}{password}".encode(), "sha256")


async def may_write(connection: Connection, _: BaseRouteHandler) -> None:
    """Guard of every write: someone whose role may deliver. The handler finds the user in the request."""
    header = connection.headers.get("authorization")
    if header is None:
        same_site(connection)
        user = connection.app.state.desk.sessions.user(connection.cookies.get(COOKIE))
        if user is None:
            cure = "send a name and password (HTTP Basic) or a token (Bearer), or sign in with POST /api/session"
            raise Refused(401, "not signed in", cure, _ASKED)
    else:
        user = await _of_header(connection, header)
    if user.role == "viewer":
        raise Refused(403, f"{user.name!r} is a viewer and may write nothing", "sign in as device or administrator")
    connection.scope["user"] = user


async def _of_header(connection: Connection, header: str) -> User:
    name, password = _credentials(header)
    desk = connection.app.state.desk
    user: User | None = desk.credentials.known(name, password)
    if user is not None:
        return user
    address = connection.client.host if connection.client else ""
    desk.sessions.admit(address)
    user = await sync_to_thread(desk.twin.sign_in, name, password)
    if user is None:
        raise Refused(401, "the name or the password is wrong", "check it, or ask an administrator", _ASKED)
    desk.sessions.forgive(address)
    desk.credentials.remember(name, password, user)
    return user


def _credentials(header: str) -> tuple[str, str]:
    """Name and password of a header: Basic, or a token NAME.SECRET. Raises Refused."""
    kind, _, told = header.partition(" ")
    told = told.strip()
    if kind.lower() == "basic":
        try:
            name, colon, password = base64.b64decode(told, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            name = colon = password = ""
        if colon:
            return name, password
    elif kind.lower() == "bearer":
        name, dot, password = told.rpartition(".")
        if dot:
            return name, password
    raise Refused(401, "the Authorization header cannot be read", "send Basic, or Bearer with NAME.SECRET", _ASKED)
