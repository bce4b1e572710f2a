"""The door: what sources sent, as parcels of observations of a basin, and set-aside pieces read again."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.sl651 import Dialects, Message, decode, decode_many, encode, ways_of
from liuyu.monitor.sense.sl651.digits import NO_TIME
from liuyu.monitor.sense.sl651.tables import elements, function
from liuyu.monitor.sense.stations import Received
from liuyu.store.inbox.interface import Inbox, Parcel

SOURCE = "sl651"
WARM = 1_594_000_200
AHEAD = 600  # a reading may be this much ahead of the centre's clock [s]
RAIN = "rainfall"
_CODE = re.compile(r"[0-9A-Fa-f]{8}")
_REPORTS = np.array([function(code).up in ("report", "series") for code in range(256)])
Table = tuple[NDArray[np.int64], NDArray[np.int64]]
Rows = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


class Frames:
    """Reads frames of SL 651 as observations of a basin.

    A station is the one of the basin's roster whose code its dialect names, or else the last eight digits of its
    address. What belongs to no station, and what comes from a clock that cannot be right, is set aside raw. Rain is
    kept where it is that of the station's own interval; rain of the day so far (20H) has none and is left to the raw
    log. Pictures go to `pictures`. check_clock: whether times are held against the centre's clock.
    """

    def __init__(
        self,
        basin: Basin,
        dialects: Dialects | None = None,
        *,
        source: str = SOURCE,
        pictures: Path | None = None,
        check_clock: bool = True,
    ) -> None:
        self._roster, self._source = basin.roster, source
        self._dialects = dialects or Dialects()
        self._ways = ways_of(self._dialects)
        self._pictures, self._check_clock = pictures, check_clock
        self._codes = _table({int(code, 16): at for code, at in self._roster.number.items() if _CODE.fullmatch(code)})
        self._named = _table(
            {
                int(address, 16): self._roster.number.get(each.code, -1)
                for address, each in self._dialects.stations.items()
                if each.code
            }
        )
        self._interval = np.array([each.interval for each in basin.stations], np.int64)
        self._meaning, self._sums = _meanings()
        self._odd = _odd(self._dialects)
        self.pictures = 0
        decode_many(encode(Message(function=0x2F, station="0" * 10, serial=1, sent=WARM)), self._ways)  # compiles

    def parcel(self, received: Sequence[Received]) -> Parcel:
        """What some frames hold, and which of them hold nothing to keep, with the reason."""
        now = received[-1].at
        plain = [each for each in received if _is_plain(each)]
        others = [each for each in received if each.head and not _is_plain(each) and _is_whole(each)]
        unread = [(each.reason, each.frame) for each in received if each.head is None]
        batches = []
        for rows, frames in (self._plain(plain, now), self._objects(others, now)):
            batch, aside = self._batch(rows, frames, now)
            batches.append(batch)
            unread += aside
        asides = tuple(Aside(self._source, reason, frame) for reason, frame in unread)
        return Parcel(self._source, now, Batch.join(batches), asides)

    def _plain(self, received: Sequence[Received], now: int) -> tuple[Rows, list[tuple[bytes, bool]]]:
        """Frames of the hexadecimal form, all at once."""
        columns = decode_many(b"".join(each.frame for each in received), self._ways, now if self._check_clock else None)
        if len(columns) != len(received):
            return self._objects(received, now)
        told = _REPORTS[columns.function[columns.value_frame]]
        key = columns.value_station[told] * 0x10000 + columns.element[told]
        rows = (columns.value_frame[told].astype(np.int64), key, columns.time[told], columns.value[told])
        wrong = columns.remarked("clock").tolist()
        return rows, list(zip((each.frame for each in received), wrong, strict=True))

    def _objects(self, received: Sequence[Received], now: int) -> tuple[Rows, list[tuple[bytes, bool]]]:
        """Frames of the other form, and messages in packets, one by one."""
        found: list[tuple[int, int, int, float]] = []
        frames = []
        for place, each in enumerate(received):
            said = each.whole or decode(each.frame, self._dialects, now if self._check_clock else None)
            if not isinstance(said, Message):
                frames.append((each.frame, False))
                continue
            frames.append((each.frame, "clock" in said.remarks))
            found += [(place, *row) for row in _values(said)]
            self._keep_pictures(said, now)
        table = np.array([row[:3] for row in found], np.int64).reshape(-1, 3)
        value = np.array([row[3] for row in found], np.float64)
        return (table[:, 0], table[:, 1], table[:, 2], value), frames

    def _batch(self, rows: Rows, frames: list[tuple[bytes, bool]], now: int) -> tuple[Batch, list[tuple[str, bytes]]]:
        """The observations among some values, and the frames that are set aside, each with its reason."""
        owner, key, time, value = rows
        station, element = key >> 16, key & 0xFFFF
        place = self._places(station)
        skewed = np.array([wrong for _, wrong in frames], np.bool_)
        late = skewed[owner]
        if self._check_clock:
            late = late | (time > now + AHEAD)
        number, interval = self._meanings_of(station, element)
        wanted = (number > 0) & np.isfinite(value) & (time != NO_TIME)
        rain = number == quantity(RAIN).number
        wanted &= ~rain | (interval == self._interval[np.maximum(place, 0)])
        aside = {int(each): "clock: a day off, or readings of the future" for each in owner[late]}
        aside |= {int(each): "station: its address is none of the basin's" for each in owner[place < 0]}
        told = [(reason, frames[each][0]) for each, reason in sorted(aside.items())]
        keep = wanted & ~late & (place >= 0)
        return Batch.of(self._roster, place[keep], number[keep], time[keep], value[keep], source=self._source), told

    def _places(self, station: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places in the roster, -1 for stations that are not in it."""
        return _found(self._named, station, _found(self._codes, station & 0xFFFFFFFF, -1))

    def _meanings_of(
        self, station: NDArray[np.int64], element: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        number, interval = self._meaning[element], self._sums[element]
        for address, code, what in self._odd:
            number = np.where((element == code) & ((station == address) | (address < 0)), what, number)
        return number, interval

    def _keep_pictures(self, said: Message, now: int) -> None:
        for group, element in said.elements():
            if element.id == "F3" and self._pictures is not None:
                taken = moment(group.observed or said.sent or now).strftime("%Y%m%dT%H%M%SZ")
                _durable(self._pictures / said.station / f"{taken}.jpg", element.raw)
                self.pictures += 1


def _is_plain(each: Received) -> bool:
    """Whether it is a frame of the hexadecimal form of SL 651 that holds all of its message."""
    return bool(each.head and each.meter is None and each.head.form == "hex" and each.head.packet is None)


def _is_whole(each: Received) -> bool:
    """Whether a message of another form is whole; of the packets of one, it is the last that completes it."""
    return each.whole is not None or bool(each.head and each.head.form != "hex")


class InboxSink:
    """Puts readings into an inbox: they are confirmed when they are durable there. Satisfies `Sink`."""

    def __init__(self, inbox: Inbox, frames: Frames) -> None:
        self._inbox, self._frames = inbox, frames
        self.counts: Counter[str] = Counter()

    def keep(self, received: Sequence[Received]) -> None:
        """Put what a group holds, as one parcel."""
        parcel = self._frames.parcel(received)
        if len(parcel.batch) or parcel.asides:
            self._inbox.put([parcel])
        self.counts.update(values=len(parcel.batch), asides=len(parcel.asides))
        self.counts["pictures"] = self._frames.pictures


def _values(said: Message) -> Iterator[tuple[int, int, float]]:
    for group, element in said.elements() if _REPORTS[said.function] else ():
        key = int(group.station or said.station, 16) * 0x10000 + int(element.id, 16)
        for time, value in zip(element.times, element.values, strict=True):
            if isinstance(value, int | float) and time is not None:
                yield key, time, float(value)


def _table(places: Mapping[int, int]) -> Table:
    """Numbers in ascending order, and the place in the roster of each; never empty."""
    rows = sorted({**places, -1: -1}.items())
    return np.array([each for each, _ in rows], np.int64), np.array([place for _, place in rows], np.int64)


def _found(table: Table, wanted: NDArray[np.int64], otherwise: NDArray[np.int64] | int) -> NDArray[np.int64]:
    numbers, places = table
    at = np.minimum(np.searchsorted(numbers, wanted), len(numbers) - 1)
    return np.where(numbers[at] == wanted, places[at], otherwise).astype(np.int64)


def _meanings() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the quantity of each element, 0 for none, and the interval that it sums up [s], 0 for none."""
    number, interval = np.zeros(0x10000, np.int64), np.zeros(0x10000, np.int64)
    for name, field in elements().items():
        number[int(name, 16)] = quantity(field.quantity).number if field.quantity else 0
        interval[int(name, 16)] = field.interval or 0
    return number, interval


def _odd(dialects: Dialects) -> list[tuple[int, int, int]]:
    """Address (-1 for all), element and number of the quantity, where a dialect says otherwise than the standard."""
    found = []
    for dialect in (dialects.default, *dialects.stations.values()):
        address = -1 if dialect.address == "*" else int(dialect.address, 16)
        for each in dialect.elements:
            found.append((address, int(each.id, 16), quantity(each.quantity).number if each.quantity else 0))
        if dialect.level_bases:
            found.append((address, 0xF5, quantity("water_level").number))
    return found


def _durable(file: Path, data: bytes) -> None:
    """Write a file so that it is there as a whole or not at all."""
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
