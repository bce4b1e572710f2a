"""The embedded engine: SQLite in write-ahead mode for what is live, Parquet for history, Zarr for grids."""

from liuyu.store.engine.fingerprint import fingerprint
from liuyu.store.sqlite.store import SqliteStore, open_store

__all__ = ["SqliteStore", "fingerprint", "open_store"]
