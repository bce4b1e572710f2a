"""The engines of the store, as the tests open them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from liuyu.store import postgres, sqlite
from liuyu.store.interface import Store
from liuyu.store.postgres import PostgresStore
from liuyu.store.sqlite import SqliteStore
from tests.postgres_server import PostgresServer

AnyStore = SqliteStore | PostgresStore


@dataclass(frozen=True)
class Engine:
    """How a store of one engine is opened; every folder is another store."""

    name: str
    server: PostgresServer | None = None

    def url(self, folder: Path) -> str:
        assert self.server is not None
        return self.server.url(f"s{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}")

    def open(self, folder: Path, *, read_only: bool = False) -> AnyStore:
        if self.server is None:
            return sqlite.open_store(folder, read_only=read_only)
        return postgres.open_store(self.url(folder), folder, read_only=read_only)

    def fingerprint(self, store: Store) -> str:
        return sqlite.fingerprint(store) if self.server is None else postgres.fingerprint(store)

    def opening(self, folder: Path) -> str:
        """The same as `open`, as an expression for another process."""
        if self.server is None:
            return f"sqlite.open_store(Path({str(folder)!r}))"
        return f"postgres.open_store({self.url(folder)!r}, Path({str(folder)!r}))"
