"""Tests that need the data bundle, a browser or PostgreSQL are skipped where it is absent; the run says how many."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from liuyu.basin.bundle import bundle_folder
from tests.postgres_server import PostgresServer
from tests.setup_browser import browser
from tests.setup_postgres import programs

NO_DATA = "no data bundle (LIUYU_DATA)"
NO_BROWSER = "no Chromium"
NO_POSTGRES = "no PostgreSQL"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("data") and bundle_folder() is None:
            item.add_marker(pytest.mark.skip(reason=NO_DATA))
        if item.get_closest_marker("browser") and browser() is None:
            item.add_marker(pytest.mark.skip(reason=NO_BROWSER))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reasons = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    for reason, what in ((NO_DATA, "the data bundle"), (NO_BROWSER, "a browser"), (NO_POSTGRES, "PostgreSQL")):
        count = sum(reason in each for each in reasons)
        terminalreporter.write_line(f"{count} tests skipped for want of {what}")


@pytest.fixture(scope="session")
def basins() -> Path:
    """The folder of the shipped basin packages."""
    return Path(__file__).resolve().parents[1] / "basins"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server for the whole run; each test takes a schema of its own."""
    if programs() is None:
        pytest.skip(NO_POSTGRES)
    server = PostgresServer()
    yield server
    server.remove()
