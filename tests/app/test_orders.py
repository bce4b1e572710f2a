"""Orders to stations: queued, sent when the station can be reached, answered, refused or expired; and who may order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

import msgspec
import pytest

from liuyu.app.orders import Orders
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.monitor.sense.sl651 import Dialect, Dialects, Group, Message, parameter
from liuyu.monitor.sense.sl651.messages import ENQ, EOT, ESC, NAK
from liuyu.monitor.sense.stations import Limits, StationServer
from liuyu.monitor.sense.stations.downlinks import downlinks
from liuyu.monitor.sense.szy206 import Framer as MeterFramer
from liuyu.monitor.sense.szy206 import decode as decode_meter
from liuyu.monitor.sense.szy206 import encode as encode_meter
from liuyu.monitor.sense.szy206 import heartbeat, stamp_of
from liuyu.monitor.sense.szy206 import order as meter_order
from liuyu.monitor.sense.szy206 import report as meter_report
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.web.ports import OrderWish, StationOrder, User
from tests.monitor.stations_bench import NOW, Caller, basin_of, kept, report
from tests.store_sink import StoreSink

BASIN = basin_of(3)
ADDRESS, METER = "0060000000", "5303810D00"
OFFICER, ADMIN, VIEWER = User("wang", "duty_officer"), User("li", "administrator"), User("zhao", "viewer")
SECRETS = Dialects(
    [Dialect(address=ADDRESS, code="60000000", password="9A1C"), Dialect(address=METER, code="60000002")]
)
T = TypeVar("T")


class Clock:
    """The centre's clock, set by hand."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as opened:
        yield opened


def served(
    store: Store,
    visit: Callable[[Orders, Clock, int], Awaitable[T]],
    dialects: Dialects = SECRETS,
    pace: float = 1.0,
) -> T:
    """What a visit to a server that delivers orders gives."""

    async def run() -> T:
        clock = Clock()
        server = StationServer(StoreSink(store, BASIN, dialects), clock, dialects=dialects, limits=Limits())
        orders = Orders(store, BASIN, dialects, clock, pace=pace)
        port = await server.start()
        serving = asyncio.create_task(orders.serve(server))
        try:
            return await visit(orders, clock, port)
        finally:
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            await server.stop()

    return asyncio.run(run())


async def until(orders: Orders, id: str, *states: str) -> StationOrder:
    """The order, once it is in one of some states."""
    async with asyncio.timeout(10):
        while (found := orders.find(OFFICER, id)).state not in states:
            await asyncio.sleep(0.01)
    return found


def told(serial: int, **facts: object) -> Message:
    return report(serial, password="9A1C", **facts)


def test_a_station_that_only_reports_gets_its_order_at_the_next_contact_and_is_told_to_stay(store: Store) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> tuple[StationOrder, StationOrder, list[int]]:
        queued = orders.send(OFFICER, "60000000", OrderWish(order="query", elements=("39",)))
        async with Caller(port) as station:
            station.send(told(1))
            heard = [await station.hear() for _ in range(2)]
            station.send(told(2, level=31.5, function=0x3A))
            answered = await until(orders, queued.id, "answered")
            station.send(told(3))
            heard.append(await station.hear())
        asked = heard[1]
        assert (asked.function, asked.password, asked.wanted) == (0x3A, "9A1C", ("3923",))
        return queued, answered, [each.end for each in heard]

    queued, answered, ends = served(store, visit)
    assert (queued.state, queued.attempts, queued.by, queued.station, queued.code) == (
        "queued", 0, "wang", "60000000", "3A",
    )  # fmt: skip
    assert ends == [ESC, ENQ, EOT]
    assert (answered.state, answered.attempts, answered.reason) == ("answered", 1, "")
    assert answered.answer is not None
    assert [each["value"] for each in answered.answer["elements"]] == [31.5]
    lines = [(each["action"], each["user"], each["target"]) for each in reversed(store.audit_log())]
    assert lines == [
        ("order", "wang (duty_officer)", "60000000"),
        ("order_sent", "wang", "60000000"),
        ("order_answered", "wang", "60000000"),
    ]


def test_an_answer_is_kept_like_any_reading(store: Store, tmp_path: Path) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> None:
        async with Caller(port) as station:
            station.send(told(1))
            await station.hear()
            sent = orders.send(OFFICER, ADDRESS, OrderWish(order="query"))
            assert (await station.hear()).function == 0x37
            station.send(told(2, level=31.5, function=0x37))
            await until(orders, sent.id, "answered")

    served(store, visit)
    store.close()
    assert kept(tmp_path, BASIN) == {("60000000", 1, NOW - 300): 31.5}


def test_orders_go_out_one_after_another_again_when_unanswered_and_expire(store: Store) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> tuple[StationOrder, list[int]]:
        async with Caller(port) as station:
            station.send(told(1))
            await station.hear()
            first = orders.send(OFFICER, ADDRESS, OrderWish(order="state", hours=1))
            second = orders.send(OFFICER, ADDRESS, OrderWish(order="read-clock", hours=2))
            heard = [(await station.hear()).function for _ in range(3)]
            waiting = await until(orders, first.id, "queued")
            assert "did not answer 46H" in waiting.reason
            assert waiting.attempts == 1
            clock.now += 3601
            expired = await until(orders, first.id, "expired")
            station.send(told(2, sent=clock.now))
            while (said := await station.hear()).function != 0x51:
                heard.append(said.function)
            assert orders.find(OFFICER, second.id).attempts == 1
            return expired, heard

    expired, heard = served(store, visit, pace=0.002)
    assert heard[:3] == [0x46] * 3
    assert expired.reason.startswith("expired: station 0060000000 did not answer")
    assert expired.attempts == 2


def test_a_refusal_and_other_values_than_those_set_are_told(store: Store) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> list[StationOrder]:
        found = []
        async with Caller(port) as station:
            station.send(told(1))
            await station.hear()
            for value, end in ((2.0, 3), (1.0, 3), (1.0, NAK)):
                wish = OrderWish(order="config", values={"20": "1"})
                sent = orders.send(ADMIN, ADDRESS, wish)
                asked = await station.hear()
                assert [each.values for _, each in asked.elements()] == [(1.0,)]
                group = Group(station=ADDRESS, elements=(parameter("20", value),))
                station.send(told(2, function=0x42, groups=(group,), end=end))
                found.append(await until(orders, sent.id, "answered", "refused"))
        return found

    other, right, no = served(store, visit)
    assert (other.state, other.reason) == ("refused", "refused: the station reports 20 as 2.0")
    assert (right.state, right.order, right.code) == ("answered", "set-running", "42")
    assert (no.state, no.reason) == ("refused", "refused: the station answered NAK")


def test_passwords_are_sent_and_never_shown(store: Store) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> StationOrder:
        async with Caller(port) as station:
            station.send(told(1))
            await station.hear()
            sent = orders.send(ADMIN, ADDRESS, OrderWish(order="password", password="7b7b"))
            asked = await station.hear()
            assert [each.raw.hex() for _, each in asked.elements()] == ["9a1c", "7b7b"]
            group = Group(station=ADDRESS, elements=(parameter("03", "7B7B"),))
            station.send(told(2, function=0x49, groups=(group,)))
            return await until(orders, sent.id, "answered")

    shown = msgspec.json.encode(served(store, visit)) + msgspec.json.encode(store.audit_log())
    assert b"7B7B" not in shown.upper()
    assert b"9A1C" not in shown.upper()


def test_orders_outlive_the_process(store: Store) -> None:
    first = Orders(store, BASIN, SECRETS, lambda: NOW).send(OFFICER, ADDRESS, OrderWish(order="clock"))

    async def visit(orders: Orders, clock: Clock, port: int) -> Message:
        async with Caller(port) as station:
            station.send(told(1))
            await station.hear()
            asked = await station.hear()
            station.send(told(2, function=0x4A, groups=(Group(station=ADDRESS),)))
            await until(orders, first.id, "answered")
            return asked

    asked = served(store, visit)
    assert (asked.function, asked.sent) == (0x4A, NOW)


def test_a_meter_of_the_other_protocol_reports_is_confirmed_and_obeys(store: Store, tmp_path: Path) -> None:
    async def visit(orders: Orders, clock: Clock, port: int) -> StationOrder:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        framer = MeterFramer()

        async def hear() -> bytes:
            async with asyncio.timeout(5):
                while not (found := framer.feed(await reader.read(4096))):
                    pass
            return found[0][0]

        writer.write(encode_meter(heartbeat(METER))[:2])
        await asyncio.sleep(0.02)
        writer.write(encode_meter(heartbeat(METER))[2:])
        assert decode_meter(await hear()).function == 0x02  # type: ignore[union-attr]
        writer.write(encode_meter(meter_report(METER, 2, [12.5], stamp_of(NOW - 60))))
        assert decode_meter(await hear()).function == 0xC0  # type: ignore[union-attr]
        sent = orders.send(ADMIN, METER, OrderWish(order="start", data="01"))
        asked = decode_meter(await hear(), NOW)
        assert (asked.function, asked.data, asked.password) == (0x92, b"\x01", (0, 0))  # type: ignore[union-attr]
        writer.write(encode_meter(msgspec.structs.replace(meter_order(METER, 0x92, b"\x01\xa1"), direction="up")))
        answered = await until(orders, sent.id, "answered")
        writer.close()
        return answered

    answered = served(store, visit)
    assert (answered.protocol, answered.station) == ("szy206", "60000002")
    store.close()
    assert kept(tmp_path, BASIN) == {("60000002", 1, NOW - 60): 12.5}


def test_who_may_order_what(store: Store) -> None:
    orders = Orders(store, BASIN, SECRETS, lambda: NOW)
    with pytest.raises(NotAllowed, match="'zhao' is a viewer and may not send orders"):
        orders.send(VIEWER, ADDRESS, OrderWish(order="query"))
    with pytest.raises(NotAllowed, match="sign in as administrator"):
        orders.send(OFFICER, ADDRESS, OrderWish(order="config", values={"20": 1.0}))
    with pytest.raises(NotAllowed):
        orders.listed(VIEWER)
    sent = orders.send(OFFICER, ADDRESS, OrderWish(order="clock"))
    again = orders.send(OFFICER, ADDRESS, OrderWish(order="clock"))
    assert [each.id for each in orders.listed(OFFICER, station="60000000", state="queued")] == [again.id, sent.id]
    assert orders.listed(OFFICER, state="answered") == []
    with pytest.raises(NotFound, match="no order 'x'"):
        orders.find(OFFICER, "x")


@pytest.mark.parametrize(
    ("wish", "told"),
    [
        (OrderWish(order="dance"), "no order 'dance' in sl651; there are picture"),
        (OrderWish(order="history", elements=("39",)), "needs one element, a start and an end"),
        (OrderWish(order="elements", elements=("ZZ",)), "no element 'ZZ'"),
        (OrderWish(order="config", values={"77": 1.0}), "no parameter '77'"),
        (OrderWish(order="config", values={"20": "often"}), "takes a number, not 'often'"),
        (OrderWish(order="config", elements=("0C", "20")), "belong to two tables"),
        (OrderWish(order="clock", elements=("39",)), "takes no elements"),
        (OrderWish(order="valve", data="0G"), "hex digits in pairs"),
    ],
)
def test_an_order_that_cannot_be_written_is_refused_at_once(store: Store, wish: OrderWish, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        Orders(store, BASIN, SECRETS, lambda: NOW).send(ADMIN, ADDRESS, wish)
    assert store.jobs() == []


def test_every_downlink_of_the_standard_is_in_the_table_once() -> None:
    codes = [each.function for each in downlinks() if each.protocol == "sl651"]
    assert sorted(codes) == [*range(0x36, 0x3B), *range(0x40, 0x52)]
    assert {each.role for each in downlinks() if each.name in ("query", "clock", "read-clock")} == {"duty_officer"}
    changing = ("set-config", "set-running", "reset", "valve", "start", "password")
    assert {each.role for each in downlinks() if each.name in changing} == {"administrator"}


def test_an_unknown_station_is_told(store: Store) -> None:
    with pytest.raises(NotFound, match="no station 'nowhere'"):
        Orders(store, BASIN, SECRETS, lambda: NOW).send(OFFICER, "nowhere", OrderWish(order="query"))
