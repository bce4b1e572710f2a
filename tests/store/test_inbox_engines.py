"""The same tests for every inbox: what was put stays in order, once a key, whatever is closed or killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.errors import InboxFull
from liuyu.basin.series import Aside, Batch
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Inbox, Parcel
from liuyu.store.inbox.jetstream import JetStreamInbox
from tests.nats_server import MISSING, NatsServer, program
from tests.store.inbox_parcels import LARGE, NOON, ROSTER, everything, parcel, same

Open = Callable[..., Inbox]


@pytest.fixture(scope="module")
def nats_server() -> Iterator[NatsServer]:
    if program() is None:
        pytest.skip(MISSING)
    server = NatsServer()
    yield server
    server.remove()


@pytest.fixture(params=["files", "jetstream"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Kind and address of an inbox of this test's own."""
    if request.param == "files":
        return "files", str(tmp_path / "inbox")
    return "jetstream", request.getfixturevalue("nats_server").url


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


@pytest.fixture
def begin(place: tuple[str, str], name: str) -> Iterator[Open]:
    """Opens the inbox; whatever the test leaves open is closed."""
    opened: list[Inbox] = []

    def open_it(most: int = LARGE) -> Inbox:
        opened.append(open_inbox(place, name, most))
        return opened[-1]

    yield open_it
    for each in opened:
        each.close()


def open_inbox(place: tuple[str, str], name: str, most: int = LARGE) -> Inbox:
    if place[0] == "files":
        return FileInbox(Path(place[1]), ROSTER, most=most)
    return JetStreamInbox(place[1], name, ROSTER, most=most)


def test_what_was_put_comes_back_in_order_and_as_it_was(begin: Open) -> None:
    inbox = begin()
    sent = [parcel(number, number % 7) for number in range(30)]
    places = [inbox.put(sent[:1]), inbox.put(sent[1:20]), inbox.put(sent[20:])]
    found = everything(inbox)
    assert [each.place for each in found] == list(range(1, 31))
    assert places == [1, 20, 30]
    assert all(same(one.parcel, other) for one, other in zip(found, sent, strict=True))
    assert inbox.take(30) == []


def test_an_empty_inbox_and_an_empty_put_are_nothing(begin: Open) -> None:
    inbox = begin()
    assert inbox.take(0) == []
    assert inbox.waiting(0) == 0
    assert inbox.put([]) == 0
    inbox.forget(0)
    assert inbox.put([parcel(1)]) == 1


def test_not_a_value_and_nothing_but_asides_pass_too(begin: Open) -> None:
    inbox = begin()
    odd = Batch.of(ROSTER, [0, 1, 2], [1, 1, 1], [-5, 0, 1 << 40], [np.nan, np.inf, -0.0], source="x")
    aside = Parcel("mqtt", NOON, Batch.empty(ROSTER, "mqtt"), (Aside("mqtt", "not JSON", b"\x00" * 4000),))
    inbox.put([Parcel("x", 0, odd), aside])
    one, other = everything(inbox)
    assert np.array_equal(one.parcel.batch.value, odd.value, equal_nan=True)
    assert np.signbit(one.parcel.batch.value[2])
    assert same(other.parcel, aside)


def test_taking_stops_at_the_limit_and_begins_anywhere(begin: Open) -> None:
    inbox = begin()
    inbox.put([parcel(number, 10) for number in range(20)])
    assert [each.place for each in inbox.take(0, limit=25)] == [1, 2, 3]
    assert [each.place for each in inbox.take(3, limit=10)] == [4]
    assert [each.place for each in inbox.take(17, limit=1000)] == [18, 19, 20]
    assert [each.place for each in inbox.take(0, limit=1)] == [1]
    assert inbox.waiting(0) == 20
    assert inbox.waiting(17) == 3


def test_what_was_forgotten_is_gone_and_its_places_are_not_used_again(begin: Open) -> None:
    inbox = begin()
    inbox.put([parcel(number) for number in range(5)])
    inbox.forget(3)
    inbox.forget(2)
    assert [each.place for each in everything(inbox, 3)] == [4, 5]
    assert inbox.waiting(3) == 2
    inbox.forget(5)
    assert inbox.waiting(5) == 0
    assert everything(inbox, 5) == []
    inbox.close()
    again = begin()
    assert again.put([parcel(9)]) == 6
    assert [each.place for each in everything(again, 5)] == [6]


def test_what_was_put_is_there_after_closing(begin: Open) -> None:
    inbox = begin()
    sent = [parcel(number, 50) for number in range(10)]
    inbox.put(sent)
    inbox.close()
    found = everything(begin())
    assert all(same(one.parcel, other) for one, other in zip(found, sent, strict=True))


def test_the_second_of_a_key_is_dropped_also_in_another_process(begin: Open) -> None:
    inbox = begin()
    inbox.put([parcel(1, key="60112200 17"), parcel(2, key="60112200 18")])
    inbox.put([parcel(1, key="60112200 17")])
    inbox.put([parcel(1, key="60112200 17"), parcel(3, key="60112200 19"), parcel(4), parcel(4)])
    again = begin()
    again.put([parcel(3, key="60112200 19")])
    keys = [each.parcel.key for each in everything(inbox)]
    assert sorted(keys) == ["", "", "60112200 17", "60112200 18", "60112200 19"]


def test_a_full_inbox_keeps_nothing_of_a_put_and_takes_again_once_there_is_room(begin: Open) -> None:
    inbox = begin(most=200_000)
    count = 0
    while inbox.waiting(0) == count and count < 100:
        try:
            inbox.put([parcel(count, 500), parcel(count + 1, 500)])
        except InboxFull as full:
            assert "deliver again" in str(full)  # noqa: PT017  how many fit is the engine's own
            break
        count += 2
    assert 4 < count < 100
    assert inbox.waiting(0) == count
    inbox.forget(count - 2)
    assert inbox.put([parcel(7, 500)]) == count + 1


def test_a_parcel_larger_than_a_message_comes_whole(begin: Open) -> None:
    inbox = begin()
    large = parcel(3, 120_000)
    inbox.put([large])
    found = [each.parcel.batch for each in everything(inbox)]
    joined = Batch.join(found)
    assert np.array_equal(joined.value, large.batch.value)
    assert np.array_equal(joined.station, large.batch.station)


def test_many_threads_put_at_once(begin: Open) -> None:
    inbox = begin()

    def deliver(source: int) -> None:
        for number in range(20):
            inbox.put([parcel(number, source=f"s{source}")])

    threads = [threading.Thread(target=deliver, args=(each,)) for each in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    found = everything(inbox)
    assert [each.place for each in found] == list(range(1, 121))
    for source in range(6):
        received = [each.parcel.received - NOON for each in found if each.parcel.source == f"s{source}"]
        assert received == list(range(20))


def _deliver_until_killed(place: tuple[str, str], name: str, source: int, confirmed: str) -> None:
    inbox = open_inbox(place, name)
    with Path(confirmed).open("a", buffering=1) as told:
        for number in range(100_000):
            inbox.put([parcel(number, 20, source=f"s{source}")])
            told.write(f"{number}\n")


def test_other_processes_put_and_are_killed_and_nothing_confirmed_is_lost(
    begin: Open, place: tuple[str, str], name: str, tmp_path: Path
) -> None:
    inbox = begin()
    context = multiprocessing.get_context("spawn")
    files = [tmp_path / f"confirmed{each}" for each in range(2)]
    producers = [
        context.Process(target=_deliver_until_killed, args=(place, name, each, str(files[each])), daemon=True)
        for each in range(2)
    ]
    for each in producers:
        each.start()
    last, found = 0, []
    while min((len(file.read_text().splitlines()) if file.exists() else 0) for file in files) < 40:
        for taken in inbox.take(last, limit=200):
            found.append(taken)
            last = taken.place
    for each in producers:
        assert each.pid is not None
        os.kill(each.pid, signal.SIGKILL)
        each.join()
    inbox.close()
    found += everything(begin(), last)
    assert [each.place for each in found] == list(range(1, len(found) + 1))
    for source, file in enumerate(files):
        numbers = [each.parcel.received - NOON for each in found if each.parcel.source == f"s{source}"]
        confirmed = [int(line) for line in file.read_text().splitlines()]
        assert numbers[: len(confirmed)] == confirmed
        assert len(numbers) - len(confirmed) <= 1
        assert all(
            same(each.parcel, parcel(each.parcel.received - NOON, 20, source=each.parcel.source)) for each in found
        )
