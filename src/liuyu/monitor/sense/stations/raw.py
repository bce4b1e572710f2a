"""Every frame as it came, in one append-only file a day: what a decoder got wrong can be read again.

A record is its length and CRC-32 (4 bytes each, low byte first), then the time of arrival [s UTC] (8), the length of
the peer's name (2), the name, and the frame. A process that dies may leave half a record at the end of a file.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput

MAGIC = b"LIUYURAW"
_HEAD = struct.Struct("<II")
_FACTS = struct.Struct("<qH")
LONGEST = 1 << 24


class Kept(NamedTuple):
    """A frame out of the log: when it arrived [s UTC], from whom, and its bytes."""

    at: int
    peer: str
    frame: bytes


def read_raw(file: Path) -> Iterator[Kept]:
    """The frames of a file, in their order, up to its end or to half a record there. Raises BadInput for another file.

    The file may be written meanwhile.
    """
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise BadInput(f"{file} is no log of raw frames; give one that the station server wrote")
        while payload := _record(stream.read):
            at, length = _FACTS.unpack_from(payload)
            name = payload[_FACTS.size : _FACTS.size + length]
            yield Kept(at, name.decode(), payload[_FACTS.size + length :])


def repair(file: Path) -> int:
    """Take half a record off the end of a file; it moves to a file of the same name with `.torn`. Returns its bytes."""
    size, sound = file.stat().st_size, 0
    with file.open("rb") as stream:
        if stream.read(len(MAGIC)) == MAGIC:
            sound = stream.tell()
            while _record(stream.read):
                sound = stream.tell()
        stream.seek(sound)
        torn = stream.read()
    if torn:
        with file.with_suffix(file.suffix + ".torn").open("ab") as aside:
            aside.write(torn)
            aside.flush()
            os.fsync(aside.fileno())
        os.truncate(file, sound)
    return size - sound


def _record(read: Callable[[int], bytes]) -> bytes:
    """The next record, or nothing where there is none that is whole."""
    head = read(_HEAD.size)
    if len(head) < _HEAD.size:
        return b""
    length, code = _HEAD.unpack(head)
    if not _FACTS.size <= length <= LONGEST:
        return b""
    payload = read(length)
    return payload if len(payload) == length and zlib.crc32(payload) == code else b""


class RawLog:
    """Appends frames to the file of their day (UTC), durable when `append` returns. Not for several threads.

    >>> log = RawLog(folder)  # doctest: +SKIP
    >>> log.append([Kept(1594000200, "127.0.0.1:4000", frame)])  # doctest: +SKIP
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._day = ""
        self._file = -1
        self._size = 0
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, frames: Iterable[Kept]) -> None:
        """Write frames and force them to the disk. Raises OSError, and then none of them is in the file."""
        by_day: dict[str, list[bytes]] = {}
        for each in frames:
            by_day.setdefault(moment(each.at).strftime("%Y%m%d"), []).append(_packed(each))
        for day, records in by_day.items():
            self._open(day)
            self._write(b"".join(records))

    def close(self) -> None:
        """Let go of the file."""
        if self._file >= 0:
            os.close(self._file)
        self._file, self._day = -1, ""

    def _write(self, data: bytes) -> None:
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file, left) :]
            os.fdatasync(self._file)
        except OSError:
            os.ftruncate(self._file, self._size)
            raise
        self._size += len(data)

    def _open(self, day: str) -> None:
        if day == self._day:
            return
        self.close()
        path = self.folder / f"{day}.raw"
        if path.exists():
            repair(path)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        self._size, self._day = os.fstat(self._file).st_size, day
        if self._size == 0:
            self._write(MAGIC)
            folder = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


def _packed(each: Kept) -> bytes:
    name = each.peer.encode()[:0xFFFF]
    payload = _FACTS.pack(each.at, len(name)) + name + each.frame
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload
