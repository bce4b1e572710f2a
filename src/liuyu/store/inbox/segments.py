"""The files of an inbox: records one after another, each with its length and checksum.

A segment is named by the place of its first record, `000000000001.inbox`. A record is the length and CRC-32 of what
follows (4 bytes each, low byte first), then its place (8), the number of its values (4), the length of its key (2), the
key, and the parcel. A process that died may have left part of a record at the end of the last segment; the next one to
write takes it off. Whoever reads stops before it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from liuyu.basin.errors import StoreFailed

MAGIC = b"LIUYUBOX"
SUFFIX = ".inbox"
_HEAD = struct.Struct("<II")
_NOTE = struct.Struct("<QIH")
LONGEST = 1 << 30


class Record(NamedTuple):
    """A record as it stands in its segment, which it ends at byte `end` of."""

    place: int
    values: int
    key: bytes
    parcel: bytes
    end: int


class Segment(NamedTuple):
    """A segment in a folder: the place that its first record has or will have, its file, and its bytes."""

    first: int
    file: Path
    size: int


def segments(folder: Path) -> list[Segment]:
    """The segments of a folder, in order of their places."""
    found = []
    with os.scandir(folder) as entries:
        for each in entries:
            if each.name.endswith(SUFFIX):
                found.append(Segment(int(each.name.removesuffix(SUFFIX)), Path(each.path), each.stat().st_size))
    return sorted(found)


def begin(folder: Path, first: int) -> Segment:
    """A new segment for records from a place on, durable."""
    file = folder / f"{first:012d}{SUFFIX}"
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    try:
        os.write(handle, MAGIC)
        os.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(folder)
    return Segment(first, file, len(MAGIC))


def sync_folder(folder: Path) -> None:
    """Make the names of files in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def packed(place: int, values: int, key: bytes, parcel: bytes) -> bytes:
    """A record as bytes."""
    body = b"".join([_NOTE.pack(place, values, len(key)), key, parcel])
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def records(segment: Segment, start: int = 0, place: int = 0) -> Iterator[Record]:
    """The whole records of a segment, from a byte on where a record of a known place begins, or from the first.

    Raises StoreFailed where the file is no segment.
    """
    with segment.file.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC[: segment.size]:
            raise StoreFailed(f"{segment.file} is no segment of an inbox; move it out of the folder")
        at, expected = (start, place) if start else (len(MAGIC), segment.first)
        stream.seek(at)
        while (body := _body(stream.read(_HEAD.size), stream.read)) is not None:
            found, values, length = _NOTE.unpack_from(body)
            if found != expected:
                return
            at, expected = at + _HEAD.size + len(body), expected + 1
            parcel = _NOTE.size + length
            yield Record(found, values, body[_NOTE.size : parcel], body[parcel:], at)


def repair(segment: Segment, sound: int) -> None:
    """Take what stands behind the last whole record off a segment; the bytes go to a file with `.torn` beside it."""
    with segment.file.open("r+b") as stream:
        stream.seek(sound)
        torn = stream.read()
        with segment.file.with_suffix(".torn").open("ab") as aside:
            aside.write(torn)
        stream.truncate(sound)
        if sound < len(MAGIC):
            stream.seek(0)
            stream.write(MAGIC)
        stream.flush()
        os.fsync(stream.fileno())


def _body(head: bytes, read: Callable[[int], bytes]) -> bytes | None:
    """What a record holds behind its head, None where it is not whole."""
    if len(head) < _HEAD.size:
        return None
    length, code = _HEAD.unpack(head)
    if not _NOTE.size <= length <= LONGEST:
        return None
    body = read(length)
    return body if len(body) == length and zlib.crc32(body) == code else None
