"""The inbox in a folder: append-only files that several processes may write and one loop reads.

folder/
├── lock                    held while a process writes, or reads the newest file
└── 000000000001.inbox      records from place 1 on (segments.py); the oldest go when the loop has made them durable

Whoever writes holds the lock until its records are on the disk, so that a reader never takes what a power cut could
still undo. What several threads put meanwhile goes in one write.
"""

from __future__ import annotations

import fcntl
import itertools
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from liuyu.basin.errors import BadInput, InboxFull, StoreFailed
from liuyu.basin.series import Roster
from liuyu.store.inbox.interface import Parcel, Placed
from liuyu.store.inbox.parcels import pack, unpack_any
from liuyu.store.inbox.segments import (
    MAGIC,
    Record,
    Segment,
    begin,
    packed,
    records,
    repair,
    segments,
    sync_folder,
)

SEGMENTS = 16  # that `most` is divided into
LARGEST = 32 << 20
OVERHEAD = 64  # bytes of a record beside its parcel and key, at most
REMEMBERED = 100_000
_log = logging.getLogger("liuyu.inbox")


@dataclass(slots=True)
class _Ticket:
    """What one caller wants to be kept, and what became of it."""

    records: list[tuple[int, bytes, bytes]]
    last: int = 0
    fault: StoreFailed | None = None
    done: bool = False


@dataclass(slots=True)
class _End:
    """Where the next record goes: as this process knows it, to be held against the files each time."""

    segment: Segment
    size: int
    next: int


class FileInbox:
    """Satisfies `Inbox`. A key is remembered as long as its record is kept, and 100,000 keys at most.

    most: bytes that may wait; beyond them `put` raises InboxFull. Raises StoreFailed where the folder cannot be used.
    """

    def __init__(self, folder: Path, roster: Roster, *, most: int) -> None:
        if most < 4096:
            raise BadInput(f"an inbox of {most} bytes holds nothing; give it 4096 or more")
        self.folder, self._roster, self._most = folder, roster, most
        self._roll = min(max(most // SEGMENTS, 1024), LARGEST)
        self._tickets: deque[_Ticket] = deque()
        self._writing = threading.Lock()
        self._reading = threading.Lock()
        self._keys: dict[bytes, int] = {}
        self._cursor: tuple[int, int, int] = (-1, 0, 0)  # segment, byte, and the place of the record there
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                if not segments(folder):
                    begin(folder, 1)
                self._end = self._recall()
        except OSError as error:
            raise StoreFailed(f"inbox {folder} cannot be used ({error}); look at its disk and rights") from None

    # writing

    def put(self, parcels: Sequence[Parcel]) -> int:
        """Keep parcels durably, all or none; returns the place of the last. Raises InboxFull, StoreFailed."""
        ticket = _Ticket([(len(each.batch), each.key.encode(), pack(each)) for each in parcels])
        self._tickets.append(ticket)
        with self._writing:
            if not ticket.done:
                self._put_all([self._tickets.popleft() for _ in range(len(self._tickets))])
        if ticket.fault is not None:
            raise ticket.fault
        return ticket.last

    def _put_all(self, tickets: list[_Ticket]) -> None:
        """Keep what all callers want who wait, in one write."""
        try:
            with self._locked():
                self._catch_up()
                room = self._most - sum(each.size for each in segments(self.folder))
                self._append(self._admitted(tickets, room))
        except (OSError, StoreFailed) as error:
            for each in tickets:
                each.fault = each.fault or StoreFailed(f"inbox {self.folder} cannot keep what came ({error})")
        for each in tickets:
            each.done = True

    def _admitted(self, tickets: list[_Ticket], room: int) -> list[_Ticket]:
        """Those for which there is room, in their order; the others are refused."""
        admitted = []
        for each in tickets:
            size = sum(len(key) + len(parcel) + OVERHEAD for _, key, parcel in each.records)
            if size > room:
                each.fault = InboxFull(
                    f"inbox {self.folder} has {max(room, 0)} bytes left of {self._most}, {size} are needed; "
                    "let the loop catch up, or give it more room, then deliver again"
                )
                continue
            room -= size
            admitted.append(each)
        return admitted

    def _append(self, tickets: list[_Ticket]) -> None:
        """Write the records of some callers behind the last and force them to the disk; all of them or none."""
        place, chunks, keys = self._end.next, [], dict[bytes, int]()
        lasts = []
        for ticket in tickets:
            last = place - 1
            for values, key, parcel in ticket.records:
                known = (self._keys.get(key) or keys.get(key)) if key else None
                last = known if known is not None else place
                if known is None:
                    chunks.append(packed(place, values, key, parcel))
                    keys |= {key: place} if key else {}
                    place += 1
            lasts.append(last)
        if chunks:
            self._write(b"".join(chunks), place)
            self._remember(keys)
        for ticket, last in zip(tickets, lasts, strict=True):
            ticket.last = last

    def _write(self, data: bytes, following: int) -> None:
        if self._end.size >= self._roll:
            self._end = _End(fresh := begin(self.folder, self._end.next), fresh.size, self._end.next)
        handle = os.open(self._end.segment.file, os.O_WRONLY | os.O_APPEND)
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(handle, left) :]
            os.fdatasync(handle)
        except OSError:
            os.ftruncate(handle, self._end.size)
            raise
        finally:
            os.close(handle)
        self._end.size, self._end.next = self._end.size + len(data), following

    def _remember(self, keys: dict[bytes, int]) -> None:
        self._keys |= keys
        while len(self._keys) > REMEMBERED:
            self._keys.pop(next(iter(self._keys)))

    def _catch_up(self) -> None:
        """Take in what other processes have written since, and repair what one of them left half done."""
        newest = segments(self.folder)[-1]
        if newest.file == self._end.segment.file and newest.size == self._end.size:
            return
        self._end = self._recall(self._end)

    def _recall(self, known: _End | None = None) -> _End:
        """Where the records end, read from the files; from where this process knows of, if it does. Under the lock."""
        every = segments(self.folder)
        if not every:
            raise StoreFailed(f"inbox {self.folder} lost its files while it was open; start again")
        end = known if known and any(each.file == known.segment.file for each in every) else None
        for each in [one for one in every if end is None or one.first >= end.segment.first]:
            start = end if end and end.segment.file == each.file else _End(each, len(MAGIC), each.first)
            sound, following, keys = min(start.size, each.size), start.next, dict[bytes, int]()
            for record in records(each, start.size if start.size > len(MAGIC) else 0, start.next):
                sound, following = record.end, record.place + 1
                keys |= {record.key: record.place} if record.key else {}
            self._remember(keys)
            end = _End(each, sound, following)
            if sound < each.size or each.size < len(MAGIC):
                self._mend(each, sound, newest=each is every[-1])
                end.size = max(sound, len(MAGIC))
        assert end is not None
        return end

    def _mend(self, segment: Segment, sound: int, *, newest: bool) -> None:
        if not newest:
            raise self._damage(segment, sound)
        _log.warning("%s ended with part of a record, which nobody was told was kept; it is taken off", segment.file)
        repair(segment, sound)

    @staticmethod
    def _damage(segment: Segment, sound: int) -> StoreFailed:
        return StoreFailed(
            f"{segment.file} is damaged at byte {sound}; restore it, or move it away to go on without its parcels"
        )

    # reading

    def take(self, after: int, *, limit: int = 50_000) -> list[Placed]:
        """Parcels beyond a place, in order, until together they hold `limit` values; empty where there are none."""
        try:
            with self._reading, self._locked():
                taken = self._taken(after, limit)
        except OSError as error:
            raise StoreFailed(f"inbox {self.folder} cannot be read ({error}); look at its disk") from None
        return [Placed(each.place, unpack_any(each.parcel, self._roster)) for each in taken]

    def _taken(self, after: int, limit: int) -> list[Record]:
        found: list[Record] = []
        held = 0
        every = segments(self.folder)
        begun = max(0, sum(each.first <= after + 1 for each in every) - 1)
        for each, follows in itertools.zip_longest(every[begun:], every[begun + 1 :]):
            at = self._cursor[1:] if self._cursor[0] == each.first and self._cursor[2] <= after + 1 else (0, 0)
            self._cursor = (each.first, *at) if any(at) else (each.first, len(MAGIC), each.first)
            for record in records(each, *at):
                self._cursor = (each.first, record.end, record.place + 1)
                if record.place > after:
                    found.append(record)
                    held += record.values
                if held >= limit:
                    return found
            if follows and self._cursor[2] != follows.first:
                raise self._damage(each, self._cursor[1])
        return found

    def forget(self, until: int) -> None:
        """Let go of parcels up to a place. Whole files go; the newest one stays until it has been followed."""
        try:
            with self._writing, self._locked():
                self._catch_up()
                if until >= self._end.next - 1 and self._end.size > max(self._roll // 4, len(MAGIC)):
                    self._end = _End(fresh := begin(self.folder, self._end.next), fresh.size, self._end.next)
                every = segments(self.folder)
                gone = [each for each, after in itertools.pairwise(every) if after.first <= until + 1]
                for each in gone:
                    each.file.unlink()
                if gone:
                    sync_folder(self.folder)
                    first = every[len(gone)].first
                    self._keys = {key: place for key, place in self._keys.items() if place >= first}
        except OSError as error:
            raise StoreFailed(f"inbox {self.folder} cannot let go of old files ({error}); look at its disk") from None

    def waiting(self, after: int) -> int:
        """How many parcels stand beyond a place."""
        with self._writing, self._locked():
            self._catch_up()
            first = segments(self.folder)[0].first
            return max(0, self._end.next - 1 - max(after, first - 1))

    def close(self) -> None:
        """Nothing stays open between calls; what was put stays."""

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among all processes and threads that have the folder open."""
        handle = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
