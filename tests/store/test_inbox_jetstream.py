"""What only JetStream has: a server that goes away, is killed, or is not there at all."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Iterator

import nats
import pytest

from liuyu.basin.errors import BadInput, InboxFull, StoreFailed
from liuyu.basin.series import Aside, Batch
from liuyu.store.inbox.interface import Parcel
from liuyu.store.inbox.jetstream import JetStreamInbox
from liuyu.store.inbox.nats_link import NatsLink, shown
from tests.nats_server import MISSING, NatsServer, free_port, program
from tests.store.inbox_parcels import LARGE, ROSTER, everything, parcel, same

pytestmark = pytest.mark.skipif(program() is None, reason=MISSING)


@pytest.fixture
def server() -> Iterator[NatsServer]:
    running = NatsServer()
    yield running
    running.remove()


@pytest.fixture
def inbox(server: NatsServer) -> Iterator[JetStreamInbox]:
    opened = JetStreamInbox(server.url, "qingxi", ROSTER, most=LARGE, patience=0.4)
    yield opened
    opened.close()


def test_what_was_confirmed_outlives_the_killing_of_the_server(server: NatsServer, inbox: JetStreamInbox) -> None:
    for round_of_three in range(3):
        inbox.put([parcel(round_of_three * 3 + each, 40) for each in range(3)])
        server.stop(signal.SIGKILL)
        server.start()
    found = everything(inbox)
    assert [each.place for each in found] == list(range(1, 10))
    assert all(same(each.parcel, parcel(each.place - 1, 40)) for each in found)


def test_a_server_that_is_away_confirms_nothing_and_works_again_when_it_is_back(
    server: NatsServer, inbox: JetStreamInbox, caplog: pytest.LogCaptureFixture
) -> None:
    inbox.put([parcel(1)])
    with caplog.at_level(logging.WARNING, "liuyu.messages"):
        server.stop()
        with pytest.raises(StoreFailed, match=r"does not answer .*; nothing is confirmed; deliver again"):
            inbox.put([parcel(2)])
        with pytest.raises(StoreFailed, match="nothing was taken"):
            inbox.take(0)
        with pytest.raises(StoreFailed, match="what was taken is still kept"):
            inbox.forget(1)
        server.start()
        assert inbox.put([parcel(2)]) == 2
    assert [each.parcel.received for each in everything(inbox)] == [parcel(1).received, parcel(2).received]
    said = [each.getMessage() for each in caplog.records]
    assert [each.split()[-1] for each in said] == ["away", "back"]


def test_a_put_goes_on_by_itself_when_the_server_is_back_soon(server: NatsServer) -> None:
    inbox = JetStreamInbox(server.url, "qingxi", ROSTER, most=LARGE, patience=60.0)
    server.stop()
    places: list[int] = []
    waiting = threading.Thread(target=lambda: places.append(inbox.put([parcel(1), parcel(2)])))
    waiting.start()
    server.start()
    waiting.join()
    assert places == [2]
    assert len(everything(inbox)) == 2
    inbox.close()


def test_a_server_that_is_killed_again_and_again_under_a_put_keeps_each_parcel_once(server: NatsServer) -> None:
    inbox = JetStreamInbox(server.url, "qingxi", ROSTER, most=LARGE, patience=60.0)
    wanted = [parcel(number, 5) for number in range(400)]

    def put() -> None:
        for start in range(0, len(wanted), 2):
            inbox.put(wanted[start : start + 2])

    putting = threading.Thread(target=put)
    putting.start()
    for share in (50, 150, 300):
        while inbox.waiting(0) < share:
            pass
        server.stop(signal.SIGKILL)
        server.start()
    putting.join()
    found = everything(inbox)
    assert [each.place for each in found] == list(range(1, 401))
    assert all(same(each.parcel, other) for each, other in zip(found, wanted, strict=True))
    inbox.close()


def test_without_a_server_nothing_is_begun(server: NatsServer) -> None:
    with pytest.raises(StoreFailed, match=r"NATS at nats://127.0.0.1:\d+ does not answer") as raised:
        JetStreamInbox(f"nats://me:secret@127.0.0.1:{free_port()}", "qingxi", ROSTER, most=LARGE, patience=0.5)
    assert "secret" not in str(raised.value)


def test_an_address_that_is_none_and_a_name_that_is_none_are_refused() -> None:
    with pytest.raises(BadInput, match=r"write it as nats://127.0.0.1:4222"):
        NatsLink("mqtt://127.0.0.1", 1.0)
    with pytest.raises(BadInput, match="give the code of the basin"):
        JetStreamInbox("nats://127.0.0.1", "//", ROSTER, most=LARGE)
    assert shown("nats://a:b@c:1,nats://d:e@f:2") == "nats://c:1,nats://f:2"


def test_two_basins_on_one_server_have_an_inbox_each_and_the_newest_bound_holds(server: NatsServer) -> None:
    one = JetStreamInbox(server.url, "one", ROSTER, most=LARGE)
    other = JetStreamInbox(server.url, "other", ROSTER, most=LARGE)
    one.put([parcel(1, 500)])
    assert other.take(0) == []
    assert other.put([parcel(2)]) == 1
    smaller = JetStreamInbox(server.url, "one", ROSTER, most=20_000)
    with pytest.raises(InboxFull):
        one.put([parcel(2, 500), parcel(3, 500)])
    assert one.waiting(0) == 1
    for each in (one, other, smaller):
        each.close()
    with pytest.raises(StoreFailed, match="is closed"):
        one.put([parcel(1)])


def test_more_parcels_than_one_batch_of_the_server_holds(inbox: JetStreamInbox) -> None:
    assert inbox.put([parcel(number, 1) for number in range(2500)]) == 2500
    assert [each.parcel.received for each in everything(inbox)] == [parcel(each, 0).received for each in range(2500)]


def test_what_others_write_into_the_stream_is_an_aside_and_holds_nobody_up(
    server: NatsServer, inbox: JetStreamInbox
) -> None:
    async def write() -> None:
        client = await nats.connect(server.url)
        await client.jetstream().publish("liuyu.inbox.qingxi", b"hello")
        await client.close()

    asyncio.run(write())
    inbox.put([parcel(1)])
    first, second = everything(inbox)
    assert (len(first.parcel.batch), first.parcel.asides[0].payload) == (0, b"hello")
    assert "no parcel" in first.parcel.asides[0].reason
    assert first.parcel.received > 1_700_000_000
    assert same(second.parcel, parcel(1))


def test_an_aside_larger_than_the_server_takes_is_refused_with_the_cure(inbox: JetStreamInbox) -> None:
    picture = Parcel("sl651", 0, Batch.empty(ROSTER), (Aside("sl651", "picture", bytes(2_000_000)),))
    with pytest.raises(BadInput, match="max_payload"):
        inbox.put([picture])
    assert inbox.waiting(0) == 0


def test_a_server_without_jetstream_is_told_apart(server: NatsServer) -> None:
    server.stop()
    config = server.home / "nats.conf"
    config.write_text("\n".join(line for line in config.read_text().splitlines() if "jetstream" not in line))
    server.start()
    with pytest.raises(StoreFailed, match="start it with -js"):
        JetStreamInbox(server.url, "qingxi", ROSTER, most=LARGE)
