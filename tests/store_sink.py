"""A sink of the station server that needs no inbox and no loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from liuyu.app.ingest import Frames
from liuyu.basin.places import Basin
from liuyu.monitor.sense.sl651 import Dialects
from liuyu.monitor.sense.stations import Received
from liuyu.store.interface import Store


class StoreSink:
    """Keeps readings in a store at once: a server is tested without the loop. Satisfies `Sink`."""

    def __init__(
        self,
        store: Store,
        basin: Basin,
        dialects: Dialects | None = None,
        *,
        pictures: Path | None = None,
        check_clock: bool = True,
    ) -> None:
        self._store = store
        self._frames = Frames(basin, dialects, pictures=pictures, check_clock=check_clock)

    def keep(self, received: Sequence[Received]) -> None:
        """Write the values of a group, and set aside what has none to write."""
        if not received:
            return
        parcel = self._frames.parcel(received)
        with self._store.transaction():
            self._store.write(parcel.batch, received=parcel.received)
            for each in parcel.asides:
                self._store.set_aside(each.source, each.reason, each.payload, received=parcel.received)
