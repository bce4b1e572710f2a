"""Names and password hashes of loggers, in the form of mosquitto's password file, so that its tool can write it too.

A line is `name:$7$rounds$salt$hash`: PBKDF2 with SHA-512, salt and hash in base64, as `mosquitto_passwd` of 2.0 writes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Protocol

from liuyu.basin.errors import BadInput

ROUNDS = 20_000
_SHORTEST = 10


class Checker(Protocol):
    """Whoever knows the passwords of loggers."""

    def check(self, name: str | None, password: bytes | None) -> bool:
        """Whether the password is right."""
        ...


class Users:
    """The users of a file. It is read again when it changes. Raises BadInput, which names the line that is wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stamp: tuple[int, int] = (0, 0)
        self._hashes: dict[str, tuple[int, bytes, bytes]] = {}
        self._known: dict[str, bytes] = {}
        self._read()

    def check(self, name: str | None, password: bytes | None) -> bool:
        """Whether the password is right; it takes as long for a name that does not exist."""
        self._read()
        rounds, salt, wanted = self._hashes.get(name or "", (ROUNDS, b"nobody", b""))
        mark = hashlib.sha256(salt + (password or b"")).digest()
        if name in self._known and hmac.compare_digest(self._known[name], mark):
            return True
        right = hmac.compare_digest(_hash(password or b"", salt, rounds), wanted)
        if right and name:
            self._known[name] = mark  # of this process: so that thousands of loggers can return at once
        return right

    def _read(self) -> None:
        try:
            found = self._file.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            if stamp == self._stamp:
                return
            text = self._file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"password file {self._file} cannot be read ({error}); make it with add_user") from None
        lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
        self._hashes = dict(self._entry(number, line) for number, line in lines if line and not line.startswith("#"))
        self._stamp, self._known = stamp, {}

    def _entry(self, number: int, line: str) -> tuple[str, tuple[int, bytes, bytes]]:
        name, _, rest = line.partition(":")
        parts = rest.split("$")
        try:
            if not name or len(parts) != 5 or parts[1] != "7":
                raise ValueError(f"want name:$7$rounds$salt$hash, found {name}:{rest[:3]}…")
            return name, (int(parts[2]), base64.b64decode(parts[3]), base64.b64decode(parts[4], validate=True))
        except (ValueError, binascii.Error) as error:
            raise BadInput(f"{self._file}:{number}: no password entry ({error}); write it with add_user") from None


def add_user(file: Path, name: str, password: str) -> None:
    """Add a logger to a password file, or give it a new password. Raises BadInput."""
    if not name or ":" in name or any(not each.isprintable() for each in name):
        raise BadInput(f"user {name!r} cannot stand in a password file; use letters and digits")
    if len(password) < _SHORTEST:
        raise BadInput(f"the password of {name!r} has {len(password)} characters; use {_SHORTEST} or more")
    salt = secrets.token_bytes(12)
    coded = [base64.b64encode(each).decode() for each in (salt, _hash(password.encode(), salt, ROUNDS))]
    kept = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    lines = [line for line in kept if line.partition(":")[0].strip() != name]
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write("\n".join([*lines, f"{name}:$7${ROUNDS}${coded[0]}${coded[1]}"]) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(file)


def _hash(password: bytes, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password, salt, rounds)
