"""A station server on a real store, for tests: a basin of made-up stations, and what its store holds afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantities
from liuyu.monitor.sense.fleet.scripts import FIRST, Report
from liuyu.monitor.sense.sl651 import Dialects, Framer, Group, Message, decode, element, encode
from liuyu.monitor.sense.stations import Limits, RawLog, StationServer, read_raw
from liuyu.store.sqlite import SqliteStore, open_store
from tests.store_sink import StoreSink

NOW = 1_782_856_800
NUMBER = {each.sl651: each.number for each in quantities() if each.sl651}
T = TypeVar("T")


def basin_of(count: int) -> Basin:
    """A basin of `count` stations, 60000000 and on."""
    names = (f"{FIRST + each:08d}" for each in range(count))
    stations = tuple(Station(code=each, name=each, name_en=each, position=(110.0, 30.0)) for each in names)
    return Basin(
        code="many", name="多", name_en="Many", time_zone="Asia/Shanghai", synthetic=True, folder="", stations=stations
    )


def served(
    folder: Path,
    basin: Basin,
    visit: Callable[[StationServer, int], Awaitable[T]],
    *,
    limits: Limits | None = None,
    dialects: Dialects | None = None,
    wrap: Callable[[StoreSink], object] = lambda sink: sink,
) -> T:
    """What a visit to a server at `folder` gives; the server is stopped behind it."""

    async def run(store: SqliteStore) -> T:
        sink = wrap(StoreSink(store, basin, dialects, pictures=folder / "pictures"))
        server = StationServer(
            sink,
            lambda: NOW,
            raw=RawLog(folder / "raw"),
            limits=limits,
            dialects=dialects,  # type: ignore[arg-type]
        )
        port = await server.start()
        try:
            return await visit(server, port)
        finally:
            await server.stop()

    with closing(open_store(folder / "store")) as store:
        return asyncio.run(run(store))


def report(serial: int = 1, level: float = 28.96, number: int = 0, **facts: object) -> Message:
    """A timed report of one level, five minutes ago."""
    group = Group(station=f"00{FIRST + number:08d}", category=72, observed=NOW - 300, elements=(element("39", level),))
    whole = {"function": 0x32, "groups": (group,), "serial": serial, "sent": NOW, "station": group.station, **facts}
    return Message(**whole)  # type: ignore[arg-type]


class Caller:
    """A station's end of a connection, driven by hand."""

    def __init__(self, port: int) -> None:
        self._port, self._framer, self._heard = port, Framer(), list[Message]()

    async def __aenter__(self) -> Caller:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    def send(self, *messages: Message | bytes) -> None:
        self.writer.write(b"".join(each if isinstance(each, bytes) else encode(each) for each in messages))

    async def hear(self, timeout: float = 5.0) -> Message:
        """The next message of the centre."""
        async with asyncio.timeout(timeout):
            while not self._heard:
                chunk = await self.reader.read(4096)
                assert chunk, "the server hung up"
                for piece in self._framer.feed(chunk):
                    said = decode(piece.data)
                    assert isinstance(said, Message)
                    self._heard.append(said)
        return self._heard.pop(0)

    async def silence(self, seconds: float) -> bool:
        """Whether nothing is heard for a while."""
        try:
            await self.hear(seconds)
        except TimeoutError:
            return True
        return False


def kept(folder: Path, basin: Basin) -> dict[tuple[str, int, int], float]:
    """Every observation in the store: value by code, number of the quantity, and time."""
    with closing(open_store(folder / "store", read_only=True)) as store:
        batch = store.window((), (), 0, 2**40, basin.roster)
        rows = zip(batch.station.tolist(), batch.quantity.tolist(), batch.time.tolist(), strict=True)
        keys = [(basin.roster.codes[station], number, time) for station, number, time in rows]
        assert len(set(keys)) == len(keys)
        return dict(zip(keys, batch.value.tolist(), strict=True))


def versions(folder: Path, code: str, time: int) -> int:
    """How often a level was corrected."""
    with closing(open_store(folder / "store", read_only=True)) as store:
        return len(store.versions(code, "water_level", time))


def asides(folder: Path) -> list[tuple[str, bytes]]:
    """What was set aside: reason and bytes."""
    with closing(open_store(folder / "store", read_only=True)) as store:
        return [(each["reason"], each["payload"]) for each in store.asides(limit=100_000)]


def raw(folder: Path) -> list[bytes]:
    """Every frame in the raw log."""
    return [each.frame for file in sorted((folder / "raw").glob("*.raw")) for each in read_raw(file)]


def wanted(reports: list[Report]) -> dict[tuple[str, int, int], float]:
    """What the store must hold of some reports."""
    return {(each.station[2:], NUMBER[name], each.observed): value for each in reports for name, value in each.values}
