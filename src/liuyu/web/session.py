"""Who is signed in: random tokens in memory, carried by a cookie that no script and no other site can use."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import msgspec
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from liuyu.web.errors import Refused
from liuyu.web.ports import User

COOKIE = "liuyu_session"
LIFETIME = 12 * 3600
ATTEMPTS = 10
WINDOW = 300
_MOST_SESSIONS = 10_000


class _Session(msgspec.Struct, frozen=True):
    user: User
    ends: float


class Sessions:
    """Sessions and attempts to sign in. `clock` gives seconds that only ever grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[bytes, _Session] = {}
        self._attempts: dict[str, deque[float]] = {}

    def open(self, user: User) -> str:
        """Begin a session and return the token that names it."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_ended()
            if len(self._sessions) >= _MOST_SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            self._sessions[_digest(token)] = _Session(user, self._clock() + LIFETIME)
        return token

    def user(self, token: str | None) -> User | None:
        """The user of a token whose session still runs."""
        found = self._sessions.get(_digest(token)) if token else None
        return found.user if found and found.ends > self._clock() else None

    def close(self, token: str | None) -> None:
        """End a session."""
        if token:
            with self._lock:
                self._sessions.pop(_digest(token), None)

    def admit(self, address: str) -> None:
        """Count an attempt of an address to sign in. Raises Refused (429) after too many that were not forgiven."""
        with self._lock:
            past = self._recent(address)
            if len(past) >= ATTEMPTS:
                wait = max(1, int(past[0] + WINDOW - self._clock()) + 1)
                raise Refused(429, "too many failed attempts to sign in", f"wait {wait} s", {"Retry-After": str(wait)})
            past.append(self._clock())
            if len(self._attempts) > _MOST_SESSIONS:
                del self._attempts[next(iter(self._attempts))]

    def forgive(self, address: str) -> None:
        """Take back an attempt that succeeded."""
        with self._lock:
            past = self._recent(address)
            if past:
                past.pop()

    def _recent(self, address: str) -> deque[float]:
        past = self._attempts.setdefault(address, deque(maxlen=ATTEMPTS))
        while past and past[0] < self._clock() - WINDOW:
            past.popleft()
        return past

    def _forget_ended(self) -> None:
        now = self._clock()
        for key in [key for key, each in self._sessions.items() if each.ends <= now]:
            del self._sessions[key]


def session_cookie(token: str, *, secure: bool) -> Cookie:
    """The cookie that carries a session; an empty token ends it."""
    age = LIFETIME if token else 0
    return Cookie(COOKIE, value=token, path="/", httponly=True, samesite="strict", secure=secure, max_age=age)


def same_site(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuse a write that a page of another site sends. Raises Refused (403)."""
    origin = connection.headers.get("origin")
    if origin is None:
        if connection.headers.get("sec-fetch-site", "none") in ("cross-site", "same-site"):
            raise Refused(403, "the request comes from another site", "use the twin's own page")
        return
    if urlsplit(origin).netloc != connection.headers.get("host", ""):
        raise Refused(403, f"the request comes from {origin[:200]!r}", "use the twin's own page")


def json_body(connection: ASGIConnection[Any, Any, Any, Any]) -> None:
    """Refuse a body that is not JSON, which a form of another site could send. Raises Refused (415)."""
    kind = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, f"content type {kind!r} is not JSON", "send Content-Type: application/json")


def fresh_write(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard of signing in: same site and JSON."""
    same_site(connection)
    json_body(connection)


def signed_write(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard of every change: same site, JSON and a running session, whose user the handler finds in the request."""
    same_site(connection)
    user: User | None = connection.app.state.desk.sessions.user(connection.cookies.get(COOKIE))
    if user is None:
        raise Refused(401, "not signed in", "sign in with POST /api/session, or open the address printed at the start")
    json_body(connection)
    connection.scope["user"] = user


def signed_read(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard of what not everybody may read: a running session, whose user the handler finds in the request."""
    user: User | None = connection.app.state.desk.sessions.user(connection.cookies.get(COOKIE))
    if user is None:
        raise Refused(401, "not signed in", "sign in with POST /api/session, or open the address printed at the start")
    connection.scope["user"] = user


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
