"""One GET over the standard library: bounded in time and size, with the server's wish to be left alone."""

from __future__ import annotations

import urllib.error
import urllib.request
import zlib
from http.client import HTTPException
from urllib.parse import urlsplit

import liuyu
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.pollers.service import Unanswered

TIMEOUT = 30.0
LARGEST = 64 << 20
_AGENT = f"liuyu/{liuyu.__version__}"


def get(url: str) -> bytes:
    """The body of an answer. Raises Unanswered where there is none in time, and BadInput for another scheme."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise BadInput(f"address {url!r} is neither http nor https; correct it")
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT, "Accept-Encoding": "gzip"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            body: bytes = answer.read(LARGEST + 1)
            packed = answer.headers.get("Content-Encoding") == "gzip"
    except urllib.error.HTTPError as error:
        wait = error.headers.get("Retry-After", "")
        error.close()
        raise Unanswered(
            f"{url} answered {error.code} {error.reason}", float(wait) if wait.isdigit() else 0.0
        ) from None
    except (OSError, HTTPException, ValueError) as error:
        raise Unanswered(f"{url} did not answer ({error})") from None
    if packed:
        body = _unpacked(body, url)
    if len(body) > LARGEST:
        raise Unanswered(f"{url} answered more than {LARGEST >> 20} MiB; ask for less at a time")
    return body


def _unpacked(body: bytes, url: str) -> bytes:
    try:
        return zlib.decompressobj(wbits=31).decompress(body, LARGEST + 1)
    except zlib.error as error:
        raise Unanswered(f"{url} answered a broken gzip ({error})") from None
