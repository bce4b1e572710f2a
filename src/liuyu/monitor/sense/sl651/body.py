"""The body of a hexadecimal frame: stations, times of observation, and elements by their identifiers.

An identifier is a lead byte (FF and one more for a user's own) and a definition byte: five bits of length, three of
decimals. Whatever the table does not know is stepped over by its definition and kept raw. SL 651-2014, 6.6 and C.
"""

from __future__ import annotations

from typing import NamedTuple

from liuyu.monitor.sense.sl651.dialect import Dialect, Odd
from liuyu.monitor.sense.sl651.digits import NO_NUMBER, NO_TIME, number_of, step_of, time_of, word_of
from liuyu.monitor.sense.sl651.messages import Element, Group, Value
from liuyu.monitor.sense.sl651.tables import Field, Kind, elements, parameters

SLOT = 300
SLACK = 1800
POWERS = (1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7)
TIME, STATION, TEXT, PICTURE, DRP, DRZ1, DRZ8, USER = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xFC, 0xFF
STEP, STATE = 0x04, 0x45
FOLLOWERS = frozenset([0x04, 0x20, 0x26, 0x27, 0x38, 0x39, 0x3A, 0x3B, 0x45, *range(DRP, DRZ8 + 1)])
DECLARED = [elements()[f"{lead:02X}"].definition if f"{lead:02X}" in elements() else 0 for lead in range(256)]


class Meaning(NamedTuple):
    """What an identifier stands for at a station."""

    kind: Kind
    quantity: str | None
    unit: str
    interval: int | None


def meaning_of(field: Field | None, odd: Odd | None = None) -> Meaning:
    """What a field of a table means, or what a station means instead; unknown ones are numbers without a unit."""
    if odd is not None:
        return Meaning("hex" if odd.binary else "number", odd.quantity or None, odd.unit, None)
    if field is None:
        return Meaning("number", None, "", None)
    return Meaning(field.kind, field.quantity or None, field.unit, field.interval)


_ELEMENTS = {name: meaning_of(field) for name, field in elements().items()}
_PARAMETERS = {name: meaning_of(field) for name, field in parameters().items()}
_UNKNOWN = meaning_of(None)


def follows(data: bytes, start: int) -> bool:
    """Whether what begins at `start` reads to its end as elements just as the table declares them."""
    place, first = start, True
    while place < len(data):
        size = _declared(data, place, first)
        if size == 0 or place + size > len(data):
            return False
        place, first = place + size, False
    return not first


def _declared(data: bytes, place: int, first: bool) -> int:
    if place + 2 > len(data):
        return 0
    lead, definition = data[place], data[place + 1]
    if lead in (TIME, STATION):
        return 0 if lead != definition else 7 if lead == TIME else 8
    if lead in (TEXT, PICTURE, USER) or (first and lead not in FOLLOWERS) or DECLARED[lead] == 0:
        return 0
    minus = definition == DECLARED[lead] + 8 and place + 2 < len(data) and data[place + 2] == 0xFF
    return 2 + (definition >> 3) if definition == DECLARED[lead] or minus else 0


class Reader:
    """Walks a body once. `groups`, `leftover` and `remarks` are what it found."""

    __slots__ = (
        "_data", "_dialect", "_elements", "_observed", "_place", "_repeats", "_sent", "_station", "_step", "_table",
        "_tag", "_with_category", "groups", "leftover", "remarks",
    )  # fmt: skip

    def __init__(self, data: bytes, dialect: Dialect, sent: int | None, body: str) -> None:
        self._data, self._dialect, self._sent = data, dialect, sent
        self._with_category = body in ("report", "series")
        self._repeats = body == "series"
        self._table = _PARAMETERS if body == "parameters" else _ELEMENTS
        self._place = 0
        self._step = 0
        self._station: str | None = None
        self._tag: int | None = None
        self._observed: int | None = None
        self._elements: list[Element] = []
        self.groups: list[Group] = []
        self.remarks: list[str] = []
        self.leftover = b""

    def read(self) -> Reader:
        """Walk to the end."""
        size = len(self._data)
        while self._place < size:
            if self._place + 2 > size:
                self._rest("leftover")
                break
            lead, definition = self._data[self._place], self._data[self._place + 1]
            if lead == definition and TIME <= lead <= PICTURE:
                self._mark(lead)
            else:
                self._element(lead, definition)
        self._close()
        return self

    def station_only(self) -> Reader:
        """Read a station mark, if one stands first; the rest is left over."""
        if self._data[:2] == b"\xf1\xf1":
            self._mark(STATION)
        self.leftover = self._data[self._place :]
        self._close()
        return self

    def _rest(self, remark: str) -> None:
        self.leftover = self._data[self._place :]
        self._place = len(self._data)
        self.remarks.append(remark)

    def _close(self) -> None:
        if self._elements or self._station is not None or self._observed is not None:
            self.groups.append(
                Group(
                    station=self._station,
                    category=self._tag,
                    observed=self._observed,
                    elements=tuple(self._elements),
                )
            )
            self._elements = []

    def _mark(self, lead: int) -> None:
        data, place = self._data, self._place
        if lead in (TEXT, PICTURE):
            self._whole(lead, data[place + 2 :])
            self._place = len(data)
        elif place + 7 > len(data):
            self._rest("short")
        elif lead == TIME:
            if self._elements:
                self._close()
            self._observed = self._moment(place + 2, 5)
            self._place += 7
        else:
            if self._elements or self._station is not None:
                self._close()
                self._observed = None
            self._station = data[place + 2 : place + 7].hex().upper()
            self._place += 7
            self._category()

    def _category(self) -> None:
        """A class byte follows an address in reports, unless a time of observation does."""
        place, self._tag = self._place, None
        if self._with_category and place < len(self._data) and self._data[place : place + 2] != b"\xf0\xf0":
            self._tag = self._data[place]
            self._place += 1

    def _moment(self, start: int, length: int) -> int | None:
        wall = time_of(self._data, start, length)
        if wall == NO_TIME:
            self.remarks.append("time")
            return None
        return wall - self._dialect.offset

    def _whole(self, lead: int, raw: bytes) -> None:
        """A text or a picture, to the end of the body."""
        value = plain(raw) if lead == TEXT else None
        self._put(f"{lead:02X}", lead, raw, (value,), (self._observed,), _ELEMENTS[f"{lead:02X}"])

    def _element(self, lead: int, definition: int) -> None:
        data, start, name = self._data, self._place + 2, f"{lead:02X}"
        if lead == USER:
            if start >= len(data):
                self._rest("leftover")
                return
            name, definition, start = f"FF{definition:02X}", data[start], start + 1
        odd = self._dialect.odd(name)
        meaning = meaning_of(None, odd) if odd else self._table.get(name, _UNKNOWN)
        length = self._length(lead, meaning, definition)
        if start + length > len(data):
            self._cut(name, definition, data[start:], meaning)
            return
        stop = start + length
        if self._repeats and self._step and length and meaning.kind not in ("step", "text", "picture"):
            while stop + length <= len(data) and not follows(data, stop):
                stop += length
        raw = data[start:stop]
        self._place = stop
        self._values(name, definition, raw, length, meaning)

    def _cut(self, name: str, definition: int, raw: bytes, meaning: Meaning) -> None:
        """An element that the body ends before: what is left of a text or a series still means something."""
        self.remarks.append("short")
        self._place = len(self._data)
        whole_anyway = meaning.kind in ("series", "text") or (meaning.kind == "hex" and self._table is _PARAMETERS)
        if raw and whole_anyway:
            self._values(name, definition, raw, len(raw), meaning)
        else:
            self._put(name, definition, raw, (None,), (self._observed,), meaning)

    def _length(self, lead: int, meaning: Meaning, definition: int) -> int:
        if meaning.kind != "series":
            return definition >> 3
        length = 12 if lead == DRP else 24
        if definition >> 3 != length:
            self.remarks.append("definition")
        return length

    def _values(self, name: str, definition: int, raw: bytes, length: int, meaning: Meaning) -> None:
        kind = meaning.kind
        if kind == "series":
            values = self._series(name, raw)
            self._put(name, definition, raw, values, self._slots(len(values)), meaning)
            return
        if kind == "step" and self._table is _ELEMENTS and len(raw) == 3:
            self._step = step_of(raw, 0)
            self._put(name, definition, raw, (self._step / 60.0,), (self._observed,), meaning)
            return
        parts = [raw[at : at + length] for at in range(0, len(raw), length)] if length else [raw]
        values = tuple(self._value(kind, part, definition & 7) for part in parts)
        self._put(name, definition, raw, values, self._stepped(len(values)), meaning)

    def _value(self, kind: str, raw: bytes, decimals: int) -> Value:
        if kind in ("state", "hex"):
            if kind == "hex" and self._table is _PARAMETERS:
                return raw.hex().upper()
            word = word_of(raw, 0, len(raw))
            return None if word == NO_NUMBER else word / POWERS[decimals]
        if kind == "text":
            return plain(raw)
        if kind in ("picture", "order"):
            return None
        number = number_of(raw, 0, len(raw))
        if number == NO_NUMBER:
            if raw.strip(b"\xff"):
                self.remarks.append("not-decimal")
            return None
        return number / POWERS[decimals]

    def _series(self, name: str, raw: bytes) -> tuple[Value, ...]:
        if name == "F4":
            return tuple(None if byte == 0xFF else byte / 10.0 for byte in raw)
        bases, which = self._dialect.level_bases, int(name, 16) - DRZ1
        base = bases[which] if which < len(bases) else None
        words = [raw[at] << 8 | raw[at + 1] for at in range(0, len(raw) - 1, 2)]
        return tuple(None if word == 0xFFFF else level_of(word, base) for word in words)

    def _slots(self, count: int) -> tuple[int | None, ...]:
        """Times of values every five minutes; the time of observation is the first's, in some reports the last's."""
        if self._observed is None:
            return (None,) * count
        first, way = self._observed, "first" if self._repeats else self._dialect.hourly_time
        span = (count - 1) * SLOT
        late = self._sent is not None and first + span > self._sent + SLACK
        if way == "end" or (way == "auto" and late):
            self.remarks.append("series-end")
            first -= span
        return tuple(range(first, first + count * SLOT, SLOT))

    def _stepped(self, count: int) -> tuple[int | None, ...]:
        if self._observed is None or count == 1:
            return (self._observed,) * count
        return tuple(self._observed + at * self._step for at in range(count))

    def _put(
        self,
        name: str,
        definition: int,
        raw: bytes,
        values: tuple[Value, ...],
        times: tuple[int | None, ...],
        meaning: Meaning,
    ) -> None:
        quantity = "water_level" if name == "F5" and self._dialect.level_bases else meaning.quantity
        self._elements.append(
            Element(
                id=name,
                definition=definition,
                raw=raw,
                values=values,
                times=times,
                quantity=quantity,
                unit=meaning.unit,
                interval=meaning.interval,
            )
        )


def level_of(word: int, base: float | None) -> float:
    """A level [m] of a word in centimetres, above a base if one is known; rounded to the millimetre."""
    if base is None:
        return word / 100.0
    millimetres = (base + word / 100.0) * 1000.0 + 0.5
    return millimetres // 1.0 / 1000.0


def plain(raw: bytes) -> str:
    """Text as stations write it: GB 18030, of which ASCII is a part."""
    return raw.decode("gb18030", "replace")
