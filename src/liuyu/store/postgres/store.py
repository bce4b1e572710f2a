"""`PostgresStore`: the engine for more than one machine. What each method promises is told in `store/interface.py`."""

from __future__ import annotations

from pathlib import Path

from liuyu.store.engine.names import Names
from liuyu.store.engine.store import EngineStore
from liuyu.store.grids import Grids
from liuyu.store.history import History
from liuyu.store.postgres.days import Days
from liuyu.store.postgres.engine import PostgresEngine, forget
from liuyu.store.postgres.link import Link
from liuyu.store.postgres.tables import PostgresTables


def open_store(url: str, folder: Path | None, *, read_only: bool = False) -> PostgresStore:
    """Open the store in a database, or make one there; `folder` holds the history and the grids.

    The database's schema is the first of the search path (`?options=-csearch_path%3Dname`), made where it is missing;
    a schema is a store. One process at a time may write; with `read_only` any number may read beside it, on any
    machine. Without a folder there are no grids and nothing is archived. Raises StoreFailed, with the cure, where the
    database does not answer, is in use, of a newer schema or another program's, and BadInput for what is no URL.
    """
    return PostgresStore(url, folder, read_only=read_only)


def forget_store(url: str) -> None:
    """Drop the schema of a store with all that it holds. Raises StoreFailed where a process writes to it."""
    forget(url)


class PostgresStore(EngineStore[Link]):
    """PostgreSQL for what is live, and a folder of Parquet for history and of Zarr for grids."""

    def __init__(self, url: str, folder: Path | None, *, read_only: bool = False) -> None:
        engine, days = PostgresEngine(url, read_only=read_only), Days()
        engine.rolled_back.append(days.forget)
        history, grids = (History(folder / "history"), Grids(folder / "grids")) if folder else (None, None)
        super().__init__(engine, PostgresTables(Names(), history, days), grids)
