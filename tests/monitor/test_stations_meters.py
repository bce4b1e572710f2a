"""Meters of SZY 206 and stations of SL 651 on one port: each is understood and confirmed in its own protocol."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialect, Dialects, encode
from liuyu.monitor.sense.stations import StationServer
from liuyu.monitor.sense.stations.links import Cutter
from tests.monitor.stations_bench import NOW, Caller, asides, basin_of, kept, raw, report, served

BASIN = basin_of(3)
METER = "5303810D00"
KNOWN = Dialects([Dialect(address=METER, code="60000002")])
LEVEL = szy206.encode(szy206.report(METER, 2, [12.5], szy206.stamp_of(NOW - 60)))
FLOW = szy206.encode(szy206.report(METER, 3, [5.9], szy206.stamp_of(NOW - 60, long=False), volumes=[106_182.0]))
STATION = encode(report(1))


def cut(*chunks: bytes) -> tuple[list[tuple[bytes, bool]], str]:
    cutter = Cutter()
    pieces = [tuple(each) for chunk in chunks for each in cutter.feed(chunk)]
    return pieces + [tuple(each) for each in cutter.close()], cutter.protocol


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_a_stream_is_cut_by_the_protocol_with_which_it_begins(size: int) -> None:
    for stream, protocol in ((LEVEL + FLOW, "szy206"), (STATION + STATION, "sl651")):
        chunks = [stream[at : at + size] for at in range(0, len(stream), size)]
        pieces, found = cut(*chunks)
        assert (found, b"".join(data for data, _ in pieces)) == (protocol, stream)
        assert [whole for _, whole in pieces] == [True, True]


def test_noise_before_the_first_frame_does_not_hide_it() -> None:
    assert cut(b"+CREG: 1\r\n" + LEVEL)[0][-1] == (LEVEL, True)
    assert cut(b"\x68\x01\x68" + STATION)[0][-1] == (STATION, True)
    assert cut(b"\x68") == ([(b"\x68", False)], "sl651")


def answers(frames: list[bytes], folder: Path) -> list[szy206.Message]:
    """What the centre answers to frames of meters on one connection."""

    async def visit(server: StationServer, port: int) -> list[szy206.Message]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"".join(frames))
        writer.write_eof()
        async with asyncio.timeout(5):
            heard = szy206.Framer().feed(await reader.read(-1))
        writer.close()
        said = [szy206.decode(data) for data, _ in heard]
        return [each for each in said if isinstance(each, szy206.Message)]

    return served(folder, BASIN, visit, dialects=KNOWN)


def test_meters_are_kept_under_their_own_quantities_and_confirmed(tmp_path: Path) -> None:
    told = answers([LEVEL, FLOW, szy206.encode(szy206.heartbeat(METER))], tmp_path)
    assert [(each.function, each.direction, each.data) for each in told] == [
        (0xC0, "down", b"\0"), (0xC0, "down", b"\0"), (0x02, "down", b"\0"),
    ]  # fmt: skip
    assert kept(tmp_path, BASIN) == {("60000002", 1, NOW - 60): 12.5, ("60000002", 2, NOW - 60): 5.9}
    assert raw(tmp_path)[:2] == [LEVEL, FLOW]


def test_a_broken_meter_frame_and_an_unknown_meter_are_set_aside(tmp_path: Path) -> None:
    broken = LEVEL[:-2] + bytes([LEVEL[-2] ^ 1]) + LEVEL[-1:]
    stranger = szy206.encode(szy206.report("5303810E00", 2, [1.0], szy206.stamp_of(NOW)))
    told = answers([LEVEL, broken, stranger], tmp_path)
    assert [each.station for each in told] == [METER, "5303810E00"]
    found = {reason.partition(":")[0]: payload for reason, payload in asides(tmp_path)}
    assert found == {"crc": broken, "station": stranger}


def test_rain_and_volume_stay_in_the_raw_log(tmp_path: Path) -> None:
    rain = szy206.encode(szy206.report(METER, 1, [3.5], szy206.stamp_of(NOW - 60)))
    assert len(answers([rain], tmp_path)) == 1
    assert (kept(tmp_path, BASIN), raw(tmp_path)) == ({}, [rain])


def test_both_protocols_share_the_port_over_tcp_and_udp(tmp_path: Path) -> None:
    async def visit(server: StationServer, port: int) -> tuple[int | None, bytes]:
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as meter:
            meter.setblocking(False)
            await loop.sock_connect(meter, ("127.0.0.1", port))
            await loop.sock_sendall(meter, LEVEL)
            answer = await asyncio.wait_for(loop.sock_recv(meter, 2048), 5)
        async with Caller(port) as station:
            station.send(report(4))
            return (await station.hear()).serial, answer

    serial, answer = served(tmp_path, BASIN, visit, dialects=KNOWN)
    assert serial == 4
    assert isinstance(szy206.decode(answer), szy206.Message)
    assert set(kept(tmp_path, BASIN).values()) == {12.5, 28.96}
