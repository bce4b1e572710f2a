"""What every source has in common: its settings, what it is given, and what it does."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from liuyu.basin.errors import InboxFull, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.store.inbox.interface import Inbox, Parcel
from liuyu.store.interface import Store

Wrong = tuple[str, str, str]
LONGEST_WAIT = 60.0


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each `[[sources]]` table may say. `rank`: of two sources that tell the same value, the higher counts."""

    kind: str
    name: str = ""
    rank: int = 0

    @property
    def title(self) -> str:
        """Its name, or that of its kind."""
        return self.name or self.kind

    def faults(self) -> Iterator[Wrong]:
        """What the types do not tell: key, problem and cure."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Place:
    """What a source is given: basin, inbox, a folder of its own, the clock [s UTC], and who hears its events.

    `store` is that of the twin, None where there is none beside the inbox.
    """

    basin: Basin
    inbox: Inbox
    folder: Path
    clock: Callable[[], int]
    tell: Callable[[Sequence[Event]], None]
    store: Store | None = None


class Source(Protocol):
    """A source at work: `run` is the body of a thread."""

    name: str

    def run(self, stop: threading.Event) -> None:
        """Deliver what is observed until told to stop. What it raises is logged, and it is run again later."""
        ...

    def started(self, patience: float) -> str:
        """Wait until it runs, and say where in a few words. Raises BadInput where it cannot."""
        ...

    def counts(self) -> Mapping[str, int]:
        """What has happened since the start."""
        ...

    def again(self, kept: bytes, received: int) -> Parcel:
        """Something of its that was set aside, read once more. Raises BadInput where that cannot be."""
        ...


def deliver(inbox: Inbox, parcel: Parcel, stop: threading.Event) -> bool:
    """Put a parcel, again and again while the inbox has no room or no disk; False where it was told to stop before."""
    wait = 0.5
    while True:
        try:
            inbox.put([parcel])
        except (InboxFull, StoreFailed):
            if stop.wait(wait):
                return False
            wait = min(2 * wait, LONGEST_WAIT)
        else:
            return True


def write_durably(file: Path, data: bytes) -> None:
    """Write a small file so that it is there as a whole or not at all, after a power cut too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".part")
    with draft.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
