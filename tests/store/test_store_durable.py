"""What a store keeps when its process is killed, and whom it lets in."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import apsw
import numpy as np
import pytest

from liuyu.basin.clock import moment
from liuyu.basin.errors import StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.series import Batch, Roster
from liuyu.store.interface import Store
from liuyu.store.sqlite import SqliteStore, open_store
from liuyu.store.sqlite.schema import check_library
from tests.store.engines import Engine

NOON = 1_597_060_800
ROSTER = Roster(("a", "b", "c", "d"))

WORKER = """
import sys
from contextlib import suppress
from pathlib import Path
sys.path.insert(0, {here!r})
from test_store_durable import step
from liuyu.store import postgres, sqlite

store = {opening}
for number in range(int(store.load_state("next") or b"{first}"), {steps}):
    step(store, number)
    print(number, flush=True)
store.close()
"""


def step(store: Store, number: int) -> None:
    """One step of a twin: values, a correction, new flags, an event and the state, in one transaction."""
    now = NOON + number * 3600
    rng = np.random.default_rng(number)
    batch = Batch.of(ROSTER, range(4), [1] * 4, [now] * 4, rng.normal(20, 1, 4), None, f"source {number % 3}")
    with store.transaction():
        store.write(batch, received=now)
        if store.load_state("next") is not None:
            store.write(Batch.of(ROSTER, [1], [1], [now - 3600], [float(number)]), received=now)
            store.reflag(Batch.of(ROSTER, [2], [1], [now - 3600], [0.0], [3]))
        store.append(
            [Event(kind="late", time=moment(now), id=f"late:{number}", state="reopened", subject="a", body={})]
        )
        store.save_state("next", str(number + 1).encode())
    if number % 10 == 9:
        store.archive(now)


def work(opening: str, first: int, steps: int) -> subprocess.Popen[str]:
    """Another process that does the steps from the first one, or from where the store stands."""
    code = WORKER.format(here=str(Path(__file__).parent), opening=opening, first=first, steps=steps)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)


def test_killed_at_any_moment_a_run_ends_like_one_that_was_not(engine: Engine, tmp_path: Path) -> None:
    steps = 540  # hours: past the end of a month, so that one is archived
    first, kills = (0, (7, 150, 250, 115)) if engine.name == "sqlite" else (440, (7, 20, 40))
    with engine.open(tmp_path / "undisturbed") as store:
        for number in range(first, steps):
            step(store, number)
        expected = engine.fingerprint(store)
        assert store.history is not None
        assert store.history.months
    killed = engine.opening(tmp_path / "killed")
    for lines in kills:
        worker = work(killed, first, steps)
        assert worker.stdout is not None
        acknowledged = [worker.stdout.readline() for _ in range(lines)][-1]
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        with engine.open(tmp_path / "killed", read_only=True) as store:
            done = int(store.load_state("next") or b"0")
            assert done >= int(acknowledged) + 1
            assert [event.seq for event in store.events()] == list(range(1, done - first + 1))
            assert len(store.window([], [], NOON, 2 * NOON, ROSTER)) == 4 * (done - first)
    assert work(killed, first, steps).wait() == 0
    with engine.open(tmp_path / "killed") as store:
        assert engine.fingerprint(store) == expected


def test_a_transaction_that_fails_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path) as store:
        step(store, 0)
        before = engine.fingerprint(store)

        def broken() -> None:
            with store.transaction():
                step(store, 1)
                store.write(Batch.of(Roster(("new",)), [0], [1], [NOON], [1.0], None, "new source"), received=NOON)
                raise KeyError

        with pytest.raises(KeyError):
            broken()
        assert engine.fingerprint(store) == before
        store.write(Batch.of(Roster(("newer",)), [0], [1], [NOON], [1.0], None, "newer source"), received=NOON)
        assert store.series("newer", "water_level", NOON, NOON + 1).value.tolist() == [1.0]
        assert len(store.series("new", "water_level", NOON, NOON + 1)) == 0


def test_a_nested_transaction_takes_back_its_own_part_and_the_outermost_decides(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path) as store:

        def broken(name: str) -> None:
            with store.transaction():
                with store.transaction():
                    store.save_state(name, b"1")
                raise KeyError

        with store.transaction():
            store.save_state("outer", b"1")
            with pytest.raises(KeyError):
                broken("inner")
            with store.transaction():
                store.save_state("second", b"1")
            assert store.load_state("second") == b"1"
        assert [store.load_state(name) for name in ("outer", "inner", "second")] == [b"1", None, b"1"]
        with pytest.raises(KeyError):
            broken("third")
        assert store.load_state("third") is None


def test_a_write_that_breaks_off_spoils_its_transaction(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path) as store:

        def careless() -> None:
            with store.transaction():
                store.save_state("kept?", b"1")
                with suppress(TypeError):
                    store.audit(at=NOON, user="a", action="b", target="c", detail={"cannot be JSON": object()})

        with pytest.raises(StoreFailed, match="nothing of this transaction was kept"):
            careless()
        assert store.load_state("kept?") is None


def test_one_writer_and_readers_beside_it(engine: Engine, tmp_path: Path) -> None:
    writer = engine.open(tmp_path / "store")
    step(writer, 0)
    with pytest.raises(StoreFailed, match=r"in use by process \d+.*; stop it first, or open with read_only=True"):
        engine.open(tmp_path / "store")
    with engine.open(tmp_path / "store", read_only=True) as reader:
        step(writer, 1)
        assert len(reader.events()) == 2
        assert engine.fingerprint(reader) == engine.fingerprint(writer)
        with pytest.raises(StoreFailed, match="reading only"):
            reader.save_state("x", b"")
        with pytest.raises(StoreFailed, match="reading only"):
            step(reader, 2)
    writer.close()
    writer.close()
    with pytest.raises(StoreFailed, match="closed"):
        writer.load_state("x")
    engine.open(tmp_path / "store").close()


def test_folders_that_hold_no_usable_store_are_refused_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(StoreFailed, match="holds no store"):
        open_store(tmp_path / "absent", read_only=True)
    (tmp_path / "file").write_text("a file")
    with pytest.raises(StoreFailed, match="folder that can be written"):
        open_store(tmp_path / "file")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "live.sqlite").write_bytes(b"no database" * 1000)
    with pytest.raises(StoreFailed, match=r"damaged .* restore"):
        open_store(tmp_path / "damaged")
    for name, setting in (("newer", "user_version = 99"), ("foreign", "application_id = 7")):
        open_store(tmp_path / name).close()
        connection = apsw.Connection(str(tmp_path / name / "live.sqlite"))
        connection.execute(f"PRAGMA {setting}")
        connection.close()
    for read_only in (False, True):
        with pytest.raises(StoreFailed, match="schema 99, this liuyu knows up to 3; install a newer liuyu"):
            open_store(tmp_path / "newer", read_only=read_only)
        with pytest.raises(StoreFailed, match="another program"):
            open_store(tmp_path / "foreign", read_only=read_only)


def test_an_unsafe_library_is_refused() -> None:
    check_library("3.51.3")
    check_library("3.100.0")
    with pytest.raises(StoreFailed, match=r"SQLite 3\.51\.2, which can lose written data; install apsw >= 3\.51\.3"):
        check_library("3.51.2")


def test_the_log_is_folded_in_the_background_and_at_the_end(tmp_path: Path) -> None:
    roster = Roster(tuple(str(number) for number in range(5_000)))
    with open_store(tmp_path) as store:
        for number in range(6):
            times = np.full(5_000, NOON + number * 60)
            store.write(Batch.of(roster, range(5_000), [1] * 5_000, times, np.arange(5_000.0)), received=NOON)
        log = tmp_path / "live.sqlite-wal"
        assert log.stat().st_size > 0
        store.checkpoint()
        assert log.stat().st_size == 0
        store.save_state("x", b"y")
    assert not log.exists()
    assert isinstance(store, SqliteStore)
    with open_store(tmp_path, read_only=True) as reader:
        assert reader.load_state("x") == b"y"
