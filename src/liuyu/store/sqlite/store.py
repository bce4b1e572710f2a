"""`SqliteStore`: the embedded engine behind `Store`. What each method promises is told in `store/interface.py`."""

from __future__ import annotations

from pathlib import Path

from liuyu.store.engine.names import Names
from liuyu.store.engine.store import EngineStore
from liuyu.store.grids import Grids
from liuyu.store.history import History
from liuyu.store.sqlite.engine import SqliteEngine
from liuyu.store.sqlite.link import Link
from liuyu.store.sqlite.tables import SqliteTables


def open_store(folder: Path, *, read_only: bool = False) -> SqliteStore:
    """Open the store in a folder, or make one there.

    One process at a time may write; with `read_only` any number may read beside it. Raises StoreFailed, with the cure,
    where the folder is in use, damaged, of a newer schema or not a store's, or where the SQLite library is unsafe.
    """
    return SqliteStore(folder, read_only=read_only)


class SqliteStore(EngineStore[Link]):
    """SQLite for what is live, Parquet for history, Zarr for grids, in one folder."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        folder = Path(folder)
        engine = SqliteEngine(folder, read_only=read_only)
        super().__init__(engine, SqliteTables(Names(), History(folder / "history")), Grids(folder / "grids"))
