"""The station server over real sockets, on a real store."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from liuyu.basin.errors import BadInput, InboxFull, NotFound, StoreFailed
from liuyu.monitor.sense.sl651 import (
    Dialect,
    Dialects,
    Framer,
    Group,
    Message,
    Orders,
    decode,
    element,
    encode,
    in_packets,
)
from liuyu.monitor.sense.sl651.messages import ACK, EOT, NAK
from liuyu.monitor.sense.stations import Limits, Received, StationServer
from tests.monitor.stations_bench import NOW, Caller, asides, basin_of, kept, raw, report, served, versions
from tests.store_sink import StoreSink

BASIN = basin_of(300)
LEVEL = ("60000000", 1, NOW - 300)


def test_a_report_is_confirmed_with_its_serial_number_and_kept(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> Message:
        async with Caller(port) as station:
            station.send(report(7))
            return await station.hear()

    said = served(tmp_path, BASIN, visit)
    assert (said.function, said.end, said.serial, said.sent, said.direction) == (0x32, EOT, 7, NOW, "down")
    assert kept(tmp_path, BASIN) == {LEVEL: 28.96}
    assert raw(tmp_path) == [encode(report(7))]


def test_a_duplicate_is_confirmed_again_and_stored_once(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> list[int | None]:
        async with Caller(port) as station:
            station.send(report(7), report(7))
            told = [(await station.hear()).serial for _ in range(2)]
        async with Caller(port) as again:
            again.send(report(7))
            return [*told, (await again.hear()).serial]

    assert served(tmp_path, BASIN, visit) == [7, 7, 7]
    assert kept(tmp_path, BASIN) == {LEVEL: 28.96}
    assert versions(tmp_path, "60000000", NOW - 300) == 0


def test_a_station_that_says_no_more_is_still_confirmed_and_then_hung_up(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> bytes:
        async with Caller(port) as station, asyncio.timeout(5):
            station.send(report(7), report(8))
            station.writer.write_eof()
            return await station.reader.read(-1)

    assert [each.whole for each in Framer().feed(served(tmp_path, BASIN, visit))] == [True, True]


def test_a_heartbeat_is_not_answered(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> bool:
        async with Caller(port) as station:
            station.send(report(1, function=0x2F, groups=()))
            return await station.silence(0.2) and server.counts.heartbeats == 1

    assert served(tmp_path, BASIN, visit)


def test_several_stations_behind_one_connection_in_both_forms(tmp_path: Path) -> None:
    def spoken(number: int) -> Message:
        group = Group(
            station=f"00{60000000 + number}",
            category=72,
            observed=NOW - 300,
            elements=(element("39", 1.5, form="ascii"),),
        )
        return report(9, number=number, form="ascii", groups=(group,))

    async def visit(server: StationServer, port: int) -> set[tuple[str, str]]:
        async with Caller(port) as modem:
            modem.send(report(1, 1.0, 0), report(1, 2.0, 1), spoken(2))
            return {((said := await modem.hear()).station, said.form) for _ in range(3)}

    found = served(tmp_path, BASIN, visit)
    assert found == {("0060000000", "hex"), ("0060000001", "hex"), ("0060000002", "ascii")}
    assert {key[0]: value for key, value in kept(tmp_path, BASIN).items()} == {
        "60000000": 1.0,
        "60000001": 2.0,
        "60000002": 1.5,
    }


def test_noise_and_broken_frames_are_set_aside_with_the_reason_and_nothing_is_taken_from_them(tmp_path: Path) -> None:
    broken = bytearray(encode(report(3, 99.0, 1)))
    broken[25] ^= 1

    async def visit(server: StationServer, port: int) -> Message:
        async with Caller(port) as station:
            station.send(b"AT+CSQ\r\n", bytes(broken), report(4), report(5, direction="down"))
            return await station.hear()

    assert served(tmp_path, BASIN, visit).serial == 4
    assert list(kept(tmp_path, BASIN)) == [LEVEL]
    told = asides(tmp_path)
    assert {reason.partition(":")[0] for reason, _ in told} == {"start", "crc", "direction"}
    assert bytes(broken) in [payload for _, payload in told]


def test_unknown_stations_and_wrong_clocks_are_set_aside_and_confirmed(tmp_path: Path) -> None:
    late = report(3, sent=NOW - 3 * 86400)

    async def visit(server: StationServer, port: int) -> set[int | None]:
        async with Caller(port) as station:
            station.send(report(2, number=5000), late, report(4))
            return {(await station.hear()).serial for _ in range(3)}

    assert served(tmp_path, BASIN, visit) == {2, 3, 4}
    assert list(kept(tmp_path, BASIN)) == [LEVEL]
    found = {reason.partition(":")[0]: payload for reason, payload in asides(tmp_path)}
    assert found == {"station": encode(report(2, number=5000)), "clock": encode(late)}


def test_rain_is_kept_by_the_interval_of_the_station_and_the_days_sum_is_not(tmp_path: Path) -> None:
    values = tuple(element(name, value) for name, value in (("20", 9.0), ("22", 0.5), ("1A", 2.0), ("26", 210.5)))
    group = Group(station="0060000000", category=80, observed=NOW - 300, elements=values)

    async def visit(server: StationServer, port: int) -> Message:
        async with Caller(port) as station:
            station.send(report(2, groups=(group,)))
            return await station.hear()

    served(tmp_path, BASIN, visit)
    assert {key[1]: value for key, value in kept(tmp_path, BASIN).items()} == {6: 2.0, 7: 210.5}


def test_a_dialect_names_the_station_and_its_password(tmp_path: Path) -> None:
    dialects = Dialects([Dialect(address="00A1B2C3D4", code="60000003", password="1234")])
    group = Group(station="00A1B2C3D4", category=72, observed=NOW - 300, elements=(element("39", 3.5),))
    right = report(1, station="00A1B2C3D4", groups=(group,), password="1234")

    async def visit(server: StationServer, port: int) -> bool:
        async with Caller(port) as station:
            station.send(report(1, station="00A1B2C3D4", groups=(group,), password="4321"), right)
            return (await station.hear()).password == "1234" and await station.silence(0.1)

    assert served(tmp_path, BASIN, visit, dialects=dialects)
    assert kept(tmp_path, BASIN) == {("60000003", 1, NOW - 300): 3.5}
    assert [reason.partition(":")[0] for reason, _ in asides(tmp_path)] == ["password"]


def picture() -> tuple[list[Message], bytes]:
    """A picture in packets, and its bytes."""
    content = bytes(each % 251 for each in range(900))
    image = msgspec.structs.replace(element("F3", "picture"), raw=content)
    group = Group(station="0060000000", observed=NOW - 60, category=72, elements=(image,))
    return in_packets(report(9, function=0x36, groups=(group,)), 200), content


def test_missing_packets_of_a_picture_are_asked_for_and_the_whole_is_confirmed(tmp_path: Path) -> None:
    packets, content = picture()

    async def visit(server: StationServer, port: int) -> list[tuple[int, int]]:
        told = []
        async with Caller(port) as station:
            station.send(*[each for each in packets if each.packet and each.packet.number not in (2, 4)])
            while not told or told[-1][0] != EOT:
                said = await station.hear()
                told.append((said.end, said.packet.number if said.packet else 0))
                if said.end == NAK and said.packet:
                    station.send(packets[said.packet.number - 1])
            station.send(packets[-1])
            told.append(((await station.hear()).end, 0))
        return told

    told = served(tmp_path, BASIN, visit)
    assert {each for each in told if each[0] == NAK} == {(NAK, 2), (NAK, 4)}
    assert [end for end, _ in told].count(ACK) == 3
    assert [end for end, _ in told][-2:] == [EOT, EOT]
    (file,) = (tmp_path / "pictures" / "0060000000").iterdir()
    assert file.read_bytes() == content


def test_a_picture_whose_packets_never_come_is_given_up_after_two_requests(tmp_path: Path) -> None:
    packets, _ = picture()

    async def visit(server: StationServer, port: int) -> list[int]:
        asked = []
        async with Caller(port) as station:
            station.send(packets[0], packets[2])
            while server.counts.lost == 0:
                if not await station.silence(0.1):
                    continue
            asked.append(server.counts.lost)
        return asked

    assert served(tmp_path, BASIN, visit, limits=Limits(packet_wait=0)) == [1]
    lost = [payload for reason, payload in asides(tmp_path) if reason.startswith("packets: 2 of")]
    assert sorted(lost) == sorted(encode(each) for each in (packets[0], packets[2]))


def test_udp_is_confirmed_to_where_it_came_from(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> bytes:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
            station.setblocking(False)
            await loop.sock_connect(station, ("127.0.0.1", port))
            await loop.sock_sendall(station, encode(report(11)))
            return await asyncio.wait_for(loop.sock_recv(station, 2048), 5)

    said = decode(served(tmp_path, BASIN, visit))
    assert isinstance(said, Message)
    assert (said.serial, said.end) == (11, EOT)
    assert list(kept(tmp_path, BASIN)) == [LEVEL]


class Failing:
    """A sink on a disk that is full for a while."""

    def __init__(self, sink: StoreSink, times: int) -> None:
        self.sink, self.times = sink, times

    def keep(self, received: Sequence[Received]) -> None:
        """Fail, or pass on."""
        self.times -= 1
        if self.times >= 0:
            raise StoreFailed("the disk is full; make room")
        self.sink.keep(received)


def test_nothing_is_confirmed_while_the_store_fails(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> tuple[bool, int, int]:
        async with Caller(port) as station:
            station.send(report(5))
            silent = await station.silence(0.3)
            station.send(report(5))
            return silent, (await station.hear()).serial or 0, server.counts.failed

    assert served(tmp_path, BASIN, visit, wrap=lambda sink: Failing(sink, 1)) == (True, 5, 1)
    assert list(kept(tmp_path, BASIN)) == [LEVEL]


class Choking(Failing):
    """A sink with a fault in its own code that one frame brings out."""

    def keep(self, received: Sequence[Received]) -> None:
        """Choke on serial number 13."""
        if any(each.head and each.head.serial == 13 for each in received):
            raise ZeroDivisionError("13")
        self.sink.keep(received)


def test_a_frame_that_the_sink_chokes_on_holds_nobody_up(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> set[int | None]:
        async with Caller(port) as station:
            station.send(report(12, 1.0, 1), report(13, 2.0, 2), report(14, 3.0, 3))
            return {(await station.hear()).serial for _ in range(3)}

    assert served(tmp_path, BASIN, visit, wrap=lambda sink: Choking(sink, 0)) == {12, 13, 14}
    assert {key[0] for key in kept(tmp_path, BASIN)} == {"60000001", "60000003"}
    assert [payload for reason, payload in asides(tmp_path) if "ZeroDivision" in reason] == [encode(report(13, 2.0, 2))]


def test_sockets_are_left_unread_while_too_much_waits_and_nothing_is_lost(tmp_path: Path) -> None:
    limits = Limits(queue=40, group=20, unconfirmed=15)
    messages = [report(serial + 1, 1.0 + serial, serial % 300) for serial in range(300)]

    async def visit(server: StationServer, port: int) -> tuple[set[int | None], int]:
        async with Caller(port) as one, Caller(port) as other:
            for at in range(0, 300, 10):
                (one if at % 20 else other).send(*messages[at : at + 10])
                await asyncio.sleep(0)
            heard = {(await each.hear()).serial for each in (one, other) for _ in range(150)}
            return heard, server.counts.pauses

    heard, pauses = served(tmp_path, BASIN, visit, limits=limits)
    assert len(heard) == len(kept(tmp_path, BASIN)) == 300
    assert pauses > 0


def test_limits_turn_away_cut_off_and_close_the_idle(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> list[bytes]:
        async with Caller(port) as first:
            async with Caller(port) as second:
                turned_away = await second.reader.read(10)
            first.send(b"\x00" * 2000)
            try:
                cut = await first.reader.read(10)
            except ConnectionResetError:
                cut = b""
        async with asyncio.timeout(5):
            while server.counts.connections:
                await asyncio.sleep(0.01)
        async with Caller(port) as idle, asyncio.timeout(5):
            return [turned_away, cut, await idle.reader.read(10)]

    assert served(tmp_path, BASIN, visit, limits=Limits(connections=1, noise=1000, idle=0.5)) == [b"", b"", b""]


def test_a_stop_keeps_and_confirms_what_has_come(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> int:
        async with Caller(port) as station:
            station.send(*[report(serial + 1, 1.0, serial) for serial in range(200)])
            while server.counts.frames < 200:
                await asyncio.sleep(0)
            await server.stop()
            framer, data = Framer(), await station.reader.read(-1)
            return len(framer.feed(data))

    assert served(tmp_path, BASIN, visit, limits=Limits(group_wait=0.05)) == len(kept(tmp_path, BASIN)) == 200


def test_an_order_reaches_the_station_where_it_was_last_heard(tmp_path: Path) -> None:
    orders = Orders("0060000000")

    async def visit(server: StationServer, port: int) -> tuple[Message, int]:
        async with Caller(port) as old, Caller(port) as station:
            old.send(report(1))
            await old.hear()
            station.send(report(2))
            await station.hear()
            asking = asyncio.create_task(server.order(orders.present(NOW), 5.0))
            asked = await station.hear()
            with pytest.raises(BadInput, match="under way"):
                await server.order(orders.present(NOW), 5.0)
            station.send(report(3, 31.5, function=0x37))
            return await asking, asked.function

    answer, asked = served(tmp_path, BASIN, visit)
    assert asked == 0x37
    assert [each.values for _, each in answer.elements()] == [(31.5,)]
    assert kept(tmp_path, BASIN) == {LEVEL: 31.5}


def test_an_order_to_who_is_away_or_silent_says_so(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> None:
        with pytest.raises(NotFound, match="0060000009 is not on line"):
            await server.order(Orders("0060000009").clock(NOW))
        async with Caller(port) as station:
            station.send(report(1))
            await station.hear()
            assert server.stations == ("0060000000",)
            with pytest.raises(NotFound, match="did not answer 51H within"):
                await server.order(Orders("0060000000").clock(NOW), 0.1)

    served(tmp_path, BASIN, visit)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> None:
        with pytest.raises(BadInput, match=f"cannot listen on 127.0.0.1:{port}"):
            await server.start(port=port)

    served(tmp_path, BASIN, visit)


class Full(Failing):
    """A sink that has no room for a while."""

    def keep(self, received: Sequence[Received]) -> None:
        """Refuse for want of room, or pass on."""
        self.times -= 1
        if self.times >= 0:
            raise InboxFull("the inbox is full; wait")
        self.sink.keep(received)


def test_a_full_sink_leaves_connections_unread_and_everything_is_confirmed_once_there_is_room(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> tuple[bool, set[int | None], int, int]:
        async with Caller(port) as station:
            station.send(report(1, 1.0, 0))
            silent = await station.silence(0.1)
            for serial in range(2, 200):
                station.send(report(serial, 1.0, serial))
                await asyncio.sleep(0)
            heard = {(await station.hear()).serial for _ in range(199)}
            return silent, heard, server.counts.pauses, server.counts.failed

    limits = Limits(retry_wait=0.05)
    silent, heard, pauses, failed = served(tmp_path, BASIN, visit, wrap=lambda sink: Full(sink, 5), limits=limits)
    assert silent
    assert heard == set(range(1, 200)), "each once, with no need to send again"
    assert (pauses > 0, failed) == (True, 0)
    assert len(raw(tmp_path)) == 199
    assert len(kept(tmp_path, BASIN)) == 199


def test_a_full_sink_lets_datagrams_go_unconfirmed_and_counted_and_the_station_sends_again(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> tuple[int, bytes]:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as station:
            station.setblocking(False)
            await loop.sock_connect(station, ("127.0.0.1", port))
            await loop.sock_sendall(station, encode(report(11)))
            while server.counts.dropped == 0:
                await asyncio.sleep(0.01)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(loop.sock_recv(station, 2048), 0.1)
            while True:
                await loop.sock_sendall(station, encode(report(11)))
                try:
                    return server.counts.dropped, await asyncio.wait_for(loop.sock_recv(station, 2048), 0.1)
                except TimeoutError:
                    continue

    limits = Limits(retry_wait=0.05)
    dropped, answer = served(tmp_path, BASIN, visit, wrap=lambda sink: Full(sink, 1), limits=limits)
    said = decode(answer)
    assert isinstance(said, Message)
    assert (said.serial, said.end) == (11, EOT)
    assert dropped >= 1
    assert list(kept(tmp_path, BASIN)) == [LEVEL]
