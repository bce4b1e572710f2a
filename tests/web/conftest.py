"""A server over a small river: one that tests only read, and one for each test that changes something."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from looptwin import LoopTwin
from small_river import make_twin, serving, sign_in


@pytest.fixture(scope="session")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoopTwin]:
    """A twin that tests only read."""
    made = make_twin(tmp_path_factory.mktemp("twin"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def url(twin: LoopTwin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that tests only read."""
    page = tmp_path_factory.mktemp("page")
    (page / "assets").mkdir()
    (page / "index.html").write_text("<!doctype html><title>map</title>", encoding="utf-8")
    (page / "assets" / "index-Ab3dE6gH.js").write_text("console.log('x');\n" * 200, encoding="utf-8")
    (page / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    with serving(twin, static=page, cache=tmp_path_factory.mktemp("cache")) as address:
        yield address


@pytest.fixture
def client(url: str) -> Iterator[httpx.Client]:
    """A client without a session."""
    with httpx.Client(base_url=url, timeout=20) as made:
        yield made


@pytest.fixture
def own_twin(tmp_path: Path) -> Iterator[LoopTwin]:
    """A twin that this test alone may change; it has events and forecasts, but no values."""
    made = make_twin(tmp_path, values=False)
    yield made
    made.store.close()


@pytest.fixture
def officer(own_twin: LoopTwin) -> Iterator[httpx.Client]:
    """A duty officer's client on a twin of its own."""
    with serving(own_twin) as address, httpx.Client(base_url=address, timeout=20) as made:
        sign_in(made)
        yield made


@pytest.fixture(scope="module")
def bystander(twin: LoopTwin, url: str) -> Iterator[httpx.Client]:
    """A duty officer's client on the twin that nobody changes, for what is refused."""
    with httpx.Client(base_url=url, timeout=20) as made:
        sign_in(made)
        yield made
