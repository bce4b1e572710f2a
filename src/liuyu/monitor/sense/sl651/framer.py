"""Frames out of a stream of bytes in which anything may happen: noise, broken frames, a stray 7EH after a frame."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

from liuyu.monitor.sense.sl651.checks import crc16
from liuyu.monitor.sense.sl651.messages import ENDS, STX, SYN

PAUSE: Final = -1
_HEX_DIGITS = frozenset(b"0123456789ABCDEFabcdef")


class Piece(NamedTuple):
    """A stretch of the stream: a frame that arrived whole, or noise."""

    data: bytes
    whole: bool


class Framer:
    """Cuts a stream into frames of either form and the noise between them, however it is chunked.

    A frame is taken where its head is sound, its end mark stands where its length says, and its check code holds.
    What begins like a frame and is none comes as a piece of noise of its own, which `decode` gives the reason for.
    A damaged length cannot hold up the frames behind it: while one frame is awaited, a whole one behind it is proof
    that the first is noise. At most 4.2 kB wait for more.

    >>> framer = Framer()
    >>> frame = bytes.fromhex("7E7E01001234567812342F0008020003591011155111036BCA")
    >>> [piece.whole for piece in framer.feed(b"noise" + frame + frame[:9])]
    [False, True]
    """

    def __init__(self) -> None:
        self._buffer = b""
        self._failed: set[int] = set()
        self._after_frame = False

    @property
    def waiting(self) -> int:
        """Bytes kept until more arrive."""
        return len(self._buffer)

    def feed(self, chunk: bytes) -> list[Piece]:
        """Take the next bytes; the pieces that are certain now."""
        self._buffer += chunk
        return self._cut(closing=False)

    def close(self) -> list[Piece]:
        """The stream has ended; the pieces that are left."""
        return self._cut(closing=True)

    def _cut(self, *, closing: bool) -> list[Piece]:
        found: list[Piece] = []
        buffer, place = self._buffer, 0
        heads: list[int] = []
        awaited: int | None = None
        at = _candidate(buffer, 0)
        while at < len(buffer):
            size = 0 if at in self._failed else _extent(buffer, at)
            if size > 0 and _whole(buffer, at, size):
                found += self._noise(buffer, place, at, heads)
                found.append(Piece(buffer[at : at + size], True))
                self._after_frame = True
                place, heads, awaited = at + size, [], None
                at = _candidate(buffer, place)
                continue
            if size == PAUSE and not closing:
                awaited = at if awaited is None else awaited
            elif size > 0:
                self._failed.add(at)
            if size != 0 or at in self._failed:
                heads.append(at)
            at = _candidate(buffer, at + 1)
        keep = awaited if awaited is not None else len(buffer)
        found += self._noise(buffer, place, keep, [each for each in heads if each < keep])
        self._buffer = buffer[keep:]
        self._failed = {each - keep for each in self._failed if each >= keep}
        return found

    def _noise(self, buffer: bytes, start: int, stop: int, heads: list[int]) -> list[Piece]:
        """What lies between two frames, cut where something begins like a frame; 7EH behind a frame is no noise."""
        if self._after_frame:
            run = len(buffer[start:stop]) - len(buffer[start:stop].lstrip(b"\x7e"))
            start += run if start + run == stop else max(run - 2, 0) if run > 1 else run
        cuts = [start, *(each for each in heads if start < each < stop), stop]
        pieces = [Piece(buffer[a:b], False) for a, b in pairwise(cuts) if b > a]
        if pieces:
            self._after_frame = False
        return pieces


def _candidate(buffer: bytes, start: int) -> int:
    """The next place where a frame may begin, or the end."""
    one, two = buffer.find(b"\x7e", start), buffer.find(b"\x01", start)
    places = [each for each in (one, two) if each >= 0]
    return min(places) if places else len(buffer)


def _extent(buffer: bytes, at: int) -> int:
    """Bytes of the frame that begins here, 0 where none does, PAUSE where not enough has come to tell."""
    if buffer[at] == 0x7E:
        return _extent_hex(buffer, at)
    digits = buffer[at + 1 : at + 23]
    if not _HEX_DIGITS.issuperset(digits):
        return 0
    if at + 24 > len(buffer):
        return PAUSE
    if buffer[at + 19] not in b"08" or buffer[at + 23] not in (STX, SYN):
        return 0
    size = int(buffer[at + 20 : at + 23], 16)
    return _complete(buffer, at, 24, size, 4)


def _extent_hex(buffer: bytes, at: int) -> int:
    there = len(buffer) - at
    if there > 1 and buffer[at + 1] != 0x7E:
        return 0
    if there > 11 and buffer[at + 11] >> 4 not in (0, 8):
        return 0
    if there < 14:
        return PAUSE
    if buffer[at + 13] not in (STX, SYN):
        return 0
    return _complete(buffer, at, 14, (buffer[at + 11] & 15) << 8 | buffer[at + 12], 2)


def _complete(buffer: bytes, at: int, head: int, size: int, check: int) -> int:
    last = at + head + size
    if size == 0 or (last < len(buffer) and buffer[last] not in ENDS):
        return 0
    return PAUSE if last + 1 + check > len(buffer) else head + size + 1 + check


def _whole(buffer: bytes, at: int, size: int) -> bool:
    if buffer[at] == 0x7E:
        return crc16(buffer[at : at + size - 2]) == int.from_bytes(buffer[at + size - 2 : at + size], "big")
    return buffer[at + size - 4 : at + size].upper() == f"{crc16(buffer[at : at + size - 4]):04X}".encode()
