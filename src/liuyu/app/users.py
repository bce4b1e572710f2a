"""Who may sign in: names with salted password hashes in a private file of the twin, and addresses that work once."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

import msgspec

from liuyu.basin.errors import BadInput, NotFound, StoreFailed
from liuyu.web.ports import ROLES, Role, User

_COST = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


class _Entry(msgspec.Struct, frozen=True):
    name: str
    role: Role
    salt: str
    key: str


class Users:
    """The users of one twin, kept in `users.json`, which its owner alone may read."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "users.json"
        self._tokens: dict[bytes, User] = {}

    def add(self, name: str, role: str, password: str) -> User:
        """Add a user, or give one a new role and password.

        Raises BadInput for an unknown role, an empty name or a password of fewer than ten characters.
        """
        if not name.strip():
            raise BadInput("the user's name is empty; give one")
        if ":" in name:
            raise BadInput(f"the user's name {name!r} holds a colon, which HTTP Basic cannot carry; leave it out")
        if role not in ROLES:
            raise BadInput(f"role {role!r} does not exist; choose one of {', '.join(ROLES)}")
        if len(password) < 10:
            raise BadInput(f"the password of {name!r} has {len(password)} characters; use ten or more")
        salt = secrets.token_bytes(16)
        entry = _Entry(name, msgspec.convert(role, Role), salt.hex(), _hash(password, salt).hex())
        others = [each for each in self._entries() if each.name != name]
        self._save([*others, entry])
        return User(name, entry.role)

    def add_with_token(self, name: str, role: str) -> str:
        """Add a user who is a device or a program, and return the token by which it is known, which is kept nowhere.

        The token is NAME.SECRET; the secret serves as a password too. Raises BadInput as `add` does.
        """
        secret = secrets.token_urlsafe(32)
        self.add(name, role, secret)
        return f"{name}.{secret}"

    def remove(self, name: str) -> None:
        """Take a user's right to sign in; sessions that run end within hours. Raises NotFound."""
        others = [each for each in self._entries() if each.name != name]
        if len(others) == len(self._entries()):
            raise NotFound(f"no user {name!r}; liuyu user list shows who there is")
        self._save(others)

    def everyone(self) -> list[User]:
        """All users, by name."""
        return [User(each.name, each.role) for each in sorted(self._entries(), key=lambda each: each.name)]

    def check(self, name: str, password: str) -> User | None:
        """The user, if the password is right; it takes as long for a name that does not exist."""
        found = next((each for each in self._entries() if each.name == name), None)
        salt = bytes.fromhex(found.salt) if found else bytes(16)
        right = hmac.compare_digest(_hash(password, salt), bytes.fromhex(found.key) if found else bytes(32))
        return User(found.name, found.role) if found and right else None

    def issue_token(self, user: User) -> str:
        """A token that signs this user in once, while this process lives."""
        token = secrets.token_urlsafe(24)
        self._tokens[_digest(token)] = user
        return token

    def redeem(self, token: str) -> User | None:
        """The user of a token, which is spent by this."""
        return self._tokens.pop(_digest(token), None)

    def _entries(self) -> list[_Entry]:
        if not self._file.exists():
            return []
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=list[_Entry])
        except (OSError, msgspec.DecodeError) as error:
            raise StoreFailed(
                f"{self._file} cannot be read ({error}); restore it, or delete it and add users"
            ) from None

    def _save(self, entries: list[_Entry]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        part = self._file.with_suffix(".part")
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(msgspec.json.encode(sorted(entries, key=lambda each: each.name)))
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self._file)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **_COST)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
