"""The configured engine keeps the twin, and a folder leads to its store whichever engine that is."""

from __future__ import annotations

import stat
from contextlib import closing
from pathlib import Path

import pytest

from liuyu.app.config import Storage, read_config
from liuyu.app.storage import POINTER, open_store, remove_store
from liuyu.basin.errors import BadInput, BadPackage
from tests.postgres_server import PostgresServer


def configured(folder: Path, text: str) -> Storage:
    file = folder / "liuyu.toml"
    file.write_text(f"[storage]\n{text}", encoding="utf-8")
    return read_config(file).storage


def test_without_configuration_the_store_is_embedded(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "store")) as store:
        store.save_state("x", b"1")
    assert (tmp_path / "store" / "live.sqlite").exists()
    remove_store(tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_folder_points_to_its_store_in_postgres(postgres_server: PostgresServer, tmp_path: Path) -> None:
    url = postgres_server.url("").partition("?")[0]
    storage = configured(tmp_path, f'engine = "postgres"\nurl = "{url}"\n')
    folder, other = tmp_path / "Qingxi-1f" / "store", tmp_path / "other" / "store"
    for each, value in ((folder, b"1"), (other, b"2")):
        with closing(open_store(each, storage)) as store:
            store.save_state("x", value)
    pointer = folder / POINTER
    assert "liuyu_qingxi_1f_" in pointer.read_text()
    assert stat.S_IMODE(pointer.stat().st_mode) == 0o600
    with closing(open_store(folder, read_only=True)) as store:
        assert store.load_state("x") == b"1"
    remove_store(folder)
    assert not folder.exists()
    with closing(open_store(folder, storage)) as store:
        assert store.load_state("x") is None
    with closing(open_store(other)) as store:
        assert store.load_state("x") == b"2"
    remove_store(other, storage)
    open_store(tmp_path / "embedded").close()
    with pytest.raises(BadInput, match="holds an embedded store; give PostgreSQL another folder"):
        open_store(tmp_path / "embedded", storage)


def test_an_engine_without_its_url_and_a_url_of_nothing_are_faults(tmp_path: Path) -> None:
    with pytest.raises(BadPackage) as caught:
        configured(tmp_path, 'engine = "postgres"\n')
    assert [(each.line, each.field, each.problem) for each in caught.value.faults] == [
        (2, "storage.engine", "needs a url")
    ]
    with pytest.raises(BadPackage) as caught:
        configured(tmp_path, 'engine = "postgres"\nurl = "mysql://root:secret@db"\n')
    assert [(each.line, each.field) for each in caught.value.faults] == [(3, "storage.url")]
    assert "secret" not in str(caught.value)
    assert "postgresql://user@host:5432/database" in caught.value.faults[0].cure
