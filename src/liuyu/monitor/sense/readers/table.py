"""Rows of any table, by a mapping, to observations. CSV and Excel differ only in how they come by their rows."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import Quantity, quantity
from liuyu.monitor.sense.readers.mapping import Column, Mapping, Missing, Value
from liuyu.monitor.sense.readers.reading import Gatherer
from liuyu.monitor.sense.readers.times import Times
from liuyu.monitor.sense.readers.units import conversion, convert

Cell = str | int | float | bool | datetime | date | time | None
Row = tuple[int, Sequence[Cell]]
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class Absent(Exception):
    """A cell that says that there is no value."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """Reads the numbers of a file: which texts mean nothing, and how decimals and thousands are written."""

    texts: frozenset[str]
    values: frozenset[float]
    decimal: str
    thousands: str

    @classmethod
    def of(cls, mapping: Mapping, more: Missing = ()) -> Numbers:
        """By a mapping, with what one column takes for missing besides."""
        every = [*mapping.missing, *more]
        texts = frozenset(str(each).strip().casefold() for each in every)
        numbers = (_plain_number(str(each)) for each in every)
        return cls(texts, frozenset(each for each in numbers if each is not None), mapping.decimal, mapping.thousands)

    def read(self, cell: Cell) -> float:
        """The number in a cell. Raises Absent where it says there is none, BadInput where it is none."""
        if isinstance(cell, str):
            found = self._text(cell.strip())
        elif cell is None:
            raise Absent
        elif isinstance(cell, bool) or not isinstance(cell, int | float):
            raise BadInput("is not a number; format the cell as a number")
        else:
            found = float(cell)
        if found in self.values or math.isnan(found):
            raise Absent
        if math.isinf(found):
            raise BadInput("is not a finite number; correct it")
        return found

    def _text(self, text: str) -> float:
        if not text or text.casefold() in self.texts:
            raise Absent
        if self.thousands:
            text = text.replace(self.thousands, "")
        found = _plain_number(text.replace(self.decimal, ".") if self.decimal != "." else text)
        if found is None:
            raise BadInput("is not a number; correct it, or name it under missing in the mapping")
        return found


def _plain_number(text: str) -> float | None:
    return float(text) if _NUMBER.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One `[[values]]` with its columns found."""

    quantity: Quantity
    place: int
    name: str
    numbers: Numbers
    factor: float
    offset: float
    add: float
    when_place: int
    when: tuple[str, ...]
    unless: tuple[str, ...]
    flag_place: int

    def says(self, cells: Sequence[Cell]) -> bool:
        if self.when_place < 0:
            return True
        text = as_text(_cell(cells, self.when_place))
        return (not self.when or text in self.when) and text not in self.unless


def _several(texts: str | tuple[str, ...]) -> tuple[str, ...]:
    return (texts,) if isinstance(texts, str) else texts


def as_text(cell: Cell) -> str:
    """A cell as the text that a person sees; a whole number has no decimals, as station codes need."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _cell(cells: Sequence[Cell], place: int) -> Cell:
    return cells[place] if place < len(cells) else None


class TableReader:
    """Reads rows into a gatherer, by a mapping. Raises BadPackage where columns are missing, all of them told."""

    def __init__(self, header: Sequence[Cell] | None, line: int, mapping: Mapping, gatherer: Gatherer) -> None:
        self._mapping, self._gatherer, self._line = mapping, gatherer, line
        self._header = None if header is None else [as_text(each) for each in header]
        self._missing: list[Fault] = []
        named = mapping.time.column if isinstance(mapping.time.column, tuple) else (mapping.time.column,)
        self._time = [self._find(each, "time.column") for each in named or ("",)]
        self._station = -1 if mapping.station.code else self._find(mapping.station.column, "station.column")
        self._wanted = [self._want(each) for each in mapping.values if each.column != ""]
        if not self._wanted:
            self._lacks("values", "", "names no column", "add [[values]] with column, quantity and unit")
        if self._missing:
            raise BadPackage(gatherer.file, self._missing)
        self._times = Times(mapping.zone, mapping.time.format, mapping.shift_minutes * 60)

    def _want(self, value: Value) -> _Wanted:
        what = quantity(value.quantity)
        factor, offset = conversion(value.unit, what)
        return _Wanted(
            what,
            self._find(value.column, "values.column"),
            str(value.column),
            Numbers.of(self._mapping, value.missing),
            factor,
            offset,
            value.add,
            self._find(value.when_column, "values.when_column") if value.when_column != "" else -1,
            _several(value.when),
            _several(value.unless),
            self._find(value.flag_column, "values.flag_column") if value.flag_column != "" else -1,
        )

    def _find(self, column: Column, field: str) -> int:
        """The place of a column, -1 and a fault where there is none."""
        if column == "":
            self._lacks(field, "", f"the mapping names no {field}", f"set {field} in the mapping")
            return -1
        if isinstance(column, int):
            if column < 1 or (self._header is not None and column > len(self._header)):
                self._lacks(field, column, "there is no such column", "columns are numbered from 1")
            return column - 1
        if self._header is None:
            self._lacks(field, column, "the file has no header", "give columns by number, from 1")
            return -1
        if column in self._header:
            return self._header.index(column)
        near = difflib.get_close_matches(column, self._header, n=1, cutoff=0.5)
        found = ", ".join(each for each in self._header if each)
        cure = f"did you mean {near[0]!r}?" if near else f"the header has: {found or 'nothing'}"
        self._lacks(field, column, "there is no such column", cure)
        return -1

    def _lacks(self, field: str, value: object, problem: str, cure: str) -> None:
        line = self._line if self._header is not None else None
        fault = Fault(file=self._gatherer.file, line=line, field=field, value=str(value), problem=problem, cure=cure)
        self._missing.append(fault)

    def read(self, rows: Iterable[Row]) -> None:
        """Take every row up; blank ones are passed over."""
        for line, cells in rows:
            if any(as_text(each) for each in cells):
                self._row(line, cells)

    def _row(self, line: int, cells: Sequence[Cell]) -> None:
        raw = self._mapping.delimiter.join(as_text(each) for each in cells)
        code = self._mapping.station.code or as_text(_cell(cells, self._station))
        place = self._gatherer.station(code)
        if place is None:
            self._gatherer.unknown_station(code, raw)
            return
        try:
            time = self._when(cells)
        except BadInput as error:
            shown = " ".join(as_text(_cell(cells, each)) for each in self._time)
            self._fault(error, line, "time", shown, raw)
            return
        for wanted in self._wanted:
            if wanted.says(cells):
                self._value(wanted, line, place, time, cells, raw)

    def _when(self, cells: Sequence[Cell]) -> int:
        found = [_cell(cells, each) for each in self._time]
        match found:
            case [datetime() as moment]:
                return self._times.of(moment)
            case [date() as day, time() as clock]:
                day = day.date() if isinstance(day, datetime) else day
                return self._times.of(datetime.combine(day, clock))
            case [date() as day]:
                return self._times.of(datetime.combine(day, time()))
        return self._times.read(" ".join(as_text(each) for each in found))

    def _value(self, wanted: _Wanted, line: int, place: int, time: int, cells: Sequence[Cell], raw: str) -> None:
        cell = _cell(cells, wanted.place)
        try:
            given = wanted.numbers.read(cell)
            flag = self._flag(cells, wanted.flag_place)
        except Absent:
            self._gatherer.miss()
            return
        except BadInput as error:
            self._fault(error, line, wanted.name, as_text(cell), raw)
            return
        value = convert(given, wanted.factor, wanted.offset, wanted.quantity.decimals)
        if wanted.add:
            value = round(value + wanted.add, wanted.quantity.decimals + 3)
        self._gatherer.take(place, wanted.quantity.number, time, value, flag, raw)

    def _flag(self, cells: Sequence[Cell], place: int) -> int:
        code = as_text(_cell(cells, place)) if place >= 0 else ""
        if not code:
            return int(Flag.NOT_EVALUATED)
        found = self._mapping.flags.get(code)
        if found is None:
            raise BadInput(f"has the quality code {code!r}; add it under [flags] in the mapping")
        if found == Flag.MISSING:
            raise Absent
        return found

    def _fault(self, error: BadInput, line: int, field: str, value: str, raw: str) -> None:
        problem, _, cure = str(error).partition("; ")
        self._gatherer.fault(problem, cure, line=line, field=field, value=value, raw=raw)
