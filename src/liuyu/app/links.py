"""Addresses by which a recipient's phone can answer an order without an account: whoever has one, may.

The token follows from a key in a private file of the twin, the order and the recipient, so that every attempt to send
an order carries the same address. The store keeps only the token's hash, and to what it leads.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64encode
from pathlib import Path

import msgspec

from liuyu.basin.errors import NotFound, StoreFailed
from liuyu.store.interface import Store

_SIZE = 32


class Capability(msgspec.Struct, frozen=True):
    """What a token leads to: a paper and one of its recipients."""

    dispatch: str
    recipient: str


class Links:
    """The addresses of one twin. `address` is where phones reach it, such as https://twin.example; "" for no links."""

    def __init__(self, folder: Path, address: str = "") -> None:
        self.address = address.rstrip("/")
        self._key = _key(folder / "links.key")

    def issue(self, store: Store, dispatch: str, recipient: str) -> str:
        """The address for a recipient of a paper, kept with the transaction that is open; "" where none is reached."""
        if not self.address:
            return ""
        store.save_state(_place(self.token(dispatch, recipient)), msgspec.json.encode(Capability(dispatch, recipient)))
        return self.address_of(dispatch, recipient)

    def address_of(self, dispatch: str, recipient: str) -> str:
        """The address for a recipient of a paper, whether or not it was issued; "" where none is reached."""
        return f"{self.address}/r/{self.token(dispatch, recipient)}" if self.address else ""

    def token(self, dispatch: str, recipient: str) -> str:
        """The secret of a recipient of a paper: 192 bits."""
        told = msgspec.json.encode([dispatch, recipient])
        return urlsafe_b64encode(hmac.new(self._key, told, hashlib.sha256).digest()[:24]).decode()


def follow(store: Store, token: str) -> Capability:
    """What a token leads to. Raises NotFound for one that was never given."""
    blob = store.load_state(_place(token))
    if blob is None:
        raise NotFound("this address leads to nothing; it was cut short, or the order is of another twin")
    return msgspec.json.decode(blob, type=Capability)


def _place(token: str) -> str:
    return f"link/{hashlib.sha256(token.encode()).hexdigest()}"


def _key(file: Path) -> bytes:
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(".part")
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                stream.write(secrets.token_bytes(_SIZE))
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(file)
        key = file.read_bytes()
    except OSError as error:
        raise StoreFailed(f"{file} cannot be kept ({error.strerror}); see that the folder can be written") from None
    if len(key) != _SIZE:
        raise StoreFailed(f"{file} is damaged ({len(key)} bytes of {_SIZE}); delete it: addresses sent before are void")
    return key
