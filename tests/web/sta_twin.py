"""A twin that takes what is delivered: a real store, a real inbox of files, and a loop that is stepped by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from looptwin import LoopTwin
from small_river import make_basin, make_twin, serving

from liuyu.basin.clock import epoch
from liuyu.basin.errors import InboxFull
from liuyu.basin.places import Basin
from liuyu.monitor.gather import Gather
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.web.ports import ClockState


class DoorTwin(LoopTwin):
    """A LoopTwin with a door. `step` does what the loop does at its beginning: take, gather, keep, forget."""

    def __init__(self, basin: Basin, store: Store, clock: ClockState, folder: Path) -> None:
        super().__init__(basin, store, clock)
        self.inbox = FileInbox(folder / "inbox", basin.roster, most=64 << 20)
        self.full = False
        self.delivered: list[Parcel] = []
        self._gather = Gather(basin)
        self._taken = 0

    def deliver(self, parcel: Parcel) -> None:
        """Keep a parcel in the inbox."""
        if self.full:
            raise InboxFull(f"the inbox of {self.basin.code} is full; deliver again later")
        self.inbox.put([parcel])
        self.delivered.append(parcel)

    def step(self) -> int:
        """Take what waits into the store; returns how many values it held."""
        count, now = 0, epoch(self.clock().now)
        for placed in self.inbox.take(self._taken):
            with self.store.transaction():
                self.store.write(self._gather.step(placed.parcel.batch, now).batch, received=placed.parcel.received)
            count += len(placed.parcel.batch)
            self._taken = placed.place
        self.inbox.forget(self._taken)
        return count


def make_door_twin(folder: Path, *, values: bool = True) -> DoorTwin:
    """The small river's twin, with a door."""
    made = make_twin(folder, values=values)
    return DoorTwin(made.basin, made.store, made.clock(), folder)


def reopened(twin: DoorTwin, folder: Path) -> DoorTwin:
    """The same twin after its process was killed: nothing but what lies on the disk."""
    twin.store.close()
    twin.inbox.close()
    return DoorTwin(make_basin(folder / "package"), open_store(folder / "store"), twin.clock(), folder)


@contextmanager
def client_of(twin: LoopTwin, name: str = "administrator") -> Iterator[httpx.Client]:
    """A client of a server over a twin, with a name and password."""
    with (
        serving(twin) as url,
        httpx.Client(base_url=url + "/sta/v1.1/", timeout=30, auth=(name, name) if name else None) as client,
    ):
        yield client
