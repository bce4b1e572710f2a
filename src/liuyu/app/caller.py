"""A command's way to a twin that runs: signs in over HTTP, asks, and says what the twin refused and why."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode, urlsplit

import click

from liuyu.basin.errors import BadInput, LiuyuError, NotAllowed, NotFound, StoreFailed

PASSWORD = "LIUYU_PASSWORD"
USER = "LIUYU_USER"
URL = "http://127.0.0.1:8380"
TIMEOUT = 30.0
_KINDS: dict[int, type[LiuyuError]] = {401: NotAllowed, 403: NotAllowed, 404: NotFound, 503: StoreFailed}


class Caller:
    """A session at a running twin. Raises errors of the family with what the twin said."""

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise BadInput(f"address {url!r} is none of a twin; write it as {URL}")
        self._url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))

    def sign_in(self, name: str) -> None:
        """Sign in with the password in the environment, or else one that is asked for. Never shown, never logged."""
        password = os.environ.get(PASSWORD) or click.prompt(f"Password of {name}", hide_input=True, err=True)
        self.post("/api/session", {"name": name, "password": password})

    def get(self, path: str, **query: Any) -> Any:
        """What is at an address."""
        given = {key: each for key, each in query.items() if each not in (None, "")}
        return self._call(urllib.request.Request(f"{self._url}{path}" + (f"?{urlencode(given)}" if given else "")))

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """What answers a change."""
        data, told = json.dumps(body).encode(), {"Content-Type": "application/json"}
        return self._call(urllib.request.Request(f"{self._url}{path}", data, told, method="POST"))

    def _call(self, request: urllib.request.Request) -> Any:
        try:
            with self._opener.open(request, timeout=TIMEOUT) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except (OSError, ValueError) as error:
            why = getattr(error, "reason", error)
            raise NotFound(f"no twin answers at {self._url} ({why}); start one, or give its address by --url") from None


def _refusal(error: urllib.error.HTTPError) -> LiuyuError:
    try:
        said = json.loads(error.read())
    except (OSError, ValueError):
        said = {"error": f"{error.code} {error.reason}", "cure": "see the twin's log"}
    finally:
        error.close()
    return _KINDS.get(error.code, BadInput)(f"{said.get('error', error.reason)}; {said.get('cure', '')}".rstrip("; "))
