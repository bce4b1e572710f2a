"""A store whose disk is full for a while: what fails leaves nothing, and it goes on by itself when there is room."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from liuyu.basin.clock import moment
from liuyu.basin.errors import StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.series import Batch, Roster
from liuyu.store.sqlite import fingerprint, open_store
from tests.store.engines import AnyStore, Engine
from tests.store.full_disk import full_disk

NOON = 1_597_060_800
HOUR, DAY = 3600, 86400
ROSTER = Roster(tuple(f"s{number}" for number in range(400)))


def day_of(number: int) -> Batch:
    """A value of every station, on a day of its own."""
    values = np.random.default_rng(number).normal(20, 1, len(ROSTER))
    return Batch.of(ROSTER, range(len(ROSTER)), [1] * len(ROSTER), [NOON + number * DAY] * len(ROSTER), values)


def step(store: AnyStore, number: int) -> None:
    """What a step of a twin writes: values, an event and the state."""
    now = NOON + number * DAY
    with store.transaction():
        store.write(day_of(number), received=now)
        store.append([Event(kind="late", time=moment(now), id=f"e{number}", state="told", subject="s0", body={})])
        store.save_state("next", np.random.default_rng(number).bytes(300_000))


def full(engine: Engine, store: AnyStore, size: int) -> AbstractContextManager[None]:
    """The disk of the process that writes the store's files is full: of our own, or of the server's for our writer."""
    if engine.server is None:
        return full_disk(os.getpid(), size)
    with store.engine.transaction() as writer:
        backend = writer.ask("SELECT pg_backend_pid()")[0][0]
    return full_disk(backend, size, user=engine.server.user)


def persistent(act: Callable[[], object]) -> None:
    """Do something, again while the store fails: a server that broke off takes a moment to start again."""
    for _ in range(200):
        with suppress(StoreFailed):
            act()
            return
        time.sleep(0.05)
    act()


def test_a_full_disk_leaves_nothing_half_kept_and_the_store_goes_on_when_there_is_room(
    engine: Engine, tmp_path: Path
) -> None:
    with engine.open(tmp_path / "undisturbed") as store:
        for number in range(8):
            step(store, number)
        expected = engine.fingerprint(store)
    with engine.open(tmp_path / "full") as store:
        for number in range(8):
            before = engine.fingerprint(store)
            log = tmp_path / "full" / "live.sqlite-wal"
            size = (log.stat().st_size if log.exists() else 0) + number * 9_000
            with full(engine, store, size), pytest.raises(StoreFailed):
                step(store, number)
            persistent(lambda: store.load_state("next"))
            assert engine.fingerprint(store) == before
            persistent(partial(step, store, number))
        assert engine.fingerprint(store) == expected


def test_files_of_history_and_grids_that_find_no_room_are_tried_again(engine: Engine, tmp_path: Path) -> None:
    grid = xr.Dataset({"rain": (("y", "x"), np.random.default_rng(1).normal(size=(200, 200)))})
    with engine.open(tmp_path) as store:
        for number in range(0, 40, 8):
            step(store, number)
        before = engine.fingerprint(store)
        with full_disk(os.getpid(), 4_000):
            with pytest.raises(StoreFailed, match=r"history.* takes no more \(.*\); free space there"):
                store.archive(NOON + 40 * DAY)
            with pytest.raises(StoreFailed, match=r"grids takes no more"):
                store.put_grid("rain", NOON, grid)
        assert engine.fingerprint(store) == before
        assert store.grid("rain") is None
        assert store.archive(NOON + 40 * DAY) > 0
        assert engine.fingerprint(store) == before
        store.put_grid("rain", NOON, grid)
        kept = store.grid("rain")
        assert kept is not None
        assert kept.equals(grid)


def test_a_transaction_that_a_full_disk_ended_takes_no_more(tmp_path: Path) -> None:
    with open_store(tmp_path) as store:
        step(store, 0)
        before = (store.load_state("next"), len(store.events()))
        with store.engine.transaction() as writer:
            writer.pragma("cache_size", 5)  # so that a transaction reaches the disk before it ends

        def careless() -> None:
            with store.transaction():
                store.save_state("kept?", b"1")
                with suppress(StoreFailed), store.transaction():
                    step(store, 1)
                store.save_state("and this?", b"1")

        log = tmp_path / "live.sqlite-wal"
        with full_disk(os.getpid(), log.stat().st_size + 9_000), pytest.raises(StoreFailed):
            careless()
        assert store.load_state("kept?") is None
        assert store.load_state("and this?") is None
        assert (store.load_state("next"), len(store.events())) == before
        careless()
        assert store.load_state("and this?") == b"1"


def test_a_store_that_found_no_room_at_its_end_is_whole_when_opened_again(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    step(store, 0)
    expected = fingerprint(store)
    with full_disk(os.getpid()):
        store.close()
    with open_store(tmp_path) as again:
        assert fingerprint(again) == expected
