"""A webhook: the paper as JSON, posted to a program, signed with HMAC-SHA-256 (RFC 2104).

X-Liuyu-Signature is `sha256=` and the HMAC, in hex digits, of the timestamp, a full stop and the body; whoever checks
it also sees by X-Liuyu-Timestamp [s UTC] that an old request is not played again. Any 2xx is a receipt; 408, 425, 429
and 5xx are tried again, every other answer is final. A redirection is no receipt and is not followed.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from liuyu.monitor.respond.channels.channel import NotSent, Place, secret
from liuyu.monitor.respond.channels.channel import Settings as Common
from liuyu.monitor.respond.channels.message import Message

AGAIN = {408, 425, 429}


class Settings(Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to, and the secret that signs, out of an environment variable or a file."""

    url: str
    secret_env: str = ""
    secret_file: str = ""
    timeout: float = 10.0

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell."""
        if not _usable(self.url):
            yield "url", "is no address of a web server", "write it as https://host/path"
        if not (self.secret_env or self.secret_file):
            yield "secret_env", "is missing: nobody could tell our message from a forged one", "name it, or secret_file"
        if not 1 <= self.timeout <= 60:
            yield "timeout", "is out of range", "give 1 to 60 seconds"


class Webhook:
    """The channel. A recipient's own address on it counts before the one of its settings."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self._settings = settings
        self._secret = secret(settings.secret_env, settings.secret_file, folder).encode()
        self.patience = settings.timeout

    def send(self, message: Message) -> None:
        """Post a message. Raises NotSent."""
        url = message.address or self._settings.url
        if not _usable(url):
            raise NotSent(f"{url!r} is no address of a web server; mend it in recipients.toml", final=True)
        body = content(message)
        status = post(url, body, headers(message, body, self._secret), self._settings.timeout)
        if not 200 <= status < 300:
            final = status < 500 and status not in AGAIN
            raise NotSent(f"{urlsplit(url).hostname} answered {status}", final=final)


def open_channel(settings: Settings, place: Place) -> Webhook:
    """The channel. Raises BadInput where the secret is not to be had."""
    return Webhook(settings, place.folder)


def content(message: Message) -> bytes:
    """The body of the request."""
    told = {
        "key": message.key,
        "occasion": message.occasion,
        "recipient": message.recipient,
        "attempt": message.attempt,
        "duplicate": message.duplicate,
        "exercise": message.exercise,
        "subject": {language: message.subject(language) for language in ("zh", "en")},
        "text": message.text,
        "link": message.link,
        "head": message.head,
        "dispatch": message.body,
    }
    return msgspec.json.encode(told)


def headers(message: Message, body: bytes, key: bytes) -> dict[str, str]:
    """The headers of the request."""
    signature = hmac.new(key, f"{message.at}.".encode() + body, hashlib.sha256).hexdigest()
    told = {
        "Content-Type": "application/json",
        "User-Agent": "liuyu",
        "X-Idempotency-Key": message.key,
        "X-Liuyu-Attempt": str(message.attempt),
        "X-Liuyu-Timestamp": str(message.at),
        "X-Liuyu-Signature": f"sha256={signature}",
    }
    return told | ({"X-Liuyu-Duplicate": "true"} if message.duplicate else {})


def post(url: str, body: bytes, headers: dict[str, str], timeout: float) -> int:
    """Post a body; returns the status of the answer, which is all that counts of it.

    The whole exchange ends after `timeout` [s], also where the other end dribbles. Raises NotSent, in doubt where the
    request was on its way.
    """
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    try:
        line = socket.create_connection((parts.hostname or "", port), timeout=timeout)
    except OSError as error:
        raise NotSent(f"{parts.hostname} cannot be reached ({error})") from error
    lines = [line]
    end = threading.Timer(timeout, _cut, [lines])
    end.daemon = True
    end.start()
    try:
        if secure:
            try:
                lines.append(ssl.create_default_context().wrap_socket(line, server_hostname=parts.hostname))
            except OSError as error:
                raise NotSent(f"{parts.hostname} does not speak TLS that can be trusted ({error})") from error
        connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=timeout)
        connection.sock = lines[-1]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", path, body, headers | {"Host": parts.netloc.rpartition("@")[2]})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotSent(f"{parts.hostname} gave no answer ({error or type(error).__name__})", doubt=True) from error
    finally:
        end.cancel()
        for each in lines:
            each.close()


def _cut(lines: list[socket.socket]) -> None:
    """End an exchange from outside. Of a line that was wrapped in TLS the wrapped one alone can be shut."""
    for each in lines:
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _usable(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
