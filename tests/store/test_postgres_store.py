"""What only the PostgreSQL engine has: a server that stops, partitions, and the same content as the embedded engine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import apsw
import numpy as np
import psycopg
import pytest

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch, Roster
from liuyu.store import postgres, sqlite
from liuyu.store.engine.sums import added
from liuyu.store.interface import Store
from liuyu.store.postgres import PostgresStore, forget_store, open_store
from liuyu.store.postgres.link import place_of
from tests.postgres_server import PostgresServer
from tests.store.engines import Engine

NOON = 1_597_060_800
HOUR, DAY = 3600, 86400
ROSTER = Roster(("a", "b", "c", "d"))


@pytest.fixture
def url(postgres_server: PostgresServer, tmp_path: Path) -> str:
    return Engine("postgres", postgres_server).url(tmp_path)


@pytest.fixture
def store(url: str, tmp_path: Path) -> Iterator[PostgresStore]:
    opened = open_store(url, tmp_path)
    yield opened
    opened.close()


def values(number: int) -> Batch:
    now = NOON + number * HOUR
    return Batch.of(ROSTER, range(4), [1] * 4, [now] * 4, np.random.default_rng(number + 100).normal(20, 1, 4))


def fill(store: Store) -> None:
    """A bit of everything, late and corrected rows among it."""
    rng = np.random.default_rng(11)
    for number in range(80):
        now = NOON + number * HOUR
        count = 60
        batch = Batch.of(
            ROSTER,
            rng.integers(0, 4, count),
            rng.choice([1, 2], count),
            now - rng.integers(0, 40, count) * 1200,
            rng.choice([1.5, 0.1, np.nan, np.inf, -0.0, 3e5, *rng.normal(1e6, 1, 20)], count),
            rng.choice([1, 2, 3], count),
            f"source {number % 3}",
        )
        store.write(batch, received=now)
        store.reflag(batch.take(slice(0, 9)).flagged(rng.choice([1, 4], 9).astype(np.uint8)))
        body = {"text": '汉口 \\ " \u0000', "value": float(rng.normal()), "list": [1, None]}
        event = Event(kind="late", time=moment(now), id=f"late:{number % 7}", state="reopened", subject="a", body=body)
        store.append([event, event])
    provenance = Provenance(code="liuyu", version="0.1")
    members = rng.normal(20, 1, (5, 3))
    for station in ("z", "a"):
        forecast = Forecast(
            station=station,
            quantity="water_level",
            issued=moment(NOON),
            model="m",
            time=NOON + HOUR * np.arange(1, 4),
            members=members,
            drivers={"b": 1, "a": "上游"},
            provenance=provenance,
        )
        store.put_forecasts([forecast])
    store.save_state("stage", b"\x00\xff")
    store.set_aside("feed", "reason", b"\x00raw", received=NOON)
    store.audit(at=NOON, user="duty", action="sign", target="plan:1", detail={"b": 1, "a": [1.5]})
    store.submit("report", "one", b"{}", now=NOON)
    store.claim(["report"], "worker", now=NOON, lease=60)


def test_the_same_content_has_the_same_fingerprint_in_both_engines(store: PostgresStore, tmp_path: Path) -> None:
    with sqlite.open_store(tmp_path / "embedded") as embedded:
        for each in (store, embedded):
            fill(each)
        assert postgres.fingerprint(store) == sqlite.fingerprint(embedded)
        assert repr(store.latest(ROSTER, at=NOON + 30 * HOUR)) == repr(embedded.latest(ROSTER, at=NOON + 30 * HOUR))
        for step in (HOUR, DAY):
            asked = ("a", "water_level", NOON - DAY, NOON + 5 * DAY, step)
            assert repr(store.rollup(*asked)) == repr(embedded.rollup(*asked))
        store.save_state("stage", b"other")
        assert postgres.fingerprint(store) != sqlite.fingerprint(embedded)
        with pytest.raises(BadInput, match="str is no store"):
            postgres.fingerprint("a name")  # type: ignore[arg-type]


def test_sums_are_the_bits_that_sqlite_gives() -> None:
    rng = np.random.default_rng(3)
    connection = apsw.Connection(":memory:")
    groups = [rng.normal(0, 10.0 ** rng.integers(-300, 300, size), size) for size in rng.integers(1, 90, 60).tolist()]
    groups += [np.array([1.7e308, 1.7e308, -1.7e308]), np.array([1e16, 1.0, -1e16])]
    first = np.cumsum([0, *(len(each) for each in groups[:-1])])
    expected = [connection.execute("SELECT sum(value) FROM carray(?)", (apsw.carray(each),)).get for each in groups]
    assert added(np.concatenate(groups), first).tobytes() == np.array(expected).tobytes()


def test_a_restart_between_transactions_goes_unnoticed(store: PostgresStore, postgres_server: PostgresServer) -> None:
    store.write(values(0), received=NOON)
    postgres_server.stop()
    postgres_server.start()
    assert len(store.latest(ROSTER)) == 4
    assert store.write(values(1), received=NOON + HOUR).new == 4
    postgres_server.stop()
    postgres_server.start()
    assert store.write(Batch.of(Roster(("new",)), [0], [1], [NOON], [1.0], None, "x"), received=NOON).new == 1


def test_a_transaction_cut_by_a_restart_leaves_nothing(store: PostgresStore, postgres_server: PostgresServer) -> None:
    store.write(values(0), received=NOON)
    before = postgres.fingerprint(store)

    def cut() -> None:
        with store.transaction():
            store.write(values(40), received=NOON + 40 * HOUR)
            postgres_server.stop()
            postgres_server.start()
            store.save_state("x", b"y")

    with pytest.raises(StoreFailed, match=r"does not answer .*; nothing of this transaction was kept; "):
        cut()
    assert postgres.fingerprint(store) == before
    postgres_server.stop()
    try:
        for act in (lambda: store.save_state("x", b"y"), lambda: store.load_state("x")):
            with pytest.raises(StoreFailed, match="does not answer"):
                act()
    finally:
        postgres_server.start()
    assert store.load_state("x") is None
    assert store.write(values(40), received=NOON + 40 * HOUR).new == 4


def test_a_writer_that_lost_the_store_to_another_is_refused(
    store: PostgresStore, url: str, tmp_path: Path, postgres_server: PostgresServer
) -> None:
    store.save_state("x", b"first")
    with pytest.raises(StoreFailed, match="in use by process"):
        forget_store(url)
    postgres_server.stop()
    postgres_server.start()
    with open_store(url, tmp_path) as other:
        other.save_state("x", b"second")
        with pytest.raises(StoreFailed, match="in use by process"):
            store.save_state("x", b"first again")
        assert store.load_state("x") == b"second"
    store.save_state("x", b"first again")


def test_a_connection_that_hangs_on_the_server_is_ended_by_its_own_process(store: PostgresStore) -> None:
    """The client's side broke, the server has not noticed and still holds the lock."""
    store.save_state("x", b"1")
    writer = store.engine._writer
    assert writer is not None
    taken = psycopg.pq.PGconn.connect(b"")  # a connection that never was stands in for a broken one
    held, writer.pgconn = writer.pgconn, taken
    store.save_state("x", b"2")
    assert store.load_state("x") == b"2"
    held.finish()


def test_every_day_has_its_partition_and_an_archived_month_has_none(store: PostgresStore, tmp_path: Path) -> None:
    def partitions() -> list[str]:
        with store.engine.reading() as reader:
            query = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'observation'::regclass"
            return sorted(name.strip('"') for (name,) in reader.execute(query))

    for number in range(-2, 40):
        store.write(values(number * 12), received=NOON + number * 12 * HOUR)
    assert partitions()[:2] == ["observation_2020-08-09", "observation_2020-08-10"]
    assert partitions()[-1] == "observation_2020-08-30"
    store.write(values(24 * 30), received=NOON + 720 * HOUR)
    assert store.archive(NOON + 720 * HOUR) == 42 * 4
    assert partitions() == ["observation_2020-09-09"]
    assert len(store.window([], [], NOON - 10 * DAY, NOON + 40 * DAY, ROSTER)) == 43 * 4
    with pytest.raises(BadInput, match="no second since 1970"):
        store.write(Batch.of(ROSTER, [0], [1], [2**60], [1.0]), received=NOON)
    ancient = Batch.of(ROSTER, [0, 0], [1, 1], [-(10**11), 10**12], [1.0, 2.0])
    assert store.write(ancient, received=NOON).new == 2
    assert store.series("a", "water_level", -(10**11), -(10**11) + 1).value.tolist() == [1.0]


def test_a_locked_job_is_passed_over(store: PostgresStore, url: str) -> None:
    for name in ("one", "two"):
        store.submit("report", name, b"", now=NOON)
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM job WHERE name = 'one' FOR UPDATE")
        claimed = store.claim(["report"], "worker", now=NOON, lease=60)
        assert claimed is not None
        assert claimed.name == "two"
        assert store.claim(["report"], "worker", now=NOON, lease=60) is None


def test_what_text_cannot_hold_is_kept_as_its_picture(store: PostgresStore) -> None:
    store.set_aside("feed", "bad byte \0", b"\0", received=NOON)
    assert store.asides()[0]["reason"] == "bad byte ␀"
    assert store.asides()[0]["payload"] == b"\0"


def test_without_a_folder_everything_but_files_is_kept(url: str) -> None:
    with open_store(url, None) as store:
        fill(store)
        assert len(store.latest(ROSTER)) > 0
        assert postgres.fingerprint(store)
        for act in (lambda: store.archive(NOON), lambda: store.put_grid("rain", NOON, None)):  # type: ignore[arg-type]
            with pytest.raises(StoreFailed, match="no folder for its"):
                act()


def test_databases_that_hold_no_usable_store_are_refused(url: str, postgres_server: PostgresServer) -> None:
    with pytest.raises(StoreFailed, match="holds no store"):
        open_store(url, None, read_only=True)
    open_store(url, None).close()
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("UPDATE liuyu SET version = 99")
    for read_only in (False, True):
        with pytest.raises(StoreFailed, match="schema 99, this liuyu knows up to 3; install a newer liuyu"):
            open_store(url, None, read_only=read_only)
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("DROP TABLE liuyu")
    for read_only in (False, True):
        with pytest.raises(StoreFailed, match="another program; give a database, or a schema, of its own"):
            open_store(url, None, read_only=read_only)
    forget_store(url)
    forget_store(url)
    open_store(url, None).close()
    with psycopg.connect(postgres_server.url("public"), autocommit=True) as other:
        other.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0")
    with pytest.raises(StoreFailed, match="encoded in LATIN1; make one with ENCODING 'UTF8'"):
        open_store(url.replace("/postgres?", "/latin?"), None)


def test_an_address_is_shown_without_its_password() -> None:
    with pytest.raises(StoreFailed) as caught:
        open_store("postgresql://liuyu:secret@127.0.0.1:9/basin?connect_timeout=2", None)
    assert "127.0.0.1:9/basin does not answer" in str(caught.value)
    assert "secret" not in str(caught.value)
    with pytest.raises(BadInput, match=r"write it as postgresql://user@host:5432/database"):
        place_of("basin at db.example")
