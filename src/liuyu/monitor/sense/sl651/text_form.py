"""The body in the ASCII form: the names of elements and their values, separated by spaces.

    0003 591011154947 ST 0012345678 H TT 5910111549 PJ 0.5 PT 0.5 Z 0.127 VT 11.15

A time step is written DRN05, DRH01 or DRD01; values of equal periods follow one name. The five-minute series of an
hour are one word of hex digits, or twelve decimal numbers. SL 651-2014, 6.4 and C.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from liuyu.monitor.sense.sl651.body import SLACK, SLOT, level_of, meaning_of
from liuyu.monitor.sense.sl651.dialect import Dialect
from liuyu.monitor.sense.sl651.digits import NO_TIME, time_of
from liuyu.monitor.sense.sl651.messages import Element, Group, Value
from liuyu.monitor.sense.sl651.tables import Field, symbols

_STEP = re.compile(r"DR([DHN])(\d\d)")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")
_UNITS = {"D": 86400, "H": 3600, "N": 60}
_SERIES_WIDTH = {"F4": 2}


def packed(text: bytes) -> bytes:
    """Hex digits as bytes; empty where they are none."""
    try:
        return bytes.fromhex(text.decode("ascii")) if b" " not in text else b""
    except ValueError:
        return b""


def number(text: bytes) -> int:
    """Hex digits as a number; 0 where they are none."""
    return int.from_bytes(packed(text), "big")


def read_body(rest: bytes, dialect: Dialect, sent: int | None, kind: str, remarks: list[str]) -> dict[str, object]:
    """The facts of a body after its serial number and time of sending."""
    if kind in ("none", "version", "events", "control", "period", "elements") or not rest.strip():
        return {"payload": rest}
    words = rest.decode("gb18030", "replace").split()
    reader = _Words(words, dialect, sent, kind, remarks)
    reader.read()
    return {"groups": tuple(reader.groups)}


class _Words:
    """Walks the words of a body once."""

    def __init__(self, words: Sequence[str], dialect: Dialect, sent: int | None, kind: str, remarks: list[str]) -> None:
        self._repeats = kind == "series"
        self._words, self._dialect, self._sent, self._remarks = words, dialect, sent, remarks
        self._place = 0
        self._station: str | None = None
        self._tag: int | None = None
        self._observed: int | None = None
        self._step = 0
        self._elements: list[Element] = []
        self.groups: list[Group] = []

    def read(self) -> None:
        """Walk to the end."""
        while self._place < len(self._words):
            name = self._words[self._place].upper()
            self._place += 1
            if name in ("ST", "F1F1"):
                self._mark_station()
            elif name in ("TT", "F0F0"):
                self._close()
                self._observed = self._moment(self._take())
            elif name in ("RGZS", "PIC"):
                self._put("F2" if name == "RGZS" else "F3", [" ".join(self._words[self._place :])], whole=True)
                self._place = len(self._words)
            elif _STEP.fullmatch(name):
                self._step = int(name[3:]) * _UNITS[name[2]]
                self._put("04", [name], step=True)
            else:
                self._element(name)
        self._close()

    def _take(self) -> str:
        self._place += 1
        return self._words[self._place - 1] if self._place <= len(self._words) else ""

    def _close(self) -> None:
        if self._elements:
            found = Group(
                station=self._station, category=self._tag, observed=self._observed, elements=tuple(self._elements)
            )
            self.groups.append(found)
            self._elements = []

    def _mark_station(self) -> None:
        if self._elements:
            self._close()
            self._observed = None
        self._station, self._tag = self._take().upper(), None
        if self._place < len(self._words):
            word = self._words[self._place]
            letter = len(word) == 1 and word.isalpha() and word.upper() not in ("C", "H", "Q", "Z")
            if letter or self._before_time():
                self._tag = ord(word.upper()) if len(word) == 1 else number(word.encode()) or None
                self._place += 1

    def _before_time(self) -> bool:
        """Whether the word after the next is the mark of a time: then the next is the class of the station."""
        after = self._words[self._place + 1 : self._place + 2]
        return bool(after) and after[0].upper() in ("TT", "F0F0")

    def _moment(self, word: str) -> int | None:
        digits = packed(word.encode("ascii", "replace"))
        wall = time_of(digits, 0, 5) if len(digits) == 5 else NO_TIME
        if wall == NO_TIME:
            self._remarks.append("time")
            return None
        return wall - self._dialect.offset

    def _element(self, name: str) -> None:
        words = []
        while self._place < len(self._words) and not self._is_name(self._words[self._place]):
            words.append(self._take())
        known = symbols().get(name)
        self._put(known.id if known else name, words)

    def _is_name(self, word: str) -> bool:
        upper = word.upper()
        return upper in symbols() or upper in ("F0F0", "F1F1") or bool(_STEP.fullmatch(upper)) or not _is_data(upper)

    def _put(self, name: str, words: list[str], *, whole: bool = False, step: bool = False) -> None:
        odd, field = self._dialect.odd(name), _fields().get(name)
        meaning = meaning_of(field, odd)
        values: tuple[Value, ...]
        if whole:
            values = (words[0] if name == "F2" else None,)
        elif step:
            values = (self._step / 60.0,)
        elif meaning.kind == "series":
            values = self._series(name, words)
        else:
            values = tuple(self._value(word, meaning.kind) for word in words) or (None,)
        times = self._slots(len(values)) if meaning.kind == "series" else self._stepped(len(values))
        self._elements.append(
            Element(
                id=name,
                definition=0,
                raw=" ".join(words).encode("gb18030", "replace"),
                values=values,
                times=times,
                quantity="water_level" if name == "F5" and self._dialect.level_bases else meaning.quantity,
                unit=meaning.unit,
                interval=meaning.interval,
            )
        )

    def _value(self, word: str, kind: str) -> Value:
        if kind == "state":
            return float(number(word.encode("ascii", "replace")))
        if _NUMBER.fullmatch(word):
            return float(word)
        if word.strip("Ff"):
            self._remarks.append("not-decimal")
        return None

    def _series(self, name: str, words: list[str]) -> tuple[Value, ...]:
        width = _SERIES_WIDTH.get(name, 4)
        which = int(name, 16) - 0xF5
        base = self._dialect.level_bases[which] if 0 <= which < len(self._dialect.level_bases) else None
        if len(words) == 1 and len(words[0]) == width * 12:
            codes = [number(words[0][at : at + width].encode("ascii", "replace")) for at in range(0, width * 12, width)]
            if width == 2:
                return tuple(None if code == 0xFF else code / 10.0 for code in codes)
            return tuple(None if code == 0xFFFF else level_of(code, base) for code in codes)
        return tuple(self._value(word, "number") for word in words) or (None,)

    def _slots(self, count: int) -> tuple[int | None, ...]:
        if self._observed is None:
            return (None,) * count
        first, span = self._observed, (count - 1) * SLOT
        way = "first" if self._repeats else self._dialect.hourly_time
        if way == "end" or (way == "auto" and self._sent is not None and first + span > self._sent + SLACK):
            self._remarks.append("series-end")
            first -= span
        return tuple(first + at * SLOT for at in range(count))

    def _stepped(self, count: int) -> tuple[int | None, ...]:
        if self._observed is None or (count > 1 and self._step == 0):
            return (self._observed, *(None,) * (count - 1))
        return tuple(self._observed + at * self._step for at in range(count))


def _is_data(word: str) -> bool:
    """A number, or hex digits for a state or a series, or nothing but F where there is none."""
    return bool(_NUMBER.fullmatch(word)) or bool(re.fullmatch(r"[0-9A-F]{8}|[0-9A-F]{24}|[0-9A-F]{48}|F+", word))


def _fields() -> dict[str, Field]:
    return {each.id: each for each in symbols().values()}
