"""The same tests on both engines: SQLite in a folder, and PostgreSQL in a schema of the tests' own server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.engines import AnyStore, Engine


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "sqlite":
        return Engine("sqlite")
    return Engine("postgres", request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(engine: Engine, tmp_path: Path) -> Iterator[AnyStore]:
    opened = engine.open(tmp_path / "store")
    yield opened
    opened.close()
