"""Which engine keeps a twin: the embedded one in a folder, or PostgreSQL, to which the folder then points.

store/
├── postgres.url     the address of the store's schema; readable by its owner alone
├── history/         months in Parquet, as with the embedded engine
└── grids/           grids in Zarr
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path
from types import ModuleType

from liuyu.app.config import Messages, Storage
from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.store import sqlite
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Inbox
from liuyu.store.interface import Store

POINTER = "postgres.url"


def open_store(folder: Path, storage: Storage | None = None, *, read_only: bool = False) -> Store:
    """The store of a folder: where it was begun in PostgreSQL, or is to be by its configuration, the one there.

    Raises StoreFailed as the engines do, and BadInput where the folder holds an embedded store but PostgreSQL is asked
    for, or where its driver is not installed.
    """
    wanted = storage or Storage()
    pointer = folder / POINTER
    if wanted.engine == "sqlite" and not pointer.exists():
        return sqlite.open_store(folder, read_only=read_only)
    if (folder / "live.sqlite").exists():
        raise BadInput(f"{folder} holds an embedded store; give PostgreSQL another folder, or begin again with --fresh")
    url = _url(folder, wanted) if wanted.engine == "postgres" else pointer.read_text(encoding="utf-8").strip()
    store: Store = _postgres().open_store(url, folder, read_only=read_only)
    if not read_only:
        _point(pointer, url)
    return store


def remove_store(folder: Path, storage: Storage | None = None) -> None:
    """Take away a store with all that it holds, in PostgreSQL too."""
    wanted = storage or Storage()
    pointer = folder / POINTER
    if wanted.engine == "postgres":
        _postgres().forget_store(_url(folder, wanted))
    elif pointer.exists():
        _postgres().forget_store(pointer.read_text(encoding="utf-8").strip())
    if folder.exists():
        shutil.rmtree(folder)


def open_inbox(folder: Path, messages: Messages, basin: Basin) -> Inbox:
    """Where what sources deliver waits: files in a folder, or the stream of the basin on a NATS server.

    Raises StoreFailed as the engines do, and BadInput where the client of NATS is not installed.
    """
    most = messages.most_mb << 20
    if not messages.url:
        return FileInbox(folder, basin.roster, most=most)
    inbox: Inbox = _jetstream().JetStreamInbox(messages.url, basin.code, basin.roster, most=most)
    return inbox


def _url(folder: Path, storage: Storage) -> str:
    """The configured address with a schema for this folder, unless it names one itself."""
    if "search_path" in storage.url:
        return storage.url
    place = hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:8]
    name = re.sub("[^a-z0-9]+", "_", folder.resolve().parent.name.lower()).strip("_")[:40]
    schema = f"liuyu_{name}_{place}" if name else f"liuyu_{place}"
    return f"{storage.url}{'&' if '?' in storage.url else '?'}options=-csearch_path%3D{schema}"


def _point(pointer: Path, url: str) -> None:
    """Leave the address in the folder, so that whoever is given the folder finds the store."""
    if pointer.exists() and pointer.read_text(encoding="utf-8").strip() == url:
        return
    pointer.parent.mkdir(parents=True, exist_ok=True)
    part = pointer.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(f"{url}\n")
    part.replace(pointer)


def _postgres() -> ModuleType:
    try:
        from liuyu.store import postgres  # noqa: PLC0415  # its driver is an extra
    except ModuleNotFoundError as fault:
        raise BadInput(f"PostgreSQL needs {fault.name}; install it with: pip install 'liuyu[postgres]'") from None
    return postgres


def _jetstream() -> ModuleType:
    try:
        from liuyu.store.inbox import jetstream  # noqa: PLC0415  # its client is an extra
    except ModuleNotFoundError as fault:
        raise BadInput(f"NATS needs {fault.name}; install it with: pip install 'liuyu[nats]'") from None
    return jetstream
