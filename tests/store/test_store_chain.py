"""The chain of hashes along the logs: whatever is changed past the log shows, and the first bad entry is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.basin.events import Event
from liuyu.store.interface import Chain
from liuyu.store.sqlite import open_store
from tests.store.engines import AnyStore, Engine

NOON = datetime(2020, 8, 20, 4, tzinfo=UTC)
COUNT = 12
GUARDS = {
    "sqlite": ("event_stays", "event_kept", "audit_stays", "audit_kept", "chain_stays", "chain_kept"),
    "postgres": (("event", "event_stays"), ("audit", "audit_stays"), ("chain", "chain_stays")),
}


def happened(number: int) -> Event:
    body = {"id": f"task:{number}", "title": {"zh": f"巡堤{number}", "en": f"patrol {number}"}, "value": 0.1 * number}
    time = NOON + timedelta(minutes=number)
    return Event(kind="task", time=time, id=f"task:{number}", state="assigned", subject="yangtze", body=body)


def fill(store: AnyStore) -> None:
    for number in range(1, COUNT + 1):
        store.append([happened(number)])
        detail = {"note": f"收到{number}", "n": number}
        store.audit(at=number, user="wang (duty_officer)", action="task", target=f"task:{number}", detail=detail)


def tamper(store: AnyStore, engine: str, *statements: tuple[str, tuple[Any, ...]]) -> None:
    """What somebody does who may write to the database and has taken its guards away."""
    with store.engine.transaction() as writer:
        for guard in GUARDS[engine]:
            if isinstance(guard, tuple):
                writer.ask(f"DROP TRIGGER IF EXISTS {guard[1]} ON {guard[0]}")
            else:
                writer.ask(f"DROP TRIGGER IF EXISTS {guard}")
        for statement, values in statements:
            writer.ask(statement, values)


def test_a_log_as_it_was_written_is_sound_and_its_head_moves(store: AnyStore) -> None:
    assert store.verify_chain() == Chain("event", 0, store.chain_head()[1], 0, None, "")
    heads = [store.chain_head()]
    for number in (1, 2):
        store.append([happened(number)])
        heads.append(store.chain_head())
    assert [count for count, _ in heads] == [0, 1, 2]
    assert len({digest for _, digest in heads}) == 3
    store.append([happened(2)])
    assert store.chain_head() == heads[-1], "what is in the log already adds no link"
    found = store.verify_chain(heads=heads)
    assert (found.bad, found.count, found.head) == (None, *heads[-1])
    with pytest.raises(BadInput, match="event, audit"):
        store.chain_head("letters")


def test_a_transaction_that_is_taken_back_takes_its_links_with_it(store: AnyStore) -> None:
    store.append([happened(1)])
    before = store.chain_head()

    def broken() -> None:
        with store.transaction():
            store.append([happened(2)])
            store.audit(at=1, user="w", action="a", target="t", detail={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert store.chain_head() == before
    store.append([happened(3)])
    assert store.verify_chain().bad is None
    assert store.verify_chain("audit").count == 0


def test_the_chain_is_the_one_that_is_described(store: AnyStore) -> None:
    """Anyone can compute it from what /api/events gives, with nothing of ours."""
    fill(store)
    digest = hashlib.sha256(b"liuyu event log").digest()
    for event in store.events():
        time = (event.time - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        entry = [event.seq, event.kind, event.id, time, event.state, event.subject, event.body]
        told = json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()
        digest = hashlib.sha256(digest + told).digest()
    assert store.chain_head() == (COUNT, digest.hex())


@pytest.mark.parametrize("log", ["event", "audit"])
@pytest.mark.parametrize("place", [1, 5, COUNT])
def test_an_edit_a_removal_an_insertion_and_a_swap_are_found(
    engine: Engine, tmp_path: Path, log: str, place: int
) -> None:
    number, column = ("seq", "subject") if log == "event" else ("id", "target")
    rest = "kind, id, time, state, subject, body" if log == "event" else 'at, "user", action, target, detail'
    changed = rest.replace("id, time", "id || 'x', time") if log == "event" else rest.replace("target", "target || 'x'")
    over = "" if engine.name == "sqlite" or log == "event" else "OVERRIDING SYSTEM VALUE"
    other = place - 1 if place > 1 else place + 1
    cut = (f"DELETE FROM {log} WHERE {number} = ?", (place,))
    unlinked = ("DELETE FROM chain WHERE log = ? AND entry = ?", (log, place))
    put_in = f"INSERT INTO {log} ({number}, {rest}) {over} SELECT {COUNT + 1}, {changed} FROM {log} WHERE {number} = ?"
    before = f"INSERT INTO {log} ({number}, {rest}) {over} SELECT -5, {changed} FROM {log} WHERE {number} = ?"
    crimes: dict[str, tuple[int, tuple[tuple[str, tuple[Any, ...]], ...]]] = {
        "edit": (place, ((f"UPDATE {log} SET {column} = 'forged' WHERE {number} = ?", (place,)),)),
        "removal": (place, (cut,)),
        "removal with its link": (place if place == COUNT else place + 1, (cut, unlinked)),
        "insertion": (COUNT + 1, ((put_in, (place,)),)),
        "insertion before the first": (-5, ((before, (place,)),)),
        "swap": (
            min(place, other),
            tuple(
                (f"UPDATE {log} SET {number} = ? WHERE {number} = ?", pair)
                for pair in ((-1, place), (place, other), (other, -1))
            ),
        ),
        "forged link": (place, (("UPDATE chain SET digest = ? WHERE log = ? AND entry = ?", (b"x" * 32, log, place)),)),
    }
    if engine.name == "postgres" and log == "audit":
        del crimes["swap"]  # an identity that is always generated cannot be updated there
    for crime, (bad, statements) in crimes.items():
        with engine.open(tmp_path / crime.replace(" ", "-") / log) as store:
            fill(store)
            tamper(store, engine.name, *statements)
            found = store.verify_chain(log)
            assert found.bad == bad, (crime, found)
            assert found.problem


def test_the_end_cut_off_with_its_links_is_found_by_the_count_and_by_a_head(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path / "store") as store:
        fill(store)
        head = store.chain_head()
        cut = ("DELETE FROM event WHERE seq > 9", ()), ("DELETE FROM chain WHERE log = 'event' AND entry > 9", ())
        tamper(store, engine.name, *cut)
        assert store.verify_chain().bad == 10
        tamper(store, engine.name, ("UPDATE meta SET value = 9 WHERE name = 'chain event'", ()))
        assert store.verify_chain().bad is None, "whoever forges the count too is found out only from outside"
        assert store.verify_chain(heads=[head]).bad == 10
        store.append([happened(number) for number in (21, 22, 23)])
        found = store.verify_chain(heads=[(head[0], head[1][:16])])
        assert found.bad == COUNT
        assert "anew" in found.problem
        now = store.chain_head()
        assert store.verify_chain(heads=[(now[0], "0" * 32), now]).bad is not None, "each head counts"


def test_a_store_of_the_older_schema_is_chained_when_it_is_opened(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path) as store:
        fill(store)
        head = store.chain_head()
        older = "PRAGMA user_version = 2" if engine.server is None else "UPDATE liuyu SET version = 2"
        unmade = (
            ("DROP TABLE chain", ()),
            ("DROP TABLE file", ()),
            (
                "DELETE FROM meta WHERE substr(name, 1, 6) = 'chain '",
                (),
            ),
        )
        tamper(store, engine.name, *unmade, (older, ()))
    with engine.open(tmp_path, read_only=True) as store, pytest.raises(StoreFailed, match="older liuyu"):
        store.verify_chain()
    with engine.open(tmp_path) as store:
        assert store.verify_chain() == Chain("event", COUNT, head[1], COUNT, None, "")
        store.append([happened(99)])
        assert store.verify_chain("event", [head]).count == COUNT + 1
        assert store.verify_chain("audit").begun == COUNT
    with engine.open(tmp_path) as store:
        assert store.verify_chain().begun == COUNT, "opened again, nothing is chained anew"


def test_files_are_kept_once_by_their_content(store: AnyStore) -> None:
    digest = store.put_file(b"\0photo")
    assert digest == store.put_file(b"\0photo")
    assert (store.file(digest), store.file("0" * 64)) == (b"\0photo", None)


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], apsw.Connection]:
    """Copies of a store in memory, its guards taken away."""
    folder = tmp_path_factory.mktemp("pristine")
    with open_store(folder) as store:
        fill(store)
    source = apsw.Connection(str(folder / "live.sqlite"))
    for guard in GUARDS["sqlite"]:
        source.execute(f"DROP TRIGGER {guard}")

    def copy() -> apsw.Connection:
        return source

    return copy


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_single_byte_of_any_entry_that_is_changed_is_found(
    pristine: Callable[[], apsw.Connection], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Each field of each entry of both logs: one byte flipped, added or taken away; numbers moved by one bit."""
    connection = pristine()
    log = data.draw(st.sampled_from(["event", "audit"]))
    number, fields = {
        "event": ("seq", ("kind", "id", "time", "state", "subject", "body")),
        "audit": ("id", ("at", "user", "action", "target", "detail")),
    }[log]
    place = data.draw(st.integers(1, COUNT))
    field = data.draw(st.sampled_from(fields))
    with connection:
        connection.execute("SAVEPOINT crime")
        (old,) = connection.execute(f'SELECT "{field}" FROM {log} WHERE {number} = ?', (place,)).fetchone() or (None,)
        new: int | str | bytes
        if isinstance(old, int):
            new = old ^ (1 << data.draw(st.integers(0, 50)))
        else:
            raw = bytearray(old if isinstance(old, bytes) else str(old).encode())
            at = data.draw(st.integers(0, len(raw) - 1))
            how = data.draw(st.sampled_from(["flip", "add", "take"]))
            if how == "flip":
                raw[at] ^= 1 << data.draw(st.integers(0, 6))
            elif how == "add":
                raw.insert(at, data.draw(st.integers(1, 127)))
            else:
                del raw[at]
            new = bytes(raw) if isinstance(old, bytes) else raw.decode("utf-8", "replace")
        if new != old:
            connection.execute(f'UPDATE {log} SET "{field}" = ? WHERE {number} = ?', (new, place))
            assert verified(connection, log) == place
        connection.execute("ROLLBACK TO crime")
        connection.execute("RELEASE crime")
    assert verified(connection, log) is None


def verified(connection: apsw.Connection, log: str) -> int | None:
    """The first bad entry, by the same code that a store runs."""
    from liuyu.store.engine.chain import verify  # noqa: PLC0415

    class Reader:
        """As much of a Session as verifying asks."""

        def ask(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
            return connection.execute(statement, values).fetchall()

    return verify(Reader(), log).bad  # type: ignore[arg-type]
