"""The engine for more than one machine: PostgreSQL 15 or newer, with Parquet for history and Zarr for grids."""

from liuyu.store.engine.fingerprint import fingerprint
from liuyu.store.postgres.store import PostgresStore, forget_store, open_store

__all__ = ["PostgresStore", "fingerprint", "forget_store", "open_store"]
