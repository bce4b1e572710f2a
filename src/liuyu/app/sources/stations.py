"""`kind = "stations"`: stations of SL 651 that report over TCP and UDP, each confirmed once its reading is durable."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Annotated

import msgspec

from liuyu.app.ingest import Frames, InboxSink
from liuyu.app.letters import reread_frames
from liuyu.app.orders import Orders
from liuyu.app.sources import source
from liuyu.app.sources.source import Place, Wrong
from liuyu.monitor.sense.sl651 import Dialects, read_dialects
from liuyu.monitor.sense.stations import Limits, RawLog, StationServer
from liuyu.store.inbox.interface import Parcel


class Settings(source.Settings, frozen=True, kw_only=True):
    """Where it listens, the files of dialects, and whether stations' clocks are held against this machine's."""

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 6510
    dialects: tuple[str, ...] = ()
    any_clock: bool = False

    def faults(self) -> Iterator[Wrong]:
        """Files that are not there."""
        for each in self.dialects:
            if not Path(each).is_file():
                yield "dialects", f"{each} is no file", "name TOML files of dialects"


class Stations:
    """Satisfies `Source`."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name, self._settings, self._clock = settings.title, settings, place.clock
        self._dialects = read_dialects([Path(each) for each in settings.dialects]) if settings.dialects else Dialects()
        self._folder = place.folder
        frames = Frames(
            place.basin,
            self._dialects,
            source=self.name,
            pictures=self._folder / "pictures",
            check_clock=not settings.any_clock,
        )
        self._sink = InboxSink(place.inbox, frames)
        self._port: Future[int] = Future()
        self._server: StationServer | None = None
        self._frames = frames
        self.orders = Orders(place.store, place.basin, self._dialects, place.clock) if place.store else None

    def run(self, stop: threading.Event) -> None:
        """Listen until told to stop; what has come by then is kept and confirmed."""
        try:
            asyncio.run(self._serve(stop))
        except Exception as error:
            if not self._port.done():
                self._port.set_exception(error)
                return
            raise

    def started(self, patience: float) -> str:
        """Wait until it listens. Raises BadInput where the port is taken."""
        return f"{self._settings.host}:{self._port.result(patience)}"

    def counts(self) -> Mapping[str, int]:
        """Those of the server, and values and asides delivered."""
        server: dict[str, int] = msgspec.to_builtins(self._server.counts) if self._server else {}
        return {**server, **self._sink.counts}

    def again(self, kept: bytes, received: int) -> Parcel:
        """Frames that were set aside, read once more."""
        return reread_frames(self._frames.parcel, self._dialects)(self.name, kept, received)

    async def _serve(self, stop: threading.Event) -> None:
        server = StationServer(
            self._sink, self._clock, raw=RawLog(self._folder / "raw"), dialects=self._dialects, limits=Limits()
        )
        port = await server.start(self._settings.host, self._settings.port)
        self._server = server
        if not self._port.done():
            self._port.set_result(port)
        ordering = asyncio.create_task(self.orders.serve(server)) if self.orders else None
        await asyncio.to_thread(stop.wait)
        if ordering is not None:
            ordering.cancel()
            await asyncio.gather(ordering, return_exceptions=True)
        await server.stop()


def open_source(settings: Settings, place: Place) -> Stations:
    """The server, not yet listening."""
    return Stations(settings, place)
