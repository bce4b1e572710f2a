"""Many frames at once, compiled: framing, check codes, numbers and elements into flat columns.

Says the same as `Framer` and `decode` for frames of the hexadecimal form, which a test holds; texts and pictures are
left to `decode`. Frames of the ASCII form are noise here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from liuyu.monitor.sense.sl651.body import DECLARED, FOLLOWERS
from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect, Dialects
from liuyu.monitor.sense.sl651.digits import NO_TIME
from liuyu.monitor.sense.sl651.kernels import (
    NUMBER,
    PERIOD,
    REPORT,
    SERIAL_REPORT,
    SERIES,
    SETTINGS,
    SILENT,
    STATE_REPORT,
    STEP,
    UNREAD,
    WORD,
    read_frames,
    scan,
)
from liuyu.monitor.sense.sl651.messages import ENDS, REMARKS
from liuyu.monitor.sense.sl651.tables import elements, function, parameters

_KINDS = {"number": NUMBER, "mark": NUMBER, "series": SERIES, "step": STEP, "state": WORD}
_BODIES = {
    "report": REPORT,
    "series": SERIAL_REPORT,
    "state": STATE_REPORT,
    "parameters": SETTINGS,
    "period": PERIOD,
}
_WAYS = {"auto": 0, "first": 1, "end": 2}
NO_PASSWORD = -1
FRAME_NAMES = ("station", "centre", "function", "up", "end", "serial", "sent", "total", "number", "remarks")
FRAME_KINDS = (np.int64, np.uint8, np.uint8, np.bool_, np.uint8, np.int32, np.int64, np.int16, np.int16, np.uint16)
VALUE_NAMES = ("value_frame", "value_station", "value_category", "element", "time", "value")
VALUE_KINDS = (np.int32, np.int64, np.uint8, np.int32, np.int64, np.float64)


@dataclass(frozen=True, slots=True)
class Columns:
    """What some bytes said. n frames in their order, m values in theirs.

    start, stop: (n,) int64, bytes of the frame. station: (n,) int64, the address as a number. centre, function, end:
    (n,) uint8. up: (n,) bool. serial: (n,) int32, -1 for none. sent: (n,) int64 [s UTC], `NO_TIME` for none. total,
    number: (n,) int16, the place among packets, 0 for a message in one frame. remarks: (n,) uint16, a bit each in the
    order of `REMARKS`. broken: heads of frames that turned out to be none.

    value_frame: (m,) int32, place of its frame. value_station: (m,) int64. value_category: (m,) uint8, 0 for none.
    element: (m,) int32, 0x39 or 0xFF92. time: (m,) int64 [s UTC] or `NO_TIME`. value: (m,) float64 [unit of the
    element], NaN where it is invalid or no number.
    """

    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    station: NDArray[np.int64]
    centre: NDArray[np.uint8]
    function: NDArray[np.uint8]
    up: NDArray[np.bool_]
    end: NDArray[np.uint8]
    serial: NDArray[np.int32]
    sent: NDArray[np.int64]
    total: NDArray[np.int16]
    number: NDArray[np.int16]
    remarks: NDArray[np.uint16]
    broken: int
    value_frame: NDArray[np.int32]
    value_station: NDArray[np.int64]
    value_category: NDArray[np.uint8]
    element: NDArray[np.int32]
    time: NDArray[np.int64]
    value: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.start)

    def remarked(self, name: str) -> NDArray[np.bool_]:
        """Which frames carry a remark."""
        carried: NDArray[np.bool_] = (self.remarks & BITS[name]) != 0
        return carried


class Tables(NamedTuple):
    """The standard's tables by lead byte, function or mark, 256 entries each."""

    element: NDArray[np.uint8]
    parameter: NDArray[np.uint8]
    declared: NDArray[np.int64]
    follower: NDArray[np.bool_]
    up: NDArray[np.uint8]
    down: NDArray[np.uint8]
    ends: NDArray[np.bool_]


class Ways(NamedTuple):
    """The dialects, by place: stations in ascending order, and the default last. odd: place, identifier, kind."""

    station: NDArray[np.int64]
    offset: NDArray[np.int64]
    hourly: NDArray[np.uint8]
    password: NDArray[np.int64]
    bases: NDArray[np.float64]
    odd: NDArray[np.int64]


BITS = {name: 1 << place for place, name in enumerate(REMARKS)}


def _tables() -> Tables:
    def kinds(table: dict[str, str], default: int) -> NDArray[np.uint8]:
        rows = [_KINDS.get(table[f"{lead:02X}"], SILENT) if f"{lead:02X}" in table else default for lead in range(256)]
        return np.array(rows, np.uint8)

    bodies = [function(code) for code in range(256)]
    return Tables(
        element=kinds({name: field.kind for name, field in elements().items()}, NUMBER),
        parameter=kinds({name: field.kind for name, field in parameters().items()}, NUMBER),
        declared=np.array(DECLARED, np.int64),
        follower=np.array([lead in FOLLOWERS for lead in range(256)]),
        up=np.array([_BODIES.get(each.up, UNREAD) for each in bodies], np.uint8),
        down=np.array([_BODIES.get(each.down, UNREAD) for each in bodies], np.uint8),
        ends=np.array([mark in ENDS for mark in range(256)]),
    )


TABLES = _tables()


def ways_of(dialects: Dialect | Dialects) -> Ways:
    """Dialects as columns, for `decode_many`; worth keeping where it is called often."""
    known = dialects if isinstance(dialects, Dialects) else Dialects(default=dialects)
    rows = [*sorted(known.stations.values(), key=lambda each: each.address), known.default]
    bases = np.full((len(rows), 8), np.nan)
    odd = []
    for place, each in enumerate(rows):
        bases[place, : len(each.level_bases)] = each.level_bases
        odd += [(place, int(one.id, 16), WORD if one.binary else NUMBER) for one in each.elements]
    return Ways(
        station=np.array([int(each.address, 16) for each in rows[:-1]], np.int64),
        offset=np.array([each.offset for each in rows], np.int64),
        hourly=np.array([_WAYS[each.hourly_time] for each in rows], np.uint8),
        password=np.array(
            [NO_PASSWORD if each.password is None else int(each.password, 16) for each in rows], np.int64
        ),
        bases=bases,
        odd=np.array(odd, np.int64).reshape(-1, 3),
    )


def decode_many(
    buffer: bytes | NDArray[np.uint8], dialects: Dialect | Dialects | Ways = STANDARD, now: int | None = None
) -> Columns:
    """Every frame in some bytes, with all its values. What is no frame is passed over, byte by byte.

    The bytes are taken as all there is: a frame that they end within is noise. now: as in `decode`.
    """
    data = np.frombuffer(buffer, np.uint8) if isinstance(buffer, bytes) else buffer
    ways = dialects if isinstance(dialects, Ways) else ways_of(dialects)
    start = np.empty(len(data) // 18 + 1, np.int64)
    stop = np.empty_like(start)
    count, broken = scan(data, TABLES.ends, start, stop)
    start, stop = start[:count].copy(), stop[:count].copy()
    frames = tuple(np.zeros(count, kind) for kind in FRAME_KINDS)
    room = int((stop - start).sum())
    values = tuple(np.empty(room, kind) for kind in VALUE_KINDS)
    clock = NO_TIME if now is None else now
    made = read_frames(data, start, stop, clock, TABLES, ways, frames, values) if count else 0
    named = dict(zip(FRAME_NAMES, frames, strict=True)) | {
        name: each[:made].copy() for name, each in zip(VALUE_NAMES, values, strict=True)
    }
    return Columns(start=start, stop=stop, broken=broken, **named)
