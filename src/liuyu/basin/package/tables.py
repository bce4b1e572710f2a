"""One CSV file of a package, read by its columns: typed cells with their line, and every fault of form."""

from __future__ import annotations

import calendar
import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from liuyu.basin.package.columns import Column, columns
from liuyu.basin.package.reading import Faults, near, read_text
from liuyu.basin.quantities import quantities

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DAY = re.compile(r"(\d{1,2})-(\d{1,2})", re.ASCII)
_CODE = re.compile(r"[^\s/?#\\]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its file and line, its typed cells (None where blank or faulty) and its cells as written."""

    file: str
    line: int
    cells: dict[str, Any]
    text: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str) -> Any:
        return self.cells.get(column)


def read_table(folder: Path, file: str, faults: Faults) -> list[Row]:
    """The rows of one CSV file of the package. Blank lines and lines that start with # are passed over."""
    text = read_text(folder, file, faults)
    if text is None:
        return []
    lines = _lines(file, text, faults)
    header = next(lines, None)
    if header is None:
        names = ",".join(each.column for each in columns()[file])
        faults.add(file, "is empty", f"begin it with the line {names}", line=1)
        return []
    known = _header(file, *header, faults)
    return [
        _row(file, line, cells, header[1], known, faults)
        for line, cells in lines
        if _fits(file, line, cells, header[1], faults)
    ]


def _lines(file: str, text: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """The cells of each line that says something, with the line that they begin on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells) and not cells[0].lstrip().startswith("#"):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        faults.add(file, f"is not CSV: {error}", "check the quotes of this line", line=begins)


def _header(file: str, line: int, names: list[str], faults: Faults) -> dict[str, Column]:
    """The known columns of a header; unknown, doubled and missing ones are faults."""
    known = {each.column: each for each in columns()[file]}
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            faults.add(file, "column is there twice", "remove one of them", line=line, field=name, value=name)
        if name not in known:
            cure = near(name, [each for each in known if each not in names], f"known columns: {', '.join(known)}")
            faults.add(file, "no such column", cure, line=line, field=name, value=name)
    for name, column in known.items():
        if column.needed and name not in names:
            faults.add(file, f"column {name} is missing", f"add it: {column.meaning}", line=line)
    return {name: known[name] for name in names if name in known}


def _fits(file: str, line: int, cells: list[str], names: list[str], faults: Faults) -> bool:
    if len(cells) == len(names):
        return True
    faults.add(
        file,
        f"has {len(cells)} cells where the header has {len(names)}",
        "add or remove commas; put a cell that holds a comma in double quotes",
        line=line,
        field=names[0],
        value=cells[0],
    )
    return False


def _row(file: str, line: int, cells: list[str], names: list[str], known: dict[str, Column], faults: Faults) -> Row:
    text = dict(zip(names, cells, strict=True))
    typed: dict[str, Any] = {}
    for column in columns()[file]:
        name = column.column
        raw = text.get(name, "") or column.default
        if raw:
            typed[name] = _cell(column, raw, line, faults)
        elif column.needed and name in known:
            faults.add(file, f"{name} is blank", f"give it: {column.meaning}", line=line, field=name)
    return Row(file, line, typed, text)


Noted = Callable[[str, str], None]


def _cell(column: Column, raw: str, line: int, faults: Faults) -> Any:
    """The value of a cell that is not blank; None, and a fault, where it cannot be read."""

    def fault(problem: str, cure: str) -> None:
        faults.add(column.file, problem, cure, line=line, field=column.column, value=raw)

    match column.kind:
        case "number" | "whole":
            return _number(column, raw, fault)
        case "day":
            return _day(raw, fault)
        case "quantities":
            return _quantities(raw, fault)
        case _:
            return _text(column, raw, fault)


def _text(column: Column, raw: str, fault: Noted) -> str | None:
    if column.kind == "choice" and raw not in column.choices:
        fault("is not one of those known", near(raw, column.choices, f"known: {', '.join(column.choices)}"))
        return None
    if column.kind == "code" and not _CODE.fullmatch(raw):
        fault("is no code", "use letters, digits, - and _ without blanks, slashes, ? or #")
        return None
    if column.kind == "quantity":
        return _quantity(raw, fault)
    return raw


def _number(column: Column, raw: str, fault: Noted) -> float | int | None:
    unit = f" [{column.unit}]" if column.unit else ""
    if not _NUMBER.fullmatch(raw) or not math.isfinite(float(raw)):
        fault("is not a number", f"write digits alone, without unit or thousands separator{unit}")
        return None
    value = float(raw)
    if column.kind == "whole" and value != int(value):
        fault("is not a whole number", f"round it{unit}")
        return None
    lower, upper = column.lower, column.upper
    if (lower is not None and value < lower) or (upper is not None and value > upper):
        fault(f"lies outside {lower:.10g} to {upper:.10g}{unit}", "correct it, or check its unit")
        return None
    return int(value) if column.kind == "whole" else value


def _day(raw: str, fault: Noted) -> tuple[int, int] | None:
    found = _DAY.fullmatch(raw)
    if not found:
        fault("is not a day of the year", "write month and day, as 06-10")
        return None
    month, day = int(found[1]), int(found[2])
    if not 1 <= month <= 12:
        swapped = f"; did you mean {day:02d}-{month:02d}?" if 1 <= day <= 12 and month <= 31 else ""
        fault(f"has no month {month}", f"write the month first, 01 to 12{swapped}")
        return None
    last = calendar.monthrange(2020, month)[1]
    if not 1 <= day <= last:
        fault(f"month {month} has no day {day}", f"it has days 1 to {last}")
        return None
    return month, day


def _quantity(raw: str, fault: Noted) -> str | None:
    names = [each.name for each in quantities()]
    if raw in names:
        return raw
    fault("is no quantity", near(raw, names, f"known: {', '.join(names)}"))
    return None


def _quantities(raw: str, fault: Noted) -> tuple[str, ...] | None:
    found = [_quantity(each, fault) for each in raw.split()]
    if len(set(found)) < len(found):
        fault("names a quantity twice", "name each once")
    known = tuple(each for each in found if each)
    return known if len(known) == len(found) else None
